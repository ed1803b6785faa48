//! Compaction: what was forgotten goes for good, and memory is laid out anew from what is left.
//!
//! The log keeps its positions and loses the entries of what is gone. What it starts from then is a *base*: where every fact that
//! is left belongs, and what has been learned. The graph after a compaction is built from the base, at once as after every later start,
//! so that both are the same.

use cortexkg_store::{ChangeSet, Rewrite, Store, StoreError, Sync, Table};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::consolidation::Doubt;
use crate::durable::{DurableEngine, meta};
use crate::engine::AllocationEngine;
use crate::feedback::{Link, Links};
use crate::graph::{MentionIndex, NOWHERE, NodeId, Tie};
use crate::journal::{LogEntry, Operation, PlacedFact};
use crate::learn::Learner;
use crate::ledger::Ledger;
use crate::old_learner::{FirstLearner, OldLearner};
use crate::operation_error::OperationError;
use crate::profile::FieldKind;
use crate::weights::MatchWeights;

/// Version of the encoding of a base. The first had no version and no doubts, the second no links; up to the third, levels of vectors
/// were those of their cosine; up to the fourth, nothing could be pinned; up to the fifth, nothing was known of names that stand alone.
const BASE_VERSION: u8 = 6;
const BASE_WITHOUT_NAMES: u8 = 5;
const BASE_WITHOUT_PINS: u8 = 4;
const BASE_OF_COSINES: u8 = 3;
const BASE_WITHOUT_LINKS: u8 = 2;

/// What a log starts from after a compaction.
#[derive(Serialize, Deserialize)]
struct Base<L> {
    /// Position that the next operation got.
    position: u64,
    chain: [u8; 32],
    /// Facts that are left, in order, with the nodes of their mentions.
    facts: Vec<PlacedFact>,
    /// Places of nodes: those that have members, and those that merges emptied.
    nodes: Vec<NodeId>,
    next_node: NodeId,
    redirects: Vec<(NodeId, NodeId)>,
    /// Edges that were loaded.
    loaded: Vec<(NodeId, String, NodeId)>,
    fields: Vec<(String, FieldKind)>,
    learner: L,
    weights: MatchWeights,
    ledger: Ledger,
}

/// A base with the close calls that nobody has looked at again.
type BaseWithDoubts<L> = (Base<L>, Vec<(MentionIndex, NodeId)>);
/// That, with the links that stand between facts that are left.
type BaseWithLinks<L> = (BaseWithDoubts<L>, Vec<(u64, Link)>);
/// That, with the nodes that are pinned.
type WholeBase<L> = (BaseWithLinks<L>, Vec<NodeId>);

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Facts that are gone for good.
    pub facts: u64,
    /// Entries of the log that went with them.
    pub entries: u64,
}

impl<S: Store> DurableEngine<S> {
    /// Makes forgetting final: contents of forgotten facts leave store, snapshot and memory, and cannot come back. Writes a new file
    /// and swaps it in; takes time in proportion to the graph. Positions, identifiers and redirects stay as they are.
    ///
    /// # Errors
    /// [`OperationError::Store`]; after one, close the graph and open it again.
    pub fn compact(&mut self) -> Result<Compaction, OperationError> {
        self.check_whole()?;
        let compacted = self.try_to_compact();
        if compacted.is_err() {
            self.break_off();
        }
        compacted
    }

    fn try_to_compact(&mut self) -> Result<Compaction, OperationError> {
        let position = self.engine.position;
        self.carry_out(&Operation::Compact)?;
        let dropped = self.dropped(&self.live_positions())?;
        self.ledger.retain(|position| !dropped.contains(&position));
        let mut changes = ChangeSet::default();
        self.log(position, Operation::Compact, None, &mut changes);
        let base = postcard::to_allocvec(&self.base()).expect("plain data has an encoding");
        changes.put(Table::Meta, meta::BASE, base.clone());
        changes.put(Table::Meta, meta::BASE_VERSION, vec![BASE_VERSION]);
        self.engine.config.layers = *self.engine.layers();
        changes.put(Table::Meta, meta::LAYERS, self.engine.config.layers.encode());
        changes.put(Table::Meta, meta::BASE_POSITION, self.engine.position.to_le_bytes().to_vec());
        changes.put(Table::Meta, meta::COMPACTING, Vec::new());
        // The snapshot speaks of what is gone. Without it, the new base alone gives the same graph at the next start.
        self.store.remove_snapshot()?;
        self.snapshot_position = 0;
        self.commit(changes, Sync::Durable)?;
        let report = self.finish_compaction()?;
        self.build_from(&base)?;
        match self.checkpoint() {
            // Closing tries again; what was forgotten is gone all the same.
            Ok(()) | Err(OperationError::Store(StoreError::Io { .. })) => Ok(report),
            Err(error) => Err(error),
        }
    }

    /// Removes what the base has no longer from the store. The base is there already: a crash in between loses nothing, and the
    /// next opening does it again.
    pub(crate) fn finish_compaction(&mut self) -> Result<Compaction, OperationError> {
        let live = self.live_positions();
        let mut report = Compaction::default();
        self.store.rewrite(&mut |table, key, value| {
            let fate = match table {
                Table::Facts if live.contains(&key) => Rewrite::Keep,
                Table::Facts => Rewrite::Drop,
                Table::Log => trimmed(key, value, &live)?,
                Table::Meta if key == meta::COMPACTING => Rewrite::Drop,
                Table::Meta => Rewrite::Keep,
            };
            report.facts += u64::from(table == Table::Facts && fate == Rewrite::Drop);
            report.entries += u64::from(table == Table::Log && fate == Rewrite::Drop);
            Ok(fate)
        })?;
        Ok(report)
    }

    fn live_positions(&self) -> FxHashSet<u64> {
        let graph = &self.engine.graph;
        graph.live_facts().into_iter().map(|fact| graph.position_of(fact)).collect()
    }

    /// Operations that speak of nothing but facts that are gone.
    fn dropped(&self, live: &FxHashSet<u64>) -> Result<FxHashSet<u64>, OperationError> {
        let mut dropped = FxHashSet::default();
        for &position in &self.ledger.operations {
            let Some(entry) = self.entry(position)? else { continue };
            if let Operation::Forget { facts } | Operation::Restore { facts } = &entry.operation
                && !facts.iter().any(|placed| live.contains(&placed.fact))
            {
                dropped.insert(position);
            }
        }
        Ok(dropped)
    }

    fn base(&self) -> WholeBase<Learner> {
        let AllocationEngine { graph, dictionary, learner, weights, position, chain, .. } = &self.engine;
        let mut nodes = Vec::new();
        graph.scan_nodes(|at, node| {
            let id = graph.id(at);
            if !node.is_empty() || graph.redirects.contains_key(&id) {
                nodes.push(id);
            }
        });
        let mut loaded = Vec::new();
        graph.scan_edges(|_, edge| {
            for tie in &edge.ties {
                if let Tie::Loaded { from, to } = *tie {
                    let [from, to] = [from, to].map(|node| graph.id(node));
                    loaded.push((from, graph.predicates[edge.predicate as usize].clone(), to));
                }
            }
        });
        let places = self.engine.lasting_places();
        let doubts = self.engine.doubts.iter().filter_map(|doubt| {
            let node = graph.resolved(doubt.node);
            let mention = places[doubt.mention as usize]?;
            (!graph.node(node).is_empty()).then(|| (mention, graph.id(node)))
        });
        let doubts = doubts.collect();
        let base = Base {
            position: *position,
            chain: *chain,
            facts: graph.live_facts().into_iter().map(|fact| self.placed(fact)).collect(),
            nodes,
            next_node: graph.next_id(),
            redirects: graph.redirects.iter().map(|(&from, &to)| (from, to)).collect(),
            loaded,
            fields: dictionary.lasting_fields(),
            learner: lasting_learner(learner, &places),
            weights: weights.clone(),
            ledger: self.ledger.clone(),
        };
        let is_there = |of| self.engine.placed_mention(of).is_some();
        let links = self.engine.links.iter();
        let links = links.filter(|(_, link)| is_there(link.left) && is_there(link.right)).collect();
        (((base, doubts), links), self.engine.pins.ids().collect())
    }

    /// Position from which the log goes on: that of the base, or 0.
    pub(crate) fn base_position(&self) -> Result<u64, OperationError> {
        let Some(bytes) = self.store.get(Table::Meta, meta::BASE_POSITION)? else { return Ok(0) };
        let place = || format!("meta, row {}", meta::BASE_POSITION);
        let bytes = bytes.try_into().map_err(|_| StoreError::damaged(place(), "is no position"))?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Builds the graph from a base and the contents of its facts.
    pub(crate) fn build_from(&mut self, base: &[u8]) -> Result<(), OperationError> {
        let damaged = |what: String| StoreError::damaged(format!("meta, row {}", meta::BASE), what);
        let unreadable = |error: postcard::Error| damaged(error.to_string());
        let version = self.store.get(Table::Meta, meta::BASE_VERSION)?;
        let (((base, doubts), links), pins) = match version.as_deref() {
            None => {
                let old: Base<FirstLearner> = postcard::from_bytes(base).map_err(unreadable)?;
                (((old.learned(), Vec::new()), Vec::new()), Vec::new())
            }
            Some([BASE_WITHOUT_LINKS]) => {
                let (old, doubts): BaseWithDoubts<OldLearner> =
                    postcard::from_bytes(base).map_err(unreadable)?;
                (((old.learned(), doubts), Vec::new()), Vec::new())
            }
            Some([BASE_OF_COSINES | BASE_WITHOUT_PINS]) => {
                let ((old, doubts), links): BaseWithLinks<OldLearner> =
                    postcard::from_bytes(base).map_err(unreadable)?;
                (((old.learned(), doubts), links), Vec::new())
            }
            Some([BASE_WITHOUT_NAMES]) => {
                let (((old, doubts), links), pins): WholeBase<OldLearner> =
                    postcard::from_bytes(base).map_err(unreadable)?;
                (((old.learned(), doubts), links), pins)
            }
            Some([BASE_VERSION]) => postcard::from_bytes::<WholeBase<Learner>>(base).map_err(unreadable)?,
            Some(other) => return Err(damaged(format!("version {other:?} is not known")).into()),
        };
        let new = AllocationEngine::new(self.engine.config.clone());
        let old = std::mem::replace(&mut self.engine, new);
        self.engine.watch_as(old);
        self.engine.dictionary.know_fields(&base.fields);
        self.engine.weights = base.weights;
        self.engine.learner = base.learner;
        self.engine.learner.begin_random_anew();
        if !matches!(version.as_deref(), Some([BASE_WITHOUT_PINS | BASE_WITHOUT_NAMES | BASE_VERSION])) {
            self.engine.learner.forget_vectors();
        }
        for &id in &base.nodes {
            self.engine.graph.add_node(id);
        }
        self.engine.graph.reserve_ids(base.next_node);
        self.engine.graph.redirects = base.redirects.into_iter().collect();
        self.engine.set_pins(pins);
        for placed in &base.facts {
            self.adopt(placed)?;
        }
        for (from, predicate, to) in &base.loaded {
            let graph = &mut self.engine.graph;
            if let [Some(from), Some(to)] = [*from, *to].map(|id| graph.index_of(id)) {
                let predicate = graph.predicate(predicate);
                graph.tie(Tie::Loaded { from, to }, predicate);
            }
        }
        for (mention, node) in doubts {
            if let Some(node) = self.engine.graph.index_of(node) {
                self.engine.doubts.push(Doubt { mention, node });
            }
        }
        self.engine.links = Links::of(links);
        self.renumbered();
        self.engine.refresh();
        self.engine.position = base.position;
        self.engine.chain = base.chain;
        self.ledger = base.ledger;
        Ok(())
    }

    /// Takes a fact of the base in.
    fn adopt(&mut self, placed: &PlacedFact) -> Result<(), OperationError> {
        let perceived = self.perceived(placed.fact)?;
        let lost = || StoreError::damaged(Table::Log.row(placed.fact), "it is missing");
        let entry = self.entry(placed.fact)?.ok_or_else(lost)?;
        self.engine.position = placed.fact;
        let fact = self.engine.begin(&perceived)?;
        for (at, &id) in placed.nodes.iter().enumerate() {
            let missing =
                || StoreError::damaged(format!("meta, row {}", meta::BASE), format!("no node {id}"));
            let node = self.engine.graph.index_of(id).ok_or_else(missing)?;
            let ballot = self.engine.foregone(node, &perceived, at);
            self.engine.learn_from_random();
            self.engine.commit_member(&perceived, at, fact, node, ballot);
        }
        if let Operation::Allocate { mentions } = entry.operation {
            let first = self.engine.graph.first_mention(fact);
            for (mention, decided) in (first..).zip(&mentions) {
                self.engine.adopt_exceptions(mention, decided);
            }
        }
        self.tie_again(placed.fact)
    }
}

impl AllocationEngine {
    /// Notes the conflicts that the decision on a mention was taken in spite of.
    fn adopt_exceptions(&mut self, mention: MentionIndex, decided: &crate::journal::DecidedMention) {
        let ballot = self.restored_ballot(&decided.ballot);
        if ballot.decision == crate::Decision::Existing {
            self.note_exceptions(&ballot, mention);
        }
    }

    /// By the place of a mention: the place that it will have once forgotten ones are gone.
    fn lasting_places(&self) -> Vec<Option<MentionIndex>> {
        let mut place = 0;
        let places = self.graph.mentions.iter().map(|mention| {
            let stays = mention.node != NOWHERE;
            place += MentionIndex::from(stays);
            stays.then(|| place - 1)
        });
        places.collect()
    }
}

/// What has been learned, its pairs named by places that mentions will have once forgotten ones are gone.
fn lasting_learner(learner: &Learner, places: &[Option<MentionIndex>]) -> Learner {
    let mut lasting = learner.clone();
    lasting.rename(|mention| places.get(mention as usize).copied().flatten());
    lasting
}

impl<L: Into<Learner>> Base<L> {
    /// With what was learned as it is kept today.
    fn learned(self) -> Base<Learner> {
        let Self {
            position,
            chain,
            facts,
            nodes,
            next_node,
            redirects,
            loaded,
            fields,
            learner,
            weights,
            ledger,
        } = self;
        let learner = learner.into();
        Base { position, chain, facts, nodes, next_node, redirects, loaded, fields, learner, weights, ledger }
    }
}

/// What stays of an entry: facts that are gone are not named any more.
fn trimmed(position: u64, value: &[u8], live: &FxHashSet<u64>) -> Result<Rewrite, StoreError> {
    let damaged =
        |error: postcard::Error| StoreError::damaged(format!("log, row {position}"), error.to_string());
    let mut entry = LogEntry::decode(value).map_err(damaged)?;
    let before = entry.clone();
    match &mut entry.operation {
        Operation::Allocate { .. } | Operation::Place { .. } if !live.contains(&position) => {
            return Ok(Rewrite::Drop);
        }
        Operation::Forget { facts } | Operation::Restore { facts } => {
            facts.retain(|placed| live.contains(&placed.fact));
            if facts.is_empty() {
                return Ok(Rewrite::Drop);
            }
        }
        Operation::Merge { moved, .. }
        | Operation::Unmerge { moved, .. }
        | Operation::Split { moved, .. } => {
            moved.retain(|mention| live.contains(&mention.fact));
        }
        _ => {}
    }
    if entry == before {
        return Ok(Rewrite::Keep);
    }
    Ok(Rewrite::Replace(entry.encode()))
}
