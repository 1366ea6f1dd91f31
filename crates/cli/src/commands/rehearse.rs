//! `rehearse`: the whole journey against a pretend instance, with nothing kept and nothing real.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use snowtoken::core::diagnosis::{Code, recognise};
use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::core::printable::Printable;
use snowtoken::core::secret::{Body, Secret};
use snowtoken::home::Home;
use snowtoken::http::ATTEMPT_LIMIT;
use snowtoken::loopback::free_redirect_uri;
use snowtoken::store::write_file;
use snowtoken::world::Environment;
use snowtoken::{World, variables};
use snowtoken_stand_in::{Client, Decision, Options, Person, PersonError, Running, Server};

use crate::app::App;
use crate::args::{Cli, Command, LoginArgs, RehearseArgs};
use crate::commands::{self, login, stand_in};
use crate::report::Failure;
use crate::{files, output};

pub(crate) fn run(world: World, no_input: bool, args: &RehearseArgs) -> Result<ExitCode, Failure> {
    let broken = |what: &str, error: &dyn std::fmt::Display| {
        Failure::told(Code::Bug, format!("{what}: {error}"))
    };
    let folder = tempfile::tempdir().map_err(|error| broken("no temporary folder", &error))?;
    let callback = free_redirect_uri().map_err(|error| broken("no free port", &error))?;
    let server = start(args, &callback)?;
    let client =
        server.with_instance(|instance| instance.clients().first().cloned()).unwrap_or_default();
    step(1, &format!("a pretend instance runs at {} (seed {})", server.base_url(), server.seed()));
    let home = Home::find(&surroundings(folder.path()))?;
    let app = App::new(rehearsal_world(world, folder.path()), home, no_input);
    let secret_file = folder.path().join("client-secret");
    write_file::replace(&secret_file, client.client_secret.as_bytes())?;
    let file =
        args.output.clone().unwrap_or_else(|| folder.path().join("servicenow_credentials.txt"));
    step(
        2,
        &format!(
            "snowtoken login rehearsal --instance {} --client-id {} ...",
            server.base_url(),
            client.client_id
        ),
    );
    let login_args = login_args(args, &server, &client, &callback, &secret_file, &file)?;
    if args.yes {
        let stuck = Mutex::new(None);
        let result = login::run_with(&app, &login_args, &|url| consent(&app.world, url, &stuck));
        // The login itself only sees that nobody came back.
        if let Some(shown) = stuck.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(what_was_shown(&shown));
        }
        result?;
    } else {
        output::say("   (sign in as abel.tuter, password snow)");
        login::run(&app, &login_args)?;
    }
    step(3, &format!("the credentials file, {}:", file.display()));
    let text = files::read_text(&file).map_err(|error| broken("no credentials file", &error))?;
    // These values open nothing: the instance that knows them ends with this command.
    output::data(&text)?;
    each_verb(&app)?;
    output::say(
        "\nThat was all of it. For your own instance: snowtoken login NAME --instance INSTANCE --client-id ID --region REGION",
    );
    Ok(ExitCode::SUCCESS)
}

fn step(number: u8, text: &str) {
    output::say(format!("\n{number}. {text}"));
}

/// The rest of a token's life, in the words a person would type.
fn each_verb(app: &App) -> Result<(), Failure> {
    let verbs: [(&str, &[&str]); 4] = [
        ("whose token is it?", &["verify", "rehearsal"]),
        ("a new access token", &["refresh", "rehearsal"]),
        ("where everything stands", &["status", "rehearsal"]),
        ("the end", &["logout", "rehearsal"]),
    ];
    for (number, (what, words)) in (4u8..).zip(verbs) {
        step(number, &format!("{what}: snowtoken {}", words.join(" ")));
        match command(words)? {
            Command::Verify(args) => commands::verify::run(app, &args)?,
            Command::Refresh(args) => commands::refresh::run(app, &args)?,
            Command::Status(args) => commands::status::run(app, &args)?,
            Command::Logout(args) => commands::revoke::logout(app, &args)?,
            _ => ExitCode::SUCCESS,
        };
    }
    Ok(())
}

/// What a person would have typed, parsed as it would have been.
fn command(words: &[&str]) -> Result<Command, Failure> {
    use clap::Parser as _;
    let typed = ["snowtoken"].iter().chain(words);
    Cli::try_parse_from(typed)
        .ok()
        .and_then(|cli| cli.command)
        .ok_or_else(|| Failure::told(Code::Bug, "the rehearsal's own command line does not fit"))
}

fn start(args: &RehearseArgs, callback: &RedirectUri) -> Result<Running, Failure> {
    let client = Client {
        name: "Rehearsal".to_owned(),
        redirect_urls: vec![callback.as_str().to_owned()],
        scopes: ["useraccount", "openid", "profile", "email", "offline_access"]
            .map(str::to_owned)
            .to_vec(),
        refresh_token_lifespan: 31_536_000,
        ..Client::default()
    };
    let options = Options {
        behaviour: stand_in::behaviour(args.facts.as_deref(), &args.knob)?,
        clients: vec![client],
        ..Options::default()
    };
    Server::start(options).map_err(|error| {
        Failure::told(Code::PortBusy, format!("the stand-in cannot start: {error}"))
    })
}

fn surroundings(folder: &Path) -> Environment {
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    Environment::of(&[
        (&variables::SNOWTOKEN_HOME, &text(folder.join("home"))),
        (&variables::KEY_FILE, &text(folder.join("key"))),
    ])
}

/// Nothing of the person's own is read or touched.
fn rehearsal_world(world: World, folder: &Path) -> World {
    World { environment: surroundings(folder), ..world }
}

fn login_args(
    args: &RehearseArgs,
    server: &Running,
    client: &Client,
    callback: &RedirectUri,
    secret_file: &Path,
    file: &Path,
) -> Result<LoginArgs, Failure> {
    let (secret_file, file) = (secret_file.to_string_lossy(), file.to_string_lossy());
    let mut words = vec![
        "login",
        "rehearsal",
        "--instance",
        server.base_url(),
        "--client-id",
        &client.client_id,
        "--client-secret-file",
        &secret_file,
        "--redirect-uri",
        callback.as_str(),
        "--output",
        &file,
    ];
    if args.no_browser || args.yes {
        words.push("--no-browser");
    }
    match command(&words)? {
        Command::Login(args) => Ok(*args),
        _ => Err(Failure::told(Code::Bug, "the rehearsal's own command line does not fit")),
    }
}

/// A robot signs in and presses Allow, over real HTTP, and follows the redirect to our listener as
/// a browser would. Where it gets stuck it says so, and ends the wait.
fn consent(world: &World, url: &str, stuck: &Mutex<Option<PersonError>>) -> Option<Secret> {
    output::say("   (a robot signs in as abel.tuter and presses Allow)");
    let redirect = match Person::default().decide(url, Decision::Allow) {
        Ok(redirect) => redirect,
        Err(error) => {
            *stuck.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            return Some(Secret::new("stuck"));
        }
    };
    match get(world, &redirect) {
        Some(answer) if answer.status().is_redirection() => {
            // Like a browser, the robot goes on to the last page, which waits for the outcome.
            let world = world.clone();
            let last = answer.headers().get("location").and_then(|value| value.to_str().ok());
            if let Some(last) =
                last.and_then(|path| url::Url::parse(&redirect).ok()?.join(path).ok())
            {
                std::thread::spawn(move || get(&world, last.as_str()));
            }
            None
        }
        _ => Some(Secret::new(redirect)),
    }
}

/// A person would read the page and ask `explain`; so does the robot.
fn what_was_shown(shown: &PersonError) -> Failure {
    let lost = match shown {
        PersonError::Connection(_) => Some(Code::ConnectionLost),
        PersonError::Slow => Some(Code::TimedOut),
        PersonError::Loop => Some(Code::BrowserLoop),
        _ => None,
    };
    let shown = shown.to_string();
    let found = recognise(&format!("oauth_auth.do: {shown}")).codes;
    let code = lost.or(found.first().copied()).unwrap_or(Code::ConsentTimeout);
    Failure::told(code, format!("the robot came to no redirect: {}", Printable(&shown)))
}

fn get(world: &World, url: &str) -> Option<snowtoken::core::oauth::Response> {
    let mut request = snowtoken::core::oauth::Request::new(Body::default());
    *request.uri_mut() = url.parse().ok()?;
    world.transport.send(request, ATTEMPT_LIMIT).ok()
}
