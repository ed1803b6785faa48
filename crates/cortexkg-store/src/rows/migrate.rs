//! Versions of the store, and the steps between them.

use std::path::Path;

use redb::{Durability, ReadableDatabase, WriteTransaction};

use super::contain::failed;
use super::tables::{FORMAT_TABLE, read_version, write_version};
use crate::error::StoreError;

/// The version that is written.
pub(super) const VERSION: u32 = 1;

/// Brings the tables of one version to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    /// The version that it begins with; it ends with the one after.
    pub(super) from: u32,
    /// What it does, within the one transaction of all steps. The version row is written by the caller.
    pub(super) step: fn(&Path, &WriteTransaction) -> Result<(), StoreError>,
}

/// All steps, oldest first. Version 1 is the first version, so there are none yet; a step that was released stays.
pub(super) const MIGRATIONS: &[Migration] = &[];

/// The version of a store. A redb file without ours tables is refused.
pub(super) fn version(path: &Path, database: &impl ReadableDatabase) -> Result<u32, StoreError> {
    let transaction = database.begin_read().map_err(|error| failed(path, error))?;
    let format = match transaction.open_table(FORMAT_TABLE) {
        Ok(format) => format,
        Err(redb::TableError::TableDoesNotExist(_)) => {
            let what = "is a redb file but holds no graph; check the name".to_owned();
            return Err(StoreError::Format { path: path.to_owned(), what });
        }
        Err(error) => return Err(failed(path, error)),
    };
    read_version(path, &format)
}

/// Refuses a version that cannot be read as it is. `migrates` if older ones will be brought up to date.
pub(super) fn check_version(path: &Path, found: u32, migrates: bool) -> Result<(), StoreError> {
    let what = match found {
        VERSION => return Ok(()),
        newer if newer > VERSION => {
            format!("has version {newer}, this program reads up to {VERSION}; use a newer program")
        }
        _ if migrates => return Ok(()),
        older => format!(
            "has version {older}, older than {VERSION}; open it for writing once, which brings it up to date"
        ),
    };
    Err(StoreError::Format { path: path.to_owned(), what })
}

/// Brings a store up to date in one durable transaction.
pub(super) fn migrate(
    path: &Path,
    database: &redb::Database,
    found: u32,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    if found == VERSION {
        return Ok(());
    }
    let mut transaction = database.begin_write().map_err(|error| failed(path, error))?;
    transaction.set_durability(Durability::Immediate).map_err(|error| failed(path, error))?;
    for version in found..VERSION {
        let Some(migration) = migrations.iter().find(|migration| migration.from == version) else {
            let what = format!("has version {version}, which no release had; restore a backup");
            return Err(StoreError::Format { path: path.to_owned(), what });
        };
        (migration.step)(path, &transaction)?;
    }
    write_version(path, &transaction, VERSION)?;
    transaction.commit().map_err(|error| failed(path, error))
}
