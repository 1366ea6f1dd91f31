//! A process that runs beside us, and what it says.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Ended when it is dropped, if it has not ended by itself.
pub(super) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    heard: Vec<String>,
    name: String,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let mut child = command.spawn().map_err(|e| format!("{name}: {e}"))?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            listen(stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            listen(stderr, sender);
        }
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, lines, heard: Vec::new(), name })
    }

    /// Waits for the first line in which there is what is wanted.
    pub(super) fn hear<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(rest) else {
                return Err(format!("{} did not say it: {}", self.name, self.heard.join(" ")));
            };
            let found = wanted(&line);
            self.heard.push(line);
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("its input is closed")?;
        stdin.write_all(text.as_bytes()).map_err(|e| format!("{}: {e}", self.name))
    }

    /// The most it has had in memory at once, in MiB, while it runs.
    pub(super) fn peak(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", self.name))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("{} has no VmHWM", self.name))
    }

    /// There is no more to come.
    pub(super) fn close(&mut self) {
        self.stdin = None;
    }

    /// Waits until it has ended well. It is asked every half millisecond.
    pub(super) fn finish(mut self) -> Result<(), String> {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            match self.child.try_wait().map_err(|e| format!("{}: {e}", self.name))? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    self.heard.extend(self.lines.iter());
                    return Err(format!("{}: {status}: {}", self.name, self.heard.join(" ")));
                }
                None if Instant::now() > end => return Err(format!("{} hangs", self.name)),
                None => thread::sleep(Duration::from_micros(500)),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn listen(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            // It is read to the end even when nobody listens: a full pipe would stop the writer.
            let _ = to.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}
