//! Credentials in a consumer's shape, as text. Writing it somewhere is the caller's business.
//!
//! One file for each shape, pure: values in, a text that is wiped when it is dropped out. A shape
//! checks what its taker would refuse before there is a text at all.

mod answers;
mod appflow;
mod cloudformation;
mod code;
mod credentials_file;
pub mod follow;
mod form;
mod format;
mod handing;
mod json;
mod kubernetes;
mod limits;
mod lines;
mod names;
mod one_password;
mod piece;
mod push;
mod snowflake;
mod store_map;
mod template;
pub(crate) mod text;
mod tree;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::oauth::authorization::FreshCode;
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::target::Target;
use snowtoken_core::token_set::TokenSet;
use zeroize::Zeroizing;

pub use answers::{GitQuestion, git_answer};
pub use form::FormField;
pub use format::{Format, Order};
pub use handing::{PushError, hand_over};
pub use piece::Piece;
pub use push::Run;
pub use template::{Template, TemplateError};
use text::Text;

/// What is delivered.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// Instance, client, target.
    pub profile: &'a Profile,
    /// Absent for public clients.
    pub client_secret: Option<&'a Secret>,
    /// The tokens; none where the code is handed over unspent.
    pub tokens: Option<&'a TokenSet>,
    /// A code that nobody has used yet, for takers that exchange it themselves.
    pub fresh_code: Option<&'a FreshCode>,
    /// What the text says about its own age; seconds count.
    pub created: Timestamp,
}

/// Why a value cannot be delivered in this shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A form has one line for each value.
    #[error("the {0} holds a line break, which no form can take")]
    LineBreak(&'static str),
    /// Only a refresh token was taken over, and it has not been used yet.
    #[error("there is no access token yet")]
    NoAccessToken,
    /// It is longer than the taker allows.
    #[error("the {what} has {length} bytes; {who} takes at most {most}")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// How long it is.
        length: usize,
        /// Who takes it.
        who: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// It has white space in it where the taker allows none.
    #[error("the {what} holds white space, which {who} refuses")]
    Blanks {
        /// What it is.
        what: &'static str,
        /// Who takes it.
        who: &'static str,
    },
    /// Readers of such a file would not agree on it.
    #[error("the {0} has quotes or backslashes in it on which readers of such files differ")]
    Quotes(&'static str),
    /// The same for a shape that comes in one way only.
    #[error("the {0} has quotes or backslashes in it on which readers of such files differ")]
    QuotesInOneWay(&'static str),
    /// A name the taker refuses.
    #[error("{what} must be {says}")]
    Name {
        /// Of what.
        what: &'static str,
        /// Which names there can be.
        says: &'static str,
    },
    /// The shape has nothing that this would name.
    #[error("there is nothing in this shape that {0} would name")]
    NothingToName(&'static str),
    /// It has to be said where it goes.
    #[error("{0} is not known")]
    NoPlace(&'static str),
    /// The shape has a place for something that these credentials do not have.
    #[error("there is no {0}, which this shape needs")]
    Missing(&'static str),
    /// The shape needs something that is no part of OAuth tokens.
    #[error("{who} wants {what}, which are no part of the tokens and not stored here")]
    NotOurs {
        /// Who.
        who: &'static str,
        /// What.
        what: &'static str,
    },
    /// The taker wants to exchange a code itself, and there is none that it could.
    #[error("this shape needs a fresh code{}", .at.as_ref().map(|at| format!("; the one of the last login was used {at} and is worth nothing any more")).unwrap_or_default())]
    CodeUsed {
        /// When the last one was used, if there was one.
        at: Option<String>,
        /// The command that brings a fresh one for this shape.
        command: &'static str,
    },
    /// It is too late to hand the code over.
    #[error("the code ended at {0}: nobody can use it any more")]
    CodeEnded(String),
    /// Takers that exchange a code themselves have a shape of their own.
    #[error("{0} has no place for a fresh code and its code verifier")]
    NoCode(&'static str),
}

impl Diagnose for Unfit {
    fn code(&self) -> Code {
        match self {
            Self::Name { .. } | Self::NoPlace(_) | Self::NothingToName(_) | Self::NoCode(_) => {
                Code::Usage
            }
            Self::Missing(_) | Self::NotOurs { .. } => Code::DeliveryIncomplete,
            Self::CodeUsed { .. } => Code::CodeUsed,
            Self::CodeEnded(_) => Code::CodeTooOld,
            _ => Code::DeliveryUnfit,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::NoAccessToken => vec![Hint::run("snowtoken refresh", "gets one")],
            Self::Name { .. } => {
                vec![Hint::set("--name, --to", "say what it is called and where it goes")]
            }
            Self::CodeUsed { command, .. } => {
                let why = "gets a fresh one and leaves it unused; hand it over within a minute";
                vec![Hint::run(*command, why)]
            }
            Self::NoCode(_) => vec![Hint::set(
                "--format",
                "appflow has one; without --format, code and code verifier are printed for any form",
            )],
            Self::NoPlace(_) => vec![Hint::set("--to", "names it")],
            Self::Quotes(_) => vec![Hint::note(
                "`--variant node` or `--variant python` writes a dotenv file for that one reader; \
                 `--format json` and `--format shell` take every value",
            )],
            Self::QuotesInOneWay(what) => {
                let why =
                    format!("gives the client a secret without them; the {what} has them now");
                let new = Hint::run("snowtoken setup --rotate-secret", why);
                let other = Hint::note("`--format json` and `--format shell` take every value");
                let is_secret = *what == Piece::ClientSecret.words();
                is_secret.then_some(new).into_iter().chain([other]).collect()
            }
            Self::NotOurs { .. } => vec![Hint::note(
                "`--field 'Client ID'` and `--field 'Client Secret'` print what is here; add the rest where it is kept",
            )],
            _ => self.code().entry().hints(),
        }
    }
}

/// A moment as it is printed everywhere: UTC, RFC 3339, whole seconds.
pub fn moment(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
    PRINTER.timestamp_to_string(&at)
}

impl<'a> Credentials<'a> {
    /// The text.
    ///
    /// # Errors
    /// If something is missing or its taker would refuse it: see [`Unfit`].
    pub fn render(&self, order: &Order) -> Result<Zeroizing<String>, Unfit> {
        if order.needs_access_token() && self.held()?.access_token.is_empty() {
            return Err(Unfit::NoAccessToken);
        }
        names::check_typed(order)?;
        self.check_code(order)?;
        limits::check_values(self, order)?;
        let text = self.shape(order)?.finish();
        limits::check_text(&text, order)?;
        Ok(text)
    }

    fn shape(&self, order: &Order) -> Result<Text, Unfit> {
        let node = match order.format {
            Format::CredentialsFile => return credentials_file::text(self),
            Format::Dotenv => return lines::dotenv(self, order),
            Format::Shell => return lines::shell(self),
            Format::Header => return self.header(),
            Format::SnowflakeSql => return snowflake::sql(self, order),
            Format::Kubernetes => return kubernetes::secret(self, order),
            Format::ExternalSecret => return kubernetes::external(self, order),
            Format::Github => return lines::github(self, order),
            Format::AzureKeyVault => return lines::azure(self, order),
            Format::TokenJson => return answers::token_json(self),
            Format::Field => return self.single(order),
            Format::Template => {
                let template = order.template.as_ref().ok_or(Unfit::Missing("template"))?;
                return template.render(self);
            }
            // They need more than these values, and have functions of their own.
            Format::Form | Format::GitCredential => return Err(Unfit::Missing("question")),
            Format::Json => json::document(self)?,
            Format::Appflow => appflow::document(self, order)?,
            Format::Cloudformation => cloudformation::document(self, order)?,
            Format::AwsSecret => store_map::aws(self, order)?,
            Format::Vault => store_map::vault(self, order),
            Format::OnePassword => one_password::item(self, order)?,
            Format::Docker | Format::SystemdCredential => store_map::neutral(self),
        };
        let mut text = Text::new();
        node.document(&mut text);
        Ok(text)
    }

    /// The target's form as text, with no secret in it.
    pub fn form_text(&self, target: &Target) -> Zeroizing<String> {
        form::text(self, target).finish()
    }

    /// What a copy is made of: if two are the same, nothing has drifted, whatever dates and comments
    /// say.
    pub fn identity(&self, order: &Order) -> Zeroizing<String> {
        let mut text = Text::new();
        for piece in order.pieces() {
            let value = self.piece(piece).unwrap_or_default();
            text.say(format_args!("{} {}\n", piece.name(), value.len()));
            text.push(&value);
        }
        text.finish()
    }

    /// Instance, client and tokens, as far as they are there.
    fn five(&self) -> Vec<(Piece, Cow<'a, str>)> {
        let pieces = [
            Piece::INSTANCE,
            Piece::ClientId,
            Piece::ClientSecret,
            Piece::AccessToken,
            Piece::RefreshToken,
        ];
        pieces.into_iter().filter_map(|piece| Some((piece, self.piece(piece)?))).collect()
    }

    /// The tokens, for shapes that cannot do without.
    fn held(&self) -> Result<&'a TokenSet, Unfit> {
        self.tokens.ok_or(Unfit::Missing(Piece::AccessToken.words()))
    }

    fn header(&self) -> Result<Text, Unfit> {
        let mut text = Text::new();
        text.push("Authorization: Bearer ");
        text.push(self.held()?.access_token.expose());
        text.push("\n");
        Ok(text)
    }

    fn single(&self, order: &Order) -> Result<Text, Unfit> {
        let mut text = Text::new();
        let piece = order.field.ok_or(Unfit::Missing("field"))?;
        text.push(&self.need(piece)?);
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
