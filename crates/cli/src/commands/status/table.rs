//! Several profiles, a line each: as wide as what is in it, and on a terminal no wider than that.

use snowtoken::config::Outline;
use snowtoken::core::printable::Printable;
use snowtoken::core::token_set::Deadline;
use snowtoken::core::{SignedDuration, Timestamp};

use super::Overview;
use super::line::Line;
use super::seen::Seen;
use crate::app::App;
use crate::output::{self, Data, Paint, Screen, distance, push_date, push_distance};
use crate::report::Failure;

const TITLES: [&str; 6] =
    ["PROFILE", "STATE", "USER", "INSTANCE", "ACCESS ENDS", "REFRESH TOKEN ENDS"];

/// The columns that give way on a narrow terminal, in this order, and the least that is of use:
/// with less they are left out. Deadlines stay whole.
const GIVING: [(usize, usize); 2] = [(3, 12), (2, 8)];

/// The least that is left of a profile's name.
const NAME: usize = 12;

/// From so many profiles on, two threads are worth their while.
const MANY: usize = 500;

/// Blanks between two columns.
const GAP: usize = 2;

/// What gaps are cut from.
const BLANKS: &str = "                                                                ";

/// The widest thing that the last column usually holds.
const LAST: usize = "2026-11-21, 3 d 23 h ago (observed)".len();

/// Prints the table and, below it, what comes next.
pub(super) fn print(
    app: &App,
    overview: &Overview,
    seen: &Seen,
    see: &mut dyn FnMut(&Line<'_>),
) -> Result<(), Failure> {
    let mut data = Data::new();
    if overview.outline.is_empty() {
        data.push("no profiles yet: `snowtoken login NAME` makes one, `snowtoken rehearse` shows how it goes\n");
        return data.finish();
    }
    let (now, screen) = (app.world.now(), output::screen());
    let (widths, nearest) = survey(overview, seen, see);
    let mut table = Table { now, screen, widths, line: String::new() };
    table.fit();
    table.titles();
    data.push(&table.line);
    rows(table, &overview.outline, seen, &mut data)?;
    data.push(&format!("\n{}\n", nearest.told(overview.outline.len(), now)));
    if let Some(places) = overview.places() {
        data.push(&format!("{places}\n"));
    }
    data.finish()
}

/// What the columns before the last one need, and who is next; everybody is seen once.
fn survey(
    overview: &Overview,
    seen: &Seen,
    see: &mut dyn FnMut(&Line<'_>),
) -> ([usize; 5], Nearest) {
    let mut widths = [0, 0, 0, 0, "in 23 h 59 min".len()];
    let mut nearest = Nearest::default();
    for (width, title) in widths.iter_mut().zip(TITLES) {
        *width = title.len().max(*width);
    }
    for line in seen.lines(overview.outline.entries()) {
        see(&line);
        nearest.see(&line);
        let user = line.held.and_then(|held| held.user);
        let needed = [
            line.entry.name.len(),
            word(line.state()).len(),
            user.map_or(1, |user| shown(user).chars().count()),
            host(line.entry.instance).len(),
        ];
        for (width, needed) in widths.iter_mut().zip(needed) {
            *width = needed.max(*width);
        }
    }
    (widths, nearest)
}

/// The lines of all profiles. Of many, the second half is put together on another thread while the
/// first is written.
fn rows(mut table: Table, outline: &Outline, seen: &Seen, data: &mut Data) -> Result<(), Failure> {
    let half = if outline.len() < MANY { outline.len() } else { outline.len() / 2 };
    let mut other = table.clone();
    std::thread::scope(|scope| {
        let rest = (half < outline.len()).then(|| {
            scope.spawn(move || {
                let mut text = String::new();
                for line in seen.lines(outline.entries()).skip(half) {
                    other.row(&line);
                    text.push_str(&other.line);
                }
                text
            })
        });
        for line in seen.lines(outline.entries()).take(half) {
            table.row(&line);
            data.push(&table.line);
        }
        if let Some(rest) = rest {
            data.push(&rest.join().map_err(|_| Failure::bug("a thread ended early"))?);
        }
        Ok(())
    })
}

#[derive(Clone)]
struct Table {
    now: Timestamp,
    screen: Screen,
    widths: [usize; 5],
    line: String,
}

impl Table {
    /// Makes room for the deadlines, as far as that goes.
    fn fit(&mut self) {
        let Some(columns) = self.screen.columns else { return };
        for (column, least) in GIVING {
            let over = self.all().saturating_sub(columns);
            let width = &mut self.widths[column];
            *width = width.checked_sub(over).filter(|left| *left >= least).unwrap_or_default();
        }
        let over = self.all().saturating_sub(columns);
        self.widths[0] = self.widths[0].saturating_sub(over).max(NAME.min(self.widths[0]));
    }

    fn all(&self) -> usize {
        let widths = self.widths.iter().filter(|width| **width > 0);
        widths.map(|width| width + GAP).sum::<usize>() + LAST
    }

    fn titles(&mut self) {
        let mut row = Row::new(&self.screen, &mut self.line);
        for (title, width) in TITLES.into_iter().zip(self.widths) {
            row.cell(title, width, Paint::Plain);
        }
        row.last(TITLES[5], Paint::Plain);
    }

    fn row(&mut self, line: &Line<'_>) {
        let state = word(line.state());
        let user = line.held.and_then(|held| held.user).map_or("-".into(), shown);
        let mut row = Row::new(&self.screen, &mut self.line);
        row.cell(line.entry.name, self.widths[0], Paint::Plain);
        row.cell(state, self.widths[1], paint_of(state));
        row.cell(&user, self.widths[2], Paint::Plain);
        row.cell(host(line.entry.instance), self.widths[3], Paint::Plain);
        let mut cell = String::new();
        let paint = access(line, self.now, &mut cell);
        row.cell(&cell, self.widths[4], paint);
        cell.clear();
        let paint = refresh(line, self.now, &mut cell);
        row.last(&cell, paint);
    }
}

/// A line that is being put together, and the room that is left for it.
struct Row<'a> {
    room: usize,
    colours: bool,
    line: &'a mut String,
}

impl<'a> Row<'a> {
    fn new(screen: &Screen, line: &'a mut String) -> Self {
        line.clear();
        Self { room: screen.columns.unwrap_or(usize::MAX), colours: screen.colours, line }
    }

    /// A cell and the gap after it; nothing for a column that was left out.
    fn cell(&mut self, text: &str, width: usize, paint: Paint) {
        if width == 0 {
            return;
        }
        let used = self.put(text, width, paint);
        let blanks = (width + GAP - used).min(self.room);
        self.room -= blanks;
        let mut blanks = blanks;
        while blanks > 0 {
            let piece = blanks.min(BLANKS.len());
            self.line.push_str(&BLANKS[..piece]);
            blanks -= piece;
        }
    }

    /// The last cell, as wide as it likes.
    fn last(&mut self, text: &str, paint: Paint) {
        self.put(text, usize::MAX, paint);
        let end = self.line.trim_end_matches(' ').len();
        self.line.truncate(end);
        self.line.push('\n');
    }

    /// Writes a text, cut to the width; how many columns it took.
    fn put(&mut self, text: &str, width: usize, paint: Paint) -> usize {
        let most = width.min(self.room);
        if most == 0 {
            return 0;
        }
        let length = if text.is_ascii() { text.len() } else { text.chars().count() };
        let paint = if self.colours { paint } else { Paint::Plain };
        self.line.push_str(paint.begin());
        if length <= most {
            self.line.push_str(text);
        } else {
            self.line.extend(text.chars().take(most - 1));
            self.line.push('…');
        }
        self.line.push_str(paint.end());
        let used = length.min(most);
        self.room -= used;
        used
    }
}

/// The host, without the scheme that nearly all have.
fn host(instance: &str) -> &str {
    instance.strip_prefix("https://").unwrap_or(instance)
}

/// Somebody else's text, made safe where it is not.
fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= 200 && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        text.into()
    } else {
        Printable(text).to_string().into()
    }
}

/// A state as briefly as it goes.
fn word(state: &'static str) -> &'static str {
    match state {
        "a person must log in" => "must log in",
        other => other,
    }
}

fn paint_of(state: &str) -> Paint {
    match state {
        "must log in" => Paint::Red,
        "bound elsewhere" | "being revoked" => Paint::Yellow,
        _ => Paint::Plain,
    }
}

/// The access token's end matters to a person only where nothing can refresh it.
fn access(line: &Line<'_>, now: Timestamp, cell: &mut String) -> Paint {
    let Some(held) = line.held else {
        cell.push('-');
        return Paint::Plain;
    };
    if !held.has_access_token {
        cell.push_str("none yet");
        return Paint::Plain;
    }
    let left = held.access_expires_at.at.duration_since(now);
    push_distance(cell, left);
    let is_renewed = held.has_refresh_token || line.renews_itself();
    if is_renewed { Paint::Plain } else { urgency(left) }
}

fn refresh(line: &Line<'_>, now: Timestamp, cell: &mut String) -> Paint {
    if line.held.is_some() && line.renews_itself() && !line.is_handed_over() {
        cell.push_str("renews itself");
        return Paint::Plain;
    }
    let has_refresh_token = line.held.is_some_and(|held| held.has_refresh_token);
    match line.refresh_end() {
        Some(Deadline { at, known_by }) => {
            let left = at.duration_since(now);
            push_date(cell, at);
            cell.push_str(", ");
            push_distance(cell, left);
            cell.push_str(" (");
            cell.push_str(known_by.as_str());
            cell.push(')');
            if line.is_handed_over() { Paint::Plain } else { urgency(left) }
        }
        None if has_refresh_token => {
            cell.push_str("not known");
            Paint::Yellow
        }
        None => {
            cell.push('-');
            Paint::Plain
        }
    }
}

fn urgency(left: SignedDuration) -> Paint {
    if left <= SignedDuration::from_hours(24) {
        Paint::Red
    } else if left <= SignedDuration::from_hours(14 * 24) {
        Paint::Yellow
    } else {
        Paint::Plain
    }
}

/// Whose turn it is next.
#[derive(Default)]
struct Nearest {
    first: Option<(Deadline, String)>,
    unknown: usize,
    /// How many need nobody.
    renewed: usize,
}

impl Nearest {
    fn see(&mut self, line: &Line<'_>) {
        if line.held.is_none() || line.is_handed_over() {
            return;
        }
        if line.renews_itself() {
            self.renewed += 1;
            return;
        }
        match line.last_end() {
            None => self.unknown += 1,
            Some(end) if self.first.as_ref().is_none_or(|(first, _)| end.at < first.at) => {
                self.first = Some((end, line.entry.name.to_owned()));
            }
            Some(_) => {}
        }
    }

    fn told(&self, profiles: usize, now: Timestamp) -> String {
        let first = match &self.first {
            None if self.unknown == 0 && self.renewed > 0 => {
                "no person is needed: what is logged in renews itself".to_owned()
            }
            None => "no end is known".to_owned(),
            Some((Deadline { at, known_by }, name)) => {
                let mut date = String::new();
                push_date(&mut date, *at);
                let from_now = distance(at.duration_since(now));
                format!("the nearest end: {name}, {from_now} ({date}, {known_by})")
            }
        };
        let unknown = match self.unknown {
            0 => String::new(),
            1 => "; one end is not known".to_owned(),
            count => format!("; {count} ends are not known"),
        };
        format!("{profiles} profiles; {first}{unknown}")
    }
}

#[cfg(test)]
mod tests;
