//! The client on the instance: what it should look like, and the ways to make it so. Nothing here
//! sends or writes anything.

pub mod apply;
pub mod checklist;
mod identity;
mod plan;
pub mod probe;
mod script;

pub use identity::{ID_DICE, SECRET_DICE, new_client_id, new_client_secret};
pub use plan::{ClientPlan, PlanError};
pub use script::{ScriptWish, background_script};
