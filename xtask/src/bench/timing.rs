//! Whole processes against the clock.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::run::program;

/// The longest that one series may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two commands that took turns.
pub(super) struct Pair {
    pub(super) ours: Duration,
    pub(super) theirs: Duration,
}

impl Pair {
    /// How often theirs fits into ours.
    pub(super) fn ratio(&self) -> f64 {
        self.ours.as_secs_f64() / self.theirs.as_secs_f64()
    }
}

/// Medians of two commands from start to end, A B A B, after some rounds that do not count.
pub(super) fn pairs(
    ours: &mut Command,
    theirs: &mut Command,
    rounds: usize,
) -> Result<Pair, String> {
    let watch = Watch::start(PATIENCE);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for round in 0..rounds + rounds / 10 {
        let one = (watch.time(ours)?.0, watch.time(theirs)?.0);
        if round >= rounds / 10 {
            a.push(one.0);
            b.push(one.1);
        }
    }
    Ok(Pair { ours: median(&mut a), theirs: median(&mut b) })
}

/// What a command prints, if it ends well and in time.
pub(super) fn said(command: &mut Command) -> Result<String, String> {
    let (_, bytes) = Watch::start(PATIENCE).time(command)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The middle one.
pub(super) fn median<T: PartialOrd + Copy + Default>(values: &mut [T]) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Milliseconds for people.
pub(super) fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// Ends the process of the moment when the time for the whole series is over. It sleeps until
/// then, so it costs the measured nothing.
struct Watch {
    current: Arc<AtomicU32>,
    _done: Sender<()>,
}

impl Watch {
    fn start(patience: Duration) -> Self {
        let current = Arc::new(AtomicU32::new(0));
        let (sender, receiver) = channel::<()>();
        let watched = current.clone();
        thread::spawn(move || {
            let over = receiver.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            let pid = watched.load(Ordering::SeqCst);
            if over && pid != 0 {
                let _ = program("kill").args(["-9", &pid.to_string()]).status();
            }
        });
        Self { current, _done: sender }
    }

    /// From before the start to after the end, everything that it printed read.
    fn time(&self, command: &mut Command) -> Result<(Duration, Vec<u8>), String> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let name = command.get_program().to_string_lossy().into_owned();
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let fail = |e: std::io::Error| format!("{name}: {e}");
        let mut printed = Vec::with_capacity(16 * 1024);
        let start = Instant::now();
        let mut child = command.spawn().map_err(fail)?;
        self.current.store(child.id(), Ordering::SeqCst);
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_end(&mut printed).map_err(fail)?;
        }
        let status = child.wait().map_err(fail)?;
        let time = start.elapsed();
        self.current.store(0, Ordering::SeqCst);
        if status.success() { Ok((time, printed)) } else { Err(format!("{name}: {status}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&mut [3, 1, 900]), 3);
        assert_eq!(median::<Duration>(&mut []), Duration::ZERO);
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_hangs_is_ended() {
        let watch = Watch::start(Duration::from_millis(100));
        let start = Instant::now();
        assert!(watch.time(Command::new("sleep").arg("30")).is_err());
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
