//! What a caller holds: how to start a server, and the one that runs.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Shared;
use crate::behaviour::Behaviour;
use crate::clock::Clock;
use crate::instance::Instance;
use crate::model::{Client, RecordedRequest, User};

/// How a server is started. The default is a free port of 127.0.0.1 without a control port, the
/// default client and users, and a random seed.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; only loopback addresses are taken.
    pub bind: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The port of the control interface; `Some(0)` takes a free one, `None` leaves it out.
    pub control_port: Option<u16>,
    /// The knobs.
    pub behaviour: Behaviour,
    /// The clients; when empty, one default client.
    pub clients: Vec<Client>,
    /// The users; when empty, [`User::defaults`].
    pub users: Vec<User>,
    /// The seed; when `None`, a random one, see [`Running::seed`].
    pub seed: Option<u64>,
    /// The clock; by default the machine's.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            control_port: None,
            behaviour: Behaviour::default(),
            clients: Vec::new(),
            users: Vec::new(),
            seed: None,
            clock: Clock::default(),
        }
    }
}

/// A pretend instance that is running on a thread of its own; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    pub(super) base_url: String,
    pub(super) control_url: Option<String>,
    pub(super) seed: u64,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) thread: Mutex<Option<JoinHandle<()>>>,
}

impl Running {
    /// Where the instance is, such as `http://127.0.0.1:40123`, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the control port is, if there is one.
    pub fn control_url(&self) -> Option<&str> {
        self.control_url.as_deref()
    }

    /// The seed that everything is made from; print it, so that a run can be repeated.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The instance itself, shared with the server.
    pub fn instance(&self) -> Arc<Mutex<Instance>> {
        Arc::clone(&self.shared.instance)
    }

    /// Does something with the instance while no request is being answered.
    pub fn with_instance<T>(&self, act: impl FnOnce(&mut Instance) -> T) -> T {
        act(&mut self.shared.instance())
    }

    /// The instance's time.
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Changes the instance's clock.
    pub fn with_clock<T>(&self, act: impl FnOnce(&mut Clock) -> T) -> T {
        act(&mut self.shared.clock())
    }

    /// Every request that came in, oldest first, secrets included.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.instance().requests()
    }

    /// Stops serving and waits until the ports are free again. Stopping twice is no error.
    pub fn stop(&self) {
        // Nobody listens any more when the thread has ended by itself; that is fine.
        let _ = self.stop.send(true);
        self.wait();
    }

    /// Waits until the server is stopped, from another thread or by the end of the process.
    pub fn wait(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the server's thread has been reported by itself already.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
