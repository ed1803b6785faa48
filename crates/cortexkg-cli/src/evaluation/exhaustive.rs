//! Recall without truth: would a look at every node have found a better one?

use cortexkg::candidates::{Candidate, Candidates, Origins};
use cortexkg::evidence::Bits;
use cortexkg::spike::SpikePattern;
use cortexkg::{Fact, NodeId};
use serde::Serialize;

use super::Graph;
use super::seen::Seen;
use crate::failure::Failure;
use crate::scoring::{Random, Share};

/// The same sample every time.
const SEED: u64 = 1985;
/// Nodes that compete at once; the best of each lot is kept.
const NODES_AT_ONCE: usize = 1024;

/// A sample of records, as likely one as another (reservoir sampling: Vitter's algorithm R, 1985), each compared with all
/// nodes that were there when its turn came.
pub(crate) struct ExhaustiveSample {
    records: Vec<Option<Compared>>,
    records_max: usize,
    drawn: usize,
    random: Random,
}

/// The node that a look at all of them found best for the first mention of a fact.
pub(crate) struct Best {
    /// Where in the sample it goes.
    place: usize,
    node: Option<(NodeId, Bits)>,
}

/// A record of which some node was best.
#[derive(Debug, Clone, Copy)]
struct Compared {
    is_recalled: bool,
    /// Whether more speaks for the best node than for a new one.
    is_link: bool,
}

/// What recall missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SampleFigures {
    /// Records in the sample.
    pub records: usize,
    /// Of those for which something spoke for any node: how often the best node (or one as good) had been recalled.
    pub best_recalled: Share,
    /// The same, of those where more spoke for the best node than for a new one. Only these can change a decision.
    pub best_link_recalled: Share,
}

impl ExhaustiveSample {
    pub(crate) fn new(records_max: usize) -> Self {
        Self { records: Vec::new(), records_max, drawn: 0, random: Random::new(SEED) }
    }

    /// Draws whether the fact that is next is in the sample, and if so compares it with every node. To be told of its decision by
    /// [`note`](Self::note).
    pub(crate) fn look(&mut self, graph: &mut Graph, fact: &Fact) -> Result<Option<Best>, Failure> {
        if self.records_max == 0 {
            return Ok(None);
        }
        // What the engine refuses is no part of the stream.
        let Ok(perceived) = graph.engine().perceive(fact.clone()) else { return Ok(None) };
        self.drawn += 1;
        let place =
            if self.drawn <= self.records_max { self.drawn - 1 } else { self.random.below(self.drawn) };
        if place >= self.records_max {
            return Ok(None);
        }
        let nodes: Vec<NodeId> = graph.engine().node_ids().collect();
        let mut best: Option<(NodeId, Bits)> = None;
        for nodes in nodes.chunks(NODES_AT_ONCE) {
            let candidates =
                nodes.iter().map(|&node| Candidate { node, origins: Origins::default(), spike_score: 0 });
            let all = Candidates {
                candidates: candidates.collect(),
                is_exhaustive: false,
                pattern: SpikePattern::default(),
            };
            let ballot = graph.decide(&perceived, 0, &all)?;
            if let Some(leader) = ballot.competitors.first()
                && best.is_none_or(|(_, most)| leader.evidence > most)
            {
                best = Some((leader.node, leader.evidence));
            }
        }
        Ok(Some(Best { place, node: best }))
    }

    /// Notes how the decision on the fact came to be.
    pub(crate) fn note(&mut self, best: &Best, seen: &Seen) {
        let compared = best.node.map(|(node, evidence)| Compared {
            is_recalled: seen.recalled.contains(&node)
                || seen.leader.is_some_and(|leader| leader.evidence >= evidence),
            is_link: evidence >= Bits::ZERO,
        });
        match self.records.get_mut(best.place) {
            Some(record) => *record = compared,
            None => self.records.push(compared),
        }
    }

    pub(crate) fn figures(&self) -> SampleFigures {
        let (mut all, mut links) = (Share::default(), Share::default());
        for record in self.records.iter().flatten() {
            all.note(record.is_recalled);
            if record.is_link {
                links.note(record.is_recalled);
            }
        }
        SampleFigures { records: self.records.len(), best_recalled: all, best_link_recalled: links }
    }
}
