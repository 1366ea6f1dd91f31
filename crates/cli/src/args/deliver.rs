//! `deliver`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueEnum};
use snowtoken::delivery::Format;

/// Write, print or hand over the credentials in a consumer's shape
///
/// A file is for its owner only and replaced whole or not at all. Lengths and names are checked
/// before anything is written.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    group = ArgGroup::new("place").args(["output", "push"]).multiple(true),
    after_help = "Example:\n  snowtoken deliver classics --output servicenow_credentials.txt\n  eval \"$(snowtoken deliver dev --format shell)\"\n  snowtoken deliver classics --format vault --to secret --name apps/servicenow --push\n  snowtoken deliver classics --field 'Client Secret' | some-program\n  snowtoken deliver classics --bundle classics.age --passphrase   # for somebody who has no snowtoken\n  snowtoken deliver classics --check   # exit code 3 if a file has drifted"
)]
pub(crate) struct DeliverArgs {
    /// The profile
    pub(crate) profile: Option<String>,
    /// What git asks of its helper (`--format git-credential` only)
    #[arg(hide = true)]
    pub(crate) operation: Option<String>,
    /// The shape
    #[arg(long, default_value = "credentials-file", value_parser = formats(), hide_default_value = false)]
    pub(crate) format: Format,
    /// The way in which the shape comes, the usual one first. appflow: create, update, create-code (or
    /// code), update-code. aws-secret: neutral, bedrock, glue, kendra. cloudformation: template,
    /// parameters, dynamic. dotenv: common, node, python. kubernetes: string-data, data.
    /// snowflake-sql: create, renew. vault: cli, http-create, http-replace
    #[arg(long, value_name = "WAY")]
    pub(crate) variant: Option<String>,
    /// What the secret, item or connector profile is called where it goes
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Where it goes there: Vault mount, GitHub repository, key vault, 1Password vault, Kubernetes
    /// namespace
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: Option<String>,
    /// One value and nothing else, by its label on the target's form
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["format", "variant", "template"])]
    pub(crate) field: Option<String>,
    /// A template of your own: text with `{{access_token}}` or `{{client_secret|json}}` in it; filters
    /// are json, shell, sql, snowflake, base64 and url, and `\{{` stands for itself
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "variant"])]
    pub(crate) template: Option<PathBuf>,
    /// Write to this file (owner-only) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Hand it to the product's own program, by its standard input
    #[arg(long, conflicts_with = "check")]
    pub(crate) push: bool,
    /// Write the file again whenever the tokens change, until it is delivered without this
    #[arg(long, visible_alias = "follow", requires = "output", conflicts_with_all = ["push", "check"])]
    pub(crate) keep_fresh: bool,
    /// A line for your shell, run when the file holds other values than before; with `--keep-fresh` it
    /// is remembered
    #[arg(long, value_name = "COMMAND", requires = "output", conflicts_with_all = ["push", "check"])]
    pub(crate) reload: Option<String>,
    /// Write nothing: tell whether the delivered files are still what is stored
    #[arg(long)]
    pub(crate) check: bool,
    /// End a delivery: the file is not written again nor checked any more, and stays as it is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "variant", "name", "to", "field", "template", "output", "push", "check", "json", "bundle"])]
    pub(crate) forget: Option<PathBuf>,
    /// With `--output`, `--push` or `--check`: what was done, or found, as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) bundle: BundleArgs,
}

/// A sealed file for somebody who has no snowtoken.
#[derive(Debug, Args)]
#[command(next_help_heading = "For a third person")]
pub(crate) struct BundleArgs {
    /// Seal the fields of the product's form in this file (`-` is standard output), for somebody who fills it
    /// in: the `age` program opens it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "output", "check", "push", "field", "template"])]
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

/// The shapes that can be asked for by name.
pub(super) fn formats() -> impl TypedValueParser<Value = Format> {
    let named = Format::ALL.iter().filter(|f| !matches!(f, Format::Field | Format::Template));
    let values = named.map(|format| {
        let about = format.about();
        PossibleValue::new(format.as_str()).help(about.strip_suffix('.').unwrap_or(about))
    });
    PossibleValuesParser::new(values)
        .try_map(|name| Format::find(&name).ok_or("there is no such shape"))
}
