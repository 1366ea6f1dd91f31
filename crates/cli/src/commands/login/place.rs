//! Where the code is sent: said before anything is opened, where somebody should know it.

use snowtoken::core::profile::Profile;
use snowtoken::prepared::redirect_concern;
use snowtoken::targets::Targets;

use crate::app::App;
use crate::args::LoginArgs;
use crate::output;
use crate::report::Failure;

/// A redirect URI that is of no form the product uses is warned of, and one that a file of the
/// person's own decides is shown, before anything is opened.
pub(super) fn tell(app: &App, args: &LoginArgs, profile: &Profile) -> Result<(), Failure> {
    let targets = Targets::load(&app.home)?;
    let Some(target) = targets.find(&profile.target) else { return Ok(()) };
    let Some(uri) = &profile.redirect_uri else { return Ok(()) };
    if let Some(path) = targets.origin(target) {
        output::say(format!(
            "Target {} comes from {}: the code goes to {}",
            target.name,
            path.display(),
            uri.as_str()
        ));
    }
    if args.redirect_uri.is_some()
        && let Some(concern) = redirect_concern(target, Some(uri))
    {
        output::say(format!("warning: {concern}"));
    }
    Ok(())
}
