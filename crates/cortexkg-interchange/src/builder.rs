//! Gathers what an importer reads, checks it, and keeps within bounds.

use std::collections::HashSet;
use std::fmt;

use cortexkg::fact::limits;
use cortexkg::{Fact, FactError, GraphEdge, NodeId};

use crate::error::InterchangeError;
use crate::export::Result;
use crate::model::{ExportedFact, ExportedNode, ImportedGraph};
use crate::rejection::Rejection;

/// Hears of every record that is refused.
pub(crate) type Reject<'a> = dyn FnMut(Rejection) + 'a;

/// Bytes that a node, a fact, an edge or a value is counted with beside its text.
const OVERHEAD_BYTES: usize = 64;

pub(crate) struct GraphBuilder<'a> {
    graph: ImportedGraph,
    /// Nodes and redirects so far.
    ids: HashSet<NodeId>,
    fact_lines: Vec<u64>,
    edge_lines: Vec<u64>,
    bytes: u64,
    bytes_max: u64,
    has_rejected: bool,
    reject: &'a mut Reject<'a>,
}

impl<'a> GraphBuilder<'a> {
    pub(crate) fn new(bytes_max: u64, reject: &'a mut Reject<'a>) -> Self {
        Self {
            graph: ImportedGraph::default(),
            ids: HashSet::new(),
            fact_lines: Vec::new(),
            edge_lines: Vec::new(),
            bytes: 0,
            bytes_max,
            has_rejected: false,
            reject,
        }
    }

    pub(crate) fn reject(&mut self, rejection: Rejection) {
        self.has_rejected = true;
        (self.reject)(rejection);
    }

    /// Whether anything was refused so far.
    pub(crate) fn has_rejected(&self) -> bool {
        self.has_rejected
    }

    /// Counts a literal whose language or datatype has no place in the graph.
    pub(crate) fn untagged(&mut self) {
        self.graph.untagged += 1;
    }

    /// Counts text that is about to be kept.
    pub(crate) fn charge(&mut self, line: u64, bytes: usize) -> Result<()> {
        self.bytes += (bytes + OVERHEAD_BYTES) as u64;
        if self.bytes > self.bytes_max {
            return Err(InterchangeError::TooLarge { line, what: "the graph", limit: self.bytes_max });
        }
        Ok(())
    }

    /// Takes a node, called `name` in the file, unless it breaks a bound or its identifier is taken; says whether it did.
    pub(crate) fn node(&mut self, line: u64, name: &str, node: ExportedNode) -> Result<bool> {
        if let Err(error) = check_node(name, &node) {
            self.reject(Rejection::refused(line, name, &error));
            return Ok(false);
        }
        let ids = || [node.id].into_iter().chain(node.redirects.iter().copied());
        let mut seen = HashSet::new();
        if let Some(taken) = ids().find(|id| self.ids.contains(id) || !seen.insert(*id)) {
            let message =
                format!("{taken} stands for a node already, that one stays; give each node its own");
            self.reject(Rejection::at(line, message).record(Some(name)).field("id"));
            return Ok(false);
        }
        let texts = node.properties.iter().map(|property| property.field.len() + property.value.len());
        let bytes: usize =
            texts.chain(node.aliases.iter().map(String::len)).map(|len| len + OVERHEAD_BYTES).sum();
        self.charge(line, bytes + node.label.len() + node.redirects.len() * OVERHEAD_BYTES)?;
        self.ids.extend(ids());
        self.graph.nodes.push(node);
        Ok(true)
    }

    /// Takes a fact, unless it breaks a bound. Its nodes are looked for at the end.
    pub(crate) fn fact(&mut self, line: u64, fact: ExportedFact, bytes: usize) -> Result<()> {
        if let Err(error) = fact.fact.validate() {
            let record = fact.fact.record_id.clone().unwrap_or_else(|| format!("fact {}", fact.position));
            self.reject(Rejection::refused(line, &record, &error));
            return Ok(());
        }
        self.charge(line, bytes)?;
        self.graph.facts.push(fact);
        self.fact_lines.push(line);
        Ok(())
    }

    /// Takes an edge, unless its predicate breaks a bound. Its nodes are looked for at the end.
    pub(crate) fn edge(&mut self, line: u64, edge: GraphEdge) -> Result<()> {
        let message = if edge.predicate.trim().is_empty() {
            "is empty; say how the nodes relate".to_owned()
        } else if edge.predicate.len() > limits::NAME_BYTES_MAX {
            let (bytes, limit) = (edge.predicate.len(), limits::NAME_BYTES_MAX);
            format!("{bytes} bytes, at most {limit} are taken; shorten it")
        } else if edge.predicate.contains('\0') {
            "holds a NUL character; the input looks binary or damaged".to_owned()
        } else {
            self.charge(line, edge.predicate.len())?;
            self.graph.edges.push(edge);
            self.edge_lines.push(line);
            return Ok(());
        };
        self.reject(Rejection::at(line, message).field("predicate"));
        Ok(())
    }

    /// The graph as it stands, for a file whose nodes stand elsewhere.
    pub(crate) fn finish_unlinked(self) -> ImportedGraph {
        self.graph
    }

    /// The graph, without edges and facts whose nodes are not in it.
    pub(crate) fn finish(self) -> ImportedGraph {
        let Self { mut graph, ids, fact_lines, edge_lines, reject, .. } = self;
        let mut lines = fact_lines.into_iter();
        graph.facts.retain(|fact| {
            let line = lines.next().unwrap_or_default();
            let missing = fact.mentions.iter().find(|(_, node)| !ids.contains(node));
            if let Some((_, node)) = missing {
                reject(missing_node(line, *node).record(fact.fact.record_id.as_deref()).field("nodes"));
            }
            missing.is_none()
        });
        let mut lines = edge_lines.into_iter();
        graph.edges.retain(|edge| {
            let line = lines.next().unwrap_or_default();
            let missing =
                [("from", edge.from), ("to", edge.to)].into_iter().find(|(_, node)| !ids.contains(node));
            if let Some((field, node)) = missing {
                reject(missing_node(line, node).field(field));
            }
            missing.is_none()
        });
        graph
    }
}

/// The refusal of what names a node that is not there.
pub(crate) fn missing_node(line: u64, node: impl fmt::Display) -> Rejection {
    Rejection::at(line, format!("node {node} is not in this file, or was refused; add it"))
}

/// Whether every value of a node could stand in a record.
fn check_node(name: &str, node: &ExportedNode) -> std::result::Result<(), FactError> {
    if let Some(position) = node.label.bytes().position(|byte| byte == 0) {
        return Err(FactError::NulByte { record: name.to_owned(), field: "label".to_owned(), position });
    }
    // A label is the node's name where it has no other.
    if node.properties.is_empty() && node.aliases.is_empty() {
        Fact::text(node.label.as_str()).validate()?;
    }
    for property in &node.properties {
        Fact::record([(property.field.as_str(), property.value.as_str())]).validate()?;
    }
    node.aliases.iter().try_for_each(|alias| Fact::text(alias.as_str()).validate())
}
