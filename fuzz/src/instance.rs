//! Any text as the name of an instance: it leads to the host that was written, or nowhere.

use snowtoken_core::servicenow::{Instance, InstanceError};

pub(crate) fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
}

/// Checks one text; answers whether it was accepted.
pub(crate) fn check_text(text: &str) -> bool {
    let instance = match Instance::parse(text) {
        Ok(instance) => instance,
        Err(error) => {
            check_refusal(text, &error);
            return false;
        }
    };
    let written = written_host(text);
    let endpoints = instance.endpoints();
    let all = [endpoints.authorization, endpoints.token].into_iter().chain(endpoints.revocation);
    for (url, path) in
        all.zip(["/oauth_auth.do", "/oauth_token.do", "/oauth_revoke_token.do", "/oauth_revoke.do"])
    {
        let parts = split(url.as_str()).expect("an endpoint has an authority");
        assert_eq!(parts.host, written, "{text:?} leads to {url}");
        assert_eq!((parts.user_info, parts.rest), (None, path), "{text:?} leads to {url}");
        let loopback =
            matches!(parts.host, "localhost" | "[::1]") || parts.host.starts_with("127.");
        assert!(parts.scheme == Some("https") || parts.scheme == Some("http") && loopback, "{url}");
    }
    assert_eq!(Instance::parse(instance.url()).as_ref(), Ok(&instance), "{text:?} round-trips");
    assert_eq!(Instance::parse(instance.origin().as_str()).as_ref(), Ok(&instance));
    true
}

fn check_refusal(text: &str, error: &InstanceError) {
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    let expected = match error {
        InstanceError::Empty => trimmed.is_empty(),
        InstanceError::Malformed(named) => named == trimmed,
        InstanceError::NotSecure(named) => {
            named == trimmed && trimmed.to_ascii_lowercase().starts_with("http:")
        }
    };
    assert!(expected, "{text:?}: {error:?}");
    let shown = error.to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    assert!(shown.chars().count() < 3_000, "cut, however long the text was");
}

/// The host that a person who types this means: nothing else may be in it.
fn written_host(text: &str) -> String {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let url = if text.contains("://") { text.to_owned() } else { format!("//{text}") };
    let parts = split(&url).expect("what was accepted has an authority");
    assert_eq!(parts.user_info, None, "{text:?}");
    assert!(parts.rest.is_empty() || parts.rest == "/" && parts.scheme.is_some(), "{text:?}");
    let host = parts.host.to_ascii_lowercase();
    if parts.scheme.is_none() && parts.port.is_none() && !host.contains(['.', '[']) {
        format!("{host}.service-now.com")
    } else {
        host
    }
}

/// A second parser that shares nothing with the first: RFC 3986 appendix B and §3.2, by hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) scheme: Option<&'a str>,
    pub(crate) user_info: Option<&'a str>,
    pub(crate) host: &'a str,
    pub(crate) port: Option<&'a str>,
    pub(crate) rest: &'a str,
}

pub(crate) fn split(text: &str) -> Option<Parts<'_>> {
    let (scheme, text) = match text.find([':', '/', '?', '#']) {
        Some(end) if text[end..].starts_with(':') && end > 0 => {
            (Some(&text[..end]), &text[end + 1..])
        }
        _ => (None, text),
    };
    let text = text.strip_prefix("//")?;
    let (authority, rest) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    let (user_info, host_port) = match authority.rsplit_once('@') {
        Some((user_info, host_port)) => (Some(user_info), host_port),
        None => (None, authority),
    };
    let host_end = host_port.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match host_port[host_end..].rfind(':') {
        Some(colon) => (&host_port[..host_end + colon], Some(&host_port[host_end + colon + 1..])),
        None => (host_port, None),
    };
    Some(Parts { scheme, user_info, host, port, rest })
}
