//! Living ServiceNow OAuth tokens for programs.
//!
//! A person logs in once (`snowtoken login dev`, or [`login::Login`] from a program); from then on
//! a [`Session`] hands out access tokens that live, refreshing them when needed, once at a time
//! across all threads and processes of this person.
//!
//! ```no_run
//! use std::time::Duration;
//! use snowtoken::{ProfileName, Session, World, store::key::Keys};
//!
//! let session = Session::open(World::real(None), &ProfileName::parse("dev")?, &Keys::recorded())?;
//! let token = session.access_token(Duration::from_secs(60))?;
//! println!("Authorization: Bearer {}", token.token.expose()); // it goes where you send it
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What to know
//!
//! - **Blocking.** Calls wait for the network on the calling thread; inside an async runtime use its
//!   way of running blocking code. The sending itself happens on a thread of its own, so no runtime
//!   is needed and none is disturbed.
//! - **Units.** Durations are [`std::time::Duration`]; moments are [`jiff::Timestamp`], UTC;
//!   lifespans in a profile are seconds.
//! - **Errors.** [`Error`] implements [`Diagnose`]: a stable code, who can mend it, what to do next,
//!   and whether a person must log in ([`Outcome::LoginNeeded`]) or time will help
//!   ([`Outcome::TryLater`]).
//! - **Secrets** are [`Secret`]: no `Debug`, no `Display`, wiped on drop; `expose()` is the only way.
//! - **Another HTTP client?** Implement [`http::Transport`] and put it into [`World`], or use
//!   `snowtoken_core` alone: it makes requests and judges answers as plain values.
//!
//! # What it is not
//!
//! It prints nothing and asks nothing. It has no password grant and no discovery. It does not open a
//! browser unless [`login::Login::open_browser`] says so.

#[cfg(all(feature = "leaking", not(debug_assertions)))]
compile_error!("the feature `leaking` is for the tests of the tests");

pub mod arrival;
pub mod browser;
pub mod bundle;
pub mod calendar;
pub mod clipboard;
pub mod config;
pub mod delivery;
pub mod driver;
mod errand;
mod error;
pub mod fresh_code;
pub mod handover;
pub mod home;
pub mod hooks;
pub mod http;
pub mod import;
pub mod keep;
pub mod learn;
pub mod login;
pub mod loopback;
pub mod notification;
pub mod prepared;
pub mod probe;
mod renewal;
pub mod revocation;
pub mod road;
pub mod session;
pub mod setup;
pub mod signing;
pub mod targets;
pub mod variables;
pub mod world;

pub use error::Error;
pub use session::{AccessToken, Session};
pub use snowtoken_core as core;
pub use snowtoken_core::diagnosis::{Diagnose, Outcome};
pub use snowtoken_core::profile::ProfileName;
pub use snowtoken_core::secret::Secret;
pub use snowtoken_store as store;
pub use world::World;
