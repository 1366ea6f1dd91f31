//! What the tests share.

pub(crate) mod certificates;
pub(crate) mod child;
pub(crate) mod fault_server;
pub(crate) mod logins;
pub(crate) mod ports;
pub(crate) mod raw_http;
pub(crate) mod requests;
pub(crate) mod scripted;
pub(crate) mod shared_store;
