//! What a terminal showed, made the same for each run, and a page around it.
//!
//! A name stands for what differs from run to run, in both directions: a command is written as a
//! reader types it and runs with the real values; what it shows goes onto the page with the names.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::pty::plain;

/// When every run takes place on the page.
const SHOWN: &str = "2026-11-23T15:00:00Z";
/// Nothing on the page is told more exactly than this, in seconds: a run takes as long as it takes.
const GRAIN: i64 = 600;
const MOMENT: &str = "####-##-##T##:##:##Z";

/// The commands of one run and what they showed.
pub(crate) struct Transcript {
    began: Timestamp,
    /// What it really was, and what stands for it.
    names: Vec<(String, String)>,
    steps: Vec<(&'static str, String)>,
}

impl Transcript {
    /// An empty one of a run that begins now.
    pub(crate) fn begin(began: Timestamp) -> Self {
        Self { began, names: Vec::new(), steps: Vec::new() }
    }

    /// From now on this is shown as that.
    pub(crate) fn name(&mut self, real: impl Into<String>, shown: impl Into<String>) {
        let (real, shown) = (real.into(), shown.into());
        assert!(!real.is_empty(), "{shown} stands for nothing");
        if !self.names.iter().any(|(known, _)| *known == real) {
            self.names.push((real, shown));
            // A part of another is replaced after it.
            self.names.sort_by_key(|(real, _)| std::cmp::Reverse(real.len()));
        }
    }

    /// The line that runs, for one as it is shown.
    pub(crate) fn real(&self, line: &str) -> String {
        self.names.iter().fold(line.to_owned(), |line, (real, shown)| line.replace(shown, real))
    }

    /// A command as it is shown, and what the terminal showed then.
    pub(crate) fn add(&mut self, step: &'static str, line: &str, shown: &str) {
        self.steps.push((step, format!("$ {line}\n{}", screen(shown))));
    }

    /// Of the lines of a step that begin like this only the first is shown, and how many more there are.
    pub(crate) fn shorten(&mut self, step: &str, starts: &str) {
        let (_, text) = self.steps.iter_mut().find(|(name, _)| *name == step).unwrap();
        *text = shortened(text, starts);
    }

    /// What may go onto a page.
    fn show(&self, text: &str) -> String {
        let named = self
            .names
            .iter()
            .fold(text.to_owned(), |text, (real, shown)| text.replace(real, shown));
        rounded(&self.moved(&named))
    }

    /// The page: each line `{{step}}` of the template is that step. Every step has its place.
    pub(crate) fn page(&self, template: &str) -> String {
        let mut page = String::new();
        let mut left: Vec<&str> = self.steps.iter().map(|(step, _)| *step).collect();
        for line in template.lines() {
            let Some(place) = line.strip_prefix("{{").and_then(|l| l.strip_suffix("}}")) else {
                page.push_str(line);
                page.push('\n');
                continue;
            };
            let mut steps = self.steps.iter();
            let step = steps.find(|(step, _)| *step == place);
            let (_, text) = step.unwrap_or_else(|| panic!("no step is called {place}"));
            left.retain(|step| *step != place);
            let _ = write!(page, "```console\n{}```\n", self.show(text));
        }
        assert!(left.is_empty(), "the template has no place for {left:?}");
        page
    }

    /// The text with each moment moved to the day of the page, in whole grains.
    fn moved(&self, text: &str) -> String {
        let shown: Timestamp = SHOWN.parse().unwrap();
        replaced(text, MOMENT, |moment| {
            let Ok(moment) = moment.parse::<Timestamp>() else { return moment.to_owned() };
            let after = moment.duration_since(self.began).as_secs();
            let grains = (after + GRAIN / 2).div_euclid(GRAIN);
            (shown + SignedDuration::from_secs(grains * GRAIN)).to_string()
        })
    }
}

/// Each place where the text has this form (`#` is a digit), replaced.
fn replaced(text: &str, form: &str, with: impl Fn(&str) -> String) -> String {
    let fits = |piece: &[u8]| {
        piece.iter().zip(form.bytes()).all(|(&byte, form)| match form {
            b'#' => byte.is_ascii_digit(),
            _ => byte == form,
        })
    };
    let (mut made, mut rest) = (String::new(), text);
    while let Some(at) = rest.as_bytes().windows(form.len()).position(fits) {
        made.push_str(&rest[..at]);
        made.push_str(&with(&rest[at..at + form.len()]));
        rest = &rest[at + form.len()..];
    }
    made + rest
}

/// The text without what a slow run, or another machine, shows a little differently.
fn rounded(text: &str) -> String {
    let minutes = replaced(text, "in ## min", |found| {
        let minutes: i64 = found[3..5].parse().unwrap();
        format!("in {} min", (minutes + 5) / 10 * 10)
    });
    let days = replaced(&minutes, "in ### days", |found| {
        let days: i64 = found[3..6].parse().unwrap();
        format!("in {} days", (days + 2) / 5 * 5)
    });
    let ago = counted(&counted(&days, " s ago", "3"), " s old", "3");
    counted(&ago, " MiB", "20000")
}

/// The text with every number before this unit told as that one.
fn counted(text: &str, unit: &str, as_if: &str) -> String {
    let mut pieces = text.split(unit).map(str::to_owned).collect::<Vec<_>>();
    let last = pieces.pop().unwrap_or_default();
    let mut made = String::new();
    for piece in pieces {
        let words = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        made.push_str(words);
        made.push_str(if words.len() < piece.len() { as_if } else { "" });
        made.push_str(unit);
    }
    made + &last
}

/// What is left to be read on a terminal: lines that were written again are there once, as they were
/// at the end.
fn screen(shown: &str) -> String {
    let lines = shown.split('\n').map(|line| {
        let line = line.trim_end_matches('\r');
        plain(line.rsplit("\r\x1b[K").next().unwrap_or(line)).trim_end().to_owned()
    });
    let lines: Vec<String> = lines.collect();
    let text = lines.join("\n");
    let text = text.trim_end_matches('\n');
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

fn shortened(shown: &str, starts: &str) -> String {
    let more = shown.lines().filter(|line| line.starts_with(starts)).count().saturating_sub(1);
    let (mut made, mut seen) = (String::new(), 0);
    for line in shown.lines() {
        seen += usize::from(line.starts_with(starts));
        match (line.starts_with(starts), seen) {
            (false, _) | (true, 1) => made.push_str(line),
            (true, 2) => {
                let _ = write!(made, "  … ({more} more such lines)");
            }
            _ => continue,
        }
        made.push('\n');
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript() -> Transcript {
        Transcript::begin("2031-02-03T04:05:06Z".parse().unwrap())
    }

    #[test]
    fn names_stand_for_values_in_both_directions() {
        let mut transcript = transcript();
        transcript.name("127.0.0.1:41234", "127.0.0.1:8090");
        transcript.name("s3cret", "‹secret›");
        transcript.name("s3cret-too", "‹other›");
        assert_eq!(transcript.real("get 127.0.0.1:8090"), "get 127.0.0.1:41234");
        transcript.add("one", "get 127.0.0.1:8090", "s3cret\r\ns3cret-too\r\n");
        let page = transcript.page("Before.\n{{one}}\nAfter.\n");
        let block = "```console\n$ get 127.0.0.1:8090\n‹secret›\n‹other›\n```\n";
        assert_eq!(page, format!("Before.\n{block}After.\n"));
    }

    #[test]
    fn moments_are_those_of_the_page_whenever_it_runs_and_however_long() {
        for (real, shown) in [
            ("2031-02-03T04:05:07Z", "2026-11-23T15:00:00Z"),
            ("2031-02-03T04:09:59Z.", "2026-11-23T15:00:00Z."),
            ("ends 2031-02-03T04:36:06Z,", "ends 2026-11-23T15:30:00Z,"),
            ("2032-02-03T04:05:26Z", "2027-11-23T15:00:00Z"),
            ("in 29 min", "in 30 min"),
            ("in 364 days", "in 365 days"),
            ("accepted 17 s ago, 0 s old", "accepted 3 s ago, 3 s old"),
            ("free 34346 MiB of some MiB", "free 20000 MiB of some MiB"),
        ] {
            assert_eq!(transcript().show(real), shown);
        }
    }

    #[test]
    fn a_line_that_was_written_again_is_there_once() {
        let shown = "\x1b[?2004hPaste: \r\x1b[KPaste: (9:59) \r\x1b[KPaste: \x1b[?2004l\r\n\x1b[1mdone\x1b[0m\r\n\r\n";
        assert_eq!(screen(shown), "Paste:\ndone\n");
    }

    #[test]
    fn lines_that_are_all_alike_are_counted() {
        let shown = "a\n  made 1\n  made 2\n  made 3\nb\n";
        assert_eq!(shortened(shown, "  made "), "a\n  made 1\n  … (2 more such lines)\nb\n");
    }

    #[test]
    #[should_panic(expected = "the template has no place for [\"one\"]")]
    fn a_step_without_a_place_is_noticed() {
        let mut transcript = transcript();
        transcript.add("one", "x", "");
        let _ = transcript.page("nothing\n");
    }
}
