//! What `status` costs over 10, 1,000 and 100,000 profiles, beside a scan of the same rows.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Place;
use super::person::{PROFILE, Person, stand_in};
use super::table::Row;
use super::timing::{Pair, pairs, shown};
use super::token::peak_of;
use crate::run::{output, program, root};

/// How many profiles, and how often it is measured.
const SIZES: [(u32, usize); 3] = [(10, 100), (1_000, 60), (100_000, 20)];
const MILLISECONDS: f64 = 100.0;
const PEAK_RUNS: usize = 5;

/// Reads the same rows with the same library, called from Python, and prints them as they are.
const SCAN: &str = "
import sqlite3, sys
columns = 'profile, state, user, instance, access_expires_at, refresh_expires_at, refresh_expiry_known_by'
for row in sqlite3.connect(sys.argv[1]).execute(f'SELECT {columns} FROM standing ORDER BY profile'):
    print(*row)
";

/// One fleet.
struct Fleet {
    person: Person,
    count: u32,
    rounds: usize,
}

/// Time and memory for each size, and for the other forms at the largest.
pub(super) fn rows(shipped: &Path, place: &Place) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut times = Vec::new();
    for (count, rounds) in SIZES {
        let figure = format!("`status`, {} profiles, into a file", grouped(count));
        let measured = Fleet::new(shipped, place, count, rounds).and_then(|fleet| {
            let pair = fleet.pair(&["status"])?;
            times.push((count, pair.ours));
            let mut rows = vec![fleet.time(&figure, &pair), fleet.peak(&["status"])?];
            if count == 100_000 {
                rows.push(fleet.other(&["status", "--json"])?);
                rows.push(fleet.other(&["status", "--ics", "-"])?);
            }
            Ok(rows)
        });
        match measured {
            Ok(more) => rows.extend(more),
            Err(why) => rows.push(Row::failed(&figure, &why)),
        }
    }
    rows.extend(growth(&times));
    rows
}

/// What each further profile costs, between the two largest sizes.
fn growth(times: &[(u32, Duration)]) -> Option<Row> {
    let [.., (few, short), (many, long)] = times else { return None };
    let more = f64::from(many - few);
    let micros = (long.as_secs_f64() - short.as_secs_f64()) * 1e6 / more;
    let figure = format!("`status`: each profile beyond {}", grouped(*few));
    Some(Row::told(&figure, format!("{micros:.2} µs")))
}

impl Fleet {
    /// A person with so many profiles that are logged in.
    fn new(shipped: &Path, place: &Place, count: u32, rounds: usize) -> Result<Self, String> {
        let home = place.folder(&format!("status-{count}"))?;
        let (_server, instance) = stand_in(shipped, &home, &[])?;
        let keep = home.join("keep");
        let person = Person::new(shipped, home);
        person.log_in(&instance, &[])?;
        let script = root().join("crates/cli/tests/foreign/fleet.py");
        output(program("python3").arg(script).arg(keep).args([PROFILE, &count.to_string()]))?;
        Ok(Self { person, count, rounds })
    }

    /// Into a file, as a person who keeps the output does.
    fn filing(&self, name: &str, of: &Command) -> Command {
        let mut command = self.person.program("/bin/sh");
        command.args(["-c", "out=$0; exec \"$@\" >\"$out\""]).arg(self.person.path(name));
        command.arg(of.get_program()).args(of.get_args());
        command
    }

    fn pair(&self, arguments: &[&str]) -> Result<Pair, String> {
        let ours = self.person.snowtoken(arguments);
        let mut theirs = self.person.program("python3");
        theirs.args(["-c", SCAN]).arg(self.person.path("keep/store/tokens.db"));
        let (mut ours, mut theirs) = (self.filing("ours", &ours), self.filing("it", &theirs));
        pairs(&mut ours, &mut theirs, self.rounds)
    }

    fn time(&self, figure: &str, pair: &Pair) -> Row {
        let (ours, theirs) = (shown(pair.ours), shown(pair.theirs));
        let row = if self.count == 100_000 {
            Row::limited(figure, pair.ours.as_secs_f64() * 1e3, MILLISECONDS, ours)
                .required(&format!("≤ {MILLISECONDS} ms"))
        } else {
            Row::told(figure, ours)
        };
        row.beside(format!("Python's `sqlite3`, the rows as they are: {theirs}"), pair.ratio())
    }

    fn peak(&self, arguments: &[&str]) -> Result<Row, String> {
        let shipped = self.person.shipped().display().to_string();
        let command: Vec<&str> = [&[shipped.as_str()], arguments].concat();
        let peak = peak_of(&self.person, &command, PEAK_RUNS)?;
        let name = arguments.join(" ");
        let figure = format!("`{name}`, {} profiles: peak memory", grouped(self.count));
        Ok(Row::told(&figure, format!("{peak:.1} MiB")))
    }

    /// Another form: its time, told with its memory.
    fn other(&self, arguments: &[&str]) -> Result<Row, String> {
        let shipped = self.person.shipped().display().to_string();
        let command: Vec<&str> = [&[shipped.as_str()], arguments].concat();
        let peak = peak_of(&self.person, &command, PEAK_RUNS)?;
        let pair = self.pair(arguments)?;
        let (ours, theirs) = (shown(pair.ours), shown(pair.theirs));
        let figure = format!("`{}`, {} profiles", arguments.join(" "), grouped(self.count));
        Ok(Row::told(&figure, format!("{ours}, peak {peak:.1} MiB"))
            .beside(format!("Python's `sqlite3`, the rows as they are: {theirs}"), pair.ratio()))
    }
}

/// `100,000`.
fn grouped(number: u32) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_readable() {
        assert_eq!([10, 1_000, 100_000].map(grouped), ["10", "1,000", "100,000"]);
    }

    #[test]
    fn growth_is_told_for_each_profile() {
        let milli = Duration::from_millis;
        assert!(growth(&[(10, milli(1))]).is_none());
        let row = growth(&[(10, milli(1)), (1_000, milli(2)), (101_000, milli(102))]);
        assert!(row.is_some_and(|row| format!("{row:?}").contains("1.00 µs")));
    }
}
