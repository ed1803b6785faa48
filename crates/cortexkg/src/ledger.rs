//! Which operations stand: kept in memory, so that nobody needs to read the whole log to take one of them back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::graph::NodeId;
use crate::journal::{LogEntry, Operation};

/// The operations that are no plain allocations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Positions of all operations but allocations and placements, ascending.
    pub(crate) operations: Vec<u64>,
    /// By the position of an operation that was taken back: the one that did.
    pub(crate) undone_by: BTreeMap<u64, u64>,
    /// By the position of an operation that takes another back: that other.
    undoes: BTreeMap<u64, u64>,
    /// By a node that is merged into another: the merge.
    pub(crate) merged_by: BTreeMap<NodeId, u64>,
}

impl Ledger {
    /// Notes an entry of the log.
    pub(crate) fn note(&mut self, position: u64, entry: &LogEntry) {
        match entry.operation {
            Operation::Allocate { .. } | Operation::Place { .. } => return,
            Operation::Merge { merged, .. } => drop(self.merged_by.insert(merged, position)),
            Operation::Unmerge { merged, .. } => drop(self.merged_by.remove(&merged)),
            _ => {}
        }
        self.operations.push(position);
        if let Some(undone) = entry.undoes {
            self.undone_by.insert(undone, position);
            self.undoes.insert(position, undone);
            // Taking back what took another back makes that other stand again.
            if let Some(first) = self.undoes.get(&undone) {
                self.undone_by.remove(first);
            }
        }
    }

    /// Forgets operations before `end` that the log has no longer.
    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(u64) -> bool) {
        self.operations.retain(|&position| is_kept(position));
        self.undone_by.retain(|&undone, by| is_kept(undone) && is_kept(*by));
        self.undoes.retain(|&by, undone| is_kept(by) && is_kept(*undone));
        self.merged_by.retain(|_, &mut position| is_kept(position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(undoes: Option<u64>) -> LogEntry {
        LogEntry { operation: Operation::Compact, undoes, recorded_s: None, chain: [0; 16] }
    }

    #[test]
    fn what_takes_back_can_be_taken_back() {
        let mut ledger = Ledger::default();
        ledger.note(3, &entry(None));
        ledger.note(4, &entry(Some(3)));
        assert_eq!(ledger.undone_by.get(&3), Some(&4));
        ledger.note(5, &entry(Some(4)));
        assert_eq!(ledger.undone_by.get(&3), None);
        assert_eq!(ledger.undone_by.get(&4), Some(&5));
        ledger.note(6, &entry(Some(3)));
        assert_eq!(ledger.undone_by.get(&3), Some(&6));
    }
}
