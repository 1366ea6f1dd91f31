//! `--within`: who has to be looked after.

use std::process::ExitCode;

use snowtoken::core::diagnosis::Code;
use snowtoken::core::profile::ProfileName;
use snowtoken::core::{SignedDuration, Timestamp};

use super::line::Line;
use crate::commands;
use crate::output::distance;
use crate::report::Failure;

/// More names than these are counted.
const NAMED: usize = 20;

/// The moment before which nothing may end, and whose end comes before it.
pub(super) struct Horizon {
    until: Option<Timestamp>,
    now: Timestamp,
    near: Vec<String>,
    count: usize,
    first: Option<ProfileName>,
}

impl Horizon {
    /// What was typed after `--within`; nothing typed means that nothing is too near.
    pub(super) fn of(typed: Option<&str>, now: Timestamp) -> Result<Self, Failure> {
        let within = typed.map(|text| commands::duration("--within", text)).transpose()?;
        let until = within.map(|within| {
            let within = SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
            now.saturating_add(within).unwrap_or(Timestamp::MAX)
        });
        Ok(Self { until, now, near: Vec::new(), count: 0, first: None })
    }

    /// A refresh token that may end any day is as near as one that ends today.
    pub(super) fn see(&mut self, line: &Line<'_>) {
        let Some(until) = self.until else { return };
        if line.held.is_none() || line.is_handed_over() || line.renews_itself() {
            return;
        }
        let name = line.entry.name;
        let words = match line.last_end() {
            None => format!("{name} (its end is not known)"),
            Some(end) if end.at <= until => {
                format!("{name} ({})", distance(end.at.duration_since(self.now)))
            }
            Some(_) => return,
        };
        self.count += 1;
        if self.near.len() < NAMED {
            self.near.push(words);
        }
        if self.first.is_none() {
            self.first = ProfileName::parse(name).ok();
        }
    }

    /// Exit code 3, with the names, if there is anybody.
    pub(super) fn judge(self) -> Result<ExitCode, Failure> {
        if self.count == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        let names = self.near.join(", ");
        let more = match self.count - self.near.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let text = format!("a deadline is near or past: {names}{more}");
        let failure = Failure::told(Code::DeadlineNear, text);
        Err(match self.first {
            // A hint can name one profile only.
            Some(name) if self.count == 1 => failure.about(&name),
            _ => failure,
        })
    }
}
