//! How nodes and true clusters overlap: the contingency table over labelled records.

use std::collections::HashMap;

use super::error::ScoreError;
use super::grouping::Grouping;

/// Labelled records that one node and one cluster share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Number of the node.
    pub node: usize,
    /// Number of the cluster.
    pub cluster: usize,
    /// How many they share, at least one.
    pub records: u64,
}

/// The table, with what stands at its edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Cells that are not empty, in the order in which the truth names their first record.
    pub cells: Vec<Cell>,
    /// Records of each node, unlabelled ones included.
    pub node_size: Vec<u64>,
    /// Labelled records of each node.
    pub labelled_in: Vec<u64>,
    /// Records of each cluster.
    pub cluster_size: Vec<u64>,
}

impl Overlap {
    /// Counts how an allocation and the truth overlap.
    ///
    /// # Errors
    /// Where the truth is empty, or names records that were not assigned.
    pub fn of(nodes: &Grouping, truth: &Grouping) -> Result<Self, ScoreError> {
        if truth.records().len() == 0 {
            return Err(ScoreError::NoTruth);
        }
        let missing = || truth.records().filter(|record| nodes.group(record).is_none());
        if let Some(first) = missing().next() {
            return Err(ScoreError::MissingAssignment { count: missing().count(), first: first.to_owned() });
        }
        let mut overlap = Self {
            cells: Vec::new(),
            node_size: vec![0; nodes.group_count()],
            labelled_in: vec![0; nodes.group_count()],
            cluster_size: vec![0; truth.group_count()],
        };
        for node in nodes.records().filter_map(|record| nodes.group(record)) {
            overlap.node_size[node] += 1;
        }
        let mut places: HashMap<(usize, usize), usize> = HashMap::new();
        for record in truth.records() {
            let (Some(node), Some(cluster)) = (nodes.group(record), truth.group(record)) else { continue };
            overlap.labelled_in[node] += 1;
            overlap.cluster_size[cluster] += 1;
            let place = *places.entry((node, cluster)).or_insert(overlap.cells.len());
            if place == overlap.cells.len() {
                overlap.cells.push(Cell { node, cluster, records: 0 });
            }
            overlap.cells[place].records += 1;
        }
        Ok(overlap)
    }
}
