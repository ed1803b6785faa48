//! A directory in memory whose disk fails on demand (feature `faults`), for the tests of whoever keeps something in a store.
//!
//! Every operation of the disk has a number, counted from 0. A run without faults tells how many there are; then the run is
//! repeated once per number and [`Fault`], and what survives is opened again.
//!
//! ```
//! use std::sync::Arc;
//! use cortexkg_store::faults::{Disk, Fault};
//! use cortexkg_store::{ChangeSet, RedbOptions, RedbStore, Store, Sync, Table};
//!
//! let disk = Disk::new();
//! let mut store = RedbStore::open_in(Arc::new(disk.clone()), RedbOptions::default())?;
//! disk.fail(disk.operations(), Fault::PowerLoss);
//! let mut changes = ChangeSet::default();
//! changes.put(Table::Log, 0, vec![1]);
//! assert!(store.commit(changes, Sync::Durable).is_err());
//!
//! let left = disk.after_power_loss(1);
//! let mut store = RedbStore::open_in(Arc::new(left), RedbOptions::default())?;
//! assert_eq!(store.last_key(Table::Log)?, None);
//! store.check()?;
//! # Ok::<(), cortexkg_store::StoreError>(())
//! ```

mod file;
mod random;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use crate::directory::{Directory, Lock, OpenFile, OpenMode};
use file::Bytes;
use random::Random;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The operation fails and does nothing; later ones succeed.
    Failure,
    /// The operation fails for want of space, as do all that would need more.
    DiskFull,
    /// A write puts down the first half of its bytes and fails. Other operations fail and do nothing.
    ShortWrite,
    /// A write puts down some of its sectors and fails. Other operations fail and do nothing.
    TornWrite,
    /// This and all later operations fail: the machine is off. See [`Disk::after_power_loss`].
    PowerLoss,
    /// A sync reports success and does nothing; later ones are honest. Other operations are as ever.
    LostSync,
    /// From here on no sync does anything.
    LostSyncs,
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct Disk {
    state: Arc<Mutex<State>>,
    path: PathBuf,
}

#[derive(Debug, Clone, Default)]
struct State {
    files: Vec<Bytes>,
    /// Which file has which name.
    names: BTreeMap<String, usize>,
    /// The same, as it was made durable.
    durable_names: BTreeMap<String, usize>,
    /// What changed since, in order.
    pending_names: Vec<NameChange>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    readers: u32,
    writer: bool,
}

#[derive(Debug, Clone)]
enum NameChange {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, file) => {
                names.insert(name.clone(), *file);
            }
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

/// What becomes of an operation.
enum Outcome {
    Works,
    /// It claims to work.
    Lies,
    Fails(Fault),
}

impl State {
    /// Counts an operation and says what becomes of it.
    fn operate(&mut self, grows: bool) -> Outcome {
        let now = self.operations;
        self.operations += 1;
        match self.fault {
            Some((at, Fault::LostSyncs)) if now >= at => Outcome::Lies,
            Some((at, Fault::LostSync)) if now == at => Outcome::Lies,
            Some((_, Fault::LostSync | Fault::LostSyncs)) => Outcome::Works,
            Some((at, fault)) if now == at => Outcome::Fails(fault),
            Some((at, Fault::PowerLoss)) if now > at => Outcome::Fails(Fault::PowerLoss),
            Some((at, Fault::DiskFull)) if now > at && grows => Outcome::Fails(Fault::DiskFull),
            _ => Outcome::Works,
        }
    }

    /// As [`operate`](Self::operate), for operations that do all or nothing and cannot lie.
    fn all_or_nothing(&mut self, grows: bool) -> io::Result<()> {
        match self.operate(grows) {
            Outcome::Works | Outcome::Lies => Ok(()),
            Outcome::Fails(fault) => Err(error(fault)),
        }
    }

    fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.pending_names.push(change);
    }
}

fn error(fault: Fault) -> io::Error {
    let kind = if fault == Fault::DiskFull { io::ErrorKind::StorageFull } else { io::ErrorKind::Other };
    io::Error::new(kind, format!("injected: {fault:?}"))
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("operations", &self.operations()).finish_non_exhaustive()
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    /// An empty disk that works.
    pub fn new() -> Self {
        Self::from_state(State::default())
    }

    fn from_state(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), path: PathBuf::from("disk") }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked did so between operations, which leave the disk whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets something go wrong with the operation of a number. There is one fault at a time.
    pub fn fail(&self, operation: u64, fault: Fault) {
        self.state().fault = Some((operation, fault));
    }

    /// Another disk that holds what processes see of this one: the process has ended, the machine runs on.
    pub fn after_exit(&self) -> Self {
        let state = self.state();
        Self::from_state(State { fault: None, readers: 0, writer: false, operations: 0, ..state.clone() })
    }

    /// Another disk that holds what was synced of this one, and a part, chosen by `seed`, of what was written later: any of the
    /// sectors of 512 bytes, and the names as they were at some time since they were synced.
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let state = self.state();
        let mut random = Random::new(seed);
        let mut names = state.durable_names.clone();
        let kept = random.below(state.pending_names.len() as u64 + 1) as usize;
        state.pending_names[..kept].iter().for_each(|change| change.apply(&mut names));
        let files = state.files.iter().map(|file| file.after_power_loss(&mut random)).collect();
        Self::from_state(State { files, durable_names: names.clone(), names, ..State::default() })
    }

    /// The bytes of a file, if it is there. Counts as no operation.
    pub fn read_file(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(name).map(|&file| state.files[file].seen().to_vec())
    }

    /// Puts a file there, durably. Counts as no operation.
    pub fn write_file(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state();
        let file = state.files.len();
        state.files.push(Bytes::durable(bytes));
        state.names.insert(name.to_owned(), file);
        state.durable_names.insert(name.to_owned(), file);
    }
}

impl Directory for Disk {
    fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self, name: &str, mode: OpenMode) -> io::Result<OpenFile> {
        let mut state = self.state();
        state.all_or_nothing(mode == OpenMode::Create)?;
        let file = match (state.names.get(name), mode) {
            (Some(&file), OpenMode::Read | OpenMode::Write) => file,
            (None, OpenMode::Read | OpenMode::Write) => return Err(io::ErrorKind::NotFound.into()),
            (_, OpenMode::Create) => {
                let file = state.files.len();
                state.files.push(Bytes::default());
                state.change_name(NameChange::Create(name.to_owned(), file));
                file
            }
        };
        Ok(Box::new(DiskFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.all_or_nothing(false)?;
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        let mut state = self.state();
        state.all_or_nothing(false)?;
        let there = state.names.contains_key(name);
        if there {
            state.change_name(NameChange::Remove(name.to_owned()));
        }
        Ok(there)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        match state.operate(false) {
            Outcome::Fails(fault) => return Err(error(fault)),
            Outcome::Lies => {}
            Outcome::Works => {
                state.pending_names.clear();
                state.durable_names = state.names.clone();
            }
        }
        Ok(())
    }

    fn try_lock(&self, exclusive: bool) -> io::Result<Option<Lock>> {
        let mut state = self.state();
        if state.writer || exclusive && state.readers > 0 {
            return Ok(None);
        }
        if exclusive {
            state.writer = true;
        } else {
            state.readers += 1;
        }
        Ok(Some(Box::new(DiskLock { disk: self.clone(), exclusive })))
    }
}

#[derive(Debug)]
struct DiskLock {
    disk: Disk,
    exclusive: bool,
}

impl Drop for DiskLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if self.exclusive {
            state.writer = false;
        } else {
            state.readers -= 1;
        }
    }
}

/// A file of the disk. It has no locks of its own; the directory has.
#[derive(Debug)]
struct DiskFile {
    disk: Disk,
    file: usize,
}

impl StorageBackend for DiskFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].seen().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        state.all_or_nothing(false)?;
        let bytes = state.files[self.file].seen();
        let found = usize::try_from(offset).ok().and_then(|from| bytes.get(from..)?.get(..out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.all_or_nothing(true)?;
        state.files[self.file].set_len(len as usize);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        match state.operate(false) {
            Outcome::Fails(fault) => return Err(error(fault)),
            Outcome::Lies => {}
            Outcome::Works => state.files[self.file].sync(),
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let outcome = state.operate(true);
        let operation = state.operations;
        let file = &mut state.files[self.file];
        let offset = offset as usize;
        let fault = match outcome {
            Outcome::Works | Outcome::Lies => {
                file.write(offset, data);
                return Ok(());
            }
            Outcome::Fails(fault) => fault,
        };
        match fault {
            Fault::ShortWrite => file.write(offset, &data[..data.len() / 2]),
            // What the cut leaves depends on the operation alone, so that a run can be repeated.
            Fault::TornWrite => file.write_torn(offset, data, &mut Random::new(operation)),
            _ => {}
        }
        Err(error(fault))
    }
}
