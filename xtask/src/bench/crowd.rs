//! What it costs to wait for somebody else's refresh, alone and in a crowd.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Place;
use super::person::{PROFILE, Person, stand_in};
use super::table::Row;
use super::timing::{median, shown};
use crate::run::{output, program};

/// How many come at once, and how often that is measured.
const CROWDS: [(usize, usize); 4] = [(1, 5), (10, 5), (100, 5), (1_000, 3)];
/// A thousand come to their end in this many seconds.
const TOTAL_SECONDS: f64 = 2.0;
/// One more costs no more in the largest crowd than this many times what it costs in the one before.
const GROWTH: f64 = 1.25;
/// The pretend instance gives tokens for 1799 s. One that has less left than this is refreshed, and
/// after the pause each of them has.
const MIN_VALID: &str = "1794s";
const PAUSE: Duration = Duration::from_millis(6_500);

/// Nobody is waited for longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Medians of one crowd: ours, `flock`, `cat`.
struct Crowd {
    size: usize,
    times: [Duration; 3],
}

/// One row for each crowd, and one for the whole time of the largest.
pub(super) fn rows(shipped: &Path, place: &Place) -> Vec<Row> {
    let measured: Result<Vec<Crowd>, String> = place.folder("crowd").and_then(|home| {
        let knobs = ["refresh.access=new-each-time"];
        let (_server, instance) = stand_in(shipped, &home, &knobs)?;
        let person = Person::new(shipped, home.clone());
        person.log_in(&instance, &[])?;
        CROWDS.iter().map(|(size, runs)| crowd(&person, &home, *size, *runs)).collect()
    });
    match measured {
        Ok(crowds) => told(&crowds),
        Err(why) => vec![Row::failed("a crowd that waits for one refresh", &why)],
    }
}

fn crowd(person: &Person, home: &Path, size: usize, runs: usize) -> Result<Crowd, String> {
    let file = person.file("same", &"x".repeat(86))?.display().to_string();
    let held = home.join("held").display().to_string();
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..runs {
        thread::sleep(PAUSE);
        let ours = person.snowtoken(&["token", PROFILE, "--min-valid", MIN_VALID]);
        let mut flock = person.program("/usr/bin/flock");
        flock.args([&held, "/bin/true"]);
        let mut cat = person.program("/bin/cat");
        cat.arg(&file);
        for (times, command) in times.iter_mut().zip([&ours, &flock, &cat]) {
            times.push(at_once(home, command, size)?);
        }
    }
    Ok(Crowd { size, times: times.map(|mut times| median(&mut times)) })
}

/// Lets so many go at the same moment; from then to the end of the last one.
fn at_once(folder: &Path, command: &Command, size: usize) -> Result<Duration, String> {
    let gate = Gate::new(folder)?;
    let mut waiting = (0..size).map(|n| gate.line_up(command, n)).collect::<Result<Vec<_>, _>>()?;
    let timed = gate.all_there(size).and_then(|()| gate.time(&mut waiting));
    for child in &mut waiting {
        let _ = (child.kill(), child.wait());
    }
    timed
}

/// Where they stand until all are there.
struct Gate {
    folder: PathBuf,
    pipe: PathBuf,
}

impl Gate {
    fn new(folder: &Path) -> Result<Self, String> {
        let folder = folder.join("gate");
        fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let pipe = folder.join("pipe");
        output(program("mkfifo").arg(&pipe))?;
        Ok(Self { folder, pipe })
    }

    /// A shell that becomes the command when the gate opens.
    fn line_up(&self, command: &Command, number: usize) -> Result<Child, String> {
        let script = format!(
            ">'{}/{number}'; : <'{}'; exec \"$@\"",
            self.folder.display(),
            self.pipe.display()
        );
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
        shell.env_clear().envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.spawn().map_err(|e| format!("sh: {e}"))
    }

    fn all_there(&self, size: usize) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while fs::read_dir(&self.folder).map_err(|e| e.to_string())?.count() < size + 1 {
            if Instant::now() > end {
                return Err("not all stand at the gate".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_millis(200));
        Ok(())
    }

    fn time(&self, waiting: &mut [Child]) -> Result<Duration, String> {
        let start = Instant::now();
        let _open = File::options().write(true).open(&self.pipe).map_err(|e| e.to_string())?;
        for child in waiting {
            loop {
                match child.try_wait().map_err(|e| e.to_string())? {
                    Some(status) if status.success() => break,
                    Some(status) => return Err(format!("one of the crowd: {status}")),
                    None if start.elapsed() > PATIENCE => return Err("the crowd hangs".into()),
                    None => thread::sleep(Duration::from_micros(500)),
                }
            }
        }
        Ok(start.elapsed())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn told(crowds: &[Crowd]) -> Vec<Row> {
    let Some((alone, more)) = crowds.split_first() else { return Vec::new() };
    let [ours, flock, cat] = alone.times;
    let figure = "`token`, access token ended: alone, with its refresh";
    let beside = format!("`flock`: {}, `cat`: {}", shown(flock), shown(cat));
    let mut rows = vec![
        Row::told(figure, shown(ours)).beside(beside, ours.as_secs_f64() / flock.as_secs_f64()),
    ];
    let mut before = None;
    for crowd in more {
        let [ours, flock, cat] = [0, 1, 2].map(|n| each_more(alone, crowd, n));
        let figure = format!("{} at once: each one more", crowd.size);
        let beside = format!("`flock`: {flock:.2} ms, `cat`: {cat:.2} ms");
        let row = match before.replace(ours) {
            None => Row::told(&figure, format!("{ours:.2} ms")),
            Some(less) => Row::limited(&figure, ours / less, GROWTH, format!("{ours:.2} ms"))
                .required(&format!("≤ {GROWTH} × the line before")),
        };
        rows.push(row.beside(beside, ours / flock));
    }
    if let Some(largest) = more.last() {
        let [ours, flock, _] = largest.times.map(|time| time.as_secs_f64());
        let figure = format!("{} at once: from the start to the last exit", largest.size);
        rows.push(
            Row::limited(&figure, ours, TOTAL_SECONDS, format!("{ours:.2} s"))
                .beside(format!("`flock`: {flock:.2} s"), ours / flock)
                .required(&format!("≤ {TOTAL_SECONDS} s")),
        );
    }
    rows
}

/// Milliseconds that each process adds to the time of a single one.
fn each_more(alone: &Crowd, crowd: &Crowd, which: usize) -> f64 {
    let more = crowd.times[which].as_secs_f64() - alone.times[which].as_secs_f64();
    let count = u32::try_from(crowd.size.saturating_sub(1).max(1)).map_or(1.0, f64::from);
    more * 1000.0 / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(size: usize, ours: u64) -> Crowd {
        let [ours, other] = [ours, 10].map(Duration::from_millis);
        Crowd { size, times: [ours, other, other] }
    }

    #[test]
    fn a_cost_that_grows_with_the_crowd_is_missed() {
        // 2 ms each, then 2, then 2.
        let even = told(&[crowd(1, 20), crowd(10, 38), crowd(100, 218), crowd(1_000, 1_900)]);
        assert_eq!(even.len(), 5);
        assert!(even.iter().all(|row| !row.is_missed()));
        // 2 ms each, then 2, then 6.
        let grows = told(&[crowd(1, 20), crowd(10, 38), crowd(100, 218), crowd(1_000, 6_014)]);
        assert_eq!(grows.iter().filter(|row| row.is_missed()).count(), 2);
    }
}
