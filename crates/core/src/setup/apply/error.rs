//! Why a client could not be made or mended.

use crate::diagnosis::{Code, Diagnose, Hint};
use crate::printable::Printable;
use crate::servicenow::ApiError;

/// Why the work stopped. What was made before stays, and the next run goes on from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// 401 to a user's name and password.
    #[error("the instance does not accept this user name and password (401)")]
    NotAccepted,
    /// 403 on the registry.
    #[error("this user may not {what} the client's record (403{})", colon(.said.as_deref()))]
    RoleMissing {
        /// `read` or `write`.
        what: &'static str,
        /// What the instance said.
        said: Option<String>,
    },
    /// There is no `oauth_entity`.
    #[error("this instance has no table oauth_entity: its OAuth plugin is not active")]
    NoRegistry,
    /// The name or the client ID belongs to another client.
    #[error("{0}")]
    Taken(String),
    /// The instance chose an ID of its own for the new client.
    #[error("the instance made the client and gave it the ID \"{}\", and not the one it was sent", Printable(.0))]
    OtherId(String),
    /// Anything that the API answers for other reasons.
    #[error(transparent)]
    Api(#[from] ApiError),
}

fn colon(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": {}", Printable(text)))
}

impl Diagnose for ApplyError {
    fn code(&self) -> Code {
        match self {
            Self::NotAccepted => Code::AdminNotAccepted,
            Self::RoleMissing { .. } => Code::AdminRoleMissing,
            Self::NoRegistry | Self::OtherId(_) => Code::ApiUnexpected,
            Self::Taken(_) => Code::ClientTaken,
            Self::Api(error) => error.code(),
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::NoRegistry => vec![Hint::set(
                "com.snc.platform.security.oauth",
                "an administrator activates this plugin; then repeat",
            )],
            Self::OtherId(_) => vec![Hint::set(
                "--client-id",
                "repeat with that ID under another profile name and with --client-secret-file; an administrator sees \
                 the secret behind the lock on the client's form",
            )],
            Self::Api(error) => error.hints(),
            _ => self.code().entry().hints(),
        }
    }
}
