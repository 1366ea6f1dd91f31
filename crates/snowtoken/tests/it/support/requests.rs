//! Requests to send, transports to send them with, and answers for servers to give.

use std::path::Path;
use std::time::Duration;

use snowtoken::Diagnose as _;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::secret::Body;
use snowtoken::http::{HttpOptions, HttpTransport, Proxies, Transport as _, TransportError};

/// What no stranger may get.
pub(crate) const CANARY: &str = "client_secret=canary-5f3a9c&refresh_token=canary-77e0b1";

/// Longer than anything that works on this machine takes.
pub(crate) const AMPLE: Duration = Duration::from_secs(10);

/// A form POST that carries the canary.
pub(crate) fn post(url: &str) -> Request {
    http::Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(CANARY.as_bytes().to_vec()))
        .unwrap()
}

/// A transport without proxy and without further authorities.
pub(crate) fn direct() -> HttpTransport {
    HttpTransport::new(HttpOptions::default())
}

/// A transport that trusts the authorities in this file and goes through a proxy on this machine.
pub(crate) fn tunnelled(ca_file: &Path, proxy_port: u16) -> HttpTransport {
    HttpTransport::new(HttpOptions {
        proxies: Proxies { https: Some(format!("http://127.0.0.1:{proxy_port}")), no: None },
        ca_file: Some(ca_file.to_owned()),
    })
}

/// Sends the canary there with a new transport.
pub(crate) fn send(url: &str, limit: Duration) -> Result<Response, TransportError> {
    direct().send(post(url), limit)
}

/// The code of a failure, or the status of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Status(u16),
    Failed(Code),
}

pub(crate) fn outcome(result: &Result<Response, TransportError>) -> Outcome {
    match result {
        Ok(answer) => Outcome::Status(answer.status().as_u16()),
        Err(error) => Outcome::Failed(error.code()),
    }
}

/// An answer as it travels.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
