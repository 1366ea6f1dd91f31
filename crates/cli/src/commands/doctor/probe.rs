//! `doctor --probe`: leads a person through the measurement of an instance, and writes the facts.

use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::probe::{Finding, UNKNOWNS, Unknown, facts};
use snowtoken::core::profile::Profile;
use snowtoken::core::secret::Secret;
use snowtoken::probe::{Guide, Press, Probe};
use snowtoken::store::{RecordState, TokenStore as _, write_file};
use snowtoken::{World, session};
use url::Url;

use crate::app::App;
use crate::args::ProbeArgs;
use crate::report::Failure;
use crate::{output, terminal};

/// Measures with the client of this profile.
pub(super) fn run(app: &App, profile: Option<&str>, args: &ProbeArgs) -> Result<ExitCode, Failure> {
    let profile = app.profile(profile)?;
    let name = profile.name.clone();
    if let Some(file) = &args.facts {
        write_file::check(file)?;
    }
    let store = app
        .store()?
        .ok_or_else(|| Failure::from(snowtoken::Error::NoClientSecret(name.to_string())))?;
    let standing = store.standing(&name)?.and_then(|standing| standing.held);
    let has_tokens =
        standing.is_some_and(|held| !matches!(held.state, RecordState::Rejected { .. }));
    if has_tokens && !args.end_tokens {
        let text = format!("the tokens of \"{name}\" would end by a measurement");
        return Err(Failure::told(Code::Usage, text).with_hint(Hint::note(
            "make a client for the measurement alone, with a profile of its own; or, if nobody needs these \
             tokens, --end-tokens",
        )));
    }
    let client = session::client(&profile, &store)?;
    let probe = Probe {
        profile: &profile,
        client: &client,
        change_client: args.change_client,
        burst: args.burst,
        disturb: args.disturb,
    };
    introduce(&profile);
    let mut desk = Desk { world: &app.world, open_browser: !args.no_browser };
    let found =
        probe.run(&app.world, &mut desk).map_err(|error| Failure::from(error).about(&name))?;
    let today = app.world.now().strftime("%Y-%m-%d").to_string();
    let text = facts::text(&today, args.release.as_deref(), &found);
    match &args.facts {
        Some(file) => write_file::replace(file, text.as_bytes())?,
        None => output::data(&text)?,
    }
    conclude(&found, args);
    Ok(ExitCode::SUCCESS)
}

fn introduce(profile: &Profile) {
    output::say(format!(
        "This measures {} with the client {}: what no published source tells.\n\
         You will be sent to the sign-in up to six times. Each time, press what it says here, then copy the \
         whole address from the browser's address bar, also if the page looks like an error.\n\
         Sign in as somebody who may administer OAuth, and more can be measured.",
        profile.instance,
        profile.client_id.as_str()
    ));
}

fn conclude(found: &[(Unknown, Finding)], args: &ProbeArgs) {
    let measured =
        found.iter().filter(|(_, finding)| matches!(finding, Finding::Measured(_))).count();
    output::say(format!("{measured} of {} questions were measured.", UNKNOWNS.len()));
    if let Some(file) = &args.facts {
        let file = file.display();
        output::say(format!(
            "The facts are in {file}; they name no instance, client or user.\n\
             A stand-in that behaves like this: `snowtoken stand-in --facts {file}`"
        ));
    }
}

/// A person at a terminal, or somebody who writes lines.
struct Desk<'a> {
    world: &'a World,
    open_browser: bool,
}

impl Guide for Desk<'_> {
    fn visit(&mut self, url: &Url, press: Press) -> Option<Secret> {
        let button = match press {
            Press::Allow => "Allow",
            Press::Deny => "Deny",
        };
        output::say(format!(
            "\nOpen this address, sign in if asked, and press {button}:\n\n{url}\n"
        ));
        if self.open_browser
            && let Err(error) = self.world.browser.open(url)
        {
            output::say(format!("The browser could not be opened ({error})."));
        }
        terminal::line(
            "The address it ended at (Enter alone if it stayed on a page of the instance): ",
        )
    }

    fn choose(&mut self, question: &str, answers: &[&str]) -> Option<usize> {
        output::say(format!("\n{question}"));
        for (number, answer) in answers.iter().enumerate() {
            output::say(format!("  {}  {answer}", number + 1));
        }
        let typed = terminal::line("Number (Enter alone if you cannot tell): ")?;
        let number: usize = typed.expose().trim().parse().ok()?;
        number.checked_sub(1).filter(|index| *index < answers.len())
    }

    fn found(&mut self, unknown: &Unknown, finding: &Finding) {
        let text = match finding {
            Finding::Measured(seen) => seen.text.clone(),
            Finding::NotMeasured(why) => format!("not measured: {why}"),
        };
        output::say(format!("{:<21} {text}", unknown.name));
    }
}
