//! The network side of the library against servers, proxies, browsers and strangers that behave
//! badly: over real sockets of this machine, or with a scripted transport and a clock moved by hand.
//!
//! Tests that need an environment or a memory of their own run this very program again; see
//! [`support::child`].

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect ends there")]

#[cfg(target_os = "linux")]
mod browser;
mod keep;
mod listener;
pub(crate) mod login;
mod outline;
mod probe;
mod road;
mod session;
mod support;
mod tls;
mod transport;
