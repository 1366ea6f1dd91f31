//! What was delivered holds the former secret: it is written again.

use std::path::Path;

use snowtoken::Session;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::secret::Secret;
use snowtoken::core::target::Target;
use snowtoken::delivery::Credentials;
use snowtoken::delivery::follow::{self, Standing};
use snowtoken::prepared::Prepared;
use snowtoken::store::{Delivery, write_file};

use crate::files;
use crate::output;
use crate::report::Failure;

/// Rewrites what was delivered and reads it back. What is gone stays gone, and what somebody changed
/// is theirs. Where a product gets its tokens itself, the copies hold its client and no tokens.
pub(super) fn deliver_again(
    session: &Session,
    prepared: Option<&Target>,
) -> Result<Vec<String>, Failure> {
    let name = &session.profile().name;
    if prepared.is_none() {
        let Some(record) = session.store().load(name)? else { return Ok(Vec::new()) };
        if session.check_usable(&record).is_err() {
            return Ok(Vec::new());
        }
    }
    let deliveries = session.store().deliveries(name)?;
    let (mut written, mut failed) = (Vec::new(), Vec::new());
    for delivery in &deliveries {
        match rewrite(session, prepared, delivery) {
            Ok(true) => {
                output::say(format!("{name}: delivered again to {}", delivery.path));
                written.push(delivery.path.clone());
            }
            Ok(false) => output::say(format!(
                "{name}: {} is not there any more, and is not made again: whoever has it needs the new secret",
                delivery.path
            )),
            Err(failure) => failed.push((delivery.path.clone(), failure)),
        }
    }
    let Some((path, first)) = failed.into_iter().next() else { return Ok(written) };
    let works = if prepared.is_some() { "is set" } else { "works" };
    let text = format!("the new secret {works}, and could not be delivered to {path}: {first}");
    Err(Failure::told(Code::RotationUnfinished, text))
}

/// Whether the file was written again; `false` if it is gone.
fn rewrite(
    session: &Session,
    prepared: Option<&Target>,
    delivery: &Delivery,
) -> Result<bool, Failure> {
    let copy = match files::read(Path::new(&delivery.path)) {
        Ok(copy) => copy,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            let text = format!("it cannot be read: {error}");
            return Err(Failure::told(Code::OutputUnwritable, text));
        }
    };
    let secret = session.store().client_secret(&session.profile().name, &session.binding())?;
    // A run that was stopped after writing has not noted that it did.
    let holds_new = |secret: &Secret| {
        let text = secret.expose().as_bytes();
        !text.is_empty() && copy.windows(text.len()).any(|window| window == text)
    };
    let is_ours = session.store().fingerprint(&copy) == delivery.fingerprint;
    if !is_ours && !secret.as_ref().is_some_and(holds_new) {
        let text = "it was changed after the delivery, and is left as it is; remove it, or deliver to it by hand";
        return Err(Failure::told(Code::DeliveryDrifted, text));
    }
    match prepared {
        Some(target) => write_client(session, target, secret.as_ref(), delivery)?,
        None => write_tokens(session, secret.as_ref(), delivery)?,
    }
    Ok(true)
}

fn write_tokens(
    session: &Session,
    secret: Option<&Secret>,
    delivery: &Delivery,
) -> Result<(), Failure> {
    let order = follow::order_of(delivery)?;
    let record = session.record()?;
    let credentials = Credentials {
        profile: session.profile(),
        client_secret: secret,
        tokens: Some(&record.tokens),
        fresh_code: None,
        created: session.now(),
    };
    let (path, mut store) = (Path::new(&delivery.path), session.store());
    follow::write(&mut **store, path, &credentials, &order, delivery.wish.clone())?;
    let again = store.deliveries(&session.profile().name)?;
    let again = again.iter().find(|d| d.format == delivery.format && d.path == delivery.path);
    match again.map(|again| follow::standing(&**store, again, Some(&credentials))) {
        Some(Standing::Drifted(how)) => Err(Failure::told(Code::DeliveryDrifted, how)),
        _ => Ok(()),
    }
}

fn write_client(
    session: &Session,
    target: &Target,
    client_secret: Option<&Secret>,
    delivery: &Delivery,
) -> Result<(), Failure> {
    let order = follow::order_of(delivery)?;
    let (path, at) = (Path::new(&delivery.path), session.now());
    let profile = session.profile();
    let text = if order.is_of_client() {
        Credentials { profile, client_secret, tokens: None, fresh_code: None, created: at }
            .render(&order)?
    } else {
        Prepared { profile, target, client_secret }.render(order.format, at)?
    };
    write_file::replace(path, text.as_bytes())?;
    let mut store = session.store();
    let fingerprint = store.fingerprint(text.as_bytes());
    store.record_delivery(&Delivery { fingerprint, at, ..delivery.clone() })?;
    match files::read(path) {
        Ok(copy) if copy.as_slice() == text.as_bytes() => Ok(()),
        _ => Err(Failure::told(Code::DeliveryDrifted, "it does not hold what was written to it")),
    }
}
