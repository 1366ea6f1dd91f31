//! `deliver`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Write or print the credentials in a consumer's shape
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  snowtoken deliver classics --output servicenow_credentials.txt\n  eval \"$(snowtoken deliver dev --format shell)\"\n  snowtoken deliver classics --bundle classics.age --passphrase   # for somebody who has no snowtoken\n  snowtoken deliver classics --check   # exit code 3 if the file has drifted"
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
    #[command(flatten)]
    pub(crate) bundle: BundleArgs,
}

/// A sealed file for somebody who has no snowtoken.
#[derive(Debug, Args)]
#[command(next_help_heading = "For a third person")]
pub(crate) struct BundleArgs {
    /// Seal the fields of the product's form in this file (`-` is standard output), for somebody who fills it
    /// in: the `age` program opens it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "output", "check"])]
    pub(crate) bundle: Option<PathBuf>,
    /// Whoever has the identity of this recipient opens it (`age1…` or an SSH public key); may be repeated
    #[arg(long = "for", value_name = "RECIPIENT", requires = "bundle")]
    pub(crate) recipients: Vec<String>,
    /// Whoever knows the passphrase opens it: one is made and shown once, or you type one (`--passphrase=typed`)
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "made", requires = "bundle", conflicts_with_all = ["recipients", "passphrase_file"])]
    pub(crate) passphrase: Option<PassphraseChoice>,
    /// Read the passphrase from this file (`-` is standard input)
    #[arg(long, value_name = "FILE", requires = "bundle", conflicts_with = "recipients")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PassphraseChoice {
    /// A new one, shown once
    Made,
    /// Typed by you, twice
    Typed,
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
