//! What proxies, gateways, portals, sleeping instances and broken ones say instead of an answer.

use snowtoken::core::diagnosis::Code;

/// An answer as it travels, and what may be said of it.
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) bytes: Vec<u8>,
    pub(super) codes: Vec<Code>,
}

const GOOD: &str = r#"{"access_token":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","refresh_token":"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr","scope":"useraccount","token_type":"Bearer","expires_in":1799}"#;
const REFUSAL: &str = r#"{"error_description":"access_denied","error":"server_error"}"#;
const INVALID_GRANT: &str = r#"{"error":"invalid_grant"}"#;
const HIBERNATING: &str =
    "<html><head><title>Instance Hibernating page</title></head><body>zzz</body></html>";
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>";

const JSON: &str = "content-type: application/json\r\n";

/// Status line, these headers, and the body with its length.
fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn wrong(what: impl Into<String>, bytes: Vec<u8>, codes: &[Code]) -> Wrong {
    Wrong { what: what.into(), bytes, codes: codes.to_vec() }
}

/// Every wrong answer.
pub(super) fn all() -> Vec<Wrong> {
    [cut_short(), statuses(), pages(), forms(), members(), other_errors(), pauses(), no_http()]
        .into_iter()
        .flatten()
        .collect()
}

/// Answers that do end a session.
pub(super) fn refusals() -> Vec<Wrong> {
    let mut list = Vec::new();
    for status in [400, 401] {
        for body in [INVALID_GRANT, REFUSAL, "\u{feff}{\"error\":\"invalid_grant\"}"] {
            let bytes = answer(status, JSON, body.as_bytes());
            list.push(wrong(format!("{status} {body}"), bytes, &[Code::TokenRefused]));
        }
        let more = r#" { "error" : "invalid_grant" , "error_description" : "gone", "x" : [1] } "#;
        let bytes = answer(status, "content-type: text/html\r\n", more.as_bytes());
        list.push(wrong(format!("{status} {more}"), bytes, &[Code::TokenRefused]));
    }
    list
}

/// JSON that ends in the middle, with a length that says it is whole.
fn cut_short() -> Vec<Wrong> {
    let mut list = Vec::new();
    let broken = [Code::AnswerInvalid, Code::AnswerUnreadable];
    for length in 0..GOOD.len() {
        let bytes = answer(200, JSON, &GOOD.as_bytes()[..length]);
        list.push(wrong(format!("200, {length} bytes of tokens"), bytes, &broken));
    }
    for (status, body) in [(400, INVALID_GRANT), (401, INVALID_GRANT), (401, REFUSAL)] {
        for length in 0..body.len() {
            let bytes = answer(status, JSON, &body.as_bytes()[..length]);
            list.push(wrong(format!("{status}, {length} bytes of {body}"), bytes, &broken));
        }
    }
    list
}

/// A refusal, or tokens, under a status that is not theirs.
fn statuses() -> Vec<Wrong> {
    let code = |status, body| match status {
        300..=399 => Code::SignInInFront,
        404 => Code::EndpointMissing,
        429 => Code::RateLimited,
        500..=599 => Code::InstanceBusy,
        _ if body == PAGE => Code::SignInInFront,
        _ => Code::AnswerUnreadable,
    };
    let server_side =
        [500, 501, 502, 503, 504, 505, 507, 508, 510, 511, 520, 521, 522, 523, 524, 599];
    let client_side = [
        402, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 417, 418, 421, 422, 423,
        425, 426, 428, 431, 451, 499,
    ];
    let redirects = [300, 301, 302, 303, 305, 307, 308, 399];
    let mut list = Vec::new();
    for status in server_side.into_iter().chain(client_side).chain(redirects) {
        for body in [INVALID_GRANT, GOOD, PAGE] {
            let headers = format!("{JSON}location: /login.do\r\n");
            let bytes = answer(status, &headers, body.as_bytes());
            list.push(wrong(format!("{status} {}", &body[..8]), bytes, &[code(status, body)]));
        }
    }
    for status in [201, 202, 203, 206, 207, 226] {
        let bytes = answer(status, JSON, GOOD.as_bytes());
        list.push(wrong(format!("{status} with tokens"), bytes, &[Code::AnswerUnreadable]));
    }
    for status in [204, 205, 304] {
        let bytes = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\n\r\n").into_bytes();
        let code = if status == 304 { Code::EndpointRedirects } else { Code::AnswerUnreadable };
        list.push(wrong(format!("{status}, nothing"), bytes, &[code]));
    }
    list
}

/// Pages of whatever stands in front.
fn pages() -> Vec<Wrong> {
    let mut list = Vec::new();
    for status in [200, 400, 401, 403] {
        for headers in [JSON, "content-type: text/html\r\n", ""] {
            for body in [PAGE, "", "invalid_grant", "error=invalid_grant", "access_denied"] {
                let bytes = answer(status, headers, body.as_bytes());
                let code = if body == PAGE { Code::SignInInFront } else { Code::AnswerUnreadable };
                list.push(wrong(format!("{status} {body}"), bytes, &[code]));
            }
            let bytes = answer(status, headers, HIBERNATING.as_bytes());
            list.push(wrong(format!("{status} asleep"), bytes, &[Code::InstanceAsleep]));
        }
    }
    list
}

/// The right content in a form that is not.
fn forms() -> Vec<Wrong> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut list = Vec::new();
    for (status, inner) in [(200, GOOD), (400, INVALID_GRANT), (401, REFUSAL)] {
        let broken = [Code::AnswerInvalid, Code::AnswerUnreadable];
        let mut add = |what: &str, body: &[u8]| {
            list.push(wrong(format!("{status} {what}"), answer(status, JSON, body), &broken));
        };
        add("in a list", format!("[{inner}]").as_bytes());
        add("as a text", format!("{inner:?}").as_bytes());
        add("twice", format!("{inner}{inner}").as_bytes());
        add("with something behind", format!("{inner} <!-- node 7 -->").as_bytes());
        add("behind a comment", format!("<!-- node 7 -->{inner}").as_bytes());
        add("behind an XSSI guard", format!(")]}}',\n{inner}").as_bytes());
        add("as JSONP", format!("f({inner})").as_bytes());
        add("in UTF-16", &wide(inner));
        add("in UTF-16 with a mark", &[b"\xff\xfe".as_slice(), &wide(inner)].concat());
        add("behind two marks", format!("\u{feff}\u{feff}{inner}").as_bytes());
        add("with NULs", &[inner.as_bytes(), b"\0\0"].concat());
        add("with bytes that are no text", &[&inner.as_bytes()[..9], b"\xff\xfe\"}"].concat());
        add("wrapped", format!("{{\"result\":{inner}}}").as_bytes());
        add("deep", "[".repeat(100_000).as_bytes());
        add("a deep object", "{\"a\":".repeat(100_000).as_bytes());
        for word in ["null", "true", "0", "{}", "[]", "\"\"", " ", "{\"error\":{}}"] {
            add(word, word.as_bytes());
        }
        let gzip = format!("{JSON}content-encoding: gzip\r\n");
        let bytes = answer(status, &gzip, inner.as_bytes());
        list.push(wrong(format!("{status} packed"), bytes, &[Code::AnswerUnreadable]));
        let large = [inner.as_bytes(), &vec![b' '; 2 * 1024 * 1024]].concat();
        let bytes = answer(status, JSON, &large);
        list.push(wrong(format!("{status} too large"), bytes, &[Code::AnswerTooLarge]));
    }
    list
}

/// Members that are missing, doubled, empty or of another kind.
fn members() -> Vec<Wrong> {
    let invalid = [Code::AnswerInvalid, Code::AnswerUnreadable];
    let bearer = r#""token_type":"Bearer","expires_in":1799"#;
    let mut list: Vec<Wrong> = [
        format!("{{{bearer}}}"),
        format!(r#"{{"access_token":null,{bearer}}}"#),
        format!(r#"{{"access_token":"",{bearer}}}"#),
        format!(r#"{{"access_token":7,{bearer}}}"#),
        format!(r#"{{"access_token":["a"],{bearer}}}"#),
        format!(r#"{{"access_token":"a\nb",{bearer}}}"#),
        format!(r#"{{"access_token":"ä",{bearer}}}"#),
        format!(r#"{{"access_token":"a","access_token":"b",{bearer}}}"#),
        format!(r#"{{"access_token":"a","refresh_token":7,{bearer}}}"#),
        format!(r#"{{"access_token":"a","refresh_token":"r\u0000",{bearer}}}"#),
        format!(r#"{{"access_token":"a","refresh_token":"r","refresh_token":"s",{bearer}}}"#),
        r#"{"access_token":"a"}"#.to_owned(),
        r#"{"access_token":"a","token_type":null}"#.to_owned(),
        r#"{"access_token":"a","token_type":"mac"}"#.to_owned(),
        r#"{"access_token":"a","token_type":"Bearer","token_type":"mac"}"#.to_owned(),
        r#"{"ACCESS_TOKEN":"a","TOKEN_TYPE":"Bearer"}"#.to_owned(),
        r#"{"status":"failure"}"#.to_owned(),
    ]
    .into_iter()
    .map(|body| wrong(format!("200 {body}"), answer(200, JSON, body.as_bytes()), &invalid))
    .collect();
    for status in [400, 401] {
        for body in [
            r#"{"error":null}"#,
            r#"{"error":7}"#,
            r#"{"error":["invalid_grant"]}"#,
            r#"{"error":{"code":"invalid_grant"}}"#,
            r#"{"error":"invalid_grant","error":"invalid_grant"}"#,
            r#"{"error_description":"invalid_grant"}"#,
            r#"{"Error":"invalid_grant"}"#,
            GOOD,
        ] {
            let bytes = answer(status, JSON, body.as_bytes());
            list.push(wrong(format!("{status} {body}"), bytes, &invalid));
        }
    }
    list
}

/// Refusals in due form that say nothing about the refresh token.
fn other_errors() -> Vec<Wrong> {
    let mut list = Vec::new();
    for status in [200, 400, 401, 403] {
        for (error, code) in [
            ("invalid_client", Code::ClientRefused),
            ("unauthorized_client", Code::ClientRefused),
            ("invalid_scope", Code::ScopeRefused),
            ("temporarily_unavailable", Code::InstanceBusy),
            ("invalid_request", Code::RequestRefused),
            ("unsupported_grant_type", Code::GrantTypeRefused),
            ("slow_down", Code::RequestRefused),
            ("INVALID_GRANT", Code::RequestRefused),
            ("invalid_grant ", Code::RequestRefused),
            ("", Code::RequestRefused),
        ] {
            let body = format!(r#"{{"error":"{error}"}}"#);
            let bytes = answer(status, JSON, body.as_bytes());
            list.push(wrong(format!("{status} {body}"), bytes, &[code]));
        }
        let body = r#"{"error":"server_error","error_description":"database is down"}"#;
        let bytes = answer(status, JSON, body.as_bytes());
        list.push(wrong(format!("{status} {body}"), bytes, &[Code::RequestRefused]));
    }
    // The refusals themselves, where they are out of place.
    for status in [200, 403] {
        for body in [INVALID_GRANT, REFUSAL] {
            let bytes = answer(status, JSON, body.as_bytes());
            let codes = [Code::TokenRefused, Code::RequestRefused, Code::AnswerUnreadable];
            list.push(wrong(format!("{status} {body}"), bytes, &codes));
        }
    }
    list
}

/// 429 and 503 with a pause that can be kept, or not.
fn pauses() -> Vec<Wrong> {
    let mut list = Vec::new();
    for (status, code) in [(429, Code::RateLimited), (503, Code::InstanceBusy)] {
        for pause in [
            "0",
            "1",
            "2",
            "29",
            "31",
            "600",
            "86400",
            "86401",
            "1000000000",
            "-1",
            "1.5",
            "1e3",
            "99999999999999999999",
            "soon",
            "",
            " 5 ",
            "Wed, 23 Nov 2026 16:00:00 GMT",
            "Wed, 01 Jan 1970 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "5, 7",
        ] {
            let headers = format!("retry-after: {pause}\r\n");
            let bytes = answer(status, &headers, INVALID_GRANT.as_bytes());
            list.push(wrong(format!("{status} after {pause:?}"), bytes, &[code]));
        }
        let twice = "retry-after: 1\r\nretry-after: 600\r\n";
        list.push(wrong(format!("{status} after 1 and 600"), answer(status, twice, b""), &[code]));
    }
    list
}

/// Whoever answers speaks another language.
fn no_http() -> Vec<Wrong> {
    let codes = [Code::AnswerUnreadable, Code::ConnectionLost, Code::AnswerTooLarge];
    let long = format!("HTTP/1.1 401 No\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    let many = format!("HTTP/1.1 401 No\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    [
        ("nothing", String::new()),
        ("SSH", "SSH-2.0-OpenSSH_9.2p1\r\n".to_owned()),
        ("SMTP", "220 mail.example ESMTP\r\n".to_owned()),
        ("a TLS alert", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}".to_owned()),
        ("HTTP/0.9", INVALID_GRANT.to_owned()),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("no status", "HTTP/1.1 \r\n\r\n".to_owned()),
        ("status 40", format!("HTTP/1.1 40 Bad\r\ncontent-length: 25\r\n\r\n{INVALID_GRANT}")),
        ("status 4000", format!("HTTP/1.1 4000 Bad\r\ncontent-length: 25\r\n\r\n{INVALID_GRANT}")),
        ("a head that never ends", long),
        ("five thousand headers", many),
        (
            "two lengths",
            format!(
                "HTTP/1.1 401 No\r\ncontent-length: 25\r\ncontent-length: 3\r\n\r\n{INVALID_GRANT}"
            ),
        ),
        ("a length of -1", format!("HTTP/1.1 401 No\r\ncontent-length: -1\r\n\r\n{INVALID_GRANT}")),
        (
            "a length too large",
            format!("HTTP/1.1 401 No\r\ncontent-length: 26\r\n\r\n{INVALID_GRANT}"),
        ),
        (
            "a broken chunk",
            format!("HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n{INVALID_GRANT}"),
        ),
        ("only hints", "HTTP/1.1 103 Early Hints\r\n\r\n".to_owned()),
        ("continue, and then nothing", "HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
        ("another protocol", "HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n".to_owned()),
    ]
    .into_iter()
    .map(|(what, text)| wrong(what, text.into_bytes(), &codes))
    .collect()
}
