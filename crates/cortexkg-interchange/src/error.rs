//! What can go wrong on the way out and in.

use std::io;

use thiserror::Error;

/// Why a graph could not be written, or a file not be read to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InterchangeError {
    /// The output refused.
    #[error("cannot write: {0}; check that the disk has room and the reader of a pipe is alive")]
    Write(#[source] io::Error),
    /// Nodes, facts and edges came in another order.
    #[error("{place}: comes too late; write all nodes, then all facts, then all edges")]
    Order {
        /// What came too late.
        place: String,
    },
    /// A NUL character, which most formats cannot hold.
    #[error("{place}: holds a NUL character; correct the fact that it came from")]
    Nul {
        /// Node or fact, and field.
        place: String,
    },
    /// A number that is none.
    #[error("{place}: {value} is no finite number; correct the fact that it came from")]
    NotFinite {
        /// The fact, and what of it.
        place: String,
        /// The number.
        value: f32,
    },
    /// A field that the schema does not name.
    #[error("{place}: field {field} is not in the schema; let the schema see every node and fact first")]
    UndeclaredField {
        /// Node or fact.
        place: String,
        /// The field.
        field: String,
    },
    /// A base that makes no IRIs.
    #[error("the base {base} makes no valid IRIs ({message}); give one like https://example.org/node/")]
    Base {
        /// The base.
        base: String,
        /// Why not.
        message: String,
    },
    /// A format or kind of table that cannot be read back.
    #[error("{format} cannot be imported; export JSONL, which holds everything")]
    Unreadable {
        /// The format.
        format: String,
    },
    /// Reading failed on the way.
    #[error("reading stopped at line {line}: {source}; check the disk or the pipe that feeds it")]
    Read {
        /// The line that was being read.
        line: u64,
        /// The cause.
        source: io::Error,
    },
    /// The document is broken in a way that what follows cannot be understood.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The input, or the graph in it, is larger than allowed.
    #[error("line {line}: {what} has more than {limit} bytes; import it in parts, or raise the limit")]
    TooLarge {
        /// The line at which the limit was reached.
        line: u64,
        /// The input, or the graph in it.
        what: &'static str,
        /// Bytes allowed.
        limit: u64,
    },
    /// The Parquet writer refused.
    #[cfg(feature = "parquet")]
    #[error("cannot write Parquet: {0}; check that the disk has room")]
    Parquet(#[from] parquet::errors::ParquetError),
}
