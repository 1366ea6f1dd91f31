//! A robot person: signs in on the pretend instance and presses Allow or Deny, over real HTTP.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Url, form_urlencoded};

mod form;

const LARGEST_PAGE: usize = 4 * 1024 * 1024;
const MOST_STEPS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// What the person presses on the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The button Allow.
    Allow,
    /// The button Deny.
    Deny,
}

/// Somebody who can sign in. The default is `abel.tuter`, password `snow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name to sign in with.
    pub user_name: String,
    /// The password.
    pub password: String,
}

impl Default for Person {
    fn default() -> Self {
        Self { user_name: "abel.tuter".to_owned(), password: "snow".to_owned() }
    }
}

/// Why the person did not get to a redirect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PersonError {
    /// The URL is not one.
    #[error("the authorization URL is not a URL")]
    InvalidUrl(#[from] url::ParseError),
    /// The robot types passwords only into pages of this machine.
    #[error("the authorization URL does not lead to a loopback address over http")]
    NotLoopback,
    /// The connection could not be made, or broke.
    #[error("the instance could not be reached")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in 30 seconds.
    #[error("the instance did not answer in time")]
    Slow,
    /// The sign-in page came back, with this text.
    #[error("the sign-in was refused: {0}")]
    SignInRefused(String),
    /// A page without a form the person knows, with this status and title or text.
    #[error("the instance showed a page (status {status}): {text}")]
    Page {
        /// The HTTP status.
        status: u16,
        /// What the page says.
        text: String,
    },
    /// The redirects did not end.
    #[error("the redirects do not end")]
    Loop,
}

impl Person {
    /// Opens the authorization URL, signs in, decides, and returns the URL that the browser is
    /// then sent to. That URL is not fetched. Blocks; do not call it on an async thread that the
    /// instance needs.
    pub fn decide(
        &self,
        authorization_url: &str,
        decision: Decision,
    ) -> Result<String, PersonError> {
        let start = Url::parse(authorization_url)?;
        if !is_loopback(&start) {
            return Err(PersonError::NotLoopback);
        }
        let walk = Walk { person: self, decision, origin: start.clone(), cookies: BTreeMap::new() };
        let failed = |error: std::io::Error| PersonError::Connection(Box::new(error));
        // A thread of its own, since the caller may be inside a runtime already.
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(failed)?.block_on(walk.run(start))
            });
            let gone = || Err(failed(std::io::Error::other("the thread ended")));
            thread.join().unwrap_or_else(|_| gone())
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    loopback && url.scheme() == "http"
}

/// One visit, from the authorization URL to the redirect.
struct Walk<'a> {
    person: &'a Person,
    decision: Decision,
    origin: Url,
    cookies: BTreeMap<String, String>,
}

impl Walk<'_> {
    async fn run(mut self, start: Url) -> Result<String, PersonError> {
        let mut next = (Method::GET, start, String::new());
        let mut signed_in = false;
        for _ in 0..MOST_STEPS {
            let (method, url, body) = next;
            let answer = timeout(PATIENCE, self.fetch(method, &url, body))
                .await
                .map_err(|_| PersonError::Slow)??;
            if let Some(location) = answer.headers().get(LOCATION) {
                let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
                let target = url.join(&location)?;
                if target.origin() != self.origin.origin() {
                    return Ok(location);
                }
                next = (Method::GET, target, String::new());
                continue;
            }
            let page = String::from_utf8_lossy(answer.body()).into_owned();
            let page_error =
                || PersonError::Page { status: answer.status().as_u16(), text: form::text(&page) };
            let form = form::first(&page).ok_or_else(page_error)?;
            let mut fields = form.hidden.clone();
            if form.has("user_password") {
                if signed_in {
                    return Err(PersonError::SignInRefused(form::text(&page)));
                }
                signed_in = true;
                fields.push(("user_name".to_owned(), self.person.user_name.clone()));
                fields.push(("user_password".to_owned(), self.person.password.clone()));
            } else if form.has("sysparm_ck") {
                let value = if self.decision == Decision::Allow { "authorize" } else { "deny" };
                fields.push(("oauth_auth_check_action".to_owned(), value.to_owned()));
            } else {
                return Err(page_error());
            }
            let body =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            next = (Method::POST, url.join(&form.action)?, body);
        }
        Err(PersonError::Loop)
    }

    async fn fetch(
        &mut self,
        method: Method,
        url: &Url,
        body: String,
    ) -> Result<Response<Vec<u8>>, PersonError> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(80);
        let stream =
            TcpStream::connect((host.trim_matches(['[', ']']), port)).await.map_err(broken)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Its errors also reach the request.
        let driver = tokio::spawn(connection);
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, format!("{host}:{port}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(broken)?;
        let (parts, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let body =
            Limited::new(body, LARGEST_PAGE).collect().await.map_err(PersonError::Connection)?;
        driver.abort();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let text = String::from_utf8_lossy(cookie.as_bytes());
            let pair = text.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> PersonError {
    PersonError::Connection(Box::new(error))
}
