//! `deliver`: what those who take the texts make of them, and how they get there.

mod code;
mod follow;
mod form;
mod git;
mod limits;
mod push;
mod shapes;
mod template;

use crate::support::instance::{PROFILE, log_in};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// A profile with tokens that change with each refresh, and no delivered file.
fn logged_in() -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::with(&["refresh.access=new-each-time"]), Sandbox::new());
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

/// The same with a client secret that AppFlow takes as well.
fn logged_in_without_blanks() -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::with_secret("s3cr$t'`\"%-canary-4711"), Sandbox::new());
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

/// `deliver` for the test's profile.
fn deliver<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["deliver", PROFILE][..], more].concat()
}
