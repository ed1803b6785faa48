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
use crate::columns::{Context, MentionView, compare_values};
use crate::commit::is_boundary;
use crate::dictionary::{FieldId, RECENCY, ValueId};
use crate::engine::AllocationEngine;
use crate::graph::{MentionIndex, NOWHERE};
use crate::journal::{MentionRef, Operation};
use crate::pair::ComparisonVector;

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
            let view = MentionView::of(&self.dictionary, self.graph.mention_values(of[1]).to_vec());
            let theirs = self.graph.mention_values(of[0]).to_vec();
            let pair = self.compare_pair(&view, of[0], &theirs);
            labels.push(Label { of, kind: link.kind, pair });
        }
        labels
    }

    /// A mention that is a member of a node.
    pub(crate) fn placed_mention(&self, of: MentionRef) -> Option<MentionIndex> {
        self.mention_at(of).filter(|&mention| self.graph.mentions[mention as usize].node != NOWHERE)
    }

    /// Two mentions compared in every field that both have, without a word on when they came.
    pub(crate) fn compare_pair(
        &mut self,
        view: &MentionView,
        other: MentionIndex,
        theirs: &[(FieldId, ValueId)],
    ) -> ComparisonVector {
        let Self { dictionary, weights, graph, vectors, columns, .. } = self;
        let context = Context { dictionary, weights, graph, vectors, mention: view };
        let mut pair = compare_values(&context, columns.words(), other, theirs);
        pair.retain(|(field, _)| *field != RECENCY);
        pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Comparison, Level};
    use crate::dictionary::Dictionary;
    use crate::evidence::Bits;
    use crate::learn::Learner;
    use crate::profile::FieldKind;
    use crate::weights::{LevelProbabilities, MatchWeights};

    const RECENCY_LEVELS: [Level; 2] = [Level::Exact, Level::Different];

    /// The tables of a name after labels that show one level.
    fn learned(labels: &[(LinkKind, Level)]) -> LevelProbabilities {
        let comparison = |level| Comparison::new(level, Bits::whole(8));
        let mut dictionary = Dictionary::default();
        dictionary.know_fields(&[("name".to_owned(), FieldKind::Name)]);
        let kinds = dictionary.fields().map(|field| field.kind);
        let (mut weights, mut learner) = (MatchWeights::new(kinds), Learner::default());
        for at in 0..200 {
            let pair = vec![(2, comparison(RECENCY_LEVELS[usize::from(at % 4 != 0)]))];
            learner.observe_random(&vec![(2, comparison(Level::Different))], &weights, Bits::whole(-8));
            learner.observe_candidate([at * 2, at * 2 + 1], pair);
        }
        let label = |(at, &(kind, level)): (usize, &(LinkKind, Level))| Label {
            of: [1000 + at as u32, 2000 + at as u32],
            kind,
            pair: vec![(2, comparison(level))],
        };
        let labels: Vec<_> = labels.iter().enumerate().map(label).collect();
        learner.refresh(&dictionary, &mut weights, Bits::whole(-8), &labels);
        learner.probabilities(2).expect("refreshed")
    }

    #[test]
    fn a_must_link_raises_m_and_a_cannot_link_raises_u() {
        let level = Level::Compatible as usize;
        let plain = learned(&[]);
        let must = learned(&[(LinkKind::Must, Level::Compatible); 4]);
        let cannot = learned(&[(LinkKind::Cannot, Level::Compatible); 4]);
        assert!(must.m[level] > plain.m[level] && must.u == plain.u, "{must:?} {plain:?}");
        assert!(
            cannot.u[level] > plain.u[level] && cannot.m[level] <= plain.m[level],
            "{cannot:?} {plain:?}"
        );
    }

    #[test]
    fn labels_are_bounded() {
        assert!((Label::pairs(1, 8192) - LABEL_PAIRS).abs() < 1e-9);
        assert!(Label::pairs(LABELS_MAX, 8192) * LABELS_MAX as f64 <= 8192.0 + 1e-6);
        assert!(Label::random_pairs(4096, 1600.0) * 4096.0 <= 100.0 + 1e-6);
        assert!(Label::random_pairs(0, 0.0) < 1e-9);
    }
}
