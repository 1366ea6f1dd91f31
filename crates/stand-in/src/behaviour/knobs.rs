//! The table of knobs: one row for each thing that published sources contradict each other on or
//! leave open, and for each fault. The source column names sections of `servicenow.md`.

use super::{Knob, Values};
use Values::{Number, OneOf, Text};

const SWITCH: Values = OneOf(&["on", "off"]);

macro_rules! knobs {
    ($($ident:ident $name:literal $values:expr, $default:literal, $source:literal, $doc:literal;)*) => {
        $(
            pub(crate) const $ident: Knob = Knob {
                name: $name,
                values: $values,
                default: $default,
                source: $source,
                doc: $doc,
            };
        )*

        /// Every knob, in the order in which documentation should list them.
        pub(crate) const ALL: &[Knob] = &[$($ident),*];
    };
}

knobs! {
    // The authorization endpoint.
    STATE_REQUIRED "state.required" SWITCH, "on", "§1.7",
        "Property glide.oauth.state.parameter.required: an authorization request without state ends in an error page.";
    ERROR_PAGE_STATUS "error_page.status" OneOf(&["200", "400", "401", "500"]), "200", "§1.8, §14.1, §16.2",
        "HTTP status of the error pages of the authorization endpoint.";
    REDIRECT_MISMATCH "redirect.mismatch" OneOf(&["page", "first-url"]), "page", "§1.6, §15.4",
        "An unregistered redirect_uri: the page `Invalid redirect_uri`, or the first registered URL is used instead.";
    REDIRECT_OMITTED "redirect.omitted" OneOf(&["first-url", "page"]), "first-url", "§1.2",
        "An absent redirect_uri: the first registered URL is used, or the page `Invalid redirect_uri`.";
    REDIRECT_LOOPBACK_PORT "redirect.loopback_port" OneOf(&["exact", "any"]), "exact", "§1.6",
        "Whether the port of a loopback redirect_uri must match (ServiceNow), or any will do (RFC 8252 §7.3).";
    REDIRECT_QUERY "redirect.query" OneOf(&["append", "question-mark", "drop"]), "append", "§16.18",
        "A registered redirect_uri with a query of its own: `&code=` is appended, a second `?` is written, or its query is lost.";
    RESPONSE_TYPE_OTHER "response_type.other" OneOf(&["page", "redirect-error"]), "page", "§1.8, §16.2",
        "A response_type other than `code`: error page, or redirect with unsupported_response_type.";
    CHALLENGE_MISSING "challenge.missing" OneOf(&["token-401", "page", "redirect-error"]), "token-401", "§1.8, §16.2",
        "PKCE is required but no code_challenge came: the code is issued and the token endpoint refuses, an error page, or redirect with invalid_request.";
    SCOPE_REQUIRED "scope.required" SWITCH, "off", "§1.2, §15.3",
        "Whether an authorization request without scope ends in an error page (Australia documentation) or is fine (all others).";
    LOGIN_PAGE "login.page" OneOf(&["/oauth_login.do", "/login.do"]), "/oauth_login.do", "§1.4",
        "Where a person without a session is sent to sign in.";
    WEB_SERVICE_USERS "login.web_service_users" OneOf(&["refused", "allowed"]), "refused", "§12.13, §15.9",
        "Whether users with web_service_access_only may sign in on the login page.";
    CONSENT_REPEAT "consent.repeat" OneOf(&["always", "once", "never"]), "always", "§1.5, §16.3",
        "Consent page on every authorization, only on the first for this client and user, or never (Disable consent screen).";
    CONSENT_BUTTON "consent.button" OneOf(&["Allow", "Accept"]), "Allow", "§1.5, §15.12",
        "The label of the second button of the consent page.";
    CONSENT_WORDING "consent.wording" OneOf(&["connect", "access"]), "connect", "§1.5, §16.13",
        "The sentence on the consent page: `… connect to your ServiceNow account` or `… access your ServiceNow account`.";
    DENY "deny" OneOf(&["redirect-error", "redirect-error-without-state", "redirect-bare", "page"]), "redirect-error", "§1.5, §16.1",
        "What Deny leads to: error=access_denied with state, without state, the bare redirect_uri, or a page and no redirect.";
    EXTRA_HOP "callback.extra_hop" SWITCH, "on", "§1.5, §14.3",
        "An additional 302 through `oauth_auth.do?…&logoutfirst=false` before the redirect to the client.";
    CALLBACK_STATE "callback.state" OneOf(&["unchanged", "missing", "altered", "twice"]), "unchanged", "§1.3",
        "What becomes of state in the redirect; all but `unchanged` must be refused by a client.";
    CALLBACK_ISS "callback.iss" OneOf(&["absent", "present", "wrong"]), "absent", "RFC 9207",
        "Whether the redirect carries an iss parameter: this instance, or another one (mix-up attack).";
    CODE_LENGTH "code.length" Number("characters"), "86", "§1.3",
        "Length of an authorization code, 22 to 65536.";
    CODE_REUSE "code.reuse" OneOf(&["refused", "refused-and-revoked", "accepted"]), "refused", "§1.3, RFC 6749 §4.1.2",
        "A code that is used twice: refused, refused and its tokens revoked, or accepted.";
    CODE_FAILED "code.failed_attempt" OneOf(&["burnt", "kept"]), "burnt", "§4.2",
        "Whether a failed exchange uses the code up.";

    // Records that are not as somebody believes.
    CLIENT_ACTIVE "client.active" OneOf(&["as-client", "off"]), "as-client", "§1.8, §4.2 no. 15",
        "Whether clients are active: as their records say, or none is.";
    CLIENT_SECRET "client.secret" OneOf(&["as-client", "changed"]), "as-client", "§4.2 no. 1, §12.24",
        "The client secret on the record: the one that was handed out, or another since then.";
    CLIENT_REDIRECT "client.redirect" OneOf(&["as-client", "other"]), "as-client", "§1.6, §12.4",
        "The Redirect URL on the record: as it is, or with a slash more at its end.";
    CLIENT_AUTH_SCOPES "client.auth_scopes" OneOf(&["as-client", "none"]), "as-client", "§7.4, §12.9",
        "The auth scopes on the record: as they are, or none.";
    USER_STATE "user.state" OneOf(&["as-user", "locked", "inactive", "password-reset", "web-service-only"]), "as-user", "§4.2 no. 10, §12.13",
        "What every user's record says: as it is, locked out, inactive, password needs reset, or web service access only.";

    // The token endpoint: the request.
    BODY_ONLY "token.body_only" SWITCH, "on", "§4.3",
        "Property glide.oauth.allow.parameters.in.post.body.only: parameters in the URL are refused.";
    BASIC "client_auth.basic" OneOf(&["accepted", "refused"]), "accepted", "§5",
        "Client authentication by HTTP Basic.";
    BASIC_DECODING "client_auth.basic_decoding" OneOf(&["raw", "form"]), "raw", "§5, §16.17",
        "Whether client_id and client_secret inside Basic are taken as they are or percent-decoded (RFC 6749 §2.3.1).";
    BASIC_COLON "client_auth.basic_colon" OneOf(&["first", "last"]), "first", "§16.17",
        "At which colon Basic credentials are split.";
    BOTH_AUTHENTICATIONS "client_auth.both" OneOf(&["refused", "accepted"]), "refused", "§5, RFC 6749 §2.3",
        "A request that authenticates the client in the body and by Basic at once.";
    PKCE "pkce" OneOf(&["verified", "required", "ignored"]), "verified", "§2, §15.10",
        "PKCE: verified when a challenge was sent, demanded from every client, or unknown to an old release.";
    PKCE_FAILURE "pkce.failure" OneOf(&["generic", "rfc"]), "generic", "§2, §16.7",
        "The answer to a wrong code_verifier: the generic 401, or 400 invalid_grant.";
    GRANT_TYPE_UNSUPPORTED "grant_type.unsupported" OneOf(&["generic", "rfc", "empty"]), "generic", "§4.2 no. 7, §16.8",
        "The answer to an unknown or missing grant_type: the generic 401, 400 unsupported_grant_type, or 401 without a body.";
    CLIENT_CREDENTIALS "client_credentials.enabled" SWITCH, "off", "§6",
        "Property glide.oauth.inbound.client.credential.grant_type.enabled.";
    JWT_KID_MISSING "jwt.kid_missing" OneOf(&["any-key", "refused"]), "any-key", "§6, §7.2",
        "An assertion without kid in its header: verified by any verifier map of the client, or refused.";
    JWT_ADMIN "jwt.admin" OneOf(&["refused", "allowed"]), "refused", "§6",
        "A JWT bearer grant for a user with the role admin.";
    JWT_SECRET "jwt.client_secret" OneOf(&["required", "optional"]), "required", "§6",
        "Whether a client that is not public must send its client_secret beside an assertion.";
    SCOPE_TABLE "scope.table" OneOf(&["oauth_entity_scope", "oauth_entity_auth_scope_mapping"]), "oauth_entity_scope", "§7.4, §15.8",
        "Which rows the token endpoint compares a requested scope with.";
    SCOPE_EMPTY "scope.empty" OneOf(&["absent", "refused"]), "absent", "§16.12",
        "`scope=` with nothing behind it: as if it were absent, or refused as unknown scope.";
    COOKIE_SESSION "token.cookie_session" OneOf(&["ignored", "refused"]), "ignored", "§3.4, §4.2 no. 22",
        "A token request that bears the cookies of a session: fine, or 401 under an MFA policy.";
    OAUTH_ACTIVE "oauth.active" SWITCH, "on", "§4.2 no. 14, §16.9",
        "Property com.snc.platform.security.oauth.is.active: off, and the OAuth pages are not found.";
    IP_ACCESS "ip_access" OneOf(&["allowed", "refused", "dropped"]), "allowed", "§4.2 no. 16, §16.10",
        "IP Address Access Control: allowed, 403 with HTML, or the connection is dropped.";

    // The token endpoint: the answer.
    TOKEN_ERRORS "token.errors" OneOf(&["generic", "rfc"]), "generic", "§4.1, §15.13",
        "One generic 401 for nearly every failure, or the codes of RFC 6749 §5.2.";
    TOKEN_ERROR_ECHO "token.error_echo" SWITCH, "off", "§4.8",
        "Whether an error body repeats the submitted form, client secret included.";
    ACCESS_LIFESPAN "lifespan.access" Number("seconds"), "0", "§7.2",
        "Access token lifespan for every client; 0 takes the client's own (1800 by default).";
    REFRESH_LIFESPAN "lifespan.refresh" Number("seconds"), "0", "§7.2",
        "Refresh token lifespan for every client; 0 takes the client's own (8640000 by default).";
    CODE_LIFESPAN "lifespan.code" Number("seconds"), "0", "§1.3",
        "Authorization code lifespan for every client; 0 takes the client's own (60 by default).";
    LIFESPAN_CHANGE "lifespan.change" OneOf(&["new-tokens", "retroactive"]), "new-tokens", "§8, §16.15",
        "Whether a changed lifespan moves the end of tokens that were already issued.";
    EXPIRES_IN_FORM "expires_in.form" OneOf(&["number", "string", "float", "negative", "zero", "null", "missing", "huge"]), "number", "§3.1",
        "How expires_in is written.";
    EXPIRES_IN_FRESH "expires_in.fresh" OneOf(&["minus-one", "full"]), "minus-one", "§3.1, §15.11",
        "expires_in of a new access token: one second less than the lifespan, or all of it.";
    EXPIRES_IN_REISSUED "expires_in.reissued" OneOf(&["full", "remaining", "default"]), "full", "§3.1, §14.5",
        "expires_in when the same access token is handed out again: full and its end moved, what remains, or always 1799.";
    GRANT_REISSUE "grant.reissue" OneOf(&["same", "new"]), "same", "§3.3",
        "A new consent while the tokens are alive: the same tokens, or new ones.";
    GRANT_EXTENDS "grant.extends_refresh" SWITCH, "on", "§3.3",
        "Whether a new consent prolongs the living refresh token (KB0791140).";
    REFRESH_TOKEN "refresh.token" OneOf(&["same", "omit", "rotate", "empty"]), "same", "§3.3, §15.2, §16.5",
        "refresh_token in the answer to a refresh: echoed, left out, a new one each time, or the empty text.";
    REFRESH_REPLAY "refresh.replay" OneOf(&["refused", "grace", "revoke-family"]), "refused", "RFC 9700 §4.14.2",
        "With refresh.token=rotate, an old refresh token: refused, accepted for a while, or all tokens are revoked.";
    REFRESH_GRACE "refresh.grace" Number("seconds"), "30", "RFC 9700 §4.14.2",
        "With refresh.replay=grace, how long an old refresh token still works.";
    REFRESH_ACCESS "refresh.access" OneOf(&["same-while-valid", "new-each-time"]), "same-while-valid", "§3.3, §16.4",
        "A refresh while the access token is alive: the same access token, or a new one.";
    REFRESH_OLD_ACCESS "refresh.old_access" OneOf(&["stays", "dies"]), "stays", "§3.3, §16.4",
        "With refresh.access=new-each-time, whether the older access token works until its own end.";
    REFRESH_EXTENDS "refresh.extends" SWITCH, "off", "§3.3",
        "Whether a refresh prolongs the refresh token; ServiceNow does not.";
    PUBLIC_REFRESH "public_client.refresh_token" OneOf(&["issued", "none"]), "issued", "§2, §15.1",
        "Whether public clients get a refresh token.";
    PUBLIC_JWT_REFRESH "public_client.jwt_refresh" OneOf(&["works", "refused"]), "works", "§4.2 no. 6",
        "Refresh of a public client with JWT access tokens; refused before Zurich Patch 4.";
    TOKEN_FORMAT "token.format" OneOf(&["as-client", "opaque", "jwt"]), "as-client", "§3.2",
        "Format of access tokens: as the client's record says, or one for all.";
    TOKEN_LENGTH "token.length" Number("characters"), "86", "§3.2",
        "Length of opaque tokens, 22 to 65536; 75 in early releases.";
    TOKEN_MARKER "token.marker" Text("letters, digits, - and _, at most 20"), "", "house §4 no. 7",
        "How every token, code and generated secret begins, so that a test can search logs for it.";
    TOKEN_TYPE "token.type" OneOf(&["Bearer", "bearer", "BEARER", "missing", "mac"]), "Bearer", "§3.1",
        "The member token_type.";
    SCOPE_GRANTED "scope.granted" OneOf(&["as-requested", "narrower", "missing", "wider"]), "as-requested", "§3.1, RFC 6749 §3.3",
        "The member scope of a token answer, compared with what was asked for.";
    TOKEN_MEMBERS "token.members" OneOf(&["usual", "id_token", "format", "unknown"]), "usual", "§3.1",
        "Additional members of a token answer.";
    TOKEN_SHAPE "token.shape" OneOf(&["object", "array", "null", "twice", "bom", "no-access-token", "empty-access-token"]), "object", "§4.6",
        "Shape of a token answer; all but `object` and `bom` are broken.";
    TOKEN_KEY_ORDER "token.key_order" OneOf(&["wire", "docs"]), "wire", "§3.1",
        "Order of the members of a token answer: as transcripts show it, or as the documentation prints it.";
    TOKEN_CONTENT_TYPE "token.content_type" OneOf(&["json-utf-8", "json", "html", "missing"]), "json-utf-8", "§3.1",
        "Content-Type of a token answer.";
    TOKEN_COOKIES "token.cookies" SWITCH, "off", "§3.5",
        "Whether answers of the token endpoint set session cookies.";
    TOKEN_AUTHENTICATE "token.www_authenticate" SWITCH, "off", "§3.5",
        "Whether the 401 of the token endpoint carries WWW-Authenticate.";
    TOKEN_RATE_LIMIT "token.rate_limit" Number("requests an hour"), "0", "§4.5, §16.14",
        "From this many token requests within an hour the answer is 429; 0 never.";

    // Revocation.
    REVOKE_PATHS "revoke.paths" OneOf(&["both", "/oauth_revoke_token.do", "/oauth_revoke.do"]), "both", "§1.1, §15.5",
        "Which revocation endpoint exists.";
    REVOKE_STATUS "revoke.status" OneOf(&["200", "204", "302", "400", "401", "404", "503"]), "200", "§16.6",
        "HTTP status of a revocation; with 404 and 503 nothing is revoked.";
    REVOKE_BODY "revoke.body" OneOf(&["empty", "html", "json"]), "empty", "§16.6",
        "Body of a revocation answer.";
    REVOKE_EFFECT "revoke.effect" OneOf(&["revoked", "ignored"]), "revoked", "§1.1",
        "Whether a revocation that was answered is also carried out.";
    REVOKE_UNKNOWN "revoke.unknown" OneOf(&["200", "400", "401"]), "200", "§16.6, RFC 7009 §2.2",
        "HTTP status for a token the instance does not know.";
    REVOKE_REFRESH "revoke.refresh_ends_access" SWITCH, "off", "§14.8, §16.6",
        "Whether revoking the refresh token ends the access token too.";
    REVOKE_ACCESS "revoke.access_ends_refresh" SWITCH, "off", "§14.8, §16.6",
        "Whether revoking the access token ends the refresh token too.";
    RETRY_AFTER "retry_after" Number("seconds"), "30", "§4.5",
        "Retry-After of 429 and 503 answers; 0 leaves the header out.";

    // The API.
    COOKIES_SET "cookies.set" SWITCH, "on", "§3.4",
        "Whether API answers set session cookies; pages always do.";
    COOKIES_SIGN_IN "cookies.sign_in" OneOf(&["on", "while-token-lives", "off"]), "on", "§3.4",
        "Whether the cookies of an API answer authenticate on their own, even after the token's end.";
    API_SCOPE_RESTRICTION "api.scope_restriction" OneOf(&["as-client", "restricted", "unrestricted"]), "as-client", "§4.4, §9",
        "Securely scoped clients get 403 `Access to unscoped api is not allowed`.";
    API_REQUIRED_SCOPE "api.required_scope" Text("a scope, or nothing"), "", "§4.4, §12.9",
        "An auth scope that every API demands; clients without it or `useraccount` get 403.";
    API_ACL "api.acl" OneOf(&["open", "refused", "api-level", "no-rows", "empty-fields"]), "open", "§4.4, §12.23",
        "What ACLs and user criteria leave of the Table API: all, 403, 403 for every API, no rows, or rows with empty fields.";
    API_POLICY "api.policy" OneOf(&["none", "refused"]), "none", "§9, targets §5 no. 22",
        "A REST API access policy without a profile for OAuth: good tokens are answered 401.";
    API_TABLES "api.tables" OneOf(&["present", "none"]), "present", "§4.4",
        "Whether the tables of a knowledge base exist; if not, 400 `Invalid table`.";
    API_CLIENTS "api.clients" OneOf(&["administrators", "everybody"]), "administrators", "§7.3, §8",
        "Who may read the clients' records (oauth_entity): administrators of OAuth, or every user.";
    API_CREDENTIALS "api.credentials" OneOf(&["own", "administrators"]), "own", "§8, §12.22",
        "Who may read issued tokens (oauth_credential): every user the own rows, or administrators only, without an access rule for others.";
    API_ROLES "api.roles" OneOf(&["everybody", "administrators"]), "everybody", "§10.1",
        "Who may read who has which role (sys_user_has_role).";
    API_LOCKED_USERS "api.locked_users" OneOf(&["refused", "accepted"]), "refused", "§4.2 no. 10",
        "A living token whose user has been locked or deactivated: 401, or it works on (unknown).";
    API_CURRENT_USER "api.current_user" OneOf(&["present", "missing", "no-resource"]), "present", "§10",
        "Whether the undocumented /api/now/ui/user/current_user exists; if not, 404 or 400 `Requested URI does not represent any resource`.";
    API_JAVASCRIPT "api.javascript_query" OneOf(&["dropped", "evaluated"]), "dropped", "§10",
        "`javascript:gs.getUserName()` in a query: the filter is dropped, so that a stranger's row is returned, or it is evaluated.";
    API_QUERY_TOKEN "api.query_token" OneOf(&["refused", "accepted"]), "refused", "§3.4",
        "`?access_token=` in the URL instead of the Authorization header.";
    API_RATE_LIMIT "api.rate_limit" Number("requests an hour"), "0", "§4.5",
        "From this many API requests within an hour the answer is 429; 0 never.";
    SECRET_READ_BACK "entity.secret_read_back" OneOf(&["masked", "encrypted", "empty", "clear"]), "encrypted", "§7.3, §15.7, §16.16",
        "What the Table API returns as client_secret.";
    SECRET_INPUT "entity.secret_input" OneOf(&["saved", "needs-display-value"]), "saved", "§7.3",
        "Whether a client_secret written by Table API is saved without sysparm_input_display_value=true.";
    SECRET_MAX "entity.secret_max_length" OneOf(&["4096", "2048"]), "4096", "§3.2, §15.6",
        "Where a longer client_secret is cut off.";
    NAMES "entity.names" OneOf(&["unique", "free"]), "unique", "§7.2",
        "Whether a second client of the same name is refused.";
    ENTITY_PROFILE "entity.profile" OneOf(&["made", "missing"]), "made", "§7.4",
        "Whether a client comes with a default profile (oauth_entity_profile), which its classic scopes are linked to.";
    WRITE_ROLE "registry.write_role" OneOf(&["oauth_admin", "security_admin"]), "oauth_admin", "§7.3, §15.6",
        "The role that writing to the registry needs; administrators have security_admin only when they have elevated to it.";
    RELEASE "registry.release" OneOf(&["zurich", "xanadu"]), "zurich", "§7.2, §9",
        "Whether clients have the fields of the newer form (inbound_grant_type, scope_restriction_status, token_format); unknown fields are ignored.";
    AUTH_SCOPE_TABLES "registry.auth_scopes" OneOf(&["present", "absent"]), "present", "§7.4",
        "Whether the newer scope tables exist (sys_auth_scope, oauth_entity_auth_scope_mapping).";
    DATE "date" OneOf(&["present", "missing"]), "present", "RFC 9110 §6.6.1",
        "The header Date, by the instance's clock.";
    WELL_KNOWN "well_known" OneOf(&["absent", "present"]), "absent", "§1.1, §16.11",
        "Whether /.well-known/openid-configuration exists.";

    // Faults.
    FAULT "fault.kind" OneOf(super::super::fault::KINDS), "none", "§14.11",
        "What goes wrong.";
    FAULT_PATH "fault.path" Text("a path, or nothing for all"), "", "§14.11",
        "The fault is limited to this path.";
    FAULT_FROM "fault.from" Number("request, counted from 1"), "1", "§14.11",
        "The first matching request that meets the fault.";
    FAULT_TIMES "fault.times" Number("requests"), "0", "§14.11",
        "How many matching requests meet the fault; 0 is all.";
    FAULT_PROBABILITY "fault.probability" Number("percent"), "100", "§14.11",
        "How likely a matching request meets the fault, drawn from the seed.";
    FAULT_BYTE "fault.byte" Number("bytes"), "0", "§14.11",
        "For cut, reset and stall: how many bytes of the answer, status line included, are sent first.";
    FAULT_DELAY "fault.delay" Number("milliseconds"), "2000", "§14.11",
        "For slow: the wait before the answer; for drip: the wait between two bytes.";
    FAULT_SIZE "fault.size" Number("bytes"), "16777216", "§14.11",
        "For huge-body: how large the answer is, at most 256 MiB.";
}
