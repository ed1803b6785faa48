//! Each decision beside the truth, at the moment when it was taken.

use std::collections::HashMap;

use cortexkg::{Decision, NodeId};
use serde::Serialize;

use super::seen::Seen;
use crate::scoring::{Forecast, Grouping, Reliability, Share};

/// Forecasts between these are unsure; nearly all others are right anyway, and hide how far off the unsure ones are.
const UNSURE: (f64, f64) = (0.01, 0.99);

/// Follows which labelled records the nodes hold, and counts what the engine made of it.
///
/// Only decisions on labelled records count. Truth never reaches the engine.
pub(crate) struct Witness<'a> {
    truth: &'a Grouping,
    /// Labelled records of each node, by cluster.
    held: HashMap<NodeId, HashMap<usize, u64>>,
    /// Nodes that hold a record of a cluster.
    homes: HashMap<usize, Vec<NodeId>>,
    blocking: Share,
    false_links: Share,
    forecasts: Vec<Forecast>,
}

/// How well decisions were taken, each judged at its moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionFigures {
    /// Blocking recall: of the decisions on a record of whose cluster some node held an earlier record, those where such a
    /// node was among the candidates that recall gave, before anything was weighed.
    pub blocking_recall: Share,
    /// Of the links (decisions `existing`), those to a node that held no record of the true cluster.
    pub false_links: Share,
    /// The upper bound of their share at 95 %, one-sided (Clopper–Pearson).
    pub false_links_upper_bound: Option<f64>,
    /// The probability that the leading candidate is the true node, beside how often it was: over decisions that had a
    /// candidate that something spoke for. It was if more than half of the labelled records that it held were of the true
    /// cluster.
    pub calibration: Reliability,
    /// The same where that probability was strictly between 0.01 and 0.99.
    pub calibration_unsure: Reliability,
}

impl<'a> Witness<'a> {
    pub(crate) fn new(truth: &'a Grouping) -> Self {
        Self {
            truth,
            held: HashMap::new(),
            homes: HashMap::new(),
            blocking: Share::default(),
            false_links: Share::default(),
            forecasts: Vec::new(),
        }
    }

    /// Notes the decision on a mention, and then that its node holds it.
    pub(crate) fn note(&mut self, record_id: &str, seen: &Seen, node: NodeId) {
        let Some(cluster) = self.truth.group(record_id) else { return };
        if let Some(homes) = self.homes.get(&cluster) {
            self.blocking.note(homes.iter().any(|home| seen.recalled.contains(home)));
        }
        if seen.decision == Decision::Existing {
            let holds = self.held.get(&node).is_some_and(|held| held.contains_key(&cluster));
            self.false_links.note(!holds);
        }
        if let Some(leader) = &seen.leader {
            let probability = f64::from(leader.probability);
            self.forecasts.push(Forecast { probability, has_come: self.is_mostly(leader.node, cluster) });
        }
        let held = self.held.entry(node).or_default().entry(cluster).or_default();
        *held += 1;
        if *held == 1 {
            self.homes.entry(cluster).or_default().push(node);
        }
    }

    /// Whether more than half of the labelled records of a node are of a cluster.
    fn is_mostly(&self, node: NodeId, cluster: usize) -> bool {
        let Some(held) = self.held.get(&node) else { return false };
        let own = held.get(&cluster).copied().unwrap_or(0);
        2 * own > held.values().sum()
    }

    pub(crate) fn figures(self) -> DecisionFigures {
        let is_unsure =
            |forecast: &&Forecast| forecast.probability > UNSURE.0 && forecast.probability < UNSURE.1;
        let unsure = self.forecasts.iter().filter(is_unsure).copied().collect();
        DecisionFigures {
            blocking_recall: self.blocking,
            false_links: self.false_links,
            false_links_upper_bound: self.false_links.upper_bound(),
            calibration: Reliability::of(self.forecasts),
            calibration_unsure: Reliability::of(unsure),
        }
    }
}

#[cfg(test)]
mod tests {
    use cortexkg::evidence::Bits;

    use super::super::seen::Leader;
    use super::*;

    fn seen(recalled: &[u64], leader: Option<(u64, f32)>, decision: Decision) -> Seen {
        Seen {
            recalled: recalled.iter().copied().map(NodeId).collect(),
            leader: leader.map(|(node, probability)| Leader {
                node: NodeId(node),
                probability,
                evidence: Bits::ZERO,
            }),
            decision,
        }
    }

    #[test]
    fn each_decision_is_judged_at_its_moment() {
        let mut truth = Grouping::default();
        for (record, cluster) in [("a", "x"), ("b", "x"), ("c", "y"), ("d", "x"), ("e", "y")] {
            truth.insert(record, cluster);
        }
        let mut witness = Witness::new(&truth);
        // Nothing there: no true node, no forecast.
        witness.note("a", &seen(&[], None, Decision::New), NodeId(0));
        // Recalled, linked, right.
        witness.note("b", &seen(&[0], Some((0, 0.75)), Decision::Existing), NodeId(0));
        // Unlabelled: nothing is counted.
        witness.note("z", &seen(&[0], Some((0, 0.5)), Decision::Existing), NodeId(0));
        // The first of its cluster, linked: wrong, and no matter of recall.
        witness.note("c", &seen(&[0], Some((0, 0.75)), Decision::Existing), NodeId(0));
        // Not recalled.
        witness.note("d", &seen(&[9], None, Decision::New), NodeId(1));
        // Node 0 holds c, so the link is right; but most of what it holds is x, so the leader is wrong.
        witness.note("e", &seen(&[0], Some((0, 0.995)), Decision::Existing), NodeId(0));
        let figures = witness.figures();
        assert_eq!(figures.blocking_recall, Share { count: 2, of: 3 });
        assert_eq!(figures.false_links, Share { count: 1, of: 3 });
        assert_eq!((figures.calibration.decisions, figures.calibration_unsure.decisions), (3, 2));
        // 0.75 came, 0.75 did not, 0.995 did not: each in a bin of its own.
        assert!((figures.calibration.ece - (0.25 + 0.75 + 0.995) / 3.0).abs() < 1e-6);
    }
}
