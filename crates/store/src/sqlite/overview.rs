//! Looks at all profiles at once, in the order of their names. Nothing that is sealed is opened, and
//! nothing is kept: each profile is handed on while the next ones are still on the disk.

use rusqlite::{Connection, Result, Row, Rows};
use snowtoken_core::profile::ProfileName;
use snowtoken_core::token_set::Deadline;

use super::ledger::Kept;
use super::{SqliteStore, ledger, spare, standing};
use crate::record::{Binding, Held, RecordState, Standing};
use crate::row::CLEARED;
use crate::{StoreError, TokenStore as _};

/// What a table shows of a token set: the part of a [`Held`] that fits on a line, without a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance<'a> {
    /// The profile's name.
    pub profile: &'a str,
    /// The instance's URL.
    pub instance: &'a str,
    /// The client's `client_id`.
    pub client_id: &'a str,
    /// How they stand.
    pub state: RecordState,
    /// The user's best name.
    pub user: Option<&'a str>,
    /// When the access token ends.
    pub access_expires_at: Deadline,
    /// Whether there is an access token: an import may bring a refresh token only.
    pub has_access_token: bool,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// When the refresh token ends, where that is known.
    pub refresh_expires_at: Option<Deadline>,
}

impl<'a> Glance<'a> {
    /// What fits on a line of this token set.
    pub fn of(profile: &'a ProfileName, held: &'a Held) -> Self {
        Self {
            profile: profile.as_str(),
            instance: &held.binding.instance,
            client_id: &held.binding.client_id,
            state: held.state,
            user: held.user.as_deref(),
            access_expires_at: held.access_expires_at,
            has_access_token: held.has_access_token,
            has_refresh_token: held.has_refresh_token,
            refresh_expires_at: held.refresh_expires_at,
        }
    }
}

/// What is stored for a profile, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The profile's name.
    pub profile: String,
    /// How it stands; `None` if it never had tokens.
    pub standing: Option<Standing>,
    /// The instance and the client that a client secret is stored for.
    pub client_secret: Option<Binding>,
    /// The instance and the client that a second one is stored for, while the secret is being changed.
    pub spare_secret: Option<Binding>,
    /// The instance and the client that a private key is stored for.
    pub signing_key: Option<Binding>,
    /// Where credentials were delivered to, by format and path.
    pub delivered: Vec<String>,
}

impl SqliteStore {
    /// Every profile that has tokens, in the order of their names.
    pub fn glances(&self, each: &mut dyn FnMut(Glance<'_>)) -> std::result::Result<(), StoreError> {
        glances(&self.connection, each).map_err(|e| self.reading(e))
    }

    /// Every profile that anything but audit is stored for, in the order of their names.
    pub fn holdings(&self, each: &mut dyn FnMut(Holding)) -> std::result::Result<(), StoreError> {
        holdings(&self.connection, each).map_err(|e| self.reading(e))
    }

    /// What is stored for one profile.
    pub fn holding(&self, profile: &ProfileName) -> std::result::Result<Holding, StoreError> {
        let kept = |kept| {
            let found = ledger::kept(&self.connection, kept, profile.as_str());
            found.map_err(|e| self.reading(e)).map(|found| found.map(|(binding, _)| binding))
        };
        let delivered = self.deliveries(profile)?;
        Ok(Holding {
            profile: profile.to_string(),
            standing: self.standing(profile)?,
            client_secret: kept(Kept::ClientSecret)?,
            spare_secret: spare::read(&self.connection, profile.as_str())
                .map_err(|e| self.reading(e))?
                .map(|stored| stored.binding),
            signing_key: kept(Kept::SigningKey)?,
            delivered: delivered.into_iter().map(|delivery| delivery.path).collect(),
        })
    }
}

fn glances(connection: &Connection, each: &mut dyn FnMut(Glance<'_>)) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT profile, instance, client_id, state, state_at, user, access_expires_at, \
         access_expiry_known_by, has_access_token, has_refresh_token, refresh_expires_at, \
         refresh_expiry_known_by FROM standing ORDER BY profile",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if text(row, 3)? != CLEARED {
            each(glance(row)?);
        }
    }
    Ok(())
}

fn glance<'a>(row: &'a Row<'_>) -> Result<Glance<'a>> {
    Ok(Glance {
        profile: text(row, 0)?,
        instance: text(row, 1)?,
        client_id: text(row, 2)?,
        state: standing::state(row, 3)?,
        user: row.get_ref(5)?.as_str_or_null()?,
        access_expires_at: standing::needed_deadline(row, 6)?,
        has_access_token: row.get(8)?,
        has_refresh_token: row.get(9)?,
        refresh_expires_at: standing::deadline(row, 10)?,
    })
}

fn text<'a>(row: &'a Row<'_>, index: usize) -> Result<&'a str> {
    Ok(row.get_ref(index)?.as_str()?)
}

/// Five tables side by side, each in the order of the names.
fn holdings(connection: &Connection, each: &mut dyn FnMut(Holding)) -> Result<()> {
    let mut one = connection.prepare_cached(&standing::all_sql())?;
    let mut two = connection.prepare_cached(
        "SELECT profile, instance, client_id FROM client_secret ORDER BY profile",
    )?;
    let mut three = connection
        .prepare_cached("SELECT profile, instance, client_id FROM signing_key ORDER BY profile")?;
    let mut four = connection
        .prepare_cached("SELECT profile, instance, client_id FROM spare_secret ORDER BY profile")?;
    let mut five = connection
        .prepare_cached("SELECT profile, path FROM delivery ORDER BY profile, format, path")?;
    let mut standings = Cursor::new(one.query([])?, |row| {
        let standing = standing::read(row)?;
        Ok((standing.profile.to_string(), standing))
    })?;
    let mut secrets = Cursor::new(two.query([])?, bound)?;
    let mut keys = Cursor::new(three.query([])?, bound)?;
    let mut deliveries = Cursor::new(five.query([])?, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut spares = Cursor::new(four.query([])?, bound)?;
    loop {
        let names =
            [standings.name(), secrets.name(), keys.name(), spares.name(), deliveries.name()];
        let Some(profile) = names.into_iter().flatten().min().map(str::to_owned) else {
            return Ok(());
        };
        let standing = standings.take(&profile)?;
        let client_secret = secrets.take(&profile)?;
        let signing_key = keys.take(&profile)?;
        let spare_secret = spares.take(&profile)?;
        let mut delivered = Vec::new();
        while let Some(path) = deliveries.take(&profile)? {
            delivered.push(path);
        }
        each(Holding { profile, standing, client_secret, spare_secret, signing_key, delivered });
    }
}

fn bound(row: &Row<'_>) -> Result<(String, Binding)> {
    Ok((row.get(0)?, Binding { instance: row.get(1)?, client_id: row.get(2)? }))
}

/// Rows of which the next one is known.
struct Cursor<'s, T, F> {
    rows: Rows<'s>,
    read: F,
    next: Option<(String, T)>,
}

impl<'s, T, F: Fn(&Row<'_>) -> Result<(String, T)>> Cursor<'s, T, F> {
    fn new(rows: Rows<'s>, read: F) -> Result<Self> {
        let mut cursor = Self { rows, read, next: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> Result<()> {
        self.next = self.rows.next()?.map(&self.read).transpose()?;
        Ok(())
    }

    fn name(&self) -> Option<&str> {
        self.next.as_ref().map(|(name, _)| name.as_str())
    }

    /// The next row, if it is this profile's.
    fn take(&mut self, profile: &str) -> Result<Option<T>> {
        if self.name() != Some(profile) {
            return Ok(None);
        }
        let taken = self.next.take().map(|(_, value)| value);
        self.advance()?;
        Ok(taken)
    }
}
