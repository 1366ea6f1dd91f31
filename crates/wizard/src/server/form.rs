//! Forms: read whole, within size, time and number; what was read is wiped.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use zeroize::{Zeroize as _, Zeroizing};

use crate::guard::{LARGEST_FORM, Refusal};
use crate::site::Form;

/// More forms than this at once are not read: a browser sends one.
const MOST: usize = 8;

/// How many forms are on their way.
#[derive(Default)]
pub(super) struct Desk(Cell<usize>);

struct Place<'a>(&'a Cell<usize>);

impl Desk {
    fn place(&self) -> Result<Place<'_>, Refusal> {
        if self.0.get() >= MOST {
            return Err(Refusal::Busy);
        }
        self.0.set(self.0.get() + 1);
        Ok(Place(&self.0))
    }

    /// Reads a form whole within this time. What it was read from goes to `remains`.
    pub(super) async fn read(
        &self,
        body: Incoming,
        remains: &Remains,
        limit: Duration,
    ) -> Result<Form, Refusal> {
        let _place = self.place()?;
        let whole = tokio::time::timeout(limit, collect(body, remains)).await;
        let text = whole.map_err(|_| Refusal::Malformed)??;
        Form::parse(&text).ok_or(Refusal::Malformed)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn collect(mut body: Incoming, remains: &Remains) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    // The guard has seen a length within the limit; of that size no part is ever moved.
    let length = body.size_hint().exact().ok_or(Refusal::Malformed)?;
    if length > LARGEST_FORM {
        return Err(Refusal::TooLarge);
    }
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default()));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed)?;
        if let Ok(data) = frame.into_data() {
            text.extend_from_slice(&data);
            remains.keep(data);
        }
    }
    Ok(text)
}

/// Parts of forms in the library's own buffers. They can be wiped once nothing else holds the
/// buffers: this must be the last of a connection to go.
#[derive(Default)]
pub(super) struct Remains(RefCell<Vec<Bytes>>);

impl Remains {
    fn keep(&self, part: Bytes) {
        self.0.borrow_mut().push(part);
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        // From the end: the first part of a buffer is then alone with it, and reaches to its end.
        while let Some(part) = self.0.get_mut().pop() {
            if let Ok(mut buffer) = part.try_into_mut() {
                buffer.resize(buffer.capacity(), 0);
                buffer.zeroize();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    /// Two parts of one buffer, as the HTTP library hands them out while it keeps the rest.
    #[test]
    fn parts_that_are_alone_with_their_buffer_at_last_are_the_whole_of_it() {
        let mut buffer = BytesMut::with_capacity(64);
        buffer.extend_from_slice(b"head;first-part;second-part");
        drop(buffer.split_to(5));
        let remains = Remains::default();
        let start = buffer.as_ptr();
        remains.keep(buffer.split_to(10).freeze());
        remains.keep(buffer.split_to(12).freeze());
        drop(buffer);
        // The second goes first and finds that it is not alone.
        let mut parts = remains.0.take();
        assert!(parts.pop().unwrap().try_into_mut().is_err());
        let whole = parts.pop().unwrap().try_into_mut().unwrap();
        assert_eq!(whole.as_ptr(), start);
        assert!(whole.capacity() >= 22, "it reaches over the second part: {}", whole.capacity());
    }
}
