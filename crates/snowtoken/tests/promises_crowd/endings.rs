//! What an instance answers to a revocation, and what may be said then (G25).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snowtoken::core::diagnosis::{Code, Diagnose as _};
use snowtoken::core::oauth::{Request, Response};
use snowtoken::http::{Transport, TransportError};
use snowtoken::store::RecordState;
use snowtoken::{Error, Outcome};
use url::Url;

use crate::instance::{Instance, Rules, reply};
use crate::scene::{Machine, Scene};
use crate::shared_store::SharedStore;

/// How a revocation endpoint answers.
#[derive(Debug, Clone, Copy)]
enum Says {
    Status(u16),
    Page,
    TimesOut,
}

const SAID: [Says; 10] = [
    Says::Status(200),
    Says::Status(204),
    Says::Status(302),
    Says::Status(400),
    Says::Status(401),
    Says::Status(404),
    Says::Status(429),
    Says::Status(503),
    Says::Page,
    Says::TimesOut,
];

/// An instance whose revocation endpoints say this, and do it or do not.
struct Endpoint {
    instance: Arc<Mutex<Instance>>,
    says: Says,
    does: bool,
    asked: Arc<AtomicUsize>,
}

impl Transport for Endpoint {
    fn open(&self, _origin: &Url) {}

    fn send(&self, request: Request, limit: Duration) -> Result<Response, TransportError> {
        let is_revocation = request.uri().path().starts_with("/oauth_revoke");
        let mut instance = self.instance.lock().unwrap();
        if !is_revocation {
            return instance.meet(&request, 0, None);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.does {
            instance.meet(&request, 0, None)?;
        }
        match self.says {
            Says::Status(status) => Ok(reply(status, None, "")),
            Says::Page => Ok(reply(200, None, "<html><title>Token revoked</title></html>")),
            Says::TimesOut => {
                Err(TransportError::TimedOut { host: "test".to_owned(), limit, sent: true })
            }
        }
    }
}

/// What is said about the end of the tokens.
fn truthful(says: Says, does: bool, rules: Rules) {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(rules, SharedStore::default());
    let asked = Arc::new(AtomicUsize::new(0));
    let endpoint = Endpoint { instance: scene.shared_instance(), says, does, asked: asked.clone() };
    let machine = Machine::plain(folder.path());
    let session = scene.session_over(&machine, Arc::new(endpoint));
    let told = format!("{says:?}, done: {does}, {rules:?}");
    let result = session.revoke();
    let lives = scene.instance().living_refresh().map(str::to_owned);
    match &result {
        Ok(_) => {
            assert_eq!(lives, None, "{told}: called done");
            assert_eq!(scene.instance().living_access(), 0, "{told}: called done");
            assert!(scene.record().is_none(), "{told}");
        }
        Err(error) => {
            let later = error.outcome() == Outcome::TryLater;
            let code = if later { Code::RevocationPending } else { Code::RevocationUnproven };
            assert_eq!(error.code(), code, "{told}");
            // What is kept for the next try is what lives.
            let record = scene.record().unwrap();
            let pending = matches!(record.state, RecordState::RevocationPending { .. });
            assert!(pending, "{told}: {record:?}");
            if let Some(lives) = lives {
                assert_eq!(record.tokens.refresh_token.unwrap().expose(), lives, "{told}");
            }
            let error = session.living_access_token().unwrap_err();
            assert!(matches!(error, Error::BeingRevoked(_)), "{told}: handed out: {error:?}");
        }
    }
    // A deed that can be proved is told; a page, or the words of an error, do not hide it.
    let can_be_proved = matches!(says, Says::Page | Says::Status(200 | 204 | 400 | 401));
    assert_eq!(result.is_ok(), does && can_be_proved, "{told}: {result:?}");
    assert!(asked.load(Ordering::SeqCst) >= 1, "{told}");
    // As soon as the endpoints do what they should, the next try ends it.
    if result.is_err() {
        scene.session(&machine).revoke().unwrap();
        assert_eq!(scene.instance().living_refresh(), None, "{told}");
        assert!(scene.record().is_none(), "{told}");
    }
}

#[test]
fn g25_every_answer_to_a_revocation_leads_to_a_truthful_result() {
    let mut cases = 0;
    for says in SAID {
        for does in [true, false] {
            for (rotates, grace) in [(false, 0), (true, 0), (true, 30)] {
                truthful(says, does, Rules { rotates, grace, direct: false, ends_family: false });
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 60);
}
