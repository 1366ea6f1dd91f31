//! Everything that can go wrong between a person's wish and a living token, in one type that knows
//! its cause, its blame and its way out.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use snowtoken_core::diagnosis::{Blame, Code, Diagnose, Hint, Outcome};
use snowtoken_core::keeper::FailedAttempt;
use snowtoken_core::oauth::authorization::AuthorizationError;
use snowtoken_core::oauth::error::ErrorCode;
use snowtoken_core::oauth::jwt::SignError;
use snowtoken_core::oauth::redirect::RedirectError;
use snowtoken_core::servicenow::{ApiError, TokenFailure};
use snowtoken_core::setup::apply::ApplyError;
use snowtoken_store::StoreError;
use snowtoken_store::envelope::EnvelopeError;
use snowtoken_store::write_file::WriteFileError;

use crate::config::ConfigFileError;
use crate::handover::age::AgeError;
use crate::home::HomeError;
use crate::http::TransportError;
use crate::loopback::ListenError;
use crate::signing::SigningKeyError;
use crate::world::EntropyError;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No place to keep anything.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigFileError),
    /// The store, its key or its lock.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The road to the instance.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The token endpoint answered, but not with a token.
    #[error(transparent)]
    Token(#[from] TokenFailure),
    /// A call with the token did not succeed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The client could not be made or mended.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The client is there, and nobody here knows its secret.
    #[error("the client {client_id} is there already, and its secret is not known for this profile{}", .owner.as_ref().map(|owner| format!(": it is that of profile \"{owner}\" here, and one client is for one profile")).unwrap_or_default())]
    ClientExists {
        /// Its ID.
        client_id: String,
        /// The profile here that it is of, if there is one.
        owner: Option<String>,
    },
    /// A change of the secret was begun and not finished.
    #[error("the secret of this client is being changed, and that is not finished")]
    SecretChanging,
    /// The redirect.
    #[error(transparent)]
    Redirect(#[from] AuthorizationError),
    /// The loopback listener.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A sealed profile.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The `age` program.
    #[error(transparent)]
    Age(#[from] AgeError),
    /// A file that was to be written.
    #[error(transparent)]
    File(#[from] WriteFileError),
    /// No random numbers.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The code was sent and no answer came back; it must not be sent again.
    #[error("the answer to the code was lost")]
    CodeLost(#[source] TransportError),
    /// Neither the listener nor the prompt heard anything.
    #[error("nobody answered within {} s", .0.as_secs())]
    ConsentTimeout(SignedDuration),
    /// The input ended and nothing else can bring the redirected URL.
    #[error("the input ended before a redirected URL arrived")]
    InputEnded,
    /// There is no profile of that name.
    #[error("there is no profile \"{0}\"")]
    ProfileUnknown(String),
    /// The profile has no tokens.
    #[error("there are no tokens for profile \"{0}\"")]
    NotLoggedIn(String),
    /// The tokens belong to another instance or client than the profile names now.
    #[error(
        "the tokens of profile \"{profile}\" belong to {bound_to}, which the profile does not name any more"
    )]
    BoundElsewhere {
        /// The profile.
        profile: String,
        /// Where they belong to.
        bound_to: String,
    },
    /// The refresh token was found dead earlier; nothing was sent.
    #[error("the refresh token of profile \"{profile}\" has been refused since {at}")]
    Rejected {
        /// The profile.
        profile: String,
        /// When it was observed.
        at: Timestamp,
    },
    /// A revocation is under way: the tokens are not used any more.
    #[error("the tokens of profile \"{0}\" are being revoked")]
    BeingRevoked(String),
    /// The access token has ended and nothing can bring another one.
    #[error("the access token of profile \"{0}\" has ended and there is no refresh token")]
    NoRefreshToken(String),
    /// The instance replaced the refresh token, and the new one could not be stored: it is lost, and
    /// the old one is worth nothing any more.
    #[error(
        "the instance replaced the refresh token of profile \"{profile}\" and the new one could not be stored: it is lost"
    )]
    RotationLost {
        /// The profile.
        profile: String,
        /// Why it could not be stored.
        #[source]
        source: StoreError,
    },
    /// The instance acted on a refresh whose answer nobody saw, and gave the refresh token away to
    /// nobody: no client can get it back (RFC 6749 §6 leaves no way).
    #[error(
        "the refresh token of profile \"{profile}\" is refused, and the answer to the refresh of {sent_at} was lost: the instance had replaced it, as far as can be known"
    )]
    LostThenRefused {
        /// The profile.
        profile: String,
        /// When the refresh was sent, or found lost.
        sent_at: Timestamp,
        /// The refusal.
        #[source]
        source: Box<TokenFailure>,
    },
    /// Another caller has just failed, or was told to wait; nothing was sent.
    #[error("the last refresh of profile \"{profile}\" failed at {}: {}{}", .failed.at, .failed.detail, next_text(*.next))]
    FailedBefore {
        /// The profile.
        profile: String,
        /// How it failed.
        failed: Box<FailedAttempt>,
        /// When the next attempt is due, if it is later than one command waits.
        next: Option<Timestamp>,
    },
    /// Another machine has taken the profile over.
    #[error("profile \"{profile}\" was handed over to another machine at {at}")]
    HandedOver {
        /// The profile.
        profile: String,
        /// When.
        at: Timestamp,
    },
    /// The store did not take note of a hand-over: this machine stays the owner.
    #[error(
        "the profile could not be handed over: this machine keeps it, and what was written to {place} must not be imported"
    )]
    NotHandedOver {
        /// Where the sealed text went.
        place: String,
        /// Why the store did not.
        #[source]
        source: StoreError,
    },
    /// The profile is handed over, and its file has not got its name.
    #[error("the profile is handed over, and the sealed file is still called {}", .path.display())]
    Unnamed {
        /// The file, which is whole.
        path: PathBuf,
        /// Why it has no other name.
        #[source]
        source: WriteFileError,
    },
    /// A client secret is needed and none is stored.
    #[error("the client secret of profile \"{0}\" is not stored")]
    NoClientSecret(String),
    /// Assertions are to be signed, and no private key is stored.
    #[error("the private key of profile \"{0}\" is not stored")]
    NoSigningKey(String),
    /// The private key that was given or stored.
    #[error("the private key cannot be used")]
    SigningKey(#[from] SigningKeyError),
    /// The assertion could not be signed; nothing was sent.
    #[error(transparent)]
    NotSigned(SignError),
    /// The profile's grant needs no consent, or needs something that is not there.
    #[error("profile \"{profile}\" has no {what}")]
    SettingMissing {
        /// The profile.
        profile: String,
        /// What is missing.
        what: &'static str,
    },
    /// A refresh brought a token that ends too soon.
    #[error("the instance gave a token that lives {} s, {} s were asked for", .left.as_secs(), .wanted.as_secs())]
    TooShort {
        /// What is left.
        left: SignedDuration,
        /// What was asked for.
        wanted: SignedDuration,
    },
    /// Another user than the expected one signed in.
    #[error("the token belongs to {found}, not to {expected}")]
    UserMismatch {
        /// Who it is, shown safely.
        found: String,
        /// Who it should be.
        expected: String,
    },
    /// The instance did not revoke, or goes on accepting.
    #[error("the instance still accepts the {what} after the revocation")]
    RevocationUnproven {
        /// Which token.
        what: &'static str,
    },
    /// The instance could not be asked.
    #[error("the revocation could not be carried out now")]
    RevocationPending(#[source] Box<Error>),
}

impl Error {
    /// The same about a call with a token that was issued a moment ago.
    pub(crate) fn for_new_token(self) -> Self {
        match self {
            Self::Api(error) => Self::Api(error.for_new_token()),
            other => other,
        }
    }

    fn inner(&self) -> Option<&dyn Diagnose> {
        Some(match self {
            Self::Home(error) => error,
            Self::Config(error) => error,
            Self::Store(error) | Self::NotHandedOver { source: error, .. } => error,
            Self::Transport(error) => error,
            Self::Token(error) => error,
            Self::Api(error) => error,
            Self::Apply(error) => error,
            Self::Listen(error) => error,
            Self::Entropy(error) => error,
            Self::Envelope(error) => error,
            Self::Age(error) => error,
            Self::SigningKey(error) => error,
            Self::File(error) | Self::Unnamed { source: error, .. } => error,
            _ => return None,
        })
    }
}

impl Diagnose for Error {
    fn code(&self) -> Code {
        if let Some(inner) = self.inner() {
            return inner.code();
        }
        match self {
            Self::Redirect(error) => redirect_code(error),
            Self::CodeLost(_) => Code::CodeLost,
            Self::ConsentTimeout(_) => Code::ConsentTimeout,
            Self::InputEnded => Code::RedirectEmpty,
            Self::ProfileUnknown(_) => Code::ProfileUnknown,
            Self::NotLoggedIn(_) | Self::BoundElsewhere { .. } => Code::NotLoggedIn,
            Self::BeingRevoked(_) => Code::BeingRevoked,
            Self::Rejected { .. } | Self::RotationLost { .. } | Self::LostThenRefused { .. } => {
                Code::TokenRefused
            }
            Self::NoRefreshToken(_) => Code::NoRefreshToken,
            Self::FailedBefore { failed, .. } => failed.code,
            Self::HandedOver { .. } => Code::HandedOver,
            Self::NoClientSecret(_) => Code::InputNeeded,
            Self::NoSigningKey(_) => Code::SigningKeyMissing,
            Self::SettingMissing { .. } => Code::SettingMissing,
            Self::TooShort { .. } => Code::TokenTooShort,
            Self::UserMismatch { .. } => Code::UserMismatch,
            Self::RevocationUnproven { .. } => Code::RevocationUnproven,
            Self::RevocationPending(_) => Code::RevocationPending,
            Self::ClientExists { .. } => Code::ClientExists,
            Self::SecretChanging => Code::RotationUnfinished,
            _ => Code::Bug,
        }
    }

    fn blame(&self) -> Blame {
        self.inner().map_or_else(|| self.code().entry().blame, Diagnose::blame)
    }

    fn outcome(&self) -> Outcome {
        self.inner().map_or_else(|| self.code().entry().outcome, Diagnose::outcome)
    }

    fn hints(&self) -> Vec<Hint> {
        if let Self::Rejected { .. } = self {
            let again = Hint::run(
                "snowtoken refresh",
                "if the cause was mended, this asks the instance again",
            );
            return [again].into_iter().chain(self.code().entry().hints()).collect();
        }
        if let Self::NoClientSecret(_) = self {
            return vec![Hint::run("snowtoken login", "asks for it")];
        }
        if let Self::FailedBefore { next: Some(_), .. } = self {
            let now = Hint::run("snowtoken refresh", "asks the instance now, without waiting");
            return self.code().entry().hints().into_iter().chain([now]).collect();
        }
        if let Self::Unnamed { .. } = self {
            return vec![Hint::note(
                "mend what stands in its way and repeat the export: it only gives the file its name then",
            )];
        }
        if let Self::RotationLost { source, .. } = self {
            let login = Hint::run("snowtoken login", "a new consent brings new tokens");
            return source.hints().into_iter().chain([login]).collect();
        }
        self.inner().map_or_else(|| self.code().entry().hints(), Diagnose::hints)
    }
}

fn next_text(next: Option<Timestamp>) -> String {
    next.map_or_else(String::new, |at| format!("; the next attempt is due at {at}"))
}

/// Whether a limit of this machine is in the way, and not what was asked for.
pub(crate) fn is_exhausted(error: &std::io::Error) -> bool {
    // ENFILE and EMFILE have the same numbers on every Unix, and no kind of their own.
    let files = cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24));
    files || error.kind() == std::io::ErrorKind::OutOfMemory
}

fn redirect_code(error: &AuthorizationError) -> Code {
    match error {
        AuthorizationError::StateMismatch { .. } => Code::StateMismatch,
        AuthorizationError::NoCode => Code::RedirectUnreadable,
        AuthorizationError::Refused(refusal) => match refusal.code {
            ErrorCode::AccessDenied => Code::AccessDenied,
            ErrorCode::InvalidScope => Code::ScopeRefused,
            _ => Code::AuthorizationRefused,
        },
        AuthorizationError::Redirect(error) => match error {
            RedirectError::Empty => Code::RedirectEmpty,
            RedirectError::TooLong => Code::RedirectTooLong,
            RedirectError::Unreadable => Code::RedirectUnreadable,
            RedirectError::BareCode => Code::RedirectBareCode,
            RedirectError::Repeated(_) => Code::RedirectRepeated,
            RedirectError::Elsewhere { .. } => Code::RedirectElsewhere,
        },
    }
}
