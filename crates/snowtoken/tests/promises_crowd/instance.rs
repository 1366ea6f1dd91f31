//! A model of an instance: which tokens live, by the plainest rules, and what can go wrong on the
//! way. It shares no code with the product and none with the stand-in.

use std::fmt::Write as _;

use snowtoken::core::oauth::{Request, Response};
use snowtoken::core::secret::Body;
use snowtoken::http::TransportError;

/// How it treats refresh tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// A refresh brings another refresh token, and only the last one given lives on.
    pub(crate) rotates: bool,
    /// For so many seconds an old one is taken all the same.
    pub(crate) grace: i64,
    /// But then only the one that the last one was given for.
    pub(crate) direct: bool,
    /// One that is used after that ends everything.
    pub(crate) ends_family: bool,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    LostBefore,
    LostAfter,
    Busy,
    Limited,
    Page,
    /// It refuses although nothing is wrong, as ServiceNow does now and then. The last of them all.
    Flaps,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::LostBefore, Self::LostAfter, Self::Busy, Self::Limited, Self::Page, Self::Flaps];
}

#[derive(Debug, Clone)]
struct Token {
    text: String,
    alive: bool,
    /// Of a refresh token: which one it was given for, and since when there is a later one.
    from: Option<usize>,
    replaced: Option<i64>,
}

/// The instance.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) rules: Rules,
    refresh: Vec<Token>,
    access: Vec<Token>,
    /// Refresh tokens in the order in which they were sent to be used.
    pub(crate) sent: Vec<String>,
}

impl Instance {
    pub(crate) fn new(rules: Rules) -> Self {
        let (refresh, access, sent) = (vec![], vec![], vec![]);
        let mut new = Self { rules, refresh, access, sent };
        new.consent();
        new
    }

    /// A person allows it again: new tokens, the old ones end.
    pub(crate) fn consent(&mut self) -> (String, String) {
        self.refresh.iter_mut().chain(&mut self.access).for_each(|token| token.alive = false);
        (self.give_access(), self.give_refresh(None))
    }

    /// The refresh token that lives on.
    pub(crate) fn living_refresh(&self) -> Option<&str> {
        let living = self.refresh.iter().find(|t| t.alive && t.replaced.is_none());
        living.map(|token| token.text.as_str())
    }

    /// Whether this access token was given and lives.
    pub(crate) fn lives(&self, access: &str) -> bool {
        self.access.iter().any(|token| token.text == access && token.alive)
    }

    /// Access tokens that live.
    pub(crate) fn living_access(&self) -> usize {
        self.access.iter().filter(|token| token.alive).count()
    }

    /// The time of every access token is over.
    pub(crate) fn end_access(&mut self) {
        self.access.iter_mut().for_each(|token| token.alive = false);
    }

    /// Whether `new` was given for `old`, or for one that was given for it, and so on.
    pub(crate) fn descends(&self, new: &str, old: &str) -> bool {
        let index = |text: &str| self.refresh.iter().position(|token| token.text == text);
        let Some(old) = index(old) else { return false };
        let mut next = index(new).and_then(|new| self.refresh[new].from);
        while let Some(at) = next {
            if at == old {
                return true;
            }
            next = self.refresh[at].from;
        }
        false
    }

    /// Answers, unless something goes wrong.
    pub(crate) fn meet(
        &mut self,
        request: &Request,
        now: i64,
        fault: Option<Fault>,
    ) -> Result<Response, TransportError> {
        if fault == Some(Fault::LostBefore) {
            return Err(lost());
        }
        match fault {
            Some(Fault::Busy) => return Ok(reply(503, None, "")),
            Some(Fault::Limited) => return Ok(reply(429, Some("2"), "")),
            Some(Fault::Page) => return Ok(reply(200, None, "<html><title>Hibernating</title>")),
            Some(Fault::Flaps) if request.uri().path() == "/oauth_token.do" => {
                return Ok(reply(401, None, REFUSAL));
            }
            _ => {}
        }
        let answer = self.answer(request, now);
        if fault == Some(Fault::LostAfter) {
            return Err(lost());
        }
        Ok(answer)
    }

    fn answer(&mut self, request: &Request, now: i64) -> Response {
        match request.uri().path() {
            "/oauth_token.do" => {
                let sent = form(request, "refresh_token");
                self.sent.push(sent.clone());
                self.take(&sent, now)
            }
            "/oauth_revoke_token.do" | "/oauth_revoke.do" => {
                self.end(&form(request, "token"));
                reply(200, None, "")
            }
            _ => {
                let bearer = request.headers().get("authorization").unwrap().to_str().unwrap();
                let lives = self.lives(bearer.strip_prefix("Bearer ").unwrap());
                let body = r#"{"result":{"user_name":"abel.tuter"}}"#;
                if lives { reply(200, None, body) } else { reply(401, None, "{}") }
            }
        }
    }

    fn take(&mut self, sent: &str, now: i64) -> Response {
        let Some(at) = self.refresh.iter().position(|token| token.text == sent) else {
            return reply(401, None, REFUSAL);
        };
        let Token { alive, replaced, .. } = self.refresh[at];
        let last = self.refresh.iter().rposition(|token| token.replaced.is_none());
        let is_direct = last.and_then(|last| self.refresh[last].from) == Some(at);
        let is_late = |since| now - since >= self.rules.grace || self.rules.direct && !is_direct;
        if !alive || replaced.is_some_and(is_late) {
            if self.rules.ends_family {
                self.refresh.iter_mut().chain(&mut self.access).for_each(|t| t.alive = false);
            }
            return reply(401, None, REFUSAL);
        }
        let access = self.give_access();
        let mut more = String::new();
        if self.rules.rotates {
            for token in self.refresh.iter_mut().filter(|token| token.replaced.is_none()) {
                token.replaced = Some(now);
            }
            let refresh = self.give_refresh(Some(at));
            write!(more, r#""refresh_token":"{refresh}","#).unwrap();
        }
        let body = format!(
            r#"{{"access_token":"{access}",{more}"token_type":"Bearer","expires_in":1800}}"#
        );
        reply(200, None, &body)
    }

    fn end(&mut self, text: &str) {
        self.access.iter_mut().filter(|t| t.text == text).for_each(|t| t.alive = false);
        // A refresh token is its whole family: whichever of them is named, all end (RFC 7009 §2.1).
        if self.refresh.iter().any(|token| token.text == text && token.alive) {
            self.refresh.iter_mut().for_each(|token| token.alive = false);
        }
    }

    fn give_access(&mut self) -> String {
        let text = format!("access-{}", self.access.len());
        self.access.push(Token { text: text.clone(), alive: true, from: None, replaced: None });
        text
    }

    fn give_refresh(&mut self, from: Option<usize>) -> String {
        let text = format!("refresh-{}", self.refresh.len());
        self.refresh.push(Token { text: text.clone(), alive: true, from, replaced: None });
        text
    }
}

/// ServiceNow's answer to nearly everything.
const REFUSAL: &str = r#"{"error_description":"access_denied","error":"server_error"}"#;

pub(crate) fn reply(status: u16, retry_after: Option<&str>, body: &str) -> Response {
    let mut reply = http::Response::builder().status(status);
    if let Some(seconds) = retry_after {
        reply = reply.header("retry-after", seconds);
    }
    reply.body(Body::from(body.as_bytes().to_vec())).unwrap()
}

pub(crate) fn lost() -> TransportError {
    let (host, reason) = ("test".to_owned(), "the answer was lost".to_owned());
    TransportError::ConnectionLost { host, reason, sent: true }
}

/// A parameter of a form; empty if there is none.
pub(crate) fn form(request: &Request, name: &str) -> String {
    let mut form = url::form_urlencoded::parse(request.body().expose());
    form.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
