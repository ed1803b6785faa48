//! What can go wrong with a store.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a store could not do what it was asked.
///
/// After an error of a commit nothing of the change set is visible. A store whose disk failed answers with [`Io`](Self::Io) until
/// it is closed and opened again; what was being committed when the disk failed is then there whole or not at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the store open.
    #[error("{path}: is in use by another process; wait until it ends, or read from a backup")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{place}: {source}")]
    Io {
        /// The file, or what was being done.
        place: String,
        /// Its answer.
        source: io::Error,
    },
    /// What is stored is not what was written.
    #[error("{place}: is damaged ({what})")]
    Damaged {
        /// Table and row, or file and block.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// The file was written by a newer version, or is none of ours.
    #[error("{path}: {what}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found instead, and what to do.
        what: String,
    },
    /// The last process that wrote the store ended without closing it.
    #[error("{path}: was not closed; open it for writing once, which recovers it")]
    NotClosed {
        /// The file.
        path: PathBuf,
    },
    /// Something of this process still uses what is to be changed.
    #[error("{place}: {what} is under way; try again when it has ended")]
    Busy {
        /// The file.
        place: String,
        /// What is under way.
        what: &'static str,
    },
    /// A row or record is longer than what is stored.
    #[error("{place}: {bytes} bytes, at most {bytes_max} are stored; split it")]
    TooLarge {
        /// Table and row, or file and section.
        place: String,
        /// Bytes given.
        bytes: u64,
        /// Bytes allowed.
        bytes_max: u64,
    },
    /// The store was opened for reading only.
    #[error("the store is open for reading only; open it for writing")]
    ReadOnly,
}

impl StoreError {
    /// An answer of the operating system.
    pub fn io(place: impl Into<String>, source: io::Error) -> Self {
        Self::Io { place: place.into(), source }
    }

    /// Damage.
    pub fn damaged(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Damaged { place: place.into(), what: what.into() }
    }
}
