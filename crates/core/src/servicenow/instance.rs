//! Which instance is meant. A text becomes an origin that secrets may be sent to, or nothing.

use std::fmt;

use url::Url;

use crate::diagnosis::{Code, Diagnose};
use crate::oauth::Endpoints;
use crate::oauth::redirect::is_loopback;
use crate::printable::Printable;

/// The origin of an instance: `https://host[:port]`, or `http://` on a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    origin: Url,
}

/// Why a text is no instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// Nothing was given.
    #[error("no instance was given")]
    Empty,
    /// Not a name, a host or an https URL without path.
    #[error("\"{}\" is neither an instance's name, nor a host, nor an https address without a path", Printable(.0))]
    Malformed(String),
    /// http to another machine.
    #[error("\"{}\" is not encrypted: http is for loopback addresses only", Printable(.0))]
    NotSecure(String),
}

impl Diagnose for InstanceError {
    fn code(&self) -> Code {
        Code::InstanceInvalid
    }
}

impl Instance {
    /// Reads a bare name (`classics` becomes `classics.service-now.com`), a host, or a URL. A host
    /// with a dot is used as it is: instances also live under other domains and custom names.
    ///
    /// # Errors
    /// Whatever is not exactly that: paths, queries, user names, ports out of range, other schemes,
    /// and every text from which a URL parser would read another host than the one written.
    pub fn parse(text: &str) -> Result<Self, InstanceError> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.is_empty() {
            return Err(InstanceError::Empty);
        }
        let malformed = || InstanceError::Malformed(text.to_owned());
        let (scheme, authority) = split_scheme(text).ok_or_else(malformed)?;
        let authority = authority.to_ascii_lowercase();
        let (host, port) = split_port(&authority).ok_or_else(malformed)?;
        if !is_host(host) {
            return Err(malformed());
        }
        let host = if host.contains(['.', '[']) || scheme.is_some() || port.is_some() {
            host.to_owned()
        } else {
            format!("{host}.service-now.com")
        };
        let scheme = scheme.unwrap_or("https");
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let origin = Url::parse(&format!("{scheme}://{host}{port}/")).map_err(|_| malformed())?;
        // The browser's parser has the last word: it reads numbers and escapes as other hosts.
        if origin.host_str() != Some(&host) {
            return Err(malformed());
        }
        if scheme == "http" && !is_loopback(&origin) {
            return Err(InstanceError::NotSecure(text.to_owned()));
        }
        Ok(Self { origin })
    }

    /// `https://host[:port]`, without a trailing slash.
    pub fn url(&self) -> &str {
        self.origin.as_str().trim_end_matches('/')
    }

    /// The origin, parsed.
    pub fn origin(&self) -> &Url {
        &self.origin
    }

    /// The fixed endpoints of every instance; there is no discovery. Of the two revocation
    /// endpoints the documentation names, the one with a page of its own comes first.
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            authorization: self.at("/oauth_auth.do"),
            token: self.at("/oauth_token.do"),
            revocation: vec![self.at("/oauth_revoke_token.do"), self.at("/oauth_revoke.do")],
        }
    }

    /// An address on the instance; `path_and_query` begins with a slash and is not a person's text.
    pub fn at(&self, path_and_query: &str) -> Url {
        let mut url = self.origin.clone();
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        url.set_path(path);
        url.set_query(query);
        url
    }

    /// Whether this is a stand-in or another server on this very machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.origin)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url())
    }
}

/// Splits `https://host/` into its scheme and its authority; only URLs may end in one slash.
fn split_scheme(text: &str) -> Option<(Option<&'static str>, &str)> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some((None, text));
    };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => "https",
        "http" => "http",
        _ => return None,
    };
    Some((Some(scheme), rest.strip_suffix('/').unwrap_or(rest)))
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_host = authority.rfind(']').map_or(0, |end| end + 1);
    match authority[after_host..].split_once(':') {
        None => Some((authority, None)),
        Some((_, digits)) => {
            let well_formed =
                (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            let port = digits.parse::<u16>().ok().filter(|port| well_formed && *port != 0)?;
            Some((&authority[..authority.len() - digits.len() - 1], Some(port)))
        }
    }
}

/// Host names of RFC 1123 in lower case, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every host form instances are known to have.
    #[test]
    fn names_hosts_and_urls() {
        for (text, url) in [
            ("classics", "https://classics.service-now.com"),
            (" Classics\n", "https://classics.service-now.com"),
            ("dev12345", "https://dev12345.service-now.com"),
            ("classics.service-now.com", "https://classics.service-now.com"),
            ("https://classics.service-now.com/", "https://classics.service-now.com"),
            ("HTTPS://Classics.Service-Now.com:443", "https://classics.service-now.com"),
            ("acme.servicenowservices.com", "https://acme.servicenowservices.com"),
            ("acme.servicenowcloud.com.au", "https://acme.servicenowcloud.com.au"),
            ("acme.servicenowcloud.com.sg", "https://acme.servicenowcloud.com.sg"),
            ("support.acme.com", "https://support.acme.com"),
            ("snow.acme.intern:8443", "https://snow.acme.intern:8443"),
            ("https://snow:8443", "https://snow:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:8080/", "http://localhost:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(Instance::parse(text).unwrap().url(), url, "{text}");
        }
    }

    /// V22: no text injects a host.
    #[test]
    fn what_could_mean_another_host_is_refused() {
        for text in [
            "evil.com#",
            "a@b",
            "x/",
            "http://8.8.8.8",
            "a b",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1@evil.example",
            "http://localhost.evil.example",
            "evil.com?x=",
            "evil.com\\x",
            "evil.com%23",
            "ftp://127.0.0.1",
            "",
            "  ",
            "https://",
            "https:///",
            "//evil.com",
            "https://a//",
            "https://a/b",
            "https://u:p@a",
            "a:0",
            "a:65536",
            "a:",
            "a:+1",
            "a..b",
            ".a",
            "a.",
            "-a",
            "a_b",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "http://2130706433",
            "bücher",
            "a\u{3002}b",
            "[::1",
            "[::1]x",
            "[zz]",
            "javascript:alert(1)",
            "a,b",
            "http:// 127.0.0.1",
            "https://a\tb",
            "xn--a.com",
        ] {
            assert!(
                Instance::parse(text).is_err(),
                "{text:?} became {:?}",
                Instance::parse(text).map(|i| i.url().to_owned())
            );
        }
    }

    #[test]
    fn endpoints_are_fixed() {
        let endpoints = Instance::parse("classics").unwrap().endpoints();
        assert_eq!(
            endpoints.authorization.as_str(),
            "https://classics.service-now.com/oauth_auth.do"
        );
        assert_eq!(endpoints.token.as_str(), "https://classics.service-now.com/oauth_token.do");
        assert_eq!(
            endpoints.revocation[0].as_str(),
            "https://classics.service-now.com/oauth_revoke_token.do"
        );
    }
}
