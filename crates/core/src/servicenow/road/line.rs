//! The line: proxy, name, connection, certificate. What the transport met on its way, judged.

use jiff::{SignedDuration, Timestamp};

use super::certificate::Certificate;
use super::{Asked, Fault, HostKind, Silence, Verdict, Why, roughly};
use crate::diagnosis::{Code, Hint};
use crate::printable::Printable;
use crate::servicenow::Instance;

/// What was met on the way to an instance. A stage that was not reached is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether a proxy is in between.
    pub route: Route,
    /// How many addresses the name has.
    pub addresses: Option<Asked<usize>>,
    /// The TCP connection to the instance itself.
    pub connection: Option<Asked<()>>,
    /// The tunnel that the proxy opened.
    pub tunnel: Option<Result<(), Tunnel>>,
    /// The TLS handshake.
    pub encryption: Option<Result<Encryption, Untrusted>>,
}

/// Which way requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Straight, and why.
    Direct(Direct),
    /// Through a proxy.
    Proxy {
        /// Host and port.
        place: String,
        /// The variable that names it.
        variable: &'static str,
    },
    /// A proxy is asked for that cannot be used.
    Unusable(Silence),
}

/// Why no proxy is in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direct {
    /// The instance is on this machine.
    ThisMachine,
    /// `NO_PROXY` says so.
    Excepted,
    /// Nobody names one.
    NoneNamed,
}

/// A tunnel that was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// What the proxy answered, if it did.
    pub status: Option<u16>,
    /// What the transport says of it.
    pub silence: Silence,
}

/// An encrypted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// Such as `TLS 1.3`.
    pub version: &'static str,
    /// The certificates in DER, the server's own first.
    pub chain: Vec<Vec<u8>>,
}

/// A handshake that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// In which way.
    pub distrust: Distrust,
    /// What the transport says of it.
    pub silence: Silence,
    /// The certificates that were shown, as far as they were seen.
    pub chain: Vec<Vec<u8>>,
}

/// In which way a certificate is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// It has ended.
    Ended,
    /// It has not begun.
    NotBegun,
    /// It is for another host.
    OtherHost,
    /// Nobody whom this machine trusts vouches for it.
    UnknownIssuer,
    /// Any other reason.
    Other,
}

impl Line {
    /// Whether the way was open to its end.
    pub fn is_open(&self) -> bool {
        !matches!(self.route, Route::Unusable(_))
            && !matches!(self.addresses, Some(Err(_)))
            && !matches!(self.connection, Some(Err(_)))
            && !matches!(self.tunnel, Some(Err(_)))
            && !matches!(self.encryption, Some(Err(_)))
    }
}

/// What the transport does not tell.
const UNTOLD: &str = "what carries the requests does not tell";

fn untold() -> Verdict {
    Verdict::Unknown(Why::NotTold, UNTOLD.to_owned())
}

pub(super) fn proxy(line: Option<&Line>) -> Verdict {
    let Some(line) = line else { return untold() };
    match (&line.route, &line.tunnel) {
        (Route::Unusable(silence), _) => Verdict::Fail(silence.fault()),
        (Route::Direct(why), _) => Verdict::Pass(match why {
            Direct::ThisMachine => {
                "none: addresses on this machine never go through one".to_owned()
            }
            Direct::Excepted => "none: NO_PROXY names the instance".to_owned(),
            Direct::NoneNamed => "none: neither HTTPS_PROXY nor ALL_PROXY is set".to_owned(),
        }),
        (Route::Proxy { variable, .. }, Some(Err(tunnel))) => {
            Verdict::Fail(closed(variable, tunnel))
        }
        (Route::Proxy { place, variable }, Some(Ok(()))) => {
            Verdict::Pass(format!("{} lets us through ({variable} names it)", Printable(place)))
        }
        (Route::Proxy { .. }, None) => untold(),
    }
}

fn closed(variable: &str, tunnel: &Tunnel) -> Fault {
    let fault = tunnel.silence.fault();
    let hint = match tunnel.status {
        Some(407) => Hint::set(
            variable,
            "the proxy wants a name and a password: http://name:password@proxy:port, percent-encoded",
        ),
        Some(403) => Hint::note("the proxy forbids this host: its administrator can allow it"),
        Some(502..=504) => {
            Hint::note("the proxy itself cannot reach the instance, or does not know its name")
        }
        Some(_) => return fault,
        None => Hint::set(variable, "nobody answers there as a proxy does: compare host and port"),
    };
    fault.with_hint(hint)
}

fn is_proxied(line: &Line) -> bool {
    matches!(line.route, Route::Proxy { .. })
}

pub(super) fn address(line: Option<&Line>) -> Verdict {
    let Some(line) = line else { return untold() };
    match &line.addresses {
        Some(Ok(1)) => Verdict::Pass("the name has 1 address".to_owned()),
        Some(Ok(count)) => Verdict::Pass(format!("the name has {count} addresses")),
        Some(Err(silence)) => Verdict::Fail(silence.fault()),
        None if is_proxied(line) => Verdict::Unknown(
            Why::NotHere,
            "the proxy looks the name up, not this machine".to_owned(),
        ),
        None => untold(),
    }
}

pub(super) fn connection(line: Option<&Line>) -> Verdict {
    let Some(line) = line else { return untold() };
    match &line.connection {
        Some(Ok(())) => Verdict::Pass("the port answers".to_owned()),
        Some(Err(silence)) => Verdict::Fail(silence.fault()),
        None if is_proxied(line) => {
            Verdict::Unknown(Why::NotHere, "the proxy connects, not this machine".to_owned())
        }
        None => untold(),
    }
}

pub(super) fn certificate(line: Option<&Line>, instance: &Instance, now: Timestamp) -> Verdict {
    let Some(line) = line else { return untold() };
    match &line.encryption {
        Some(Ok(encryption)) => trusted(encryption, instance, now),
        Some(Err(untrusted)) => Verdict::Fail(distrusted(untrusted, instance, is_proxied(line))),
        None if instance.origin().scheme() == "http" => {
            Verdict::Unknown(Why::NotHere, "plain http, which stays on this machine".to_owned())
        }
        None => untold(),
    }
}

/// The server's certificate, if it can be read.
fn first(chain: &[Vec<u8>]) -> Option<Certificate> {
    Certificate::read(chain.first()?)
}

fn trusted(encryption: &Encryption, instance: &Instance, now: Timestamp) -> Verdict {
    let version = encryption.version;
    let Some(own) = first(&encryption.chain) else {
        return Verdict::Pass(format!("{version}; the certificate is trusted"));
    };
    let issuer = authority(&encryption.chain).unwrap_or(own.issuer.clone());
    if is_inspector(&issuer.to_string())
        || HostKind::of(instance).is_vendors() && !is_public(&issuer.to_string())
    {
        return Verdict::Warn(format!(
            "{version}; issued by {issuer}, whom this machine trusts: not one of the public authorities that vouch for \
             ServiceNow, so something on the way opens the encryption and sees what is sent"
        ));
    }
    match own.not_after {
        Some(end) if end.duration_since(now) < SignedDuration::from_hours(14 * 24) => {
            let left = roughly(end.duration_since(now));
            Verdict::Warn(format!("{version}; issued by {issuer}; it ends in {left}"))
        }
        Some(end) => {
            let left = roughly(end.duration_since(now));
            Verdict::Pass(format!("{version}; issued by {issuer}, ends in {left}"))
        }
        None => Verdict::Pass(format!("{version}; issued by {issuer}")),
    }
}

/// The highest issuer that the chain names: what inspects traffic often has an authority in between.
fn authority(chain: &[Vec<u8>]) -> Option<super::Name> {
    Certificate::read(chain.last()?).map(|last| last.issuer)
}

fn distrusted(untrusted: &Untrusted, instance: &Instance, proxied: bool) -> Fault {
    let host = instance.origin().host_str().unwrap_or_default();
    let Some(own) = first(&untrusted.chain) else {
        return untrusted.silence.fault();
    };
    let day = |at: Option<Timestamp>| {
        at.map_or_else(|| "an unknown day".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
    };
    let failed = |text: String| Fault::new(Code::TlsFailed, text);
    match untrusted.distrust {
        Distrust::Ended => {
            failed(format!("the certificate of {host} ended on {}", day(own.not_after))).with_hint(
                Hint::note(
                    "if the date of this machine is right, whoever runs that host has to renew it",
                ),
            )
        }
        Distrust::NotBegun => {
            failed(format!("the certificate of {host} begins on {}", day(own.not_before)))
                .with_hint(Hint::note("compare the date of this machine"))
        }
        Distrust::OtherHost => {
            let names: Vec<String> =
                own.hosts.iter().take(5).map(|name| Printable(name).to_string()).collect();
            let names = if names.is_empty() { own.subject.to_string() } else { names.join(", ") };
            failed(format!("the certificate is for {names}, and not for {host}")).with_hint(Hint::note(
                "give the instance by a name that its certificate has; a custom URL needs a certificate of its own",
            ))
        }
        Distrust::UnknownIssuer => unknown_issuer(&own, untrusted, instance, proxied),
        Distrust::Other => untrusted.silence.fault(),
    }
}

fn unknown_issuer(
    own: &Certificate,
    untrusted: &Untrusted,
    instance: &Instance,
    proxied: bool,
) -> Fault {
    let host = instance.origin().host_str().unwrap_or_default();
    let issuer = authority(&untrusted.chain).unwrap_or(own.issuer.clone());
    let words = issuer.to_string();
    let is_public = is_public(&words);
    let is_opened = (HostKind::of(instance).is_vendors() || proxied) && !is_public;
    if is_opened || is_inspector(&words) {
        return Fault::new(
            Code::TlsInspected,
            format!(
                "the certificate shown for {host} was issued by {issuer}, whom this machine does not trust"
            ),
        );
    }
    let fault = Fault::new(
        Code::TlsFailed,
        format!(
            "the certificate of {host} was issued by {issuer}, whom this machine does not trust"
        ),
    );
    if own.is_self_issued() {
        fault.with_hint(Hint::note(
            "it vouches for itself: whoever runs the host can give you the file for --ca-file",
        ))
    } else if is_public {
        fault.with_hint(Hint::note(
            "a public authority: this machine's list of authorities is old or incomplete",
        ))
    } else {
        fault
    }
}

/// Words in the names of authorities that vouch for public hosts. It only chooses the words of a
/// verdict: whom to trust is decided by the operating system.
const PUBLIC: &[&str] = &[
    "digicert",
    "entrust",
    "let's encrypt",
    "isrg",
    "internet security research group",
    "amazon",
    "starfield",
    "godaddy",
    "go daddy",
    "google trust services",
    "globalsign",
    "sectigo",
    "comodo",
    "usertrust",
    "microsoft",
    "identrust",
    "quovadis",
    "swisssign",
    "certum",
    "asseco",
    "buypass",
    "ssl.com",
    "ssl corporation",
    "harica",
    "d-trust",
    "telia",
    "actalis",
    "baltimore",
    "cybertrust",
    "geotrust",
    "thawte",
    "rapidssl",
    "verisign",
    "affirmtrust",
    "trustwave",
    "securetrust",
    "network solutions",
    "certigna",
    "t-telesec",
    "deutsche telekom",
    "izenpe",
    "secom",
    "twca",
];

/// Words in the names of authorities that products make which open connections to look into them.
const INSPECTORS: &[&str] = &[
    "zscaler",
    "netskope",
    "fortinet",
    "fortigate",
    "palo alto",
    "blue coat",
    "bluecoat",
    "symantec web",
    "forcepoint",
    "websense",
    "sophos",
    "mcafee",
    "skyhigh",
    "trellix",
    "kaspersky",
    "avast",
    "avg ",
    "eset ssl",
    "bitdefender",
    "check point",
    "watchguard",
    "barracuda",
    "cisco umbrella",
    "opendns",
    "sonicwall",
    "menlo",
    "iboss",
    "cato networks",
    "untangle",
    "squid",
    "mitmproxy",
    "charles proxy",
    "fiddler",
    "burp",
    "portswigger",
    "inspection",
];

fn is_public(issuer: &str) -> bool {
    has_word(issuer, PUBLIC)
}

fn is_inspector(issuer: &str) -> bool {
    has_word(issuer, INSPECTORS)
}

fn has_word(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
}
