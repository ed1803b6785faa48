//! The seam between a store and its files: a directory of a few named files.
//!
//! Files are redb's [`StorageBackend`]s, for rows and snapshots alike. [`FileDirectory`] is the one on disk.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::StorageBackend;
use redb::backends::FileBackend;

/// The store.
pub const ROWS_FILE: &str = "cortexkg.redb";
/// A store that is not yet whole.
pub const ROWS_PARTIAL_FILE: &str = "cortexkg.redb.new";
/// The snapshot.
pub const SNAPSHOT_FILE: &str = "cortexkg.snapshot";
/// A snapshot that is not yet whole.
pub const SNAPSHOT_PARTIAL_FILE: &str = "cortexkg.snapshot.partial";
/// What is locked while somebody has the directory open.
pub const LOCK_FILE: &str = "cortexkg.lock";

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// It is there, and is only read.
    Read,
    /// It is there, and is written to.
    Write,
    /// It is made, or emptied if it is there.
    Create,
}

/// A file, open.
pub type OpenFile = Box<dyn StorageBackend>;
/// A lock, held until it is dropped.
pub type Lock = Box<dyn Debug + Send + std::marker::Sync>;

/// A directory of files. Names are those above.
pub trait Directory: Debug + Send + std::marker::Sync + 'static {
    /// Where it is, for people.
    fn path(&self) -> &Path;

    /// Opens a file.
    ///
    /// # Errors
    /// The operating system's; [`io::ErrorKind::NotFound`] if it is not there.
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<OpenFile>;

    /// Gives a file another name; what had that name is gone. Durable after [`sync`](Self::sync).
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file, if it is there; whoever has it open can still read it. Says whether it was there. Durable after
    /// [`sync`](Self::sync).
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, name: &str) -> io::Result<bool>;

    /// Makes the names of the files durable.
    ///
    /// # Errors
    /// The operating system's.
    fn sync(&self) -> io::Result<()>;

    /// Locks the directory: exclusively for one that writes, shared for those that read. `None` if somebody else's lock is in the
    /// way.
    ///
    /// # Errors
    /// The operating system's.
    fn try_lock(&self, exclusive: bool) -> io::Result<Option<Lock>>;
}

/// A directory on disk.
#[derive(Debug, Clone)]
pub struct FileDirectory {
    path: PathBuf,
}

impl FileDirectory {
    /// A directory that is there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// A directory that is made if it is not there.
    ///
    /// # Errors
    /// The operating system's.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        if !path.is_dir() {
            fs::create_dir_all(&path)?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_names(parent)?;
            }
        }
        Ok(Self { path })
    }
}

impl Directory for FileDirectory {
    fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self, name: &str, mode: OpenMode) -> io::Result<OpenFile> {
        let mut options = OpenOptions::new();
        match mode {
            OpenMode::Read => options.read(true),
            OpenMode::Write => options.read(true).write(true),
            OpenMode::Create => options.read(true).write(true).create(true).truncate(true),
        };
        let file = options.open(self.path.join(name))?;
        Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        match fs::remove_file(self.path.join(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sync(&self) -> io::Result<()> {
        sync_names(&self.path)
    }

    fn try_lock(&self, exclusive: bool) -> io::Result<Option<Lock>> {
        let path = self.path.join(LOCK_FILE);
        let file = if exclusive {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?
        } else {
            match File::open(path) {
                Ok(file) => file,
                // Nobody ever wrote here, as in a backup on a read-only medium; redb's own lock is enough.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Box::new(()))),
                Err(error) => return Err(error),
            }
        };
        match if exclusive { file.try_lock() } else { file.try_lock_shared() } {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Makes the names in a directory durable.
#[cfg(unix)]
fn sync_names(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Elsewhere directories cannot be opened; their file systems journal names by themselves.
#[cfg(not(unix))]
fn sync_names(_path: &Path) -> io::Result<()> {
    Ok(())
}
