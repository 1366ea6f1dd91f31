//! The command from outside: real processes, an empty environment, servers and a browser that
//! nobody in this project wrote, and the stand-in. No test here looks into the product; the crowds
//! use the library beside it, as programs do.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect ends there")]

mod apply;
mod bad_input;
mod browser;
mod bundle;
mod calendar;
mod canary_scan;
mod code_only;
mod contract;
mod crash;
mod crowd;
mod deliver;
mod doctor;
mod explain;
mod foreign_login;
mod grants;
mod handover;
mod harness;
mod hooks;
mod import;
mod journey;
mod keep;
mod keep_units;
mod learning;
mod limits;
mod links;
mod mishaps;
mod modes;
mod owners;
mod paste_pty;
mod probe;
mod rehearsals;
mod remains;
mod review;
mod rotate;
mod setup;
mod setup_script;
mod signals;
mod stand_in;
mod status;
mod support;
mod targets;
mod tls;
mod wizard;
mod wizard_picture;
