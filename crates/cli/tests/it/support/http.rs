//! The plainest HTTP client there is, with cookies: it plays the browser where none is needed, and
//! asks an instance whether a token is alive. No code of the product is in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use url::Url;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.iter();
        fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn parse(raw: &[u8]) -> Option<Self> {
        let end = raw.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&raw[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let mut answer = Self { status, headers, body: String::new() };
        let body = &raw[end + 4..];
        let chunked = answer.header("transfer-encoding").is_some_and(|v| v.contains("chunked"));
        let body = if chunked { unchunked(body) } else { body.to_vec() };
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Some(answer)
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default(), 16);
        let (Ok(size @ 1..), start) = (size, end + 2) else {
            break;
        };
        let stop = rest.len().min(start + size);
        body.extend_from_slice(&rest[start..stop]);
        rest = &rest[rest.len().min(stop + 2)..];
    }
    body
}

/// Sends bytes as they are and reads to the end, or until the time is over.
pub(crate) fn raw(port: u16, bytes: &[u8], patience: Duration) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    stream.write_all(bytes).ok()?;
    let mut answer = Vec::new();
    // A reset after the answer is no loss: what came is judged.
    let _ = stream.read_to_end(&mut answer);
    Answer::parse(&answer)
}

/// A client with cookies, for http on the loopback interface only.
#[derive(Default)]
pub(crate) struct Client {
    cookies: BTreeMap<String, String>,
}

impl Client {
    /// One request, no redirect followed.
    pub(crate) fn send(
        &mut self,
        method: &str,
        url: &Url,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        assert_eq!(url.host_str(), Some("127.0.0.1"), "only loopback is contacted: {url}");
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let port = url.port_or_known_default().unwrap();
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n");
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !self.cookies.is_empty() {
            let all: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let _ = write!(head, "Cookie: {}\r\n", all.join("; "));
        }
        if method != "GET" {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head.push_str("Connection: close\r\n\r\n");
        let answer = raw(port, format!("{head}{body}").as_bytes(), Duration::from_secs(20))
            .unwrap_or_else(|| panic!("no answer to {method} {url}"));
        for (_, value) in
            answer.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie"))
        {
            if let Some((name, value)) = value.split(';').next().and_then(|c| c.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// A GET.
    pub(crate) fn get(&mut self, url: &Url) -> Answer {
        self.send("GET", url, &[], "")
    }

    /// A form sent by POST.
    pub(crate) fn post(&mut self, url: &Url, fields: &[(&str, &str)]) -> Answer {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", url, &kind, &form)
    }
}

/// One GET without cookies.
pub(crate) fn get(url: &str) -> Answer {
    Client::default().get(&Url::parse(url).unwrap())
}

/// Whether an instance takes the token, by its own word.
pub(crate) fn is_alive(origin: &str, token: &str) -> bool {
    let bearer = format!("Bearer {token}");
    // The first is undocumented, and some instances do not have it.
    let paths = ["ui/user/current_user", "table/kb_knowledge"];
    let answers = paths.iter().map(|path| {
        let url = Url::parse(&format!("{origin}/api/now/{path}")).unwrap();
        Client::default().send("GET", &url, &[("Authorization", &bearer)], "").status
    });
    match answers.into_iter().find(|status| *status != 404) {
        Some(200) => true,
        Some(401) => false,
        other => panic!("the instance answered {other:?}"),
    }
}
