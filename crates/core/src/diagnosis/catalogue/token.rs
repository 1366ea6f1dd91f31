//! At the token endpoint.

macro_rules! token_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

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
    CodeLost = "code-lost", "the answer to the code was lost on the way", Network, Failed {
        cause: "A code may be sent once only; whether the instance took it is unknown.",
        proof: "The connection failed after the code was sent.",
        fixes: [Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        source: "RFC 6749 §4.1.2",
    }

    } };
}
