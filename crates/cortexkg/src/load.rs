//! A graph that is there already: nodes and edges from elsewhere, taken as they are.

use serde::{Deserialize, Serialize};

use crate::ballot::Ballot;
use crate::decision::{AllocationMethod, Decision};
use crate::engine::AllocationEngine;
use crate::error::{FactError, LoadError};
use crate::evidence::Bits;
use crate::fact::{Fact, Field, check_predicate};
use crate::graph::{NodeId, NodeIndex, Tie};
use crate::perceive::Perceived;
use crate::spike::SpikePattern;

/// Nodes and edges to begin with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnowledgeGraph {
    /// The nodes, in the order in which they get identifiers if they bring none.
    pub nodes: Vec<GraphNode>,
    /// The edges.
    #[serde(default)]
    pub edges: Vec<GraphEdge>,
}

/// A node to load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphNode {
    /// Its identifier; the next free one if absent. Must be above those of all nodes before it.
    #[serde(default)]
    pub id: Option<NodeId>,
    /// Its properties: compared with the fields of the same names of records to come.
    #[serde(default)]
    pub properties: Vec<Field>,
    /// Its names: compared with texts and with the ends of triples to come.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its embedding.
    #[serde(default)]
    pub embedding: Option<Vec<f32>>,
}

impl GraphNode {
    /// What the node says, as the facts that it is loaded as: its properties are a record named `graph:ID`, its aliases texts named
    /// `graph:ID/N`.
    pub fn facts(&self, id: NodeId) -> Vec<Fact> {
        node_facts(id, self)
    }
}

/// An edge to load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphEdge {
    /// Where it leaves: an identifier of this graph or of one loaded before.
    pub from: NodeId,
    /// What it says.
    pub predicate: String,
    /// Where it leads.
    pub to: NodeId,
}

impl AllocationEngine {
    /// Adds nodes and edges without deciding anything: every node of `graph` is a node of its own. Returns the identifiers of
    /// the new nodes, in their order.
    ///
    /// A node's properties become one member, each alias another, named `graph:ID` and `graph:ID/N`.
    ///
    /// # Errors
    /// A [`LoadError`] that names the node or edge; then nothing has been added.
    pub fn load_graph(&mut self, graph: &KnowledgeGraph) -> Result<Vec<NodeId>, LoadError> {
        let (ids, facts) = self.check_graph(graph)?;
        for (&id, facts) in ids.iter().zip(facts) {
            let node = self.graph.add_node(id);
            for perceived in facts {
                self.place(&perceived, &[node]).map_err(|source| LoadError::Node { node: id, source })?;
            }
        }
        for edge in &graph.edges {
            let ends = [edge.from, edge.to].map(|id| self.graph.index_of(id));
            let [Some(from), Some(to)] = ends else { continue };
            let predicate = self.graph.predicate(&edge.predicate);
            self.graph.tie(Tie::Loaded { from, to }, predicate);
        }
        Ok(ids)
    }

    /// Everything that could be wrong, found before anything is changed.
    pub(crate) fn check_graph(
        &self,
        graph: &KnowledgeGraph,
    ) -> Result<(Vec<NodeId>, Vec<Vec<Perceived>>), LoadError> {
        let mut next = self.graph.next_id();
        let mut ids = Vec::with_capacity(graph.nodes.len());
        let mut all = Vec::with_capacity(graph.nodes.len());
        let mut dimension = None;
        for node in &graph.nodes {
            let id = node.id.unwrap_or(next);
            if id < next || id > NodeId::MAX {
                return Err(LoadError::Id { node: id, least: next });
            }
            next = NodeId(id.0 + 1);
            let facts = node_facts(id, node);
            if facts.is_empty() {
                return Err(LoadError::Empty { node: id });
            }
            let mut perceived = Vec::with_capacity(facts.len());
            for fact in facts {
                let record = fact.record_id.clone().unwrap_or_default();
                if self.fact_named("", &record).is_some() {
                    return Err(LoadError::Taken { node: id, record });
                }
                let refused = |source| LoadError::Node { node: id, source };
                let fact = self.perceiver.perceive(fact).map_err(refused)?;
                self.check_placed(&fact, &[id]).map_err(refused)?;
                perceived.push(fact);
            }
            if let Some(found) = node.embedding.as_ref().map(Vec::len) {
                let expected = *dimension.get_or_insert(self.vectors.expected_dimension().unwrap_or(found));
                if found != expected {
                    let (record, expected) = (format!("graph:{id}"), expected.to_string());
                    let source = FactError::EmbeddingDimension { record, found, expected };
                    return Err(LoadError::Node { node: id, source });
                }
            }
            ids.push(id);
            all.push(perceived);
        }
        let mentions = all.iter().flatten().flat_map(|fact: &Perceived| &fact.mentions);
        if let Err(source) = self.dictionary.check_room("graph", mentions) {
            return Err(LoadError::Node { node: ids.last().copied().unwrap_or(next), source });
        }
        let known = |id: NodeId| ids.binary_search(&id).is_ok() || self.graph.index_of(id).is_some();
        for (position, edge) in graph.edges.iter().enumerate() {
            if let Some(&node) = [edge.from, edge.to].iter().find(|&&id| !known(id)) {
                return Err(LoadError::Edge { position, node });
            }
            check_predicate(&|| format!("edge {position}"), &edge.predicate)
                .map_err(|source| LoadError::Predicate { position, source })?;
        }
        Ok((ids, all))
    }

    /// The ballot of a mention whose node was never in question.
    pub(crate) fn foregone(&mut self, node: NodeIndex, perceived: &Perceived, at: usize) -> Ballot {
        self.view(perceived, at);
        self.look_around();
        let is_first = self.graph.node(node).is_empty();
        Ballot { pattern: self.encode(&perceived.mentions[at]), ..self.foregone_ballot(is_first) }
    }

    pub(crate) fn foregone_ballot(&self, is_first: bool) -> Ballot {
        Ballot {
            table_version: self.weights.version,
            decision: if is_first { Decision::New } else { Decision::Existing },
            competitors: Vec::new(),
            candidates: 0,
            new_probability: if is_first { 1.0 } else { 0.0 },
            margin: Bits::ZERO,
            method: AllocationMethod::Direct,
            pattern: SpikePattern::default(),
        }
    }
}

pub(crate) fn node_facts(id: NodeId, node: &GraphNode) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(1 + node.aliases.len());
    if !node.properties.is_empty() {
        let fields = node.properties.iter().map(|field| (field.name.clone(), field.value.clone()));
        facts.push(Fact::record(fields).with_id(format!("graph:{id}")));
    }
    for (position, alias) in node.aliases.iter().enumerate() {
        facts.push(Fact::text(alias.clone()).with_id(format!("graph:{id}/{}", position + 1)));
    }
    if let (Some(first), Some(embedding)) = (facts.first_mut(), &node.embedding) {
        first.embedding = Some(embedding.clone());
    }
    facts
}
