//! `setup --background-script`: one script that makes or mends the client.

use std::process::ExitCode;

use snowtoken::core::diagnosis::Code;

use super::Wish;
use crate::app::App;
use crate::args::SetupArgs;
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let name = app.name(args.profile.as_deref())?;
    let wish = Wish::of(app, &args.client, Some(name.clone()))?;
    if let Some(id) = wish.plan.client_id.clone() {
        wish.profile(&name, id)?;
    }
    Err(Failure::told(Code::Usage, "not yet"))
}
