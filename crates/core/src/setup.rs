//! The client on the instance: what it should look like, and the ways to make it so. Nothing here
//! sends or writes anything.

mod plan;

pub use plan::{ClientPlan, PlanError};
