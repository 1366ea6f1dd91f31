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
        rehearsal: Test("a_paste_that_is_refused_has_its_own_code"),
        source: "a rule of snowtoken",
    }
    RedirectUnreadable = "redirect-unreadable", "what was pasted is not a redirected URL", You, Failed {
        cause: "The text holds neither a URL nor a query with `code` or `error`.",
        proof: "It could not be parsed.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Note("copy the whole address from the browser's address bar; it contains `code=` and `state=`")],
        who: "you",
        signs: [],
        rehearsal: Test("a_paste_that_is_refused_has_its_own_code"),
        source: "RFC 6749 §4.1.2",
    }
    RedirectTooLong = "redirect-too-long", "what was pasted is longer than any redirected URL", You, Failed {
        cause: "More than 64 KiB were pasted.",
        proof: "The input was cut off there.",
        fixes: [Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        rehearsal: Test("a_paste_that_is_refused_has_its_own_code"),
        source: "a rule of snowtoken",
    }
    RedirectBareCode = "redirect-bare-code", "a code alone proves nothing", You, Failed {
        cause: "Without `state` nobody can tell whether the code belongs to this login or was slipped in by somebody else.",
        proof: "The text has no parameter names.",
        fixes: [Note("paste the whole address; if you are sure where the code comes from, add --accept-bare-code")],
        who: "you",
        signs: [],
        rehearsal: Test("a_paste_that_is_refused_has_its_own_code"),
        source: "RFC 9700 §4.7, RFC 6749 §10.12",
    }
    RedirectRepeated = "redirect-repeated-parameter", "a parameter occurs twice in the redirected URL", You, Failed {
        cause: "A well-formed answer has each parameter once; a doubled one is a sign of tampering or of two URLs pasted together.",
        proof: "The query was read whole.",
        fixes: [Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        rehearsal: Knobs(&["callback.state=twice"]),
        source: "RFC 6749 §3.1",
    }
    StateMismatch = "state-mismatch", "the redirected URL belongs to another login", You, Failed {
        cause: "Its `state` is missing or not the one this login sent: an older tab, another terminal, or somebody else's link.",
        proof: "`state` is compared before anything else is looked at; nothing was sent.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Note("use the tab that this login opened; never paste an address that somebody sent you")],
        who: "you",
        signs: ["~state mismatch", "~invalid state", "~state does not match", "~state differs"],
        rehearsal: Knobs(&["callback.state=altered"]),
        source: "RFC 6749 §10.12, RFC 9700 §2.1",
    }
    RedirectElsewhere = "redirect-elsewhere", "the redirected URL leads to another place than the one asked for", You, Failed {
        cause: "Scheme, host, port or path differ from the redirect URI of this login.",
        proof: "It is compared part by part; nothing was sent.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Note("check that region and redirect URI of the profile are those of the client's Redirect URL field")],
        who: "you",
        signs: [],
        rehearsal: Test("a_paste_that_is_refused_has_its_own_code"),
        source: "RFC 8252 §8.10, RFC 9700 §4.4",
    }
    AccessDenied = "access-denied", "consent was denied", You, LoginNeeded {
        seen: "The redirected URL has `error=access_denied`.",
        cause: "Deny was pressed on the consent page, or the instance decided so.",
        proof: "The redirected URL carries error=access_denied with the right state.",
        fixes: [Note("log in again and press Allow; the user who signs in must be the one whose data is to be read"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "the user who signs in",
        signs: ["error=access_denied", "error: access_denied"],
        rehearsal: Test("item_9_a_deny_with_the_right_state_ends_the_command"),
        source: "RFC 6749 §4.1.2.1",
    }
    AuthorizationRefused = "authorization-refused", "the instance refused the authorization request", Instance, Failed {
        seen: "The redirected URL has `error=…`, for example `unauthorized_client`, `invalid_request`, `unsupported_response_type`.",
        cause: "The redirected URL carries an error.",
        proof: "The `error` parameter, with the right state.",
        fixes: [Visit("System OAuth > Application Registry", "check the client: Active, Redirect URL, lifespans, scopes, Public Client"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "your ServiceNow administrator",
        signs: ["error=unauthorized_client", "error=invalid_request", "unsupported_response_type", "error=server_error", "error=unsupported_response_type", "invalid response_type"],
        rehearsal: Test("errors_of_the_redirect_have_their_codes"),
        source: "RFC 6749 §4.1.2.1",
    }
    ConsentTimeout = "consent-timeout", "nobody answered in time", You, LoginNeeded {
        seen: "The browser shows a page of the instance and never goes on; here nobody answers in time.",
        cause: "The page was closed, sign-in took longer than the wait, or the instance showed an error page instead of redirecting.",
        proof: "Neither the listener nor the prompt heard anything.",
        fixes: [Note("look at the browser: a page that says `Invalid redirect_uri` or `Missing State parameter` names the cause"),
            Set("--wait 30m", "waits longer"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: ["nobody answers in time", "nobody answered in time", "nobody answered within"],
        rehearsal: Test("a_wait_that_nobody_ends_has_its_own_code"),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    RedirectUriMismatch = "redirect-uri-mismatch", "the instance does not know this redirect URI", Instance, Failed {
        seen: "A page of the instance that says `Invalid redirect_uri`, before or after the sign-in; vendors call it \"Redirect URL mismatch\".",
        cause: "The redirect URI of the request is not, character by character, one of the client's Redirect URLs.",
        proof: "ServiceNow shows a page that says `Invalid redirect_uri`; nothing reaches us.",
        fixes: [Visit("System OAuth > Application Registry > the client > Redirect URL", "enter exactly the redirect URI that `snowtoken profile show` prints: trailing slash, port and region count"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "your ServiceNow administrator",
        signs: ["invalid redirect_uri", "invalid redirect_url", "invalid redirect uri", "redirect_uri_mismatch", "redirect url mismatch", "redirect uri mismatch", "redirect_uri does not match", "kb2109232"],
        rehearsal: Knobs(&["client.redirect=other"]),
        source: "ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Redirect URL mismatch\"",
    }
    StateRequired = "state-required", "the instance wants a `state` parameter", You, Failed {
        seen: "A page of the instance that says `Missing State parameter in request.`",
        cause: "The property glide.oauth.state.parameter.required is on and the authorization URL was opened without its `state`.",
        proof: "ServiceNow shows `Missing State parameter in request.`",
        fixes: [Note("open the authorization URL whole, as it was printed"),
            Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: ["missing state parameter", "glide.oauth.state.parameter.required"],
        rehearsal: Never("snowtoken always sends a state; `snowtoken stand-in` shows the page to an address without one"),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ClientUnknown = "client-unknown", "the instance does not know this client", Instance, Failed {
        seen: "An error page of the instance right after the authorization URL was opened, often before any sign-in: `Invalid client_id`.",
        cause: "The client ID is misspelt, belongs to another instance, or the client is not active.",
        proof: "The authorization endpoint shows a page and sends nobody back; what it says exactly is not documented.",
        fixes: [Visit("System OAuth > Application Registry", "copy the Client ID from the record and check Active: it must be the instance that --instance names"),
            Run("snowtoken login --client-id ID", "starts again with the right client ID")],
        who: "your ServiceNow administrator",
        signs: ["invalid client_id", "unknown client_id", "client_id is invalid", "unknown client"],
        rehearsal: Knobs(&["client.active=off"]),
        source: "RFC 6749 §4.1.2.1; inferred, docs/quirks.md",
    }
    ImplicitGrantOff = "implicit-grant-off", "the instance gives no token straight to a browser", You, Failed {
        seen: "An error page after an authorization URL with `response_type=token`.",
        cause: "The implicit grant is refused unless the client stands in glide.oauth.clients.allowed.for.implicit.grant.",
        proof: "The authorization URL of snowtoken always has `response_type=code`; another program made this one.",
        fixes: [Note("set the other program to the authorization code grant (`response_type=code`); the implicit grant is unsafe, leave the property alone"),
            Run("snowtoken login", "gets tokens by the authorization code grant")],
        who: "you",
        signs: ["response_type=token", "glide.oauth.clients.allowed.for.implicit.grant", "~implicit grant"],
        rehearsal: Never("snowtoken never asks for the implicit grant"),
        source: "ServiceNow documentation: Prevent OAuth clients from using implicit grant; RFC 9700 §2.1.2",
    }
    PkceRequired = "pkce-required", "the client's record demands PKCE, and the request has none", Instance, Failed {
        seen: "The browser says that all went well and there is no token; or 401 `server_error`; or a page about `code_challenge`.",
        cause: "Public Client or Always use PKCE is on, and the program that asks sends no `code_challenge`. Records made for MCP clients begin like that.",
        proof: "snowtoken always sends a challenge, so this concerns another program with the same client.",
        fixes: [Visit("System OAuth > Application Registry > the client", "switch Public Client and Always use PKCE off where the consumer cannot do PKCE; both fields may have to be added to the form first"),
            Note("or switch PKCE (S256) on in the consumer")],
        who: "your ServiceNow administrator",
        signs: ["missing code_challenge", "code_challenge is required", "code challenge required", "always use pkce", "pkce is required", "~code_challenge", "~pkce", "success but no token"],
        rehearsal: Never("snowtoken always sends a challenge"),
        source: "ServiceNow documentation: Create an agent in Copilot Studio for MCP client integration; RFC 7636 §4.4.1",
    }
    OauthRedirectPage = "oauth-redirect-page", "that page of the instance is for the other direction", You, Failed {
        seen: "`Your OAuth redirect failed. Please check if the redirect URL setup is correct.` on /oauth_redirect.do.",
        cause: "/oauth_redirect.do is where an instance receives codes when it is itself the client of somebody else. It was opened, or registered as Redirect URL, by mistake.",
        proof: "The address in the browser ends in /oauth_redirect.do.",
        fixes: [Note("open the authorization URL that `snowtoken login` prints; it begins with /oauth_auth.do"),
            Visit("System OAuth > Application Registry > the client > Redirect URL", "must be the address of the product that takes the tokens, not an address of the instance")],
        who: "you",
        signs: ["your oauth redirect failed", "oauth_redirect.do"],
        rehearsal: Never("it takes a person who opens the page by hand; `snowtoken stand-in` has it at /oauth_redirect.do"),
        source: "ServiceNow community thread 1221509; ServiceNow documentation: Use a third-party OAuth provider",
    }
    BrowserLoop = "browser-loop", "the browser goes round in circles", You, Failed {
        seen: "The page never ends loading, or `too many redirects`; the transaction log has /oauth_auth.do three times and more, and no /oauth_token.do.",
        cause: "The browser does not keep the session cookie: tracking prevention (Safari), a private window, blocked cookies.",
        proof: "Sign-in succeeds and the instance asks for it again.",
        fixes: [Note("open the authorization URL in another browser, or in a normal window instead of a private one; allow cookies for the instance"),
            Run("snowtoken login --no-browser", "prints the address, to be opened where you like")],
        who: "you",
        signs: ["too many redirects", "err_too_many_redirects", "redirected you too many times", "the page isn’t redirecting properly", "the page isn't redirecting properly"],
        rehearsal: Never("it happens inside a browser that forgets its cookies"),
        source: "ServiceNow as observed by others, docs/quirks.md",
    }
    ConsentNotAutomatable = "consent-not-automatable", "a person must press Allow", You, LoginNeeded {
        seen: "A question or a script error: can the consent be given by a script? `cannot automate` the authorization code grant.",
        cause: "The authorization code grant is made so that a person agrees. ServiceNow gives no way round it.",
        proof: "KB0818290 says so.",
        fixes: [Run("snowtoken login", "one consent; from then on everything goes by itself until the refresh token ends"),
            Run("snowtoken login --grant client-credentials", "needs no person, and brings no refresh token: only where the consumer can do without"),
            Run("snowtoken rehearse --yes", "a robot that consents, at a pretend instance")],
        who: "the user who signs in",
        signs: ["kb0818290", "automate consent", "automate the consent", "cannot automate"],
        rehearsal: Never("it is a question, not an answer of an instance"),
        source: "ServiceNow KB0818290",
    }
    UserNotInteractive = "user-not-interactive", "this user may not sign in on a page", Instance, LoginNeeded {
        seen: "The sign-in page comes back or says that the user may use web services only; after a consent elsewhere, 401 `server_error`.",
        cause: "Web service access only is ticked in the user's record, or the user is a machine identity. Such users cannot give consent in a browser.",
        proof: "User name and password are right and the sign-in does not succeed.",
        fixes: [Visit("User Administration > Users > the user", "untick Web service access only for the consent, or let another user consent"),
            Note("for client credentials the opposite is right: there the user needs no page")],
        who: "your ServiceNow administrator",
        signs: ["web service access only", "web_service_access_only", "web services only", "identity type machine"],
        rehearsal: Knobs(&["user.state=web-service-only"]),
        source: "ServiceNow community thread 2357504; ServiceNow as observed by others, docs/quirks.md",
    }
    UserLocked = "user-locked", "the user is locked or inactive", Instance, LoginNeeded {
        seen: "`User name or password invalid` on the sign-in page although both are right; 401 `server_error` for refreshes that worked before.",
        cause: "Somebody locked or deactivated the user, or too many wrong passwords did.",
        proof: "No grant is made for such a user; `snowtoken verify` names it where the record can be read.",
        fixes: [Visit("User Administration > Users > the user", "Active must be ticked and Locked out not"),
            Run("snowtoken refresh", "asks again once that is mended; the tokens are kept")],
        who: "your ServiceNow administrator",
        signs: ["user name or password invalid", "user is locked", "user was disabled", "user is disabled", "user disabled", "the user is inactive", "user account is locked", "locked_out", "~locked out"],
        rehearsal: Knobs(&["user.state=locked"]),
        source: "ServiceNow documentation: OAuth API request parameters",
    }
    UserPasswordReset = "user-password-reset", "the user has to choose a new password first", Instance, LoginNeeded {
        seen: "The sign-in page asks for a new password; grants are answered 401 `server_error`.",
        cause: "Password needs reset is ticked in the user's record.",
        proof: "Sign-in leads to the page that changes the password.",
        fixes: [Note("sign in on the instance's own page once and choose a new password, then log in again"),
            Visit("User Administration > Users > the user", "or an administrator unticks Password needs reset")],
        who: "the user who signs in",
        signs: ["password_needs_reset", "password needs reset", "password needs a reset", "password has expired and must be changed", "must change your password"],
        rehearsal: Knobs(&["user.state=password-reset"]),
        source: "ServiceNow documentation: OAuth API request parameters; ServiceNow community thread 2357504",
    }
    RedirectDoubleEncoded = "redirect-double-encoded", "the redirect URI was encoded twice", You, Failed {
        seen: "`redirect_uri=https%253A%252F%252F…` in the address, and the page `Invalid redirect_uri`.",
        cause: "A program or a person percent-encoded an address that was encoded already: %3A became %253A.",
        proof: "The parameter holds %25 followed by two hexadecimal digits.",
        fixes: [Note("give the address plain, as it stands in the client's Redirect URL field; whoever builds the URL encodes it once"),
            Run("snowtoken login", "builds the address by itself")],
        who: "you",
        signs: ["redirect_uri=http%253a", "redirect_uri=https%253a", "%253a%252f%252f"],
        rehearsal: Never("snowtoken encodes once"),
        source: "RFC 6749 §4.1.1; Microsoft documentation: ServiceNow connector, set-up",
    }
    RedirectNotAsDocumented = "redirect-not-as-documented", "the consumer sends another redirect URI than its documentation names", Instance, Failed {
        seen: "`Invalid redirect_uri`, although the address of the vendor's page is registered; the `redirect_uri` in the address bar differs from it.",
        cause: "Some products have an address of their own for each environment or connector, or have moved, and the page was not changed.",
        proof: "Decode the `redirect_uri` of the address that the product opens: that one counts.",
        fixes: [Note("copy `redirect_uri` from the address bar of the consent pop-up, decode it once (%3A is `:`, %2F is `/`)"),
            Visit("System OAuth > Application Registry > the client > Redirect URL", "add exactly that one; several are separated by commas")],
        who: "your ServiceNow administrator",
        signs: ["global.consent.azure-apim.net", "azure-apim.net/redirect", "redirect url in the documentation"],
        rehearsal: Never("it happens at the consumer; to snowtoken it is `redirect-uri-mismatch`"),
        source: "Microsoft documentation: ServiceNow connector, known issues; ServiceNow KB2109232",
    }
    CodeHiddenByConsole = "code-hidden-by-console", "the consumer's page swallowed the code", You, Failed {
        seen: "After Allow the browser shows the sign-in page of AWS, or an address without `code=`.",
        cause: "The redirect URI is a page of the AWS console. Who is not signed in there is sent on to a sign-in page, and the address with the code is gone from the address bar.",
        proof: "The browser's history has an address that contains `appflow/oauth?code=`.",
        fixes: [Note("look in the browser's history for the address with `appflow/oauth?code=`; codes end after 60 s, so log in again if it is older"),
            Note("sign in to the AWS console in the same window first, or use a private window and be quick"),
            Run("snowtoken login --redirect-uri http://127.0.0.1:8456/callback", "lets the browser come back here by itself, where the consumer takes tokens and does not ask for its own redirect URI")],
        who: "you",
        signs: ["signin.aws.amazon.com", "sign in to the aws", "sign in as iam user", "appflow/oauth without code"],
        rehearsal: Never("it happens on a page of AWS"),
        source: "inferred; docs/guides/first-login.md",
    }
    CodeTooOld = "code-too-old", "the code was dead before it was pasted", You, LoginNeeded {
        seen: "401 `server_error`/`access_denied` right after a code was copied by hand; `authorization code expired`.",
        cause: "A code lives 60 seconds and works once. Copying it from one window into another took longer, or it was used before.",
        proof: "The message says how old the code was at most.",
        fixes: [Run("snowtoken login", "start again with a fresh code, and paste at once: the exchange follows without delay"),
            Run("snowtoken login --redirect-uri http://127.0.0.1:8456/callback", "needs no paste, where this redirect URI is registered"),
            Set("~auth_code_lifespan", "on the client's record an administrator can give codes more than 60 s")],
        who: "you",
        signs: ["authorization code expired", "authorization code has expired", "code has expired", "code expired", "~auth_code_lifespan", "codes end after", "~post /oauth_token.do + 401"],
        rehearsal: Test("a_code_lives_sixty_seconds_and_works_once"),
        source: "ServiceNow community thread 1554984; RFC 6749 §4.1.2",
    }
    CodeTakenForToken = "code-taken-for-token", "the row that lives one minute is the code, not a token", You, LoginNeeded {
        seen: "Manage Tokens lists something that expires after one minute; a consumer was given it as access token and is answered 401.",
        cause: "Codes and tokens rest in one table and look alike: 86 characters. The code was copied in place of a token.",
        proof: "The row's type is the authorization code, and it lives 60 s; access tokens live 30 minutes, refresh tokens 100 days by default.",
        fixes: [Run("snowtoken deliver", "prints each value beside its name"),
            Visit("System OAuth > Manage Tokens", "the column Type tells which is which")],
        who: "you",
        signs: ["token limited to 1 minute", "token is limited to 1 minute", "token expires after 1 minute", "token expires in 1 minute", "limited for 1 minute", "token expires after one minute"],
        rehearsal: Never("it is a mix-up by hand"),
        source: "ServiceNow community thread 1554984; ServiceNow documentation: Manage tokens",
    }

    } };
}
