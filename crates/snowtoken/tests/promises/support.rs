//! What other tests of this library have too.

#![expect(dead_code, reason = "other tests use the rest of it")]

#[path = "../../../core/tests/pair/browser.rs"]
pub(crate) mod browser;
#[path = "../it/support/certificates.rs"]
pub(crate) mod certificates;
#[path = "../it/support/child.rs"]
pub(crate) mod child;
#[path = "../it/support/fault_server.rs"]
pub(crate) mod fault_server;
#[path = "../it/support/requests.rs"]
pub(crate) mod requests;
#[path = "../it/support/scripted.rs"]
pub(crate) mod scripted;
#[path = "../it/support/shared_store.rs"]
pub(crate) mod shared_store;
