//! The wizard's server against those who should not reach it: bytes on real sockets, floods, a real
//! browser with hostile pages, and scanners by others. The site behind it is one of the tests' own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets what it did not expect ends there"
)]
#![expect(clippy::print_stdout, reason = "how the flooded child tells its port")]

mod browser;
mod ends;
mod entry;
mod flood;
mod gallery;
mod reflection;
mod scanners;
mod site;
mod support;
mod wire;
