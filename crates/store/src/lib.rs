//! Where tokens rest: token sets, client secrets, private keys, deliveries and the audit of one person, durable
//! and sealed.
//!
//! [`TokenStore`] is the contract every backend keeps, and `tests/contract.rs` runs the same cases
//! on each of them. [`sqlite::SqliteStore`] is the default: one owner-only database file that many
//! processes open at once. [`memory::MemoryStore`] serves tests and examples.
//!
//! - Every secret is sealed by [`seal`] before it enters a database, bound to its row and column.
//! - The key comes from [`key`]: the system's keyring, a key file, a passphrase or a command. The
//!   person chooses; there is no silent fallback, and never a store in the clear.
//! - [`envelope`] is a profile on its way to another machine, as a sealed text file.
//! - [`age_file`] seals a text for people who have the `age` program and no snowtoken.
//! - [`lock`] makes a refresh the only one of its profile across processes; [`write_file`] delivers
//!   files that are replaced whole or not at all;
//!   [`remove_file`] removes a plain file once its secrets are here.
//!
//! # What it is not
//!
//! It reads no environment, asks no questions and prints nothing: paths, the chosen key source and
//! the way to ask for a passphrase are handed in. It knows no network and judges no token: whether
//! a refresh token is dead is decided elsewhere. It has no clock of its own: moments are arguments.
//!
//! # Known residue
//!
//! Secrets live in [`Secret`] and wiped buffers. Beyond our reach
//! are copies inside the database library (sealed values only), in the keyring's own client library
//! (one key) and in the pipe of a key command.
//!
//! # Example
//!
//! ```
//! use snowtoken_core::{profile::ProfileName, token_set::Generation};
//! use snowtoken_store::{TokenStore, memory::MemoryStore};
//!
//! let store = MemoryStore::new();
//! let profile = ProfileName::parse("dev")?;
//! assert!(store.load(&profile)?.is_none());
//! assert_eq!(store.generation(&profile)?, Generation::NONE);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod atomic;
mod error;
mod json;
mod patience;
mod record;
mod row;
mod secure;

pub mod age_file;
pub mod child;
pub mod envelope;
pub mod key;
pub mod lock;
pub mod memory;
pub mod remove_file;
pub mod seal;
pub mod sqlite;
pub mod write_file;

use std::time::Duration;

use jiff::Timestamp;
use snowtoken_core::keeper::Progress;
use snowtoken_core::ledger::Facts;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, Generation, User};

pub use error::{CopyFound, Result, StoreError};
pub use record::{
    AuditEntry, Binding, Delivery, Draft, Held, LivingToken, Record, RecordState, SpareRole,
    SpareSecret, Standing, Wish,
};

/// The contract of every backend.
///
/// # Generations
///
/// Each stored token set of a profile has a [`Generation`] that only grows, also across
/// [`clear_tokens`](Self::clear_tokens) and [`remove_profile`](Self::remove_profile). Every change
/// names the generation it was made for; if another is found, nothing changes and
/// [`StoreError::Conflict`] tells which. So an answer that arrives late can never replace newer
/// tokens, and nothing is brought back to life by it.
///
/// # Durability
///
/// A change is on the disk when its call returns. If a call fails, what was stored before is
/// whole: a change happens completely or not at all.
///
/// # Damage
///
/// A value that is not what was written is [`StoreError::Damaged`], never an absent one, and is
/// never overwritten by a reading call.
pub trait TokenStore: Send {
    /// The whole record of a profile, or `None` if it has no tokens (never had, or cleared).
    fn load(&self, profile: &ProfileName) -> Result<Option<Record>>;

    /// The token set before the current one, if it is still there: at most one is kept. It is the
    /// way out when [`load`](Self::load) reports damage.
    fn load_previous(&self, profile: &ProfileName) -> Result<Option<Record>>;

    /// The generation that the next change must name; [`Generation::NONE`] before the first.
    fn generation(&self, profile: &ProfileName) -> Result<Generation>;

    /// The access token, if it is held and lives for at least `min_valid` after `now`; not one that
    /// came more than five minutes after `now`, since the clock was set back then. This is the hot
    /// path: it opens one sealed value and looks at nothing it does not need.
    fn living_access_token(
        &self,
        profile: &ProfileName,
        now: Timestamp,
        min_valid: Duration,
    ) -> Result<Option<LivingToken>>;

    /// Stores a token set as the generation after `expected`, and the audit entry with it, in one
    /// transaction. The set it replaces is kept as the previous one.
    fn save(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        draft: &Draft,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation>;

    /// Takes room for the answer to a request that is about to be sent. The caller holds the
    /// profile's lock until the answer is saved.
    fn expect_answer(&mut self, _profile: &ProfileName) -> Result<()> {
        Ok(())
    }

    /// Puts tokens that have just come where they cannot be lost, in as few steps as there can be;
    /// [`save`](Self::save) follows. Whether this store can do so and room was taken for it.
    fn secure_answer(
        &mut self,
        _profile: &ProfileName,
        _expected: Generation,
        _draft: &Draft,
    ) -> Result<bool> {
        Ok(false)
    }

    /// Saves what was [secured](Self::secure_answer) and, because somebody was killed, never saved.
    /// Whether there was anything. The caller holds the profile's lock.
    fn take_up_answer(&mut self, _profile: &ProfileName, _audit: &AuditEntry) -> Result<bool> {
        Ok(false)
    }

    /// Changes the state of the token set `expected`, which stays the current generation; how far
    /// refreshing had come is forgotten.
    /// [`StoreError::Absent`] if there are no tokens.
    fn mark(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        state: RecordState,
        audit: Option<&AuditEntry>,
    ) -> Result<()>;

    /// Notes how far refreshing the token set `expected` has come: that a request is about to be
    /// sent, or how it failed. It touches nothing that is sealed. [`StoreError::Absent`] if there
    /// are no tokens.
    fn note(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        progress: &Progress,
        audit: Option<&AuditEntry>,
    ) -> Result<()>;

    /// How the profile stands, without opening anything that is sealed; `None` if it never had
    /// tokens, or was removed.
    fn standing(&self, profile: &ProfileName) -> Result<Option<Standing>>;

    /// How every profile stands, in the order of their names.
    fn standings(&self, each: &mut dyn FnMut(Standing)) -> Result<()>;

    /// A number that changes when somebody else changes what is stored, and not when we do; `None`:
    /// this backend cannot tell.
    fn changes_by_others(&self) -> Result<Option<i64>> {
        Ok(None)
    }

    /// Notes what was learnt about the profile. [`StoreError::Absent`] if it never had tokens.
    fn set_facts(&mut self, profile: &ProfileName, facts: &Facts) -> Result<()>;

    /// Notes what the instance's own records told: the facts, and the refresh token's end if they
    /// told it. [`StoreError::Absent`] if there are no tokens.
    fn learn(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        refresh_end: Option<Deadline>,
        facts: &Facts,
    ) -> Result<()>;

    /// Notes whom the token set `expected` belongs to. [`StoreError::Absent`] if there are no tokens.
    fn set_user(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        user: Option<&User>,
    ) -> Result<()>;

    /// Forgets the tokens, the previous ones too, if `expected` is current; client secret, private
    /// key, deliveries and audit stay. Returns the generation that stands for "cleared".
    fn clear_tokens(
        &mut self,
        profile: &ProfileName,
        expected: Generation,
        audit: Option<&AuditEntry>,
    ) -> Result<Generation>;

    /// The client secret stored for this instance and client, `None` if there is none or the
    /// profile's secret belongs to another instance or client: it must never be sent elsewhere.
    fn client_secret(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>>;

    /// Stores the client secret of a profile, in place of any other. If it is the second one, the two
    /// change places; a second one that belongs to neither is forgotten.
    fn set_client_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
    ) -> Result<()>;

    /// Forgets the client secret, the second one too; whether there was one.
    fn remove_client_secret(&mut self, profile: &ProfileName) -> Result<bool>;

    /// The second client secret of this instance and client, while it is being changed.
    fn spare_secret(&self, profile: &ProfileName, binding: &Binding)
    -> Result<Option<SpareSecret>>;

    /// Stores the secret that is to take the current one's place, in place of any other second one.
    fn set_next_secret(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        secret: &Secret,
        audit: Option<&AuditEntry>,
    ) -> Result<()>;

    /// Lets the current and the second secret change places, in one step: neither is ever lost.
    /// Whether there was a second one for this instance and client.
    fn swap_secrets(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        audit: Option<&AuditEntry>,
    ) -> Result<bool>;

    /// Forgets the second client secret; whether there was one.
    fn retire_spare_secret(
        &mut self,
        profile: &ProfileName,
        audit: Option<&AuditEntry>,
    ) -> Result<bool>;

    /// The private key that signs the client's assertions, under the same conditions as
    /// [`client_secret`](Self::client_secret).
    fn signing_key(&self, profile: &ProfileName, binding: &Binding) -> Result<Option<Secret>>;

    /// Stores the private key of a profile, in place of any other.
    fn set_signing_key(
        &mut self,
        profile: &ProfileName,
        binding: &Binding,
        key: &Secret,
    ) -> Result<()>;

    /// Forgets the private key; whether there was one.
    fn remove_signing_key(&mut self, profile: &ProfileName) -> Result<bool>;

    /// Gives everything of a profile another name; the audit keeps the old one.
    /// [`StoreError::Absent`] if there is nothing, [`StoreError::Exists`] if the new name is taken.
    fn rename(&mut self, from: &ProfileName, to: &ProfileName) -> Result<()>;

    /// Forgets tokens, secrets and deliveries of a profile; whether there was anything.
    fn remove_profile(&mut self, profile: &ProfileName) -> Result<bool>;

    /// The profiles of which anything but audit is stored, in the order of their names.
    fn profiles(&self) -> Result<Vec<ProfileName>>;

    /// Notes a delivery, in place of every earlier one to the same path, whatever its format and
    /// profile were: the last delivery to a file is the one that counts.
    fn record_delivery(&mut self, delivery: &Delivery) -> Result<()>;

    /// The deliveries of a profile, ordered by format and path.
    fn deliveries(&self, profile: &ProfileName) -> Result<Vec<Delivery>>;

    /// Forgets one delivery; whether it was there.
    fn forget_delivery(&mut self, profile: &ProfileName, format: &str, path: &str) -> Result<bool>;

    /// Adds a line to the audit. Lines are never changed or removed.
    fn append_audit(&mut self, entry: &AuditEntry) -> Result<()>;

    /// The last `limit` lines of the audit, of one profile or of all, oldest first.
    fn audit(&self, profile: Option<&ProfileName>, limit: u32) -> Result<Vec<AuditEntry>>;

    /// A keyed hash: tells whether two texts are the same without keeping either. Differs from store
    /// to store.
    fn fingerprint(&self, bytes: &[u8]) -> [u8; 32];

    /// Proves that a durable write works, by doing one and taking it back. To be called before a
    /// person is sent anywhere for tokens that could then not be stored.
    fn probe(&mut self) -> Result<()>;
}

/// The moment until which a token must live; the end of time if it lies beyond.
fn needed_until(now: Timestamp, min_valid: Duration) -> Timestamp {
    now.checked_add(min_valid).unwrap_or(Timestamp::MAX)
}
