//! The target's form, label by label: one value at a time goes to the clipboard, and nothing of it
//! stays there.

use std::process::ExitCode;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use snowtoken::clipboard::Clipboard;
use snowtoken::core::target::Target;
use snowtoken::delivery::{Credentials, FormField};

use crate::app::App;
use crate::report::Failure;
use crate::{output, terminal};

/// A value that nobody asks for any more does not stay on the clipboard.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often it is looked whether somebody pressed ^C.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn run(
    app: &App,
    credentials: &Credentials<'_>,
    target: &Target,
) -> Result<ExitCode, Failure> {
    let clipboard = Clipboard::find(&app.world.environment);
    let clipboard = clipboard.filter(|_| !app.no_input && terminal::can_ask());
    let Some(clipboard) = clipboard else {
        output::data(&credentials.form_text(target))?;
        return Ok(ExitCode::SUCCESS);
    };
    output::say(format!("{}: one value at a time, by {}.", target.title, clipboard.program()));
    output::say(
        "Enter copies and goes on, s skips, q ends. The clipboard is emptied afterwards.\n",
    );
    let fields = credentials.form(target);
    let ended = Desk { clipboard, credentials }.hand_out(&fields);
    if clipboard.clear().is_err() {
        output::say(format!("warning: {} did not empty the clipboard", clipboard.program()));
    }
    Ok(match ended {
        Ended::Done => ExitCode::SUCCESS,
        Ended::Interrupted => ExitCode::from(130),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    Interrupted,
}

struct Desk<'a> {
    clipboard: Clipboard,
    credentials: &'a Credentials<'a>,
}

impl Desk<'_> {
    fn hand_out(&self, fields: &[FormField]) -> Ended {
        let keys = terminal::Keys::open();
        for field in fields {
            output::say(format!("{}: {}", field.label, field.shown));
            let value = field.piece.and_then(|piece| self.credentials.piece(piece));
            let Some(value) = value else { continue };
            output::say_part("  copy? ");
            match wait(&keys) {
                Key::Skip => continue,
                Key::End => return Ended::Done,
                Key::Interrupt => return Ended::Interrupted,
                Key::Enter => {}
            }
            match self.clipboard.set(&value) {
                Ok(()) => output::say_part("  copied: paste it now, then press Enter "),
                Err(error) => {
                    output::say(format!("  warning: not copied: {error}"));
                    continue;
                }
            }
            match wait(&keys) {
                Key::End => return Ended::Done,
                Key::Interrupt => return Ended::Interrupted,
                Key::Enter | Key::Skip => {}
            }
            // The next value is not there yet, and this one is not needed any more.
            let _ = self.clipboard.clear();
        }
        Ended::Done
    }
}

/// The next key, ^C, or the end of patience.
fn wait(keys: &terminal::Keys) -> Key {
    let end = Instant::now() + PATIENCE;
    loop {
        if keys.interrupted() {
            output::say("");
            return Key::Interrupt;
        }
        match keys.line(LOOK) {
            Ok(line) => {
                return match line.trim() {
                    "s" | "S" => Key::Skip,
                    "q" | "Q" => Key::End,
                    _ => Key::Enter,
                };
            }
            Err(RecvTimeoutError::Disconnected) => return Key::End,
            Err(RecvTimeoutError::Timeout) if Instant::now() > end => {
                output::say("\nNobody is there: ended.");
                return Key::End;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

enum Key {
    Enter,
    Skip,
    End,
    Interrupt,
}
