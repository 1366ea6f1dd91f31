//! In the browser, and on the way back from it.

macro_rules! consent_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

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

    } };
}
