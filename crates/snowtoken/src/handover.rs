//! Handing a profile over to another machine: one of them owns it at any time, and only the owner
//! refreshes (docs/adr/0007-handing-a-profile-over.md).
//!
//! [`export`] seals everything the other machine needs and makes this one a former owner, in an
//! order in which no crash loses the session and none leaves two owners:
//!
//! 1. the intent is journalled;
//! 2. the sealed text is durable, under a name at which nobody looks for it;
//! 3. this machine gives up: the store says so, durably;
//! 4. the file gets its name.
//!
//! A crash before 3 leaves this machine the owner, and the next export says so. A crash after it
//! leaves a file that is whole, and the next export gives it its name.

pub mod age;
mod bundle;
mod carrier;
mod lease;

use jiff::Timestamp;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::token_set::Deadline;
use snowtoken_store::envelope::{Envelope, Header, Lease, PassphraseKey};
use snowtoken_store::{AuditEntry, Record, RecordState};

use crate::error::Error;
use crate::session::Session;
use age::Recipient;

pub use bundle::Bundle;
pub use carrier::{Carrier, FileCarrier};
pub use lease::{History, Unfinished, Verdict, history, judge};

/// How many of a profile's last audit rows are searched for an earlier export.
const ROWS: u32 = 10_000;

/// What opens the file.
#[derive(Debug)]
pub enum Seal {
    /// A passphrase, whose key was derived before any lock is taken.
    Passphrase(PassphraseKey),
    /// The identities of these recipients, by the person's `age` program.
    Age(Vec<Recipient>),
}

/// A profile that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// When this machine gave up.
    pub at: Timestamp,
    /// Until when it still hands out the access token it has.
    pub access_expires_at: Deadline,
    /// An export before it that did not finish: this machine stayed the owner then.
    pub unfinished: Option<Unfinished>,
    /// This one was begun earlier, and only its file had no name yet.
    pub was_begun: bool,
}

/// Hands the profile over: see the [module](self).
///
/// # Errors
/// [`Error::HandedOver`] if another machine has it already, [`Error::Rejected`] and others if there
/// is nothing to hand over. This machine stays the owner then. [`Error::Unnamed`] is the one after
/// which it is not.
pub fn export<C: Carrier>(
    session: &Session,
    seal: &Seal,
    carrier: &mut C,
) -> Result<Exported, C::Error> {
    let _lock = session.lock()?;
    let record = session.record()?;
    if let RecordState::HandedOver { at } = record.state {
        return finish(session, &record, at, carrier);
    }
    session.check_usable(&record)?;
    let name = &session.profile().name;
    let rows = session.store().audit(Some(name), ROWS).map_err(Error::from)?;
    let unfinished = lease::unfinished(&rows);
    let header = Header {
        profile: name.clone(),
        created: session.now(),
        lease: Lease::random().map_err(Error::from)?,
    };
    let (at, lease) = (header.created, header.lease);
    let text = sealed(session, &record, header, seal)?.text();
    // What could not be read again must not be given up for.
    Envelope::parse(&text).map_err(Error::from)?;
    let place = carrier.place();
    let row = |outcome: &str| audit(session.now(), name, "export", outcome, lease, &place);
    session.store().append_audit(&row("begun")).map_err(Error::from)?;
    if let Err(error) = carrier.keep(&text) {
        // The error to tell is the first one.
        let _ = session.store().append_audit(&row("failed"));
        return Err(error);
    }
    let state = RecordState::HandedOver { at };
    let marked = session.store().mark(name, record.generation, state, Some(&row("done")));
    if let Err(source) = marked {
        carrier.discard();
        return Err(Error::NotHandedOver { place, source }.into());
    }
    carrier.publish()?;
    let access_expires_at = record.tokens.access_expires_at;
    Ok(Exported { at, access_expires_at, unfinished, was_begun: false })
}

/// Finishes an export of which only the file's name is missing. `None` if this machine is the owner.
///
/// # Errors
/// [`Error::HandedOver`] if nothing is missing.
pub fn resume<C: Carrier>(
    session: &Session,
    carrier: &mut C,
) -> Result<Option<Exported>, C::Error> {
    let _lock = session.lock()?;
    let record = session.record()?;
    let RecordState::HandedOver { at } = record.state else { return Ok(None) };
    finish(session, &record, at, carrier).map(Some)
}

/// Gives the file of an interrupted export its name, if that is all that is missing.
fn finish<C: Carrier>(
    session: &Session,
    record: &Record,
    at: Timestamp,
    carrier: &mut C,
) -> Result<Exported, C::Error> {
    let waits = carrier.waiting().is_some_and(|text| {
        Envelope::parse(&text).is_ok_and(|envelope| envelope.header().created == at)
    });
    if !waits {
        let profile = session.profile().name.to_string();
        return Err(Error::HandedOver { profile, at }.into());
    }
    carrier.publish()?;
    let access_expires_at = record.tokens.access_expires_at;
    Ok(Exported { at, access_expires_at, unfinished: None, was_begun: true })
}

/// Everything the other machine needs, sealed.
fn sealed(
    session: &Session,
    record: &Record,
    header: Header,
    seal: &Seal,
) -> Result<Envelope, Error> {
    let name = &session.profile().name;
    let binding = session.binding();
    // One after the other: a guard of the store lives as long as the statement it is taken in.
    let client_secret = session.store().client_secret(name, &binding)?;
    let signing_key = session.store().signing_key(name, &binding)?;
    let bundle = Bundle {
        profile: session.profile().clone(),
        client_secret,
        signing_key,
        tokens: record.tokens.clone(),
        user: record.user.clone(),
        facts: record.facts.clone(),
    };
    let content = bundle.write();
    match seal {
        Seal::Passphrase(key) => Ok(Envelope::seal(header, key, &content)?),
        Seal::Age(recipients) => {
            let body = age::seal(recipients, Envelope::plain_for_age(&header, &content))?;
            Ok(Envelope::of_age(header, body))
        }
    }
}

/// A row of the audit that names a hand-over.
pub fn audit(
    at: Timestamp,
    profile: &ProfileName,
    event: &str,
    outcome: &str,
    lease: Lease,
    place: &str,
) -> AuditEntry {
    AuditEntry {
        at,
        profile: profile.clone(),
        event: event.to_owned(),
        outcome: outcome.to_owned(),
        detail: lease::detail(lease, place),
    }
}
