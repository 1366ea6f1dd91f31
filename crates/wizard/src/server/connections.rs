//! Connections: how many, how long, and how they end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;

use super::Service;
use super::form::Remains;
use super::mute::{Mute, Signs};
use crate::site::Site;

/// What still comes after the answer is read for so long, and no more than so much: closing before
/// would take the answer back (RFC 9112 §9.6).
const LINGER: (Duration, usize) = (Duration::from_secs(2), 4 * 1024 * 1024);

/// Answers that are on their way at the end get this much time.
const FAREWELL: Duration = Duration::from_secs(2);

/// The largest request head, in bytes, and its most headers.
const LARGEST_HEAD: (usize, usize) = (32 * 1024, 64);

/// More connections than this at once: another makes room.
const MOST: usize = 256;

/// The connections that are open.
#[derive(Clone, Default)]
pub(super) struct Connections(Rc<RefCell<VecDeque<Open>>>);

struct Open {
    task: JoinHandle<()>,
    signs: Rc<Signs>,
}

impl Connections {
    /// Takes connections until it is dropped.
    pub(super) async fn accept<S: Site + 'static>(
        self,
        socket: TcpListener,
        service: Rc<Service<S>>,
    ) {
        loop {
            match socket.accept().await {
                Ok((stream, peer)) => {
                    let signs = Rc::new(Signs { ends: ends(&stream, peer), ..Signs::default() });
                    let task = spawn_local(serve(stream, service.clone(), signs.clone()));
                    self.add(Open { task, signs });
                }
                // Out of file descriptors, or the like: others may be closed meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn add(&self, new: Open) {
        let mut open = self.0.borrow_mut();
        open.retain(|one| !one.task.is_finished());
        if open.len() >= MOST {
            // The oldest of strangers; our own browser's only if there is no other.
            let at = open.iter().position(|one| !one.signs.passed.get()).unwrap_or(0);
            if let Some(one) = open.remove(at) {
                one.task.abort();
            }
        }
        open.push_back(new);
    }

    /// Lets our own browser's connections come to their end.
    pub(super) async fn farewell(&self) {
        let all = std::mem::take(&mut *self.0.borrow_mut());
        let ours = all.into_iter().filter(|one| one.signs.passed.get());
        let finish = async {
            for one in ours {
                drop(one.task.await);
            }
        };
        drop(timeout(FAREWELL, finish).await);
    }
}

/// Both ends of a connection: the other one first.
fn ends(stream: &TcpStream, peer: SocketAddr) -> Option<(SocketAddrV4, SocketAddrV4)> {
    match (peer, stream.local_addr()) {
        (SocketAddr::V4(peer), Ok(SocketAddr::V4(here))) => Some((peer, here)),
        _ => None,
    }
}

async fn serve<S: Site + 'static>(stream: TcpStream, service: Rc<Service<S>>, signs: Rc<Signs>) {
    // Before the connection, so that it goes after it.
    let remains = Rc::new(Remains::default());
    let whole = service.limits.whole;
    drop(timeout(whole, talk(stream, service, signs, remains.clone())).await);
}

async fn talk<S: Site + 'static>(
    stream: TcpStream,
    service: Rc<Service<S>>,
    signs: Rc<Signs>,
    remains: Rc<Remains>,
) -> io::Result<()> {
    let mute = Mute::new(stream, signs.clone());
    let limit = service.limits.head;
    let answer = service_fn(move |request| {
        let (service, signs, remains) = (service.clone(), signs.clone(), remains.clone());
        Box::pin(async move {
            let response = service.respond(request, &signs, &remains).await;
            signs.answered.set(true);
            Ok::<_, Infallible>(response)
        })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limit)
        .max_buf_size(LARGEST_HEAD.0)
        .max_headers(LARGEST_HEAD.1)
        .keep_alive(false)
        // Answers are constants; none is kept, so when it was made tells nobody anything.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(mute), answer);
    // What went wrong was said by a page of ours, or there is nobody to say it to.
    drop(poll_fn(|context| connection.poll_without_shutdown(context)).await);
    let parts = connection.into_parts();
    drop(parts.read_buf);
    linger(parts.io.into_inner()).await
}

/// Ends the answer, and hears the other side out.
async fn linger(mut mute: Mute) -> io::Result<()> {
    mute.shutdown().await?;
    let (time, most) = LINGER;
    let hear = async {
        let (mut buffer, mut heard) = ([0; 4096], 0);
        while heard < most {
            match mute.read(&mut buffer).await {
                Ok(n @ 1..) => heard += n,
                _ => break,
            }
        }
    };
    drop(timeout(time, hear).await);
    Ok(())
}
