//! Any answer to a refresh: a status, perhaps `Retry-After`, and a body. Whatever it is, the refresh
//! token is kept unless another one came or the instance refused this one twice.
//!
//! Form: the first line is `STATUS` or `STATUS RETRY-AFTER`, the rest is the body.

use snowtoken_core::keeper::{Command, Event, Keeper, Policy, TokenState};
use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken_core::oauth::token::{TokenResponse, refresh};
use snowtoken_core::oauth::{Response, revocation};
use snowtoken_core::secret::{Body, Secret};
use snowtoken_core::servicenow::{Instance, Lifespans, judge};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken_core::{SignedDuration, Timestamp};

/// Answers what became of the session: new `tokens`, a `refusal`, or everything `kept`; nothing if
/// the input is no answer.
pub(crate) fn check(data: &[u8]) -> Option<&'static str> {
    let line_end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (head, body) = (&data[..line_end], data.get(line_end + 1..).unwrap_or_default());
    let head = std::str::from_utf8(head).ok()?;
    let (status, retry_after) = head.split_once(' ').unwrap_or((head, ""));
    let mut answer = http::Response::builder().status(status.parse::<u16>().ok()?);
    if !retry_after.is_empty() {
        answer = answer.header("retry-after", retry_after);
    }
    // A status or a header that HTTP cannot carry never reaches us.
    let answer = answer.body(Body::from(body.to_vec())).ok()?;
    check_parser(&answer);
    Some(check_keeper(&answer))
}

fn client() -> Client {
    let authentication = ClientAuthentication::Post(Secret::new("client-secret-canary"));
    Client { id: ClientId::parse("id").expect("an ID"), authentication }
}

fn check_parser(answer: &Response) {
    let endpoints = Instance::parse("classics").expect("a name").endpoints();
    let (_, expect) = refresh(&endpoints, &client(), &Secret::new("rt"));
    match expect.receive(answer.clone()) {
        Ok(tokens) => agree(answer, &tokens),
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(error.to_string().chars().count() < 5_000, "cut, however long it was");
            assert!(!error.to_string().contains(char::is_control), "{shown}");
            assert!(error.retry_after().is_none_or(|seconds| (0..=86_400).contains(&seconds)));
        }
    }
    let _ = judge(answer);
    if let revocation::Claim::Later { retry_after: Some(seconds) } = revocation::claim(answer) {
        assert!((0..=86_400).contains(&seconds));
    }
}

/// What was read is what an ordinary JSON parser finds there.
fn agree(answer: &Response, tokens: &TokenResponse) {
    assert_eq!(answer.status(), 200);
    let body = answer.body().expose();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Bytes that are no UTF-8, in a member that nobody reads, are no reason to lose a session.
    let text = String::from_utf8_lossy(body);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(json.is_object());
    assert_eq!(json["access_token"].as_str(), Some(tokens.access_token.expose()));
    let refresh_token = json["refresh_token"].as_str().filter(|text| !text.is_empty());
    assert_eq!(refresh_token, tokens.refresh_token.as_ref().map(Secret::expose));
    assert_eq!(json["scope"].as_str(), tokens.scope.as_deref());
    assert!(json["token_type"].as_str().is_some_and(|word| word.eq_ignore_ascii_case("bearer")));
    assert!(tokens.expires_in.is_none_or(|seconds| (1..=315_360_000).contains(&seconds)));
    assert!(tokens.access_token.expose().bytes().all(|byte| matches!(byte, 0x20..=0x7e)));
}

fn check_keeper(answer: &Response) -> &'static str {
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let end = Deadline { at: now + SignedDuration::from_secs(60), known_by: KnownBy::Stated };
    let tokens = TokenSet {
        access_token: Secret::new("at"),
        refresh_token: Some(Secret::new("rt")),
        authorization_code: None,
        scope: None,
        issued_at: now,
        granted_at: now,
        access_expires_at: end,
        refresh_expires_at: None,
    };
    let mut keeper = Keeper::new(
        Instance::parse("classics").expect("a name").endpoints(),
        client(),
        Lifespans::default(),
        Some(tokens),
        Policy::default(),
        1,
    );
    let (mut refusals, mut outcome) = (0, "kept");
    for round in 0..3 {
        keeper.handle_command(now, Command::Refresh);
        let (generation, _) = keeper.poll_request().expect("a request");
        keeper.handle_response(now, generation, Ok(answer.clone()));
        let event = keeper.poll_event().expect("an event");
        assert!(keeper.poll_event().is_none() && keeper.poll_request().is_none());
        let held = keeper.state().tokens().expect("tokens are kept").clone();
        match event {
            Event::Refreshed { tokens, .. } => {
                assert_eq!(*tokens, held, "stored is what is held");
                assert!(held.refresh_token.is_some(), "a refresh token is kept or replaced");
                outcome = "tokens";
            }
            Event::RefusedOnce(_) => refusals += 1,
            Event::Rejected(_) => {
                refusals += 1;
                assert_eq!(refusals, 2, "never after the first");
                assert!(matches!(answer.status().as_u16(), 400 | 401));
                assert_eq!(held.refresh_token, Some(Secret::new("rt")), "kept for the record");
                return "refusal";
            }
            Event::Failed(_) => {
                assert!(matches!(keeper.state(), TokenState::Waiting { .. }));
                assert_eq!(held.refresh_token, Some(Secret::new("rt")), "round {round}");
            }
            Event::NothingToRefresh => panic!("there is something"),
            Event::CameTooLate { .. } => panic!("nothing was forgotten"),
            Event::NotSigned(_) => panic!("nothing was to be signed"),
        }
        let (due, _) = keeper.poll_timeout().expect("a next attempt");
        assert!(due > now, "never at once");
    }
    outcome
}
