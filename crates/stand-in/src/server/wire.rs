//! A connection that can lose, slow down or cut off what is written to it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::fault::{End, Network};

/// How long a stalled connection stays open at most.
const LONGEST_STALL: Duration = Duration::from_mins(10);

/// What happens to the bytes that are written from now on; shared with whoever answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan(Arc<Mutex<Progress>>);

#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    network: Network,
    written: u64,
}

impl Plan {
    pub(super) fn set(&self, network: Network) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Progress { network, written: 0 };
    }

    fn now(&self) -> Progress {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrote(&self, bytes: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).written += bytes as u64;
    }
}

pub(super) struct Wire {
    stream: TcpStream,
    plan: Plan,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, plan: Plan) -> Self {
        Self { stream, plan, pause: None }
    }

    /// Ready when the pause is over; begins one when there is none.
    fn poll_pause(&mut self, context: &mut Context<'_>, length: Duration) -> Poll<()> {
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(length)));
        ready!(pause.as_mut().poll(context));
        self.pause = None;
        Poll::Ready(())
    }

    /// The limit is reached: what the plan wants to happen now.
    fn poll_end(&mut self, context: &mut Context<'_>, end: End) -> Poll<io::Result<usize>> {
        match end {
            End::Close => {}
            End::Reset => self.stream.set_zero_linger()?,
            End::Stall => ready!(self.poll_pause(context, LONGEST_STALL)),
        }
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Progress { network, written } = self.plan.now();
        let left = network.limit.map(|limit| limit.saturating_sub(written));
        let mut length = bytes.len();
        if let Some(left) = left {
            if left == 0 {
                return self.poll_end(context, network.end);
            }
            length = length.min(usize::try_from(left).unwrap_or(length));
        }
        if let Some(between) = network.drip {
            ready!(self.poll_pause(context, between));
            length = length.min(1);
        }
        let bytes = bytes.get(..length).unwrap_or(bytes);
        let sent = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.plan.wrote(sent);
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
