//! What people have in front of them when something fails, word for word as they paste it, and the
//! diagnosis that `explain` must come to. One line for each way in which ServiceNow, or what stands
//! before or behind it, is known to say no.

use std::collections::BTreeSet;

use snowtoken_core::diagnosis::{CATALOGUE, Certainty, Code, recognise};

/// Text, code, and whether the text leaves no doubt.
type Line = (&'static str, &'static str, bool);

const SURE: bool = true;
const GUESS: bool = false;

/// The vendor's page: "Troubleshoot Common Errors".
const OF_THE_VENDORS_PAGE: &[Line] = &[
    ("Invalid client", "client-refused", SURE),
    ("Invalid scope", "scope-refused", SURE),
    ("Invalid grant", "token-refused", SURE),
    ("Redirect URL mismatch", "redirect-uri-mismatch", SURE),
];

/// Pages of the instance, and what a browser says.
const IN_THE_BROWSER: &[Line] = &[
    ("Invalid redirect_uri", "redirect-uri-mismatch", SURE),
    (
        "<!DOCTYPE html><html><head><title>ServiceNow</title><script>var timeout=1;</script></head><body><div class=\"outputmsg_text\">Invalid redirect_uri</div></body></html>",
        "redirect-uri-mismatch",
        SURE,
    ),
    ("Missing State parameter in request.", "state-required", SURE),
    ("Missing State parameter in request", "state-required", SURE),
    (
        "<html><body><p>Missing State parameter in request.</p></body></html>",
        "state-required",
        SURE,
    ),
    ("Invalid client_id", "client-unknown", SURE),
    (
        "https://dev1.service-now.com/oauth_auth.do?response_type=token&client_id=1",
        "implicit-grant-off",
        SURE,
    ),
    ("Missing code_challenge parameter in request.", "pkce-required", SURE),
    ("The authorization server says PKCE is required for this client", "pkce-required", SURE),
    ("does it need pkce?", "pkce-required", GUESS),
    (
        "Your OAuth redirect failed. Please check if the redirect URL setup is correct.",
        "oauth-redirect-page",
        SURE,
    ),
    ("https://dev1.service-now.com/oauth_redirect.do", "oauth-redirect-page", SURE),
    (
        "This page isn't working. dev1.service-now.com redirected you too many times. ERR_TOO_MANY_REDIRECTS",
        "browser-loop",
        SURE,
    ),
    ("Safari Can't Open the Page: too many redirects occurred", "browser-loop", SURE),
    (
        "10:00:01 GET /oauth_auth.do 302\n10:00:01 GET /oauth_auth.do 302\n10:00:02 GET /oauth_auth.do 302",
        "browser-loop",
        GUESS,
    ),
    ("Can we automate consent? KB0818290", "consent-not-automatable", SURE),
    ("This user may use web services only.", "user-not-interactive", SURE),
    ("the user has 'Web service access only' ticked", "user-not-interactive", SURE),
    ("<input name=\"web_service_access_only\">", "user-not-interactive", SURE),
    ("User name or password invalid", "user-locked", SURE),
    ("User is locked out", "user-locked", SURE),
    ("Your password has expired and must be changed.", "user-password-reset", SURE),
    ("password_needs_reset=true", "user-password-reset", SURE),
    (
        "https://dev1.service-now.com/oauth_auth.do?redirect_uri=https%253A%252F%252Fus-west-2.console.aws.amazon.com",
        "redirect-double-encoded",
        SURE,
    ),
    (
        "redirect_uri=https://global.consent.azure-apim.net/redirect/servicenow-1",
        "redirect-not-as-documented",
        SURE,
    ),
    (
        "https://us-west-2.signin.aws.amazon.com/oauth?response_type=code",
        "code-hidden-by-console",
        SURE,
    ),
    ("Sign in as IAM user", "code-hidden-by-console", SURE),
    ("The authorization code has expired", "code-too-old", SURE),
    ("token limited to 1 minute for an unknown reason", "code-taken-for-token", SURE),
    (
        "https://us-west-2.console.aws.amazon.com/appflow/oauth?error=access_denied&state=abc",
        "access-denied",
        SURE,
    ),
    (
        "http://127.0.0.1:8456/callback?error=unauthorized_client&state=x",
        "authorization-refused",
        SURE,
    ),
    ("http://127.0.0.1:8456/callback?error=invalid_request&state=x", "authorization-refused", SURE),
    ("http://127.0.0.1:8456/callback?error=invalid_scope&state=x", "scope-refused", SURE),
    ("unsupported_response_type", "authorization-refused", SURE),
    ("Invalid response_type", "authorization-refused", SURE),
];

/// Answers of the token endpoint.
const AT_THE_TOKEN_ENDPOINT: &[Line] = &[
    (
        r#"{"error_description":"access_denied","error":"server_error"}"#,
        "server-error-access-denied",
        SURE,
    ),
    (
        "HTTP/1.1 401 Unauthorized\nContent-Type: application/json;charset=utf-8\n\n{\"error_description\":\"access_denied\",\"error\":\"server_error\"}",
        "server-error-access-denied",
        SURE,
    ),
    (
        r#"requests.exceptions.HTTPError: 401 {\"error\": \"server_error\", \"error_description\": \"access_denied\"}"#,
        "server-error-access-denied",
        SURE,
    ),
    (r#"{"error":"server_error"}"#, "server-error-access-denied", GUESS),
    (r#"{"error":"access_denied"}"#, "access-denied", SURE),
    (r#"{"error":"invalid_client","error_description":"no"}"#, "client-refused", SURE),
    (r#"{"error":"unauthorized_client"}"#, "client-refused", SURE),
    (r#"{"error":"invalid_grant"}"#, "token-refused", SURE),
    (r#"{"error":"invalid_scope"}"#, "scope-refused", SURE),
    (r#"{"error":"invalid_request"}"#, "request-refused", SURE),
    (r#"{"error":"unsupported_grant_type"}"#, "grant-type-refused", SURE),
    ("curl -d 'grant_type=code&code=1'", "grant-type-refused", SURE),
    (
        r#"{"error":"unauthorized_client","error_description":"Received client_credentials grant_type request however integration user is not configured for OAuth:0123"}"#,
        "application-user-missing",
        SURE,
    ),
    (
        "POST grant_type=client_credentials -> {\"error_description\":\"access_denied\",\"error\":\"server_error\"}",
        "server-error-access-denied",
        SURE,
    ),
    ("glide.oauth.inbound.client.credential.grant_type.enabled", "client-credentials-off", SURE),
    ("glide.oauth.inbound.ropc.grant_type.disabled", "password-grant-off", SURE),
    ("grant_type=password", "password-grant-off", GUESS),
    ("append the OTP to the password", "password-grant-second-factor", SURE),
    ("is MFA the reason?", "password-grant-second-factor", GUESS),
    (
        "POST https://dev1.service-now.com/oauth_token.do?grant_type=refresh_token",
        "parameters-in-url",
        SURE,
    ),
    ("glide.oauth.allow.parameters.in.post.body.only", "parameters-in-url", SURE),
    ("unspecified error", "body-not-a-form", SURE),
    ("POST /oauth_token.do Content-Type: application/json", "body-not-a-form", GUESS),
    (
        r#"curl -H 'Content-Type: application/json' -d '{"grant_type":"refresh_token"}'"#,
        "body-not-a-form",
        SURE,
    ),
    ("GET /oauth_token.do", "parameters-in-url", SURE),
    ("15:00:07 POST /oauth_token.do 401", "code-too-old", GUESS),
    ("SSO users have no local password", "password-grant-second-factor", SURE),
    ("KB2423799", "cookie-session-refused", SURE),
    (
        "PRB1927594: token calls fail from an API authenticated session",
        "cookie-session-refused",
        SURE,
    ),
    ("PRB1943178", "public-client-jwt-refresh", SURE),
    ("OAuthTokenProcessor#isPKCERequest", "public-client-jwt-refresh", SURE),
    ("The refresh token has expired", "refresh-token-ended", SURE),
    ("KB0791140", "refresh-token-ended", SURE),
    ("our connection dies after 100 days", "refresh-token-ended", GUESS),
    ("Can I get a new refresh token from an old one?", "refresh-token-ended", SURE),
    ("Error refreshing token", "token-refused", SURE),
    ("401 at every third request", "refresh-collision", SURE),
    ("intermittent 401 on refresh", "refresh-collision", SURE),
    ("Reconnecting one connector disconnects everyone", "pair-shared", SURE),
    ("must I use --data-urlencode?", "secret-not-encoded", SURE),
    ("special characters in the client secret", "secret-not-encoded", SURE),
    ("the client secret was rotated last night", "secret-changed", SURE),
    ("sysparm_input_display_value=true", "secret-not-kept", SURE),
];

/// Lines of the instance's system log.
const IN_THE_SYSTEM_LOG: &[Line] = &[
    (
        "2026-11-23 15:00:00 com.glide.ui.ServletErrorListener Exception on token flow - invalid_scope: The provided OAuth token is not valid",
        "scope-refused",
        SURE,
    ),
    (
        "Exception on token flow - invalid_token: The provided OAuth token is not valid",
        "code-refused",
        SURE,
    ),
    ("Exception on token flow - client_secret", "client-secret-missing", SURE),
    ("Exception on token flow - invalid_client: wrong client_secret", "secret-changed", SURE),
    ("Exception on token flow - something else", "server-error-access-denied", GUESS),
    (
        "Security restricted: Access restricted (203.0.113.7 not authorized)",
        "address-refused",
        SURE,
    ),
];

/// Answers of the API.
const OF_THE_API: &[Line] = &[
    (
        r#"{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}"#,
        "token-not-accepted",
        SURE,
    ),
    (
        r#"{"error":{"message":"User Not Authorized","detail":"Access to unscoped api is not allowed"},"status":"failure"}"#,
        "api-restricted",
        SURE,
    ),
    ("scope_restriction_status: restricted", "api-restricted", SURE),
    (
        r#"{"error":{"detail":"Missing required API access scope: knowledge_read","message":"User Not Authorized"},"status":"failure"}"#,
        "api-scope-missing",
        SURE,
    ),
    (
        r#"{"error":{"message":"User Not Authorized","detail":"Failed API level ACL Validation"},"status":"failure"}"#,
        "api-acl-refused",
        SURE,
    ),
    ("user needs snc_platform_rest_api_access", "api-acl-refused", SURE),
    (
        r#"{"error":{"message":"Insufficient rights to query records","detail":"Field(s) present in the query do not have permission to be read"},"status":"failure"}"#,
        "api-forbidden",
        SURE,
    ),
    ("the REST API Access Policy has no inbound authentication profile", "new-token-refused", SURE),
    (r#"{"result":[]}"#, "records-hidden", SURE),
    ("why do I see fewer records than in the table?", "records-hidden", SURE),
    ("are user criteria to blame", "records-hidden", GUESS),
    (
        r#"{"error":{"message":"No Record found","detail":"Record doesn't exist or ACL restricts the record retrieval"},"status":"failure"}"#,
        "record-not-found",
        SURE,
    ),
    (
        r#"{"error":{"message":"Invalid table kb_knowlege","detail":null},"status":"failure"}"#,
        "table-unknown",
        SURE,
    ),
    (
        r#"{"error":{"message":"Requested URI does not represent any resource","detail":null},"status":"failure"}"#,
        "api-path-unknown",
        SURE,
    ),
    (
        r#"{"error":{"message":"Rate limit exceeded","detail":"Rate limit of 100 requests per hour for Table API exceeded"},"status":"failure"}"#,
        "rate-limited",
        SURE,
    ),
    ("403 for /api/now/table/oauth_credential", "token-rows-hidden", GUESS),
];

/// What answers in the instance's place, and the road there.
const ON_THE_ROAD: &[Line] = &[
    (
        "<html><head><title>Instance Hibernating page</title></head><body>…</body></html>",
        "instance-asleep",
        SURE,
    ),
    ("https://developer.servicenow.com/dev.do#!/home?wu=true", "instance-asleep", SURE),
    (
        "<html><body><h1>Your instance is currently offline</h1></body></html>",
        "instance-offline",
        SURE,
    ),
    ("<html><head><title>502 Bad Gateway</title></head></html>", "instance-busy", SURE),
    ("upstream: 503 Service Unavailable", "instance-busy", SURE),
    ("HTTP/1.1 302 Found\nLocation: /login_with_sso.do?glide_sso_id=1", "sign-in-in-front", SURE),
    (
        "<html><head><title>Sign in to your account</title></head><body>Continue</body></html>",
        "sign-in-in-front",
        SURE,
    ),
    (
        "<!doctype html><html><head><title>Log in | ServiceNow</title></head><body>User name</body></html>",
        "sign-in-in-front",
        GUESS,
    ),
    ("SyntaxError: Unexpected token < in JSON at position 0", "answer-unreadable", SURE),
    (
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "answer-unreadable",
        SURE,
    ),
    (
        "<html><head><title>Welcome</title></head><body>Hello</body></html>",
        "answer-unreadable",
        GUESS,
    ),
    (
        "<html><title>Access restricted</title><p>Security restricted: Access restricted (1.2.3.4 not authorized)</p></html>",
        "address-refused",
        SURE,
    ),
    ("com.snc.platform.security.oauth.is.active", "endpoint-missing", SURE),
    ("POST /oauth_token.do: 404", "endpoint-missing", GUESS),
    ("Your instance has been reclaimed", "instance-reclaimed", SURE),
    (
        "Access to fetch at 'https://dev1.service-now.com/api/now' from origin 'https://acme.example' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.",
        "cors-refused",
        SURE,
    ),
    ("curl: (6) Could not resolve host: dev1.service-now.com", "name-not-found", SURE),
    ("getaddrinfo ENOTFOUND dev1.service-now.com", "name-not-found", SURE),
    ("connect ECONNREFUSED 127.0.0.1:443", "connect-failed", SURE),
    (
        "curl: (60) SSL certificate problem: unable to get local issuer certificate",
        "tls-failed",
        SURE,
    ),
    (
        "Error: self-signed certificate in certificate chain, code: 'SELF_SIGNED_CERT_IN_CHAIN'",
        "tls-inspected",
        SURE,
    ),
    ("issuer: CN=Zscaler Intermediate Root CA", "tls-inspected", SURE),
    ("JWT error: token used before issued; check for clock skew", "clock-skewed", SURE),
    ("read ECONNRESET", "connection-lost", SURE),
    ("HTTP/1.1 407 Proxy Authentication Required", "proxy-failed", SURE),
    ("KB1214959: the instance has moved to another domain", "endpoint-redirects", SURE),
    ("HTTP/1.1 401\nWWW-Authenticate: BASIC realm=\"Service-now\"", "token-not-accepted", GUESS),
    ("the request timed out", "timed-out", GUESS),
];

/// Records and the people who make them.
const AT_THE_RECORD: &[Line] = &[
    ("there is no New button in Application Registry", "role-not-elevated", GUESS),
    ("Elevate role: security_admin", "role-not-elevated", SURE),
    ("stopped working after the clone from prod", "instance-cloned", SURE),
    ("PRB1673691", "instance-cloned", SURE),
    ("PRB1934567", "upgrade-lost-fields", SURE),
    ("PRB1926337", "upgrade-lost-fields", SURE),
    ("is a direct insert into oauth_entity enough?", "record-made-by-insert", GUESS),
    ("KB2109232", "redirect-uri-mismatch", SURE),
    ("glide.oauth.state.parameter.required", "state-required", SURE),
    ("glide.oauth.clients.allowed.for.implicit.grant", "implicit-grant-off", SURE),
];

/// Products that take the tokens.
const AT_THE_CONSUMER: &[Line] = &[
    (
        "An error occurred (ValidationException) when calling the CreateConnectorProfile operation: AuthCode cannot be blank",
        "appflow-authcode-blank",
        SURE,
    ),
    (
        "Error: creating AppFlow Connector Profile: ValidationException: Auth code cannot be blank",
        "appflow-authcode-blank",
        SURE,
    ),
    (
        "CREATE_FAILED AWS::AppFlow::ConnectorProfile Snow Resource handler returned message: \"Error while",
        "cloudformation-hides-error",
        SURE,
    ),
    (
        "with aws_appflow_connector_profile.servicenow, on main.tf line 3",
        "cloudformation-hides-error",
        SURE,
    ),
    (
        "Connector profile failed: {\\\"error_description\\\":\\\"access_denied\\\",\\\"error\\\":\\\"server_error\\\"}",
        "server-error-access-denied",
        SURE,
    ),
    (
        "Error: creating AppFlow Connector Profile: operation error Appflow: CreateConnectorProfile, StatusCode: 400, ConnectorAuthenticationException: Error while communicating to connector",
        "consumer-connection-failed",
        SURE,
    ),
    ("https://dev1.service-now.com.service-now.com/oauth_token.do", "instance-name-form", SURE),
    ("refresh token expiry was extended, says the connector", "consumer-counts-anew", SURE),
    ("re-authorized by another admin", "consumer-user-changed", SURE),
    ("the Genesys data action stops working after an hour", "static-access-token", SURE),
    ("CXone Agent for ServiceNow", "cxone-other-connector", SURE),
];

/// What we say ourselves.
const OF_OUR_OWN: &[Line] = &[
    ("token-refused", "token-refused", SURE),
    (
        "error: the instance refused to refresh the token (server_error: access_denied)\n  caused by: the instance answered server_error: access_denied\nhint: a new consent\ncode: token-refused (`snowtoken explain token-refused`)",
        "token-refused",
        SURE,
    ),
    (
        r#"{"version":1,"tables":[{"table":"kb_knowledge","code":"api-forbidden"}]}"#,
        "api-forbidden",
        SURE,
    ),
    (
        "warning: the tokens could not be verified now: x (code: instance-busy)",
        "instance-busy",
        SURE,
    ),
    ("run `snowtoken explain key-wrong`", "key-wrong", SURE),
];

fn all() -> impl Iterator<Item = Line> {
    [
        OF_THE_VENDORS_PAGE,
        IN_THE_BROWSER,
        AT_THE_TOKEN_ENDPOINT,
        IN_THE_SYSTEM_LOG,
        OF_THE_API,
        ON_THE_ROAD,
        AT_THE_RECORD,
        AT_THE_CONSUMER,
        OF_OUR_OWN,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[test]
fn what_people_have_in_front_of_them_is_found() {
    assert!(all().count() >= 120, "{}", all().count());
    let mut wrong = Vec::new();
    for (text, code, sure) in all() {
        let found = recognise(text);
        let first = found.codes.first().map(|code| code.as_str());
        if first != Some(code) || (found.certainty != Certainty::Guess) != sure {
            wrong.push(format!("{text}\n   -> {first:?} ({:?}), not {code}", found.certainty));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Wherever an entry says what is seen, its own words lead to it.
#[test]
fn what_an_entry_says_is_seen_leads_to_it() {
    let told: BTreeSet<&str> = all().map(|(_, code, _)| code).collect();
    let mut lost = Vec::new();
    for (code, entry) in CATALOGUE {
        if entry.seen.is_empty() || told.contains(entry.code) {
            continue;
        }
        if !recognise(entry.seen).codes.contains(code) {
            lost.push(entry.code);
        }
    }
    assert!(lost.is_empty(), "neither a line above nor their own words find {lost:?}");
}

#[test]
fn what_nobody_knows_is_not_explained() {
    for text in [
        "",
        " ",
        "hello",
        "it does not work",
        "everything is fine now",
        "{}",
        "[]",
        r#"{"access_token":"aaaa","refresh_token":"bbbb","token_type":"Bearer","expires_in":1799}"#,
        r#"{"result":[{"sys_id":"1","short_description":"How to reset"}]}"#,
        "https://us-west-2.console.aws.amazon.com/appflow/oauth?code=abc&state=def",
        "0123456789abcdef0123456789abcdef",
        "\u{0}\u{1}\u{2}\u{fffd}\u{fffd}",
    ] {
        assert_eq!(recognise(text).codes, [] as [Code; 0], "{text}");
    }
}

/// Somebody's words about something else are never told as a certain diagnosis.
#[test]
fn words_about_something_else_are_a_guess_at_most() {
    for text in [
        "please renew the certificate of attendance",
        "the state of affairs",
        "the meeting had a timeout",
        "we have 407 employees",
        r#"{"result":[{"number":"KB0000001","text":"invalid_grant and invalid_client explained"}]}"#,
        "HTTP/1.1 200 OK\nAccess-Control-Allow-Origin: *\nX-RateLimit-Limit: 100\n",
    ] {
        let found = recognise(text);
        assert!(found.codes.is_empty() || found.certainty == Certainty::Guess, "{text}: {found:?}");
    }
}

/// A whole transcript holds much that means nothing; the answer in it counts.
const TRANSCRIPT: &str = r#"*   Trying 149.96.1.1:443...
* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384
* Server certificate: subject CN=*.service-now.com; SSL certificate verify ok.
> POST /oauth_token.do HTTP/1.1
> Host: dev1.service-now.com
> Content-Type: application/x-www-form-urlencoded
>
< HTTP/1.1 401 Unauthorized
< Content-Type: application/json;charset=utf-8
< Set-Cookie: JSESSIONID=1; glide_user=;Max-Age=0
<
{"error_description":"access_denied","error":"server_error"}"#;

#[test]
fn a_whole_transcript_is_told_by_the_answer_in_it() {
    let found = recognise(TRANSCRIPT);
    assert_eq!(found.codes, [Code::CatchAll]);
    let request = "curl -v -d grant_type=refresh_token&client_id=1\n";
    let found = recognise(&format!("{request}{TRANSCRIPT}"));
    assert_eq!(found.codes, [Code::CatchAll, Code::TokenRefused]);
    let log = "Exception on token flow - client_secret";
    let found = recognise(&format!("{TRANSCRIPT}\n{log}"));
    assert_eq!(found.codes, [Code::ClientSecretMissing, Code::CatchAll]);
    // A transaction log without anything wrong in it, or with something that is no business of ours.
    for log in [
        "GET /navpage.do 302\nGET /login.do 200\nPOST /oauth_token.do 200",
        "GET /favicon.ico 404\nPOST /oauth_token.do 200\nGET /api/now/table/oauth_credential 200",
    ] {
        let found = recognise(log);
        assert!(found.codes.is_empty() || found.certainty == Certainty::Guess, "{found:?}");
    }
}
