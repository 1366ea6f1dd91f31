//! `exec`: a program with a living token in its environment.

use std::process::{Command, ExitCode};

use snowtoken::core::diagnosis::Code;
use snowtoken::delivery::moment;
use snowtoken::variables;

use crate::app::App;
use crate::args::ExecArgs;
use crate::commands;
use crate::report::Failure;

/// Secrets of ours that the program has no business with.
const KEPT_BACK: &[variables::Variable] = &[
    variables::CLIENT_SECRET,
    variables::ADMIN_USER,
    variables::ADMIN_PASSWORD,
    variables::KEY_FILE,
    variables::KEY_COMMAND,
    variables::PASSPHRASE_FILE,
    variables::EXPORT_PASSPHRASE_FILE,
];

pub(crate) fn run(app: &App, args: &ExecArgs) -> Result<ExitCode, Failure> {
    let min_valid = args.min_valid.as_deref();
    let min_valid = min_valid.map(|text| commands::duration("--min-valid", text)).transpose()?;
    let session = app.session(args.profile.as_deref())?;
    let name = session.profile().name.clone();
    let token = match min_valid {
        Some(min_valid) => session.access_token(min_valid),
        None => session.living_access_token(),
    }
    .map_err(|error| Failure::from(error).about(&name))?;
    let Some((program, arguments)) = args.program.split_first() else {
        return Err(Failure::told(Code::Usage, "no program was named"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    for variable in KEPT_BACK {
        command.env_remove(variable.name);
    }
    command
        .env("SNOWTOKEN_ACCESS_TOKEN", token.token.expose())
        .env("SNOWTOKEN_ACCESS_TOKEN_EXPIRES_AT", moment(token.expires_at.at))
        .env("SNOWTOKEN_INSTANCE_URL", session.profile().instance.url());
    drop(session);
    // This process ends here, or becomes the other.
    app.run_hooks();
    start(command).map_err(|error| {
        Failure::told(
            Code::ProgramNotStarted,
            format!("{} could not be started: {error}", program.to_string_lossy()),
        )
    })
}

/// Becomes the program, so that signals and exit codes are its own.
#[cfg(unix)]
fn start(mut command: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn start(mut command: Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
