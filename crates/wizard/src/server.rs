//! HTTP ↔ site: a listener on a loopback address, with limits on size, time and number. What it
//! answers beside pages are constants.

mod answer;
mod mute;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use snowtoken::Secret;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use zeroize::{Zeroize as _, Zeroizing};

use crate::guard::{CSRF_FIELD, Guard, LARGEST_FORM, Pass, Refusal};
use crate::site::{Form, Reply, Site};
use answer::Answer;
use mute::Mute;

/// A connection that sends no whole request head within this time is closed.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// A form that is not here whole within this time is not read.
const FORM_LIMIT: Duration = Duration::from_secs(10);

/// The largest request head, in bytes.
const LARGEST_HEAD: usize = 32 * 1024;

/// More connections than this at once: the oldest makes room.
const MOST_CONNECTIONS: usize = 256;

/// How often it looks whether anybody is still there.
const LOOK: Duration = Duration::from_secs(1);

/// What a run of the wizard is made of.
pub struct Options {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Ends when nobody has asked for anything for so long.
    pub idle: Duration,
    /// The one-time key, the cookie's value and the forms' token: 32 random bytes each, as text.
    pub keys: [Secret; 3],
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("port", &self.port).finish_non_exhaustive()
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
    // Bound without SO_REUSEADDR tricks: nobody else can have this port meanwhile.
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
            last: Cell::new(Instant::now()),
            over: Cell::new(false),
        };
        LocalSet::new().block_on(&runtime, run(socket, Rc::new(service), idle, stopped));
        let _ = tell.send(());
    };
    let thread = std::thread::Builder::new().name("wizard".to_owned()).spawn(serve)?;
    Ok(Running { link, port, stop: Some(stop), ended, thread: Some(thread) })
}

struct Service<S> {
    guard: RefCell<Guard>,
    site: RefCell<S>,
    /// When somebody who was let in asked for something last.
    last: Cell<Instant>,
    /// The person is done.
    over: Cell<bool>,
}

async fn run<S: Site + 'static>(
    socket: StdListener,
    service: Rc<Service<S>>,
    idle: Duration,
    stopped: oneshot::Receiver<()>,
) {
    let Ok(socket) = TcpListener::from_std(socket) else { return };
    let accepting = spawn_local(accept(socket, service.clone()));
    let watching = async {
        loop {
            tokio::time::sleep(LOOK.min(idle)).await;
            if service.over.get() || service.last.get().elapsed() >= idle {
                break;
            }
        }
    };
    tokio::select! {
        _ = stopped => {}
        () = watching => {}
    }
    accepting.abort();
}

async fn accept<S: Site + 'static>(socket: TcpListener, service: Rc<Service<S>>) {
    let mut open: VecDeque<JoinHandle<()>> = VecDeque::new();
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                open.retain(|task| !task.is_finished());
                open.push_back(spawn_local(serve(stream, service.clone())));
                if open.len() > MOST_CONNECTIONS
                    && let Some(oldest) = open.pop_front()
                {
                    oldest.abort();
                }
            }
            // Out of file descriptors, or the like: others may be closed meanwhile.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve<S: Site + 'static>(stream: TcpStream, service: Rc<Service<S>>) {
    let answered = Rc::new(Cell::new(false));
    let mute = Mute::new(stream, answered.clone());
    let answer = service_fn(move |request| {
        let (service, answered) = (service.clone(), answered.clone());
        async move {
            let response = service.respond(request).await;
            answered.set(true);
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(64)
        .keep_alive(false)
        .serve_connection(TokioIo::new(mute), answer);
    drop(connection.await);
}

impl<S: Site> Service<S> {
    async fn respond(&self, request: Request<Incoming>) -> http::Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let is_head = head.method == http::Method::HEAD;
        let answer = match self.answer(&head, body).await {
            Ok(answer) => answer,
            Err(refusal) => Answer::refused(refusal),
        };
        answer.into_response(is_head)
    }

    async fn answer(&self, head: &http::request::Parts, body: Incoming) -> Result<Answer, Refusal> {
        let pass = self.guard.borrow().judge(head)?;
        let (path, query) = (head.uri.path(), head.uri.query());
        if pass == Pass::Enter {
            self.guard.borrow_mut().enter(query)?;
            self.last.set(Instant::now());
            return Ok(Answer::entered(self.guard.borrow().cookie()));
        }
        self.last.set(Instant::now());
        let reply = match pass {
            Pass::Write => {
                let form = read_form(body).await?;
                self.guard.borrow().check_csrf(form.get(CSRF_FIELD))?;
                self.site.borrow_mut().post(path, form)
            }
            _ => self.site.borrow_mut().get(path, query),
        };
        if matches!(reply, Reply::Goodbye(_)) {
            self.over.set(true);
        }
        match reply {
            Reply::NotFound => Err(Refusal::NotFound),
            reply => Ok(Answer::of(reply, self.guard.borrow().csrf())),
        }
    }
}

/// Reads a form whole, within size and time.
async fn read_form(body: Incoming) -> Result<Form, Refusal> {
    let limit = usize::try_from(LARGEST_FORM).unwrap_or(usize::MAX);
    let whole = tokio::time::timeout(FORM_LIMIT, Limited::new(body, limit).collect()).await;
    let bytes = whole.map_err(|_| Refusal::Malformed)?.map_err(|_| Refusal::TooLarge)?.to_bytes();
    let mut text = Zeroizing::new(Vec::from(bytes));
    let form = Form::parse(&text);
    text.zeroize();
    form.ok_or(Refusal::Malformed)
}
