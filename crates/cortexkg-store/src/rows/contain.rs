//! The boundary to redb: its errors become ours, and its panics stay inside.
//!
//! Redb verifies checksums of its pages after a crash and when asked, not at every read. On a page that it never wrote it may panic.
//! Everything that may read pages runs within [`contain`].

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::StoreError;

/// Runs something that calls redb; a panic is damage. Nothing of the caller's may run inside: its panics are its own.
pub(super) fn contain<T>(path: &Path, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // Whatever a panic leaves half done belongs to redb, which marks its transaction as broken by itself.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("of unknown cause");
        Err(damaged(path, &format!("redb panicked: {text:.200}")))
    })
}

/// Runs what cannot fail but may panic, as letting go of a database does.
pub(super) fn contain_drop<T>(value: T) {
    // There is nobody to tell; what was not written is found out at the next opening.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
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
