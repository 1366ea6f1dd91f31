//! `keep --unit`: a unit that starts the keeper with the person's session, for whoever starts
//! programs there. Paths may hold whatever a file system takes; each kind of file has its own way of
//! writing that down.

mod launchd;
mod systemd;
mod windows;

use std::path::Path;
use std::process::ExitCode;

use snowtoken::core::diagnosis::Code;
use snowtoken::variables::{self, Variable};

use crate::app::App;
use crate::args::UnitChoice;
use crate::report::Failure;
use crate::{files, output};

/// What a unit has to say.
struct Unit {
    /// The program's absolute path.
    program: String,
    /// Variables that say where things are; absolute paths, none of them a secret.
    variables: Vec<(&'static str, String)>,
    /// The person's folder, for the log where there is no journal.
    home: Option<String>,
    /// The person's name on Windows, `DOMAIN\name`.
    user: Option<String>,
}

/// What may be needed to find the store and its key, and trust the instance.
const PLACES: [Variable; 7] = [
    variables::SNOWTOKEN_HOME,
    variables::KEY_FILE,
    variables::PASSPHRASE_FILE,
    variables::CA_FILE,
    variables::XDG_CONFIG_HOME,
    variables::XDG_DATA_HOME,
    variables::APPDATA,
];

pub(crate) fn print(app: &App, system: UnitChoice) -> Result<ExitCode, Failure> {
    let unit = gather(app)?;
    output::data(&match system {
        UnitChoice::Systemd => systemd::text(&unit),
        UnitChoice::Launchd => launchd::text(&unit),
        UnitChoice::Windows => windows::text(&unit),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn gather(app: &App) -> Result<Unit, Failure> {
    let program = files::this_program().map_err(|error| {
        Failure::told(Code::Bug, format!("this program does not know where it lies: {error}"))
    })?;
    let environment = &app.world.environment;
    let mut set = Vec::new();
    for variable in PLACES {
        // On Windows the session has its own; elsewhere a session manager may not.
        if let Some(path) = environment.path(&variable).filter(|_| variable != variables::APPDATA) {
            set.push((variable.name, text(&path)?));
        }
    }
    let user = environment.get(&variables::USERNAME).map(|name| {
        let domain = environment.get(&variables::USERDOMAIN);
        domain.map_or_else(|| name.to_owned(), |domain| format!("{domain}\\{name}"))
    });
    let home = environment.home_folder().as_deref().map(text).transpose()?;
    Ok(Unit { program: text(&program)?, variables: set, home, user })
}

/// The path as text that can stand in a unit.
fn text(path: &Path) -> Result<String, Failure> {
    let unfit = |why: String| {
        Failure::told(Code::Usage, format!("{} cannot stand in a unit: {why}", path.display()))
    };
    let absolute = files::absolute(path).map_err(|error| unfit(error.to_string()))?;
    let text = absolute.into_os_string().into_string();
    match text {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text),
        Ok(_) => Err(unfit("it has control characters".into())),
        Err(_) => Err(unfit("it is no text".into())),
    }
}

/// Text as XML takes it, in content and in attributes.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}
