//! Verify: does everything hold that always must?

use cortexkg_store::{Store, StoreError, Table};
use rustc_hash::FxHashMap;

use crate::durable::DurableEngine;
use crate::engine::{AllocationEngine, fact_key};
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
        self.engine.verify_index(&mut report);
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
            match postcard::from_bytes::<LogEntry>(bytes) {
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
        let facts: Vec<u64> = self.engine.graph.facts.iter().map(|fact| fact.position).collect();
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
        report.checked("nodes", graph.nodes.len());
        let mut members = 0;
        for (at, node) in (0..).zip(&graph.nodes) {
            members += node.members.len();
            report.expect(node.members.is_sorted(), || {
                format!("node {}: its members are out of order", node.id)
            });
            for &mention in &node.members {
                let belongs = graph.mentions.get(mention as usize).is_some_and(|mention| mention.node == at);
                report.expect(belongs, || format!("node {}: a member belongs elsewhere", node.id));
            }
            for &edge in &node.edges {
                let edge = graph.edges.get(edge as usize);
                let touches =
                    edge.is_some_and(|edge| (edge.from == at || edge.to == at) && !edge.ties.is_empty());
                report.expect(touches, || format!("node {}: has an edge that is not its own", node.id));
            }
            let redirected = graph.redirects.contains_key(&node.id);
            report.expect(!redirected || node.is_empty(), || {
                format!("node {}: is merged into another and has members all the same", node.id)
            });
        }
        report.expect(graph.nodes.is_sorted_by(|a, b| a.id < b.id), || {
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
        report.checked("edges", graph.edges.len());
        for edge in graph.edges.iter().filter(|edge| !edge.ties.is_empty()) {
            for end in [edge.from, edge.to] {
                let known = graph.nodes.get(end as usize).is_some();
                report.expect(known, || "edges: an end is no node".to_owned());
            }
        }
        let live = graph.facts.iter().filter(|fact| !fact.is_forgotten).count();
        report.expect(live == self.fact_by_id.len(), || {
            format!("{live} facts are live, {} identifiers are known", self.fact_by_id.len())
        });
        for (fact, entry) in (0..).zip(&graph.facts) {
            let source = graph.sources.get_index(entry.source as usize).map_or("", String::as_str);
            let known = self.fact_by_id.get(&fact_key(source, &entry.record_id)) == Some(&fact);
            report.expect(entry.is_forgotten || known, || {
                format!("fact {}: its identifier is unknown", entry.record_id)
            });
            let gone =
                graph.mentions_of(fact).all(|mention| graph.mentions[mention as usize].node == NOWHERE);
            report.expect(entry.is_forgotten == gone, || {
                format!("fact {}: is forgotten by half", entry.record_id)
            });
        }
    }

    fn verify_dictionary(&self, report: &mut VerifyReport) {
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        for mention in 0..self.graph.mentions.len() as MentionIndex {
            if self.graph.mentions[mention as usize].node != NOWHERE {
                for &(_, value) in self.graph.mention_values(mention) {
                    *counts.entry(value).or_default() += 1;
                }
            }
        }
        report.checked("values", self.dictionary.value_count());
        for value in 0..self.dictionary.value_count() as u32 {
            let (counted, held) = (counts.get(&value).copied().unwrap_or(0), self.dictionary.count_of(value));
            report.expect(counted == held, || {
                format!(
                    "value {:?}: {counted} mentions have it, {held} are counted",
                    self.dictionary.surface(value)
                )
            });
        }
        for node in &self.graph.nodes {
            for value in &node.values {
                let known = (value.value as usize) < self.dictionary.value_count()
                    && node.members.binary_search(&value.first).is_ok()
                    && value.count as usize <= node.members.len();
                report
                    .expect(known, || format!("node {}: a value that none of its members brought", node.id));
            }
        }
    }

    fn verify_index(&self, report: &mut VerifyReport) {
        let mut lists = 0;
        for (key, nodes) in self.index.lists_of_all() {
            lists += 1;
            report
                .expect(nodes.is_sorted_by(|a, b| a < b), || format!("index, list {key:x}: is out of order"));
            for &node in nodes {
                let live = self.graph.nodes.get(node as usize).is_some_and(|node| !node.is_empty());
                report.expect(live, || format!("index, list {key:x}: names a node without members"));
            }
        }
        report.checked("lists of the index", lists);
        let vectors = self.vectors.nodes().inspect(|&node| {
            let live = self.graph.nodes.get(node as usize).is_some_and(|node| !node.is_empty());
            report.expect(live, || format!("vectors: one of place {node}, which has no members"));
        });
        let vectors = vectors.count();
        report.checked("vectors", vectors);
    }
}
