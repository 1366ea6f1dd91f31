//! The pretend instance itself: a request and a time in, an answer out, no I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use http::header::SET_COOKIE;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::behaviour::{self as knob, Behaviour, BehaviourError};
use crate::call::{Call, value};
use crate::endpoints;
use crate::fault::{Fault, Faults, Network};
use crate::model::{Client, Code, Owner, Pair, RecordedRequest, SyslogEntry, Transaction, User};
use crate::random::Random;
use crate::reply::{self, Reply};
use crate::sessions::Sessions;

/// How many lines each log keeps; older ones are forgotten.
const LOG_LINES: usize = 10_000;

/// How much of a body the log keeps, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// A row of a table that has no meaning here beyond being kept.
pub(crate) type Row = Map<String, Value>;

/// An answer, and what is to happen to it on its way.
#[derive(Debug)]
pub struct Answer {
    /// The answer as the instance gives it.
    pub response: Response<Vec<u8>>,
    /// What happens to its bytes; nothing, by default.
    pub network: Network,
    /// The fault that was met, one of [`crate::fault::KINDS`].
    pub fault: Option<String>,
}

/// A pretend ServiceNow instance that lives in memory and knows no clock but the one it is told.
///
/// ```
/// # use snowtoken_stand_in::{Behaviour, Instance};
/// let mut instance = Instance::new(Behaviour::default(), 7);
/// let now = "2026-11-23T15:00:00Z".parse()?;
/// let request = http::Request::post("/oauth_token.do").body(Vec::new())?;
/// let answer = instance.handle(now, request);
/// assert_eq!(answer.status(), 401);
/// assert_eq!(answer.body(), br#"{"error_description":"access_denied","error":"server_error"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Instance {
    pub(crate) behaviour: Behaviour,
    pub(crate) seed: u64,
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) pairs: BTreeMap<Owner, Pair>,
    /// Finds the pair that a token value belongs to.
    pub(crate) owners: HashMap<String, Owner>,
    /// Who has consented to which client before.
    pub(crate) consents: BTreeSet<Owner>,
    pub(crate) sessions: Sessions,
    pub(crate) rows: BTreeMap<String, Vec<Row>>,
    pub(crate) scripts: BTreeMap<String, VecDeque<Response<Vec<u8>>>>,
    pub(crate) faults: Faults,
    pub(crate) random: Random,
    pub(crate) ids: Random,
    /// Assertions that were accepted, by client and `jti`, and until when they could be again.
    pub(crate) assertions: BTreeMap<(String, String), Timestamp>,
    pub(crate) token_calls: VecDeque<Timestamp>,
    pub(crate) api_calls: VecDeque<Timestamp>,
    syslog: VecDeque<SyslogEntry>,
    transactions: VecDeque<Transaction>,
    requests: VecDeque<RecordedRequest>,
}

impl Instance {
    /// An instance with the default users and one default client; everything it makes up comes
    /// from the seed.
    pub fn new(behaviour: Behaviour, seed: u64) -> Self {
        Self::with(behaviour, seed, vec![Client::default()], User::defaults())
    }

    /// An instance with these clients and users. Empty `sys_id`, `client_id` and `client_secret`
    /// are filled in from the seed.
    pub fn with(behaviour: Behaviour, seed: u64, clients: Vec<Client>, users: Vec<User>) -> Self {
        let mut instance = Self {
            faults: Faults::new(&behaviour, seed),
            behaviour,
            seed,
            clients: BTreeMap::new(),
            users: BTreeMap::new(),
            codes: HashMap::new(),
            pairs: BTreeMap::new(),
            owners: HashMap::new(),
            consents: BTreeSet::new(),
            sessions: Sessions::new(seed),
            rows: endpoints::table::sample_rows(),
            scripts: BTreeMap::new(),
            random: Random::new(seed, "tokens"),
            ids: Random::new(seed, "records"),
            assertions: BTreeMap::new(),
            token_calls: VecDeque::new(),
            api_calls: VecDeque::new(),
            syslog: VecDeque::new(),
            transactions: VecDeque::new(),
            requests: VecDeque::new(),
        };
        for user in users {
            instance.put_user(user);
        }
        for client in clients {
            instance.put_client(client);
        }
        instance
    }

    /// Answers one request. What a fault would do to the connection is left out; see
    /// [`Instance::answer`].
    pub fn handle(&mut self, now: Timestamp, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.answer(now, request).response
    }

    /// Answers one request and says what is to happen to the answer on its way.
    pub fn answer(&mut self, now: Timestamp, request: Request<Vec<u8>>) -> Answer {
        self.record(now, &request);
        let mut call = Call::new(now, request);
        let is_refresh = call.path == endpoints::TOKEN
            && value(&call.form, "grant_type") == Some("refresh_token");
        let fault = self.faults.meet(&call.path, is_refresh);
        let mut answer = match fault {
            Some(fault) if !fault.after_the_work() => endpoints::fault::replaces(&fault),
            Some(fault) => {
                let response = self.work(&mut call);
                endpoints::fault::spoils(&fault, response)
            }
            None => {
                let response = self.work(&mut call);
                Answer { response, network: Network::default(), fault: None }
            }
        };
        if self.behaviour.is(&knob::DATE, "present") {
            let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            reply::set(&mut answer.response, &http::header::DATE, &date);
        }
        if self.behaviour.is(&knob::IP_ACCESS, "dropped") {
            answer.network = Network { limit: Some(0), ..Network::default() };
        }
        self.note_transaction(&call, &answer);
        answer
    }

    fn work(&mut self, call: &mut Call) -> Reply {
        if let Some(scripted) = self.scripts.get_mut(&call.path).and_then(VecDeque::pop_front) {
            return scripted;
        }
        if self.behaviour.is(&knob::IP_ACCESS, "refused") {
            return endpoints::fault::ip_refused();
        }
        let sent = call.cookie("JSESSIONID").map(str::to_owned);
        let known = sent.filter(|key| self.sessions.get(key).is_some());
        let is_new = known.is_none();
        call.session = known.unwrap_or_else(|| self.sessions.open());
        let before = call.session.clone();
        let mut reply = endpoints::route(self, call);
        if is_new || call.session != before {
            self.set_cookies(call, &mut reply);
        }
        reply
    }

    fn set_cookies(&mut self, call: &Call, reply: &mut Reply) {
        let wanted = match call.path.as_str() {
            endpoints::TOKEN => self.behaviour.on(&knob::TOKEN_COOKIES),
            path if path.starts_with("/api/") => self.behaviour.on(&knob::COOKIES_SET),
            _ => true,
        };
        if !wanted {
            self.sessions.close(&call.session);
            return;
        }
        let number = self.sessions.number();
        for cookie in [
            format!("JSESSIONID={}; Path=/; HttpOnly; SameSite=Lax", call.session),
            "glide_user=; Max-Age=0; Path=/; HttpOnly".to_owned(),
            format!("glide_user_session={}; Path=/; HttpOnly", call.session),
            format!("BIGipServerpool_pretend={number}.52005.0000; Path=/; HttpOnly"),
        ] {
            reply::add(reply, &SET_COOKIE, &cookie);
        }
    }

    fn record(&mut self, now: Timestamp, request: &Request<Vec<u8>>) {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let recorded = RecordedRequest {
            at: now,
            method: request.method().to_string(),
            target: target.to_owned(),
            headers: request.headers().iter().map(header).collect(),
            body: request.body().iter().take(LONGEST_BODY).copied().collect(),
        };
        push(&mut self.requests, recorded);
    }

    fn note_transaction(&mut self, call: &Call, answer: &Answer) {
        let query = if call.raw_query.is_empty() { "" } else { "?" };
        let transaction = Transaction {
            at: call.now,
            method: call.method.to_string(),
            url: format!("{}{query}{}", call.path, call.raw_query),
            status: answer.response.status().as_u16(),
            fault: answer.fault.clone(),
        };
        push(&mut self.transactions, transaction);
    }

    /// Writes the cause that the wire hides into the syslog (§4.1).
    pub(crate) fn log_token_flow(&mut self, now: Timestamp, cause: &str) {
        let entry = SyslogEntry {
            at: now,
            source: "com.glide.ui.ServletErrorListener".to_owned(),
            message: format!("Exception on token flow - {cause}"),
        };
        push(&mut self.syslog, entry);
    }

    /// A client's record, as the knobs leave it.
    pub(crate) fn record_of_client(&self, client_id: &str) -> Option<Client> {
        let mut client = self.clients.get(client_id)?.clone();
        client.active &= !self.behaviour.is(&knob::CLIENT_ACTIVE, "off");
        if self.behaviour.is(&knob::CLIENT_SECRET, "changed") {
            client.client_secret.push_str("-changed");
        }
        if self.behaviour.is(&knob::CLIENT_REDIRECT, "other") {
            client.redirect_urls.iter_mut().for_each(|url| url.push('/'));
        }
        if self.behaviour.is(&knob::CLIENT_AUTH_SCOPES, "none") {
            client.auth_scopes.clear();
        }
        Some(client)
    }

    /// A user's record, as the knobs leave it.
    pub(crate) fn record_of_user(&self, user_name: &str) -> Option<User> {
        let mut user = self.users.get(user_name)?.clone();
        match self.behaviour.text(&knob::USER_STATE) {
            "locked" => user.locked_out = true,
            "inactive" => user.active = false,
            "password-reset" => user.password_needs_reset = true,
            "web-service-only" => user.web_service_access_only = true,
            _ => {}
        }
        Some(user)
    }

    /// The seed everything is made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How the instance behaves now.
    pub fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// Sets one knob while the instance runs.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), BehaviourError> {
        self.behaviour.set(name, value)?;
        if name.starts_with("fault.") || name == knob::RETRY_AFTER.name {
            self.faults.reread(&self.behaviour);
        }
        Ok(())
    }

    /// Adds a fault to those of the knobs.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Removes the faults that were added; those of the knobs stay.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The faults in force.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.list().cloned().collect()
    }

    /// The syslog, oldest first: the causes that the wire hides.
    pub fn syslog(&self) -> Vec<SyslogEntry> {
        self.syslog.iter().cloned().collect()
    }

    /// The transaction log, oldest first.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.transactions.iter().cloned().collect()
    }

    /// The requests as they came, oldest first, secrets included.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    /// The next answers for a path, instead of the instance's own; each is given once.
    pub fn script(&mut self, path: &str, response: Response<Vec<u8>>) {
        self.scripts.entry(path.to_owned()).or_default().push_back(response);
    }
}

fn push<T>(log: &mut VecDeque<T>, line: T) {
    if log.len() >= LOG_LINES {
        log.pop_front();
    }
    log.push_back(line);
}
