//! Why a score cannot be computed.

use thiserror::Error;

/// Why a score cannot be computed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The file is no table, or breaks off.
    #[error("{name}: {source}; it must be a CSV table with a header")]
    Table {
        /// Name of the file.
        name: String,
        /// The cause.
        source: ::csv::Error,
    },
    /// A column is missing.
    #[error("{name}: there is no column {column}; the columns are: {columns}")]
    MissingColumn {
        /// Name of the file.
        name: String,
        /// The column.
        column: &'static str,
        /// Those there are.
        columns: String,
    },
    /// A cell is empty: many records without a group are not one group.
    #[error("{name}, line {line}: {column} is empty; fill it in, or leave the row out if it is not known")]
    EmptyCell {
        /// Name of the file.
        name: String,
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// A record stands twice.
    #[error("{name}, line {line}: record_id {record} stands twice; keep one row for each record")]
    RepeatedRecord {
        /// Name of the file.
        name: String,
        /// The line of the second.
        line: u64,
        /// The record.
        record: String,
    },
    /// The truth names no record.
    #[error(
        "the clusters name no record, so there is nothing to score; give a table record_id,cluster_id with rows"
    )]
    NoTruth,
    /// None of the labelled records was decided.
    #[error(
        "none of the {labelled} labelled records is in the input (labelled is {labels}, decided is {decided}); the record_id of the \
         clusters must be the identifier of the records: name its column with --id"
    )]
    NoOverlap {
        /// How many records the truth names.
        labelled: usize,
        /// The first of them.
        labels: String,
        /// The first record that was decided.
        decided: String,
    },
    /// Labelled records without an assignment.
    #[error(
        "{count} labelled records have no assignment, first: {first}; score the output of a whole run over the same records"
    )]
    MissingAssignment {
        /// How many.
        count: usize,
        /// The first in the order of the truth.
        first: String,
    },
}
