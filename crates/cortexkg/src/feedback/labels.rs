//! Links as labelled pairs: what the weights learn from feedback.
//!
//! In the project's seed documents feedback works on the weights as spike-timing-dependent plasticity does on synapses (Song, Miller
//! and Abbott, "Competitive Hebbian learning through spike-timing-dependent synaptic plasticity", 2000): what fired together rightly is
//! strengthened, what fired together wrongly is weakened, and the total stays bounded. Weights here are `log2(m / u)`, so
//!
//! - *potentiation*, by a must-link: the levels of agreement that the pair shows are more usual among mentions of one node, `m` rises;
//! - *depression*, by a cannot-link: they are less so, and more usual among mentions of different nodes, `m` falls and `u` rises.
//!
//! The formula is expectation maximisation over labelled and unlabelled pairs together (Nigam, McCallum, Thrun and Mitchell, "Text
//! classification from labeled and unlabeled documents using EM", 2000). With `γ` the posterior of a pair that nobody has labelled,
//! `λ` the pairs that a label counts for, `ρ` those that it counts for among random pairs, and `π` the belief before any pair:
//!
//! ```text
//! m[l] ∝ Σ unlabelled γ·[level = l] + λ · Σ must [level = l] + π·m₀[l]      (a cannot-link counts 0)
//! u[l] ∝ Σ random [level = l]       + ρ · Σ cannot [level = l] + π·u₀[l]
//! ```
//!
//! A label takes the place of the posterior where the stream kept the same pair. `λ` is [`LABEL_PAIRS`], but all labels together count
//! for no more than the pairs that the stream kept; `ρ` is the same, but all cannot-links together count for no more than
//! a sixteenth of the random pairs, for people are asked about pairs that look alike, and such are no random pairs. So few labels
//! are heard, and many cannot drown the stream.
//!
//! Comparisons are made anew at every refresh, from the links that stand then: what is undone or forgotten teaches nothing any more.

use super::LinkKind;
use crate::columns::{Context, MentionView, compare_mentions};
use crate::commit::is_boundary;
use crate::dictionary::RECENCY;
use crate::engine::AllocationEngine;
use crate::graph::{MentionIndex, NOWHERE};
use crate::journal::{MentionRef, Operation};
use crate::learn::ComparisonVector;

/// Most labels that count: the newest.
const LABELS_MAX: usize = 4096;
/// Mentions before a link brings the tables up to date by itself, as for the stream.
const MENTIONS_MIN: usize = 16;
/// Pairs that one label counts for, at most.
const LABEL_PAIRS: f64 = 16.0;
/// Part of the random pairs that all cannot-links together may count for.
const RANDOM_SHARE: f64 = 1.0 / 16.0;

/// A pair of mentions that somebody has spoken of.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    /// Ascending.
    pub(crate) of: [MentionIndex; 2],
    pub(crate) kind: LinkKind,
    pub(crate) pair: ComparisonVector,
}

impl Label {
    /// Pairs that each of so many labels counts for beside so many pairs of the stream.
    pub(crate) fn pairs(labels: usize, of_stream: usize) -> f64 {
        (of_stream.max(1) as f64 / labels.max(1) as f64).min(LABEL_PAIRS)
    }

    /// Random pairs that each of so many cannot-links counts for beside so many random pairs.
    pub(crate) fn random_pairs(labels: usize, random: f64) -> f64 {
        (random * RANDOM_SHARE / labels.max(1) as f64).min(LABEL_PAIRS)
    }
}

impl AllocationEngine {
    /// Brings the learned tables up to date after what was said of a pair by itself: after each of the first, then with every eighth
    /// part more; what is taken back is taken back at once. Young graphs wait until the stream has something to say.
    pub(crate) fn refresh_for_link(&mut self, operation: &Operation) {
        let is_due = match operation {
            Operation::Link { .. } => self.links.len() < 16 || is_boundary(self.links.len()),
            Operation::Unlink { .. } => true,
            _ => false,
        };
        if is_due && self.graph.mentions.len() >= MENTIONS_MIN {
            self.refresh();
        }
    }

    /// The newest labels, oldest first.
    pub(crate) fn labels(&mut self) -> Vec<Label> {
        let links: Vec<_> = self.links.iter().rev().take(LABELS_MAX).map(|(_, link)| link).collect();
        let mut labels = Vec::with_capacity(links.len());
        for link in links.into_iter().rev() {
            let [Some(left), Some(right)] = [link.left, link.right].map(|of| self.placed_mention(of)) else {
                continue;
            };
            let of = [left.min(right), left.max(right)];
            let values = self.graph.mention_values(of[1]).to_vec();
            let view = MentionView { values, confidence: 256, ..MentionView::default() };
            let pair = self.compare_pair(&view, of[0]);
            labels.push(Label { of, kind: link.kind, pair });
        }
        labels
    }

    /// A mention that is a member of a node.
    pub(crate) fn placed_mention(&self, of: MentionRef) -> Option<MentionIndex> {
        self.mention_at(of).filter(|&mention| self.graph.mentions[mention as usize].node != NOWHERE)
    }

    /// Two mentions compared in every field that both have, without a word on when they came.
    pub(crate) fn compare_pair(&mut self, view: &MentionView, other: MentionIndex) -> ComparisonVector {
        let Self { dictionary, weights, graph, vectors, columns, .. } = self;
        let context = Context { dictionary, weights, graph, vectors, mention: view };
        let mut pair = compare_mentions(&context, columns.words(), other);
        pair.retain(|(field, _)| *field != RECENCY);
        pair
    }
}
