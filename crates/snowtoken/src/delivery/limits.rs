//! What the taker of a shape would refuse for certain, found out before anything is written.

use snowtoken_core::target::{Limits, Target};

use super::{Credentials, Format, Order, Piece, Unfit};

/// One value of the taker's, as its documentation or service model has it.
struct Longest {
    who: &'static str,
    /// Of one value, in bytes.
    value: usize,
    /// Of the whole text, in bytes.
    text: usize,
}

const NONE: usize = usize::MAX;

fn longest(format: Format) -> Option<Longest> {
    let (who, value, text) = match format {
        Format::AwsSecret => ("AWS Secrets Manager", NONE, 65_536),
        Format::Cloudformation => ("AWS CloudFormation", 4_096, NONE),
        Format::Github => ("GitHub", 48 * 1024, NONE),
        Format::AzureKeyVault => ("Azure Key Vault", 25 * 1024, NONE),
        Format::Docker => ("Docker", NONE, 500_000),
        Format::Kubernetes => ("Kubernetes", NONE, 1024 * 1024),
        Format::SystemdCredential => ("systemd", NONE, 1024 * 1024),
        _ => return None,
    };
    Some(Longest { who, value, text })
}

/// The limits of AppFlow's service model, which its CloudFormation resource shares.
const APPFLOW: Limits = Limits {
    client_id: Some(512),
    client_secret: Some(512),
    access_token: Some(4_096),
    refresh_token: Some(4_096),
    auth_code: Some(4_096),
    redirect_uri: Some(512),
    instance: Some(256),
    no_white_space: true,
};

/// The values, before there is a text.
pub(super) fn check_values(credentials: &Credentials<'_>, order: &Order) -> Result<(), Unfit> {
    let is_appflow = matches!(order.format, Format::Appflow | Format::Cloudformation);
    for piece in order.pieces() {
        let Some(value) = credentials.piece(piece) else { continue };
        let what = piece.words();
        if value.contains(['\n', '\r', '\0']) {
            return Err(Unfit::LineBreak(what));
        }
        let own = is_appflow.then(|| of(&APPFLOW, piece)).flatten();
        let shape = longest(order.format);
        let shape = shape.map(|limit| (limit.who, limit.value));
        let limits = own.map(|most| ("Amazon AppFlow", most)).into_iter().chain(shape);
        for (who, most) in limits {
            if value.len() > most {
                return Err(Unfit::TooLong { what, length: value.len(), who, most });
            }
        }
        if is_appflow && value.contains(char::is_whitespace) {
            return Err(Unfit::Blanks { what, who: "Amazon AppFlow" });
        }
    }
    Ok(())
}

/// The text as a whole.
pub(super) fn check_text(text: &str, order: &Order) -> Result<(), Unfit> {
    match longest(order.format) {
        Some(Longest { who, text: most, .. }) if text.len() > most => {
            Err(Unfit::TooLong { what: "text", length: text.len(), who, most })
        }
        _ => Ok(()),
    }
}

fn of(limits: &Limits, piece: Piece) -> Option<usize> {
    match piece {
        Piece::Instance(_) => limits.instance,
        Piece::ClientId => limits.client_id,
        Piece::ClientSecret => limits.client_secret,
        Piece::AccessToken => limits.access_token,
        Piece::RefreshToken => limits.refresh_token,
        Piece::FreshCode | Piece::UsedCode => limits.auth_code,
        Piece::RedirectUri => limits.redirect_uri,
        _ => None,
    }
}

impl Credentials<'_> {
    /// What the consumer may refuse: values that are longer than its limits or hold blanks. Nothing
    /// of the values is in it.
    pub fn concerns(&self, target: &Target) -> Vec<String> {
        let mut concerns = Vec::new();
        let title = &target.title;
        let pieces = Order::of(Format::CredentialsFile).pieces().into_iter();
        for (piece, value) in pieces.filter_map(|piece| Some((piece, self.piece(piece)?))) {
            let form = match piece {
                Piece::Instance(_) => Piece::Instance(target.instance),
                other => other,
            };
            let value = self.piece(form).unwrap_or(value);
            let words = match piece {
                Piece::UsedCode => "auth code",
                Piece::Instance(_) => Piece::INSTANCE.words(),
                other => other.words(),
            };
            if let Some(most) = of(&target.limits, piece).filter(|most| value.len() > *most) {
                let length = value.len();
                concerns.push(format!("the {words} has {length} characters; {title} takes {most}"));
            }
            if target.limits.no_white_space && value.contains(char::is_whitespace) {
                concerns.push(format!("the {words} holds blanks, which {title} may refuse"));
            }
        }
        concerns
    }
}
