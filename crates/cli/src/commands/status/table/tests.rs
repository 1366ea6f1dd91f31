//! Widths, cuts and colours of single lines.

use snowtoken::config::Entry;
use snowtoken::core::profile::Grant;
use snowtoken::core::token_set::KnownBy;
use snowtoken::store::RecordState;
use snowtoken::store::sqlite::Glance;

use super::*;

const NOW: &str = "2026-11-23T15:00:00Z";

fn after(seconds: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn derived(seconds: i64) -> Deadline {
    Deadline { at: after(seconds), known_by: KnownBy::Derived }
}

fn entry() -> Entry<'static> {
    Entry {
        name: "customer-000001",
        instance: "https://customer1.service-now.com",
        client_id: "id",
        target: "nice-knowledge-hub",
        grant: Grant::default(),
    }
}

fn held(refresh: Option<Deadline>) -> Glance<'static> {
    Glance {
        profile: "customer-000001",
        instance: "https://customer1.service-now.com",
        client_id: "id",
        state: RecordState::Held,
        user: Some("abel.tuter"),
        access_expires_at: derived(720),
        has_access_token: true,
        has_refresh_token: true,
        refresh_expires_at: refresh,
    }
}

/// The line in a table that has just this one.
fn shown(line: Line<'_>, columns: Option<usize>, colours: bool) -> String {
    let widths = [15, 13, 10, 25, 14];
    let screen = Screen { columns, colours };
    let mut table = Table { now: NOW.parse().unwrap(), screen, widths, line: String::new() };
    table.fit();
    table.row(&line);
    table.line
}

#[test]
fn a_line_says_who_and_until_when() {
    let line =
        Line { entry: entry(), held: Some(held(Some(derived(364 * 86_400)))), is_prepared: false };
    assert_eq!(
        shown(line, None, false),
        "customer-000001  logged in      abel.tuter  customer1.service-now.com  in 12 min       \
         2027-11-22, in 364 days (derived)\n"
    );
    let line = Line { entry: entry(), held: None, is_prepared: false };
    assert_eq!(
        shown(line, None, false),
        "customer-000001  not logged in  -           customer1.service-now.com  -               -\n"
    );
}

#[test]
fn what_is_near_or_over_has_a_colour() {
    let (red, yellow, plain) = ("\u{1b}[31m2026", "\u{1b}[33m20", "  20");
    for (seconds, mark) in [
        (-5, red),
        (86_400, red),
        (86_401, yellow),
        (14 * 86_400, yellow),
        (14 * 86_400 + 1, plain),
    ] {
        let line =
            Line { entry: entry(), held: Some(held(Some(derived(seconds)))), is_prepared: false };
        let text = shown(line, None, true);
        assert!(text.contains(mark), "{seconds}: {text:?}");
        assert!(!shown(line, None, false).contains('\u{1b}'));
    }
    let state = RecordState::Rejected { at: after(-60) };
    let line =
        Line { entry: entry(), held: Some(Glance { state, ..held(None) }), is_prepared: false };
    let text = shown(line, None, true);
    assert!(text.contains("\u{1b}[31mmust log in\u{1b}[0m"), "{text:?}");
    assert!(text.contains("\u{1b}[31m2026-11-23, 1 min ago (observed)\u{1b}[0m"), "{text:?}");
    let line = Line { entry: entry(), held: Some(held(None)), is_prepared: false };
    assert!(shown(line, None, true).contains("\u{1b}[33mnot known\u{1b}[0m"));
    // The access token's end is a person's business where nothing can refresh it.
    let alone = Glance { has_refresh_token: false, ..held(None) };
    assert!(
        shown(Line { entry: entry(), held: Some(alone), is_prepared: false }, None, true)
            .contains("[31min 12 min")
    );
    // What another machine looks after is no cause for alarm here.
    let state = RecordState::HandedOver { at: after(-60) };
    let gone = Glance { state, ..held(Some(derived(-5))) };
    assert!(
        !shown(Line { entry: entry(), held: Some(gone), is_prepared: false }, None, true)
            .contains('\u{1b}')
    );
}

#[test]
fn a_line_is_never_wider_than_the_terminal_and_deadlines_go_last() {
    let line =
        Line { entry: entry(), held: Some(held(Some(derived(364 * 86_400)))), is_prepared: false };
    let whole = shown(line, None, false).chars().count() - 1;
    for columns in 1..whole + 20 {
        let text = shown(line, Some(columns), false);
        let text = text.strip_suffix('\n').unwrap();
        assert!(text.chars().count() <= columns, "{columns}: {text}");
        assert!(!text.ends_with(' '));
        if columns >= 80 {
            assert!(text.ends_with("2027-11-22, in 364 days (derived)"), "{columns}: {text}");
            assert!(text.contains("logged in") && text.contains("in 12 min"), "{columns}: {text}");
        }
        let coloured = shown(line, Some(columns), true);
        assert_eq!(coloured.matches('\u{1b}').count() % 2, 0);
    }
    assert!(shown(line, Some(110), false).contains("abel.tuter"));
    assert!(!shown(line, Some(80), false).contains("abel"));
}

#[test]
fn somebody_elses_text_cannot_break_a_line() {
    let user = Some("a\u{1b}[2J\nb\u{202e}");
    let line =
        Line { entry: entry(), held: Some(Glance { user, ..held(None) }), is_prepared: false };
    let text = shown(line, None, false);
    assert_eq!(text.lines().count(), 1);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    assert_eq!(super::shown(&"x".repeat(300)).chars().count(), 201);
}

#[test]
fn the_nearest_end_is_the_first_that_somebody_must_look_after() {
    let now = after(0);
    let mut nearest = Nearest::default();
    assert_eq!(nearest.told(2, now), "2 profiles; no end is known");
    let over = RecordState::HandedOver { at: now };
    for held in [
        None,
        Some(held(None)),
        Some(held(Some(derived(9 * 86_400)))),
        Some(held(Some(derived(20 * 86_400)))),
        Some(Glance { state: over, ..held(Some(derived(5))) }),
    ] {
        nearest.see(&Line { entry: entry(), held, is_prepared: false });
    }
    assert_eq!(
        nearest.told(5, now),
        "5 profiles; the nearest end: customer-000001, in 9 d 0 h (2026-12-02, derived); \
         one end is not known"
    );
}
