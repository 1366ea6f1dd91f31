//! The login line and the keeper beside the stand-in, in time that moves only when both are idle.
//! The two share no code but the values of the `http` crate, so an error cannot cancel itself out.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod browser;
mod world;

mod answers;
mod apply;
mod clocks;
mod commands;
mod hundred_days;
mod ledger;
mod lifetimes;
mod login;
mod own_grant;
mod quirks;
