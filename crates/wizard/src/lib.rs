//! The wizard: pages on this machine that lead a person who is no developer from nothing to
//! delivered, verified tokens.
//!
//! # What it is not
//!
//! It is no web application: it serves one browser of one person on one machine, for as long as the
//! journey takes, and nobody can reach it from elsewhere. It decides nothing about tokens; whatever
//! is done, the library does.

mod desk;
pub mod draw;
pub mod guard;
pub mod pages;
pub mod server;
pub mod site;
pub mod steps;
pub mod texts;

pub use desk::Desk;
