//! A running command: what it says so far, what it is told, and its bounded end.

use std::io::{Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Nothing in these tests may take longer; a command that hangs is ended and the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes that another thread is still reading.
#[derive(Clone, Default)]
pub(crate) struct Stream(Arc<(Mutex<SoFar>, Condvar)>);

/// The bytes so far, and whether they are all.
type SoFar = (Vec<u8>, bool);

impl Stream {
    /// Reads to the end in a thread of its own.
    pub(crate) fn read(mut from: impl Read + Send + 'static) -> (Self, JoinHandle<()>) {
        let stream = Self::default();
        let ours = stream.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A pseudo-terminal ends with an error, a pipe with nothing.
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                ours.0.0.lock().unwrap().0.extend_from_slice(&buffer[..n]);
                ours.0.1.notify_all();
            }
            ours.0.0.lock().unwrap().1 = true;
            ours.0.1.notify_all();
        });
        (stream, reader)
    }

    /// What has come so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.0.lock().unwrap().0.clone()
    }

    /// What has come so far, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Waits until `look` finds something in the text; `None` when time or the stream is over.
    pub(crate) fn wait<T>(
        &self,
        patience: Duration,
        look: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + patience;
        let mut state = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = look(&String::from_utf8_lossy(&state.0)) {
                return Some(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.1 || left.is_zero() {
                return None;
            }
            state = self.0.1.wait_timeout(state, left).unwrap().0;
        }
    }
}

/// The first complete line that `wanted` likes.
pub(crate) fn line(text: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let complete = &text[..=text.rfind('\n')?];
    complete.lines().find(|line| wanted(line)).map(str::to_owned)
}

/// A line that is an authorization URL and nothing else.
pub(crate) fn is_authorization_url(line: &str) -> bool {
    line.starts_with("http") && line.contains("response_type=code") && !line.contains(' ')
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    readers: Vec<JoinHandle<()>>,
    shown: String,
}

impl Running {
    /// Starts it, with pipes at all three streams.
    pub(crate) fn start(mut command: Command) -> Self {
        let shown = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{shown}: {e}"));
        let (stdout, one) = Stream::read(child.stdout.take().unwrap());
        let (stderr, two) = Stream::read(child.stderr.take().unwrap());
        let stdin = child.stdin.take();
        Self { child, stdin, stdout, stderr, readers: vec![one, two], shown }
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input, which stays open. It may have ended already: that is no error
    /// of the test, what it said decides.
    pub(crate) fn write(&mut self, text: impl AsRef<[u8]>) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(text.as_ref()).and_then(|()| stdin.flush());
        }
    }

    /// Ends its standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for a line on standard error.
    pub(crate) fn stderr_line(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.stderr.wait(PATIENCE, |text| line(text, &wanted)).unwrap_or_else(|| {
            panic!("{} never said it on stderr:\n{}", self.shown, self.stderr.text())
        })
    }

    /// The authorization URL, which stands alone on its line.
    pub(crate) fn authorization_url(&self) -> String {
        self.stderr_line(is_authorization_url)
    }

    /// Whether it is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(mut self) -> Outcome {
        let _ = self.child.kill();
        self.finish()
    }

    /// Waits for its end. Standard input stays as it is until then.
    pub(crate) fn finish(self) -> Outcome {
        self.finish_within(PATIENCE)
    }

    /// The same for what has more to do than most.
    pub(crate) fn finish_within(mut self, patience: Duration) -> Outcome {
        let end = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("{} did not end; stderr:\n{}", self.shown, self.stderr.text());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        // A grandchild may hold the pipe: its words are not waited for longer than this.
        let _ = self.stdout.wait(Duration::from_secs(2), |_| None::<()>);
        let _ = self.stderr.wait(Duration::from_secs(2), |_| None::<()>);
        Outcome { code: status.code(), stdout: self.stdout.text(), stderr: self.stderr.text() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.readers.clear();
    }
}

/// How a command ended.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// It succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ended_with(&[0])
    }

    /// It ended with one of these codes.
    #[track_caller]
    pub(crate) fn ended_with(self, codes: &[i32]) -> Self {
        let fits = self.code.is_some_and(|code| codes.contains(&code));
        assert!(fits, "not {codes:?}: {self:#?}");
        self
    }

    /// It failed in the form that contract §3 and §7.10 promise; returns the diagnosis code.
    #[track_caller]
    pub(crate) fn failed_with(self, codes: &[i32]) -> (Self, Option<String>) {
        let this = self.ended_with(codes);
        assert_eq!(this.stdout, "", "a failure writes nothing to stdout: {this:#?}");
        let starts = |word: &str| this.stderr.lines().find(|line| line.starts_with(word));
        assert!(starts("error: ").is_some(), "no `error:` line: {this:#?}");
        let code = starts("code: ").map(|line| {
            let rest = &line["code: ".len()..];
            rest.split_whitespace().next().unwrap_or_default().to_owned()
        });
        assert!(this.code == Some(2) || code.is_some(), "no `code:` line: {this:#?}");
        (this, code)
    }

    /// Standard output without its one newline.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let token = self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("{self:#?}"));
        assert!(!token.is_empty() && !token.contains(char::is_whitespace), "{self:#?}");
        token.to_owned()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }

    /// Everything it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}
