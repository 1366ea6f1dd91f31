//! `deliver`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Write or print the credentials in a consumer's shape
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken deliver classics --output servicenow_credentials.txt\n  eval \"$(snowtoken deliver dev --format shell)\"\n  snowtoken deliver classics --check   # exit code 3 if the file has drifted"
)]
pub(crate) struct DeliverArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// The shape
    #[arg(long, value_enum, default_value = "credentials-file")]
    pub(crate) format: FormatChoice,
    /// Write to this file (owner-only) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write nothing: tell whether the delivered files are still what is stored
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FormatChoice {
    /// `Label: value` lines
    CredentialsFile,
    /// One object
    Json,
    /// `NAME='value'` lines
    Dotenv,
    /// `export NAME='value'` lines
    Shell,
    /// An Authorization header
    Header,
}
