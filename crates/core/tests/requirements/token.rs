//! R28, R29, R32-R38: the token request and its answer.

use proptest::prelude::*;
use snowtoken_core::oauth::client::ClientAuthentication;
use snowtoken_core::oauth::token::{TokenError, TokenResponse, client_credentials, refresh};
use snowtoken_core::oauth::{Request, Response};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::Instance;

use crate::support::{
    self, CLIENT_SECRET, answer, answer_with_retry_after, confidential, form, login, value,
};

fn exchange(code: &str, authentication: ClientAuthentication) -> Request {
    let login = login();
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("code", code), ("state", login.state.as_str())])
        .finish();
    let code = login.expect.examine_query(&query).unwrap();
    login.expect.redeem(code, &support::client(authentication)).0
}

fn judge(answer: Response) -> Result<TokenResponse, TokenError> {
    let endpoints = Instance::parse("classics").unwrap().endpoints();
    let (_, expect) = refresh(&endpoints, &confidential(), &Secret::new("rt"));
    expect.receive(answer)
}

fn json(members: &str) -> Result<TokenResponse, TokenError> {
    judge(answer(200, format!(r#"{{"access_token":"a","token_type":"Bearer"{members}}}"#)))
}

fn invalid(what: &'static str) -> TokenError {
    TokenError::Invalid { what }
}

const BROKEN: &str = "it is broken JSON, or names a member twice";
const NO_BEARER: &str = "`token_type` is not Bearer";

#[test]
fn r28_a_form_post_without_empty_parameters() {
    let request = exchange("c+d/e%=&", ClientAuthentication::Post(Secret::new(CLIENT_SECRET)));
    assert_eq!(request.method(), "POST");
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    let names: Vec<_> = form(&request).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"]
    );
    assert_eq!(value(&request, "code").as_deref(), Some("c+d/e%=&"));
    assert_eq!(value(&request, "client_secret").as_deref(), Some(CLIENT_SECRET));

    let endpoints = Instance::parse("classics").unwrap().endpoints();
    let (request, _) = client_credentials(&endpoints, &confidential(), None);
    assert_eq!(value(&request, "scope"), None, "empty parameters are left out");
}

proptest! {
    #[test]
    fn r28_every_secret_arrives_as_it_is(secret in "\\PC{1,80}") {
        let request = exchange("c", ClientAuthentication::Post(Secret::new(secret.clone())));
        prop_assert_eq!(value(&request, "client_secret"), Some(secret.clone()));
        let text = std::str::from_utf8(request.body().expose()).unwrap();
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%&=".contains(&b)));
    }
}

#[test]
fn r29_one_authentication_and_never_in_the_url() {
    let secret = || Secret::new("s");
    for (authentication, header, id, in_body) in [
        (ClientAuthentication::Post(secret()), false, true, true),
        (ClientAuthentication::Basic(secret()), true, false, false),
        (ClientAuthentication::None, false, true, false),
    ] {
        let request = exchange("c", authentication);
        assert_eq!(request.headers().contains_key("authorization"), header);
        assert_eq!(value(&request, "client_id").is_some(), id);
        assert_eq!(value(&request, "client_secret").is_some(), in_body);
        assert_eq!(request.uri().query(), None);
    }
}

#[test]
fn r32_a_redirect_is_a_verdict() {
    for status in [300, 301, 302, 303, 304, 307, 308, 399] {
        let error =
            judge(answer(status, r#"{"access_token":"a","token_type":"Bearer"}"#)).unwrap_err();
        assert_eq!(error, TokenError::Redirected { status, sign_in: false });
        assert!(!error.is_transient(), "the same request would be answered the same");
    }
}

#[test]
fn r33_unknown_members_are_ignored() {
    let junk: Vec<_> =
        (0..10_000).map(|n| format!(r#","x{n}":[{{"access_token":"b"}}]"#)).collect();
    assert_eq!(json(&junk.join("")).unwrap().access_token, Secret::new("a"));
    let nested = format!(r#","x":{}{}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(json(&nested).unwrap().access_token, Secret::new("a"));
    let bomb = format!(r#","x":{}"#, "[".repeat(1_000_000));
    assert_eq!(json(&bomb), Err(invalid(BROKEN)), "ends, and not by a stack overflow");
}

#[test]
fn r34_the_token_type_is_bearer_in_any_case() {
    for word in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let body = format!(r#"{{"access_token":"a","token_type":"{word}"}}"#);
        assert!(judge(answer(200, body)).is_ok(), "{word}");
    }
    for member in [
        "",
        r#","token_type":"mac""#,
        r#","token_type":"Bearer ""#,
        r#","token_type":["Bearer"]"#,
        r#","token_type":null"#,
    ] {
        let body = format!(r#"{{"access_token":"a"{member}}}"#);
        assert_eq!(judge(answer(200, body)), Err(invalid(NO_BEARER)), "{member}");
    }
}

#[test]
fn r35_an_odd_expires_in_is_no_reason_to_refuse() {
    for (member, seconds) in [
        ("", None),
        (r#","expires_in":0"#, None),
        (r#","expires_in":-1799"#, None),
        (r#","expires_in":"1799""#, Some(1799)),
        (r#","expires_in":" 1799 ""#, Some(1799)),
        (r#","expires_in":"""#, None),
        (r#","expires_in":1e99"#, None),
        (r#","expires_in":1799.5"#, Some(1799)),
        (r#","expires_in":0.5"#, None),
        (r#","expires_in":null"#, None),
        (r#","expires_in":true"#, None),
        (r#","expires_in":18446744073709551615"#, None),
        (r#","expires_in":-9223372036854775808"#, None),
        (r#","expires_in":315360000"#, Some(315_360_000)),
    ] {
        assert_eq!(json(member).unwrap().expires_in, seconds, "{member}");
    }
}

#[test]
fn r36_the_granted_scope_is_told() {
    assert_eq!(json(r#","scope":"a b""#).unwrap().scope.as_deref(), Some("a b"));
    assert_eq!(json("").unwrap().scope, None, "as it was asked for");
    assert_eq!(json(r#","scope":["a"]"#).unwrap().scope, None);
}

#[test]
fn r37_tokens_have_any_size() {
    for size in [1, 22, 86, 4_096, 65_536] {
        let (access, refresh) = ("a".repeat(size), "r".repeat(size));
        let body = format!(
            r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"bearer"}}"#
        );
        let tokens = judge(answer(200, body)).unwrap();
        assert_eq!(tokens.access_token.expose().len(), size);
        assert_eq!(tokens.refresh_token.unwrap().expose().len(), size);
    }
    let code = "c".repeat(16 * 1024);
    let request = exchange(&code, ClientAuthentication::None);
    assert_eq!(value(&request, "code"), Some(code));
}

#[test]
fn r38_a_token_is_opaque() {
    // A JWT that ended in 1970 and names another type: nobody looks into it.
    let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.";
    let body = format!(r#"{{"access_token":"{jwt}","token_type":"Bearer","expires_in":1799}}"#);
    let tokens = judge(answer(200, body)).unwrap();
    assert_eq!((tokens.access_token.expose(), tokens.expires_in), (jwt, Some(1799)));
}

/// What is no token answer, told apart by what a person can do about it.
#[test]
fn r23_an_answer_is_an_object_or_nothing() {
    let page = |status| TokenError::Page { status, title: None };
    for (status, body, error) in [
        (200, "", page(200)),
        (200, "null", page(200)),
        (200, "[]", page(200)),
        (200, r#"["a","r","Bearer",1799,"s",null,null]"#, page(200)),
        (200, r#"[{"access_token":"a","token_type":"Bearer"}]"#, page(200)),
        (200, r#"{"access_token":"a","token_type":"Bearer"}{}"#, invalid(BROKEN)),
        (200, r#"{"access_token":"a","token_type":"Bearer","access_token":"b"}"#, invalid(BROKEN)),
        (200, "{", invalid(BROKEN)),
        (200, "{}", invalid("there is no `access_token`")),
        (204, "", page(204)),
        (206, r#"{"access_token":"a","token_type":"Bearer"}"#, page(206)),
        (404, "<title></title>", page(404)),
        (401, "", page(401)),
        (401, r#"{"error":{"message":"x"}}"#, invalid("an error status without an `error` member")),
    ] {
        assert_eq!(judge(answer(status, body)), Err(error), "{status} {body}");
    }
    let with_mark =
        [b"\xef\xbb\xbf".as_slice(), br#"{"access_token":"a","token_type":"Bearer"}"#].concat();
    assert!(judge(answer(200, with_mark)).is_ok(), "a byte order mark does no harm");
}

#[test]
fn r48_retry_after_is_read_where_it_is_a_believable_number() {
    for (text, seconds) in [
        ("30", Some(30)),
        (" 0 ", Some(0)),
        ("86400", Some(86_400)),
        ("86401", None),
        ("1000000000", None),
        ("-1", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ] {
        for status in [429, 503] {
            let error = judge(answer_with_retry_after(status, text)).unwrap_err();
            assert_eq!(error.retry_after(), seconds, "{status} {text}");
        }
    }
}
