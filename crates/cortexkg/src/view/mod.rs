//! The graph to read: as it stands, or as it stood right after an operation of the log.
//!
//! The past is not kept in copies. Everything that an operation did to membership stands in its entry, so a view of the past walks
//! back from the present over the operations since, merges and the like, of which there are few.

mod close_calls;
mod edges;

pub use close_calls::CloseCall;
pub use edges::Neighbour;

use std::collections::{BTreeMap, BTreeSet};

use cortexkg_store::Store;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::decision::{AllocationMethod, Decision};
use crate::dictionary::{FieldId, ValueId};
use crate::durable::DurableEngine;
use crate::engine::AllocationEngine;
use crate::fact::Fact;
use crate::graph::{MentionIndex, NOWHERE, NodeId, NodeIndex};
use crate::journal::{MentionRef, Operation, PlacedFact};
use crate::operation_error::OperationError;
use crate::perceive::TEXT_FIELD;
use crate::report::NodeView;

/// Where one mention belongs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The mention: its record's identifier, for the ends of a triple with `#s` or `#o`.
    pub record_id: String,
    /// Who said it; empty if the fact named no source.
    pub source: String,
    /// The node it belongs to.
    pub node: NodeId,
    /// What was decided when it came in.
    pub decision: Decision,
    /// How sure that decision was, 0 to 1.
    pub confidence: f32,
    /// By how many bits it beat the next best.
    pub margin_bits: f32,
    /// How its candidates were found.
    pub method: AllocationMethod,
    /// Position of the fact in the log.
    pub log_position: u64,
    /// When it was recorded, in seconds since 1970, if the caller knew.
    pub recorded_s: Option<i64>,
}

/// A fact that speaks of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberFact {
    /// The mention that belongs to the node.
    pub mention: String,
    /// Position of the fact in the log.
    pub position: u64,
    /// When it was recorded, in seconds since 1970, if the caller knew.
    pub recorded_s: Option<i64>,
    /// What was said, as received.
    pub fact: Option<Fact>,
}

/// How much there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Facts that are not forgotten.
    pub facts: u64,
    /// Their mentions.
    pub mentions: u64,
    /// Nodes with members.
    pub nodes: u64,
    /// Edges between them; of the present only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<u64>,
    /// Identifiers that lead to another node.
    pub redirects: u64,
    /// Facts that are forgotten and can come back.
    pub forgotten: u64,
    /// Conflicts that decisions were taken in spite of; of the present only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<u64>,
    /// Sources and the number of their facts, by name.
    pub sources: Vec<(String, u64)>,
}

/// The graph at one moment.
pub struct View<'a, S> {
    durable: &'a DurableEngine<S>,
    /// Position of the last operation that counts; none for the present.
    as_of: Option<u64>,
    /// Nodes of mentions that were elsewhere then; none where the fact was forgotten then.
    elsewhere: FxHashMap<MentionRef, Option<NodeId>>,
    redirects: BTreeMap<NodeId, NodeId>,
}

impl<S: Store> DurableEngine<S> {
    /// The graph as it stands, or as it stood right after the operation at a position of the log. What was compacted away since is
    /// missing from it.
    ///
    /// # Errors
    /// [`OperationError::UnknownPosition`] if the log is shorter.
    pub fn view(&self, as_of: Option<u64>) -> Result<View<'_, S>, OperationError> {
        let end = self.engine.position;
        if let Some(position) = as_of.filter(|&position| position >= end) {
            return Err(OperationError::UnknownPosition { position, end });
        }
        let redirects = self.engine.graph.redirects.clone();
        let mut view = View { durable: self, as_of, elsewhere: FxHashMap::default(), redirects };
        if let Some(position) = as_of {
            let later = self.ledger.operations.iter().rev().take_while(|&&operation| operation > position);
            for &operation in later {
                if let Some(entry) = self.entry(operation)? {
                    view.step_back(&entry.operation);
                }
            }
        }
        Ok(view)
    }
}

impl<S: Store> View<'_, S> {
    fn step_back(&mut self, operation: &Operation) {
        match operation {
            Operation::Merge { merged, moved, .. } => {
                self.redirects.remove(merged);
                self.put(moved, *merged);
            }
            Operation::Unmerge { kept, merged, moved } => {
                self.redirects.insert(*merged, *kept);
                self.put(moved, self.resolve(*kept));
            }
            Operation::Split { from, moved, .. } => self.put(moved, *from),
            Operation::Forget { facts } => self.put_facts(facts, true),
            Operation::Restore { facts } => self.put_facts(facts, false),
            _ => {}
        }
    }

    fn put(&mut self, moved: &[MentionRef], node: NodeId) {
        self.elsewhere.extend(moved.iter().map(|&mention| (mention, Some(node))));
    }

    fn put_facts(&mut self, facts: &[PlacedFact], there: bool) {
        for placed in facts {
            let is_triple = placed.nodes.len() == 2;
            for (at, &node) in (0..).zip(&placed.nodes) {
                let role = if is_triple { at + 1 } else { 0 };
                let mention = MentionRef { fact: placed.fact, role };
                self.elsewhere.insert(mention, there.then_some(node));
            }
        }
    }

    /// Position of the last operation that counts; none in an empty graph.
    pub fn position(&self) -> Option<u64> {
        self.as_of.or_else(|| self.durable.position().checked_sub(1))
    }

    /// The node that an identifier led to.
    pub fn resolve(&self, mut id: NodeId) -> NodeId {
        while let Some(&next) = self.redirects.get(&id) {
            id = next;
        }
        id
    }

    /// The identifiers that led to a node.
    pub fn merged_into(&self, node: NodeId) -> Vec<NodeId> {
        self.redirects.keys().copied().filter(|&id| self.resolve(id) == node).collect()
    }

    pub(crate) fn engine(&self) -> &AllocationEngine {
        &self.durable.engine
    }

    pub(crate) fn sound<T>(&self, read: T) -> Result<T, OperationError> {
        self.durable.sound(read)
    }

    pub(crate) fn fact_at(&self, position: u64) -> Result<Option<Fact>, OperationError> {
        self.durable.fact_at(position)
    }

    pub(crate) fn is_present(&self) -> bool {
        self.as_of.is_none()
    }

    /// The nodes to which the members of a node of today belonged, oldest member first.
    pub(crate) fn nodes_then(&self, today: NodeId) -> Vec<NodeId> {
        let graph = &self.durable.engine.graph;
        let members = graph.index_of(today).map(|at| graph.node(at).members.iter());
        let mut nodes = Vec::new();
        for node in members.into_iter().flatten().filter_map(|mention| self.node_at(mention)) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        nodes
    }

    fn knows(&self, position: u64) -> bool {
        self.as_of.is_none_or(|last| position <= last)
    }

    /// The node that a mention belonged to, if it was there.
    pub(crate) fn node_at(&self, mention: MentionIndex) -> Option<NodeId> {
        let graph = &self.durable.engine.graph;
        let now = graph.mentions[mention as usize].node;
        let now = (now != NOWHERE).then(|| graph.id(now));
        if self.as_of.is_none() {
            return now;
        }
        let of = self.durable.engine.mention_ref(mention);
        if !self.knows(of.fact) {
            return None;
        }
        self.elsewhere.get(&of).copied().unwrap_or(now)
    }

    /// Visits every mention with the node it belonged to, in the order of the log. An error of the visitor ends it.
    ///
    /// # Errors
    /// [`OperationError::Store`], and those of the visitor.
    pub fn assignments(
        &self,
        visit: &mut dyn FnMut(&Assignment) -> Result<(), OperationError>,
    ) -> Result<(), OperationError> {
        let engine = &self.durable.engine;
        for fact in 0..engine.graph.facts_ever() {
            let position = engine.graph.position_of(fact);
            if !self.knows(position) {
                break;
            }
            let mentions = engine.graph.mentions_of(fact);
            let nodes: Vec<_> = mentions.clone().map(|mention| self.node_at(mention)).collect();
            if nodes.iter().all(Option::is_none) {
                continue;
            }
            let entry = engine.graph.fact(fact);
            let logged = self.durable.entry(position)?;
            let recorded_s = logged.as_ref().and_then(|logged| logged.recorded_s);
            let decided = match logged.map(|logged| logged.operation) {
                Some(Operation::Allocate { mentions }) => mentions,
                _ => Vec::new(),
            };
            for ((at, mention), node) in mentions.enumerate().zip(nodes) {
                let Some(node) = node else { continue };
                let ballot = match decided.get(at) {
                    Some(decided) => engine.restored_ballot(&decided.ballot),
                    None => engine.foregone_ballot(true),
                };
                visit(&Assignment {
                    record_id: engine.mention_id(mention),
                    source: engine.graph.sources[entry.source as usize].clone(),
                    node,
                    decision: ballot.decision,
                    confidence: ballot.confidence(),
                    margin_bits: ballot.margin.as_f32(),
                    method: ballot.method,
                    log_position: position,
                    recorded_s,
                })?;
            }
        }
        self.durable.sound(())
    }

    /// The mentions that belonged to a node, in order.
    fn members(&self, node: NodeId) -> Vec<MentionIndex> {
        let graph = &self.durable.engine.graph;
        let here = |at: NodeIndex| graph.node(at).members.to_vec();
        let now = graph.index_of(node).map_or_else(Vec::new, here);
        if self.as_of.is_none() {
            return now;
        }
        let moved = self.elsewhere.iter().filter(|(_, there)| **there == Some(node));
        let mut members: Vec<_> = moved.filter_map(|(&of, _)| self.durable.engine.mention_at(of)).collect();
        members.extend(now);
        members.retain(|&mention| self.node_at(mention) == Some(node));
        members.sort_unstable();
        members.dedup();
        members
    }

    /// A node as it was; none if it had no members. Redirects are not followed.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn node(&self, id: NodeId) -> Result<Option<NodeView>, OperationError> {
        let engine = &self.durable.engine;
        if self.as_of.is_none() {
            return self.durable.sound(engine.node(id));
        }
        let members = self.members(id);
        if members.is_empty() {
            return Ok(None);
        }
        let counts = self.counts_of(&members);
        let commonest = counts
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|values| values.iter().rev().max_by_key(|value| value.2))
            .map(|&(field, value, _)| (field, value));
        let label = engine.line(commonest);
        let properties: Vec<_> = counts
            .iter()
            .map(|&(field, value, count)| {
                (
                    engine.dictionary.field(field).name.clone(),
                    engine.dictionary.surface(value).to_owned(),
                    count,
                )
            })
            .collect();
        let aliases = properties.iter().filter(|(field, ..)| field == TEXT_FIELD);
        let edges = self.edges(id, &members)?;
        self.durable.sound(Some(NodeView {
            id,
            label,
            aliases: aliases.map(|(_, text, _)| text.clone()).collect(),
            properties,
            members: members.iter().map(|&mention| engine.member(mention)).collect(),
            edges: edges.into_iter().collect(),
        }))
    }

    /// Field, value and how many of these members have it, by field.
    fn counts_of(&self, members: &[MentionIndex]) -> Vec<(FieldId, ValueId, u32)> {
        let mut counts: Vec<(FieldId, ValueId, u32)> = Vec::new();
        for &mention in members {
            for (field, value) in self.engine().graph.mention_values(mention) {
                match counts.iter_mut().find(|known| (known.0, known.1) == (field, value)) {
                    Some(known) => known.2 += 1,
                    None => counts.push((field, value, 1)),
                }
            }
        }
        counts.sort_by_key(|&(field, ..)| field);
        counts
    }

    /// Field, value and how many members of a node have it, by field.
    pub(crate) fn value_counts(&self, node: NodeId) -> Vec<(FieldId, ValueId, u32)> {
        let graph = &self.engine().graph;
        match graph.index_of(node) {
            Some(at) if self.is_present() => {
                let values = graph.node(at).values.iter();
                values.map(|value| (value.field, value.value, value.count)).collect()
            }
            _ => self.counts_of(&self.members(node)),
        }
    }

    /// What was said of a node: the facts of its members, in order.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn facts(&self, id: NodeId) -> Result<Vec<MemberFact>, OperationError> {
        let engine = &self.durable.engine;
        let facts = self.members(id).into_iter().map(|mention| {
            let position = engine.mention_ref(mention).fact;
            Ok(MemberFact {
                mention: engine.mention_id(mention),
                position,
                recorded_s: self.durable.entry(position)?.and_then(|entry| entry.recorded_s),
                fact: self.durable.fact_at(position)?,
            })
        });
        let facts = facts.collect::<Result<_, OperationError>>()?;
        self.durable.sound(facts)
    }

    /// How much there was.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn counts(&self) -> Result<Counts, OperationError> {
        let engine = &self.durable.engine;
        let graph = &engine.graph;
        let mut counts = Counts { redirects: self.redirects.len() as u64, ..Counts::default() };
        let mut nodes = BTreeSet::new();
        let mut sources: BTreeMap<&str, u64> = BTreeMap::new();
        graph.scan_facts(|fact, entry| {
            if !self.knows(graph.position_of(fact)) {
                return;
            }
            let there: Vec<_> = graph.mentions_of(fact).filter_map(|mention| self.node_at(mention)).collect();
            if there.is_empty() {
                counts.forgotten += 1;
                return;
            }
            counts.facts += 1;
            counts.mentions += there.len() as u64;
            *sources.entry(&graph.sources[entry.source as usize]).or_default() += 1;
            nodes.extend(there);
        });
        counts.nodes = nodes.len() as u64;
        counts.sources = sources.into_iter().map(|(name, facts)| (name.to_owned(), facts)).collect();
        if self.as_of.is_none() {
            counts.edges = Some(engine.edge_count() as u64);
            counts.exceptions = Some(engine.exceptions().count() as u64);
        }
        self.durable.sound(counts)
    }
}
