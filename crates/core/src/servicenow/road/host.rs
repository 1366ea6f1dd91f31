//! What kind of host an instance has: who issues its certificates, and what may be told of it in public.

use crate::servicenow::Instance;

/// The kinds of hosts that instances are known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// `NAME.service-now.com`.
    Commercial,
    /// `devNNNNN.service-now.com`: one that hibernates.
    Developer,
    /// `NAME.servicenowservices.com`.
    Government,
    /// `NAME.servicenowcloud.com.…`.
    Protected,
    /// On this machine.
    Loopback,
    /// A name of a company's own.
    Own,
}

impl HostKind {
    /// The kind of this instance's host.
    pub fn of(instance: &Instance) -> Self {
        if instance.is_loopback() {
            return Self::Loopback;
        }
        let host = instance.origin().host_str().unwrap_or_default();
        if let Some(name) = host.strip_suffix(".service-now.com") {
            let digits = name.strip_prefix("dev").unwrap_or_default();
            let is_numbered = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            return if is_numbered { Self::Developer } else { Self::Commercial };
        }
        if host.ends_with(".servicenowservices.com") {
            Self::Government
        } else if host.contains(".servicenowcloud.com.") || host.ends_with(".servicenowcloud.com") {
            Self::Protected
        } else {
            Self::Own
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commercial => "under service-now.com",
            Self::Developer => "a developer instance",
            Self::Government => "under servicenowservices.com",
            Self::Protected => "under servicenowcloud.com",
            Self::Loopback => "on this machine",
            Self::Own => "under a name of its own",
        }
    }

    /// Whether ServiceNow itself keeps the host, so that a public authority vouches for it.
    pub fn is_vendors(self) -> bool {
        !matches!(self, Self::Loopback | Self::Own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_from_its_name() {
        for (text, kind) in [
            ("classics", HostKind::Commercial),
            ("develop", HostKind::Commercial),
            ("dev", HostKind::Commercial),
            ("dev12345", HostKind::Developer),
            ("a.servicenowservices.com", HostKind::Government),
            ("a.servicenowcloud.com.au", HostKind::Protected),
            ("http://127.0.0.1:1", HostKind::Loopback),
            ("support.acme.com", HostKind::Own),
            ("service-now.com.evil.example", HostKind::Own),
        ] {
            assert_eq!(HostKind::of(&Instance::parse(text).unwrap()), kind, "{text}");
        }
    }
}
