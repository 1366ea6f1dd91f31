//! What RFC 5545 asks of every line. What other programs make of the whole is tried on them, in
//! the tests of the command.

use super::*;

const WRITTEN: &str = "2026-11-23T15:00:00.9Z";

fn name(text: &str) -> ProfileName {
    ProfileName::parse(text).unwrap()
}

fn ends(at: &str, known_by: KnownBy) -> Deadline {
    Deadline { at: at.parse().unwrap(), known_by }
}

fn event<'a>(profile: &'a ProfileName, user: Option<&'a str>) -> Event<'a> {
    let ends = ends("2027-11-23T15:00:00.75Z", KnownBy::Derived);
    let instance = "https://classics.service-now.com";
    Event { profile, instance, user, token: Token::Refresh, ends }
}

fn text(events: &[Event<'_>]) -> String {
    let mut calendar = Calendar::new(WRITTEN.parse().unwrap());
    for event in events {
        calendar.add(event);
    }
    assert_eq!(calendar.events(), events.len());
    calendar.into_text()
}

/// The lines as they were before they were folded.
fn unfolded(text: &str) -> Vec<String> {
    text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

#[test]
fn an_event_reads_like_this() {
    let dev = name("dev");
    let lines = unfolded(&text(&[event(&dev, Some("abel.tuter"))]));
    let expected = r"BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//snowtoken//status//EN
CALSCALE:GREGORIAN
BEGIN:VEVENT
UID:b5f8d67f-8329-8894-9099-f5ebc97c1bae
DTSTAMP:20261123T150000Z
LAST-MODIFIED:20261123T150000Z
SEQUENCE:29924100
DTSTART:20271123T150000Z
SUMMARY:dev: the refresh token ends (classics.service-now.com)
DESCRIPTION:The refresh token of profile dev of user abel.tuter on https://classics.service-now.com ends 2027-11-23T15:00:00Z.\nHow this is known: derived: the time of the grant plus the lifespan.\nWhat to do: run `snowtoken login dev` before then.
TRANSP:TRANSPARENT
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P30D
DESCRIPTION:in 30 days: dev: the refresh token ends (classics.service-now.com)
END:VALARM";
    assert_eq!(lines[..18].join("\n"), expected);
    let count = |wanted: &str| lines.iter().filter(|line| *line == wanted).count();
    assert_eq!((count("BEGIN:VALARM"), count("END:VALARM")), (4, 4));
    for days in ALARM_DAYS {
        assert_eq!(count(&format!("TRIGGER:-P{days}D")), 1);
    }
    assert_eq!(lines[lines.len() - 2..], ["END:VEVENT", "END:VCALENDAR"]);
}

/// RFC 5545 §3.1: lines of at most 75 octets that end with CRLF, and no half character.
#[test]
fn lines_are_folded_between_characters() {
    let long = name(&"n".repeat(63));
    let instance = format!("https://{}.service-now.com", "i".repeat(200));
    for shift in 0..8 {
        let user = format!("{}{}", "x".repeat(shift), "é€😀".repeat(60));
        let shown: String = user.chars().take(180).collect();
        let event = Event { instance: &instance, ..event(&long, Some(&user)) };
        let text = text(&[event]);
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
        for line in text.split_terminator("\r\n") {
            assert!((1..=75).contains(&line.len()), "{} octets: {line}", line.len());
        }
        assert!(unfolded(&text).iter().any(|line| line.contains(&shown)));
    }
}

/// RFC 5545 §3.3.11, and a text that would end the line, the value or the event.
#[test]
fn what_somebody_else_wrote_stays_text() {
    let dev = name("dev");
    let hostile = "a;b,c\\d\"e:f\r\nEND:VEVENT\nBEGIN:VALARM\u{0}\u{202e}";
    let text = text(&[event(&dev, Some(hostile))]);
    let lines = unfolded(&text);
    let description = lines.iter().find(|line| line.starts_with("DESCRIPTION:The ")).unwrap();
    let shown = r#"user a\;b\,c\\d"e:f\\u{d}\\u{a}END:VEVENT\\u{a}BEGIN:VALARM\\u{0}\\u{202e} on"#;
    assert!(description.contains(shown), "{description}");
    assert_eq!(lines.iter().filter(|line| *line == "END:VEVENT").count(), 1);
    assert!(text.bytes().all(|b| b >= b' ' || b == b'\r' || b == b'\n'));
}

/// RFC 5545 §3.8.4.7: the same event has the same UID, whatever else has changed.
#[test]
fn only_profile_and_instance_make_the_uid() {
    let (dev, prod) = (name("dev"), name("prod"));
    let one = event(&dev, None);
    let later = ends("2030-01-01T00:00:00Z", KnownBy::Observed);
    let same = Event { user: Some("admin"), token: Token::Access, ends: later, ..one };
    assert_eq!(uid(&one), uid(&same));
    assert_ne!(uid(&one), uid(&Event { profile: &prod, ..one }));
    assert_ne!(uid(&one), uid(&Event { instance: "https://other.service-now.com", ..one }));
    assert!(!text(&[one]).split("DTSTAMP").next().unwrap().contains("dev"));
}

#[test]
fn how_an_end_is_known_is_said() {
    let dev = name("dev");
    for (known_by, said) in [
        (KnownBy::Stated, "How this is known: stated by"),
        (KnownBy::Derived, "How this is known: derived: "),
        (KnownBy::Observed, "How this is known: observed: "),
    ] {
        let ends = Deadline { known_by, ..event(&dev, None).ends };
        let text = unfolded(&text(&[Event { ends, ..event(&dev, None) }])).join("\n");
        assert!(text.contains(said), "{text}");
        assert_eq!(text.contains("token has ended ("), known_by == KnownBy::Observed);
    }
}

/// RFC 5545 §3.6: at least one component; §3.3.5: four digits of a year; §3.3.8: 31 bits.
#[test]
fn the_edges_of_the_format_are_kept() {
    let empty = text(&[]);
    assert!(empty.contains("BEGIN:VTIMEZONE\r\n") && empty.ends_with("END:VCALENDAR\r\n"));
    assert_eq!(date_time(Timestamp::MIN), "19700101T000000Z");
    assert_eq!(date_time(Timestamp::MAX).len(), 16);
    assert_eq!(sequence(Timestamp::MAX), i64::from(i32::MAX).min(Timestamp::MAX.as_second() / 60));
    assert!(sequence(Timestamp::MAX) <= i64::from(i32::MAX) && sequence(Timestamp::MIN) == 0);
}
