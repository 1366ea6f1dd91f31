//! Finding the client: by its ID, else by its name, and exactly one.

use super::answer::{Heard, Row, hear, text};
use super::belief::is_key;
use super::entity::FIELDS;
use super::error::ApplyError;
use super::table::{Authority, Call};
use crate::oauth::client::ClientId;
use crate::oauth::{Request, Response};
use crate::servicenow::Instance;
use crate::setup::ClientPlan;

/// Looks for the client of a plan.
#[derive(Debug)]
pub struct Search {
    instance: Instance,
    authority: Authority,
    name: String,
    client_id: Option<ClientId>,
    state: State,
}

#[derive(Debug)]
enum State {
    ById,
    ByName,
    Done(Found),
}

/// What was found.
#[derive(Debug, Clone)]
pub enum Found {
    /// No such client: it is to be made.
    Nothing,
    /// The client.
    Client(FoundClient),
}

/// A client's record.
#[derive(Debug, Clone)]
pub struct FoundClient {
    pub(super) row: Row,
    /// Its client ID.
    pub client_id: ClientId,
    /// Its name; foreign text.
    pub name: String,
}

impl Search {
    /// Will look by these rights.
    pub fn new(instance: Instance, authority: Authority, plan: &ClientPlan) -> Self {
        let state = if plan.client_id.is_some() { State::ById } else { State::ByName };
        let (name, client_id) = (plan.name.clone(), plan.client_id.clone());
        Self { instance, authority, name, client_id, state }
    }

    /// The next request; `None` when all is known.
    pub fn poll_request(&mut self) -> Option<Request> {
        let (field, value) = match (&self.state, &self.client_id) {
            (State::ById, Some(id)) => ("client_id", id.as_str()),
            (State::Done(_), _) => return None,
            _ => ("name", self.name.as_str()),
        };
        let call = Call::list("oauth_entity", &format!("{field}={value}"), FIELDS, 10);
        Some(call.request(&self.instance, &self.authority))
    }

    /// Takes the answer to the last request.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn handle_response(&mut self, answer: &Response) -> Result<(), ApplyError> {
        let rows = match hear(answer, &self.authority)? {
            Heard::Rows(rows) => rows,
            Heard::Row(row) => vec![row],
            Heard::NoTable => return Err(ApplyError::NoRegistry),
            Heard::Refused { said, .. } => {
                return Err(ApplyError::RoleMissing { what: "read", said });
            }
        };
        self.state = match self.state {
            State::ById => self.by_id(&rows)?,
            _ => State::Done(self.by_name(rows)?),
        };
        Ok(())
    }

    /// What was found, once there is no request left.
    pub fn found(&self) -> Option<&Found> {
        match &self.state {
            State::Done(found) => Some(found),
            _ => None,
        }
    }

    /// A filter that was dropped brings strangers: only what has the very ID is believed.
    fn by_id(&self, rows: &[Row]) -> Result<State, ApplyError> {
        let id = self.client_id.as_ref().map(ClientId::as_str).unwrap_or_default();
        let mut same = rows.iter().filter(|row| text(row, "client_id") == id);
        let (Some(row), None) = (same.next(), same.next()) else {
            let any = rows.iter().any(|row| text(row, "client_id") == id);
            return if any {
                Err(ApplyError::Taken(format!("several clients have the client ID {id}")))
            } else {
                Ok(State::ByName)
            };
        };
        Ok(State::Done(Found::Client(of(row.clone())?)))
    }

    fn by_name(&self, rows: Vec<Row>) -> Result<Found, ApplyError> {
        let mut same: Vec<Row> = rows;
        same.retain(|row| text(row, "name") == self.name);
        let Some(row) = same.pop() else { return Ok(Found::Nothing) };
        if !same.is_empty() {
            let count = same.len() + 1;
            let name = &self.name;
            let text =
                format!("{count} clients have the name \"{name}\": say which one by its client ID");
            return Err(ApplyError::Taken(text));
        }
        let found = of(row)?;
        // Its ID was looked for and is not there: this is somebody else's.
        match &self.client_id {
            None => Ok(Found::Client(found)),
            Some(id) => Err(ApplyError::Taken(format!(
                "no client has the ID {id}, and the name \"{}\" belongs to the client {}",
                self.name, found.client_id
            ))),
        }
    }
}

fn of(row: Row) -> Result<FoundClient, ApplyError> {
    let unreadable = || {
        let detail = Some("the client's record came without its key or its client ID".to_owned());
        crate::servicenow::ApiError::Unexpected { status: 200, detail }
    };
    let client_id = ClientId::parse(text(&row, "client_id")).map_err(|_| unreadable())?;
    if !is_key(text(&row, "sys_id")) {
        return Err(unreadable().into());
    }
    let name = text(&row, "name").to_owned();
    Ok(FoundClient { row, client_id, name })
}
