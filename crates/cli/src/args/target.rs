//! `target`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The products that take ServiceNow tokens, and what each wants
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken target show nice-knowledge-hub\n  snowtoken target check wiki.toml"
)]
pub(crate) struct TargetArgs {
    #[command(subcommand)]
    pub(crate) command: TargetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TargetCommand {
    /// One line for each target, by what the products take
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Redirect URI, scopes, lifespans, fields, limits, the user's rights, sources
    Show {
        /// The target
        name: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Judge a file of targets of your own, and show what it was understood to be
    #[command(after_help = "Example:\n  snowtoken target check wiki.toml")]
    Check {
        /// The file
        file: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the folder in which files of targets of your own belong
    Path,
    /// Print the JSON Schema of a file of targets, for editors
    Schema,
}
