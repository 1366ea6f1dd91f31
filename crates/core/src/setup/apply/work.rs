//! The machine that makes or mends the client: a list of steps, each of which asks one question or
//! changes one record, and may put others behind itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::answer::{Heard, Row, because, hear, text};
use super::entity::{self, FIELDS, Wanted};
use super::error::ApplyError;
use super::report::{Fate, Item, Planned};
use super::search::FoundClient;
use super::table::{Authority, Call, Fields};
use super::{auth_scopes, belief, classic};
use crate::oauth::client::ClientId;
use crate::oauth::{Request, Response};
use crate::profile::Grant;
use crate::secret::Secret;
use crate::servicenow::Instance;
use crate::setup::ClientPlan;

/// Stands for the key of a record that a dry run only pretends to make.
pub(super) const NEW: &str = "key-of-the-new-record";

/// The switch of the client credentials grant, for the whole instance.
const CLIENT_CREDENTIALS: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";

/// How the work is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orders {
    /// Lifespans that are longer than the plan's are shortened too.
    pub exact_lifespans: bool,
    /// Nothing is written: what would be sent is noted instead.
    pub dry_run: bool,
    /// The client credentials grant may be switched on for the whole instance.
    pub enable_client_credentials: bool,
}

/// Makes or mends one client.
#[derive(Debug)]
pub struct Apply {
    instance: Instance,
    authority: Authority,
    pub(super) plan: ClientPlan,
    orders: Orders,
    steps: VecDeque<Step>,
    asked: Option<Step>,
    items: Vec<Item>,
    planned: Vec<Planned>,
    pub(super) known: Known,
    secret_was_set: bool,
    /// The instance gave the new client this ID, and not ours.
    other_id: Option<String>,
}

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) sys_id: String,
    row: Row,
    wanted: Vec<Wanted>,
    /// Scopes of the older model: name and key.
    pub(super) scopes: BTreeMap<String, String>,
    /// The client's own profile (`oauth_entity_profile`).
    pub(super) profile: String,
    /// Keys of scopes that are linked to something.
    pub(super) linked: BTreeSet<String>,
    /// Scopes of the newer model: name and key.
    pub(super) auth_scopes: BTreeMap<String, String>,
}

/// What is to be asked or changed.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Create(ClientId),
    Mend,
    SetSecret(Secret),
    ReadBack,
    FindUser(String),
    SetUser(String),
    ReadSwitch,
    TurnSwitch(Option<String>),
    Classic(classic::Step),
    AuthScope(auth_scopes::Step),
}

impl Apply {
    /// Makes a client that is not there. The secret must be safe somewhere before the first request
    /// is sent.
    pub fn create(
        instance: Instance,
        authority: Authority,
        plan: ClientPlan,
        (client_id, secret): (ClientId, Secret),
        orders: Orders,
    ) -> Self {
        let first = [Step::Create(client_id), Step::SetSecret(secret)];
        Self::with(instance, authority, plan, orders, first.into())
    }

    /// Mends a client that is there. With a secret, that one is set, at once and for everybody.
    pub fn mend(
        instance: Instance,
        authority: Authority,
        plan: ClientPlan,
        (found, secret): (&FoundClient, Option<Secret>),
        orders: Orders,
    ) -> Self {
        let first = [Some(Step::Mend), secret.map(Step::SetSecret)];
        let first = first.into_iter().flatten().collect();
        let mut apply = Self::with(instance, authority, plan, orders, first);
        let name = if found.name.is_empty() { &apply.plan.name } else { &found.name };
        let what = format!("Client {} \"{name}\"", found.client_id);
        apply.note(what, Fate::AsItWas(None));
        apply.meet(found.row.clone());
        let (wanted, fine) = entity::compare(&apply.plan, &apply.known.row, orders.exact_lifespans);
        apply.known.wanted = wanted;
        apply.items.extend(fine);
        apply
    }

    /// Sets the secret of a client that is there, and touches nothing else.
    pub fn set_secret(
        instance: Instance,
        authority: Authority,
        plan: ClientPlan,
        (found, secret): (&FoundClient, Secret),
        orders: Orders,
    ) -> Self {
        let mut apply =
            Self::with(instance, authority, plan, orders, [Step::SetSecret(secret)].into());
        apply.steps.truncate(1);
        apply.meet(found.row.clone());
        apply
    }

    fn with(
        instance: Instance,
        authority: Authority,
        plan: ClientPlan,
        orders: Orders,
        mut steps: VecDeque<Step>,
    ) -> Self {
        steps.push_back(Step::ReadBack);
        if plan.grant == Grant::ClientCredentials {
            steps.extend(plan.user.clone().map(Step::FindUser));
            steps.push_back(Step::ReadSwitch);
        }
        if !plan.scopes.is_empty() {
            steps.push_back(Step::Classic(classic::Step::ReadScopes));
            steps.push_back(Step::AuthScope(auth_scopes::Step::ReadScopes));
        }
        Self {
            instance,
            authority,
            plan,
            orders,
            steps,
            asked: None,
            items: Vec::new(),
            planned: Vec::new(),
            known: Known::default(),
            secret_was_set: false,
            other_id: None,
        }
    }

    /// The next request; `None` when the work is done.
    pub fn poll_request(&mut self) -> Option<Request> {
        while let Some(step) = self.steps.pop_front() {
            let Some(call) = self.call(&step) else { continue };
            if let Some(pretended) = self.pretend(&call) {
                self.react(step, pretended);
                continue;
            }
            self.asked = Some(step);
            return Some(call.request(&self.instance, &self.authority));
        }
        None
    }

    /// Takes the answer to the last request.
    ///
    /// # Errors
    /// See [`ApplyError`]: then nothing more is asked. What was made stays, and is told by
    /// [`Apply::items`].
    pub fn handle_response(&mut self, answer: &Response) -> Result<(), ApplyError> {
        let heard = hear(answer, &self.authority)?;
        let Some(step) = self.asked.take() else { return Ok(()) };
        if let Heard::NoTable = heard
            && step.is_about_the_record()
        {
            return Err(ApplyError::NoRegistry);
        }
        if let Heard::Refused { status, said } = &heard
            && step.is_about_the_record()
        {
            return Err(step.refused(*status, said.clone(), &self.plan));
        }
        let heard = match &step {
            Step::Create(id) => belief::client(&heard, None, Some(id)).map(|()| heard)?,
            step if step.is_about_the_record() => {
                belief::client(&heard, Some(&self.known.sys_id), None).map(|()| heard)?
            }
            step => {
                let writes = self.call(step).is_some_and(|call| call.writes());
                belief::part(heard, writes)
            }
        };
        self.react(step, heard);
        match self.other_id.take() {
            None => Ok(()),
            Some(id) => Err(ApplyError::OtherId(id)),
        }
    }

    /// Whether the instance has taken the secret since this was last asked.
    pub fn take_secret_was_set(&mut self) -> bool {
        std::mem::take(&mut self.secret_was_set)
    }

    /// What became of each part so far.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What a dry run would have sent.
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }

    pub(super) fn note(&mut self, what: impl Into<String>, fate: Fate) {
        self.items.push(Item { what: what.into(), fate });
    }

    /// Puts steps before all others, in this order.
    pub(super) fn first(&mut self, steps: impl DoubleEndedIterator<Item = Step>) {
        steps.rev().for_each(|step| self.steps.push_front(step));
    }

    /// What a dry run makes of a call; `None` if it is to be sent.
    fn pretend(&mut self, call: &Call) -> Option<Heard> {
        if !self.orders.dry_run {
            return None;
        }
        if !call.writes() {
            // About a record that is not there nothing can be asked.
            return call
                .path
                .contains(NEW)
                .then(|| Heard::Rows(classic::comes_with_a_client(call)));
        }
        let mut body = call.body.as_ref().map(Fields::masked).unwrap_or_default();
        self.planned.push(Planned {
            method: call.method.to_string(),
            path: call.path.clone(),
            body: body.clone(),
        });
        body.entry("sys_id").or_insert_with(|| json!(NEW));
        Some(Heard::Row(body))
    }

    fn meet(&mut self, row: Row) {
        text(&row, "sys_id").clone_into(&mut self.known.sys_id);
        self.known.row = row;
    }

    fn call(&self, step: &Step) -> Option<Call> {
        let (sys_id, table) = (&self.known.sys_id, "oauth_entity");
        match step {
            Step::Create(id) => Some(Call::make(table, entity::new(&self.plan, id), FIELDS)),
            Step::Mend => {
                let mut fields = Fields::default();
                self.known.wanted.iter().for_each(|one| fields.put(one.field, &one.to));
                (!fields.is_empty()).then(|| Call::change(table, sys_id, fields))
            }
            Step::SetSecret(secret) => {
                Some(Call::change(table, sys_id, Fields::secret(secret)).taken_as_typed())
            }
            // What was pretended cannot be read.
            Step::ReadBack if self.orders.dry_run => None,
            Step::ReadBack => Some(Call::read(table, sys_id, FIELDS)),
            Step::FindUser(name) => {
                let query = format!("user_name={name}");
                Some(Call::list("sys_user", &query, "sys_id,user_name", 10))
            }
            Step::SetUser(key) => Some(Call::change(table, sys_id, Fields::of(&[("user", key)]))),
            Step::ReadSwitch => {
                let query = format!("name={CLIENT_CREDENTIALS}");
                Some(Call::list("sys_properties", &query, "sys_id,name,value", 2))
            }
            Step::TurnSwitch(None) => {
                let fields = [("name", CLIENT_CREDENTIALS), ("type", "boolean"), ("value", "true")];
                Some(Call::make("sys_properties", Fields::of(&fields), "sys_id"))
            }
            Step::TurnSwitch(Some(key)) => {
                Some(Call::change("sys_properties", key, Fields::of(&[("value", "true")])))
            }
            Step::Classic(step) => step.call(self),
            Step::AuthScope(step) => step.call(self),
        }
    }

    fn react(&mut self, step: Step, heard: Heard) {
        match (step, heard) {
            (Step::Create(id), Heard::Row(row)) => {
                self.other_id = Some(text(&row, "client_id"))
                    .filter(|own| !own.is_empty() && *own != id.as_str())
                    .map(str::to_owned);
                self.note(format!("Client {id} \"{}\"", self.plan.name), Fate::Made);
                self.meet(row);
            }
            (Step::Mend, _) => {
                for one in std::mem::take(&mut self.known.wanted) {
                    self.items.push(one.fate(|from, to| Fate::Changed { from, to }));
                }
            }
            (Step::SetSecret(_), _) => {
                self.secret_was_set = true;
                self.note("Client secret", Fate::Made);
            }
            (Step::ReadBack, Heard::Row(row)) => self.read_back(row),
            (Step::FindUser(name), heard) => self.found_user(&name, heard),
            (Step::SetUser(_), heard) => {
                self.settle("OAuth Application User", heard, Fate::Made);
            }
            (Step::ReadSwitch, heard) => self.found_switch(heard),
            (Step::TurnSwitch(_), heard) => self.settle(CLIENT_CREDENTIALS, heard, Fate::Made),
            (Step::Classic(step), heard) => step.react(self, heard),
            (Step::AuthScope(step), heard) => step.react(self, heard),
            (Step::Create(_) | Step::ReadBack, _) => {}
        }
    }

    /// One part, made or refused.
    pub(super) fn settle(&mut self, what: &str, heard: Heard, fate: Fate) {
        let fate = match heard {
            Heard::Row(_) | Heard::Rows(_) => fate,
            Heard::NoTable => Fate::Skipped("this release has no such table".to_owned()),
            Heard::Refused { status, said } => refused(status, said.as_deref()),
        };
        self.note(what, fate);
    }

    /// What still differs was not kept.
    fn read_back(&mut self, row: Row) {
        let (left, _) = entity::compare(&self.plan, &row, self.orders.exact_lifespans);
        for one in left {
            let field = one.field;
            // A release that does not know the field leaves it out.
            if !row.contains_key(field) {
                continue;
            }
            let item = one.fate(|from, to| Fate::CouldNot {
                why: format!("the instance answered well, and the field still holds \"{from}\""),
                who: format!("an administrator sets {field} to {to} on the client's form"),
            });
            // What was there before needs no word any more; what was changed was changed in vain.
            self.items.push(item);
        }
        self.known.row = row;
    }

    fn found_user(&mut self, name: &str, heard: Heard) {
        let what = "OAuth Application User";
        let rows = match heard {
            Heard::Rows(rows) => rows,
            other => return self.settle(what, other, Fate::AsItWas(None)),
        };
        let mut same = rows.iter().filter(|row| text(row, "user_name") == name);
        let (Some(row), None) = (same.next(), same.next()) else {
            let why = format!("there is no one user with the user name \"{name}\"");
            let who = "somebody who knows the users names another one with --user".to_owned();
            return self.note(what, Fate::CouldNot { why, who });
        };
        let key = text(row, "sys_id").to_owned();
        if text(&self.known.row, "user") == key {
            self.note(what, Fate::AsItWas(None));
        } else {
            self.first([Step::SetUser(key)].into_iter());
        }
    }

    fn found_switch(&mut self, heard: Heard) {
        let rows = match heard {
            Heard::Rows(rows) => rows,
            other => return self.settle(CLIENT_CREDENTIALS, other, Fate::AsItWas(None)),
        };
        let row = rows.iter().find(|row| text(row, "name") == CLIENT_CREDENTIALS);
        if row.is_some_and(|row| text(row, "value") == "true") {
            self.note(CLIENT_CREDENTIALS, Fate::AsItWas(None));
        } else if self.orders.enable_client_credentials {
            let key = row.map(|row| text(row, "sys_id").to_owned());
            self.first([Step::TurnSwitch(key)].into_iter());
        } else {
            let why = "the client credentials grant is off for the whole instance".to_owned();
            let who = "an administrator switches it on, or repeat with --enable-client-credentials";
            self.note(CLIENT_CREDENTIALS, Fate::CouldNot { why, who: who.to_owned() });
        }
        if self.plan.user.is_none() && text(&self.known.row, "user").is_empty() {
            let why = "tokens of this grant need a user to act as, and there is none".to_owned();
            let who = "repeat with --user USER".to_owned();
            self.note("OAuth Application User", Fate::CouldNot { why, who });
        }
    }
}

impl Step {
    /// Whether without it there is no client.
    fn is_about_the_record(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Mend | Self::SetSecret(_) | Self::ReadBack)
    }

    fn refused(&self, status: u16, said: Option<String>, plan: &ClientPlan) -> ApplyError {
        // A unique field is kept by a business rule, which says no more than this.
        let is_rule = said.as_deref().is_some_and(|said| said.contains("Business Rule"));
        match self {
            Self::Create(id) if is_rule || status == 409 => ApplyError::Taken(format!(
                "the instance made no client: the name \"{}\" or the ID {id} may be taken",
                plan.name
            )),
            _ if status == 403 => {
                let what = if matches!(self, Self::ReadBack) { "read" } else { "write" };
                ApplyError::RoleMissing { what, said }
            }
            _ => crate::servicenow::ApiError::Unexpected { status, detail: said }.into(),
        }
    }
}

/// A part that may not be made by this user.
pub(super) fn refused(status: u16, said: Option<&str>) -> Fate {
    Fate::CouldNot {
        why: because(status, said),
        who: "somebody with the role admin, who elevates to security_admin, repeats this"
            .to_owned(),
    }
}

/// The key of a record that was made or found.
pub(super) fn key(row: &Row) -> String {
    row.get("sys_id").and_then(Value::as_str).unwrap_or_default().to_owned()
}
