//! What a reader yields: a fact with its place in the input, or what was wrong there.

use std::io;

use cortexkg::Fact;
pub use cortexkg_interchange::Rejection;
pub(crate) use cortexkg_interchange::printable;

/// A fact and the line of the input that it starts on. The fact always has an identifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Line, counted from 1, in the decompressed input.
    pub line: u64,
    /// The fact.
    pub fact: Fact,
}

impl Entry {
    /// The identifier of the fact.
    pub fn record_id(&self) -> &str {
        self.fact.record_id.as_deref().unwrap_or_default()
    }
}

/// Why a reader has no entry to give.
#[derive(Debug)]
pub enum Problem {
    /// This record is refused; the stream goes on.
    Rejected(Rejection),
    /// The input cannot be read any further. What came before it stands.
    Broken {
        /// The line that was being read; nothing of it was used.
        line: u64,
        /// The cause.
        source: io::Error,
    },
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
