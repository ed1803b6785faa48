//! Nodes, edges and where each came from, in memory.
//!
//! A node is known by what it has seen: for every field the values of its members with their counts, bounded, so that a
//! node with a thousand members costs no more to compare than a small one.

use std::collections::BTreeMap;
use std::fmt;

use cortexkg_store::StoreError;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::dictionary::{FieldEntry, FieldId, ValueId};
use crate::evidence::Bits;
use crate::image::{ImageReader, ImageWriter};
use crate::perceive::TEXT_FIELD;
use crate::profile::FieldKind;

/// A node's identifier, stable for ever.
///
/// The upper 16 bits are kept for a partition of a cluster and are 0 in a graph that stands alone; the lower 48 count up in
/// the order of creation. Written `n17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u64);

impl NodeId {
    /// Largest identifier of one partition.
    pub const MAX: Self = Self((1 << 48) - 1);
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("n{}", self.0))
    }
}

/// Position of a node in memory.
pub(crate) type NodeIndex = u32;
/// Stands for the node of a mention that has none: its fact is forgotten.
pub(crate) const NOWHERE: NodeIndex = NodeIndex::MAX;
/// Number of a mention: its position in the log of mentions.
pub(crate) type MentionIndex = u32;

/// Relation between a node that was a close call and the candidate it may be the same as.
pub const POSSIBLY_SAME: &str = "possibly_same";

/// Most different values that a node remembers of a field of this kind; the rarest, then the oldest, gives way. Measured on
/// inventors with a thousand patents: many firms, cities and partners help, many dates, numbers and titles do not.
pub(crate) fn values_max(field: &FieldEntry) -> usize {
    match field.kind {
        // The names of a thing stay with it.
        _ if field.name == TEXT_FIELD => 256,
        FieldKind::Key => 256,
        FieldKind::Identifier | FieldKind::Date | FieldKind::Number | FieldKind::LongText => 4,
        _ => 32,
    }
}

/// A value that members of a node had, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeValue {
    pub(crate) field: FieldId,
    pub(crate) value: ValueId,
    pub(crate) count: u32,
    /// The member that brought it.
    pub(crate) first: MentionIndex,
}

/// A node without members is empty: merged into another, or all that was said of it is forgotten. It keeps its place and its
/// identifier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) members: SmallVec<[MentionIndex; 2]>,
    /// Sorted by field; within a field in order of first appearance.
    pub(crate) values: Vec<NodeValue>,
    /// Edges that leave or reach it.
    pub(crate) edges: SmallVec<[u32; 2]>,
}

impl Node {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Counts a member's value.
    fn add_value(&mut self, (field, value): (FieldId, ValueId), first: MentionIndex, most: usize) {
        let start = self.values.partition_point(|known| known.field < field);
        let len = self.values[start..].partition_point(|known| known.field == field);
        let known = &mut self.values[start..start + len];
        if let Some(same) = known.iter_mut().find(|known| known.value == value) {
            same.count += 1;
            return;
        }
        let new = NodeValue { field, value, count: 1, first };
        if len >= most {
            let (at, _) =
                known.iter().enumerate().min_by_key(|(at, known)| (known.count, *at)).expect("not empty");
            self.values.remove(start + at);
            self.values.insert(start + len - 1, new);
        } else {
            self.values.insert(start + len, new);
        }
    }
}

/// Why an edge is there. Its ends follow from this: where mentions go, the edges that rest on them go, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Tie {
    /// A triple said so: from the node of its subject to that of its object.
    Stated {
        /// The fact.
        fact: u32,
    },
    /// A close call: from the node of the mention to the one that led.
    Possible {
        /// The mention.
        mention: MentionIndex,
        /// The node that led; those merged into another lead to that.
        leader: NodeIndex,
    },
    /// It was loaded.
    Loaded {
        /// Where it left.
        from: NodeIndex,
        /// Where it led.
        to: NodeIndex,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) from: NodeIndex,
    pub(crate) to: NodeIndex,
    pub(crate) predicate: u32,
    /// All that it rests on; an edge that rests on nothing is gone.
    pub(crate) ties: SmallVec<[Tie; 1]>,
}

/// Where a mention came from and where it went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Mention {
    pub(crate) fact: u32,
    /// 0: the fact itself; 1: subject; 2: object of a triple.
    pub(crate) role: u8,
    /// [`NOWHERE`] once its fact is forgotten.
    pub(crate) node: NodeIndex,
}

/// What is remembered of a fact beside its content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FactEntry {
    pub(crate) record_id: Box<str>,
    /// Position in the log of the operation that took it in.
    pub(crate) position: u64,
    pub(crate) first_mention: MentionIndex,
    pub(crate) source: u32,
    pub(crate) time_s: Option<i64>,
    pub(crate) confidence: u16,
    pub(crate) is_forgotten: bool,
}

/// Evidence against a decision that was taken all the same.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Exception {
    pub(crate) mention: MentionIndex,
    pub(crate) field: FieldId,
    pub(crate) stated: ValueId,
    pub(crate) held: ValueId,
    pub(crate) bits: Bits,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) predicates: IndexSet<String, FxBuildHasher>,
    pub(crate) sources: IndexSet<String, FxBuildHasher>,
    pub(crate) facts: Vec<FactEntry>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) exceptions: Vec<Exception>,
    /// Where nodes that were merged lead, for ever.
    pub(crate) redirects: BTreeMap<NodeId, NodeId>,
    /// Values of all mentions, one after the other; `value_ends` says where each mention's end.
    values: Vec<(FieldId, ValueId)>,
    value_ends: Vec<u32>,
    /// Least identifier that no node has had.
    next_id: u64,
    /// Nodes that have members.
    live_nodes: usize,
    /// Facts that are not forgotten.
    pub(crate) live_facts: usize,
}

impl Graph {
    /// The position of a node, found by its identifier: identifiers rise with positions.
    pub(crate) fn index_of(&self, id: NodeId) -> Option<NodeIndex> {
        self.nodes.binary_search_by_key(&id, |node| node.id).ok().map(|at| at as NodeIndex)
    }

    /// The identifier under which a node is known now: itself, or where its redirects lead.
    pub(crate) fn resolve(&self, mut id: NodeId) -> NodeId {
        while let Some(&next) = self.redirects.get(&id) {
            id = next;
        }
        id
    }

    /// The position of a node or of what it was merged into.
    pub(crate) fn resolved(&self, node: NodeIndex) -> NodeIndex {
        let id = self.nodes[node as usize].id;
        self.index_of(self.resolve(id)).unwrap_or(node)
    }

    /// The position of a node that has members; redirects are not followed.
    pub(crate) fn live_index_of(&self, id: NodeId) -> Option<NodeIndex> {
        self.index_of(id).filter(|&node| !self.nodes[node as usize].is_empty())
    }

    pub(crate) fn next_id(&self) -> NodeId {
        NodeId(self.next_id)
    }

    /// Nodes that have members.
    pub(crate) fn live_nodes(&self) -> usize {
        self.live_nodes
    }

    /// Whether another fact might find no identifier or no place: 2^48 identifiers, 2^32 values of mentions.
    pub(crate) fn is_full(&self) -> bool {
        self.next_id + 1 > NodeId::MAX.0 || self.values.len() >= u32::MAX as usize - 1024
    }

    pub(crate) fn add_node(&mut self, id: NodeId) -> NodeIndex {
        debug_assert!(id.0 >= self.next_id, "identifiers rise");
        self.next_id = id.0 + 1;
        self.nodes.push(Node { id, members: SmallVec::new(), values: Vec::new(), edges: SmallVec::new() });
        (self.nodes.len() - 1) as NodeIndex
    }

    /// Makes sure that no identifier below this one is given again.
    pub(crate) fn reserve_ids(&mut self, next: NodeId) {
        self.next_id = self.next_id.max(next.0);
    }

    /// Records a mention as a member of a node, which remembers its values.
    pub(crate) fn add_mention(
        &mut self,
        mention: Mention,
        values: &[(FieldId, ValueId)],
        most: impl Fn(FieldId) -> usize,
    ) -> MentionIndex {
        let index = self.mentions.len() as MentionIndex;
        self.mentions.push(mention);
        self.values.extend_from_slice(values);
        self.value_ends.push(self.values.len() as u32);
        self.join(index, mention.node, most);
        index
    }

    /// Makes a mention a member of a node.
    pub(crate) fn join(&mut self, mention: MentionIndex, node: NodeIndex, most: impl Fn(FieldId) -> usize) {
        self.mentions[mention as usize].node = node;
        let range = self.value_range(mention);
        let joined = &mut self.nodes[node as usize];
        self.live_nodes += usize::from(joined.is_empty());
        joined.members.push(mention);
        for &(field, value) in &self.values[range] {
            joined.add_value((field, value), mention, most(field));
        }
    }

    /// Empties a node; its members are to join another, or the same again.
    pub(crate) fn empty(&mut self, node: NodeIndex) -> SmallVec<[MentionIndex; 2]> {
        let node = &mut self.nodes[node as usize];
        self.live_nodes -= usize::from(!node.is_empty());
        node.values.clear();
        std::mem::take(&mut node.members)
    }

    fn value_range(&self, mention: MentionIndex) -> std::ops::Range<usize> {
        let at = mention as usize;
        let start = if at == 0 { 0 } else { self.value_ends[at - 1] };
        start as usize..self.value_ends[at] as usize
    }

    /// The values of a mention, sorted by field.
    pub(crate) fn mention_values(&self, mention: MentionIndex) -> &[(FieldId, ValueId)] {
        &self.values[self.value_range(mention)]
    }

    /// The mentions of a fact.
    pub(crate) fn mentions_of(&self, fact: u32) -> std::ops::Range<MentionIndex> {
        let first = self.facts[fact as usize].first_mention;
        let end =
            self.facts.get(fact as usize + 1).map_or(self.mentions.len(), |next| next.first_mention as usize);
        first..end as MentionIndex
    }

    /// The fact that an operation took in, forgotten or not.
    pub(crate) fn fact_at(&self, position: u64) -> Option<u32> {
        self.facts.binary_search_by_key(&position, |fact| fact.position).ok().map(|at| at as u32)
    }

    /// Where a tie leads now, if both of its ends are anywhere.
    fn ends(&self, tie: Tie) -> Option<(NodeIndex, NodeIndex)> {
        let of = |mention: MentionIndex| self.mentions[mention as usize].node;
        let (from, to) = match tie {
            Tie::Stated { fact } => {
                let first = self.facts[fact as usize].first_mention;
                (of(first), of(first + 1))
            }
            Tie::Possible { mention, leader } => (of(mention), self.resolved(leader)),
            Tie::Loaded { from, to } => (self.resolved(from), self.resolved(to)),
        };
        (from != NOWHERE && to != NOWHERE).then_some((from, to))
    }

    /// Adds what an edge rests on; an edge that is there already rests on one thing more.
    pub(crate) fn tie(&mut self, tie: Tie, predicate: u32) {
        let Some((from, to)) = self.ends(tie) else { return };
        let few = if self.nodes[from as usize].edges.len() <= self.nodes[to as usize].edges.len() {
            from
        } else {
            to
        };
        let known = self.nodes[few as usize].edges.iter().copied().find(|&at| {
            let known = &self.edges[at as usize];
            (known.from, known.to, known.predicate) == (from, to, predicate)
        });
        if let Some(known) = known {
            self.edges[known as usize].ties.push(tie);
            return;
        }
        let at = self.edges.len() as u32;
        self.edges.push(Edge { from, to, predicate, ties: SmallVec::from_elem(tie, 1) });
        self.nodes[from as usize].edges.push(at);
        if to != from {
            self.nodes[to as usize].edges.push(at);
        }
    }

    /// Takes away all edges of these nodes; gives what they rested on, with its predicate, in the order of the edges.
    pub(crate) fn untie(&mut self, nodes: &[NodeIndex]) -> Vec<(Tie, u32)> {
        let mut edges: Vec<u32> =
            nodes.iter().flat_map(|&node| self.nodes[node as usize].edges.clone()).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut ties = Vec::new();
        for at in edges {
            let edge = &mut self.edges[at as usize];
            let (from, to, predicate) = (edge.from, edge.to, edge.predicate);
            ties.extend(std::mem::take(&mut edge.ties).into_iter().map(|tie| (tie, predicate)));
            for end in [from, to] {
                self.nodes[end as usize].edges.retain(|edge| *edge != at);
            }
        }
        ties
    }

    /// Takes away one edge that was loaded.
    pub(crate) fn untie_loaded(&mut self, from: NodeIndex, to: NodeIndex, predicate: u32) {
        let ends = [self.resolved(from), self.resolved(to)];
        let mut ties = self.untie(&ends);
        if let Some(at) = ties.iter().position(|tie| *tie == (Tie::Loaded { from, to }, predicate)) {
            ties.remove(at);
        }
        ties.into_iter().for_each(|(tie, predicate)| self.tie(tie, predicate));
    }

    /// The number of a predicate, given one if it is new.
    pub(crate) fn predicate(&mut self, name: &str) -> u32 {
        match self.predicates.get_index_of(name) {
            Some(at) => at as u32,
            None => self.predicates.insert_full(name.to_owned()).0 as u32,
        }
    }

    pub(crate) fn source(&mut self, name: &str) -> u32 {
        match self.sources.get_index_of(name) {
            Some(at) => at as u32,
            None => self.sources.insert_full(name.to_owned()).0 as u32,
        }
    }

    /// Edges between nodes, oldest first.
    pub(crate) fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(|edge| self.is_shown(edge))
    }

    /// Whether an edge says anything: a close call that was merged, or whose rival was forgotten, only waits to come back.
    pub(crate) fn is_shown(&self, edge: &Edge) -> bool {
        let is_doubt = |tie: &Tie| matches!(tie, Tie::Possible { .. });
        let has_members = |node: NodeIndex| !self.nodes[node as usize].is_empty();
        !edge.ties.is_empty()
            && (edge.from != edge.to || !edge.ties.iter().all(is_doubt))
            && has_members(edge.from)
            && has_members(edge.to)
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.section("nodes", &self.nodes)?;
        to.section("edges", &self.edges)?;
        to.section("predicates", &self.predicates)?;
        to.section("sources", &self.sources)?;
        to.section("facts", &self.facts)?;
        let mentions = (0..).zip(&self.mentions).map(|(at, mention)| (mention, self.mention_values(at)));
        to.section("mentions", mentions)?;
        to.section("exceptions", &self.exceptions)?;
        to.section("redirects", &self.redirects)?;
        to.section("next node", [self.next_id])
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.nodes = from.all("nodes")?;
        self.edges = from.all("edges")?;
        self.predicates = from.all("predicates")?.into_iter().collect();
        self.sources = from.all("sources")?.into_iter().collect();
        self.facts = from.all("facts")?;
        self.mentions.reserve(from.len("mentions"));
        from.section("mentions", |(mention, values): (Mention, Vec<(FieldId, ValueId)>)| {
            self.mentions.push(mention);
            self.values.extend(values);
            self.value_ends.push(self.values.len() as u32);
        })?;
        self.exceptions = from.all("exceptions")?;
        self.redirects = from.all("redirects")?.into_iter().collect();
        self.next_id = from.one("next node")?;
        self.live_nodes = self.nodes.iter().filter(|node| !node.is_empty()).count();
        self.live_facts = self.facts.iter().filter(|fact| !fact.is_forgotten).count();
        Ok(())
    }

    /// Bytes held, counted.
    pub(crate) fn bytes(&self) -> usize {
        let inline = 2;
        let nodes: usize = self
            .nodes
            .iter()
            .map(|node| {
                let spilled = |len: usize, capacity: usize| if len > inline { 4 * capacity } else { 0 };
                size_of::<Node>()
                    + node.values.capacity() * size_of::<NodeValue>()
                    + spilled(node.members.len(), node.members.capacity())
                    + spilled(node.edges.len(), node.edges.capacity())
            })
            .sum();
        let facts: usize = self.facts.iter().map(|fact| fact.record_id.len() + size_of::<FactEntry>()).sum();
        nodes
            + facts
            + self.edges.capacity() * size_of::<Edge>()
            + self.mentions.capacity() * size_of::<Mention>()
            + self.values.capacity() * size_of::<(FieldId, ValueId)>()
            + self.value_ends.capacity() * 4
            + self.exceptions.capacity() * size_of::<Exception>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_remembers_a_bounded_number_of_values() {
        let mut graph = Graph::default();
        let node = graph.add_node(NodeId(0));
        for value in 0..100 {
            graph.add_mention(Mention { fact: value, role: 0, node }, &[(2, value), (5, 7)], |_| 32);
        }
        let node = &graph.nodes[0];
        let field = |id| node.values.iter().filter(|value| value.field == id).copied().collect::<Vec<_>>();
        assert_eq!(field(2).len(), 32);
        assert_eq!(field(5), [NodeValue { field: 5, value: 7, count: 100, first: 0 }]);
        assert!(node.values.is_sorted_by_key(|value| value.field));
        assert_eq!(graph.mention_values(99), [(2, 99), (5, 7)]);
    }

    fn graph(ids: &[u64]) -> Graph {
        let mut graph = Graph::default();
        for (fact, &id) in (0..).zip(ids) {
            let node = graph.add_node(NodeId(id));
            graph.add_mention(Mention { fact, role: 0, node }, &[], |_| 1);
        }
        graph
    }

    fn loaded(graph: &mut Graph, from: NodeIndex, to: NodeIndex) {
        let predicate = graph.predicate("knows");
        graph.tie(Tie::Loaded { from, to }, predicate);
    }

    #[test]
    fn an_edge_said_twice_is_one_edge() {
        let mut graph = graph(&[3, 9]);
        let (a, b) = (0, 1);
        loaded(&mut graph, a, b);
        loaded(&mut graph, a, b);
        loaded(&mut graph, b, a);
        loaded(&mut graph, a, a);
        assert_eq!(graph.edges().count(), 3);
        assert_eq!(graph.nodes[0].edges.len(), 3);
        assert_eq!(graph.index_of(NodeId(9)), Some(1));
        assert_eq!(graph.index_of(NodeId(4)), None);
        graph.untie_loaded(a, b, 0);
        assert_eq!(graph.edges().count(), 3, "it was said twice");
        graph.untie_loaded(a, b, 0);
        assert_eq!(graph.edges().count(), 2);
        assert_eq!(graph.nodes[1].edges.len(), 1);
    }

    #[test]
    fn edges_follow_a_redirect_and_come_back() {
        let mut graph = graph(&[0, 1, 2]);
        let (a, b, c) = (0, 1, 2);
        loaded(&mut graph, c, b);
        let ties = graph.untie(&[a, b]);
        graph.redirects.insert(NodeId(1), NodeId(0));
        ties.into_iter().for_each(|(tie, predicate)| graph.tie(tie, predicate));
        assert_eq!(graph.edges().map(|edge| (edge.from, edge.to)).collect::<Vec<_>>(), [(c, a)]);
        let ties = graph.untie(&[a, b]);
        graph.redirects.remove(&NodeId(1));
        ties.into_iter().for_each(|(tie, predicate)| graph.tie(tie, predicate));
        assert_eq!(graph.edges().map(|edge| (edge.from, edge.to)).collect::<Vec<_>>(), [(c, b)]);
    }
}
