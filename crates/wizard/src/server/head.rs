//! The head of a request as it is on the wire. The HTTP library forgives line ends that no browser
//! sends and takes two equal lengths for one. Whatever two programs may read differently is refused
//! (RFC 9112 §2.2 and §6.3 allow it).

/// Named in no head twice.
const LENGTH: &[u8] = b"content-length:";

/// What was seen of a head so far.
#[derive(Default)]
pub(super) struct Head {
    lines: usize,
    /// Bytes of the line so far, without its end.
    line: usize,
    previous: u8,
    /// How many headers told a length.
    lengths: usize,
    /// How much of [`LENGTH`] the line begins with.
    named: usize,
    ended: bool,
    odd: bool,
}

impl Head {
    /// Looks at more bytes of the connection.
    pub(super) fn look_at(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.ended {
                return;
            }
            self.look(byte);
        }
    }

    fn look(&mut self, byte: u8) {
        let first = self.lines == 0 && self.line == 0 && self.previous == 0;
        let bare = (self.previous == b'\r') != (byte == b'\n');
        self.odd |= bare || (first && !byte.is_ascii_uppercase());
        if self.line == self.named && LENGTH.get(self.named) == Some(&byte.to_ascii_lowercase()) {
            self.named += 1;
            self.lengths += usize::from(self.named == LENGTH.len());
        }
        match byte {
            b'\n' => {
                self.ended = self.line == 0;
                self.lines += 1;
                (self.line, self.named) = (0, 0);
            }
            b'\r' => {}
            _ => self.line += 1,
        }
        self.previous = byte;
    }

    /// Whether a line ends otherwise than by CR LF, something stands before the first, or a length is
    /// told twice.
    pub(super) fn is_odd(&self) -> bool {
        self.odd || self.lengths > 1
    }

    /// Whether not even the first line has ended.
    pub(super) fn is_in_first_line(&self) -> bool {
        self.lines == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: &[u8]) -> Head {
        let mut head = Head::default();
        // However it arrives.
        for chunk in bytes.chunks(3) {
            head.look_at(chunk);
        }
        head
    }

    #[test]
    fn a_head_with_plain_line_ends_is_nothing_odd_whatever_the_body_is() {
        assert!(!seen(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_odd());
        assert!(!seen(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nbody\nof\rmany\n\nlines").is_odd());
    }

    #[test]
    fn bare_line_ends_and_what_stands_before_are_odd() {
        for odd in [
            &b"GET / HTTP/1.1\nHost: a\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nHost: a\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\n",
            b"GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n",
            b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\x16\x03\x01",
        ] {
            assert!(seen(odd).is_odd(), "{}", odd.escape_ascii());
        }
    }

    #[test]
    fn a_length_that_is_told_twice_is_odd() {
        let with =
            |headers: &str| seen(format!("POST / HTTP/1.1\r\n{headers}\r\n").as_bytes()).is_odd();
        assert!(with("Content-Length: 1\r\nA: b\r\ncontent-LENGTH: 1\r\n"));
        for once in [
            "Content-Length: 1\r\n",
            "Content-Lengths: 1\r\nContent-Length: 1\r\n",
            "A: Content-Length: Content-Length:\r\nContent-Length:1\r\n",
        ] {
            assert!(!with(once), "{once}");
        }
        assert!(
            !seen(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nContent-Length: 2\r\n").is_odd()
        );
    }

    #[test]
    fn it_knows_whether_the_first_line_has_ended() {
        assert!(seen(b"GET /aaaaaaaaaaaa").is_in_first_line());
        assert!(!seen(b"GET / HTTP/1.1\r\nA").is_in_first_line());
    }
}
