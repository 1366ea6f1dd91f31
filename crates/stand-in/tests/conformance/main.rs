//! What the pretend instance does on the wire, one module per area.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests may panic as tests do"
)]

mod api;
mod bench;
mod faults;
mod knobs;
mod pages;
mod quirks;
mod records;
mod registry;
mod rfc6749;
mod rfc7009;
mod rfc7523;
mod rfc7636;
mod sockets;
