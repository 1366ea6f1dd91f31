//! A client secret that somebody named, while another one is stored that works: nothing is written
//! over before the instance has said that it takes the named one.

use std::path::Path;

use snowtoken::Session;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::secret::Secret;
use snowtoken::core::setup::apply::Found;
use snowtoken::session::SecretProof;

use crate::app::App;
use crate::commands::login::settings;
use crate::output;
use crate::report::Failure;

/// The secret for a client that is made or found, where it is not the stored one. The caller holds the
/// lock.
pub(super) fn secret(
    app: &App,
    file: Option<&Path>,
    session: &Session,
    found: &Found,
) -> Result<Option<Secret>, Failure> {
    let stored = session.store().client_secret(&session.profile().name, &session.binding())?;
    match (stored, file, found) {
        // The client is not there: it is made with this secret.
        (None, _, _) | (_, Some(_), Found::Nothing) => settings::secret(app, file),
        // The environment may hold what was meant for another profile.
        (Some(_), None, _) => Ok(None),
        (Some(stored), Some(_), Found::Client(_)) => {
            if let Some(secret) = settings::secret(app, file)?
                && secret != stored
            {
                prove(session, &secret)?;
            }
            Ok(None)
        }
    }
}

/// Stores a secret in place of another one, if the instance takes it. The caller holds the lock.
pub(crate) fn prove(session: &Session, secret: &Secret) -> Result<(), Failure> {
    let name = &session.profile().name;
    if session.spare_secret()?.is_some() {
        let text = "the secret of this client is being changed, and that is not finished";
        return Err(Failure::told(Code::RotationUnfinished, text));
    }
    match session.prove_named_secret(secret)? {
        SecretProof::Current => {
            output::say(format!(
                "{name}: proved: the instance takes the given client secret, which is stored now; \
                 `snowtoken deliver {name} --check` tells which copies hold another one"
            ));
            Ok(())
        }
        SecretProof::StillFormer => Err(Failure::told(
            Code::SecretNotTaken,
            "the instance does not take the given client secret; the stored one works, and stays",
        )),
        SecretProof::NothingToTry => {
            let text = "another client secret is stored, and there are no tokens here that could prove the given one; \
                        the stored one stays";
            Err(Failure::told(Code::SecretNotTaken, text).with_hint(Hint::run(
                format!("snowtoken setup {name} --rotate-secret --new-secret-file FILE"),
                "stores the given one, and keeps the other until it is proved",
            )))
        }
        SecretProof::Neither(error) => {
            let text = format!(
                "neither the given nor the stored client secret brings tokens now; the stored one stays: {error}"
            );
            Err(Failure::told(Code::SecretNotTaken, text).with_hint(Hint::run(
                format!("snowtoken login {name} --client-secret-file FILE"),
                "the tokens themselves may have ended: a login proves the given one",
            )))
        }
    }
}
