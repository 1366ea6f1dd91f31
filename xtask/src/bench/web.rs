//! As much of a browser as it takes to sign in and press Allow, over plain HTTP on this machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// An answer: status, headers, body.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// Opens an authorization URL of the server at this port, signs in, allows; returns where it leads.
pub(super) fn consent(port: u16, authorization_url: &str) -> Result<String, String> {
    let mut browser = Browser::of(port);
    let mut next = target_of(authorization_url)?;
    let mut answer = browser.get(&next)?;
    for _ in 0..16 {
        if let Some(location) = answer.header("location").map(str::to_owned) {
            let ours = format!("http://127.0.0.1:{port}/");
            if !location.starts_with('/') && !location.starts_with(&ours) {
                return Ok(location);
            }
            next = target_of(&location)?;
            answer = browser.get(&next)?;
            continue;
        }
        if answer.status != 200 {
            return Err(format!("the sign-in page answered {}: {}", answer.status, answer.body));
        }
        let (action, fields) = filled(&answer.body, &next)?;
        answer = browser.post(&action, &fields, None)?;
    }
    Err("the sign-in pages do not end".into())
}

/// A page of a server on this machine.
pub(super) fn get(port: u16, url: &str) -> Result<Answer, String> {
    Browser::of(port).get(&target_of(url)?)
}

/// A form sent to a server on this machine, with or without an `Authorization`.
pub(super) fn post(
    port: u16,
    target: &str,
    fields: &[(String, String)],
    authorization: Option<&str>,
) -> Result<Answer, String> {
    Browser::of(port).post(target, fields, authorization)
}

/// The path and query of a URL.
pub(super) fn target_of(url: &str) -> Result<String, String> {
    if url.starts_with('/') {
        return Ok(url.to_owned());
    }
    let after = url.split_once("://").map(|(_, rest)| rest).and_then(|rest| rest.find('/'));
    let start = after.ok_or_else(|| format!("no URL: {url}"))? + url.find("://").unwrap_or(0) + 3;
    Ok(url[start..].to_owned())
}

/// The value of one parameter in a query, as it stands there.
pub(super) fn parameter<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let mut pairs = url.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Where a page's form goes and what a person would send.
fn filled(page: &str, here: &str) -> Result<(String, Vec<(String, String)>), String> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let form = page.find("<form").and_then(|at| page[at..].split("</form>").next());
    let form = form.ok_or_else(|| format!("a page without a form: {page}"))?;
    let mut fields = Vec::new();
    for input in form.split("<input").skip(1) {
        let tag = input.split('>').next().unwrap_or_default();
        if attribute(tag, "type").as_deref() == Some("hidden")
            && let Some(name) = attribute(tag, "name")
        {
            fields.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }
    if form.contains("name=\"user_password\"") {
        fields.extend([pair("user_name", "abel.tuter"), pair("user_password", "snow")]);
    } else if form.contains("name=\"login\"") {
        fields.extend([pair("login", "abel.tuter"), pair("password", "snow")]);
    } else if form.contains("oauth_auth_check_action") {
        fields.push(pair("oauth_auth_check_action", "authorize"));
    }
    let head = form.split('>').next().unwrap_or_default();
    let action = attribute(head, "action").unwrap_or_else(|| here.to_owned());
    Ok((target_of(&action)?, fields))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let rest = &tag[tag.find(&start)? + start.len()..];
    let value = rest.split('"').next()?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to)))
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn parse(raw: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(raw);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let pairs = lines.filter_map(|line| line.split_once(':'));
        let headers = pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
        // Chunk sizes between the pieces do no harm to what is looked for in a page.
        Some(Self { status, headers, body: body.to_owned() })
    }
}

/// Keeps cookies; each request has a connection of its own.
pub(super) struct Browser {
    port: u16,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Of a server at this port of this machine.
    pub(super) fn of(port: u16) -> Self {
        Self { port, cookies: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, target: &str) -> Result<Answer, String> {
        self.send("GET", target, "", "")
    }

    pub(super) fn post(
        &mut self,
        target: &str,
        fields: &[(String, String)],
        authorization: Option<&str>,
    ) -> Result<Answer, String> {
        let encoded = fields.iter().map(|(k, v)| format!("{}={}", encoded(k), encoded(v)));
        let body = encoded.collect::<Vec<_>>().join("&");
        let mut head = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        );
        if let Some(value) = authorization {
            let _ = write!(head, "Authorization: {value}\r\n");
        }
        self.send("POST", target, &head, &body)
    }

    fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> Result<Answer, String> {
        let fail = |e: std::io::Error| format!("{method} {target}: {e}");
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let cookies = match cookies.as_slice() {
            [] => String::new(),
            all => format!("Cookie: {}\r\n", all.join("; ")),
        };
        let port = self.port;
        let origin = match method {
            "POST" => format!("Origin: http://127.0.0.1:{port}\r\n"),
            _ => String::new(),
        };
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{origin}{headers}{cookies}Connection: close\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(fail)?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(fail)?;
        stream.write_all(request.as_bytes()).map_err(fail)?;
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw).map_err(fail)?;
        let answer =
            Answer::parse(&raw).ok_or_else(|| format!("{method} {target}: no HTTP answer"))?;
        for (name, value) in &answer.headers {
            if name.eq_ignore_ascii_case("set-cookie")
                && let Some((key, value)) = value.split(';').next().and_then(|c| c.split_once('='))
            {
                self.cookies.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// Percent-encoded but for what never needs it.
pub(super) fn encoded(text: &str) -> String {
    let mut all = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            all.push(char::from(byte));
        } else {
            let _ = write!(all, "%{byte:02X}");
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_filled_as_a_person_would() {
        let page = "<form method=\"post\" action=\"/login.do?a=1&amp;b=2\"><input type=\"hidden\" \
                    name=\"goto\" value=\"/x?y&amp;z\"><input name=\"user_password\"></form>";
        let (action, fields) = filled(page, "/here").unwrap();
        assert_eq!(action, "/login.do?a=1&b=2");
        assert_eq!(fields[0], ("goto".to_owned(), "/x?y&z".to_owned()));
        assert_eq!(fields[2], ("user_password".to_owned(), "snow".to_owned()));
    }

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(target_of("https://127.0.0.1:1/a?b=c").unwrap(), "/a?b=c");
        assert_eq!(target_of("/a").unwrap(), "/a");
        assert!(target_of("x").is_err());
        assert_eq!(parameter("/a?b=c&code=1%202", "code"), Some("1%202"));
        assert_eq!(encoded("a+b/~"), "a%2Bb%2F~");
    }
}
