//! The client made over the Table API, by an administrator's rights. It looks first, makes what is
//! missing, mends what differs, and deletes nothing; so it can be repeated, and an interrupted run is
//! finished by the next one.
//!
//! Two machines, polled: [`Search`] finds the client or learns that there is none, [`Apply`] makes it
//! so. Whoever drives them stores the client's secret before it hands it over.

mod answer;
mod auth_scopes;
mod belief;
mod classic;
mod entity;
mod error;
mod report;
mod search;
mod table;
mod work;

pub use error::ApplyError;
pub use report::{Fate, Item, Planned};
pub use search::{Found, FoundClient, Search};
pub use table::Authority;
pub use work::{Apply, Orders};

/// The text `^` joins the conditions of a query: what holds it cannot be looked up by name.
pub fn can_be_looked_up(text: &str) -> bool {
    !text.contains(['^', '\n', '\r'])
}
