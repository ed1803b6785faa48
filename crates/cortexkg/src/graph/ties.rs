//! Edges, and what they rest on.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Graph, MentionIndex, NOWHERE, NodeIndex};
use crate::paged::Plain;

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

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) from: NodeIndex,
    pub(crate) to: NodeIndex,
    pub(crate) predicate: u32,
    /// All that it rests on; an edge that rests on nothing is gone.
    pub(crate) ties: SmallVec<[Tie; 1]>,
}

impl Plain for Edge {}

impl Graph {
    /// An edge by its number.
    pub(crate) fn edge(&self, edge: u32) -> Edge {
        self.edges.get(edge)
    }

    /// Visits all edges in order, those that rest on nothing among them, loading none to stay.
    pub(crate) fn scan_edges(&self, visit: impl FnMut(u32, Edge)) {
        self.edges.scan(visit);
    }

    /// Number of edges, those that rest on nothing among them.
    pub(crate) fn edges_ever(&self) -> usize {
        self.edges.len()
    }

    /// Where a tie leads now, if both of its ends are anywhere.
    fn ends(&self, tie: Tie) -> Option<(NodeIndex, NodeIndex)> {
        let of = |mention: MentionIndex| self.mentions[mention as usize].node;
        let (from, to) = match tie {
            Tie::Stated { fact } => {
                let first = self.first_mention(fact);
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
        let few = if self.node(from).edges.len() <= self.node(to).edges.len() { from } else { to };
        let known = self.node(few).edges.iter().find(|&at| {
            let known = self.edges.get(at);
            (known.from, known.to, known.predicate) == (from, to, predicate)
        });
        if let Some(known) = known {
            let mut edge = self.edges.get(known);
            edge.ties.push(tie);
            self.edges.set(known, &edge);
            return;
        }
        let at = self.edges.push(&Edge { from, to, predicate, ties: SmallVec::from_elem(tie, 1) });
        self.edit(from, |node| node.edges.push(at));
        if to != from {
            self.edit(to, |node| node.edges.push(at));
        }
    }

    /// Takes away all edges of these nodes; gives what they rested on, with its predicate, in the order of the edges.
    pub(crate) fn untie(&mut self, nodes: &[NodeIndex]) -> Vec<(Tie, u32)> {
        let mut edges: Vec<u32> = nodes.iter().flat_map(|&node| self.node(node).edges).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut ties = Vec::new();
        for at in edges {
            let mut edge = self.edges.get(at);
            ties.extend(std::mem::take(&mut edge.ties).into_iter().map(|tie| (tie, edge.predicate)));
            self.edges.set(at, &edge);
            for end in [edge.from, edge.to] {
                self.edit(end, |node| node.edges.retain(|edge| *edge != at));
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

    /// Visits the edges between nodes, oldest first.
    pub(crate) fn scan_shown_edges(&self, mut visit: impl FnMut(&Edge)) {
        self.edges.scan(|_, edge| {
            if self.is_shown(&edge) {
                visit(&edge);
            }
        });
    }

    /// Whether an edge says anything: a close call that was merged, or whose rival was forgotten, only waits to come back.
    pub(crate) fn is_shown(&self, edge: &Edge) -> bool {
        let is_doubt = |tie: &Tie| matches!(tie, Tie::Possible { .. });
        let has_members = |node: NodeIndex| !self.node(node).is_empty();
        !edge.ties.is_empty()
            && (edge.from != edge.to || !edge.ties.iter().all(is_doubt))
            && has_members(edge.from)
            && has_members(edge.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Mention, NodeId};

    fn graph(ids: &[u64]) -> Graph {
        let mut graph = Graph::default();
        for (fact, &id) in (0..).zip(ids) {
            let node = graph.add_node(NodeId(id));
            graph.add_mention(Mention { fact, role: 0, node }, &[], |_| 1);
        }
        graph
    }

    fn shown(graph: &Graph) -> Vec<(NodeIndex, NodeIndex)> {
        let mut shown = Vec::new();
        graph.scan_shown_edges(|edge| shown.push((edge.from, edge.to)));
        shown
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
        assert_eq!(shown(&graph).len(), 3);
        assert_eq!(graph.node(0).edges.len(), 3);
        assert_eq!(graph.index_of(NodeId(9)), Some(1));
        assert_eq!(graph.index_of(NodeId(4)), None);
        graph.untie_loaded(a, b, 0);
        assert_eq!(shown(&graph).len(), 3, "it was said twice");
        graph.untie_loaded(a, b, 0);
        assert_eq!(shown(&graph).len(), 2);
        assert_eq!(graph.node(1).edges.len(), 1);
    }

    #[test]
    fn edges_follow_a_redirect_and_come_back() {
        let mut graph = graph(&[0, 1, 2]);
        let (a, b, c) = (0, 1, 2);
        loaded(&mut graph, c, b);
        let ties = graph.untie(&[a, b]);
        graph.redirects.insert(NodeId(1), NodeId(0));
        ties.into_iter().for_each(|(tie, predicate)| graph.tie(tie, predicate));
        assert_eq!(shown(&graph), [(c, a)]);
        let ties = graph.untie(&[a, b]);
        graph.redirects.remove(&NodeId(1));
        ties.into_iter().for_each(|(tie, predicate)| graph.tie(tie, predicate));
        assert_eq!(shown(&graph), [(c, b)]);
    }
}
