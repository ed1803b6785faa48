//! What can go wrong in a pool of columns.

use thiserror::Error;

use crate::grid::{COLUMNS_MAX, SIDE_MAX};
use crate::nearness::RELATED_MAX;

/// Why a pool refused. Whatever it is, the pool is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// A pool of none, or of too many.
    #[error("a pool cannot have {columns} columns: it has 1 to {COLUMNS_MAX}")]
    ColumnCount {
        /// How many there were to be.
        columns: u32,
    },
    /// A pool that was to grow to fewer columns than it has.
    #[error("a pool of {has} columns cannot grow to {columns}; make a new one to have fewer")]
    Shrinking {
        /// How many there were to be.
        columns: u32,
        /// How many there are.
        has: u32,
    },
    /// Sides that no grid has.
    #[error(
        "a grid cannot be {width} by {height}: a side is 1 to {SIDE_MAX} cells, and there are at most {COLUMNS_MAX}"
    )]
    GridSize {
        /// Cells from left to right.
        width: u32,
        /// Cells from top to bottom.
        height: u32,
    },
    /// Every column holds a concept.
    #[error(
        "concept {concept}: all {columns} columns are taken; deallocate one first, or make a larger pool"
    )]
    PoolFull {
        /// The concept that found no place.
        concept: u64,
        /// How many columns there are.
        columns: u32,
    },
    /// More related concepts than are looked at.
    #[error(
        "concept {concept}: {related} related concepts are too many; give the {RELATED_MAX} that weigh most"
    )]
    RelatedTooMany {
        /// The concept to be allocated.
        concept: u64,
        /// How many were given.
        related: usize,
    },
    /// A concept without a column.
    #[error("concept {concept} is not allocated; allocate it first")]
    NotAllocated {
        /// The concept.
        concept: u64,
    },
    /// An activation that is no share.
    #[error("concept {concept}: its activation must be a number from 0 to 1")]
    Activation {
        /// The concept.
        concept: u64,
    },
    /// Changes that the feed holds no longer, or not yet.
    #[error(
        "changes from {since} on are not in the feed, which goes from {first} to {next}; read all columns anew and go on from {next}"
    )]
    OutOfFeed {
        /// The first that was asked for.
        since: u64,
        /// The oldest that is held.
        first: u64,
        /// The one that comes next.
        next: u64,
    },
    /// Bytes that are no snapshot, or not any more.
    #[error("snapshot of columns, byte {at}: {what}; go on with an older one, or with an empty pool")]
    Damaged {
        /// Where.
        at: usize,
        /// What is wrong.
        what: String,
    },
    /// Bytes that are no delta, or not any more.
    #[error(
        "delta of columns, byte {at}: {what}; go on with the snapshot it was to be put on, or with another"
    )]
    DeltaDamaged {
        /// Where.
        at: usize,
        /// What is wrong.
        what: String,
    },
    /// A delta that goes on from another snapshot than the one it was to be put on.
    #[error(
        "delta of columns: it goes on from the snapshot with the checksum {wanted:016x}, and this one has {given:016x}; put deltas on in the order in which they were made"
    )]
    DeltaOfOther {
        /// The checksum of the snapshot it goes on from.
        wanted: u64,
        /// The checksum of the one that was given.
        given: u64,
    },
}
