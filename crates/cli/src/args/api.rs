//! `setup --apply` and `setup --rotate-secret`: what is done over the Table API.

use std::path::PathBuf;

use clap::Args;

// What means nothing in the other ways of `setup` conflicts with each of them by name: what is required
// is not missed while something that excludes it is there.
/// What the Table API is to be used for, and by whose rights.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ApiArgs {
    /// Make or mend the client over the Table API, then log in
    #[arg(long)]
    pub(crate) apply: bool,
    /// Give the client a new secret: made, set, proved, delivered again, the old one forgotten
    #[arg(long)]
    pub(crate) rotate_secret: bool,
    /// User name of an administrator with a local password (HTTP Basic, no second factor); it is asked
    /// for and never kept
    #[arg(long, value_name = "USER", requires = "over_the_api",
        conflicts_with_all = ["admin_profile", "checklist", "background_script"])]
    pub(crate) admin_user: Option<String>,
    /// Read the administrator's password from this file (`-` is standard input)
    #[arg(long, value_name = "FILE", requires = "over_the_api",
        conflicts_with_all = ["admin_profile", "checklist", "background_script"])]
    pub(crate) admin_password_file: Option<PathBuf>,
    /// Use a living token of this profile, whose user is an administrator
    #[arg(long, value_name = "PROFILE", requires = "over_the_api",
        conflicts_with_all = ["checklist", "background_script"])]
    pub(crate) admin_profile: Option<String>,
    /// The secret that an administrator has set by hand (`-` is standard input)
    #[arg(long, value_name = "FILE", requires = "rotate_secret",
        conflicts_with_all = ["admin_user", "admin_password_file", "admin_profile", "dry_run", "checklist", "background_script", "apply"])]
    pub(crate) new_secret_file: Option<PathBuf>,
    /// Write nothing: show each request that would, with secrets masked; only reading calls are sent
    #[arg(long, requires = "over_the_api", conflicts_with_all = ["checklist", "background_script"])]
    pub(crate) dry_run: bool,
    /// Do not go on to `login`
    #[arg(long, requires = "apply", conflicts_with_all = ["checklist", "background_script", "rotate_secret"])]
    pub(crate) no_login: bool,
    /// The login that follows does not open the browser
    #[arg(long, requires = "apply", conflicts_with_all = ["checklist", "background_script", "rotate_secret"])]
    pub(crate) no_browser: bool,
    /// The login that follows writes no credentials file
    #[arg(long, requires = "apply",
        conflicts_with_all = ["output", "checklist", "background_script", "rotate_secret"])]
    pub(crate) no_output: bool,
    /// Print the result as JSON, without secrets
    #[arg(long, requires = "over_the_api", conflicts_with_all = ["checklist", "background_script"])]
    pub(crate) json: bool,
}
