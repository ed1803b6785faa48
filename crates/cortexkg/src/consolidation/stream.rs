//! Consolidation inside the stream: a bounded step whenever so many mentions have come in.
//!
//! A step looks at the nodes that got a mention since the last consolidation, and at the close calls since then. Where it happens
//! follows from the log alone: after the fact that completes another `every` mentions, unless there was a consolidation since. A
//! run that is broken off between a fact and its step does the step when it goes on.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use cortexkg_store::{ChangeSet, Store, Sync};

use crate::durable::DurableEngine;
use crate::graph::{MentionIndex, NOWHERE, NodeIndex};
use crate::journal::Operation;
use crate::operation_error::OperationError;

/// When to consolidate while facts come in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Steps {
    every: Option<NonZeroU64>,
    /// Mentions at the last consolidation, once it is known.
    last: Option<u64>,
}

impl<S: Store> DurableEngine<S> {
    /// From now on, takes a bounded step of [`consolidate`](Self::consolidate) whenever another `every` mentions have come in; never,
    /// if none. It looks at the nodes that got a mention since the last consolidation. The facts up to a step are one
    /// transaction, the step is another.
    ///
    /// Not remembered with the graph, and no part of its configuration: what the steps do stands in the log.
    pub fn consolidate_every(&mut self, every: Option<NonZeroU64>) {
        self.steps.every = every;
    }

    /// Takes a step if one is due, for which `changes` are committed.
    pub(crate) fn step_if_due(&mut self, changes: &mut ChangeSet, sync: Sync) -> Result<(), OperationError> {
        let Some(every) = self.steps.every else { return Ok(()) };
        let now = self.engine.graph.mentions.len() as u64;
        let last = match self.steps.last {
            Some(last) => last,
            None => self.mentions_at_last_consolidation()?,
        };
        self.steps.last = Some(last);
        if now / every <= last / every {
            return Ok(());
        }
        self.commit(std::mem::take(changes), sync)?;
        let new = last as MentionIndex..now as MentionIndex;
        let nodes: BTreeSet<NodeIndex> =
            new.map(|mention| self.engine.graph.mentions[mention as usize].node).collect();
        self.consolidate_nodes(nodes.into_iter().filter(|&node| node != NOWHERE).collect()).map(|_| ())
    }

    /// Notes that the graph as it stands has been consolidated.
    pub(crate) fn note_consolidated(&mut self) {
        self.steps.last = Some(self.engine.graph.mentions.len() as u64);
    }

    /// Forgets when that was: mentions are numbered anew.
    pub(crate) fn renumbered(&mut self) {
        self.steps.last = None;
    }

    fn mentions_at_last_consolidation(&self) -> Result<u64, OperationError> {
        for &position in self.ledger.operations.iter().rev() {
            if let Some(Operation::Consolidate) = self.entry(position)?.map(|entry| entry.operation) {
                return Ok(self.engine.graph.mentions_before(position));
            }
        }
        Ok(0)
    }
}
