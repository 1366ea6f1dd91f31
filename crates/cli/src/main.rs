//! The command `snowtoken`: it reads what was typed, calls the library, and prints.

mod app;
mod args;
mod commands;
mod files;
mod hardening;
mod keys;
mod logging;
mod output;
mod report;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    hardening::apply();
    output::catch_bugs();
    // Programs ask for a token all day; the common case should cost no more than reading a file.
    commands::token::at_once(std::env::args_os()).unwrap_or_else(commands::run)
}
