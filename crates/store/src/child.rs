//! A program of a person's own that is heard beside us and ended when it takes too long: what the key
//! command and `age` have in common.

use std::io::Read;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

/// Reads a stream beside us, at most `limit` bytes. What is heard is sent once, when the stream ends;
/// nothing is sent if it cannot be read, or if no thread is to be had: then the receiver ends.
pub fn collect(
    stream: Option<impl Read + Send + 'static>,
    limit: usize,
) -> Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stream) = stream {
        let _ = thread::Builder::new().name("child".into()).spawn(move || {
            // At its full size from the start: growing would leave copies of a secret behind. One more,
            // since the end of a full buffer is only seen by reading on.
            let mut text = Zeroizing::new(Vec::with_capacity(limit + 1));
            let most = u64::try_from(limit).unwrap_or(u64::MAX);
            if stream.take(most).read_to_end(&mut text).is_ok() {
                // Nobody listens any more when the time is up.
                let _ = sender.send(text);
            }
        });
    }
    receiver
}

/// Waits for the end until `deadline`, and then ends it; `None` if that was needed.
pub fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => {
                // It may have ended this very moment; either way it is gone.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
