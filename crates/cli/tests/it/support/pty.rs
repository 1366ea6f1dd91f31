//! Runs the command in a terminal of its own, as a person at a keyboard does.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use super::process::{PATIENCE, Stream};

/// A command in a terminal.
pub(crate) struct Terminal {
    child: Child,
    master: File,
    /// Kept open so that the terminal and its settings outlive the command.
    slave: Option<File>,
    shown: Stream,
    reader: Option<JoinHandle<()>>,
    before: Termios,
}

/// What a terminal session left behind.
#[derive(Debug)]
pub(crate) struct Session {
    /// `None` if a signal ended the command.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Every byte the terminal showed.
    pub(crate) shown: Vec<u8>,
    /// Whether typed characters are shown again and lines are edited, as before.
    pub(crate) restored: bool,
}

impl Session {
    /// What the terminal showed, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}

impl Terminal {
    /// Starts the command in a terminal that is so many columns wide.
    pub(crate) fn start(command: &Command, columns: u16) -> Self {
        let (master, slave) = pair(columns);
        let before = tcgetattr(&slave).unwrap();
        // `setsid --ctty` makes the terminal the controlling one and then becomes the command.
        let mut session = Command::new("/usr/bin/setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        session.env_clear().env("TERM", "xterm-256color");
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        let end = || slave.try_clone().unwrap();
        session.stdin(end()).stdout(end()).stderr(end());
        let child = session.spawn().unwrap();
        // The standard library keeps the ends given to it until the command is dropped.
        drop(session);
        let (shown, reader) = Stream::read(master.try_clone().unwrap());
        Self { child, master, slave: Some(slave), shown, reader: Some(reader), before }
    }

    /// Types. A terminal takes a little at a time, and so does this.
    pub(crate) fn keys(&mut self, text: impl AsRef<[u8]>) {
        for piece in text.as_ref().chunks(256) {
            // A command that has ended reads no more: what it showed decides.
            if self.master.write_all(piece).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Pastes as a modern terminal does: between marks, if the command asked for them.
    pub(crate) fn bracketed(&mut self, text: &str) {
        self.keys(format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Waits until the terminal has shown something.
    pub(crate) fn wait<T>(&self, look: impl Fn(&str) -> Option<T>) -> T {
        self.shown
            .wait(PATIENCE, look)
            .unwrap_or_else(|| panic!("never shown; shown was:\n{}", self.shown.text()))
    }

    /// What the terminal has shown so far.
    pub(crate) fn text(&self) -> String {
        self.shown.text()
    }

    /// Whether characters typed now would be shown.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(self.slave.as_ref().unwrap()).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of the command.
    pub(crate) fn finish(mut self) -> Session {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it did not end; shown was:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(2));
        };
        let after = tcgetattr(self.slave.as_ref().unwrap()).unwrap();
        let wanted = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        let restored = (after.local_modes & wanted) == (self.before.local_modes & wanted);
        // With the last end closed, the reader comes to the end too.
        self.slave = None;
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        Session { code: status.code(), signal, shown: self.shown.bytes(), restored }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pair(columns: u16) -> (File, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master: OwnedFd = openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    // This process has no terminal of its own to lose: `setsid` in the child takes it over.
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NO_CONTROLLING_TERMINAL);
    let slave = options.read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (File::from(master), slave)
}

const NO_CONTROLLING_TERMINAL: i32 = rustix::fs::OFlags::NOCTTY.bits().cast_signed();

/// The text without what only moves the cursor or sets colours.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\x1b' && rest.peek() == Some(&'[') {
            rest.next();
            while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
        } else if c != '\r' {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).env("PATH", "/usr/bin:/bin");
        command
    }

    #[test]
    fn a_program_finds_a_terminal_and_echo_is_seen() {
        let script = "test -t 0 && test -t 2 && read x && stty size && echo \"got $x\"";
        let mut terminal = Terminal::start(&shell(script), 77);
        terminal.keys("hello\r");
        let session = terminal.finish();
        assert_eq!(session.code, Some(0));
        assert_eq!(plain(&session.text()), "hello\n40 77\ngot hello\n");
        assert!(session.restored);
    }

    #[test]
    fn a_terminal_left_without_echo_is_noticed() {
        let session = Terminal::start(&shell("stty -echo"), 80).finish();
        assert!(!session.restored);
    }

    #[test]
    fn control_c_reaches_the_program() {
        let mut terminal =
            Terminal::start(&shell("trap 'exit 7' INT; echo on; sleep 20 & wait"), 80);
        terminal.wait(|text| text.contains("on").then_some(()));
        terminal.keys("\x03");
        assert_eq!(terminal.finish().code, Some(7));
    }
}
