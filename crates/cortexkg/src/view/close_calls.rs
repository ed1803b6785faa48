//! Close calls that nobody has settled: what a person would review.

use std::collections::BTreeMap;

use cortexkg_store::Store;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::View;
use crate::feedback::LinkKind;
use crate::graph::{MentionIndex, NOWHERE, NodeId, NodeIndex, Tie};
use crate::operation_error::OperationError;
use crate::report::MemberView;

/// A mention that opened a node of its own while another came close, and neither consolidation nor a user has settled it since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloseCall {
    /// The mention.
    pub mention: MemberView,
    /// Its node now.
    pub node: NodeId,
    /// The node that it may belong to.
    pub other: NodeId,
    /// The oldest mention of that: to say of both whether they are the same.
    pub other_mention: MemberView,
    /// How likely the mention belongs to it, 0 to 1, as it was decided then; 0 if the log does not tell any more.
    pub probability: f32,
}

impl<S: Store> View<'_, S> {
    /// The close calls that stand today, the most likely first, then the oldest; of several between the same two nodes the most likely one.
    ///
    /// ```
    /// use cortexkg::{DurableEngine, EngineConfig, Fact};
    /// use cortexkg_store::{MemoryStore, Sync};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = DurableEngine::open(MemoryStore::default(), EngineConfig::default())?;
    /// graph.allocate_batch(vec![Fact::text("a polar bear"), Fact::text("Kiyoshi Kato")], Sync::Durable)?;
    /// assert!(graph.view(None)?.open_calls()?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn open_calls(&self) -> Result<Vec<CloseCall>, OperationError> {
        let engine = &self.durable.engine;
        let graph = &engine.graph;
        let mut pairs: BTreeMap<(NodeIndex, NodeIndex), (f32, MentionIndex)> = BTreeMap::new();
        let mut calls: Vec<(MentionIndex, NodeIndex)> = Vec::new();
        graph.scan_shown_edges(|edge| {
            calls.extend(edge.ties.iter().filter_map(|tie| match *tie {
                Tie::Possible { mention, .. } if edge.from != edge.to => Some((mention, edge.to)),
                _ => None,
            }));
        });
        let settled = self.settled();
        for (mention, other) in calls {
            let own = graph.mentions[mention as usize].node;
            if settled.contains(&(own.min(other), own.max(other))) {
                continue;
            }
            let leader = self.durable.ballot_of(mention)?.competitors.into_iter().next();
            let probability = leader.map_or(0.0, |leader| leader.probability);
            let known = pairs.entry((own, other)).or_insert((probability, mention));
            if probability > known.0 {
                *known = (probability, mention);
            }
        }
        let mut open: Vec<_> = pairs
            .into_iter()
            .filter_map(|((own, other), (probability, mention))| {
                let first = graph.node(other).members.first()?;
                Some(CloseCall {
                    mention: engine.member(mention),
                    node: graph.id(own),
                    other: graph.id(other),
                    other_mention: engine.member(first),
                    probability,
                })
            })
            .collect();
        open.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.node.cmp(&b.node)));
        self.durable.sound(open)
    }

    /// Pairs of nodes, the smaller first, of which a user has said that they are two.
    fn settled(&self) -> FxHashSet<(NodeIndex, NodeIndex)> {
        let engine = &self.durable.engine;
        let node = |of| {
            let mention = engine.placed_mention(of)?;
            Some(engine.graph.mentions[mention as usize].node).filter(|&node| node != NOWHERE)
        };
        let cannot = engine.links.iter().filter(|(_, link)| link.kind == LinkKind::Cannot);
        let pairs = cannot.filter_map(|(_, link)| Some((node(link.left)?, node(link.right)?)));
        pairs.map(|(a, b)| (a.min(b), a.max(b))).collect()
    }
}
