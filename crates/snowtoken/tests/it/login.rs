//! The login from the URL to verified tokens, against the stand-in.

mod exchange;
pub(crate) mod learning;
mod paths;
mod refusals;
mod strangers;
mod verification;
