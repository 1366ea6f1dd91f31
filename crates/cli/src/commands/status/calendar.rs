//! `--ics`: the deadlines as a calendar file.

use std::path::Path;

use snowtoken::calendar::{Calendar, Event, Token};
use snowtoken::core::Timestamp;
use snowtoken::core::profile::ProfileName;
use snowtoken::store::{RecordState, write_file};

use super::Overview;
use super::line::Line;
use super::seen::Seen;
use crate::output;
use crate::report::Failure;

/// Writes it whole, or not at all; `-` is standard output.
pub(super) fn write(
    overview: &Overview,
    seen: &Seen,
    now: Timestamp,
    path: &Path,
    see: &mut dyn FnMut(&Line<'_>),
) -> Result<(), Failure> {
    let mut calendar = Calendar::new(now);
    for line in seen.lines(overview.entries()) {
        see(&line);
        let profile = ProfileName::parse(line.entry.name)?;
        match event(&line, &profile) {
            Ok(Some(event)) => calendar.add(&event),
            Ok(None) => {}
            Err(why) => output::say(format!("{profile}: no event: {why}")),
        }
    }
    let events = calendar.events();
    if path == Path::new("-") {
        return output::data(&calendar.into_text());
    }
    write_file::replace(path, calendar.into_text().as_bytes())?;
    let what = if events == 1 { "1 event".to_owned() } else { format!("{events} events") };
    output::say(format!("{what} written to {}", path.display()));
    Ok(())
}

/// What a person has to know in time; or why nobody can say when.
fn event<'a>(line: &Line<'a>, profile: &'a ProfileName) -> Result<Option<Event<'a>>, &'static str> {
    let Some(held) = line.held else {
        return if line.is_prepared { Ok(None) } else { Err("not logged in") };
    };
    if line.is_bound_elsewhere() {
        return Err("its tokens belong to another instance or client");
    }
    match held.state {
        RecordState::RevocationPending { .. } => return Err("it is being revoked"),
        RecordState::HandedOver { .. } => return Err("another machine looks after it now"),
        RecordState::Held | RecordState::Rejected { .. } => {}
    }
    let token = if held.has_refresh_token { Token::Refresh } else { Token::Access };
    // A client that gets its tokens by itself gets the next one as it got this one: no person is
    // needed at its end, and an event every half hour would help nobody.
    if line.renews_itself() {
        return Ok(None);
    }
    let ends = line.last_end().ok_or("the end of its refresh token is not known")?;
    let instance = line.entry.instance;
    Ok(Some(Event { profile, instance, user: held.user, token, ends }))
}
