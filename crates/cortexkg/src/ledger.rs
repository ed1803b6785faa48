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
    /// By the position of an operation: the newest one that took it back, which may itself be taken back.
    undone_by: BTreeMap<u64, u64>,
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
        }
    }

    /// The operation that took another back, if that stands.
    pub(crate) fn undone_by(&self, position: u64) -> Option<u64> {
        let &by = self.undone_by.get(&position)?;
        // Whatever takes back what takes it back makes it stand again, and so on.
        let mut stands = true;
        let mut last = by;
        while let Some(&next) = self.undone_by.get(&last) {
            (last, stands) = (next, !stands);
        }
        stands.then_some(by)
    }

    /// Forgets operations before `end` that the log has no longer.
    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(u64) -> bool) {
        self.operations.retain(|&position| is_kept(position));
        self.undone_by.retain(|&undone, by| is_kept(undone) && is_kept(*by));
        self.merged_by.retain(|_, &mut position| is_kept(position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(undoes: Option<u64>) -> LogEntry {
        LogEntry {
            operation: Operation::Compact,
            undoes,
            recorded_s: None,
            chain: [0; 16],
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_takes_back_can_be_taken_back() {
        let mut ledger = Ledger::default();
        ledger.note(3, &entry(None));
        ledger.note(4, &entry(Some(3)));
        assert_eq!([3, 4].map(|at| ledger.undone_by(at)), [Some(4), None]);
        ledger.note(5, &entry(Some(4)));
        assert_eq!([3, 4, 5].map(|at| ledger.undone_by(at)), [None, Some(5), None]);
        ledger.note(6, &entry(Some(5)));
        assert_eq!([3, 4, 5].map(|at| ledger.undone_by(at)), [Some(4), None, Some(6)]);
        ledger.note(7, &entry(Some(4)));
        ledger.note(8, &entry(Some(3)));
        assert_eq!([3, 4, 7].map(|at| ledger.undone_by(at)), [Some(8), Some(7), None]);
    }
}
