//! Every diagnosis there is: stable code, cause, proof, fix, who. The reference pages, `explain`
//! and the hints of a failure all come from this one table.

use std::fmt;

use super::{Blame, Hint, Outcome};

/// One diagnosis, as the reference shows it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The stable code, lower-case words with hyphens.
    pub code: &'static str,
    /// One line: what happened.
    pub title: &'static str,
    /// Who can mend it.
    pub blame: Blame,
    /// What it means to a script.
    pub outcome: Outcome,
    /// Why it happens.
    pub cause: &'static str,
    /// How we can tell.
    pub proof: &'static str,
    /// What to do, most helpful first.
    pub fixes: &'static [Fix],
    /// Who can do it.
    pub who: &'static str,
    /// Texts that betray it in raw input: `explain` looks for them, lower-case.
    pub signs: &'static [&'static str],
    /// Where the knowledge comes from.
    pub source: &'static str,
}

/// A step of a fix, as static text.
#[derive(Debug, Clone, Copy)]
pub enum Fix {
    /// A command and why.
    Run(&'static str, &'static str),
    /// A place in the instance and why.
    Visit(&'static str, &'static str),
    /// A property and to what.
    Set(&'static str, &'static str),
    /// A sentence.
    Note(&'static str),
}

impl Entry {
    /// The fixes as hints.
    pub fn hints(&self) -> Vec<Hint> {
        self.fixes
            .iter()
            .map(|fix| match *fix {
                Fix::Run(command, why) => Hint::run(command, why),
                Fix::Visit(place, why) => Hint::visit(place, why),
                Fix::Set(property, why) => Hint::set(property, why),
                Fix::Note(text) => Hint::note(text),
            })
            .collect()
    }
}

macro_rules! catalogue {
    ($($variant:ident = $code:literal, $title:literal, $blame:ident, $outcome:ident {
        cause: $cause:literal,
        proof: $proof:literal,
        fixes: [$($fix:expr),* $(,)?],
        who: $who:literal,
        signs: [$($sign:literal),* $(,)?],
        source: $source:literal $(,)?
    })*) => {
        /// A stable diagnosis code: names never change their meaning once released.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $variant),* }

        /// Every diagnosis, in the order of a token's life.
        pub const CATALOGUE: &[(Code, Entry)] = &[$((Code::$variant, Entry {
            code: $code,
            title: $title,
            blame: Blame::$blame,
            outcome: Outcome::$outcome,
            cause: $cause,
            proof: $proof,
            fixes: &[$($fix),*],
            who: $who,
            signs: &[$($sign),*],
            source: $source,
        })),*];
    };
}

use Fix::{Note, Run, Set, Visit};

catalogue! {
    Usage = "usage", "the command line does not fit", You, Usage {
        cause: "A flag, value or combination is not one this command takes.",
        proof: "The command line is read before anything else is done.",
        fixes: [Run("snowtoken help", "the flags and an example")],
        who: "you",
        signs: [],
        source: "docs/reference/commands.md",
    }
    ConfigInvalid = "config-invalid", "the configuration file cannot be used", You, Usage {
        cause: "config.toml is no valid TOML, or a value in it is not allowed.",
        proof: "The file is read whole before it is used; the message names line and field.",
        fixes: [Note("mend the named line, or move the file away: it holds no secret, and nothing is written over it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    InstanceInvalid = "instance-invalid", "that is not an instance we would send secrets to", You, Usage {
        cause: "An instance is a bare name (`classics`), a host, or an https URL without path; http only for loopback addresses.",
        proof: "The text is parsed as browsers do, and refused when the host found differs from the host written.",
        fixes: [Note("give the name in front of .service-now.com, or copy the https address from the browser up to the first slash")],
        who: "you",
        signs: [],
        source: "ServiceNow as documented and observed, docs/quirks.md; RFC 9700 §4.4",
    }
    ProfileUnknown = "profile-unknown", "there is no profile of that name", You, Usage {
        cause: "The name was never used with `login` or `profile import`, or the other home folder is in use.",
        proof: "Neither the configuration nor the store knows the name.",
        fixes: [Run("snowtoken profile list", "the profiles there are"),
            Run("snowtoken login", "make it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    ProfileInvalid = "profile-invalid", "that cannot be the name of a profile", You, Usage {
        cause: "Names are 1 to 63 characters of a-z 0-9 . _ - and begin with a letter or digit.",
        proof: "The name is checked before it is used anywhere.",
        fixes: [Note("choose a name such as `dev` or `acme-prod`")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    ProfileMissing = "profile-missing", "say which profile", You, Usage {
        cause: "Several profiles exist, or none, and no name was given.",
        proof: "With one profile only, or with SNOWTOKEN_PROFILE, the name may be left out.",
        fixes: [Run("snowtoken profile list", "the profiles there are")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SettingMissing = "setting-missing", "something needed for this was not given", You, Usage {
        cause: "A value that the profile, the target and the command line leave open.",
        proof: "The message names it.",
        fixes: [Note("give it as a flag, in the environment, or with `snowtoken profile set`")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    InputNeeded = "input-needed", "an answer is needed, and nobody can be asked", You, Usage {
        cause: "A value is missing and the terminal is absent or --no-input was given.",
        proof: "Prompts need a terminal.",
        fixes: [Set("--client-secret-file FILE", "reads the client secret from a file, `-` is standard input"),
            Set("SNOWTOKEN_CLIENT_SECRET", "hands the client secret over in the environment")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    RedirectUriInvalid = "redirect-uri-invalid", "that redirect URI cannot be used", You, Usage {
        cause: "A redirect URI is an absolute URL without fragment and user information: https, or http on a loopback address.",
        proof: "It is parsed before anything is sent.",
        fixes: [Note("copy it from the client's Redirect URL field, character by character")],
        who: "you",
        signs: [],
        source: "RFC 6749 §3.1.2, RFC 8252 §7.3",
    }
    RegionUnknown = "region-unknown", "that product is not offered in this region", You, Usage {
        cause: "The target works in a closed list of regions.",
        proof: "The list is part of the target.",
        fixes: [Run("snowtoken target show NAME", "the regions there are")],
        who: "you",
        signs: [],
        source: "docs/reference/targets.md",
    }
    PortBusy = "port-busy", "the port of the redirect URI is in use", Machine, Failed {
        cause: "Another program, perhaps another login, listens on the port that the redirect URI names.",
        proof: "The listener could not be opened; it is opened before the browser.",
        fixes: [Note("end the other program, or register another redirect URI with a free port: the port is part of what the instance compares")],
        who: "you",
        signs: [],
        source: "RFC 8252 §8.3",
    }
    RedirectEmpty = "redirect-empty", "no redirected URL arrived", You, Failed {
        cause: "The input ended, or the line was empty, before a URL was pasted.",
        proof: "Nothing was read.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Note("copy the whole address from the browser's address bar after Allow, also if the page itself looks like an error")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    RedirectUnreadable = "redirect-unreadable", "what was pasted is not a redirected URL", You, Failed {
        cause: "The text holds neither a URL nor a query with `code` or `error`.",
        proof: "It could not be parsed.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Note("copy the whole address from the browser's address bar; it contains `code=` and `state=`")],
        who: "you",
        signs: [],
        source: "RFC 6749 §4.1.2",
    }
    RedirectTooLong = "redirect-too-long", "what was pasted is longer than any redirected URL", You, Failed {
        cause: "More than 64 KiB were pasted.",
        proof: "The input was cut off there.",
        fixes: [Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    RedirectBareCode = "redirect-bare-code", "a code alone proves nothing", You, Failed {
        cause: "Without `state` nobody can tell whether the code belongs to this login or was slipped in by somebody else.",
        proof: "The text has no parameter names.",
        fixes: [Note("paste the whole address; if you are sure where the code comes from, add --accept-bare-code")],
        who: "you",
        signs: [],
        source: "RFC 9700 §4.7, RFC 6749 §10.12",
    }
    RedirectRepeated = "redirect-repeated-parameter", "a parameter occurs twice in the redirected URL", You, Failed {
        cause: "A well-formed answer has each parameter once; a doubled one is a sign of tampering or of two URLs pasted together.",
        proof: "The query was read whole.",
        fixes: [Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        source: "RFC 6749 §3.1",
    }
    StateMismatch = "state-mismatch", "the redirected URL belongs to another login", You, Failed {
        cause: "Its `state` is missing or not the one this login sent: an older tab, another terminal, or somebody else's link.",
        proof: "`state` is compared before anything else is looked at; nothing was sent.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Note("use the tab that this login opened; never paste an address that somebody sent you")],
        who: "you",
        signs: ["state"],
        source: "RFC 6749 §10.12, RFC 9700 §2.1",
    }
    RedirectElsewhere = "redirect-elsewhere", "the redirected URL leads to another place than the one asked for", You, Failed {
        cause: "Scheme, host, port or path differ from the redirect URI of this login.",
        proof: "It is compared part by part; nothing was sent.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Note("check that region and redirect URI of the profile are those of the client's Redirect URL field")],
        who: "you",
        signs: [],
        source: "RFC 8252 §8.10, RFC 9700 §4.4",
    }
    AccessDenied = "access-denied", "consent was denied", You, LoginNeeded {
        cause: "Deny was pressed on the consent page, or the instance decided so.",
        proof: "The redirected URL carries error=access_denied with the right state.",
        fixes: [Note("log in again and press Allow; the user who signs in must be the one whose data is to be read"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "the user who signs in",
        signs: ["error=access_denied"],
        source: "RFC 6749 §4.1.2.1",
    }
    AuthorizationRefused = "authorization-refused", "the instance refused the authorization request", Instance, Failed {
        cause: "The redirected URL carries an error.",
        proof: "The `error` parameter, with the right state.",
        fixes: [Visit("System OAuth > Application Registry", "check the client: Active, Redirect URL, lifespans, scopes, Public Client"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "your ServiceNow administrator",
        signs: ["error=unauthorized_client", "error=invalid_request", "unsupported_response_type"],
        source: "RFC 6749 §4.1.2.1",
    }
    ConsentTimeout = "consent-timeout", "nobody answered in time", You, LoginNeeded {
        cause: "The page was closed, sign-in took longer than the wait, or the instance showed an error page instead of redirecting.",
        proof: "Neither the listener nor the prompt heard anything.",
        fixes: [Note("look at the browser: a page that says `Invalid redirect_uri` or `Missing State parameter` names the cause"),
            Set("--wait 30m", "waits longer"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    RedirectUriMismatch = "redirect-uri-mismatch", "the instance does not know this redirect URI", Instance, Failed {
        cause: "The redirect URI of the request is not, character by character, one of the client's Redirect URLs.",
        proof: "ServiceNow shows a page that says `Invalid redirect_uri`; nothing reaches us.",
        fixes: [Visit("System OAuth > Application Registry > the client > Redirect URL", "enter exactly the redirect URI that `snowtoken profile show` prints: trailing slash, port and region count"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "your ServiceNow administrator",
        signs: ["invalid redirect_uri", "invalid redirect_url", "redirect_uri_mismatch", "redirect url mismatch", "your oauth redirect failed"],
        source: "ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Redirect URL mismatch\"",
    }
    StateRequired = "state-required", "the instance wants a `state` parameter", You, Failed {
        cause: "The property glide.oauth.state.parameter.required is on and the authorization URL was opened without its `state`.",
        proof: "ServiceNow shows `Missing State parameter in request.`",
        fixes: [Note("open the authorization URL whole, as it was printed"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: ["missing state parameter"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    CodeRefused = "code-refused", "the instance refused to exchange the code", Instance, Failed {
        cause: "ServiceNow gives one answer to nearly every failure. At the exchange the usual causes are, in this order: the code was older than 60 s or used before; the redirect URI differs; the client secret is wrong; a scope was asked for that the client does not have; the user may not sign in interactively.",
        proof: "POST /oauth_token.do answered an error while a code was exchanged.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Visit("System OAuth > Application Registry", "check the client: Active, Redirect URL, lifespans, scopes, Public Client"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "you, then your ServiceNow administrator",
        signs: ["exception on token flow - invalid_token", "authorization code"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ClientRefused = "client-refused", "the instance does not accept this client", Instance, Failed {
        cause: "Client ID or client secret is wrong, the client is not active, or it may not use this grant.",
        proof: "The token endpoint answered invalid_client or unauthorized_client.",
        fixes: [Visit("System OAuth > Application Registry > the client", "compare Client ID and Client Secret, check Active"),
            Run("snowtoken login --client-secret-file FILE", "replaces the stored secret once a login succeeds"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "your ServiceNow administrator",
        signs: ["invalid_client", "unauthorized_client", "invalid client", "exception on token flow - client_secret", "integration user is not configured"],
        source: "RFC 6749 §5.2; ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Invalid client\"",
    }
    ScopeRefused = "scope-refused", "the instance does not know a scope that was asked for", Instance, Failed {
        cause: "A scope of the request has no row on the client.",
        proof: "invalid_scope, on the wire or in the system log.",
        fixes: [Visit("System OAuth > Application Registry > the client > OAuth Scopes", "add every scope of the target, spelt exactly"),
            Run("snowtoken login --no-scope", "asks for no scope at all: the client's own scopes hold"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "your ServiceNow administrator",
        signs: ["exception on token flow - invalid_scope", "invalid_scope", "invalid scope"],
        source: "ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Invalid scope\"",
    }
    TokenRefused = "token-refused", "the instance refused to refresh the token", Instance, LoginNeeded {
        cause: "The refresh token has ended (100 days after the last consent unless the client says otherwise), was revoked, or the client secret was changed, the user locked, the client deactivated.",
        proof: "The refresh was refused, and refused again when it was repeated once.",
        fixes: [Run("snowtoken login", "a new consent starts a new lifespan"),
            Visit("System OAuth > Manage Tokens", "shows whether the refresh token is still there"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "you, then your ServiceNow administrator",
        signs: ["invalid_grant", "invalid grant"],
        source: "ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Invalid grant\"",
    }
    RequestRefused = "request-refused", "the instance refused the request", Instance, Failed {
        cause: "The token endpoint gave an error of its own.",
        proof: "A well-formed OAuth error that is none of the usual ones.",
        fixes: [Visit("System OAuth > Application Registry", "check the client: Active, Redirect URL, lifespans, scopes, Public Client"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "your ServiceNow administrator",
        signs: ["unsupported_grant_type", "invalid_request"],
        source: "RFC 6749 §5.2",
    }
    CatchAll = "server-error-access-denied", "ServiceNow's answer to nearly everything", Instance, Failed {
        cause: "401 server_error/access_denied hides the cause: wrong secret, wrong client ID, code too old or used, redirect URI differs, scope without a row, refresh token ended, user locked, client inactive, grant switched off.",
        proof: "Only the instance's system log tells which.",
        fixes: [Note("while a code was exchanged: the age of the code first, then redirect URI, secret, scope"),
            Note("while refreshing: the refresh token's end first, then a changed secret, a locked user, an inactive client"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "you, then your ServiceNow administrator",
        signs: ["exception on token flow", "server_error", "access_denied"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    AnswerUnreadable = "answer-unreadable", "something that is not the instance's token endpoint answered", Instance, TryLater {
        cause: "A proxy, a sign-in page or an error page stood in front of it.",
        proof: "The answer is no JSON object, or not a 200.",
        fixes: [Note("open the instance in a browser from this machine: what page appears?"),
            Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "you or your network's administrator",
        signs: ["<html", "<!doctype html"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    AnswerInvalid = "answer-invalid", "the instance's answer breaks the rules", Instance, Failed {
        cause: "A member is missing or has a value that cannot be used.",
        proof: "RFC 6749 §5.1 lists what a token answer must hold.",
        fixes: [Note("the raw answer is not shown, since it may hold secrets; an administrator can look at the transaction log")],
        who: "your ServiceNow administrator",
        signs: [],
        source: "RFC 6749 §5.1",
    }
    AnswerTooLarge = "answer-too-large", "the answer was larger than any token answer", Instance, TryLater {
        cause: "Whatever answered kept on sending.",
        proof: "It was cut at the limit.",
        fixes: [Note("open the instance in a browser from this machine: what page appears?")],
        who: "you or your network's administrator",
        signs: [],
        source: "RFC 6749 §10.14",
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
    CodeLost = "code-lost", "the answer to the code was lost on the way", Network, Failed {
        cause: "A code may be sent once only; whether the instance took it is unknown.",
        proof: "The connection failed after the code was sent.",
        fixes: [Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        source: "RFC 6749 §4.1.2",
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
    TokenNotAccepted = "token-not-accepted", "the instance does not accept the access token", Instance, LoginNeeded {
        cause: "It has ended or was revoked.",
        proof: "An API call was answered 401.",
        fixes: [Run("snowtoken refresh", "gets a new access token while the refresh token lives"),
            Run("snowtoken login", "a new consent")],
        who: "you",
        signs: ["user not authenticated", "required to provide auth information"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiRestricted = "api-restricted", "the token is good, but the client may call no API", Instance, Failed {
        cause: "The client is securely scoped, the default of the newer form, or was made inside a scoped application.",
        proof: "403 `Access to unscoped api is not allowed`.",
        fixes: [Visit("Machine Identity Console > Inbound integrations > the client > Auth scope", "untick \"Allow access only to APIs in selected scope\", or choose the scope useraccount")],
        who: "your ServiceNow administrator",
        signs: ["access to unscoped api is not allowed"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiScopeMissing = "api-scope-missing", "the API wants a scope that the client does not have", Instance, Failed {
        cause: "The API is linked to an auth scope.",
        proof: "403 `Missing required API access scope`.",
        fixes: [Visit("System OAuth > Application Registry > the client > Auth Scopes", "add the named scope or useraccount")],
        who: "your ServiceNow administrator",
        signs: ["missing required api access scope"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiForbidden = "api-forbidden", "the user may not read this", Instance, Failed {
        cause: "A role or access rule is missing.",
        proof: "An API call was answered 403.",
        fixes: [Note("an administrator gives the user the roles that the target names; `snowtoken target show NAME` lists them")],
        who: "your ServiceNow administrator",
        signs: ["failed api level acl", "user not authorized", "insufficient rights"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiUnexpected = "api-unexpected", "the instance answered the proving call in an unexpected way", Instance, Failed {
        cause: "Another program may stand in front of the API.",
        proof: "Neither a user nor one of the documented errors came back.",
        fixes: [Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "your ServiceNow administrator",
        signs: ["requested uri does not represent any resource", "invalid table"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    UserMismatch = "user-mismatch", "another user signed in", You, LoginNeeded {
        cause: "The token belongs to another user than the expected one.",
        proof: "The instance named the token's owner; the tokens were not stored.",
        fixes: [Note("sign out of the instance in the browser (\"Not You?\" on the consent page), then log in again")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    NotLoggedIn = "not-logged-in", "there are no tokens for this profile", You, LoginNeeded {
        cause: "Nobody has logged in yet, or the tokens were revoked or forgotten.",
        proof: "The store holds none.",
        fixes: [Run("snowtoken login", "gets them")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    NoRefreshToken = "no-refresh-token", "the access token has ended and there is no refresh token", You, LoginNeeded {
        cause: "The instance gave none: client credentials and JWT bearer never do.",
        proof: "The token set has no refresh token.",
        fixes: [Run("snowtoken login", "gets a new token set")],
        who: "you",
        signs: [],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    TokenTooShort = "token-too-short", "the instance does not give a longer-lived token now", Instance, TryLater {
        cause: "While an access token lives ServiceNow may hand out the same one again; a longer one comes only after it has ended, or with a longer lifespan on the client.",
        proof: "The refresh brought no token that lives long enough.",
        fixes: [Note("ask for less with --min-valid, or raise Access Token Lifespan on the client")],
        who: "wait, or your ServiceNow administrator",
        signs: [],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    RevocationUnproven = "revocation-unproven", "the instance did not revoke the tokens", Instance, Failed {
        cause: "Its answer said so, or a call with the token still succeeds.",
        proof: "A call after the revocation was not refused.",
        fixes: [Visit("System OAuth > Manage Tokens", "revoke them there"),
            Run("snowtoken revoke", "tries again")],
        who: "you, then your ServiceNow administrator",
        signs: [],
        source: "RFC 7009 §2.2; ServiceNow as documented and observed, docs/quirks.md",
    }
    RevocationPending = "revocation-pending", "the tokens could not be revoked yet", Network, TryLater {
        cause: "The instance could not be asked.",
        proof: "The tokens are kept for the next try; they are not handed out any more.",
        fixes: [Run("snowtoken revoke", "tries again")],
        who: "wait",
        signs: [],
        source: "RFC 7009 §2.2.1",
    }
    BeingRevoked = "being-revoked", "a revocation is under way", You, LoginNeeded {
        cause: "Somebody asked for the revocation of these tokens, and it is not proved yet.",
        proof: "The store says so; tokens that are being revoked are handed out to nobody.",
        fixes: [Run("snowtoken revoke", "finishes the revocation"),
            Run("snowtoken login", "gets new tokens")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    HandedOver = "handed-over", "another machine keeps these tokens now", You, LoginNeeded {
        cause: "The profile was handed over to another machine; two that refresh the same tokens would end each other's session.",
        proof: "The store says when; nothing was sent.",
        fixes: [Note("use the machine that took over, or the tokens it delivers"),
            Note("if nobody has imported its sealed file: `snowtoken profile import FILE` here takes it back"),
            Run("snowtoken login", "gets tokens for this machine; one client and user share one pair, so revoke on one machine only")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    DeadlineNear = "deadline-near", "a deadline is near or past", You, Deadline {
        cause: "A refresh token ends inside the time asked for, or nobody knows when it ends.",
        proof: "The ledger has its end, and says how it is known.",
        fixes: [Run("snowtoken login", "a new consent starts a new lifespan")],
        who: "the user who signs in",
        signs: [],
        source: "a rule of snowtoken",
    }
    OutputUnwritable = "output-unwritable", "the file could not be written", Machine, Failed {
        cause: "Folder missing, no permission, disk full, or something else stands in its place.",
        proof: "The operating system refused; what was there before is untouched, and the tokens are safe in the store.",
        fixes: [Run("snowtoken deliver --output FILE", "writes it somewhere else")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    OutputFailed = "output-failed", "standard output could not be written", Machine, Failed {
        cause: "It leads to a file on a full disk, or to something that takes nothing.",
        proof: "The operating system refused; what is stored is untouched.",
        fixes: [Note("check where the output is sent to, then repeat")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    DeliveryDrifted = "delivery-drifted", "the delivered copy is not what is stored now", You, Deadline {
        cause: "The tokens changed after the delivery, or somebody edited the copy.",
        proof: "Fingerprints are compared; no secret is shown.",
        fixes: [Run("snowtoken deliver --output FILE", "writes it again"), Note("after `revoke` or `logout` the copy is dead: delete it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    DeliveryUnfit = "delivery-unfit", "a value does not fit the consumer's form", Instance, Failed {
        cause: "It is too long or holds characters the form cannot take.",
        proof: "Lengths and alphabets of the target are checked before anything is written.",
        fixes: [Run("snowtoken target show NAME", "the limits")],
        who: "your ServiceNow administrator",
        signs: [],
        source: "docs/reference/targets.md",
    }
    ImportUnreadable = "import-unreadable", "the file holds no credentials we know", You, Usage {
        cause: "None of the known shapes fits: the vendor script's text file, .env, JSON.",
        proof: "The file was read whole; nothing was stored.",
        fixes: [Note("the file needs at least an instance, a client ID and a refresh token or access token")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileDamaged = "sealed-file-damaged", "the sealed file is not what was written", You, Failed {
        cause: "It was cut or changed on the way, or it was never written by `profile export`.",
        proof: "Checksum, form and seal are checked before anything in it is used; nothing was changed.",
        fixes: [Note("copy the file again, as it is; a mail program may have changed its lines"),
            Note("if it is lost: `snowtoken login NAME` on the machine that shall have the tokens")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileNewer = "sealed-file-newer", "the sealed file was written by a newer version", You, Failed {
        cause: "The machine it comes from has a newer snowtoken, whose files this one cannot read.",
        proof: "The version stands in the file's second line; nothing was changed.",
        fixes: [Note("install the newer version here, then import the same file")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileNotOpened = "sealed-file-not-opened", "the sealed file does not open", You, Failed {
        cause: "Another passphrase or identity is needed, or somebody changed the file on purpose.",
        proof: "The checksum fits, so the file arrived as it is, and the seal does not open; nothing was changed.",
        fixes: [Note("repeat with the passphrase that was typed at the export"),
            Set("--identity FILE", "for a file that was sealed for an age recipient: the identity that belongs to it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileUsed = "sealed-file-used", "that hand-over is over already", You, Usage {
        cause: "The file was imported on this machine before, or a later hand-over has taken its place.",
        proof: "The audit knows the number in its line `Lease`; nothing was changed.",
        fixes: [Run("snowtoken status", "who keeps the tokens now, as far as this machine knows"),
            Set("--force", "imports it all the same: two machines may then refresh the same tokens")],
        who: "you",
        signs: [],
        source: "docs/adr/0007-handing-a-profile-over.md",
    }
    AgeFailed = "age-failed", "the age program did not do what was asked", You, Failed {
        cause: "It is not installed, does not know the recipient or identity, or was not answered in time.",
        proof: "It could not be started, or ended with an error; nothing was changed.",
        fixes: [Note("install age (Debian: age, Homebrew: age, winget: FiloSottile.age), or seal with a passphrase instead"),
            Note("try by hand what it says: `age --help`")],
        who: "you",
        signs: [],
        source: "https://age-encryption.org",
    }
    ProgramNotStarted = "program-not-started", "the program could not be started", You, Failed {
        cause: "It does not exist or may not be executed.",
        proof: "The operating system refused.",
        fixes: [Note("check the name after `--`")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreLocked = "store-locked", "the store is in use by another program", Machine, TryLater {
        cause: "Another process holds the database longer than we wait.",
        proof: "The database stayed busy.",
        fixes: [Note("repeat; if it stays so, look which program holds the file open"),
            Note("if there is none, the folder may lie on a network file system whose locks do not work: set SNOWTOKEN_HOME to a folder on a disk of this machine")],
        who: "you",
        signs: ["database is locked"],
        source: "a rule of snowtoken",
    }
    LockTimeout = "lock-timeout", "another process holds the lock of this profile", Machine, TryLater {
        cause: "A login or refresh of the same profile is still running.",
        proof: "The lock was not free in time; it dies with its process.",
        fixes: [Note("repeat when the other command has ended")],
        who: "you",
        signs: [],
        source: "ARCHITECTURE.md",
    }
    LocksUnavailable = "locks-unavailable", "the file system does not keep locks", Machine, Store {
        cause: "The folder lies on a network file system (NFS, SMB, a share of a virtual machine) whose lock service is off, full or does not answer.",
        proof: "The operating system was asked for a lock and refused, or did not answer in time; without it two programs could use one refresh token at once.",
        fixes: [Set("SNOWTOKEN_HOME", "a folder on a disk of this machine, not on a network file system")],
        who: "you",
        signs: ["no locks available"],
        source: "a rule of snowtoken",
    }
    KeeperRunning = "keeper-running", "a keeper is running already", Machine, TryLater {
        cause: "Another `snowtoken keep` looks after the profiles of this home; two would only be in each other's way.",
        proof: "It holds the keeper's lock, which dies with its process.",
        fixes: [Note("nothing needs to be done; to start another one, end the first (`systemctl --user stop snowtoken-keep`, Ctrl-C)")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreDamaged = "store-damaged", "the store is damaged", Machine, Store {
        cause: "The database file is not what was written: disk failure, truncation, or another program wrote to it.",
        proof: "It fails its own checks. It is left as it is, never replaced by an empty one.",
        fixes: [Run("snowtoken doctor", "says what is damaged, and what of it is at hand"),
            Run("snowtoken doctor --restore", "goes back to the last good state; the damaged file is kept")],
        who: "you",
        signs: ["database disk image is malformed", "file is not a database"],
        source: "a rule of snowtoken",
    }
    RestoreRefused = "restore-refused", "nothing was restored", You, Failed {
        cause: "Nothing is damaged, or nobody agreed to go back.",
        proof: "The store was looked through before anything was changed.",
        fixes: [Run("snowtoken doctor", "shows step by step what is well and what is not")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreFull = "store-full", "the disk is full", Machine, Store {
        cause: "There is no room to store tokens durably.",
        proof: "The operating system said so; what was stored before is kept.",
        fixes: [Note("free some space, then repeat; a quota and a limit on the size of files (`ulimit -f`) count as well"),
            Set("SNOWTOKEN_HOME", "another folder on another disk")],
        who: "you",
        signs: ["no space left on device", "database or disk is full"],
        source: "a rule of snowtoken",
    }
    StoreReadOnly = "store-read-only", "the store cannot be written", Machine, Store {
        cause: "The folder or file is read-only for this user.",
        proof: "A test write failed before anything else was done.",
        fixes: [Set("SNOWTOKEN_HOME", "a folder this user may write to")],
        who: "you",
        signs: ["read-only file system", "attempt to write a readonly database"],
        source: "a rule of snowtoken",
    }
    StoreInsecure = "store-insecure", "others can get at the store", Machine, Store {
        cause: "The file or folder belongs to somebody else, or its mode lets others in.",
        proof: "Owner and mode are checked on every use.",
        fixes: [Note("take the rights away from others with `chmod` as the message says, then find out who could read it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreNewer = "store-newer", "the store was written by a newer version", Machine, Store {
        cause: "A newer snowtoken changed its form.",
        proof: "Its version number is higher than the one we know.",
        fixes: [Note("use the newer version; this one leaves the store as it is")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreConflict = "store-conflict", "somebody else changed the tokens meanwhile", Machine, TryLater {
        cause: "Another process stored a newer token set first.",
        proof: "The generation is not the one that was read.",
        fixes: [Note("repeat: the newer tokens are used")],
        who: "you",
        signs: [],
        source: "ARCHITECTURE.md",
    }
    StoreUnreadable = "store-unreadable", "the store cannot be opened", Machine, Store {
        cause: "The operating system refuses, or a path leads nowhere.",
        proof: "The message names file and reason.",
        fixes: [Set("SNOWTOKEN_HOME", "another folder")],
        who: "you",
        signs: ["unable to open database file"],
        source: "a rule of snowtoken",
    }
    KeyMissing = "key-missing", "the key of the store is not there", Machine, Store {
        cause: "The key file is gone, or the keyring has no such entry.",
        proof: "The store exists, its key does not; no new key is made, for it could open nothing.",
        fixes: [Note("bring the key back from where you keep it; without it log in again with a new SNOWTOKEN_HOME")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyWrong = "key-wrong", "that key does not open the store", Machine, Store {
        cause: "Another key file, passphrase or keyring than the one the store was made with.",
        proof: "A sealed check value does not open.",
        fixes: [Note("use the key the store was made with; `snowtoken status` names the kind")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyInvalid = "key-invalid", "that is no key", Machine, Store {
        cause: "The key file or command did not give 32 bytes as text, or others may read it.",
        proof: "Its form and its mode are checked.",
        fixes: [Note("a key file made by snowtoken has mode 0600 and one line")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyNotChosen = "key-not-chosen", "say where the key of the store shall rest", Machine, Store {
        cause: "There is no keyring here that answers, and nothing is ever stored in the clear or with a key chosen silently.",
        proof: "The keyring was asked and did not answer in time.",
        fixes: [Set("SNOWTOKEN_KEY_FILE=PATH", "keeps it in a file that only you can read; it is made by the first login"),
            Set("SNOWTOKEN_KEY_COMMAND=COMMAND", "asks a command for it"),
            Set("--key passphrase", "derives it from a passphrase")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyringUnavailable = "keyring-unavailable", "the keyring of this system does not answer", Machine, Store {
        cause: "It is absent, locked, or hangs: usual on machines without a desktop.",
        proof: "It was asked with a time limit.",
        fixes: [Set("SNOWTOKEN_KEY_FILE=PATH", "keeps the key in a file that only you can read")],
        who: "you",
        signs: ["org.freedesktop.secrets"],
        source: "a rule of snowtoken",
    }
    MachineExhausted = "machine-exhausted", "this machine gives no more threads, open files or memory", Machine, TryLater {
        cause: "A limit of this program or of the user is reached (`ulimit -a` shows them), or the machine has nothing left to give.",
        proof: "The operating system refused a thread, a file or memory; what is stored is untouched.",
        fixes: [Note("end other programs or raise the limit, then repeat")],
        who: "you",
        signs: ["too many open files", "cannot allocate memory"],
        source: "a rule of snowtoken",
    }
    Bug = "bug", "a bug in snowtoken", Us, Bug {
        cause: "Something happened that should be impossible.",
        proof: "We checked and were wrong.",
        fixes: [Note("please report it with the command and this message; it holds no secret")],
        who: "us",
        signs: [],
        source: "a rule of snowtoken",
    }
}

impl Code {
    /// Its entry in the catalogue.
    pub fn entry(self) -> &'static Entry {
        // The table is written by the same macro as the enum, in the same order.
        &CATALOGUE[self as usize].1
    }

    /// The code as it is printed.
    pub fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// The code of that name.
    pub fn find(name: &str) -> Option<Self> {
        CATALOGUE.iter().find(|(_, entry)| entry.code == name).map(|(code, _)| *code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_words_and_stand_at_their_own_place() {
        for (index, (code, entry)) in CATALOGUE.iter().enumerate() {
            assert_eq!(*code as usize, index);
            assert_eq!(Code::find(entry.code), Some(*code));
            assert!(
                entry.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{}",
                entry.code
            );
            assert!(!entry.fixes.is_empty(), "{} has no fix", entry.code);
        }
    }
}
