//! `target`.

use clap::{Args, Subcommand};

/// The products that take ServiceNow tokens, and what each wants
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  snowtoken target show nice-knowledge-hub")]
pub(crate) struct TargetArgs {
    #[command(subcommand)]
    pub(crate) command: TargetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TargetCommand {
    /// One line for each target
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Redirect URI, scopes, lifespans, fields, limits, sources
    Show {
        /// The target
        name: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}
