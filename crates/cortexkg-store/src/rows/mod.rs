//! The store on disk: rows in a redb file, the snapshot beside it.

mod check;
mod contain;
mod copy;
mod counted;
mod handle;
mod migrate;
mod options;
mod snapshot_file;
mod tables;

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use redb::{Database, Durability};

pub use copy::BackupSource;
pub use options::{CheckReport, Figures, RedbOptions};

use crate::change::{Change, ChangeSet, Table};
use crate::directory::{
    Directory, FileDirectory, Lock, OpenFile, OpenMode, ROWS_FILE, ROWS_PARTIAL_FILE, SNAPSHOT_PARTIAL_FILE,
};
use crate::envelope;
use crate::error::StoreError;
use crate::snapshot::Snapshot;
use crate::store::{Decide, Store, Sync, Visit, WriteSnapshot};
use contain::{Boundary, damaged, failed};
use counted::{CountedFile, Counters};
use handle::{Contained, Handle, View};
use migrate::{MIGRATIONS, Migration};
use tables::{Tallies, definition};

/// Rows in a redb file in a directory. Readers of the same store share one state, which is that of the last commit.
pub struct RedbStore {
    /// The present state, opened by the first who reads after a commit. Let go before the database.
    view: OnceLock<View>,
    handle: Handle,
    directory: Arc<dyn Directory>,
    path: PathBuf,
    options: RedbOptions,
    tallies: Tallies,
    /// Whether there are commits that are not yet durable.
    lazy: bool,
    /// Whether the name of the store file may not be durable, so that no commit would be.
    unnamed: bool,
    counters: Arc<Counters>,
    commits: u64,
    committed_bytes: u64,
    _lock: Lock,
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore")
            .field("path", &self.path)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

impl RedbStore {
    /// Opens a directory for reading and writing; an empty store is made if there is none. After a crash, the whole file is read
    /// once.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if anybody else has it open; [`StoreError::Format`] for a newer version or a file that is no store;
    /// [`StoreError::Damaged`]; [`StoreError::Io`].
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_with(directory, RedbOptions::default())
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(directory: &Path, options: RedbOptions) -> Result<Self, StoreError> {
        let io = |error| StoreError::io(directory.display().to_string(), error);
        Self::open_in(Arc::new(FileDirectory::create(directory).map_err(io)?), options)
    }

    /// As [`open`](Self::open), in any directory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in(directory: Arc<dyn Directory>, options: RedbOptions) -> Result<Self, StoreError> {
        Self::open_migrating(directory, options, MIGRATIONS)
    }

    /// Opens a directory for reading only, which several may do at once.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if somebody has it open for writing; [`StoreError::NotClosed`] if the last who wrote did not close
    /// it; [`StoreError::Io`] of kind [`NotFound`](io::ErrorKind::NotFound) if there is no store; [`StoreError::Format`] for
    /// another version; [`StoreError::Damaged`].
    pub fn open_read_only(directory: &Path) -> Result<Self, StoreError> {
        Self::open_read_only_in(Arc::new(FileDirectory::new(directory)), RedbOptions::default())
    }

    /// As [`open_read_only`](Self::open_read_only), in any directory.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only).
    pub fn open_read_only_in(
        directory: Arc<dyn Directory>,
        options: RedbOptions,
    ) -> Result<Self, StoreError> {
        let path = directory.path().join(ROWS_FILE);
        let lock = lock(&*directory, false)?;
        let file = existing(&*directory, OpenMode::Read)?;
        let file =
            file.ok_or_else(|| StoreError::io(path.display().to_string(), io::ErrorKind::NotFound.into()))?;
        let counters = Arc::<Counters>::default();
        let boundary = Arc::new(Boundary::new(&path));
        let database = boundary.run(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(options.cache_bytes);
            let file = CountedFile::new(file, counters.clone());
            let database = builder.open_read_only_with_backend(file).map_err(|error| failed(&path, error))?;
            migrate::check_version(&path, migrate::version(&path, &database)?, false)?;
            Ok(database)
        })?;
        let handle = Handle::Read(Arc::new(database), boundary);
        Self::assemble(directory, options, lock, counters, handle)
    }

    fn open_migrating(
        directory: Arc<dyn Directory>,
        options: RedbOptions,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        let path = directory.path().join(ROWS_FILE);
        let io = |error| StoreError::io(path.display().to_string(), error);
        let lock = lock(&*directory, true)?;
        for left_over in [ROWS_PARTIAL_FILE, SNAPSHOT_PARTIAL_FILE] {
            directory.remove(left_over).map_err(io)?;
        }
        // Who was here before may have renamed a file and ended before that was durable; commits must not rest on it.
        directory.sync().map_err(io)?;
        let counters = Arc::<Counters>::default();
        let database = match existing(&*directory, OpenMode::Write)? {
            Some(file) => {
                let mut builder = Database::builder();
                builder.set_cache_size(options.cache_bytes);
                builder.set_check_integrity_on_open(options.verify_on_open);
                let file = CountedFile::new(file, counters.clone());
                let database = Contained::open(Arc::new(Boundary::new(&path)), &builder, file)?;
                database.boundary().run(|| {
                    let version = migrate::version(&path, database.database())?;
                    migrate::check_version(&path, version, true)?;
                    migrate::migrate(&path, database.database(), version, migrations)
                })?;
                database
            }
            None => {
                let none = &mut |_, _, _: &[u8]| Ok(crate::store::Rewrite::Keep);
                let (database, _) =
                    copy::write_partial(&*directory, options.cache_bytes, &counters, None, none)?;
                directory.sync().map_err(io)?;
                directory.rename(ROWS_PARTIAL_FILE, ROWS_FILE).map_err(io)?;
                directory.sync().map_err(io)?;
                database
            }
        };
        Self::assemble(directory, options, lock, counters, Handle::Write(Arc::new(database)))
    }

    fn assemble(
        directory: Arc<dyn Directory>,
        options: RedbOptions,
        lock: Lock,
        counters: Arc<Counters>,
        handle: Handle,
    ) -> Result<Self, StoreError> {
        let path = directory.path().join(ROWS_FILE);
        let view = handle.view()?;
        let tallies = view.tallies()?;
        Ok(Self {
            view: OnceLock::from(view),
            handle,
            directory,
            path,
            options,
            tallies,
            lazy: false,
            unnamed: false,
            counters,
            commits: 0,
            committed_bytes: 0,
            _lock: lock,
        })
    }

    /// Reads everything: redb's pages and their checksums (if open for writing), every row and its checksum, and whether all rows
    /// that were written are there. Lazy commits become durable by it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that is wrong; [`StoreError::Busy`] while a [`BackupSource`] lives;
    /// [`StoreError::Io`].
    pub fn check(&mut self) -> Result<CheckReport, StoreError> {
        self.view.take();
        let repaired = match &mut self.handle {
            Handle::Read(..) => false,
            Handle::Write(database) => {
                let busy = || StoreError::Busy { place: self.path.display().to_string(), what: "a backup" };
                !Arc::get_mut(database).ok_or_else(busy)?.check_integrity()?
            }
        };
        self.lazy = false;
        let report = check::check_rows(&self.path, self.view()?, &self.tallies)?;
        Ok(CheckReport { repaired, ..report })
    }

    /// The present state, to be copied while this store goes on; redb keeps its pages until it is let go.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn backup_source(&self) -> Result<BackupSource, StoreError> {
        let view = self.handle.view()?;
        let rows = Table::ALL.iter().map(|&table| self.tallies.of(table).rows).sum();
        Ok(BackupSource { handle: self.handle.clone(), view, rows, cache_bytes: self.options.cache_bytes })
    }

    /// Copies the present state into a directory. See [`BackupSource::copy_to`].
    ///
    /// # Errors
    /// As [`BackupSource::copy_to`].
    pub fn backup(&self, target_dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        self.backup_source()?.copy_to(target_dir, progress)
    }

    /// Closes the store: lazy commits become durable, and the next opening need not recover. Letting go of a store does the same, but
    /// tells nobody if it fails. While a [`BackupSource`] lives, the closing is left to it. A store in which redb has shown damage is
    /// not closed: it takes no more commits, and its next opening verifies the whole file.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn close(mut self) -> Result<(), StoreError> {
        self.view.take();
        if self.lazy {
            self.commit(ChangeSet::default(), Sync::Durable)?;
        }
        match self.handle {
            Handle::Write(database) => match Arc::into_inner(database) {
                Some(database) => database.close(),
                None => Ok(()),
            },
            Handle::Read(..) => Ok(()),
        }
    }

    /// Sizes, and what was moved so far.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn figures(&self) -> Result<Figures, StoreError> {
        let io = |error| StoreError::io(self.path.display().to_string(), error);
        let file_bytes =
            self.directory.open(ROWS_FILE, OpenMode::Read).and_then(|file| file.len()).map_err(io)?;
        Ok(Figures {
            file_bytes,
            live_bytes: Table::ALL.iter().map(|&table| self.tallies.of(table).bytes).sum(),
            rows: Table::ALL.map(|table| self.tallies.of(table).rows),
            committed_bytes: self.committed_bytes,
            commits: self.commits,
            written_bytes: self.counters.written_bytes.load(Ordering::Relaxed),
            read_bytes: self.counters.read_bytes.load(Ordering::Relaxed),
            syncs: self.counters.syncs.load(Ordering::Relaxed),
        })
    }

    fn view(&self) -> Result<&View, StoreError> {
        if let Some(view) = self.view.get() {
            return Ok(view);
        }
        let view = self.handle.view()?;
        // Two readers may come here at once; both views are of the same state.
        Ok(self.view.get_or_init(|| view))
    }

    /// The database, if it is open for writing.
    fn writable(&self) -> Result<Arc<Contained>, StoreError> {
        match &self.handle {
            Handle::Write(_) if self.unnamed => Err(failed(&self.path, redb::Error::PreviousIo)),
            Handle::Write(database) => {
                database.boundary().check()?;
                Ok(database.clone())
            }
            Handle::Read(..) => Err(StoreError::ReadOnly),
        }
    }

    /// Carries out changes in one transaction. Gives the tallies after it.
    fn transact(
        &self,
        database: &Database,
        changes: ChangeSet,
        durability: Durability,
    ) -> Result<Tallies, StoreError> {
        let path = &self.path;
        let mut tallies = self.tallies;
        let mut transaction = database.begin_write().map_err(|error| failed(path, error))?;
        transaction.set_durability(durability).map_err(|error| failed(path, error))?;
        {
            let open = |table| transaction.open_table(definition(table)).map_err(|error| failed(path, error));
            let [meta, log, facts] = Table::ALL.map(open);
            let mut tables = [meta?, log?, facts?];
            for change in changes.changes {
                let (Change::Put { table, key, .. } | Change::Delete { table, key }) = change;
                let rows = &mut tables[usize::from(table.number()) - 1];
                let tally = tallies.of_mut(table);
                let before = match change {
                    Change::Put { value, .. } => {
                        let (stored, check) = envelope::seal(table.number(), key, value);
                        tally.add(stored.len(), check);
                        rows.insert(key, stored.as_slice())
                    }
                    Change::Delete { .. } => rows.remove(key),
                };
                if let Some(before) = before.map_err(|error| failed(path, error))? {
                    let stored = before.value();
                    let parted = envelope::part(stored);
                    let (_, check) =
                        parted.ok_or_else(|| StoreError::damaged(table.row(key), "too short"))?;
                    tally.subtract(stored.len(), check);
                }
            }
        }
        tallies.write(path, &transaction, Some(&self.tallies))?;
        transaction.commit().map_err(|error| failed(path, error))?;
        Ok(tallies)
    }
}

impl Store for RedbStore {
    fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.view()?.get(table, key)
    }

    fn scan(&self, table: Table, keys: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.view()?.scan(table, keys, visit)
    }

    fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        self.view()?.last_key(table)
    }

    fn commit(&mut self, changes: ChangeSet, sync: Sync) -> Result<(), StoreError> {
        let database = self.writable()?;
        changes.check()?;
        let durability = match sync {
            Sync::Durable => Durability::Immediate,
            Sync::Lazy => Durability::None,
        };
        if changes.is_empty() && !(self.lazy && sync == Sync::Durable) {
            return Ok(());
        }
        let bytes: u64 = changes.changes.iter().map(bytes_of).sum();
        // Let go first, so that redb may use the pages that this commit frees in the one after.
        self.view.take();
        let transact = || self.transact(database.database(), changes, durability);
        self.tallies = database.boundary().run(transact)?;
        self.lazy = sync == Sync::Lazy;
        self.commits += 1;
        self.committed_bytes += bytes;
        Ok(())
    }

    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError> {
        let old = self.writable()?;
        let directory = self.directory.clone();
        let io = |error| StoreError::io(self.path.display().to_string(), error);
        let view = self.view()?;
        let written =
            copy::write_partial(&*directory, self.options.cache_bytes, &self.counters, Some(view), decide);
        let renamed = written.and_then(|written| {
            directory.sync().map_err(io)?;
            // First, since it may hold what is dropped; a crash in between costs no more than building it again.
            snapshot_file::remove(&*directory)?;
            directory.rename(ROWS_PARTIAL_FILE, ROWS_FILE).map_err(io)?;
            Ok(written)
        });
        let (database, tallies) = match renamed {
            Ok(new) => new,
            Err(error) => {
                // If it cannot be removed now, the next opening does it.
                let _ = directory.remove(ROWS_PARTIAL_FILE);
                return Err(error);
            }
        };
        // From here on the new file is the store: going back to the old one would lose what is committed next.
        self.view.take();
        self.handle = Handle::Write(Arc::new(database));
        self.tallies = tallies;
        self.lazy = false;
        drop(old);
        self.unnamed = true;
        self.directory.sync().map_err(|error| StoreError::io(self.path.display().to_string(), error))?;
        self.unnamed = false;
        Ok(())
    }

    fn write_snapshot(&mut self, write: &mut WriteSnapshot<'_>) -> Result<(), StoreError> {
        self.writable()?;
        snapshot_file::write(&*self.directory, write)
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        snapshot_file::open(&*self.directory, self.options.snapshot_cache_bytes)
    }

    fn remove_snapshot(&mut self) -> Result<(), StoreError> {
        self.writable()?;
        snapshot_file::remove(&*self.directory)
    }
}

/// Locks a directory.
fn lock(directory: &dyn Directory, exclusive: bool) -> Result<Lock, StoreError> {
    let path = directory.path();
    let lock =
        directory.try_lock(exclusive).map_err(|error| StoreError::io(path.display().to_string(), error))?;
    lock.ok_or_else(|| StoreError::InUse { path: path.join(ROWS_FILE) })
}

/// The store file, if there is one. An empty one would be taken by redb for one that is to be made.
fn existing(directory: &dyn Directory, mode: OpenMode) -> Result<Option<OpenFile>, StoreError> {
    let path = directory.path().join(ROWS_FILE);
    let io = |error| StoreError::io(path.display().to_string(), error);
    let file = match directory.open(ROWS_FILE, mode) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    if file.len().map_err(io)? == 0 {
        return Err(damaged(&path, "empty"));
    }
    Ok(Some(file))
}

/// Bytes of a change as it was handed over.
fn bytes_of(change: &Change) -> u64 {
    8 + match change {
        Change::Put { value, .. } => value.len() as u64,
        Change::Delete { .. } => 0,
    }
}
