//! How right an allocation is: pairwise and B-cubed precision, recall and F1 against known clusters.
//!
//! - *Pairwise* (Fellegi–Sunter's view): of all pairs of records put together, how many belong together (precision);
//!   of all pairs that belong together, how many were put together (recall). A node of `n` records counts `n(n−1)/2`.
//! - *B-cubed* (Bagga & Baldwin 1998): the same asked of each record's own node and cluster, averaged over records,
//!   so that a few large clusters do not decide everything.
//!
//! Records that the truth does not name are unlabelled: a pair of two of them is not counted, but a labelled record
//! put together with an unlabelled one is an error, since labelled clusters are complete.

use std::collections::HashMap;
use std::io::Read;

use serde::Serialize;
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
    /// A record stands twice.
    #[error("{name}: record_id {record} stands twice; keep one row for each record")]
    RepeatedRecord {
        /// Name of the file.
        name: String,
        /// The record.
        record: String,
    },
    /// The truth names no record.
    #[error(
        "the clusters name no record, so there is nothing to score; give a table record_id,cluster_id with rows"
    )]
    NoTruth,
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

/// Groups of records, numbered in the order of their first record.
#[derive(Debug, Default, Clone)]
pub struct Grouping {
    group_of: HashMap<String, usize>,
    records: Vec<String>,
    groups: HashMap<String, usize>,
}

impl Grouping {
    /// Puts a record into a group; says whether the record is new.
    pub fn insert(&mut self, record: &str, group: &str) -> bool {
        if self.group_of.contains_key(record) {
            return false;
        }
        let next = self.groups.len();
        let group = *self.groups.entry(group.to_owned()).or_insert(next);
        self.group_of.insert(record.to_owned(), group);
        self.records.push(record.to_owned());
        true
    }

    /// Number of the group that a record is in.
    pub fn group(&self, record: &str) -> Option<usize> {
        self.group_of.get(record).copied()
    }

    /// The first record of a group, by the group's name.
    pub fn first_in(&self, group: &str) -> Option<&str> {
        let group = self.groups.get(group)?;
        self.records.iter().find(|record| self.group_of.get(*record) == Some(group)).map(String::as_str)
    }

    /// Reads a CSV table with the columns `record_id` and `value`; others are ignored.
    ///
    /// # Errors
    /// Where it is no such table, or names a record twice.
    pub fn read(reader: impl Read, name: &str, value: &'static str) -> Result<Self, ScoreError> {
        let mut table = ::csv::Reader::from_reader(reader);
        let broken = |source| ScoreError::Table { name: name.to_owned(), source };
        let header = table.headers().map_err(broken)?.clone();
        let find = |column: &'static str| {
            header.iter().position(|found| found == column).ok_or_else(|| ScoreError::MissingColumn {
                name: name.to_owned(),
                column,
                columns: header.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let (record_column, value_column) = (find("record_id")?, find(value)?);
        let mut grouping = Self::default();
        let mut row = ::csv::StringRecord::new();
        while table.read_record(&mut row).map_err(broken)? {
            let record = row.get(record_column).unwrap_or_default();
            if !grouping.insert(record, row.get(value_column).unwrap_or_default()) {
                return Err(ScoreError::RepeatedRecord { name: name.to_owned(), record: record.to_owned() });
            }
        }
        Ok(grouping)
    }
}

/// Precision, recall and F1 by pairs and by B-cubed, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// Pairwise precision.
    pub pair_p: f64,
    /// Pairwise recall.
    pub pair_r: f64,
    /// Pairwise F1.
    pub pair_f1: f64,
    /// B-cubed precision.
    pub b3_p: f64,
    /// B-cubed recall.
    pub b3_r: f64,
    /// B-cubed F1.
    pub b3_f1: f64,
    /// Records assigned.
    pub records: usize,
    /// Records that the truth names.
    pub labelled: usize,
    /// Nodes that records were assigned to.
    pub nodes: usize,
    /// Clusters of the truth.
    pub true_clusters: usize,
}

impl Score {
    /// Scores an allocation against the truth.
    ///
    /// # Errors
    /// Where the truth is empty, or names records that were not assigned.
    pub fn of(nodes: &Grouping, truth: &Grouping) -> Result<Self, ScoreError> {
        if truth.records.is_empty() {
            return Err(ScoreError::NoTruth);
        }
        let missing = || truth.records.iter().filter(|record| !nodes.group_of.contains_key(*record));
        if let Some(first) = missing().next() {
            return Err(ScoreError::MissingAssignment { count: missing().count(), first: first.clone() });
        }
        let mut node_size = vec![0u64; nodes.groups.len()];
        for &node in nodes.group_of.values() {
            node_size[node] += 1;
        }
        let mut labelled_in = vec![0u64; nodes.groups.len()];
        let mut cluster_size = vec![0u64; truth.groups.len()];
        let mut cells: HashMap<(usize, usize), usize> = HashMap::new();
        // In the order of the truth, so that sums of floats come out the same every time.
        let mut overlaps: Vec<(usize, usize, u64)> = Vec::new();
        for record in &truth.records {
            let (node, cluster) = (nodes.group_of[record], truth.group_of[record]);
            labelled_in[node] += 1;
            cluster_size[cluster] += 1;
            let position = *cells.entry((node, cluster)).or_insert(overlaps.len());
            if position == overlaps.len() {
                overlaps.push((node, cluster, 0));
            }
            overlaps[position].2 += 1;
        }
        let pairs = |count: u64| count * count.saturating_sub(1) / 2;
        let right: u64 = overlaps.iter().map(|&(_, _, count)| pairs(count)).sum();
        let predicted: u64 = std::iter::zip(&labelled_in, &node_size)
            .map(|(&labelled, &size)| pairs(labelled) + labelled * (size - labelled))
            .sum();
        let actual: u64 = cluster_size.iter().map(|&size| pairs(size)).sum();
        let share = |part: u64, whole: u64| if whole == 0 { 1.0 } else { ratio(part, whole) };
        let labelled = truth.records.len();
        let mean = |size_of: &dyn Fn(usize, usize) -> u64| {
            let sum: f64 =
                overlaps.iter().map(|&(node, cluster, n)| ratio(n * n, size_of(node, cluster))).sum();
            sum / ratio(labelled as u64, 1)
        };
        let (pair_p, pair_r) = (share(right, predicted), share(right, actual));
        let (b3_p, b3_r) = (mean(&|node, _| node_size[node]), mean(&|_, cluster| cluster_size[cluster]));
        Ok(Self {
            pair_p,
            pair_r,
            pair_f1: f1(pair_p, pair_r),
            b3_p,
            b3_r,
            b3_f1: f1(b3_p, b3_r),
            records: nodes.records.len(),
            labelled,
            nodes: nodes.groups.len(),
            true_clusters: truth.groups.len(),
        })
    }
}

#[allow(clippy::cast_precision_loss)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn f1(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}
