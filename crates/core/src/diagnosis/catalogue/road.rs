//! On the road to the instance, and what answers in its place.

macro_rules! road_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    AnswerUnreadable = "answer-unreadable", "something that is not the instance's token endpoint answered", Instance, TryLater {
        seen: "A JSON parser that fails at `<`; a page where a program expected JSON.",
        cause: "A proxy, a sign-in page or an error page stood in front of it.",
        proof: "The answer is no JSON object, or not a 200.",
        fixes: [Note("open the instance in a browser from this machine: what page appears?"),
            Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "you or your network's administrator",
        signs: ["~<html", "~<!doctype html", "unexpected token '<'", "unexpected token <", "unexpected character '<'", "expecting value: line 1 column 1", "invalid character '<' looking for beginning of value"],
        rehearsal: Knobs(&["token.shape=array"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    EndpointRedirects = "endpoint-redirects", "the endpoint answered with a redirect", Instance, Failed {
        seen: "301, 302, 307 or 308 from /oauth_token.do to another host; KB1214959 tells of instances that moved.",
        cause: "A sign-in proxy stands in front of the instance, or the host has moved. Secrets are never sent on to another address.",
        proof: "Status 3xx from an endpoint that must answer itself.",
        fixes: [Note("an administrator exempts /oauth_token.do and /oauth_revoke_token.do from the sign-in proxy, or gives the new host for --instance")],
        who: "your ServiceNow administrator",
        signs: ["kb1214959"],
        rehearsal: Knobs(&["fault.kind=moved", "fault.path=/oauth_token.do"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    InstanceAsleep = "instance-asleep", "the instance is hibernating", Instance, TryLater {
        seen: "A page titled `Instance Hibernating page`, with status 200, for every address.",
        cause: "A personal developer instance sleeps when nobody uses it and answers every path with a page.",
        proof: "The page is titled `Instance Hibernating page`.",
        fixes: [Note("sign in at developer.servicenow.com and wake it, wait a few minutes, then repeat")],
        who: "the owner of the developer instance",
        signs: ["instance hibernating", "instance is hibernating", "wu=true"],
        rehearsal: Knobs(&["fault.kind=asleep", "fault.path=/oauth_token.do"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    InstanceOffline = "instance-offline", "the instance is offline", Instance, TryLater {
        seen: "A page that says `Your instance is currently offline`.",
        cause: "It is waking up or in maintenance.",
        proof: "The page says `Your instance is currently offline`.",
        fixes: [Note("repeat in a few minutes")],
        who: "wait, then your ServiceNow administrator",
        signs: ["instance is currently offline"],
        rehearsal: Knobs(&["fault.kind=offline-page", "fault.path=/oauth_token.do"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    InstanceBusy = "instance-busy", "the instance cannot answer now", Instance, TryLater {
        seen: "`502 Bad Gateway`, `503 Service Unavailable`, `504 Gateway Timeout`.",
        cause: "It is being upgraded, is overloaded, or a gateway in front of it has lost it.",
        proof: "Status 5xx.",
        fixes: [Note("repeat in a few minutes; everything stored is kept")],
        who: "wait",
        signs: ["502 bad gateway", "503 service unavailable", "504 gateway", "http 502", "http 503", "http 504", "status 502", "status 503", "status 504"],
        rehearsal: Knobs(&["fault.kind=bad-gateway", "fault.path=/oauth_token.do"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    RateLimited = "rate-limited", "the instance wants fewer requests", Instance, TryLater {
        seen: "429 `Rate limit exceeded`, with `Retry-After`.",
        cause: "A rate limit rule was hit.",
        proof: "Status 429; Retry-After says for how long.",
        fixes: [Note("repeat after the time it names")],
        who: "wait, or your ServiceNow administrator",
        signs: ["rate limit", "429 too many requests", "~x-ratelimit-limit", "too many requests"],
        rehearsal: Knobs(&["token.rate_limit=1", "retry_after=3600"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    NameNotFound = "name-not-found", "the instance's name does not exist", Network, TryLater {
        seen: "`Could not resolve host`, `getaddrinfo ENOTFOUND`, `Name or service not known`.",
        cause: "The name is misspelt, or this network cannot resolve it.",
        proof: "The name service has no address for it.",
        fixes: [Note("compare --instance with the address in your browser"),
            Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "you or your network's administrator",
        signs: ["name or service not known", "nxdomain", "failed to lookup address", "could not resolve host", "getaddrinfo enotfound", "nodename nor servname", "no such host", "dns_probe_finished"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ConnectFailed = "connect-failed", "no connection to the instance", Network, TryLater {
        seen: "`Connection refused`, `No route to host`, or a wait that ends with nothing.",
        cause: "Nothing answers at that address and port, or a firewall stands between.",
        proof: "The connection was refused or not answered in time.",
        fixes: [Note("is the instance reachable in a browser on this machine? If only through a proxy, set HTTPS_PROXY"),
            Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "you or your network's administrator",
        signs: ["connection refused", "connecttimeout", "connect timeout", "network is unreachable", "econnrefused", "no route to host", "err_connection_refused"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    TlsFailed = "tls-failed", "the instance's certificate was not accepted", Network, Failed {
        seen: "`certificate verify failed`, `unable to get local issuer certificate`, a warning in the browser about the certificate.",
        cause: "The certificate is for another name, has ended, or was issued by somebody this machine does not trust: often a proxy that inspects traffic.",
        proof: "The TLS handshake failed; nothing was sent.",
        fixes: [Set("--ca-file FILE", "adds your company's own certificate authority"),
            Note("there is no switch to turn the check off")],
        who: "you or your network's administrator",
        signs: ["~certificate", "unknownissuer", "self signed certificate", "self-signed certificate", "certificate verify failed", "unable to get local issuer certificate", "err_cert_", "certificate has expired", "sslcertverificationerror"],
        source: "RFC 6749 §10.9",
    }
    TlsInspected = "tls-inspected", "something on the way opens the encryption", Network, Failed {
        seen: "A certificate issued by your company, or by Zscaler, Netskope and the like, for a host of ServiceNow's; `self-signed certificate in certificate chain`.",
        cause: "A proxy of your network answers in the instance's place, with a certificate of its own authority, to look into what is sent. This machine does not trust that authority.",
        proof: "The certificate for a host that a public authority vouches for was issued by somebody else; nothing was sent.",
        fixes: [Note("ask your network's administrator for the authority's certificate (PEM), or to let the instance's host pass unopened, which also keeps the tokens from being seen"),
            Set("--ca-file FILE", "or SNOWTOKEN_CA_FILE: trusts that authority beside the operating system's, once you have its certificate from somebody you trust")],
        who: "your network's administrator",
        signs: ["self signed certificate in certificate chain", "self-signed certificate in certificate chain", "zscaler", "netskope"],
        rehearsal: Test("bad_certificates_are_told_apart_and_nothing_is_sent_to_them"),
        source: "RFC 5280 §6; RFC 9325 §3",
    }
    TimedOut = "timed-out", "no answer in time", Network, TryLater {
        seen: "A request that ends with `timed out`.",
        cause: "The instance or something in between is too slow.",
        proof: "The time limit of the request ran out.",
        fixes: [Note("repeat; everything stored is kept")],
        who: "wait",
        signs: ["~timed out", "~timeout", "etimedout"],
        source: "a rule of snowtoken",
    }
    ConnectionLost = "connection-lost", "the connection broke before the answer was whole", Network, TryLater {
        seen: "`Connection reset by peer`, `socket hang up`, an answer that stops in the middle.",
        cause: "The road between here and the instance failed in the middle.",
        proof: "The answer ended early.",
        fixes: [Note("repeat; everything stored is kept")],
        who: "wait",
        signs: ["connection reset", "broken pipe", "econnreset", "socket hang up", "err_connection_reset"],
        rehearsal: Knobs(&["fault.kind=cut", "fault.path=/oauth_token.do", "fault.from=2"]),
        source: "a rule of snowtoken",
    }
    ProxyFailed = "proxy-failed", "the proxy did not let us through", Network, TryLater {
        seen: "`407 Proxy Authentication Required`, or the proxy's own error page.",
        cause: "The proxy refused, wants other credentials, or is not there.",
        proof: "CONNECT was not answered with 200.",
        fixes: [Set("HTTPS_PROXY", "http://user:password@proxy:port; NO_PROXY lists what goes around it")],
        who: "you or your network's administrator",
        signs: ["407 proxy", "proxy authentication", "~407"],
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
    ClockSkewed = "clock-skewed", "this machine's clock is wrong", Machine, Failed {
        seen: "Signed tokens that are refused as not valid yet, ends that do not fit, certificates that have not begun.",
        cause: "The clock of this machine and that of the instance are five minutes or more apart.",
        proof: "The date of the instance's answer, compared with this machine's.",
        fixes: [Note("let the system set its clock by the network (on Linux: timedatectl set-ntp true)"),
            Note("if this machine's clock is right, the date came from a proxy, or the instance's clock is wrong")],
        who: "you",
        signs: ["clock skew", "token is not yet valid", "token used before issued"],
        rehearsal: Test("clocks_that_are_apart_are_noticed_and_when_far_apart_a_failure"),
        source: "RFC 9110 §6.6.1; RFC 7519 §4.1.4",
    }
    EndpointMissing = "endpoint-missing", "there is no token endpoint at that address", Instance, TryLater {
        seen: "404, `Page not found`, for /oauth_token.do.",
        cause: "OAuth is switched off on the instance (com.snc.platform.security.oauth.is.active, or the plugin), or the host is no instance.",
        proof: "Status 404 from an address that every instance with OAuth has.",
        fixes: [Note("compare --instance with the address in your browser"),
            Set("com.snc.platform.security.oauth.is.active", "must be true, and the plugin OAuth 2.0 active")],
        who: "you, then your ServiceNow administrator",
        signs: ["com.snc.platform.security.oauth.is.active", "~oauth_token.do + 404", "~oauth_auth.do + 404", "~page not found + oauth"],
        rehearsal: Knobs(&["fault.kind=not-found", "fault.path=/oauth_token.do"]),
        source: "ServiceNow documentation: Set up OAuth; the answer inferred, docs/quirks.md",
    }
    SignInInFront = "sign-in-in-front", "a sign-in page stands in front of the instance", Network, TryLater {
        seen: "302 to a sign-in page, or a page `Sign in`, from /oauth_token.do or the API.",
        cause: "A proxy for single sign-on, or a network that wants everybody to sign in first, answers in place of the instance. A program cannot sign in there.",
        proof: "The answer is a redirect to an address of a sign-in, or a page titled like one. Secrets are never sent on to another address.",
        fixes: [Note("open the instance in a browser on this machine: if a network asks for a sign-in, do it and repeat"),
            Note("an administrator exempts /oauth_token.do, /oauth_revoke_token.do and /api/ from the sign-in proxy")],
        who: "you, or your network's or ServiceNow administrator",
        signs: ["login_with_sso.do", "glide_sso_id", "sign in to your organization", "sign in to your account", "~single sign-on", "saml2/redirect", "login.microsoftonline.com", "~302 + login", "~oauth_token.do + 302"],
        rehearsal: Knobs(&["fault.kind=login-page", "fault.path=/oauth_token.do"]),
        source: "Microsoft documentation issues: OfficeDocs-MicrosoftSearch 71; RFC 6749 §3.2",
    }
    AddressRefused = "address-refused", "the instance does not let this address in", Instance, TryLater {
        seen: "403 and a page, or a broken connection; `Security restricted: Access restricted (… not authorized)` in the node's log.",
        cause: "IP Address Access Control, or the network of a protected cloud, admits listed addresses only.",
        proof: "The log names the address; from the office network or the VPN it works.",
        fixes: [Note("use the network or VPN that is admitted"),
            Visit("System Security > IP Address Access Control", "add the address this machine is seen with, or that of the consumer")],
        who: "your ServiceNow administrator",
        signs: ["security restricted", "~access restricted", "ip address access control", "kb1001318"],
        rehearsal: Knobs(&["fault.kind=address-refused", "fault.path=/oauth_token.do"]),
        source: "ServiceNow documentation: IP address access control; ServiceNow KB1001318",
    }
    InstanceReclaimed = "instance-reclaimed", "the developer instance was taken back", Instance, Failed {
        seen: "The name leads to a page of developer.servicenow.com, or nowhere; the site offers to request a new instance.",
        cause: "A personal developer instance that nobody used for about 10 days is reclaimed, with everything on it.",
        proof: "The developer site no longer lists it under your name.",
        fixes: [Note("request a new instance at developer.servicenow.com, make the client there again"),
            Run("snowtoken login NAME --instance NEW", "the new instance, with the new client ID and secret")],
        who: "the owner of the developer instance",
        signs: ["instance has been reclaimed", "instance was reclaimed", "request an instance", "instance is no longer assigned", "~reclaimed"],
        rehearsal: Never("a machine that is gone gives no answer that could be played"),
        source: "ServiceNow developer site: Understanding personal developer instances",
    }
    CorsRefused = "cors-refused", "the browser does not let a page ask the instance", You, Failed {
        seen: "`has been blocked by CORS policy`, `No 'Access-Control-Allow-Origin' header` in the browser's console.",
        cause: "A web page of another origin called the instance from within the browser, and no CORS rule allows it. A client secret has no place in such a page anyway.",
        proof: "The same request from a command succeeds.",
        fixes: [Run("snowtoken token", "ask from a program or server, and keep secrets out of pages"),
            Visit("System Web Services > REST > CORS Rules", "a rule for the origin, for API calls; not for the token endpoint")],
        who: "whoever wrote the page",
        signs: ["blocked by cors policy", "no 'access-control-allow-origin'", "~access-control-allow-origin", "cors rule", "sys_cors_rule", "cross-origin request blocked", "~cors"],
        rehearsal: Never("it happens inside a browser, to a page of somebody else"),
        source: "ServiceNow documentation: Define a CORS rule",
    }

    } };
}
