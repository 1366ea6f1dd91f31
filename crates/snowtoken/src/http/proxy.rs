//! Which proxy a request goes through, by the variables every program knows.

use std::fmt;

use http::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;
use snowtoken_core::servicenow::road::Direct;
use url::{Host, Url};

use super::TransportError;

/// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case. Plain http goes to loopback addresses
/// only, and those are never sent to a proxy, so `HTTP_PROXY` has no use here.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// `HTTPS_PROXY` or, without it, `ALL_PROXY`.
    pub https: Option<String>,
    /// `NO_PROXY`.
    pub no: Option<String>,
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("Proxies")
            .field("https", &self.https.is_some())
            .field("no", &self.no)
            .finish()
    }
}

/// A proxy to go through.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy for messages and logs: never with its credentials.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl Proxies {
    /// Why no proxy applies to an origin for which [`Proxies::for_origin`] found none.
    pub(super) fn why_direct(&self, origin: &Url) -> Direct {
        if is_this_machine(origin) {
            Direct::ThisMachine
        } else if self.https.is_some() {
            Direct::Excepted
        } else {
            Direct::NoneNamed
        }
    }

    /// The proxy for an origin, if one applies.
    pub(super) fn for_origin(&self, origin: &Url) -> Result<Option<Proxy>, TransportError> {
        let Some(text) = &self.https else {
            return Ok(None);
        };
        if origin.scheme() != "https" || is_this_machine(origin) {
            return Ok(None);
        }
        let unusable = |reason: &str| TransportError::ProxyFailed {
            proxy: "of HTTPS_PROXY".to_owned(),
            reason: reason.to_owned(),
        };
        let matcher =
            Matcher::builder().https(text.clone()).no(self.no.clone().unwrap_or_default()).build();
        let target: http::Uri = origin.as_str().parse().map_err(|_| unusable("no host"))?;
        let Some(intercept) = matcher.intercept(&target) else {
            // Either NO_PROXY says so, or the address could not be read: then say so, never go
            // around a proxy somebody asked for.
            let without_exceptions = Matcher::builder().https(text.clone()).build();
            return match without_exceptions.intercept(&target) {
                Some(_) => Ok(None),
                None => Err(unusable("the address cannot be read")),
            };
        };
        let uri = intercept.uri();
        let tls = match uri.scheme_str() {
            Some("http") | None => false,
            Some("https") => true,
            Some(_) => return Err(unusable("only http and https proxies are supported")),
        };
        let host = uri.host().ok_or_else(|| unusable("the address has no host"))?;
        Ok(Some(Proxy {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            authorization: intercept.basic_auth().cloned().map(|mut value| {
                value.set_sensitive(true);
                value
            }),
        }))
    }
}

fn is_this_machine(origin: &Url) -> bool {
    match origin.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(https: &str, no: &str) -> Proxies {
        Proxies { https: Some(https.to_owned()), no: Some(no.to_owned()) }
    }

    fn through(proxies: &Proxies, origin: &str) -> Option<String> {
        proxies.for_origin(&Url::parse(origin).unwrap()).unwrap().map(|proxy| proxy.place())
    }

    /// V24: loopback is never proxied, whatever the variables say.
    #[test]
    fn loopback_and_no_proxy_go_directly() {
        let some = proxies("http://proxy.example:3128", "acme.example,10.0.0.0/8");
        assert_eq!(
            through(&some, "https://a.service-now.com/").as_deref(),
            Some("proxy.example:3128")
        );
        for origin in [
            "https://127.0.0.1:1/",
            "https://localhost/",
            "https://[::1]/",
            "http://127.0.0.1/",
            "https://acme.example/",
            "https://x.acme.example/",
            "https://10.1.2.3/",
        ] {
            assert_eq!(through(&some, origin), None, "{origin}");
        }
    }

    #[test]
    fn credentials_are_decoded_sent_and_never_shown() {
        let some = proxies("http://u:p%40ss@proxy.example:3128", "");
        let proxy = some.for_origin(&Url::parse("https://a.example/").unwrap()).unwrap().unwrap();
        assert_eq!(proxy.authorization.as_ref().unwrap(), "Basic dTpwQHNz");
        assert!(!format!("{proxy:?} {some:?}").contains("p%40ss"));
        assert!(!format!("{proxy:?}").contains("dTpwQHNz"));
    }

    #[test]
    fn a_proxy_we_cannot_use_is_an_error_and_not_a_way_around() {
        for text in ["socks5://proxy.example:1080", "http://", "::::"] {
            let origin = Url::parse("https://a.example/").unwrap();
            assert!(proxies(text, "").for_origin(&origin).is_err(), "{text}");
        }
    }
}
