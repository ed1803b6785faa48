//! Verify: does everything hold that always must?

use cortexkg_store::{Store, StoreError, Table};
use rustc_hash::FxHashMap;

use crate::durable::DurableEngine;
use crate::engine::AllocationEngine;
use crate::graph::{MentionIndex, NOWHERE};
use crate::journal::{LogEntry, Operation};
use crate::operation_error::OperationError;

/// Faults that are named; more are only counted.
const FAULTS_MAX: usize = 100;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// Every row of the store, every reference in memory.
    References,
    /// That, and the graph is built once more from the log and must come out the same. Takes about as long as taking the facts in.
    Rebuild,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// What was looked at, and how many of it.
    pub checks: Vec<(String, u64)>,
    /// What is wrong, the first 100; empty if all is well.
    pub faults: Vec<String>,
    /// How much is wrong.
    pub faults_found: u64,
}

impl VerifyReport {
    /// Whether all is well.
    pub fn is_clean(&self) -> bool {
        self.faults_found == 0
    }

    fn checked(&mut self, what: &str, count: usize) {
        self.checks.push((what.to_owned(), count as u64));
    }

    fn expect(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults_found += 1;
            if self.faults.len() < FAULTS_MAX {
                self.faults.push(fault());
            }
        }
    }
}

impl<S: Store> DurableEngine<S> {
    /// Checks every row of the store and every reference of the graph; `progress` hears of each part before it begins.
    ///
    /// # Errors
    /// [`OperationError::Store`] where the store cannot be read at all; what is damaged is a fault of the report.
    pub fn verify(
        &mut self,
        depth: Depth,
        progress: &mut dyn FnMut(&str),
    ) -> Result<VerifyReport, OperationError> {
        let mut report = VerifyReport::default();
        progress("log and facts");
        self.verify_rows(&mut report)?;
        progress("graph");
        self.engine.verify_graph(&mut report);
        progress("dictionary");
        self.engine.verify_dictionary(&mut report);
        progress("index");
        let read = self.engine.verify_index(&mut report);
        found(read, &mut report)?;
        found(self.engine.failure.check(), &mut report)?;
        if let Some(snapshot) = found(self.store.snapshot(), &mut report)?.flatten() {
            progress("snapshot");
            let checked = snapshot.check();
            report.expect(checked.is_ok(), || {
                checked.err().map_or_else(String::new, |error| error.to_string())
            });
            report.checked("blocks of the snapshot", snapshot.sections().count());
        }
        if depth == Depth::Rebuild {
            progress("building the graph from its log");
            self.verify_by_rebuilding(&mut report)?;
        }
        Ok(report)
    }

    fn verify_rows(&self, report: &mut VerifyReport) -> Result<(), OperationError> {
        let mut took_in = Vec::new();
        let mut entries = 0;
        let mut operations = Vec::new();
        let end = self.engine.position;
        let scanned = self.store.scan(Table::Log, 0..u64::MAX, &mut |position, bytes| {
            entries += 1;
            report.expect(position < end, || {
                format!("log, row {position}: is behind the end of the graph ({end})")
            });
            match LogEntry::decode(bytes) {
                Err(error) => report.expect(false, || format!("log, row {position}: {error}")),
                Ok(LogEntry { operation: Operation::Allocate { .. } | Operation::Place { .. }, .. }) => {
                    took_in.push(position);
                }
                Ok(_) => operations.push(position),
            }
            Ok(())
        });
        found(scanned, report)?;
        report.checked("entries of the log", entries);
        report.expect(operations == self.ledger.operations, || {
            "log: the operations are not those that the graph knows".to_owned()
        });
        let mut contents = Vec::new();
        let scanned = self.store.scan(Table::Facts, 0..u64::MAX, &mut |position, bytes| {
            contents.push(position);
            let fact = crate::stored_fact::decode(bytes);
            report.expect(fact.is_ok(), || format!("facts, row {position}: cannot be read"));
            Ok(())
        });
        found(scanned, report)?;
        report.checked("facts", contents.len());
        let graph = &self.engine.graph;
        let facts: Vec<u64> = (0..graph.facts_ever()).map(|fact| graph.position_of(fact)).collect();
        for (name, rows) in [("log", &took_in), ("facts", &contents)] {
            let missing = facts.iter().filter(|position| rows.binary_search(position).is_err());
            missing
                .for_each(|position| report.expect(false, || format!("{name}, row {position}: is missing")));
            let extra = rows.iter().filter(|position| facts.binary_search(position).is_err());
            extra.for_each(|position| {
                report.expect(false, || format!("{name}, row {position}: belongs to no fact of the graph"));
            });
        }
        Ok(())
    }

    fn verify_by_rebuilding(&mut self, report: &mut VerifyReport) -> Result<(), OperationError> {
        let empty = AllocationEngine::new(self.engine.config.clone());
        let engine = std::mem::replace(&mut self.engine, empty);
        let ledger = std::mem::take(&mut self.ledger);
        let opening = self.opening().clone();
        let rebuilt = self.start_from_base().and_then(|()| self.repeat_log());
        let hash = self.engine.state_hash();
        (self.engine, self.ledger) = (engine, ledger);
        self.set_opening(opening);
        match rebuilt {
            Ok(()) => {}
            Err(OperationError::Diverged { position }) => {
                report.expect(false, || format!("log, row {position}: repeating it gives another graph"));
            }
            Err(OperationError::Store(error @ StoreError::Damaged { .. })) => {
                report.expect(false, || error.to_string());
            }
            Err(error) => return Err(error),
        }
        let held = self.engine.state_hash();
        report.expect(hash == held, || format!("the log gives a graph of hash {hash}, memory holds {held}"));
        report.checked("operations repeated", self.engine.position as usize);
        Ok(())
    }
}

/// Damage is a fault; anything else is an error.
fn found<T>(result: Result<T, StoreError>, report: &mut VerifyReport) -> Result<Option<T>, OperationError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ StoreError::Damaged { .. }) => {
            report.expect(false, || error.to_string());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

impl AllocationEngine {
    fn verify_graph(&self, report: &mut VerifyReport) {
        let graph = &self.graph;
        report.checked("nodes", graph.ids().len());
        let mut members = 0;
        graph.scan_nodes(|at, node| {
            let id = graph.id(at);
            members += node.members.len();
            report.expect(node.members.iter().is_sorted(), || {
                format!("node {id}: its members are out of order")
            });
            for mention in node.members {
                let belongs = graph.mentions.get(mention as usize).is_some_and(|mention| mention.node == at);
                report.expect(belongs, || format!("node {id}: a member belongs elsewhere"));
            }
            for edge in node.edges {
                let is_its_own = (edge as usize) < graph.edges_ever() && {
                    let edge = graph.edge(edge);
                    (edge.from == at || edge.to == at) && !edge.ties.is_empty()
                };
                report.expect(is_its_own, || format!("node {id}: has an edge that is not its own"));
            }
            for value in node.values {
                let known = (value.value as usize) < self.dictionary.value_count()
                    && node.members.iter().any(|member| member == value.first)
                    && value.count as usize <= node.members.len();
                report.expect(known, || format!("node {id}: a value that none of its members brought"));
            }
            report.expect(node.is_empty() || !graph.redirects.contains_key(&id), || {
                format!("node {id}: is merged into another and has members all the same")
            });
        });
        report.expect(graph.ids().iter().is_sorted_by(|a, b| a < b), || {
            "nodes: identifiers do not rise".to_owned()
        });
        let placed = graph.mentions.iter().filter(|mention| mention.node != NOWHERE).count();
        report.expect(members == placed, || {
            format!("{placed} mentions are placed, nodes have {members} members")
        });
        report.checked("redirects", graph.redirects.len());
        for (&from, &to) in &graph.redirects {
            report.expect(to != from && graph.resolve(from) < graph.next_id(), || {
                format!("redirect {from}: leads to {to}, which never was")
            });
        }
        report.checked("edges", graph.edges_ever());
        let nodes = graph.ids().len();
        graph.scan_edges(|at, edge| {
            let known = edge.ties.is_empty() || (edge.from as usize) < nodes && (edge.to as usize) < nodes;
            report.expect(known, || format!("edge {at}: an end is no node"));
        });
        let mut live = 0;
        graph.scan_facts(|fact, entry| {
            live += usize::from(!entry.is_forgotten);
            let source = graph.sources.get_index(entry.source as usize).map_or("", String::as_str);
            let known = entry.is_forgotten || self.fact_named(source, &entry.record_id) == Some(fact);
            report.expect(known, || format!("fact {}: its identifier is unknown", entry.record_id));
            let gone =
                graph.mentions_of(fact).all(|mention| graph.mentions[mention as usize].node == NOWHERE);
            report.expect(entry.is_forgotten == gone, || {
                format!("fact {}: is forgotten by half", entry.record_id)
            });
        });
        report.expect(live == graph.live_fact_count, || {
            format!("{live} facts are live, {} are counted", graph.live_fact_count)
        });
    }

    fn verify_dictionary(&self, report: &mut VerifyReport) {
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        for mention in 0..self.graph.mentions.len() as MentionIndex {
            if self.graph.mentions[mention as usize].node != NOWHERE {
                for (_, value) in self.graph.mention_values(mention) {
                    *counts.entry(value).or_default() += 1;
                }
            }
        }
        report.checked("values", self.dictionary.value_count());
        self.dictionary.scan_values(|id, value| {
            let held = value.count();
            let counted = counts.get(&id).copied().unwrap_or(0);
            report.expect(counted == held, || {
                format!("value {:?}: {counted} mentions have it, {held} are counted", value.surface())
            });
        });
    }

    fn verify_index(&self, report: &mut VerifyReport) -> Result<(), StoreError> {
        let is_live =
            |node: u32| (node as usize) < self.graph.ids().len() && !self.graph.node(node).is_empty();
        let mut lists = 0;
        self.index.scan(|key, nodes| {
            lists += 1;
            report
                .expect(nodes.is_sorted_by(|a, b| a > b), || format!("index, list {key:x}: is out of order"));
            for &node in nodes {
                report.expect(is_live(node), || format!("index, list {key:x}: names a node without members"));
            }
        })?;
        report.checked("lists of the index", lists);
        let mut vectors = 0;
        self.vectors.scan(|node, _| {
            vectors += 1;
            report.expect(is_live(node), || format!("vectors: one of place {node}, which has no members"));
        });
        report.checked("vectors", vectors);
        Ok(())
    }
}
