//! How right a partition of records is.

use std::collections::HashMap;

use cortexkg::{Fact, NodeId};

use super::picture::{empty, take_in};

/// Pairwise and B-cubed precision, recall and F1 of a partition of records that are all labelled.
#[derive(Debug)]
pub(crate) struct Score {
    pub(crate) pairs: [f64; 3],
    pub(crate) b_cubed: [f64; 3],
}

impl Score {
    pub(crate) fn of(nodes: &[NodeId], clusters: &[&str]) -> Self {
        assert_eq!(nodes.len(), clusters.len());
        let (mut by_node, mut by_cluster, mut by_both) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (&node, &cluster) in nodes.iter().zip(clusters) {
            *by_node.entry(node).or_insert(0u64) += 1;
            *by_cluster.entry(cluster).or_insert(0u64) += 1;
            *by_both.entry((node, cluster)).or_insert(0u64) += 1;
        }
        let pairs =
            |sizes: &mut dyn Iterator<Item = &u64>| sizes.map(|n| n * (n - 1) / 2).sum::<u64>() as f64;
        let right = pairs(&mut by_both.values());
        let share = |of: f64| if of == 0.0 { 1.0 } else { right / of };
        let (precision, recall) =
            (share(pairs(&mut by_node.values())), share(pairs(&mut by_cluster.values())));
        let mean = |size: &dyn Fn(&(NodeId, &str)) -> u64| {
            by_both.iter().map(|(key, &n)| (n * n) as f64 / size(key) as f64).sum::<f64>()
                / nodes.len() as f64
        };
        let (b_precision, b_recall) = (mean(&|key| by_node[&key.0]), mean(&|key| by_cluster[key.1]));
        let f1 = |p: f64, r: f64| if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) };
        Self {
            pairs: [precision, recall, f1(precision, recall)],
            b_cubed: [b_precision, b_recall, f1(b_precision, b_recall)],
        }
    }
}

/// The nodes of all records after consolidation, in the order of the records.
pub(crate) fn consolidated(facts: Vec<Fact>) -> Vec<NodeId> {
    let mut graph = empty();
    let ids: Vec<_> = facts.iter().map(|fact| fact.record_id.clone().unwrap_or_default()).collect();
    take_in(&mut graph, facts);
    graph.consolidate().expect("a sound store");
    let node =
        |id: &String| graph.find(None, id).expect("a sound store").expect("it was taken in").allocated_node;
    ids.iter().map(node).collect()
}
