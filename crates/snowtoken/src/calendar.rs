//! Deadlines as a calendar file (RFC 5545): one event for each profile, with alarms ahead of it.
//! Pure: moments are arguments, the text is written by whoever asked for it.
//!
//! A file that is imported again replaces what it brought before: an event's UID depends on profile
//! and instance alone, and what was written later counts as the newer revision.

use std::fmt::Write as _;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use snowtoken_core::printable::Printable;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::token_set::{Deadline, KnownBy};

use crate::delivery::moment;

/// How many days ahead of an end an alarm rings.
pub const ALARM_DAYS: [u8; 4] = [30, 14, 7, 1];

/// Octets in a line, its break not counted (RFC 5545 §3.1).
const LINE: usize = 75;

/// Which token's end it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The refresh token's: from then on a person must log in.
    Refresh,
    /// The access token's, where nothing can refresh it.
    Access,
}

impl Token {
    fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh token",
            Self::Access => "access token",
        }
    }
}

/// What a person has to know in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Whose token.
    pub profile: &'a ProfileName,
    /// The instance's URL.
    pub instance: &'a str,
    /// The user it belongs to, as the instance named it.
    pub user: Option<&'a str>,
    /// Which token.
    pub token: Token,
    /// When it ends, and how that is known.
    pub ends: Deadline,
}

/// A calendar that is being written.
#[derive(Debug)]
pub struct Calendar {
    text: String,
    written_at: Timestamp,
    events: usize,
}

impl Calendar {
    /// An empty one, written at this moment.
    pub fn new(written_at: Timestamp) -> Self {
        let mut calendar = Self { text: String::new(), written_at, events: 0 };
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//snowtoken//status//EN",
            "CALSCALE:GREGORIAN",
        ] {
            calendar.line(line);
        }
        calendar
    }

    /// Adds an event with its alarms (RFC 5545 §3.6.1, §3.6.6).
    pub fn add(&mut self, event: &Event<'_>) {
        let now = date_time(self.written_at);
        let what = summary(event);
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}", uid(event)));
        self.line(&format!("DTSTAMP:{now}"));
        self.line(&format!("LAST-MODIFIED:{now}"));
        self.line(&format!("SEQUENCE:{}", sequence(self.written_at)));
        // A moment: without an end or a duration it ends when it starts (RFC 5545 §3.6.1).
        self.line(&format!("DTSTART:{}", date_time(event.ends.at)));
        self.text_line("SUMMARY", &what);
        self.text_line("DESCRIPTION", &description(event));
        // It takes nobody's time (RFC 5545 §3.8.2.7).
        self.line("TRANSP:TRANSPARENT");
        for days in ALARM_DAYS {
            self.alarm(days, &what);
        }
        self.line("END:VEVENT");
        self.events += 1;
    }

    /// How many events it has.
    pub fn events(&self) -> usize {
        self.events
    }

    /// The whole text.
    pub fn into_text(mut self) -> String {
        if self.events == 0 {
            self.time_zone();
        }
        self.line("END:VCALENDAR");
        self.text
    }

    /// Relative to the start, which is in UTC: a day is 24 hours (RFC 5545 §3.3.6, §3.8.6.3).
    fn alarm(&mut self, days: u8, what: &str) {
        let unit = if days == 1 { "day" } else { "days" };
        self.line("BEGIN:VALARM");
        self.line("ACTION:DISPLAY");
        self.line(&format!("TRIGGER:-P{days}D"));
        self.text_line("DESCRIPTION", &format!("in {days} {unit}: {what}"));
        self.line("END:VALARM");
    }

    /// A calendar must hold something (RFC 5545 §3.6). Without events it is this, so that a file
    /// that is read again and again can become empty.
    fn time_zone(&mut self) {
        for line in [
            "BEGIN:VTIMEZONE",
            "TZID:Etc/UTC",
            "BEGIN:STANDARD",
            "DTSTART:19700101T000000",
            "TZOFFSETFROM:+0000",
            "TZOFFSETTO:+0000",
            "TZNAME:UTC",
            "END:STANDARD",
            "END:VTIMEZONE",
        ] {
            self.line(line);
        }
    }

    fn text_line(&mut self, name: &str, text: &str) {
        self.line(&format!("{name}:{}", escaped(text)));
    }

    /// A content line, folded: a line that goes on begins with a blank, which is no part of it
    /// (RFC 5545 §3.1). A character is never cut in two.
    fn line(&mut self, content: &str) {
        let mut rest = content;
        let mut room = LINE;
        while rest.len() > room {
            let cut = rest.floor_char_boundary(room);
            self.text.push_str(&rest[..cut]);
            self.text.push_str("\r\n ");
            rest = &rest[cut..];
            room = LINE - 1;
        }
        self.text.push_str(rest);
        self.text.push_str("\r\n");
    }
}

/// The value type TEXT (RFC 5545 §3.3.11). Other control characters may not occur in it; what
/// somebody else wrote has gone through [`Printable`].
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => value.extend(['\\', character]),
            '\n' => value.push_str("\\n"),
            _ => value.push(character),
        }
    }
    value
}

/// The value type DATE-TIME in UTC (RFC 5545 §3.3.5); it knows no part of a second and no year
/// before 0.
fn date_time(at: Timestamp) -> String {
    at.max(Timestamp::UNIX_EPOCH).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 7986 §5.3 wants a UUID that tells nothing, RFC 9562 §5.8 makes one out of a hash.
fn uid(event: &Event<'_>) -> String {
    let mut hash = Sha256::new();
    for part in ["snowtoken calendar", event.profile.as_str(), event.instance] {
        hash.update(part);
        hash.update([0]);
    }
    let mut hex = String::new();
    for (at, byte) in hash.finalize().iter().take(16).enumerate() {
        let byte = match at {
            6 => 0x80 | byte & 0x0f,
            8 => 0x80 | byte & 0x3f,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// What is written later is the newer revision (RFC 5545 §3.8.7.4), within one minute by its
/// DTSTAMP (RFC 5546 §2.1.5). Minutes, because it is a number of 31 bits.
fn sequence(written_at: Timestamp) -> i64 {
    (written_at.as_second() / 60).clamp(0, i64::from(i32::MAX))
}

fn host(instance: &str) -> &str {
    instance.split_once("://").map_or(instance, |(_, host)| host)
}

fn summary(event: &Event<'_>) -> String {
    let Event { profile, token, .. } = event;
    let ends = if event.ends.known_by == KnownBy::Observed { "has ended" } else { "ends" };
    format!("{profile}: the {} {ends} ({})", token.as_str(), host(event.instance))
}

fn description(event: &Event<'_>) -> String {
    let Event { profile, instance, token, ends, .. } = event;
    let user = event.user.map(|user| format!(" of user {}", Printable(user))).unwrap_or_default();
    let known = match ends.known_by {
        KnownBy::Stated => "stated by the instance or by a person",
        KnownBy::Derived => "derived: the time of the grant plus the lifespan",
        KnownBy::Observed => "observed: it was seen to have stopped working",
    };
    format!(
        "The {} of profile {profile}{user} on {instance} ends {}.\nHow this is known: {known}.\n\
         What to do: run `snowtoken login {profile}` before then.",
        token.as_str(),
        moment(ends.at),
    )
}

#[cfg(test)]
mod tests;
