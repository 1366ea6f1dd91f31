//! R45-R50: revocation.

use snowtoken_core::Timestamp;
use snowtoken_core::keeper::{Command, Event, Keeper, NoAnswer, Policy, TokenState};
use snowtoken_core::oauth::error::{ErrorCode, ErrorResponse};
use snowtoken_core::oauth::revocation::{Claim, TokenKind, claim, revoke};
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{Instance, Lifespans};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};

use crate::support::{CLIENT_SECRET, answer, answer_with_retry_after, confidential, form};

#[test]
fn r45_revocation_is_encrypted_and_authenticated() {
    let endpoints = Instance::parse("classics").unwrap().endpoints();
    let urls: Vec<_> = endpoints.revocation.iter().map(url::Url::as_str).collect();
    assert_eq!(
        urls,
        [
            "https://classics.service-now.com/oauth_revoke_token.do",
            "https://classics.service-now.com/oauth_revoke.do"
        ]
    );
    assert!(Instance::parse("http://classics.service-now.com").is_err());
    let request =
        revoke(&endpoints.revocation[0], &confidential(), &Secret::new("t"), TokenKind::Access);
    assert!(form(&request).contains(&("client_secret".to_owned(), CLIENT_SECRET.to_owned())));
}

#[test]
fn r46_the_token_travels_in_the_body() {
    let endpoints = Instance::parse("classics").unwrap().endpoints();
    for (kind, hint) in [(TokenKind::Access, "access_token"), (TokenKind::Refresh, "refresh_token")]
    {
        let request =
            revoke(&endpoints.revocation[0], &confidential(), &Secret::new("tok&en"), kind);
        assert_eq!(request.uri().query(), None);
        let pairs = form(&request);
        assert_eq!(pairs[0], ("token".to_owned(), "tok&en".to_owned()));
        assert_eq!(pairs[1], ("token_type_hint".to_owned(), hint.to_owned()));
    }
}

#[test]
fn r47_a_page_is_no_revocation() {
    for body in ["", " ", "{}", "revoked", "\u{feff}"] {
        assert_eq!(claim(&answer(200, body)), Claim::Revoked, "{body:?}");
    }
    for body in [
        "<html>",
        "\r\n <!doctype html>",
        "\u{feff}<html>",
        "\u{feff} \n<title>Instance Hibernating page</title>",
    ] {
        assert_eq!(claim(&answer(200, body)), Claim::Unclear { status: 200 }, "{body:?}");
    }
    for status in [301, 302, 404, 405] {
        assert_eq!(claim(&answer(status, "")), Claim::Unclear { status });
    }
}

#[test]
fn r48_a_busy_endpoint_has_revoked_nothing() {
    for status in [429, 500, 502, 503, 504] {
        assert_eq!(claim(&answer(status, "{}")), Claim::Later { retry_after: None });
    }
    for (text, seconds) in [("7", Some(7)), ("-7", None), ("1000000000", None), ("soon", None)] {
        assert_eq!(
            claim(&answer_with_retry_after(503, text)),
            Claim::Later { retry_after: seconds }
        );
    }
}

/// Once a person has asked to forget, no answer that is still under way brings tokens back.
#[test]
fn r49_nothing_is_used_after_it_was_given_up() {
    let now: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
    let end = Deadline { at: now, known_by: KnownBy::Stated };
    let tokens = TokenSet {
        access_token: Secret::new("a"),
        refresh_token: Some(Secret::new("r")),
        authorization_code: None,
        scope: None,
        issued_at: now,
        granted_at: now,
        access_expires_at: end,
        refresh_expires_at: None,
    };
    let endpoints = Instance::parse("classics").unwrap().endpoints();
    let late = [
        Ok(answer(200, r#"{"access_token":"b","token_type":"Bearer","refresh_token":"s"}"#)),
        Ok(answer(401, r#"{"error":"invalid_grant"}"#)),
        Err(NoAnswer::Lost),
    ];
    for late in late {
        let brings = late.as_ref().is_ok_and(|answer| answer.status() == 200);
        let mut keeper = Keeper::new(
            endpoints.clone(),
            confidential(),
            Lifespans::default(),
            Some(tokens.clone()),
            Policy::default(),
            7,
        );
        keeper.handle_timeout(now);
        let (generation, _) = keeper.poll_request().unwrap();
        keeper.handle_command(now, Command::Forget);
        keeper.handle_response(now, generation, late);
        assert!(matches!(keeper.state(), TokenState::Absent));
        // What lives on the instance all the same is named once, to be revoked.
        let named = brings.then(|| keeper.poll_event()).flatten();
        let refresh = match &named {
            Some(Event::CameTooLate { refresh_token, .. }) => refresh_token.as_ref(),
            _ => None,
        };
        assert_eq!(refresh.map(Secret::expose), brings.then_some("s"));
        assert!(keeper.poll_event().is_none() && keeper.poll_request().is_none());
        assert_eq!(keeper.poll_timeout(), None);
        keeper.handle_command(now, Command::Refresh);
        assert!(matches!(keeper.poll_event(), Some(Event::NothingToRefresh)));
    }
}

#[test]
fn r50_unsupported_token_type_is_understood() {
    let refused = |code, description: Option<&str>| {
        Claim::Refused(ErrorResponse { code, description: description.map(str::to_owned) })
    };
    assert_eq!(
        claim(&answer(400, r#"{"error":"unsupported_token_type","error_description":"no"}"#)),
        refused(ErrorCode::UnsupportedTokenType, Some("no"))
    );
    assert_eq!(
        claim(&answer(401, r#"{"error":"invalid_client"}"#)),
        refused(ErrorCode::InvalidClient, None)
    );
    assert_eq!(claim(&answer(400, r#"{"error":7}"#)), Claim::Unclear { status: 400 });
}
