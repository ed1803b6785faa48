//! A graph without the facts that stand elsewhere already.

use std::collections::{HashMap, HashSet};

use cortexkg::NodeId;

use crate::model::ImportedGraph;

/// What went with facts that were left out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Nodes that had no other facts.
    pub nodes: u64,
    /// Edges from or to these nodes.
    pub edges: u64,
}

impl ImportedGraph {
    /// Leaves out the facts for which `is_out` says so, by their place in [`facts`](Self::facts), the nodes that have no facts
    /// but these, and the edges of such nodes. A node that never had a fact stays: what it says is its own.
    pub fn leave_out(&mut self, is_out: &[bool]) -> LeftOut {
        let leads_to: HashMap<NodeId, NodeId> = self
            .nodes
            .iter()
            .flat_map(|node| node.redirects.iter().map(move |&from| (from, node.id)))
            .collect();
        let resolve = |id: NodeId| leads_to.get(&id).copied().unwrap_or(id);
        let (mut gone, mut stated) = (HashSet::new(), HashSet::new());
        let mut place = 0;
        self.facts.retain(|fact| {
            let is_out = is_out.get(place).copied().unwrap_or_default();
            place += 1;
            let nodes = fact.mentions.iter().map(|&(_, node)| resolve(node));
            if is_out {
                gone.extend(nodes);
            } else {
                stated.extend(nodes);
            }
            !is_out
        });
        gone.retain(|node| !stated.contains(node));
        let (nodes, edges) = (self.nodes.len(), self.edges.len());
        self.nodes.retain(|node| !gone.contains(&node.id));
        self.edges.retain(|edge| ![edge.from, edge.to].into_iter().any(|end| gone.contains(&resolve(end))));
        LeftOut { nodes: (nodes - self.nodes.len()) as u64, edges: (edges - self.edges.len()) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use cortexkg::{Fact, GraphEdge};

    use super::*;
    use crate::model::{ExportedFact, ExportedNode, Role};

    #[test]
    fn nodes_go_with_their_last_fact_and_edges_with_their_node() {
        let node = |id| ExportedNode::new(NodeId(id));
        let fact = |position, node| ExportedFact {
            position,
            fact: Fact::text("a"),
            mentions: vec![(Role::Whole, NodeId(node))],
            recorded_s: None,
        };
        let edge = |from, to| GraphEdge { from: NodeId(from), predicate: "p".to_owned(), to: NodeId(to) };
        let mut graph = ImportedGraph {
            nodes: vec![ExportedNode { redirects: vec![NodeId(7)], ..node(0) }, node(1), node(2)],
            // The first is said of what was merged into n0.
            facts: vec![fact(0, 7), fact(1, 1), fact(2, 1)],
            edges: vec![edge(1, 2), edge(1, 0), edge(7, 2)],
            ..ImportedGraph::default()
        };
        assert_eq!(graph.leave_out(&[true, true, false]), LeftOut { nodes: 1, edges: 2 });
        assert_eq!(graph.nodes.iter().map(|node| node.id.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(graph.facts, [fact(2, 1)]);
        assert_eq!(graph.edges, [edge(1, 2)]);
    }
}
