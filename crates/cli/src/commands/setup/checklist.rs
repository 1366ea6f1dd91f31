//! `setup --checklist`: every step with every value.

use std::process::ExitCode;

use snowtoken::core::diagnosis::Code;

use super::Wish;
use crate::app::App;
use crate::args::SetupArgs;
use crate::output;
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let wish = Wish::of(app, &args.client, app.name(args.profile.as_deref()).ok())?;
    if args.format.is_some() || args.release.is_some() || args.output.is_some() {
        return Err(Failure::told(Code::Usage, "not yet"));
    }
    output::data(&format!("{}\n", wish.plan.name))?;
    Ok(ExitCode::SUCCESS)
}
