//! The login from the URL to verified tokens, against the stand-in.

mod exchange;
mod paths;
mod refusals;
mod strangers;
mod verification;
