//! HTTP ↔ site: a listener on a loopback address, with limits on size, time and number. What it
//! answers beside pages are constants.

mod answer;
mod connections;
mod form;
mod head;
mod mute;
mod peer;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use http_body_util::Full;
use hyper::body::Incoming;
use snowtoken::Secret;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

use crate::guard::{CSRF_FIELD, Guard, Pass, Refusal};
use crate::site::{MOMENT, Reply, Site};
use answer::{Aging, Answer};
use connections::Connections;
use form::{Desk, Remains};
use mute::Signs;

/// How often it looks whether anybody is still there.
const LOOK: Duration = Duration::from_secs(1);

/// A page that only looks again by itself keeps it open this many times as long as nothing at all.
const PATIENCE: u32 = 4;

/// What a run of the wizard is made of.
pub struct Options {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Ends when nobody has asked for anything for so long; a page that looks again by itself, with
    /// nobody before it, keeps it open four times as long.
    pub idle: Duration,
    /// The one-time key, the cookie's value and the forms' token: 32 random bytes each, as text.
    pub keys: [Secret; 3],
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("port", &self.port).finish_non_exhaustive()
    }
}

/// How long a connection may take; whoever is slower is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the head of its request is here.
    pub head: Duration,
    /// Until a form is here whole.
    pub form: Duration,
    /// For all of it: head, form, and an answer that is read.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(10), form: seconds(10), whole: seconds(30) }
    }
}

/// The wizard at work; dropping it closes the port.
#[derive(Debug)]
pub struct Running {
    link: Secret,
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// The link that lets one browser in, once.
    pub fn link(&self) -> &Secret {
        &self.link
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until the person has ended it, or nobody was there for a long time.
    pub fn wait(&self) {
        // It ends either by a word or with the thread.
        let _ = self.ended.recv();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Opens the port and serves the site. `make` is called on the serving thread.
///
/// # Errors
/// If the port or the thread is not to be had.
pub fn start<S: Site + 'static>(
    options: Options,
    make: impl FnOnce() -> S + Send + 'static,
) -> io::Result<Running> {
    start_within(options, Limits::default(), make)
}

/// The same with other limits.
///
/// # Errors
/// See [`start`].
pub fn start_within<S: Site + 'static>(
    options: Options,
    limits: Limits,
    make: impl FnOnce() -> S + Send + 'static,
) -> io::Result<Running> {
    // Without SO_REUSEPORT: nobody else can listen on this port meanwhile.
    let socket = StdListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
    socket.set_nonblocking(true)?;
    let port = socket.local_addr()?.port();
    let Options { idle, keys: [entry, session, csrf], .. } = options;
    let guard = Guard::new(format!("127.0.0.1:{port}"), entry, session, csrf);
    let link = guard.entry_link().ok_or_else(|| io::Error::other("no key"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let (tell, ended) = mpsc::channel();
    let serve = move || {
        let service = Service {
            guard: RefCell::new(guard),
            site: RefCell::new(make()),
            desk: Desk::default(),
            limits,
            aging: Aging::after(idle),
            idle,
            last: Cell::new(Instant::now()),
            act: Cell::new(Instant::now()),
            over: Cell::new(false),
        };
        LocalSet::new().block_on(&runtime, run(socket, Rc::new(service), stopped));
        let _ = tell.send(());
    };
    let thread = std::thread::Builder::new().name("wizard".to_owned()).spawn(serve)?;
    Ok(Running { link, port, stop: Some(stop), ended, thread: Some(thread) })
}

struct Service<S> {
    guard: RefCell<Guard>,
    site: RefCell<S>,
    desk: Desk,
    limits: Limits,
    idle: Duration,
    aging: Aging,
    /// When somebody who was let in asked for something last.
    last: Cell<Instant>,
    /// When a person did.
    act: Cell<Instant>,
    /// The person is done.
    over: Cell<bool>,
}

async fn run<S: Site + 'static>(
    socket: StdListener,
    service: Rc<Service<S>>,
    stopped: oneshot::Receiver<()>,
) {
    let Ok(socket) = TcpListener::from_std(socket) else { return };
    let connections = Connections::default();
    let accepting = spawn_local(connections.clone().accept(socket, service.clone()));
    let watching = async {
        while !service.is_over() {
            tokio::time::sleep(LOOK.min(service.idle)).await;
        }
    };
    tokio::select! {
        _ = stopped => {}
        () = watching => {}
    }
    accepting.abort();
    connections.farewell().await;
}

/// Waits for what is nearly there; nobody else has to.
async fn settled(reply: Reply) -> Reply {
    match reply {
        Reply::Soon { to, mut changes } => {
            // Whether it came or not: the page there tells.
            let _ = tokio::time::timeout(MOMENT, changes.changed()).await;
            Reply::To(to)
        }
        reply => reply,
    }
}

impl<S: Site> Service<S> {
    fn is_over(&self) -> bool {
        let (last, act) = (self.last.get().elapsed(), self.act.get().elapsed());
        self.over.get() || last >= self.idle || act >= self.idle.saturating_mul(PATIENCE)
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        signs: &Signs,
        remains: &Remains,
    ) -> http::Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let pass = if signs.head.borrow().is_odd() {
            Err(Refusal::Malformed)
        } else {
            self.guard.borrow().judge(&head)
        };
        let answer = match pass {
            Ok(pass) => {
                signs.passed.set(pass != Pass::Enter);
                self.answer(pass, &head, body, signs, remains).await
            }
            Err(refusal) => Err(refusal),
        };
        answer.unwrap_or_else(Answer::refused).into_response()
    }

    async fn answer(
        &self,
        pass: Pass,
        head: &Parts,
        body: Incoming,
        signs: &Signs,
        remains: &Remains,
    ) -> Result<Answer, Refusal> {
        let (path, query) = (head.uri.path(), head.uri.query());
        if pass == Pass::Enter {
            // The link stands in the browser's command line, which other users of this machine can read.
            // Only then is it worth asking the system whose connection it is.
            let is_stolen = self.guard.borrow().has_key(query)
                && signs.ends.is_some_and(|(peer, here)| peer::is_somebody_else(peer, here));
            if is_stolen {
                return Err(Refusal::WrongKey);
            }
            self.guard.borrow_mut().enter(query)?;
        }
        self.last.set(Instant::now());
        if pass == Pass::Enter || Guard::is_act(head) {
            self.act.set(Instant::now());
        }
        let reply = match pass {
            Pass::Enter => return Ok(Answer::entered(self.guard.borrow().cookie())),
            Pass::Again => Reply::To("/".to_owned()),
            Pass::Read => self.site.borrow_mut().get(path, query),
            Pass::Write => {
                let form = self.desk.read(body, remains, self.limits.form).await?;
                self.guard.borrow().check_csrf(form.get(CSRF_FIELD))?;
                self.site.borrow_mut().post(path, form)
            }
        };
        if matches!(reply, Reply::Goodbye(_)) {
            self.over.set(true);
        }
        match settled(reply).await {
            Reply::NotFound => Err(Refusal::NotFound),
            reply => Ok(Answer::of(reply, self.guard.borrow().csrf(), &self.aging)),
        }
    }
}
