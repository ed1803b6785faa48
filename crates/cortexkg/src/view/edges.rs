//! Edges at one moment: what facts said of both ends, close calls, and what was loaded.

use std::collections::BTreeSet;

use cortexkg_store::Store;
use serde::{Deserialize, Serialize};

use super::View;
use crate::decision::Decision;
use crate::graph::{MentionIndex, NOWHERE, NodeId, POSSIBLY_SAME, Tie};
use crate::journal::Operation;
use crate::operation_error::OperationError;

/// An edge with the name of its far end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Neighbour {
    /// Where it leaves.
    pub from: NodeId,
    /// What it says.
    pub predicate: String,
    /// Where it leads.
    pub to: NodeId,
    /// The other end in one line.
    pub label: String,
}

impl<S: Store> View<'_, S> {
    /// Edges of a node in the past: what its facts and those about them said, and what was loaded.
    pub(super) fn edges(
        &self,
        node: NodeId,
        members: &[MentionIndex],
    ) -> Result<BTreeSet<(NodeId, String, NodeId)>, OperationError> {
        let graph = &self.durable.engine.graph;
        let mut edges = BTreeSet::new();
        for &mention in members {
            let at = graph.mentions[mention as usize];
            let position = graph.position_of(at.fact);
            if at.role > 0 {
                let first = graph.first_mention(at.fact);
                let stated = self.durable.perceived(position)?.predicate;
                if let (Some(from), Some(predicate), Some(to)) =
                    (self.node_at(first), stated, self.node_at(first + 1))
                {
                    edges.insert((from, predicate, to));
                }
            }
        }
        // Close calls of its members, and of others that it led.
        for (mention, leader) in self.close_calls()? {
            let Some(own) = self.node_at(mention) else { continue };
            let leader = self.resolve(leader);
            if own != leader && (own == node || leader == node) {
                edges.insert((own, POSSIBLY_SAME.to_owned(), leader));
            }
        }
        let loaded = self.loaded_edges()?.into_iter();
        edges.extend(loaded.filter(|(from, _, to)| *from == node || *to == node));
        Ok(edges)
    }

    /// The edges that were loaded, and not taken away, as of then.
    pub(crate) fn loaded_edges(&self) -> Result<BTreeSet<(NodeId, String, NodeId)>, OperationError> {
        let mut edges = BTreeSet::new();
        for &operation in
            self.durable.ledger.operations.iter().take_while(|&&operation| self.knows(operation))
        {
            match self.durable.entry(operation)?.map(|entry| entry.operation) {
                Some(Operation::Tie { from, predicate, to }) => {
                    edges.insert((self.resolve(from), predicate, self.resolve(to)));
                }
                Some(Operation::Untie { from, predicate, to }) => {
                    edges.remove(&(self.resolve(from), predicate, self.resolve(to)));
                }
                _ => {}
            }
        }
        Ok(edges)
    }

    /// All close calls, with the node that led: those that stand, and those that were forgotten since.
    fn close_calls(&self) -> Result<Vec<(MentionIndex, NodeId)>, OperationError> {
        let graph = &self.durable.engine.graph;
        let mut calls = Vec::new();
        graph.scan_edges(|_, edge| {
            calls.extend(edge.ties.iter().filter_map(|tie| match *tie {
                Tie::Possible { mention, leader } => Some((mention, graph.id(leader))),
                _ => None,
            }));
        });
        for (&of, there) in &self.elsewhere {
            let Some(mention) = self.durable.engine.mention_at(of) else { continue };
            if there.is_none() || graph.mentions[mention as usize].node != NOWHERE {
                continue;
            }
            if let Some(Operation::Allocate { mentions }) =
                self.durable.entry(of.fact)?.map(|entry| entry.operation)
                && let Some(decided) = mentions.get(usize::from(of.role.saturating_sub(1)))
                && decided.ballot.decision == Decision::Possible
            {
                calls.extend(decided.ballot.leader().map(|leader| (mention, leader)));
            }
        }
        Ok(calls)
    }

    /// The edges of a node, each with the name of its other end, in order of their ends.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn neighbours(&self, id: NodeId) -> Result<Vec<Neighbour>, OperationError> {
        let edges = match self.node(id)? {
            Some(node) => node.edges,
            None => Vec::new(),
        };
        let engine = &self.durable.engine;
        let mut neighbours: Vec<_> = edges
            .into_iter()
            .map(|(from, predicate, to)| {
                let other = if from == id { to } else { from };
                let label = engine.graph.index_of(other).map_or_else(String::new, |at| engine.label(at));
                Neighbour { from, predicate, to, label }
            })
            .collect();
        neighbours.sort();
        self.durable.sound(neighbours)
    }
}
