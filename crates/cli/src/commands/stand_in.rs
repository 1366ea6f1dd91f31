//! `stand-in`: the pretend instance as a server, for people's own tests and CI.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use snowtoken::core::diagnosis::Code;
use snowtoken::probe;
use snowtoken_stand_in::{Behaviour, Client, Options, Server, Values};

use crate::args::StandInArgs;
use crate::report::Failure;
use crate::{files, output, terminal};

pub(crate) fn run(args: &StandInArgs) -> Result<ExitCode, Failure> {
    if args.knobs {
        return knobs();
    }
    let client = client(args)?;
    let options = Options {
        port: args.port,
        control_port: args.control_port,
        behaviour: behaviour(args.facts.as_deref(), &args.knob)?,
        clients: vec![client],
        seed: args.seed,
        ..Options::default()
    };
    let server = Server::start(options).map_err(|error| {
        Failure::told(Code::PortBusy, format!("the stand-in cannot start: {error}"))
    })?;
    let client =
        server.with_instance(|instance| instance.clients().first().cloned()).unwrap_or_default();
    output::say(format!(
        "A pretend instance is running at {}. Nothing in it is real; it forgets everything when it ends (Ctrl-C).\n\
         Sign in as abel.tuter or admin, password snow.",
        server.base_url()
    ));
    // One line, so that a script can read it and go on.
    let line = json!({
        "version": 1,
        "url": server.base_url(),
        "control_url": server.control_url(),
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "redirect_uris": client.redirect_urls,
        "seed": server.seed(),
    });
    output::data(&format!("{line}\n"))?;
    server.wait();
    Ok(ExitCode::SUCCESS)
}

/// The client that is registered on the pretend instance.
fn client(args: &StandInArgs) -> Result<Client, Failure> {
    let mut client = Client::default();
    if !args.redirect_uri.is_empty() {
        client.redirect_urls.clone_from(&args.redirect_uri);
    }
    client.scopes = if args.scope.is_empty() {
        // What the help page of the default target has people add.
        ["useraccount", "openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec()
    } else {
        args.scope.clone()
    };
    client.client_id = args.client_id.clone().unwrap_or_default();
    if let Some(path) = &args.client_secret_file {
        let secret = terminal::first_line(path).map_err(|e| {
            Failure::told(Code::Usage, format!("{} cannot be read: {e}", path.display()))
        })?;
        secret.expose().clone_into(&mut client.client_secret);
    }
    Ok(client)
}

/// The knobs that were turned: by the facts of another instance, then by hand.
pub(super) fn behaviour(facts: Option<&Path>, knobs: &[String]) -> Result<Behaviour, Failure> {
    let mut behaviour = Behaviour::default();
    if let Some(path) = facts {
        let unfit = |reason: String| {
            Failure::told(Code::Usage, format!("--facts: {}: {reason}", path.display()))
        };
        let text = files::read_text(path).map_err(|error| unfit(error.to_string()))?;
        for (name, value) in probe::knobs(&text).map_err(|error| unfit(error.to_string()))? {
            behaviour.set(&name, &value).map_err(|error| unfit(error.to_string()))?;
        }
    }
    for text in knobs {
        behaviour
            .assign(text)
            .map_err(|error| Failure::told(Code::Usage, format!("--knob: {error}")))?;
    }
    Ok(behaviour)
}

fn knobs() -> Result<ExitCode, Failure> {
    let mut text = String::new();
    for knob in Behaviour::knobs() {
        let _ = writeln!(text, "{}={}", knob.name, knob.default);
        let _ = writeln!(text, "    {} ({})", knob.doc, values(knob.values));
    }
    output::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn values(values: Values) -> String {
    match values {
        Values::OneOf(words) => words.join(" | "),
        Values::Number(unit) => format!("a number of {unit}"),
        Values::Text(what) => what.to_owned(),
    }
}
