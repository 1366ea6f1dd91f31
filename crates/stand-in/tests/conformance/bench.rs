//! A browser and a client in one, around an instance without sockets.

use std::collections::BTreeMap;

use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use snowtoken_stand_in::{Behaviour, Client, Instance};
use url::form_urlencoded::{Serializer, parse};

pub(crate) const GENERIC: &str = r#"{"error_description":"access_denied","error":"server_error"}"#;
pub(crate) const REDIRECT: &str = "http://localhost:8400/callback";

pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

pub(crate) struct Bench {
    pub(crate) instance: Instance,
    pub(crate) now: Timestamp,
    pub(crate) client: Client,
    jar: BTreeMap<String, String>,
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no {member}: {}", self.body)).into()
    }

    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }
}

impl Bench {
    pub(crate) fn new(knobs: Fields<'_>) -> Self {
        Self::with(knobs, Client::default())
    }

    pub(crate) fn with(knobs: Fields<'_>, client: Client) -> Self {
        let mut behaviour = Behaviour::default();
        for (name, value) in knobs {
            behaviour.set(name, value).unwrap();
        }
        let users = snowtoken_stand_in::User::defaults();
        let instance = Instance::with(behaviour, 7, vec![client], users);
        let client = instance.clients().remove(0);
        let now = "2026-11-23T15:00:00Z".parse().unwrap();
        Self { instance, now, client, jar: BTreeMap::new() }
    }

    pub(crate) fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: Fields<'_>,
        body: &str,
    ) -> Got {
        let mut request =
            Request::builder().method(method).uri(target).header("host", "pretend:80");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.instance.handle(self.now, request.body(body.into()).unwrap());
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        Got {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: String::from_utf8_lossy(answer.body()).into_owned(),
        }
    }

    pub(crate) fn post(&mut self, target: &str, fields: Fields<'_>) -> Got {
        let body = encoded(fields);
        self.send("POST", target, &[("content-type", "application/x-www-form-urlencoded")], &body)
    }

    /// As a browser: with cookies, without following redirects.
    pub(crate) fn browse(&mut self, method: &str, target: &str, fields: Fields<'_>) -> Got {
        let cookies: Vec<_> =
            self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookies.as_str())];
        let got = self.send(method, target, &headers, &encoded(fields));
        for (_, value) in got.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        got
    }

    pub(crate) fn cookie(&self, name: &str) -> String {
        self.jar.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn forget_cookies(&mut self) {
        self.jar.clear();
    }

    pub(crate) fn sign_in(&mut self, user_name: &str) -> Got {
        let fields =
            [("sys_action", "sysverb_login"), ("user_name", user_name), ("user_password", "snow")];
        self.browse("POST", "/login.do", &fields)
    }

    /// The authorization request, with these parameters instead of or beside the usual ones;
    /// a parameter with the value `-` is left out.
    pub(crate) fn authorization_url(&self, changes: Fields<'_>) -> String {
        let usual = [
            ("response_type", "code"),
            ("client_id", &self.client.client_id),
            ("redirect_uri", REDIRECT),
            ("state", "abc123"),
        ];
        format!("/oauth_auth.do?{}", encoded(&changed(&usual, changes)))
    }

    pub(crate) fn authorize(&mut self, changes: Fields<'_>) -> Got {
        let url = self.authorization_url(changes);
        self.browse("GET", &url, &[])
    }

    /// Presses a button on the consent page and follows the instance's own redirects.
    pub(crate) fn press(&mut self, page: &Got, action: &str) -> Got {
        let mut fields = hidden(&page.body);
        assert!(!fields.is_empty(), "no form: {}", page.body);
        fields.push(("oauth_auth_check_action".into(), action.into()));
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut got = self.browse("POST", "/oauth_auth.do", &fields);
        while let Some(next) = got.header("location").filter(|next| next.starts_with('/')) {
            let next = next.to_owned();
            got = self.browse("GET", &next, &[]);
        }
        got
    }

    /// Signs in, decides, and returns what the browser is sent to.
    pub(crate) fn decide(&mut self, changes: Fields<'_>, action: &str) -> Got {
        self.sign_in("abel.tuter");
        let page = self.authorize(changes);
        self.press(&page, action)
    }

    pub(crate) fn redirect(&mut self, changes: Fields<'_>) -> String {
        let got = self.decide(changes, "authorize");
        got.header("location").unwrap_or_else(|| panic!("no redirect: {}", got.body)).to_owned()
    }

    pub(crate) fn code(&mut self, changes: Fields<'_>) -> String {
        let redirect = self.redirect(changes);
        query(&redirect).remove("code").expect("a code")
    }

    pub(crate) fn exchange(&mut self, code: &str, changes: Fields<'_>) -> Got {
        let (id, secret) = (self.client.client_id.clone(), self.client.client_secret.clone());
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("client_id", &id),
            ("client_secret", &secret),
        ];
        let fields = changed(&usual, changes);
        self.post("/oauth_token.do", &fields)
    }

    /// Consent and exchange.
    pub(crate) fn grant(&mut self) -> Got {
        let code = self.code(&[]);
        let got = self.exchange(&code, &[]);
        assert_eq!(got.status, 200, "{}", got.body);
        got
    }

    pub(crate) fn refresh(&mut self, token: &str, changes: Fields<'_>) -> Got {
        let (id, secret) = (self.client.client_id.clone(), self.client.client_secret.clone());
        let usual = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &id),
            ("client_secret", &secret),
        ];
        let fields = changed(&usual, changes);
        self.post("/oauth_token.do", &fields)
    }

    pub(crate) fn api(&mut self, token: &str, target: &str) -> Got {
        self.send("GET", target, &[("authorization", &format!("Bearer {token}"))], "")
    }

    pub(crate) fn works(&mut self, token: &str) -> bool {
        self.api(token, "/api/now/ui/user/current_user").status == 200
    }

    /// The last cause in the syslog.
    pub(crate) fn cause(&self) -> String {
        self.instance.syslog().last().expect("a line in the syslog").message.clone()
    }
}

pub(crate) fn encoded(fields: Fields<'_>) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub(crate) fn query(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    parse(query.as_bytes()).into_owned().collect()
}

fn changed<'a>(
    usual: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let replaced = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let kept = usual.iter().filter(|(name, _)| !replaced(name));
    kept.chain(changes.iter().filter(|(_, value)| *value != "-")).copied().collect()
}

fn hidden(page: &str) -> Vec<(String, String)> {
    page.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            let value = rest.split('"').next().unwrap().replace("&amp;", "&");
            (name.to_owned(), value)
        })
        .collect()
}
