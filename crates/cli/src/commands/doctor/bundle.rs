//! `doctor --bundle`: a report that may be attached to a question in public.
//!
//! It is made of [`Cell`]s, and a cell cannot be made of text that somebody else wrote: only of our own
//! words, of numbers, of distances in time, and of names that stand for others. So nothing can slip
//! in with a message, a title or a path.

mod cell;
mod render;
mod tables;

use std::path::Path;
use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::write_file;
use snowtoken::store::{AuditEntry, Standing, TokenStore as _};

use self::cell::Names;
use self::render::Table;
use super::Step;
use super::road::Meant;
use crate::app::App;
use crate::args::DoctorArgs;
use crate::report::Failure;
use crate::{output, terminal};

/// So many profiles are told of.
const MOST_PROFILES: usize = 50;

/// So many lines of the audit are told.
const MOST_LINES: u32 = 30;

/// What the store tells without opening anything that is sealed.
#[derive(Default)]
pub(super) struct Stored {
    standings: Vec<Standing>,
    audit: Vec<AuditEntry>,
    key: Option<&'static str>,
}

/// Reads it, while the store is open.
pub(super) fn stored(store: Option<&SqliteStore>) -> Stored {
    let Some(store) = store else { return Stored::default() };
    let mut stored = Stored { key: Some(store.key().kind()), ..Stored::default() };
    // What cannot be read is a step of its own.
    drop(store.standings(&mut |standing| {
        if stored.standings.len() < MOST_PROFILES {
            stored.standings.push(standing);
        }
    }));
    stored.audit = store.audit(None, MOST_LINES).unwrap_or_default();
    stored
}

pub(super) fn run(
    app: &App,
    args: &DoctorArgs,
    file: &Path,
    steps: &[Step],
    meant: &Meant,
    stored: &Stored,
) -> Result<ExitCode, Failure> {
    let tables = tables(app, steps, meant, stored);
    let text = if args.json {
        format!("{:#}\n", render::json(&tables))
    } else {
        render::markdown(&tables)
    };
    let to_stdout = file == Path::new("-");
    if !args.yes && !is_agreed(app, &text, to_stdout)? {
        output::say("Nothing was written.");
        return Ok(ExitCode::SUCCESS);
    }
    if to_stdout {
        output::data(&text)?;
    } else {
        write_file::replace(file, text.as_bytes())?;
        output::say(format!("Written: {}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn tables(app: &App, steps: &[Step], meant: &Meant, stored: &Stored) -> Vec<Table> {
    let now = app.world.now();
    let mut names = Names::default();
    let config = app.config().ok();
    vec![
        tables::about(now, stored.key),
        tables::steps(steps),
        tables::profiles(config.as_ref(), meant, &mut names),
        tables::tokens(&stored.standings, now, &mut names),
        tables::audit(&stored.audit, now, &mut names),
        tables::variables(&app.world.environment),
        tables::files(app),
        tables::hooks(config.as_ref()),
    ]
}

/// Shows it to the person, who decides.
fn is_agreed(app: &App, text: &str, to_stdout: bool) -> Result<bool, Failure> {
    if app.no_input || !terminal::can_ask() {
        let hint = Hint::set("--yes", "writes the report without showing it first");
        let text = "the report is shown before it is written, and nobody can be asked";
        return Err(Failure::told(Code::InputNeeded, text).with_hint(hint));
    }
    output::say(text);
    output::say("This is all that is in it: no names, no secrets, no addresses.");
    let question = if to_stdout { "Print it? [y/N] " } else { "Write it? [y/N] " };
    Ok(matches!(terminal::answer(question).as_deref(), Some("y" | "Y" | "yes")))
}
