//! The shapes there are, what each is for, and the ways in which some of them come.

use super::piece::Piece;
use super::template::Template;

macro_rules! formats {
    ($($(#[doc = $about:literal])+ $(#[$default:ident])? $variant:ident = $name:literal, [$($way:literal),*];)*) => {
        /// The shapes there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum Format {
            $($(#[doc = $about])+ $(#[$default])? $variant,)*
        }

        impl Format {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in one sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($about),+).trim_ascii(),)* }
            }

            /// The ways in which it comes, the usual one first; most have one only.
            pub fn variants(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($way),*],)* }
            }
        }
    };
}

formats! {
    /// `Label: value` lines for a person who fills in a form.
    #[default]
    CredentialsFile = "credentials-file", [];
    /// The target's form, label by label, with nothing of a secret but its length and its end.
    Form = "form", [];
    /// One object.
    Json = "json", [];
    /// `NAME='value'` lines.
    Dotenv = "dotenv", ["common", "node", "python"];
    /// `export NAME='value'` lines for `eval` in a POSIX shell.
    Shell = "shell", [];
    /// The `Authorization` header of RFC 6750.
    Header = "header", [];
    /// Amazon AppFlow: the JSON of `create-connector-profile` and `update-connector-profile`.
    Appflow = "appflow", ["create", "update", "create-code", "update-code"];
    /// AWS CloudFormation: a template, or its file of parameters.
    Cloudformation = "cloudformation", ["template", "parameters", "dynamic"];
    /// AWS Secrets Manager: the JSON of a secret.
    AwsSecret = "aws-secret", ["neutral", "bedrock", "glue", "kendra"];
    /// Snowflake: SQL for the integration and its secret.
    SnowflakeSql = "snowflake-sql", ["create", "renew"];
    /// HashiCorp Vault, KV version 2.
    Vault = "vault", ["cli", "http-create", "http-replace"];
    /// A Kubernetes Secret.
    Kubernetes = "kubernetes", ["string-data", "data"];
    /// An `ExternalSecret` that fetches what lies in a secret store.
    ExternalSecret = "external-secret", [];
    /// GitHub Actions secrets.
    Github = "github", [];
    /// Azure Key Vault: commands for a POSIX shell, one for each value.
    AzureKeyVault = "azure-key-vault", [];
    /// A 1Password item.
    OnePassword = "1password", [];
    /// A Docker secret.
    Docker = "docker", [];
    /// A systemd credential, before it is encrypted.
    SystemdCredential = "systemd-credential", [];
    /// An answer to git.
    GitCredential = "git-credential", [];
    /// The access token and its end as one object, for programs that run a command for it.
    TokenJson = "token-json", [];
    /// A single value and nothing else.
    Field = "field", [];
    /// A person's own template.
    Template = "template", [];
}

/// Instance, client and tokens.
const FIVE: &[Piece] = &[
    Piece::INSTANCE,
    Piece::ClientId,
    Piece::ClientSecret,
    Piece::AccessToken,
    Piece::RefreshToken,
];

impl Format {
    /// The format of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == name)
    }

    /// The way of that name.
    pub fn variant(self, name: &str) -> Option<&'static str> {
        self.variants().iter().copied().find(|own| *own == name)
    }

    /// Whether programs use it at once, so that an access token that has ended is of no use.
    pub fn is_for_now(self) -> bool {
        matches!(self, Self::Header | Self::Shell | Self::Dotenv)
    }

    /// Whether there is a way of it that is made without tokens, for a product that gets them itself.
    pub fn fits_client(self) -> bool {
        let order = |way| Order { variant: Some(way), ..Order::of(self) };
        matches!(self, Self::CredentialsFile | Self::Json)
            || self.variants().iter().any(|way| order(*way).is_of_client())
    }

    /// Whether it is an answer to a program that asks each time, for a living token: never a file.
    pub fn is_answer(self) -> bool {
        matches!(self, Self::GitCredential | Self::TokenJson)
    }
}

/// What is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// The shape.
    pub format: Format,
    /// One of [`Format::variants`]; `None` is the first.
    pub variant: Option<&'static str>,
    /// What the secret, profile, item or path is to be called.
    pub name: Option<String>,
    /// Where it goes inside the product: a mount, repository, vault or namespace.
    pub place: Option<String>,
    /// The value of [`Format::Field`].
    pub field: Option<Piece>,
    /// The template of [`Format::Template`].
    pub template: Option<Template>,
}

impl Order {
    /// The usual way of a shape.
    pub fn of(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// The way in which it comes; empty where there is only one.
    pub fn variant(&self) -> &'static str {
        self.variant.or_else(|| self.format.variants().first().copied()).unwrap_or_default()
    }

    /// The values it is made of: if none of them changed, a copy has not drifted.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        use Piece::{
            AccessToken, ClientId, ClientSecret, CodeVerifier, FreshCode, RedirectUri,
            RefreshToken, RefreshTokenEnd, TokenUrl, UsedCode,
        };
        match (self.format, self.variant()) {
            (Format::Header | Format::GitCredential | Format::TokenJson, _) => vec![AccessToken],
            (Format::CredentialsFile | Format::Json, _) => [FIVE, &[UsedCode]].concat(),
            (Format::Appflow, "create-code" | "update-code") => {
                vec![Piece::INSTANCE, ClientId, ClientSecret, FreshCode, CodeVerifier, RedirectUri]
            }
            (Format::Appflow, _) => [FIVE, &[RedirectUri]].concat(),
            (Format::Cloudformation, "parameters") => FIVE[1..].to_vec(),
            (Format::Cloudformation, _) => vec![Piece::INSTANCE, RedirectUri],
            (Format::AwsSecret, "bedrock") => vec![ClientId, ClientSecret, Piece::INSTANCE],
            (Format::AwsSecret, "glue") => vec![ClientSecret],
            (Format::AwsSecret, "kendra") => vec![ClientId, ClientSecret],
            (Format::SnowflakeSql, "renew") => vec![RefreshToken, RefreshTokenEnd],
            (Format::SnowflakeSql, _) => {
                vec![ClientId, ClientSecret, TokenUrl, RefreshToken, RefreshTokenEnd]
            }
            (Format::AzureKeyVault, _) => [FIVE, &[RefreshTokenEnd]].concat(),
            (Format::ExternalSecret | Format::Form, _) => Vec::new(),
            (Format::Field, _) => self.field.into_iter().collect(),
            (Format::Template, _) => {
                self.template.as_ref().map(Template::pieces).unwrap_or_default()
            }
            _ => FIVE.to_vec(),
        }
    }

    /// Whether it is a secret for one of Amazon's products that holds the client and no token.
    pub fn is_of_client(&self) -> bool {
        self.format == Format::AwsSecret && !self.needs_access_token()
    }

    /// Whether it needs an access token: a shape of client or refresh token alone does not.
    pub(super) fn needs_access_token(&self) -> bool {
        self.pieces().contains(&Piece::AccessToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_format_and_the_first_variant_is_the_usual_one() {
        for format in Format::ALL {
            assert_eq!(Format::find(format.as_str()), Some(*format));
            let usual = format.variants().first().copied().unwrap_or_default();
            assert_eq!(Order::of(*format).variant(), usual);
        }
        assert_eq!(Format::find("yaml"), None);
    }
}
