//! What the tests stand on: a place to run the command in, and those it meets.

pub(crate) mod browser;
pub(crate) mod canary;
pub(crate) mod counts;
pub(crate) mod foreign;
pub(crate) mod http;
pub(crate) mod instance;
pub(crate) mod judge;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod pty;
pub(crate) mod sandbox;
pub(crate) mod stampede;
pub(crate) mod stand_in;
pub(crate) mod tls;
pub(crate) mod transcript;
pub(crate) mod wrapped;
