//! The wizard's server against those who should not reach it: bytes on real sockets, floods, a real
//! browser with hostile pages, and scanners by others. The site behind it is one of the tests' own.

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
