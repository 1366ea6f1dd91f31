//! One verb per file.

pub(crate) mod deliver;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod login;
pub(crate) mod profile;
pub(crate) mod refresh;
pub(crate) mod rehearse;
pub(crate) mod revoke;
pub(crate) mod shell;
pub(crate) mod stand_in;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod token;
pub(crate) mod verify;

/// What is shown when nothing was asked for.
pub(crate) const OVERVIEW: &str = "\
snowtoken gets, keeps, delivers and ends ServiceNow OAuth tokens.

  snowtoken rehearse        try the whole journey on a pretend instance; nothing real is touched
  snowtoken login NAME      sign in, allow access: tokens are verified, stored and delivered
  snowtoken token NAME      print a living access token
  snowtoken status          who, what scope, and when everything ends
  snowtoken wizard          the same in local web pages (not in this version yet: use login)

`snowtoken --help` lists every command; `snowtoken login --help` has an example that works.
";

/// Reads a duration that was typed.
pub(crate) fn duration(
    flag: &str,
    text: &str,
) -> Result<std::time::Duration, crate::report::Failure> {
    snowtoken::core::servicenow::parse_lifespan(text)
        .ok()
        .and_then(|d| std::time::Duration::try_from(d).ok())
        .ok_or_else(|| {
            let text = format!(
                "{flag} wants a number of seconds, or a number with s, m, h or d, such as 10m"
            );
            crate::report::Failure::told(snowtoken::core::diagnosis::Code::Usage, text)
        })
}
