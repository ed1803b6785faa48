//! Why an input cannot be read at all, or no further.

use std::io;

use thiserror::Error;

use super::decode::Compression;

/// An input that gives no facts, or stops giving them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be opened.
    #[error("cannot open {name}: {source}; check the path and the permissions")]
    Open {
        /// The path.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The path names a directory.
    #[error("{name} is a directory; name a file in it, or pipe the files in and give -")]
    Directory {
        /// The path.
        name: String,
    },
    /// Not a single record or header.
    #[error("{name} is empty: not even a header; check how the file was made")]
    Empty {
        /// The path.
        name: String,
    },
    /// UTF-16, which no reader here takes.
    #[error("the input is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 INPUT > OUTPUT")]
    Utf16,
    /// The header of a table is longer than a record may be.
    #[error("line 1: the header is longer than {limit} bytes; is this a table, and is --format right?")]
    HeaderTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// A quote of the header is never closed.
    #[error("line {line}: a quote in the header is never closed; add the closing quote")]
    HeaderUnclosed {
        /// Line of the header.
        line: u64,
    },
    /// A column name is not UTF-8.
    #[error(
        "line {line}, column {position}: the name is not valid UTF-8; convert the file: iconv -f LATIN1 -t UTF-8"
    )]
    HeaderUtf8 {
        /// Line of the header.
        line: u64,
        /// Column, counted from 1.
        position: usize,
    },
    /// A column has no name.
    #[error("line {line}, column {position}: has no name; name every column in the header")]
    UnnamedColumn {
        /// Line of the header.
        line: u64,
        /// Column, counted from 1.
        position: usize,
    },
    /// Two columns have the same name.
    #[error("line {line}: columns {first} and {second} are both named {name}; rename one of them")]
    RepeatedColumn {
        /// Line of the header.
        line: u64,
        /// The name.
        name: String,
        /// First column, counted from 1.
        first: usize,
        /// Second column, counted from 1.
        second: usize,
    },
    /// One column whose name holds what looks like another delimiter.
    #[error(
        "line {line}: one column only, named {name}; the columns seem to be separated by {found}: pass {advice}"
    )]
    WrongDelimiter {
        /// Line of the header.
        line: u64,
        /// The name of the only column.
        name: String,
        /// The delimiter it holds.
        found: &'static str,
        /// The option that helps.
        advice: &'static str,
    },
    /// The column that `--id` names is not there.
    #[error(
        "there is no column {wanted} to take identifiers from; the columns are: {columns}; name one of them with --id, or leave --id out"
    )]
    MissingIdColumn {
        /// What `--id` names.
        wanted: String,
        /// The columns there are.
        columns: String,
    },
    /// `--id` with triples.
    #[error(
        "N-Triples have no columns, so --id {wanted} names nothing; leave it out: the line number is the identifier"
    )]
    IdOfTriples {
        /// What `--id` names.
        wanted: String,
    },
    /// Reading failed on the way.
    #[error("reading stopped at line {line}, after {entries} records: {source}; {advice}", advice = advice(*compression))]
    Read {
        /// The line that was being read; nothing of it was used.
        line: u64,
        /// Records read before it.
        entries: u64,
        /// How the input is compressed.
        compression: Compression,
        /// The cause.
        source: io::Error,
    },
}

impl InputError {
    /// Whether the input could not be used at all (rather than: broke on the way).
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Read { .. })
    }
}

fn advice(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "check the disk or the pipe that feeds it; everything before that line was used",
        Compression::Gzip => {
            "the gzip data is broken or cut off, get the file again; everything before that line was used"
        }
        Compression::Zstd => {
            "the zstd data is broken or cut off, get the file again; everything before that line was used"
        }
    }
}
