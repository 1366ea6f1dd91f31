//! On the road to the instance, and what answers in its place.

macro_rules! road_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    AnswerUnreadable = "answer-unreadable", "something that is not the instance's token endpoint answered", Instance, TryLater {
        cause: "A proxy, a sign-in page or an error page stood in front of it.",
        proof: "The answer is no JSON object, or not a 200.",
        fixes: [Note("open the instance in a browser from this machine: what page appears?"),
            Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "you or your network's administrator",
        signs: ["<html", "<!doctype html"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    EndpointRedirects = "endpoint-redirects", "the endpoint answered with a redirect", Instance, Failed {
        cause: "A sign-in proxy stands in front of the instance, or the host has moved. Secrets are never sent on to another address.",
        proof: "Status 3xx from an endpoint that must answer itself.",
        fixes: [Note("an administrator exempts /oauth_token.do and /oauth_revoke_token.do from the sign-in proxy, or gives the new host for --instance")],
        who: "your ServiceNow administrator",
        signs: [],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    InstanceAsleep = "instance-asleep", "the instance is hibernating", Instance, TryLater {
        cause: "A personal developer instance sleeps when nobody uses it and answers every path with a page.",
        proof: "The page is titled `Instance Hibernating page`.",
        fixes: [Note("sign in at developer.servicenow.com and wake it, wait a few minutes, then repeat")],
        who: "the owner of the developer instance",
        signs: ["instance hibernating"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    InstanceOffline = "instance-offline", "the instance is offline", Instance, TryLater {
        cause: "It is waking up or in maintenance.",
        proof: "The page says `Your instance is currently offline`.",
        fixes: [Note("repeat in a few minutes")],
        who: "wait, then your ServiceNow administrator",
        signs: ["your instance is currently offline"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    InstanceBusy = "instance-busy", "the instance cannot answer now", Instance, TryLater {
        cause: "It is being upgraded, is overloaded, or a gateway in front of it has lost it.",
        proof: "Status 5xx.",
        fixes: [Note("repeat in a few minutes; everything stored is kept")],
        who: "wait",
        signs: ["502 bad gateway", "503 service unavailable", "504 gateway"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    RateLimited = "rate-limited", "the instance wants fewer requests", Instance, TryLater {
        cause: "A rate limit rule was hit.",
        proof: "Status 429; Retry-After says for how long.",
        fixes: [Note("repeat after the time it names")],
        who: "wait, or your ServiceNow administrator",
        signs: ["rate limit"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    NameNotFound = "name-not-found", "the instance's name does not exist", Network, TryLater {
        cause: "The name is misspelt, or this network cannot resolve it.",
        proof: "The name service has no address for it.",
        fixes: [Note("compare --instance with the address in your browser"),
            Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "you or your network's administrator",
        signs: ["name or service not known", "nxdomain", "failed to lookup address"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ConnectFailed = "connect-failed", "no connection to the instance", Network, TryLater {
        cause: "Nothing answers at that address and port, or a firewall stands between.",
        proof: "The connection was refused or not answered in time.",
        fixes: [Note("is the instance reachable in a browser on this machine? If only through a proxy, set HTTPS_PROXY"),
            Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "you or your network's administrator",
        signs: ["connection refused", "network is unreachable"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    TlsFailed = "tls-failed", "the instance's certificate was not accepted", Network, Failed {
        cause: "The certificate is for another name, has ended, or was issued by somebody this machine does not trust: often a proxy that inspects traffic.",
        proof: "The TLS handshake failed; nothing was sent.",
        fixes: [Set("--ca-file FILE", "adds your company's own certificate authority"),
            Note("there is no switch to turn the check off")],
        who: "you or your network's administrator",
        signs: ["certificate", "unknownissuer", "self signed", "self-signed"],
        source: "RFC 6749 §10.9",
    }
    TimedOut = "timed-out", "no answer in time", Network, TryLater {
        cause: "The instance or something in between is too slow.",
        proof: "The time limit of the request ran out.",
        fixes: [Note("repeat; everything stored is kept")],
        who: "wait",
        signs: ["timed out", "timeout"],
        source: "a rule of snowtoken",
    }
    ConnectionLost = "connection-lost", "the connection broke before the answer was whole", Network, TryLater {
        cause: "The road between here and the instance failed in the middle.",
        proof: "The answer ended early.",
        fixes: [Note("repeat; everything stored is kept")],
        who: "wait",
        signs: ["connection reset", "broken pipe"],
        source: "a rule of snowtoken",
    }
    ProxyFailed = "proxy-failed", "the proxy did not let us through", Network, TryLater {
        cause: "The proxy refused, wants other credentials, or is not there.",
        proof: "CONNECT was not answered with 200.",
        fixes: [Set("HTTPS_PROXY", "http://user:password@proxy:port; NO_PROXY lists what goes around it")],
        who: "you or your network's administrator",
        signs: ["407", "proxy authentication"],
        source: "RFC 9110 §9.3.6",
    }
    TrustStoreEmpty = "trust-store-empty", "this machine trusts no certificate authority", Machine, Failed {
        cause: "The operating system's trust store is missing or empty.",
        proof: "No certificate authority could be loaded.",
        fixes: [Set("--ca-file FILE", "names the certificate authorities to trust"),
            Note("on Debian: install the package ca-certificates")],
        who: "you",
        signs: ["no ca certificates"],
        source: "a rule of snowtoken",
    }

    } };
}
