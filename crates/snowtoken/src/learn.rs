//! What the instance's own tables tell about tokens and their user: asked beside the call that proves
//! the token, and never instead of it. Whatever goes wrong here, the answer is "not known".

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use snowtoken_core::ledger::{Facts, Observation, RefreshEnd, observe};
use snowtoken_core::oauth::token::add_seconds;
use snowtoken_core::oauth::{Request, Response};
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{
    ClientRecord, Concern, Lifespans, UserRecord, client_record, concerns, credentials, is_admin,
    read_client, read_credentials, read_roles, read_user, user_record,
};
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet, User};

use crate::world::World;

/// How many questions a login asks beside its proving call, each over a connection of its own.
pub(crate) const BESIDE: usize = 3;

/// An answer that is not there after this long is of no use to anybody.
pub(crate) const LIMIT: Duration = Duration::from_secs(3);

/// How long a login waits for these answers once its proving call has been answered. They were sent
/// at the same time, so that all but the refused and the slow ones are there.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy)]
enum Question {
    Client,
    Credentials,
    Roles,
    User,
}

/// Questions on their way.
pub(crate) struct Asked {
    answers: Receiver<(Question, Response)>,
}

/// Asks on threads of their own. They end by themselves, at the latest after [`LIMIT`].
pub(crate) fn ask(world: &World, profile: &Profile, token: &Secret, user: Option<&User>) -> Asked {
    let (answered, answers) = channel();
    for (question, request) in questions(profile, token, user) {
        let (transport, answered) = (Arc::clone(&world.transport), answered.clone());
        let asking = move || {
            if let Ok(answer) = transport.send_beside(request, LIMIT) {
                // Nobody may be waiting any more.
                drop(answered.send((question, answer)));
            }
        };
        // Without a thread it is not asked.
        drop(std::thread::Builder::new().name("learn".to_owned()).spawn(asking));
    }
    Asked { answers }
}

fn questions(profile: &Profile, token: &Secret, user: Option<&User>) -> Vec<(Question, Request)> {
    let instance = &profile.instance;
    let user = user.and_then(|user| user.sys_id.as_deref());
    let own_record = user.and_then(|sys_id| read_user(instance, sys_id, token));
    let mut all = vec![
        (Question::Client, read_client(instance, &profile.client_id, token)),
        (Question::Credentials, read_credentials(instance, user, token)),
        (Question::Roles, read_roles(instance, user, token)),
    ];
    all.extend(own_record.map(|request| (Question::User, request)));
    all
}

impl Asked {
    /// Takes what comes within this time, and judges it by what is known for certain: the client, and
    /// the user whom the proving call named.
    pub(crate) fn judge(
        self,
        wait: Duration,
        profile: &Profile,
        user: Option<&User>,
        tokens: &TokenSet,
    ) -> Learnt {
        let end = Instant::now() + wait;
        let mut answers = Vec::new();
        // It is over when all senders are gone: everybody has answered or given up.
        while let Ok(answer) =
            self.answers.recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            answers.push(answer);
        }
        judge(&answers, profile, user, tokens)
    }
}

fn judge(
    answers: &[(Question, Response)],
    profile: &Profile,
    user: Option<&User>,
    tokens: &TokenSet,
) -> Learnt {
    let mut client: Option<ClientRecord> = None;
    let mut rows = None;
    let (mut record, mut admin) = (UserRecord::default(), None);
    let sys_id = user.and_then(|user| user.sys_id.as_deref()).unwrap_or_default();
    for (question, answer) in answers {
        match question {
            Question::Client => client = client_record(answer, &profile.client_id),
            Question::Credentials => rows = credentials(answer),
            Question::Roles => admin = is_admin(answer, sys_id),
            Question::User => record = user_record(answer, sys_id).unwrap_or_default(),
        }
    }
    let own = rows.as_ref().zip(user);
    let refresh_end = own.and_then(|(rows, user)| {
        rows.refresh_end(user, &profile.client_id, client.as_ref(), tokens.access_expires_at)
    });
    let by_rows = own.and_then(|(rows, user)| rows.owner(user));
    Learnt {
        lifespans: client.map(|client| client.lifespans).unwrap_or_default(),
        // A row that has ended is not the row of a token that works.
        refresh_end: refresh_end.filter(|end| *end > tokens.issued_at),
        user: user.cloned(),
        record: record.or(by_rows.unwrap_or_default()),
        is_admin: admin,
    }
}

/// What the instance's own tables told. All of it may be missing: most tokens may not read them.
#[derive(Debug, Clone, Default)]
pub struct Learnt {
    /// The lifespans on the client's record.
    pub lifespans: Lifespans,
    /// The end of the refresh token, as its row has it.
    pub refresh_end: Option<Timestamp>,
    /// The user whom the proving call named.
    user: Option<User>,
    record: UserRecord,
    is_admin: Option<bool>,
}

impl Learnt {
    /// The refresh token's end, if the instance's own records tell it: its row, or else the consent
    /// and the lifespan on the client's record. `facts` are those from before; `None` right after a
    /// consent.
    pub fn deadline(&self, tokens: &TokenSet, facts: Option<&Facts>) -> Option<Deadline> {
        tokens.refresh_token.as_ref()?;
        let by_record = || {
            let counts = facts.is_none_or(|facts| counts_from_consent(tokens, facts));
            let life = self.lifespans.refresh.filter(|_| counts)?;
            Some(add_seconds(tokens.granted_at, life))
        };
        let at = self.refresh_end.or_else(by_record)?;
        Some(Deadline { at, known_by: KnownBy::Stated })
    }

    /// What is known about the profile with this.
    #[must_use]
    pub fn added_to(&self, facts: Facts, tokens: &TokenSet) -> Facts {
        let mut facts = observe(facts, &Observation::RecordRead(self.lifespans));
        if let Some(end) = self.refresh_end {
            facts = observe(facts, &Observation::EndRead { end, granted_at: tokens.granted_at });
        }
        if let Some(user) = &self.user {
            let before: Vec<Concern> =
                facts.concerns.iter().filter_map(|word| Concern::find(word)).collect();
            let now = concerns(&before, user, &self.record, self.is_admin);
            facts.concerns = now.into_iter().map(|concern| concern.as_str().to_owned()).collect();
        }
        facts
    }
}

/// Whether a lifespan that is read only now may be counted from the consent: the end rests on a guess
/// until now, and on a consent. A lifespan that had been read before and has been changed since is
/// for tokens to come.
fn counts_from_consent(tokens: &TokenSet, facts: &Facts) -> bool {
    let is_guess = tokens.refresh_expires_at.is_some_and(|end| end.known_by == KnownBy::Derived);
    is_guess
        && facts.refresh_lifespan.is_none()
        && matches!(facts.refresh_end, RefreshEnd::Unknown | RefreshEnd::Stays)
}
