//! The loop, with threads that do the jobs.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::{Done, Job, Keeping, Tally};

/// So many jobs are done at a time, over all instances.
const WORKERS: usize = 16;

/// Jobs end by themselves long before this; it is there so that a stop never hangs.
const LAST_WAIT: Duration = Duration::from_mins(1);

enum Message {
    Done(Box<Done>),
    Reload,
    Stop,
}

/// What a loop listens to.
#[derive(Debug)]
pub struct Inbox {
    messages: Receiver<Message>,
    sender: Sender<Message>,
}

/// Tells a loop from outside what to do; copies tell the same one.
#[derive(Debug, Clone)]
pub struct Control(Sender<Message>);

impl Control {
    /// Finish what is under way, begin nothing new, end.
    pub fn stop(&self) {
        let _ = self.0.send(Message::Stop);
    }

    /// Read configuration and store again.
    pub fn reload(&self) {
        let _ = self.0.send(Message::Reload);
    }
}

/// An inbox, and the way to write to it.
pub fn inbox() -> (Control, Inbox) {
    let (sender, messages) = mpsc::channel();
    (Control(sender.clone()), Inbox { messages, sender })
}

/// Keeps everything alive until it is told to stop; or, with `once`, does what is due now and ends.
pub fn run(keeping: Keeping, inbox: &Inbox, once: bool) -> Tally {
    let mut keeping = if once { keeping.for_one_round() } else { keeping };
    let mut pool = Pool::new(inbox.sender.clone());
    loop {
        let now = keeping.now();
        keeping.look(now);
        while pool.has_room() {
            let Some(job) = keeping.next_job(now) else { break };
            pool.give(job);
        }
        if once && pool.under_way == 0 {
            return keeping.tally();
        }
        match inbox.messages.recv_timeout(wait(now, &keeping)) {
            Ok(Message::Done(done)) => pool.take(&mut keeping, &done),
            Ok(Message::Reload) => keeping.reload(),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    while pool.under_way > 0 {
        match inbox.messages.recv_timeout(LAST_WAIT) {
            Ok(Message::Done(done)) => pool.take(&mut keeping, &done),
            Ok(Message::Reload | Message::Stop) => {}
            Err(_) => break,
        }
    }
    keeping.tally()
}

/// Until the next thing that is due. The machine may sleep meanwhile, so it is never long.
fn wait(now: Timestamp, keeping: &Keeping) -> Duration {
    let wait = Duration::try_from(keeping.wake_at(now).duration_since(now)).unwrap_or_default();
    wait.clamp(Duration::from_millis(1), super::LOOK.unsigned_abs())
}

/// Threads that do jobs; they are started as they are needed and end with the pool.
struct Pool {
    jobs: Sender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    results: Sender<Message>,
    threads: usize,
    under_way: usize,
}

impl Pool {
    fn new(results: Sender<Message>) -> Self {
        let (jobs, queue) = mpsc::channel();
        Self { jobs, queue: Arc::new(Mutex::new(queue)), results, threads: 0, under_way: 0 }
    }

    fn has_room(&self) -> bool {
        self.under_way < WORKERS
    }

    fn give(&mut self, job: Job) {
        self.under_way += 1;
        if self.threads < self.under_way && self.start().is_ok() {
            self.threads += 1;
        }
        if self.threads == 0 {
            // No thread can be had: then it is done here.
            let done = Box::new(job.run());
            let _ = self.results.send(Message::Done(done));
        } else {
            let _ = self.jobs.send(job);
        }
    }

    fn start(&self) -> std::io::Result<()> {
        let (queue, results) = (self.queue.clone(), self.results.clone());
        let work = move || {
            loop {
                let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = job else { return };
                if results.send(Message::Done(Box::new(job.run()))).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("keeper".to_owned()).spawn(work).map(drop)
    }

    fn take(&mut self, keeping: &mut Keeping, done: &Done) {
        self.under_way -= 1;
        keeping.settle(keeping.now(), done);
    }
}
