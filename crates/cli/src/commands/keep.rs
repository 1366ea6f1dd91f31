//! `keep`: all profiles alive, in the foreground, and somebody told in time when that must end.

mod messenger;
mod unit;

use std::process::ExitCode;
use std::sync::Arc;

use snowtoken::core::diagnosis::{Code, Diagnose as _, Outcome};
use snowtoken::core::keeper::roster::Due;
use snowtoken::core::printable::Printable;
use snowtoken::core::{SignedDuration, Timestamp};
use snowtoken::delivery::moment;
use snowtoken::driver::describe;
use snowtoken::hooks;
use snowtoken::keep::{self, Control, Keeping, News, Opener, Tally, Teller};
use snowtoken::store::StoreError;
use snowtoken::store::lock::RefreshLock;
use snowtoken::world::Clock;

use crate::app::{App, usable_hooks};
use crate::args::KeepArgs;
use crate::report::{Failure, one_line};
use crate::{output, terminal};
use messenger::Messenger;

pub(crate) fn run(app: &App, args: &KeepArgs) -> Result<ExitCode, Failure> {
    if let Some(system) = args.unit {
        return unit::print(app, system);
    }
    let _only = only_one(app)?;
    // What cannot be used at the start is a failure; what breaks later is told and waited for.
    app.config()?;
    // A passphrase is asked for now or never.
    let mut first = app.store()?.map(|store| Box::new(store) as _);
    let mut later = app.quiet_opener();
    let open: Opener = Box::new(move || match first.take() {
        Some(store) => Ok(Some(store)),
        None => later(),
    });
    let messenger = Arc::new(Messenger::new(!args.no_notify));
    let observer = (!hooks::is_inside_one(&app.world.environment)).then(|| messenger.observer());
    let tell = teller(app, messenger.clone());
    let keeping = Keeping::new(app.world.clone(), app.home.clone(), open, tell, observer)
        .with_follower(messenger.follower(!hooks::is_inside_one(&app.world.environment)));
    let (control, inbox) = keep::inbox();
    listen(&control)?;
    let tally = keep::run(keeping, &inbox, args.once);
    messenger.finish();
    Ok(if args.once { verdict(tally) } else { ExitCode::SUCCESS })
}

fn only_one(app: &App) -> Result<RefreshLock, Failure> {
    RefreshLock::acquire_keeper(&app.home.data).map_err(|error| match error {
        StoreError::LockTimeout { .. } => Failure::told(
            Code::KeeperRunning,
            format!("a keeper is running already for {}", app.home.data.display()),
        ),
        other => other.into(),
    })
}

/// What a round means to a script.
fn verdict(tally: Tally) -> ExitCode {
    let outcome = match tally {
        Tally { login_needed: 1.., .. } => Outcome::LoginNeeded,
        Tally { failed: 1.., .. } => Outcome::TryLater,
        _ => return ExitCode::SUCCESS,
    };
    ExitCode::from(outcome.exit_code())
}

/// Ends on SIGTERM and SIGINT, reads again on SIGHUP. A keeper in a terminal ends with it.
#[cfg(unix)]
fn listen(control: &Control) -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    terminal::release_signals();
    let failed = |error: std::io::Error| {
        Failure::told(Code::Bug, format!("signals cannot be waited for: {error}"))
    };
    let mut signals =
        signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(failed)?;
    let control = control.clone();
    let waiting = move || {
        let mut told = false;
        for signal in signals.forever() {
            if signal == SIGHUP && !terminal::can_ask() {
                control.reload();
            } else if std::mem::replace(&mut told, true) {
                // Twice means now.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            } else {
                control.stop();
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(waiting).map_err(failed)?;
    Ok(())
}

/// Ctrl-C ends the process, which leaves nothing behind.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on other systems it can fail")]
fn listen(control: &Control) -> Result<(), Failure> {
    let _ = (control, terminal::can_ask);
    Ok(())
}

/// One line for each thing that happens, and a message where a person has to know.
fn teller(app: &App, messenger: Arc<Messenger>) -> Teller {
    let (clock, home) = (app.world.clock.clone(), app.home.clone());
    Box::new(move |news| {
        if let News::Configured(config) = news {
            messenger.configure(usable_hooks(&home, config), config.hooks().notify);
            return;
        }
        let text = line(&*clock, &news);
        if let Some((title, body)) = notice(&news) {
            messenger.notify(title, body);
        }
        output::say(one_line(&text));
    })
}

fn line(clock: &dyn Clock, news: &News<'_>) -> String {
    let next = |due: Due| coming(clock.now(), due);
    match news {
        News::Configured(_) => String::new(),
        News::Started { kept, profiles } => format!("keeping {kept} of {profiles} profiles alive"),
        News::Noticed(name, due) => format!("{name}: changed by somebody else; {}", next(*due)),
        News::Gone(name) => format!("{name}: nothing to keep any more"),
        News::Refreshed { profile, change, end, next: due } => format!(
            "{profile}: refreshed: {}; the access token ends {} ({}); {}",
            describe(*change),
            moment(end.at),
            end.known_by,
            next(*due)
        ),
        News::Failed { profile, error, next: due } => {
            format!("{profile}: not refreshed: {error} (code: {}); {}", error.code(), next(*due))
        }
        News::LoginNeeded { profile, error } => {
            let why = error.map_or_else(String::new, |error| format!(": {error}"));
            format!("{profile}: a person must log in: run `snowtoken login {profile}`{why}")
        }
        News::Deadline { profile, days, end } => format!(
            "{profile}: the refresh token {} ({}, {}): run `snowtoken login {profile}`",
            ends(*days),
            moment(end.at),
            end.known_by
        ),
        News::Trouble(error) => {
            let cause = std::error::Error::source(error);
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            format!(
                "warning: {error}{cause} (code: {}); what is known goes on, and it is tried again",
                error.code()
            )
        }
        News::Recovered => "configuration and store can be used again".to_owned(),
    }
}

fn ends(days: u8) -> String {
    match days {
        0 => "has ended".to_owned(),
        1 => "ends within a day".to_owned(),
        days => format!("ends within {days} days"),
    }
}

fn coming(now: Timestamp, due: Due) -> String {
    match due {
        Due::Never => "nothing to do until a person has logged in".to_owned(),
        Due::At(at, why) => {
            let wait = at.duration_since(now).max(SignedDuration::ZERO);
            format!("next refresh {}: {why}", output::distance(wait))
        }
    }
}

/// What is worth a notification.
fn notice(news: &News<'_>) -> Option<(String, String)> {
    match news {
        News::LoginNeeded { profile, .. } => Some((
            format!("snowtoken: {profile} needs a login"),
            format!("Its refresh token does not work any more. Run: snowtoken login {profile}"),
        )),
        News::Deadline { profile, days, end } => Some((
            format!("snowtoken: {profile} needs a login soon"),
            format!(
                "Its refresh token {} ({}). Run: snowtoken login {profile}",
                ends(*days),
                Printable(&moment(end.at))
            ),
        )),
        _ => None,
    }
}
