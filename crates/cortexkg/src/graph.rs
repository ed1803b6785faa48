//! Nodes, edges and where each came from, in memory.
//!
//! A node is known by what it has seen: for every field the values of its members with their counts, bounded, so that a
//! node with a thousand members costs no more to compare than a small one.

use std::fmt;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::dictionary::{FieldEntry, FieldId, ValueId};
use crate::evidence::Bits;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeValue {
    pub(crate) field: FieldId,
    pub(crate) value: ValueId,
    pub(crate) count: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) members: SmallVec<[MentionIndex; 2]>,
    /// Sorted by field; within a field in order of first appearance.
    pub(crate) values: Vec<NodeValue>,
    /// Edges that leave or reach it.
    pub(crate) edges: SmallVec<[u32; 2]>,
}

impl Node {
    pub(crate) fn add_value(&mut self, field: FieldId, value: ValueId, most: usize) {
        let start = self.values.partition_point(|known| known.field < field);
        let len = self.values[start..].partition_point(|known| known.field == field);
        let known = &mut self.values[start..start + len];
        if let Some(same) = known.iter_mut().find(|known| known.value == value) {
            same.count += 1;
            return;
        }
        let new = NodeValue { field, value, count: 1 };
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: NodeIndex,
    pub(crate) to: NodeIndex,
    pub(crate) predicate: u32,
    /// The fact that said so.
    pub(crate) fact: u32,
}

/// Where a mention came from and where it went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mention {
    pub(crate) fact: u32,
    /// 0: the fact itself; 1: subject; 2: object of a triple.
    pub(crate) role: u8,
    pub(crate) node: NodeIndex,
}

/// What is remembered of a fact beside its content.
#[derive(Debug, Clone)]
pub(crate) struct FactEntry {
    pub(crate) record_id: Box<str>,
    pub(crate) source: u32,
    pub(crate) time_s: Option<i64>,
    pub(crate) confidence: u16,
}

/// Evidence against a decision that was taken all the same.
#[derive(Debug, Clone, Copy)]
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
    /// Values of all mentions, one after the other; `value_ends` says where each mention's end.
    values: Vec<(FieldId, ValueId)>,
    value_ends: Vec<u32>,
}

impl Graph {
    /// The position of a node, found by its identifier: identifiers rise with positions.
    pub(crate) fn index_of(&self, id: NodeId) -> Option<NodeIndex> {
        self.nodes.binary_search_by_key(&id, |node| node.id).ok().map(|at| at as NodeIndex)
    }

    pub(crate) fn next_id(&self) -> NodeId {
        NodeId(self.nodes.last().map_or(0, |node| node.id.0 + 1))
    }

    /// Whether another fact might find no identifier or no place: 2^48 identifiers, 2^32 values of mentions.
    pub(crate) fn is_full(&self) -> bool {
        self.next_id().0 + 1 > NodeId::MAX.0 || self.values.len() >= u32::MAX as usize - 1024
    }

    pub(crate) fn add_node(&mut self, id: NodeId) -> NodeIndex {
        debug_assert!(id >= self.next_id(), "identifiers rise");
        self.nodes.push(Node { id, members: SmallVec::new(), values: Vec::new(), edges: SmallVec::new() });
        (self.nodes.len() - 1) as NodeIndex
    }

    /// Records a mention as a member of a node, which remembers its values.
    pub(crate) fn add_mention(
        &mut self,
        mention: Mention,
        values: &[(FieldId, ValueId)],
        most: impl Fn(FieldId) -> usize,
    ) -> MentionIndex {
        let index = self.mentions.len() as MentionIndex;
        let node = &mut self.nodes[mention.node as usize];
        node.members.push(index);
        for &(field, value) in values {
            node.add_value(field, value, most(field));
        }
        self.mentions.push(mention);
        self.values.extend_from_slice(values);
        self.value_ends.push(self.values.len() as u32);
        index
    }

    /// The values of a mention, sorted by field.
    pub(crate) fn mention_values(&self, mention: MentionIndex) -> &[(FieldId, ValueId)] {
        let at = mention as usize;
        let start = if at == 0 { 0 } else { self.value_ends[at - 1] };
        &self.values[start as usize..self.value_ends[at] as usize]
    }

    /// Adds an edge unless the same one is there.
    pub(crate) fn add_edge(&mut self, from: NodeIndex, to: NodeIndex, predicate: &str, fact: u32) {
        let predicate = self.predicate(predicate);
        let edge = Edge { from, to, predicate, fact };
        let ends = if self.nodes[from as usize].edges.len() <= self.nodes[to as usize].edges.len() {
            from
        } else {
            to
        };
        let known = |&at: &u32| {
            let known = self.edges[at as usize];
            (known.from, known.to, known.predicate) == (from, to, predicate)
        };
        if self.nodes[ends as usize].edges.iter().any(known) {
            return;
        }
        let at = self.edges.len() as u32;
        self.edges.push(edge);
        self.nodes[from as usize].edges.push(at);
        if to != from {
            self.nodes[to as usize].edges.push(at);
        }
    }

    fn predicate(&mut self, name: &str) -> u32 {
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
        assert_eq!(field(5), [NodeValue { field: 5, value: 7, count: 100 }]);
        assert!(node.values.is_sorted_by_key(|value| value.field));
        assert_eq!(graph.mention_values(99), [(2, 99), (5, 7)]);
    }

    #[test]
    fn an_edge_said_twice_is_one_edge() {
        let mut graph = Graph::default();
        let (a, b) = (graph.add_node(NodeId(3)), graph.add_node(NodeId(9)));
        graph.add_edge(a, b, "knows", 0);
        graph.add_edge(a, b, "knows", 1);
        graph.add_edge(b, a, "knows", 1);
        graph.add_edge(a, a, "knows", 2);
        assert_eq!(graph.edges.len(), 3);
        assert_eq!(graph.nodes[0].edges.len(), 3);
        assert_eq!(graph.index_of(NodeId(9)), Some(1));
        assert_eq!(graph.index_of(NodeId(4)), None);
    }
}
