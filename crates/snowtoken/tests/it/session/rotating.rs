//! Two client secrets while one takes the other's place: the instance decides which is the current.

use snowtoken::Secret;
use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::session::SecretProof;
use snowtoken::store::{RecordState, SpareRole};

use super::{MINUTE, REFUSAL, Scene, name, tokens};

impl Scene {
    /// A change has begun, and nobody knows whether the instance has the new secret.
    fn changing() -> Self {
        let scene = Self::expired();
        scene.session.expect_secret(&Secret::new("new")).unwrap();
        scene
    }

    fn current(&self) -> String {
        let found = self.session.store().client_secret(&name(), &self.session.binding()).unwrap();
        found.unwrap().expose().to_owned()
    }

    fn secrets_sent(&self) -> Vec<String> {
        self.script.sent().iter().filter_map(|sent| sent.form("client_secret")).collect()
    }
}

#[test]
fn a_refresh_that_is_refused_for_good_tries_the_other_secret() {
    let scene = Scene::changing();
    for _ in 0..2 {
        scene.script.answer(401, REFUSAL);
    }
    scene.script.answer(200, &tokens("access-new", None, 1_800));
    let token = scene.session.access_token(MINUTE).unwrap();
    assert_eq!(token.token.expose(), "access-new");
    assert_eq!(scene.secrets_sent(), ["s3cret", "s3cret", "new"]);
    assert_eq!(scene.record().state, RecordState::Held);
    assert_eq!(scene.current(), "new");
    assert_eq!(scene.session.spare_secret().unwrap(), Some(SpareRole::Former));
    // From now on it is the first that is tried.
    scene.clock.advance(31 * MINUTE);
    scene.script.answer(200, &tokens("access-3", None, 1_800));
    scene.session.access_token(MINUTE).unwrap();
    assert_eq!(scene.secrets_sent().last().unwrap(), "new");
}

#[test]
fn where_both_are_refused_nothing_has_changed() {
    let scene = Scene::changing();
    for _ in 0..4 {
        scene.script.answer(401, REFUSAL);
    }
    let error = scene.session.access_token(MINUTE).unwrap_err();
    assert_eq!(error.code(), Code::TokenRefused);
    assert_eq!(scene.secrets_sent(), ["s3cret", "s3cret", "new", "new"]);
    assert_eq!(scene.current(), "s3cret");
    assert_eq!(scene.session.spare_secret().unwrap(), Some(SpareRole::Next));
}

#[test]
fn what_is_no_refusal_says_nothing_about_secrets() {
    let scene = Scene::changing();
    for _ in 0..3 {
        scene.script.answer(503, "");
    }
    scene.session.access_token(MINUTE).unwrap_err();
    assert!(scene.secrets_sent().iter().all(|secret| secret == "s3cret"));
    assert_eq!(scene.current(), "s3cret");
}

#[test]
fn a_proof_says_which_secret_the_instance_takes() {
    let scene = Scene::changing();
    scene.session.secret_was_set().unwrap();
    scene.script.answer(200, &tokens("access-new", None, 1_800));
    assert!(matches!(scene.session.prove_secret().unwrap(), SecretProof::Current));
    assert_eq!(scene.secrets_sent(), ["new"]);
    scene.session.retire_secret().unwrap();
    assert_eq!(scene.session.spare_secret().unwrap(), None);

    let scene = Scene::changing();
    scene.session.secret_was_set().unwrap();
    for _ in 0..2 {
        scene.script.answer(401, REFUSAL);
    }
    scene.script.answer(200, &tokens("access-new", None, 1_800));
    assert!(matches!(scene.session.prove_secret().unwrap(), SecretProof::StillFormer));
    assert_eq!(scene.current(), "s3cret");

    let scene = Scene::changing();
    let generation = scene.record().generation;
    scene.session.store().clear_tokens(&name(), generation, None).unwrap();
    assert!(matches!(scene.session.prove_secret().unwrap(), SecretProof::NothingToTry));
    assert!(scene.script.sent().is_empty());
}

#[test]
fn a_change_leaves_its_steps_in_the_audit_and_no_secret() {
    let scene = Scene::changing();
    scene.session.secret_was_set().unwrap();
    scene.session.retire_secret().unwrap();
    let audit = scene.session.store().audit(Some(&name()), 10).unwrap();
    let steps: Vec<_> = audit.iter().filter(|line| line.event == "client-secret").collect();
    let outcomes: Vec<_> = steps.iter().map(|line| line.outcome.as_str()).collect();
    assert_eq!(outcomes, ["made", "set", "done"]);
    assert!(steps.iter().all(|line| !line.detail.contains("s3cret")));
}
