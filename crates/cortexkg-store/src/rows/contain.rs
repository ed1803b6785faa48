//! The boundary to redb: its errors become ours, and its panics stay inside.
//!
//! Redb verifies checksums of its pages after a crash and when asked, not at every read. On a page that it never wrote it may panic,
//! and on such pages it may panic again while it cleans up, which ends the process. So everything that may read pages runs within
//! [`Boundary::run`], and once redb has shown damage it is given nothing more to write, not even at its end.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::StoreError;

/// The boundary around one database.
#[derive(Debug)]
pub(super) struct Boundary {
    path: PathBuf,
    /// Whether redb has shown damage: nothing more is written. A row that only its envelope shows to be damaged does not count: redb
    /// would refuse the whole file at the next opening, and what is well in it could not be read any more.
    broken: AtomicBool,
}

impl Boundary {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), broken: AtomicBool::new(false) }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs something that calls redb; a panic is damage. Nothing of the caller's may run inside: its panics are its own.
    pub(super) fn run<T>(&self, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        // Whatever a panic leaves half done belongs to redb, which marks its transaction as broken by itself.
        let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("of unknown cause");
            Err(damaged(&self.path, &format!("redb panicked: {text:.200}")))
        });
        if matches!(result, Err(StoreError::Damaged { .. })) {
            self.broken.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Refuses if redb has shown damage.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(damaged(&self.path, "damage was found before; nothing more is written"));
        }
        Ok(())
    }

    /// Lets go of a database. If redb has shown damage, lazy commits are lost by it.
    pub(super) fn end(&self, database: redb::Database) {
        let broken = self.broken.load(Ordering::Relaxed);
        // There is nobody to tell; what was not written is found out at the next opening.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _database = database;
            if broken {
                // Redb closes without a last commit when it is let go by a panic. That commit would read the damaged pages; without
                // it the next opening recovers, which verifies all pages. This kind of panic is seen by no hook.
                resume_unwind(Box::new(()));
            }
        }));
    }
}

/// Damage of the store file.
pub(super) fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::damaged(path.display().to_string(), what)
}

/// An error of redb's.
pub(super) fn failed(path: &Path, error: impl Into<redb::Error>) -> StoreError {
    let place = path.display().to_string();
    match error.into() {
        redb::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => StoreError::Format {
            path: path.to_owned(),
            what: format!("is no store ({source}); check the name, or restore a backup"),
        },
        // The file is shorter than its header says.
        redb::Error::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
            StoreError::damaged(place, "cut off")
        }
        redb::Error::Io(source) => StoreError::Io { place, source },
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            StoreError::InUse { path: path.to_owned() }
        }
        redb::Error::RepairAborted => StoreError::NotClosed { path: path.to_owned() },
        redb::Error::UpgradeRequired(version) => StoreError::Format {
            path: path.to_owned(),
            what: format!(
                "has version {version} of redb's file format, which no store of ours had; check the name"
            ),
        },
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => StoreError::Io {
            place,
            source: io::Error::other("the disk failed before; close the store and open it again"),
        },
        redb::Error::TransactionInProgress => StoreError::Busy { place, what: "a backup" },
        // What is left are names and types of tables that are not as we made them, and places where redb found damage.
        other => StoreError::damaged(place, other.to_string()),
    }
}
