//! Whatever is typed as an instance or pasted as a redirect leads to the host that was written, or
//! nowhere. Foreign vectors (the URL cases of web-platform-tests), judged by a second parser that
//! shares nothing with the first.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

use snowtoken_core::oauth::authorization::{
    AuthorizationError, AuthorizationRequest, Entropy, ExpectRedirect,
};
use snowtoken_core::oauth::client::ClientId;
use snowtoken_core::oauth::redirect::{RedirectError, RedirectUri};
use snowtoken_core::servicenow::Instance;

/// The second parser and the checks are those of the fuzzer.
#[expect(dead_code, reason = "the fuzzer's entry is not needed here")]
#[path = "../../../fuzz/src/instance.rs"]
mod instance;

use instance::{Parts, check_text as check, split};

const HOST: &str = "us-west-2.console.aws.amazon.com";
const REDIRECT_URI: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";

/// The inputs of all cases, and the hosts that a browser makes of them.
fn vectors() -> (Vec<String>, Vec<String>) {
    let all: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("data/urltestdata.json")).unwrap();
    let texts = |name: &str| {
        all.iter().filter_map(|case| Some(case.get(name)?.as_str()?.to_owned())).collect::<Vec<_>>()
    };
    (texts("input"), texts("host"))
}

#[test]
fn the_second_parser_splits_like_the_rfc() {
    let parts = split("https://u:p@[::1]:8/a?b#c").unwrap();
    let expected = Parts {
        scheme: Some("https"),
        user_info: Some("u:p"),
        host: "[::1]",
        port: Some("8"),
        rest: "/a?b#c",
    };
    assert_eq!(parts, expected);
    assert_eq!(split("//h").unwrap().host, "h");
    assert_eq!(split("h/x"), None);
}

#[test]
fn every_url_of_the_web_platform_tests_as_an_instance() {
    let (inputs, hosts) = vectors();
    assert_eq!(inputs.len(), 819);
    let accepted = inputs.iter().filter(|input| check(input)).count();
    // Most cases have a path, a user or a strange scheme; what is left must not become fewer unseen.
    assert_eq!(accepted, 20, "of {} inputs", inputs.len());

    let accepted = hosts.iter().filter(|host| check(host)).count();
    assert!(accepted > 100, "{accepted} of {} hosts", hosts.len());
    for input in &inputs {
        check(&format!("https://{input}"));
        check(&format!("{input}.service-now.com"));
        check(&format!("classics.service-now.com{input}"));
        check(&format!("https://classics.service-now.com{input}"));
    }
}

fn expect_redirect() -> (ExpectRedirect, String) {
    let request = AuthorizationRequest {
        endpoints: Instance::parse("classics").unwrap().endpoints(),
        client_id: ClientId::parse("id").unwrap(),
        redirect_uri: RedirectUri::parse(REDIRECT_URI).unwrap(),
        scope: None,
    };
    let (url, expect) = request.begin(&Entropy::from_bytes([9; 64]));
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    (expect, state)
}

/// What is left of a paste when the traces of terminals and mail programs are taken away.
fn bare(pasted: &str) -> String {
    let text: String = pasted.split_whitespace().collect::<Vec<_>>().concat();
    let text = text.replace(['\u{200b}', '\u{200c}', '\u{200d}', '\u{feff}', '\u{ad}'], "");
    text.trim_matches(['"', '\'', '`', '<', '>']).to_owned()
}

#[test]
fn every_url_of_the_web_platform_tests_as_a_paste() {
    let (expect, state) = expect_redirect();
    let answer = format!("code=c&state={state}");
    let (inputs, _) = vectors();
    let mut accepted = 0;
    for input in &inputs {
        for pasted in [
            format!("{input}?{answer}"),
            format!("{input}&{answer}"),
            format!("{REDIRECT_URI}{input}?{answer}"),
            format!("{REDIRECT_URI}{input}&{answer}"),
            format!("https://{input}@{HOST}/appflow/oauth?{answer}"),
            format!("https://{input}.{HOST}/appflow/oauth?{answer}"),
            format!("https://{HOST}{input}/appflow/oauth?{answer}"),
            format!("https://{HOST}/{input}/appflow/oauth?{answer}"),
        ] {
            if expect.examine(&pasted).is_err() {
                continue;
            }
            accepted += 1;
            let text = bare(&pasted);
            let place = text.split_once('?').map_or("", |(place, _)| place);
            let without_scheme = &REDIRECT_URI["https://".len()..];
            assert!(
                [REDIRECT_URI, without_scheme, ""].contains(&place),
                "{pasted:?} was accepted at {place:?}"
            );
        }
    }
    assert!(accepted > 50, "{accepted}: the test can see what is accepted");
}

/// V21: origins that look like one of ours.
fn near_misses(host: &str) -> Vec<String> {
    let mut all = Vec::new();
    for at in 0..host.len() {
        let (head, tail) = host.split_at(at);
        let letter = &tail[..1];
        all.push(format!("{head}{}", &tail[1..]));
        all.push(format!("{head}{letter}{tail}"));
        all.push(format!("{head}.{tail}"));
        all.push(format!("{head}%{:02x}{}", letter.as_bytes()[0], &tail[1..]));
        if letter == "." {
            all.push(format!("{head}\u{3002}{}", &tail[1..]));
            all.push(format!("{head}\u{ff0e}{}", &tail[1..]));
            all.push(format!("{head}-{}", &tail[1..]));
        }
        if letter == "o" {
            all.push(format!("{head}\u{43e}{}", &tail[1..]));
            all.push(format!("{head}0{}", &tail[1..]));
        }
    }
    for (before, after) in [
        ("", ".evil.example"),
        ("", "."),
        ("", ":444"),
        ("", ":0443x"),
        ("", "@evil.example"),
        ("evil.example@", ""),
        ("evil.example#", ""),
        ("evil.example?", ""),
        ("evil.example\\", ""),
        ("evil.example%00", ""),
        ("evil-", ""),
        ("evil.", ""),
        ("", "\u{0}"),
        ("[", "]"),
        ("", "\\@evil.example"),
        ("", "%2eevil.example"),
    ] {
        all.push(format!("{before}{host}{after}"));
    }
    all.retain(|near| near != host);
    all
}

#[test]
fn two_hundred_near_misses_are_another_origin_or_none() {
    let (expect, state) = expect_redirect();
    let elsewhere = AuthorizationError::Redirect(RedirectError::Elsewhere {
        expected: REDIRECT_URI.to_owned(),
    });
    let hosts = near_misses(HOST);
    assert!(hosts.len() >= 150, "{}", hosts.len());
    let mut refused = 0;
    for host in &hosts {
        let pasted = format!("https://{host}/appflow/oauth?code=c&state={state}");
        let error = expect.examine(&pasted).unwrap_err();
        // Some near misses hold a `#`, a `?` or a control character: no less refused.
        if error == elsewhere {
            refused += 1;
        } else {
            assert!(host.contains(['#', '?', '\0']), "{host}: {error:?}");
        }
    }
    assert!(refused >= 150, "{refused}");

    let ours = Instance::parse("classics.service-now.com").unwrap();
    let hosts = near_misses("classics.service-now.com");
    assert!(hosts.len() >= 100, "{}", hosts.len());
    for host in hosts.iter().flat_map(|host| [host.clone(), format!("https://{host}")]) {
        if let Ok(other) = Instance::parse(&host) {
            assert_ne!(other.origin().origin(), ours.origin().origin(), "{host}");
            assert!(check(&host));
        }
    }
}
