//! `wizard`: opens the local pages, and ends when the person is done.

use std::process::ExitCode;

use snowtoken::core::diagnosis::Code;
use snowtoken::core::secret::Secret;
use snowtoken_wizard::Desk;
use snowtoken_wizard::server::{self, Options};
use url::Url;
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::WizardArgs;
use crate::commands;
use crate::output;
use crate::report::Failure;

pub(crate) fn run(app: &App, args: &WizardArgs) -> Result<ExitCode, Failure> {
    let idle = commands::duration("--idle", &args.idle)?;
    // Whatever has to be asked about the key is asked here: pages cannot.
    let opener = app.asking_opener(args.key)?;
    let keys = [key(app)?, key(app)?, key(app)?];
    let (world, home) = (app.world.clone(), app.home.clone());
    let options = Options { port: args.port, idle, keys };
    let running =
        server::start(options, move || Desk::new(world, home, opener)).map_err(|error| {
            Failure::told(Code::PortBusy, format!("the wizard cannot start: {error}"))
        })?;
    open(app, args, running.link());
    running.wait();
    output::say("The wizard is closed. What was stored stays.");
    Ok(ExitCode::SUCCESS)
}

fn open(app: &App, args: &WizardArgs, link: &Secret) {
    if !args.no_browser
        && let Ok(url) = Url::parse(link.expose())
    {
        match app.world.browser.open(&url) {
            Ok(()) => {
                output::say(
                    "The wizard opens in your browser. It ends with its button, or with Ctrl-C here. \
                     If no page appears, end it and use `snowtoken wizard --no-browser`.",
                );
                return;
            }
            Err(error) => output::say(format!("The browser could not be opened ({error}).")),
        }
    }
    // It opens the pages once, for whoever comes first; it is worth nothing afterwards.
    output::say(format!(
        "Open this address in your browser; it works once:\n\n{}\n",
        link.expose()
    ));
}

/// 32 random bytes as text.
fn key(app: &App) -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    (app.world.dice)(&mut *bytes).map_err(|error| Failure::from(snowtoken::Error::from(error)))?;
    Ok(Secret::new(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })))
}
