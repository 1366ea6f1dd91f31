//! What a doctor asks, and the ways back to the last good state.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use snowtoken_core::profile::ProfileName;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::Generation;

use super::copy::{self, CopyError, Freshness};
use super::failure::{Doing, classify};
use super::ledger::Kept;
use super::{Options, SqliteStore, changes, ledger, real_path, tokens};
use crate::TokenStore as _;
use crate::error::{CopyFound, Result, StoreError};
use crate::key::Keys;
use crate::record::{AuditEntry, Binding, Draft, Record, Standing};
use crate::secure;

/// How the store's folder and file look from outside; nothing is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The folder's real path, `None` if there is none.
    pub folder: Option<PathBuf>,
    /// Whether the database is there.
    pub has_database: bool,
    /// Bytes that are free for this user, `None` where the system does not say.
    pub free: Option<u64>,
}

/// Looks at folder and file: whose they are, who else may read them, what lies there.
///
/// # Errors
/// [`StoreError::Insecure`] if others can get at them; [`StoreError::Damaged`] if the database is
/// gone and what lay beside it is not.
pub fn look_at(options: &Options) -> Result<Outside> {
    let (folder, name) = super::split(&options.path)?;
    let Some(folder) = secure::check_folder(folder)? else {
        return Ok(Outside { folder: None, has_database: false, free: None });
    };
    let found = super::find_database(&folder.join(name));
    let has_database =
        found.map_err(|error| error.with_copy(|| copy::find(&real_path(options))))?;
    let free = secure::free_space(&folder);
    Ok(Outside { folder: Some(folder), has_database, free })
}

/// Where a token set was found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayBack {
    /// In the copy, the very one that is damaged.
    SameFromCopy,
    /// In the copy, an earlier one.
    EarlierFromCopy,
    /// In the store itself, the one before.
    Previous,
}

/// What was put back in the place of a damaged store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The damaged file under its new name; `None` if there was none.
    pub kept: Option<PathBuf>,
    /// The copy that took its place.
    pub copy: CopyFound,
    /// The profiles it holds.
    pub profiles: Vec<ProfileName>,
}

impl SqliteStore {
    /// The profiles of which something does not open any more, and what.
    pub fn damaged_profiles(&self) -> Result<Vec<(ProfileName, StoreError)>> {
        let mut found = Vec::new();
        for profile in self.profiles()? {
            match self.open_all_of(&profile) {
                Ok(()) => {}
                Err(error @ StoreError::Damaged { .. }) => found.push((profile, error)),
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }

    fn open_all_of(&self, profile: &ProfileName) -> Result<()> {
        self.load(profile)?;
        for kept in Kept::ALL {
            let secret = ledger::kept(&self.connection, kept, profile.as_str())
                .map_err(|e| self.reading(e))?;
            if let Some((binding, _)) = secret {
                self.kept(kept, profile, &binding)?;
                self.spare_secret(profile, &binding)?;
            }
        }
        self.deliveries(profile).map(drop)
    }

    /// The copy of the last good state, if there is one.
    pub fn copy(&self) -> Option<CopyFound> {
        copy::find(&self.path)
    }

    /// Whether the copy has everything, and can be opened.
    pub fn copy_freshness(&self) -> Result<Freshness> {
        copy::freshness(&self.path).map_err(|error| self.about_the_copy(error))
    }

    /// Brings the copy up to date now, or makes it anew.
    pub fn renew_copy(&self) -> Result<()> {
        copy::follow(&self.path).map_err(|error| self.about_the_copy(error))
    }

    fn about_the_copy(&self, error: CopyError) -> StoreError {
        let path = copy::path_of(&self.path);
        match error {
            CopyError::Store(error) => error,
            CopyError::Sqlite(error) => classify(&path, Doing::Writing, error),
            CopyError::Io(error) => secure::unwritable(&path, error),
            CopyError::MainDamaged => {
                self.told(StoreError::damaged("its pages do not fit together"))
            }
        }
    }

    /// Puts the newest token set that still opens, from the copy or from before, in the place of a
    /// damaged one, and the profile's secrets likewise. Nothing that opens is changed.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if nothing is left that opens.
    pub fn go_back(&mut self, profile: &ProfileName, at: Timestamp) -> Result<Option<WayBack>> {
        let beside = copy::connect(&self.path).ok().flatten();
        let way = match self.load(profile) {
            Ok(_) => None,
            Err(damage @ StoreError::Damaged { .. }) => {
                let newest = self.generation(profile)?;
                let found = self.last_that_opens(profile, newest, beside.as_ref());
                let (mut record, way) = found.ok_or(damage)?;
                // Tokens that were handed over or refused must not become usable by this.
                if let Ok(Some(Standing { held: Some(held), .. })) = self.standing(profile) {
                    record.state = held.state;
                }
                let audit = AuditEntry {
                    at,
                    profile: profile.clone(),
                    event: "restore".into(),
                    outcome: "done".into(),
                    detail: format!("generation {} took the place of {newest}", record.generation),
                };
                self.save(profile, newest, &Draft::from(record), Some(&audit))?;
                Some(way)
            }
            Err(other) => return Err(other),
        };
        if let Some(beside) = beside {
            // All are read first: the copy follows each change, and then has the damage too.
            let found = Kept::ALL.map(|kept| (kept, self.good_one(kept, profile, &beside)));
            for (kept, good) in found {
                if let Some((binding, secret)) = good? {
                    self.keep(kept, profile, &binding, &secret)?;
                }
            }
        }
        Ok(way)
    }

    fn last_that_opens(
        &self,
        profile: &ProfileName,
        newest: Generation,
        beside: Option<&Connection>,
    ) -> Option<(Record, WayBack)> {
        let opened = |connection: &Connection, skip| {
            let row = tokens::row(connection, profile.as_str(), skip).ok()??;
            row.open(&self.sealer, profile.as_str()).ok()?
        };
        let of_copy = beside.and_then(|beside| opened(beside, 0).or_else(|| opened(beside, 1)));
        let previous = opened(&self.connection, 1);
        match (of_copy, previous) {
            (Some(copy), _) if copy.generation == newest => Some((copy, WayBack::SameFromCopy)),
            (Some(copy), Some(previous)) if previous.generation >= copy.generation => {
                Some((previous, WayBack::Previous))
            }
            (Some(copy), _) => Some((copy, WayBack::EarlierFromCopy)),
            (None, previous) => Some((previous?, WayBack::Previous)),
        }
    }

    /// The copy's secret, where the one that is stored does not open any more.
    fn good_one(
        &self,
        kept: Kept,
        profile: &ProfileName,
        beside: &Connection,
    ) -> Result<Option<(Binding, Secret)>> {
        let opened = |binding: &Binding, blob: &[u8]| {
            changes::open_kept(&self.sealer, kept, profile.as_str(), binding, blob)
        };
        let stored =
            ledger::kept(&self.connection, kept, profile.as_str()).map_err(|e| self.reading(e))?;
        let Some((binding, blob)) = stored else { return Ok(None) };
        if opened(&binding, &blob).is_ok() {
            return Ok(None);
        }
        let Ok(Some((binding, blob))) = ledger::kept(beside, kept, profile.as_str()) else {
            return Ok(None);
        };
        Ok(opened(&binding, &blob).ok().map(|secret| (binding, secret)))
    }
}

/// Opens the copy as a store of its own, proves that it holds together, and tells what it holds.
///
/// # Errors
/// If there is no copy, or it is damaged as well, or its key cannot be had.
pub fn examine_copy(options: &Options, keys: &Keys<'_>) -> Result<(CopyFound, SqliteStore)> {
    let main = real_path(options);
    let found = copy::find(&main).ok_or_else(|| StoreError::damaged("there is no copy of it"))?;
    let beside = Options { path: found.path.clone(), ..options.clone() };
    let store = SqliteStore::open_found(&beside, keys)?
        .ok_or_else(|| StoreError::damaged("there is no copy of it"))?;
    store.check()?;
    match store.damaged_profiles()?.into_iter().next() {
        Some((_, damage)) => Err(damage),
        None => Ok((found, store)),
    }
}

/// Puts the copy in the place of a store that is damaged or gone. The damaged file is kept beside
/// it, under a name with the moment `at`. Whether the store is damaged is for the caller to know.
///
/// # Errors
/// As [`examine_copy`]; then nothing was changed.
pub fn restore(options: &Options, keys: &Keys<'_>, at: Timestamp) -> Result<Restored> {
    let main = real_path(options);
    let folder = main.parent().unwrap_or(Path::new("."));
    let _lock = copy::lock(&main)?;
    let (found, store) = examine_copy(options, keys)?;
    let profiles = store.profiles()?;
    let file = copy::duplicate(&store.connection, folder).map_err(|e| store.about_the_copy(e))?;
    drop(store);
    file.as_file().sync_all().map_err(|e| secure::unwritable(&main, e))?;
    let kept = set_aside(&main, at)?;
    let named = file.into_temp_path().persist_noclobber(&main);
    named.map_err(|refused| secure::unwritable(&main, refused.error))?;
    secure::sync_folder(folder)?;
    Ok(Restored { kept, copy: found, profiles })
}

/// Gives the damaged database another name. Its journal goes first: it must never be taken for that
/// of the file that comes in its place.
fn set_aside(main: &Path, at: Timestamp) -> Result<Option<PathBuf>> {
    let kept = free_name(main, at);
    let renamed = |from: &Path, to: &Path| match std::fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(secure::unwritable(from, error)),
    };
    renamed(&copy::journal_of(main), &copy::journal_of(&kept))?;
    Ok(renamed(main, &kept)?.then_some(kept))
}

/// A name with the moment in it that nothing has yet: what was kept earlier stays.
fn free_name(main: &Path, at: Timestamp) -> PathBuf {
    let stamp = at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let named = |ending: String| {
        let mut name = main.file_name().unwrap_or_default().to_owned();
        name.push(format!(".damaged-{stamp}{ending}"));
        main.with_file_name(name)
    };
    let is_free = |path: &PathBuf| {
        let free = |path: &Path| path.symlink_metadata().is_err();
        free(path) && free(&copy::journal_of(path))
    };
    let mut path = named(String::new());
    let mut number = 2_u32;
    while !is_free(&path) {
        path = named(format!("-{number}"));
        number += 1;
    }
    path
}
