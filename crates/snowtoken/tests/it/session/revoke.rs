//! "Revoked" is said when calls have proved it, and not before.

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::token_set::Generation;
use snowtoken::store::RecordState;
use snowtoken::world::Clock as _;
use snowtoken::{Error, Outcome};

use super::{MINUTE, REFUSAL, Scene, name, tokens};

const FIRST: &str = "/oauth_revoke_token.do";
const SECOND: &str = "/oauth_revoke.do";
const TOKEN: &str = "/oauth_token.do";
const USER: &str = "/api/now/ui/user/current_user";
const ABEL: &str = r#"{"result":{"user_name":"abel.tuter"}}"#;
const PAGE: &str = "<html><title>Instance Hibernating page</title></html>";

/// The tokens are kept, given to nobody, and asked about next time.
#[track_caller]
fn is_pending(scene: &Scene) {
    let record = scene.record();
    let pending = matches!(record.state, RecordState::RevocationPending { .. });
    assert!(pending && record.tokens.refresh_token.is_some(), "{:?}", record.state);
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert!(matches!(error, Error::BeingRevoked(_)), "{error:?}");
}

#[test]
fn r46_both_tokens_are_revoked_in_bodies_and_proved_dead() {
    let scene = Scene::new();
    for (status, body) in [(200, ""), (401, REFUSAL), (200, ""), (401, "{}")] {
        scene.script.answer(status, body);
    }
    let revoked = scene.session.revoke().unwrap().unwrap();
    assert!(revoked.refresh_token);
    assert_eq!(scene.script.paths(), [FIRST, TOKEN, FIRST, USER]);
    let sent = scene.script.sent();
    assert_eq!(sent[0].form("token").as_deref(), Some("refresh-old"));
    assert_eq!(sent[0].form("token_type_hint").as_deref(), Some("refresh_token"));
    assert_eq!(sent[1].form("refresh_token").as_deref(), Some("refresh-old"));
    assert_eq!(sent[2].form("token").as_deref(), Some("access-old"));
    assert_eq!(sent[3].bearer.as_deref(), Some("access-old"));
    assert!(scene.store.get().load(&name()).unwrap().is_none());
    assert!(scene.store.get().load_previous(&name()).unwrap().is_none());
    // The client secret stays for the next login.
    assert!(scene.session.client().is_ok());
    assert!(matches!(scene.session.revoke(), Ok(None)));
    let audit = scene.store.get().audit(None, 9).unwrap();
    let last = audit.last().unwrap();
    assert_eq!((&*last.event, &*last.outcome), ("revocation", "done"));
}

/// R47: what an endpoint says is a claim; the second one is tried.
#[test]
fn r47_a_token_that_lives_on_is_not_called_revoked() {
    let scene = Scene::new();
    let alive = tokens("access-more", None, 1_800);
    // First endpoint: claims it, the token lives. What the proof brought is revoked at both.
    for (status, body) in [(200, ""), (200, &*alive), (200, ""), (200, "")] {
        scene.script.answer(status, body);
    }
    // Second endpoint: the same.
    for (status, body) in [(200, ""), (200, &*alive), (200, ""), (200, "")] {
        scene.script.answer(status, body);
    }
    let error = scene.session.revoke().unwrap_err();
    assert!(matches!(error, Error::RevocationUnproven { what: "refresh token" }), "{error:?}");
    assert_eq!((error.code(), error.outcome()), (Code::RevocationUnproven, Outcome::Failed));
    assert_eq!(scene.script.paths(), [FIRST, TOKEN, FIRST, SECOND, SECOND, TOKEN, FIRST, SECOND]);
    let brought: Vec<_> =
        scene.script.sent().into_iter().filter_map(|sent| sent.form("token")).collect();
    assert_eq!(brought.iter().filter(|token| *token == "access-more").count(), 4);
    assert_ne!(scene.record().tokens.access_token.expose(), "access-more");
    is_pending(&scene);
}

#[test]
fn r47_the_access_token_is_proved_too() {
    let scene = Scene::new();
    for (status, body) in
        [(200, ""), (401, REFUSAL), (200, ""), (200, ABEL), (200, ""), (403, "{}")]
    {
        scene.script.answer(status, body);
    }
    let error = scene.session.revoke().unwrap_err();
    assert!(matches!(error, Error::RevocationUnproven { what: "access token" }), "{error:?}");
    assert_eq!(scene.script.paths(), [FIRST, TOKEN, FIRST, USER, SECOND, USER]);
    is_pending(&scene);
}

/// The first endpoint is not there, or shows a page: the second one does it.
#[test]
fn r47_a_missing_endpoint_or_a_page_is_no_end() {
    for (status, body) in [(404, PAGE), (302, ""), (200, PAGE), (400, "{}"), (401, "{}")] {
        let scene = Scene::new();
        let alive = tokens("access-more", None, 1_800);
        for (status, body) in [
            (status, body),
            (200, &*alive),
            (status, body),
            (200, ""),
            (200, ""),
            (401, REFUSAL),
            (status, body),
            (200, ABEL),
            (200, ""),
            (401, "{}"),
        ] {
            scene.script.answer(status, body);
        }
        assert!(scene.session.revoke().unwrap().is_some(), "{status}");
        assert_eq!(
            scene.script.paths(),
            [FIRST, TOKEN, FIRST, SECOND, SECOND, TOKEN, FIRST, USER, SECOND, USER],
            "{status}"
        );
    }
}

/// R47: a page in the place of the proof is none.
#[test]
fn r47_a_hibernating_instance_has_revoked_nothing() {
    let scene = Scene::new();
    for _ in 0..20 {
        scene.script.answer(200, PAGE);
    }
    let error = scene.session.revoke().unwrap_err();
    assert!(matches!(error, Error::RevocationPending(_)), "{error:?}");
    assert_eq!((error.code(), error.outcome()), (Code::RevocationPending, Outcome::TryLater));
    is_pending(&scene);
}

/// R48: 503 says that the token lives on; it is tried again later.
#[test]
fn r48_busy_endpoints_leave_the_revocation_pending() {
    for status in [429, 500, 503] {
        let scene = Scene::new();
        scene.script.answer(status, "");
        scene.script.answer(status, "");
        let error = scene.session.revoke().unwrap_err();
        assert!(matches!(error, Error::RevocationPending(_)), "{status}: {error:?}");
        assert_eq!(scene.script.paths(), [FIRST, SECOND], "{status}");
        is_pending(&scene);
        // Since when stays as it was; and the next try can end it.
        let since = scene.record().state;
        scene.clock.advance(MINUTE);
        for (status, body) in [(200, ""), (401, REFUSAL), (200, ""), (401, "{}")] {
            scene.script.answer(status, body);
        }
        assert_eq!(scene.record().state, since);
        assert!(scene.session.revoke().unwrap().is_some(), "{status}");
        assert!(scene.store.get().load(&name()).unwrap().is_none());
    }
}

/// One endpoint is busy, the other not there: it is later that one knows, not never.
#[test]
fn r48_a_busy_endpoint_beside_a_missing_one_is_pending() {
    let scene = Scene::new();
    let alive = tokens("access-more", None, 1_800);
    for (status, body) in [(503, ""), (404, ""), (200, &*alive), (503, ""), (404, "")] {
        scene.script.answer(status, body);
    }
    let error = scene.session.revoke().unwrap_err();
    assert!(matches!(error, Error::RevocationPending(_)), "{error:?}");
    is_pending(&scene);
}

/// What is said about the client, or about now, proves nothing about the token.
#[test]
fn r48_an_error_that_is_not_about_the_token_is_no_proof() {
    // The second endpoint is asked too, and then it is not known to be dead.
    for (status, body) in [
        (401, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"unauthorized_client"}"#),
        (400, r#"{"error":"temporarily_unavailable"}"#),
    ] {
        let scene = Scene::new();
        for (status, body) in [(200, ""), (status, body), (200, ""), (status, body)] {
            scene.script.answer(status, body);
        }
        let error = scene.session.revoke().unwrap_err();
        assert!(matches!(error, Error::RevocationUnproven { .. }), "{status} {body}: {error:?}");
        is_pending(&scene);
    }
    for (status, body) in [
        (403, r#"{"error":"invalid_grant"}"#),
        (401, "<html>"),
        (503, r#"{"error":"invalid_grant"}"#),
    ] {
        let scene = Scene::new();
        scene.script.answer(200, "");
        scene.script.answer(status, body);
        let error = scene.session.revoke().unwrap_err();
        assert!(matches!(error, Error::RevocationPending(_)), "{status} {body}: {error:?}");
        assert_eq!(scene.script.paths(), [FIRST, TOKEN], "{status} {body}");
        is_pending(&scene);
    }
}

/// ServiceNow's catch-all counts only beside an endpoint that was there and took the token.
#[test]
fn r48_the_catch_all_without_a_claim_is_no_proof() {
    let scene = Scene::new();
    for (status, body) in [(404, ""), (401, REFUSAL), (302, ""), (401, REFUSAL)] {
        scene.script.answer(status, body);
    }
    let error = scene.session.revoke().unwrap_err();
    assert!(matches!(error, Error::RevocationUnproven { .. }), "{error:?}");
    assert_eq!(scene.script.paths(), [FIRST, TOKEN, SECOND, TOKEN]);
    is_pending(&scene);
}

#[test]
fn r48_no_answer_leaves_the_revocation_pending() {
    // The endpoint, then the proof.
    for answered in 0..4 {
        let scene = Scene::new();
        let steps = [(200, ""), (401, REFUSAL), (200, ""), (401, "{}")];
        for (status, body) in &steps[..answered] {
            scene.script.answer(*status, body);
        }
        scene.script.no_answer(true);
        let error = scene.session.revoke().unwrap_err();
        assert!(matches!(error, Error::RevocationPending(_)), "{answered}: {error:?}");
        assert_eq!(scene.script.sent().len(), answered + 1);
        is_pending(&scene);
    }
}

/// G26: where the proof brings another refresh token, that one must die too.
#[test]
fn g26_a_refresh_token_that_the_proof_brought_is_ended_too() {
    let scene = Scene::new();
    let rotated = tokens("access-more", Some("refresh-new"), 1_800);
    for (status, body) in [
        (200, ""),        // first endpoint claims it
        (200, &*rotated), // and the old token still works: it is rotated
        (200, ""),        // the new access token is revoked at both
        (200, ""),
        (200, ""),      // second endpoint: now for the living token
        (401, REFUSAL), // which is dead
        (200, ""),
        (401, "{}"),
    ] {
        scene.script.answer(status, body);
    }
    assert!(scene.session.revoke().unwrap().is_some());
    let sent = scene.script.sent();
    assert_eq!(scene.sent_refresh_tokens(), ["refresh-old", "refresh-new"]);
    let ended: Vec<_> = sent.iter().filter_map(|sent| sent.form("token")).collect();
    assert!(ended.contains(&"refresh-new".to_owned()), "{ended:?}");
}

/// And where it cannot be ended, it is kept for the next try instead of the dead one.
#[test]
fn g26_a_rotated_refresh_token_is_kept_for_the_next_try() {
    let scene = Scene::new();
    let rotated = tokens("access-more", Some("refresh-new"), 1_800);
    for (status, body) in [(200, ""), (200, &*rotated), (200, ""), (200, ""), (503, "")] {
        scene.script.answer(status, body);
    }
    let error = scene.session.revoke().unwrap_err();
    assert!(matches!(error, Error::RevocationPending(_) | Error::RevocationUnproven { .. }));
    assert_eq!(scene.record().tokens.refresh_token.unwrap().expose(), "refresh-new");
    assert!(matches!(scene.record().state, RecordState::RevocationPending { .. }));
}

#[test]
fn tokens_without_refresh_token_are_revoked_too() {
    let scene = Scene::new();
    let mut draft = super::draft(scene.session.profile(), "x", scene.clock.now());
    draft.tokens.refresh_token = None;
    scene.store.get().save(&name(), Generation(1), &draft, None).unwrap();
    scene.script.answer(204, "");
    scene.script.answer(401, "{}");
    let revoked = scene.session.revoke().unwrap().unwrap();
    assert!(!revoked.refresh_token);
    assert_eq!(scene.script.paths(), [FIRST, USER]);
}
