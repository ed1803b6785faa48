//! A store written anew: for a rewrite, and for a backup.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, Durability};

use super::contain::{Boundary, failed};
use super::counted::{CountedFile, Counters};
use super::handle::{Contained, Handle, View, open};
use super::migrate::VERSION;
use super::tables::{Tallies, definition, write_version};
use crate::change::Table;
use crate::directory::{Directory, FileDirectory, OpenMode, ROWS_FILE, ROWS_PARTIAL_FILE};
use crate::envelope;
use crate::error::StoreError;
use crate::store::{Decide, Rewrite};

/// Makes a new store file under its partial name, with what is decided about the rows of a view, and makes it durable. It is left
/// open, under a name that is not yet its own.
pub(super) fn write_partial(
    directory: &dyn Directory,
    cache_bytes: usize,
    counters: &Arc<Counters>,
    rows: Option<&View>,
    decide: &mut Decide<'_>,
) -> Result<(Contained, Tallies), StoreError> {
    let path = directory.path().join(ROWS_PARTIAL_FILE);
    let file = directory.open(ROWS_PARTIAL_FILE, OpenMode::Create);
    let file = file.map_err(|error| StoreError::io(path.display().to_string(), error))?;
    let mut builder = Database::builder();
    builder.set_cache_size(cache_bytes);
    let file = CountedFile::new(file, counters.clone());
    let mut database = Contained::open(Arc::new(Boundary::new(&path)), &builder, file)?;
    let tallies = fill(&database, rows, decide)?;
    if rows.is_some() {
        database.shrink()?;
    }
    Ok((database, tallies))
}

fn fill(database: &Contained, rows: Option<&View>, decide: &mut Decide<'_>) -> Result<Tallies, StoreError> {
    let (boundary, path) = (database.boundary(), database.boundary().path());
    let database = database.database();
    let mut tallies = Tallies::default();
    let mut transaction = boundary.run(|| database.begin_write().map_err(|error| failed(path, error)))?;
    let durable = transaction.set_durability(Durability::Immediate);
    durable.map_err(|error| failed(path, error))?;
    for table in Table::ALL {
        let mut new = transaction.open_table(definition(table)).map_err(|error| failed(path, error))?;
        let Some(rows) = rows else {
            continue;
        };
        rows.scan_stored(table, 0..=u64::MAX, &mut |key, stored| {
            let (payload, check) = open(table, key, stored)?;
            let replaced;
            let (stored, check) = match decide(table, key, payload)? {
                Rewrite::Keep => (stored, check),
                Rewrite::Drop => return Ok(()),
                Rewrite::Replace(value) => {
                    table.check_value(key, &value)?;
                    replaced = envelope::seal(table.number(), key, value);
                    (replaced.0.as_slice(), replaced.1)
                }
            };
            boundary.run(|| new.insert(key, stored).map(drop).map_err(|error| failed(path, error)))?;
            tallies.of_mut(table).add(stored.len(), check);
            Ok(())
        })?;
    }
    boundary.run(|| {
        tallies.write(path, &transaction, None)?;
        write_version(path, &transaction, VERSION)?;
        transaction.commit().map_err(|error| failed(path, error))
    })?;
    Ok(tallies)
}

/// One state of a store, ready to be copied, by another thread too, while the store goes on.
pub struct BackupSource {
    /// Keeps the database open, also when the store is closed or rewritten. Let go after the view.
    pub(super) handle: Handle,
    pub(super) view: View,
    pub(super) rows: u64,
    pub(super) cache_bytes: usize,
}

impl fmt::Debug for BackupSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupSource")
            .field("handle", &self.handle)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl BackupSource {
    /// How many rows there are to copy.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the state into a directory, which is made if it is not there; `progress` is told how many rows are copied. The
    /// backup is there whole or not at all, and opens like any other store.
    ///
    /// # Errors
    /// [`StoreError::Io`], of kind [`AlreadyExists`](io::ErrorKind::AlreadyExists) if there is a store in the directory;
    /// [`StoreError::InUse`] if somebody has it open; [`StoreError::Damaged`] if a row is not what was written.
    pub fn copy_to(&self, target: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let io = |error| StoreError::io(target.display().to_string(), error);
        self.copy_into(&FileDirectory::create(target).map_err(io)?, progress)
    }

    /// As [`copy_to`](Self::copy_to), into any directory.
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to).
    pub fn copy_into(
        &self,
        directory: &dyn Directory,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), StoreError> {
        let path: PathBuf = directory.path().join(ROWS_FILE);
        let io = |error| StoreError::io(path.display().to_string(), error);
        let Some(_lock) = directory.try_lock(true).map_err(io)? else {
            return Err(StoreError::InUse { path });
        };
        match directory.open(ROWS_FILE, OpenMode::Read) {
            Ok(_) => return Err(io(io::ErrorKind::AlreadyExists.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io(error)),
        }
        let copied = self.copy_unlocked(directory, progress, &path);
        if copied.is_err() {
            // Half a copy is of no use; if it cannot be removed now, the next opening of the directory does it.
            let _ = directory.remove(ROWS_PARTIAL_FILE);
        }
        copied
    }

    fn copy_unlocked(
        &self,
        directory: &dyn Directory,
        progress: &mut dyn FnMut(u64),
        path: &Path,
    ) -> Result<(), StoreError> {
        let io = |error| StoreError::io(path.display().to_string(), error);
        let mut copied = 0;
        let mut keep = |_, _, _: &[u8]| {
            copied += 1;
            progress(copied);
            Ok(Rewrite::Keep)
        };
        let counters = Arc::default();
        let (database, _) =
            write_partial(directory, self.cache_bytes, &counters, Some(&self.view), &mut keep)?;
        database.close()?;
        directory.sync().map_err(io)?;
        directory.rename(ROWS_PARTIAL_FILE, ROWS_FILE).map_err(io)?;
        directory.sync().map_err(io)
    }
}
