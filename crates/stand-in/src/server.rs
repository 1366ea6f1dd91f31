//! The shell: puts an [`Instance`] on a loopback port, with a clock and a control port.

mod running;
mod wire;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::control;
use crate::fault::Network;
use crate::instance::Instance;
use crate::model::{Client, User};
use crate::reply;
use wire::{Plan, Wire};

pub use running::{Options, Running};

const LARGEST_BODY: usize = 1024 * 1024;
const LARGEST_HEAD: usize = 128 * 1024;
const IDLE: Duration = Duration::from_mins(1);
const MOST_CONNECTIONS: usize = 512;

/// Starts pretend instances.
#[derive(Debug)]
pub struct Server;

/// What both ports share.
#[derive(Debug)]
pub(crate) struct Shared {
    instance: Arc<Mutex<Instance>>,
    clock: Mutex<Clock>,
    /// What a reset returns to.
    beginning: (Instance, Clock),
}

impl Server {
    /// Binds the ports and serves them until the answer is stopped or dropped.
    ///
    /// Errors when the address is not a loopback address, when a port is taken, or when the
    /// machine gives no randomness or threads.
    pub fn start(options: Options) -> io::Result<Running> {
        if !options.bind.is_loopback() {
            let text = format!("{} is not a loopback address", options.bind);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let seed = match options.seed {
            Some(seed) => seed,
            None => u64::from(getrandom::u32().map_err(io::Error::other)?),
        };
        let clients = non_empty(options.clients, || vec![Client::default()]);
        let users = non_empty(options.users, User::defaults);
        let beginning = Instance::with(options.behaviour, seed, clients, users);
        let shared = Arc::new(Shared {
            instance: Arc::new(Mutex::new(beginning.clone())),
            clock: Mutex::new(options.clock),
            beginning: (beginning, options.clock),
        });
        let main = bind(options.bind, options.port)?;
        let second = options.control_port.map(|port| bind(options.bind, port)).transpose()?;
        let base_url = format!("http://{}", main.local_addr()?);
        let control_url =
            second.as_ref().map(|port| port.local_addr().map(|at| format!("http://{at}")));
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("stand-in".to_owned())
            .spawn(move || runtime.block_on(serve(served, main, second, stopped)))?;
        Ok(Running {
            base_url,
            control_url: control_url.transpose()?,
            seed,
            shared,
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }
}

fn non_empty<T>(given: Vec<T>, otherwise: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if given.is_empty() { otherwise() } else { given }
}

fn bind(address: IpAddr, port: u16) -> io::Result<StdListener> {
    let listener = StdListener::bind(SocketAddr::new(address, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Shared {
    pub(crate) fn instance(&self) -> MutexGuard<'_, Instance> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock().read(Timestamp::now())
    }

    /// Back to the beginning: knobs, clients, users, tokens, logs and clock.
    pub(crate) fn reset(&self) {
        *self.instance() = self.beginning.0.clone();
        *self.clock() = self.beginning.1;
    }
}

#[derive(Clone, Copy)]
enum Port {
    Main,
    Control,
}

async fn serve(
    shared: Arc<Shared>,
    main: StdListener,
    second: Option<StdListener>,
    mut stopped: watch::Receiver<bool>,
) {
    let control = async {
        match second {
            Some(listener) => accept(&shared, listener, Port::Control).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = accept(&shared, main, Port::Main) => {}
        () = control => {}
        // An error means that the handle is gone: the same as being told to stop.
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

async fn accept(shared: &Arc<Shared>, listener: StdListener, port: Port) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, for example: wait for some to be closed.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            converse(shared, stream, port).await;
            drop(slot);
        });
    }
}

async fn converse(shared: Arc<Shared>, stream: TcpStream, port: Port) {
    // Without it a short answer may wait for an acknowledgement; an error changes only speed.
    let _ = stream.set_nodelay(true);
    let plan = Plan::default();
    let wire = Wire::new(stream, plan.clone());
    let service =
        service_fn(move |request| answer(Arc::clone(&shared), plan.clone(), port, request));
    // Connections that end badly are what faults are for; the requests are in the log.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        // The instance has a clock of its own, which tests may move.
        .auto_date_header(false)
        .header_read_timeout(IDLE)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(wire), service)
        .await;
}

async fn answer(
    shared: Arc<Shared>,
    plan: Plan,
    port: Port,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let too_large = || reply::body(413, "", Vec::new()).map(|_| Full::default());
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Ok(too_large());
    }
    let body = match timeout(IDLE, Limited::new(body, LARGEST_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(_)) => return Ok(too_large()),
        Err(_) => return Ok(reply::body(408, "", Vec::new()).map(|_| Full::default())),
    };
    let request = Request::from_parts(parts, body);
    let (response, network) = match port {
        Port::Control => (control::handle(&shared, &request), Network::default()),
        Port::Main => {
            let now = shared.now();
            let answer = shared.instance().answer(now, request);
            (answer.response, answer.network)
        }
    };
    sleep(network.delay).await;
    plan.set(network);
    Ok(response.map(|body| Full::new(Bytes::from(body))))
}
