//! At the token endpoint.

macro_rules! token_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    CodeRefused = "code-refused", "the instance refused to exchange the code", Instance, Failed {
        seen: "`{\"error_description\":\"access_denied\",\"error\":\"server_error\"}` with 401, while a code is exchanged; `Exception on token flow - invalid_token` in the system log.",
        cause: "ServiceNow gives one answer to nearly every failure. At the exchange the usual causes are, in this order: the code was older than 60 s or used before; the redirect URI differs; the client secret is wrong; a scope was asked for that the client does not have; the user may not sign in interactively.",
        proof: "POST /oauth_token.do answered an error while a code was exchanged.",
        fixes: [Run("snowtoken login", "start again with a fresh code"),
            Visit("System OAuth > Application Registry", "check the client: Active, Redirect URL, lifespans, scopes, Public Client"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "you, then your ServiceNow administrator",
        signs: ["exception on token flow - invalid_token", "~authorization code", "~authorization_code"],
        rehearsal: Knobs(&["client.secret=changed"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ClientRefused = "client-refused", "the instance does not accept this client", Instance, Failed {
        seen: "`invalid_client` or `unauthorized_client` from the token endpoint.",
        cause: "Client ID or client secret is wrong, the client is not active, or it may not use this grant.",
        proof: "The token endpoint answered invalid_client or unauthorized_client.",
        fixes: [Visit("System OAuth > Application Registry > the client", "compare Client ID and Client Secret, check Active"),
            Run("snowtoken login --client-secret-file FILE", "replaces the stored secret once a login succeeds"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "your ServiceNow administrator",
        signs: ["invalid_client", "unauthorized_client", "invalid client"],
        rehearsal: Knobs(&["client.secret=changed", "token.errors=rfc"]),
        source: "RFC 6749 §5.2; ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Invalid client\"",
    }
    AssertionRefused = "assertion-refused", "the instance does not accept the signed assertion", Instance, Failed {
        seen: "401 `server_error`/`access_denied`, or `invalid_grant`, to `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.",
        cause: "The key, the subject or the dates of the assertion do not fit what the client's record says, the user may not be vouched for, or the client secret is wrong: the instance gives one answer to all of these.",
        proof: "The token endpoint refused a JWT bearer grant, twice unless it named the reason.",
        fixes: [Visit("System OAuth > Application Registry > the client > JWT Verifier Maps", "its Kid must be the --key-id, its Sys certificate the certificate of this private key"),
            Visit("System OAuth > Application Registry > the client > User Field", "it names the field of the user that must hold the --subject"),
            Note("the user must be active, not locked out, and no administrator: an instance gives no token for users with the role admin in this way"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\""),
            Run("snowtoken login --client-secret-file FILE", "replaces the stored client secret once a login succeeds")],
        who: "your ServiceNow administrator",
        signs: ["grant-type:jwt-bearer"],
        rehearsal: Test("administrators_are_refused_and_the_reason_is_told"),
        source: "RFC 7523 §3.1; ServiceNow documentation, Create an OAuth JWT API endpoint for external clients; docs/quirks.md",
    }
    ScopeRefused = "scope-refused", "the instance does not know a scope that was asked for", Instance, Failed {
        seen: "`invalid_scope` in the redirect or in the answer; `Exception on token flow - invalid_scope: The provided OAuth token is not valid` in the system log, 401 `server_error` outside.",
        cause: "A scope of the request has no row on the client. The newer form and the classic endpoint use two different tables of scopes, and a developer instance that was reset loses the rows.",
        proof: "invalid_scope, on the wire or in the system log.",
        fixes: [Visit("System OAuth > Application Registry > the client > OAuth Scopes", "add every scope of the target, spelt exactly"),
            Run("snowtoken login --no-scope", "asks for no scope at all: the client's own scopes hold"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "your ServiceNow administrator",
        signs: ["exception on token flow - invalid_scope", "invalid_scope", "invalid scope", "~the provided oauth token is not valid"],
        rehearsal: Knobs(&["scope.table=oauth_entity_auth_scope_mapping", "token.errors=rfc"]),
        source: "ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Invalid scope\"",
    }
    TokenRefused = "token-refused", "the instance refused to refresh the token", Instance, LoginNeeded {
        seen: "401 `server_error`/`access_denied`, or `invalid_grant`, at each refresh; in tools of ServiceNow `Error refreshing token`.",
        cause: "The refresh token has ended (100 days after the last consent unless the client says otherwise), was revoked, or the client secret was changed, the user locked, the client deactivated.",
        proof: "The refresh was refused, and refused again when it was repeated once.",
        fixes: [Run("snowtoken login", "a new consent starts a new lifespan"),
            Run("snowtoken login --client-secret-file FILE", "the same with the new secret, where the client's was changed"),
            Visit("System OAuth > Manage Tokens", "shows whether the refresh token is still there"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "you, then your ServiceNow administrator",
        signs: ["invalid_grant", "invalid grant", "error refreshing token"],
        rehearsal: Knobs(&["fault.kind=refused", "fault.path=/oauth_token.do", "fault.from=2"]),
        source: "ServiceNow as documented and observed, docs/quirks.md; vendor's page, \"Invalid grant\"",
    }
    RequestRefused = "request-refused", "the instance refused the request", Instance, Failed {
        seen: "An `error` of the token endpoint that is none of the usual ones.",
        cause: "The token endpoint gave an error of its own.",
        proof: "A well-formed OAuth error that is none of the usual ones.",
        fixes: [Visit("System OAuth > Application Registry", "check the client: Active, Redirect URL, lifespans, scopes, Public Client"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "your ServiceNow administrator",
        signs: ["invalid_request"],
        rehearsal: Test("g15_wrong_answers_keep_the_refresh_token"),
        source: "RFC 6749 §5.2",
    }
    CatchAll = "server-error-access-denied", "ServiceNow's answer to nearly everything", Instance, Failed {
        seen: "`{\"error_description\":\"access_denied\",\"error\":\"server_error\"}` with status 401.",
        cause: "401 server_error/access_denied hides the cause: wrong secret, wrong client ID, code too old or used, redirect URI differs, scope without a row, refresh token ended, user locked, client inactive, grant switched off.",
        proof: "Only the instance's system log tells which.",
        fixes: [Note("while a code was exchanged: the age of the code first, then redirect URI, secret, scope"),
            Note("while refreshing: the refresh token's end first, then a changed secret, a locked user, an inactive client"),
            Visit("System Logs > All", "an administrator reads the true cause there: message contains \"token flow\"")],
        who: "you, then your ServiceNow administrator",
        signs: ["~exception on token flow", "~server_error", "~access_denied"],
        rehearsal: Never("a command of ours knows the phase, so it says `code-refused`, `token-refused` or `client-refused`"),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    AnswerInvalid = "answer-invalid", "the instance's answer breaks the rules", Instance, Failed {
        cause: "A member is missing or has a value that cannot be used.",
        proof: "RFC 6749 §5.1 lists what a token answer must hold.",
        fixes: [Note("the raw answer is not shown, since it may hold secrets; an administrator can look at the transaction log")],
        who: "your ServiceNow administrator",
        signs: [],
        rehearsal: Knobs(&["token.shape=no-access-token"]),
        source: "RFC 6749 §5.1",
    }
    AnswerTooLarge = "answer-too-large", "the answer was larger than any token answer", Instance, TryLater {
        cause: "Whatever answered kept on sending.",
        proof: "It was cut at the limit.",
        fixes: [Note("open the instance in a browser from this machine: what page appears?")],
        who: "you or your network's administrator",
        signs: [],
        rehearsal: Knobs(&["fault.kind=huge-body", "fault.path=/oauth_token.do", "fault.from=2"]),
        source: "RFC 6749 §10.14",
    }
    CodeLost = "code-lost", "the answer to the code was lost on the way", Network, Failed {
        cause: "A code may be sent once only; whether the instance took it is unknown.",
        proof: "The connection failed after the code was sent.",
        fixes: [Run("snowtoken login", "start again with a fresh code")],
        who: "you",
        signs: [],
        rehearsal: Knobs(&["fault.kind=cut", "fault.path=/oauth_token.do"]),
        source: "RFC 6749 §4.1.2",
    }
    ClientSecretMissing = "client-secret-missing", "the client was called without its secret", You, Failed {
        seen: "`Exception on token flow - client_secret` in the system log; 401 `server_error` outside.",
        cause: "The record is that of a confidential client, and the request had no `client_secret`: the consumer has no field for it, or takes the client for a public one.",
        proof: "The system log names the missing parameter.",
        fixes: [Run("snowtoken login --client-secret-file FILE", "stores the secret and sends it"),
            Visit("System OAuth > Application Registry > the client", "for a program that cannot keep a secret: switch Public Client on, with PKCE")],
        who: "you, then your ServiceNow administrator",
        signs: ["exception on token flow - client_secret", "missing client_secret", "client_secret is required", "client_secret is missing"],
        rehearsal: Test("a_client_without_its_secret_is_told_in_the_syslog"),
        source: "ServiceNow as observed by others, docs/quirks.md; RFC 6749 §2.3",
    }
    SecretNotEncoded = "secret-not-encoded", "a secret with punctuation was sent raw", You, Failed {
        seen: "401 from one tool (curl, a connector) with a secret that works in another.",
        cause: "Secrets made by the classic form hold `&`, `+`, `%`, `#`. In a form body each means something else unless it is percent-encoded, and some consumers do not encode.",
        proof: "snowtoken encodes every byte that needs it; the other tool fails with the same values.",
        fixes: [Note("with curl: --data-urlencode \"client_secret@FILE\" in place of -d"),
            Visit("System OAuth > Application Registry > the client > Client Secret", "or set a secret of 32 or more letters and digits"),
            Run("snowtoken login --client-secret-file FILE", "stores the new secret")],
        who: "your ServiceNow administrator",
        signs: ["--data-urlencode", "special characters in the secret", "special characters in client secret", "special characters in the client secret", "secret contains special characters"],
        rehearsal: Never("snowtoken encodes every secret; another tool does it wrong"),
        source: "Snowflake documentation: ServiceNow connector; RFC 6749 appendix B",
    }
    SecretChanged = "secret-changed", "the client secret is not the one that was stored", Instance, LoginNeeded {
        seen: "It worked until last night; now every request is 401 `server_error` or `invalid_client`.",
        cause: "Somebody made a new secret on the record. It holds at once: there is no second secret and no time of grace.",
        proof: "`invalid_client: wrong client_secret` in the system log, or the record was changed since the last success.",
        fixes: [Visit("System OAuth > Application Registry > the client > Client Secret", "the lock icon shows the secret there is now"),
            Run("snowtoken login --client-secret-file FILE", "replaces the stored secret once a login succeeds"),
            Note("give the new secret to the consumer too: what was delivered holds the old one")],
        who: "your ServiceNow administrator",
        signs: ["wrong client_secret", "client secret was rotated", "secret rotated", "secret was changed", "client secret mismatch"],
        rehearsal: Test("a_secret_that_was_changed_is_refused_at_once"),
        source: "ServiceNow documentation: Create an endpoint for clients to access the instance; ServiceNow as observed by others, docs/quirks.md",
    }
    ParametersInUrl = "parameters-in-url", "the parameters were not in the body of a POST", You, Failed {
        seen: "401 `server_error` in a program while the same values work elsewhere; the values stand in the URL of /oauth_token.do, or it was called by GET.",
        cause: "glide.oauth.allow.parameters.in.post.body.only is on, as on all new instances: parameters count only in a POSTed form.",
        proof: "The address that was called has a `?` with `grant_type=` behind it.",
        fixes: [Note("send a POST with Content-Type application/x-www-form-urlencoded and everything in the body"),
            Note("whatever stood in the URL is in logs now: make a new client secret")],
        who: "whoever wrote the program",
        signs: ["oauth_token.do?grant_type", "oauth_token.do?client_id", "oauth_token.do?code", "glide.oauth.allow.parameters.in.post.body.only", "parameters are allowed in the post body only", "get /oauth_token.do"],
        rehearsal: Test("parameters_travel_in_a_posted_form_only"),
        source: "ServiceNow documentation: OAuth token processor parameters; RFC 6749 §2.3.1",
    }
    BodyNotAForm = "body-not-a-form", "the token request was not a form", You, Failed {
        seen: "An \"unspecified error\", or 401 `server_error`, to a request with a JSON body.",
        cause: "The token endpoint reads application/x-www-form-urlencoded, nothing else.",
        proof: "The request's Content-Type is application/json.",
        fixes: [Note("send the parameters as a form: a=b&c=d, percent-encoded, Content-Type application/x-www-form-urlencoded")],
        who: "whoever wrote the program",
        signs: ["unspecified error", "the body is not a form", "{\"grant_type\"", "~oauth_token.do + content-type: application/json"],
        rehearsal: Test("parameters_travel_in_a_posted_form_only"),
        source: "ServiceNow documentation: OAuth API request parameters; RFC 6749 §4.1.3",
    }
    GrantTypeRefused = "grant-type-refused", "the instance does not know that grant type", You, Failed {
        seen: "`unsupported_grant_type`, or 401 `server_error` to `grant_type=code`.",
        cause: "`grant_type` is misspelt (`code` in place of `authorization_code`, a blank at its end), missing, or not allowed for this client's record.",
        proof: "The code names it; an instance that gives one answer to everything says nothing.",
        fixes: [Note("the values are authorization_code, refresh_token, client_credentials, and urn:ietf:params:oauth:grant-type:jwt-bearer, without blanks"),
            Visit("Machine Identity Console > Inbound integrations > the client", "records of the newer form are made for one grant: take one of the right kind")],
        who: "whoever wrote the program, or your ServiceNow administrator",
        signs: ["unsupported_grant_type", "unsupported grant_type", "unsupported grant type", "grant_type=code"],
        rehearsal: Test("unsupported_grants_have_three_answers"),
        source: "RFC 6749 §5.2; ServiceNow community thread 2252411",
    }
    ClientCredentialsOff = "client-credentials-off", "the client credentials grant is switched off", Instance, Failed {
        seen: "401 `server_error`/`access_denied` to `grant_type=client_credentials` with the right secret.",
        cause: "The grant is off until somebody makes the property glide.oauth.inbound.client.credential.grant_type.enabled with the value true.",
        proof: "The other grants of the same client work.",
        fixes: [Set("glide.oauth.inbound.client.credential.grant_type.enabled", "must be made in sys_properties: type true | false, value true"),
            Visit("System OAuth > Application Registry > the client > OAuth Application User", "must be filled in as well")],
        who: "your ServiceNow administrator",
        signs: ["glide.oauth.inbound.client.credential.grant_type.enabled", "client credentials grant is off", "~client credentials grant"],
        rehearsal: Test("client_credentials_need_a_property_and_a_user"),
        source: "ServiceNow documentation: Create a system property for client credentials; RFC 6749 §4.4",
    }
    ApplicationUserMissing = "application-user-missing", "the client has no OAuth Application User", Instance, Failed {
        seen: "400 `unauthorized_client`: `Received client_credentials grant_type request however integration user is not configured for OAuth`.",
        cause: "With client credentials the token belongs to the user that the record names, and it names none.",
        proof: "The instance says so.",
        fixes: [Visit("System OAuth > Application Registry > the client > OAuth Application User", "choose the integration user; the field may have to be added to the form"),
            Note("if a user is not offered there: a known fault of some releases (KB2624687)")],
        who: "your ServiceNow administrator",
        signs: ["integration user is not configured", "oauth application user", "kb2624687", "prb1963296"],
        rehearsal: Test("a_client_without_its_user_is_named_as_that"),
        source: "ServiceNow documentation: Add an OAuth application user; ServiceNow KB2624687",
    }
    PasswordGrantOff = "password-grant-off", "the password grant is switched off", Instance, Failed {
        seen: "401 `server_error` to `grant_type=password` with the right password, from one day to the next.",
        cause: "glide.oauth.inbound.ropc.grant_type.disabled is true, as ServiceNow's own security advice wants it.",
        proof: "The other grants of the same client work.",
        fixes: [Run("snowtoken login", "gets tokens by the authorization code grant, which needs no password in a program"),
            Note("a product that knows the password grant only should be asked for another one; switching the property off makes the instance less safe")],
        who: "whoever runs the consumer, then your ServiceNow administrator",
        signs: ["glide.oauth.inbound.ropc.grant_type.disabled", "~ropc", "~grant_type=password"],
        rehearsal: Never("snowtoken leaves the password grant out on purpose"),
        source: "ServiceNow documentation: Disable resource owner password credentials in OAuth 2.0 token grants; RFC 9700 §2.4",
    }
    PasswordGrantSecondFactor = "password-grant-second-factor", "a password alone is not enough for this user", Instance, Failed {
        seen: "401 to user name and password in a program; or the advice to append the six digits of an app to the password. Since Yokohama sign-in pages ask for a second factor.",
        cause: "The user has a second factor, or signs in by an identity provider and has no password on the instance.",
        proof: "The same user can sign in on a page.",
        fixes: [Run("snowtoken login", "the person signs in on a page, with whatever the instance or the identity provider asks for"),
            Set("--wait 30m", "gives the person more time for it")],
        who: "the user who signs in",
        signs: ["append the otp", "append otp", "otp to the password", "~multi-factor authentication", "mfa is enforced", "mfa enforcement", "~second factor", "~mfa", "no local password"],
        rehearsal: Never("snowtoken leaves the password grant out on purpose"),
        source: "ServiceNow documentation: Troubleshoot MFA enforcement; Snowflake documentation: ServiceNow connector",
    }
    CookieSessionRefused = "cookie-session-refused", "a token request carried the cookies of a session", You, Failed {
        seen: "The token request fails from one tool only, which keeps cookies; KB2423799, PRB1927594.",
        cause: "Under an MFA policy a request that belongs to a signed-in session is refused, and each API answer sets cookies that make one.",
        proof: "The same request without cookies succeeds.",
        fixes: [Note("switch the cookie jar of the tool off, or clear it; snowtoken has none"),
            Note("mended by ServiceNow in Zurich Patch 6 and Australia")],
        who: "you, then your ServiceNow administrator",
        signs: ["kb2423799", "prb1927594", "api authenticated session", "glide.authenticate.oauth.post.token.expiration.cookie_auth.disabled", "session without mfa"],
        rehearsal: Never("snowtoken sends no cookies; the stand-in's knob token.cookie_session shows it to other programs"),
        source: "ServiceNow KB2423799",
    }
    PublicClientJwtRefresh = "public-client-jwt-refresh", "this release cannot refresh a public client's JWT", Instance, LoginNeeded {
        seen: "401 to `grant_type=refresh_token` of a public client with Token Format JWT; PRB1943178.",
        cause: "A fault of releases before Zurich Patch 4.",
        proof: "The same client refreshes with Token Format Opaque.",
        fixes: [Visit("Machine Identity Console > Inbound integrations > the client > Token Format", "choose Opaque, or make the client confidential"),
            Note("or bring the instance to Zurich Patch 4 or later"),
            Run("snowtoken login", "new tokens after that")],
        who: "your ServiceNow administrator",
        signs: ["prb1943178", "ispkcerequest", "not a pkce request"],
        rehearsal: Test("public_clients_and_refresh_tokens_contradict_in_the_sources"),
        source: "ServiceNow release notes: Zurich Patch 4, PRB1943178",
    }
    RefreshTokenEnded = "refresh-token-ended", "the refresh token has reached its end", You, LoginNeeded {
        seen: "Everything stops about 100 days after the login: 401 at each refresh, `refresh token expired`.",
        cause: "It ends one lifespan after the last consent: 8,640,000 s, 100 days, unless the record says otherwise. Refreshing does not prolong it, and no new refresh token comes from an old one.",
        proof: "`snowtoken status` shows the end and how it is known.",
        fixes: [Run("snowtoken login", "a new consent starts a new lifespan"),
            Visit("System OAuth > Application Registry > the client > Refresh Token Lifespan", "31536000 is one year; set it before the login that shall profit"),
            Run("snowtoken status --within 14d", "warns in time by its exit code; `--ics FILE` writes a calendar")],
        who: "the user who signs in",
        signs: ["kb0791140", "refresh token has expired", "refresh token expired", "refresh token is expired", "~100 days", "~8640000", "~8,640,000", "~it has ended", "new refresh token from"],
        rehearsal: Test("a_refresh_token_dies_when_it_should"),
        source: "ServiceNow KB0791140; ServiceNow community thread 2752707",
    }
    RefreshCollision = "refresh-collision", "two programs refresh the same tokens at once", You, TryLater {
        seen: "401 now and then, for example at every third refresh, and success at the next try.",
        cause: "Two processes or machines refresh one pair of tokens at the same time.",
        proof: "It goes away when only one of them refreshes.",
        fixes: [Run("snowtoken token", "let all programs on this machine ask it: one refresh at a time, for all"),
            Note("other machines: deliver to them, or hand the profile over; never let two refresh"),
            Note("another consumer: give it a client of its own")],
        who: "you",
        signs: ["every third request", "every third refresh", "intermittent 401", "sporadic 401", "intermittently 401", "401 now and then"],
        rehearsal: Test("every_third_refresh_flaps"),
        source: "ServiceNow community threads 2373416 and 2989722",
    }
    PairShared = "pair-shared", "two consumers share one pair of tokens", You, LoginNeeded {
        seen: "When one product is disconnected or reconnected, the other stops; two profiles show the same tokens.",
        cause: "An instance keeps one pair of tokens for a client and a user. Two products with the same client and user have the same pair: who revokes ends it for both.",
        proof: "Both were set up with the same client ID and user.",
        fixes: [Visit("System OAuth > Application Registry", "make a client for each consumer"),
            Run("snowtoken login NAME --client-id ID", "a profile for each client")],
        who: "your ServiceNow administrator",
        signs: ["same refresh token twice", "disconnects everyone", "two connections share", "share the same token"],
        rehearsal: Test("a_new_consent_brings_the_same_pair_and_prolongs_it"),
        source: "ServiceNow KB0791140; inferred, docs/quirks.md",
    }

    } };
}
