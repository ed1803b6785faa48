//! Search: which nodes does a text speak of, whatever the fields?
//!
//! The text is looked for in every field, by its words and their character n-grams, through the same inverted index that recalls
//! candidates. What comes back is ranked by the information in what is shared: a rare word found says more than a common one.

use cortexkg_store::Store;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::embed::{hash_bytes, ngrams};
use crate::engine::AllocationEngine;
use crate::evidence::Bits;
use crate::graph::{NodeId, NodeIndex};
use crate::normalise::normalise;
use crate::operation_error::OperationError;
use crate::perceive::{FeatureClass, is_key_field};
use crate::profile::FieldKind;
use crate::view::View;

/// Words of a text that are looked for.
const WORDS_MAX: usize = 32;
/// Nodes read from one list of the index: the newest.
const POSTINGS_MAX: usize = 4096;
/// Nodes that are looked at closely.
const CLOSE_LOOKS: usize = 256;
/// What a word is worth whose spelling is only near, in 1/256.
const NEAR: u32 = 160;

/// A node that a text speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The node.
    pub node: NodeId,
    /// It in one line.
    pub label: String,
    /// Information in what text and node share, in bits.
    pub score_bits: f32,
    /// Words of the text that were found, with the field where each says most: `city: los`.
    pub matched: Vec<String>,
}

impl AllocationEngine {
    /// The nodes that a text speaks of, best first, of equals the oldest; at most `limit`. An identifier or IRI finds its node, too.
    pub fn search(&self, text: &str, limit: usize) -> Vec<SearchHit> {
        let normal = normalise(text);
        let words: Vec<&str> = normal.split(' ').filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
        let mut found: Vec<(Bits, NodeIndex)> =
            self.nodes_listed(text, &normal, &words).into_iter().collect();
        found.sort_unstable_by_key(|&(score, node)| (std::cmp::Reverse(score), node));
        found.truncate(CLOSE_LOOKS.max(limit));
        let mut hits: Vec<_> =
            found.iter().filter_map(|&(_, node)| self.hit(node, text, &normal, &words)).collect();
        hits.sort_by(|a, b| b.score_bits.total_cmp(&a.score_bits).then(a.node.cmp(&b.node)));
        hits.truncate(limit);
        hits
    }

    /// Nodes listed under what the text has, with the information of that.
    fn nodes_listed(&self, text: &str, normal: &str, words: &[&str]) -> Vec<(Bits, NodeIndex)> {
        let mentions = self.graph.mentions.len() as u64;
        let mut scores: FxHashMap<NodeIndex, Bits> = FxHashMap::default();
        let mut look = |feature: u64, part: u32| {
            let bits = self.index.information(feature, mentions).scaled(part);
            for node in self.index.with_neuron(feature, POSTINGS_MAX) {
                let score = scores.entry(node).or_default();
                *score += bits;
            }
        };
        for entry in self.dictionary.fields() {
            let domain = hash_bytes(0, entry.name.as_bytes());
            let feature = |class: FeatureClass, content: &[u8]| hash_bytes(domain ^ class as u64, content);
            if is_key_field(&entry.name) {
                look(feature(FeatureClass::Whole, text.as_bytes()), 256);
                continue;
            }
            if matches!(entry.kind, FieldKind::Embedding | FieldKind::Recency) || words.is_empty() {
                continue;
            }
            look(feature(FeatureClass::Whole, normal.as_bytes()), 256);
            look(feature(FeatureClass::Item, normal.as_bytes()), 256);
            for word in words {
                look(feature(FeatureClass::Word, word.as_bytes()), 256);
                ngrams(word, 3, |gram| look(feature(FeatureClass::Gram, gram), 32));
            }
        }
        scores.into_iter().map(|(node, score)| (score, node)).collect()
    }

    /// A close look: which words of the text does the node have, spelled so or nearly so?
    fn hit(&self, node: NodeIndex, text: &str, normal: &str, words: &[&str]) -> Option<SearchHit> {
        let held = self.graph.node(node);
        let mut best: Vec<(Bits, String)> = vec![(Bits::ZERO, String::new()); words.len()];
        let mut whole = (Bits::ZERO, String::new());
        for value in held.values {
            let entry = self.dictionary.field(value.field);
            let form = self.dictionary.value(value.value);
            if is_key_field(&entry.name) {
                if self.dictionary.text(value.value) == text {
                    whole = (self.dictionary.information(form), format!("{}: {text}", entry.name));
                }
                continue;
            }
            // A key by the user's word has no words.
            if entry.kind == FieldKind::Key && form.normal() == normal {
                let shown = self.dictionary.surface(value.value);
                whole = (self.dictionary.information(form), format!("{}: {shown}", entry.name));
            }
            for term in form.words() {
                let (known, information) =
                    (self.dictionary.term(term), self.dictionary.term_information(term));
                for (word, best) in words.iter().zip(&mut best) {
                    let bits = match *word == known {
                        true => information.max(Bits::whole(1)),
                        false if is_near(word, known) => information.max(Bits::whole(1)).scaled(NEAR),
                        false => continue,
                    };
                    if bits > best.0 {
                        *best = (bits, format!("{}: {known}", entry.name));
                    }
                }
            }
        }
        best.push(whole);
        let score: Bits = best.iter().map(|(bits, _)| *bits).sum();
        let matched = best.into_iter().filter(|(bits, _)| *bits > Bits::ZERO).map(|(_, what)| what);
        (score > Bits::ZERO).then(|| SearchHit {
            node: self.graph.id(node),
            label: self.label(node),
            score_bits: score.as_f32(),
            matched: matched.collect(),
        })
    }
}

/// Whether one word may be meant by the other: its beginning, or a slip of the pen.
fn is_near(asked: &str, known: &str) -> bool {
    let long_enough = asked.chars().take(3).count() == 3;
    long_enough && (known.starts_with(asked) || strsim::jaro_winkler(asked, known) >= 0.92)
}

impl<S: Store> View<'_, S> {
    /// The nodes that a text speaks of, best first. In a view of the past: the nodes to which the members of those found belonged
    /// then.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<SearchHit>, OperationError> {
        let engine = self.engine();
        let hits = engine.search(text, if self.is_present() { limit } else { limit.saturating_mul(4) });
        if self.is_present() {
            return self.sound(hits);
        }
        let mut then: Vec<SearchHit> = Vec::new();
        for hit in hits {
            for node in self.nodes_then(hit.node) {
                if then.len() < limit && then.iter().all(|known| known.node != node) {
                    let label = self.node(node)?.map_or_else(String::new, |node| node.label);
                    then.push(SearchHit { node, label, ..hit.clone() });
                }
            }
        }
        self.sound(then)
    }
}
