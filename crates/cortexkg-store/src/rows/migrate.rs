//! Versions of the store, and the steps between them.

use std::path::Path;

use redb::{Durability, ReadableDatabase, WriteTransaction};

use super::contain::failed;
use super::tables::{FORMAT_TABLE, read_version, write_version};
use crate::error::StoreError;

/// The version that is written.
pub(super) const VERSION: u32 = 1;

/// Changes tables within a transaction.
type Step = fn(&Path, &WriteTransaction) -> Result<(), StoreError>;

/// Brings the tables of one version to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    /// The version that it begins with; it ends with the one after.
    pub(super) from: u32,
    /// What it does, within the one transaction of all steps. The version row is written by the caller.
    pub(super) step: Step,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redb::{Database, ReadableTable};

    use super::*;
    use crate::directory::{Directory, FileDirectory, ROWS_FILE};
    use crate::rows::tables::{Tallies, definition};
    use crate::{ChangeSet, RedbOptions, RedbStore, Store, Sync, Table, envelope};

    /// As no release wrote it: version 0 has bare values and no tallies.
    fn write_version_0(directory: &Path) {
        let path = directory.join(ROWS_FILE);
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        write_version(&path, &transaction, 0).unwrap();
        let mut log = transaction.open_table(definition(Table::Log)).unwrap();
        for key in 0..100 {
            log.insert(key, format!("operation {key}").as_bytes()).unwrap();
        }
        drop(log);
        transaction.commit().unwrap();
    }

    /// From version 0 to 1.
    fn seal_rows(path: &Path, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut tallies = Tallies::default();
        for table in Table::ALL {
            let mut rows = transaction.open_table(definition(table)).map_err(|error| failed(path, error))?;
            let bare: Vec<(u64, Vec<u8>)> = rows
                .iter()
                .unwrap()
                .map(|row| row.unwrap())
                .map(|(key, value)| (key.value(), value.value().to_vec()))
                .collect();
            for (key, value) in bare {
                let (stored, check) = envelope::seal(table.number(), key, value);
                rows.insert(key, stored.as_slice()).map_err(|error| failed(path, error))?;
                tallies.of_mut(table).add(stored.len(), check);
            }
        }
        tallies.write(path, transaction, None)
    }

    fn fail(path: &Path, transaction: &WriteTransaction) -> Result<(), StoreError> {
        seal_rows(path, transaction)?;
        Err(StoreError::damaged("test", "half way"))
    }

    fn open(directory: &Path, step: Option<Step>) -> Result<RedbStore, StoreError> {
        let migrations: Vec<Migration> = step.into_iter().map(|step| Migration { from: 0, step }).collect();
        let directory: Arc<dyn Directory> = Arc::new(FileDirectory::new(directory));
        RedbStore::open_migrating(directory, RedbOptions::default(), &migrations)
    }

    #[test]
    fn an_older_store_is_brought_up_to_date_once() {
        let directory = tempfile::tempdir().unwrap();
        write_version_0(directory.path());
        let read_only = RedbStore::open_read_only(directory.path());
        assert!(
            matches!(read_only, Err(StoreError::Format { what, .. }) if what.contains("open it for writing once"))
        );
        // A step that fails leaves the old version, and nothing of what it did.
        assert!(matches!(open(directory.path(), Some(fail)), Err(StoreError::Damaged { .. })));
        let mut store = open(directory.path(), Some(seal_rows)).unwrap();
        assert_eq!(store.check().unwrap().rows, [0, 100, 0]);
        assert_eq!(store.get(Table::Log, 42).unwrap().unwrap(), b"operation 42");
        let mut changes = ChangeSet::default();
        changes.put(Table::Log, 100, b"later".to_vec());
        store.commit(changes, Sync::Durable).unwrap();
        drop(store);
        // Now it is like any other: no step is needed.
        let mut store = RedbStore::open(directory.path()).unwrap();
        assert_eq!(store.check().unwrap().rows, [0, 101, 0]);
    }

    #[test]
    fn a_version_that_cannot_be_read_is_refused_untouched() {
        let directory = tempfile::tempdir().unwrap();
        write_version_0(directory.path());
        assert!(
            matches!(open(directory.path(), None), Err(StoreError::Format { what, .. }) if what.contains("version 0"))
        );
        let path = directory.path().join(ROWS_FILE);
        {
            let database = Database::open(&path).unwrap();
            let transaction = database.begin_write().unwrap();
            write_version(&path, &transaction, VERSION + 1).unwrap();
            transaction.commit().unwrap();
        }
        for opened in [RedbStore::open(directory.path()), RedbStore::open_read_only(directory.path())] {
            assert!(
                matches!(opened, Err(StoreError::Format { what, .. }) if what.contains("use a newer program"))
            );
        }
        let database = Database::open(&path).unwrap();
        assert_eq!(version(&path, &database).unwrap(), VERSION + 1);
    }
}
