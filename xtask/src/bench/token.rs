//! What `token` costs beside `cat` of a file that holds the same bytes.

use std::path::Path;

use super::Place;
use super::person::{PROFILE, Person, stand_in};
use super::table::Row;
use super::timing::{pairs, said, shown};
use crate::run::{output, program};

const ROUNDS: usize = 600;
const TIMES_OF_CAT: f64 = 2.0;
const PEAK_MIB: f64 = 10.0;
const PEAK_RUNS: usize = 25;

const TIME: &str = "`token`, living, key file: whole process, against `cat`";
const PEAK: &str = "`token`: peak memory of the process";

/// Time and memory.
pub(super) fn rows(shipped: &Path, place: &Place) -> Vec<Row> {
    let ready = place.folder("token").and_then(|home| {
        let (_server, instance) = stand_in(shipped, &home, &[])?;
        let person = Person::new(shipped, home);
        person.log_in(&instance, &[])?;
        let token = said(&mut person.snowtoken(&["token", PROFILE]))?;
        let same = person.file("same", &token)?;
        Ok((person, same.display().to_string()))
    });
    match ready {
        Ok((person, same)) => vec![
            time(&person, &same).unwrap_or_else(|why| Row::failed(TIME, &why)),
            peak(&person, &same).unwrap_or_else(|why| Row::failed(PEAK, &why)),
        ],
        Err(why) => vec![Row::failed(TIME, &why), Row::failed(PEAK, &why)],
    }
}

fn time(person: &Person, same: &str) -> Result<Row, String> {
    let mut ours = person.snowtoken(&["token", PROFILE]);
    let mut cat = person.program("/bin/cat");
    let pair = pairs(&mut ours, cat.arg(same), ROUNDS)?;
    Ok(Row::limited(TIME, pair.ratio(), TIMES_OF_CAT, shown(pair.ours))
        .beside(format!("`cat`: {}", shown(pair.theirs)), pair.ratio())
        .required(&format!("≤ {TIMES_OF_CAT} × `cat`")))
}

/// The most that any of some runs had in memory at once.
fn peak(person: &Person, same: &str) -> Result<Row, String> {
    let ours =
        peak_of(person, &[&person.shipped().display().to_string(), "token", PROFILE], PEAK_RUNS)?;
    let cat = peak_of(person, &["/bin/cat", same], PEAK_RUNS)?;
    Ok(Row::limited(PEAK, ours, PEAK_MIB, format!("{ours:.1} MiB"))
        .beside(format!("`cat`: {cat:.1} MiB"), ours / cat)
        .required(&format!("≤ {PEAK_MIB} MiB")))
}

/// GNU time starts it: a program of 1 MiB, so that what a child has before its `exec` (its
/// parent's pages, which the kernel counts as its own) does not decide the figure.
pub(super) fn peak_of(person: &Person, command: &[&str], runs: usize) -> Result<f64, String> {
    let answer = person.file("peak", "")?;
    let mut most = 0.0_f64;
    for _ in 0..runs {
        let mut time = person.program("/usr/bin/time");
        time.args(["-f", "%M", "-o"]).arg(&answer).args(command);
        said(&mut time).map_err(|why| format!("GNU time (package `time`): {why}"))?;
        let kib = output(program("cat").arg(&answer))?;
        let kib: f64 = kib.trim().parse().map_err(|_| format!("GNU time said {kib}"))?;
        most = most.max(kib / 1024.0);
    }
    Ok(most)
}
