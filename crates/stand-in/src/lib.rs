//! A pretend ServiceNow instance.
//!
//! It answers the way an instance does when an application runs the OAuth authorization code
//! grant against it: sign-in, consent, codes, tokens, refresh, revocation, and as much of the
//! Table API as is needed to prove a token. People rehearse against it, and tests run against it.
//!
//! Two layers: [`Instance`] is pure, a request and a time in, an answer out; [`Server`] puts it on
//! a port of this machine. [`Behaviour`] holds the knobs, one for each thing that published sources
//! leave open or contradict each other on, and [`fault`] what can go wrong on the way.
//! [`Person`] is a robot that signs in and presses Allow.
//!
//! # What it is not
//!
//! - Not a copy of ServiceNow: nothing here was measured, it follows published sources, and
//!   each knob names its source.
//! - Not a security product: it shows its secrets to anyone on this machine, on purpose. It
//!   listens on loopback addresses only and speaks no TLS.
//! - Not a store: it forgets everything when it stops.
//!
//! ```no_run
//! use snowtoken_stand_in::{Decision, Options, Person, Server};
//!
//! let running = Server::start(Options::default())?;
//! let client = running.with_instance(|instance| instance.clients().remove(0));
//! let authorization_url = format!(
//!     "{}/oauth_auth.do?response_type=code&client_id={}&state=x1",
//!     running.base_url(),
//!     client.client_id,
//! );
//! let redirect = Person::default().decide(&authorization_url, Decision::Allow)?;
//! assert!(redirect.contains("code="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admin;
mod behaviour;
mod call;
mod certificate;
mod clock;
mod control;
mod endpoints;
pub mod fault;
mod instance;
mod jwt;
mod model;
mod pages;
mod person;
mod random;
mod reply;
mod server;
mod sessions;
mod tokens;

pub use admin::TokenView;
pub use behaviour::{Behaviour, BehaviourError, Knob, Values};
pub use clock::Clock;
pub use fault::Fault;
pub use instance::{Answer, Instance};
pub use model::{
    APPFLOW_REDIRECT_URL, Client, JwtEndpoint, RecordedRequest, SyslogEntry, Transaction, User,
};
pub use person::{Decision, Person, PersonError};
pub use server::{Options, Running, Server};
