//! A connection that says nothing of its own accord. What the HTTP library answers to garbage has
//! none of our headers: it is not let out, and a constant page of ours goes out in its stead.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddrV4;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::head::Head;
use crate::guard::Refusal;

/// What is known of a connection beside its bytes.
#[derive(Default)]
pub(super) struct Signs {
    /// One of our pages was chosen as the answer.
    pub(super) answered: Cell<bool>,
    /// The guard let the request through: it is our own browser's.
    pub(super) passed: Cell<bool>,
    /// Its ends: the other one first.
    pub(super) ends: Option<(SocketAddrV4, SocketAddrV4)>,
    /// How the head of the request looks on the wire.
    pub(super) head: RefCell<Head>,
}

/// A stream that can be written to only after one of our pages was chosen as the answer.
pub(super) struct Mute {
    stream: TcpStream,
    signs: Rc<Signs>,
    /// What is said instead of the library's own answer, as far as it is not out yet.
    instead: Option<Bytes>,
}

impl Mute {
    pub(super) fn new(stream: TcpStream, signs: Rc<Signs>) -> Self {
        Self { stream, signs, instead: None }
    }

    /// Takes the library's own answer, and puts ours in its place.
    fn replace(&mut self, own: &[u8]) -> io::Result<()> {
        if self.instead.is_some() {
            return Ok(());
        }
        let refusal = match own.get(9..12) {
            Some(b"400") => Refusal::Malformed,
            Some(b"414") => Refusal::LongTarget,
            Some(b"431") if self.signs.head.borrow().is_in_first_line() => Refusal::LongTarget,
            Some(b"431") => Refusal::LargeHead,
            // It answers nothing else of its own accord; if it ever does, nothing is said.
            _ => return Err(io::ErrorKind::ConnectionAborted.into()),
        };
        self.instead = Some(Answer::refused(refusal).into_bytes());
        Ok(())
    }

    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.instead.as_mut().filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => rest.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Mute {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.signs.head.borrow_mut().look_at(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Mute {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.signs.answered.get() {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        Poll::Ready(self.replace(bytes).map(|()| bytes.len()))
    }

    /// Pages are written from where they are, so that no copy of them stays behind.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.signs.answered.get() {
            return Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        }
        let first = parts.iter().find(|part| !part.is_empty());
        let taken = self.replace(first.map(|part| &**part).unwrap_or_default());
        Poll::Ready(taken.map(|()| parts.iter().map(|part| part.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
