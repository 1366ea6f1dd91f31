//! The database's own key, sealed by the key of the person's source.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use super::failure::{Doing, classify};
use crate::error::{Result, StoreError};
use crate::json;
use crate::key::{KeyError, KeyRecord};
use crate::seal::{self, KeyBytes, Place, Sealer};

/// What opens the store.
pub(super) struct KeyLock {
    pub(super) record: KeyRecord,
    /// Tells a wrong key from a damaged store.
    key_id: Vec<u8>,
    data_key: Vec<u8>,
}

const DATA_KEY: Place<'static> =
    Place { table: "meta", profile: "", generation: 0, instance: "", client_id: "" };

impl KeyLock {
    pub(super) fn new(key: &KeyBytes, record: KeyRecord, sealer: &Sealer) -> Result<Self> {
        let data_key = Sealer::new(key.clone()).seal(&DATA_KEY, "data_key", &[], sealer.key())?;
        Ok(Self { record, key_id: key_id(key), data_key })
    }

    pub(super) fn read(connection: &Connection, path: &Path) -> Result<Self> {
        let value = |name: &str| -> Result<Vec<u8>> {
            connection
                .prepare_cached("SELECT value FROM meta WHERE name = ?1")
                .and_then(|mut found| found.query_row([name], |row| row.get(0)).optional())
                .map_err(|e| classify(path, Doing::Reading, e))?
                .ok_or_else(|| StoreError::damaged("it does not say which key it has"))
        };
        Ok(Self {
            record: json::read("the note about the key", &value("key_record")?)?,
            key_id: value("key_id")?,
            data_key: value("data_key")?,
        })
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let record = serde_json::to_vec(&self.record)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
        connection.execute(sql, params!["key_record", record])?;
        connection.execute(sql, params!["key_id", self.key_id])?;
        connection.execute(sql, params!["data_key", self.data_key])?;
        Ok(())
    }

    pub(super) fn open(&self, key: &KeyBytes) -> Result<Sealer> {
        if key_id(key) != self.key_id {
            return Err(KeyError::Wrong { made_with: self.record.kind() }.into());
        }
        let damaged = || StoreError::damaged("its own key is not what was stored");
        let plain = Sealer::new(key.clone())
            .open(&DATA_KEY, "data_key", &[], &self.data_key)
            .map_err(|_| damaged())?;
        let mut data_key = Zeroizing::new([0; 32]);
        data_key.copy_from_slice(plain.get(..32).ok_or_else(damaged)?);
        Ok(Sealer::new(data_key))
    }
}

/// Says which key it is without helping to find it.
fn key_id(key: &KeyBytes) -> Vec<u8> {
    seal::derive(key, &[b"key id"])[..16].to_vec()
}
