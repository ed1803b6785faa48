//! The semantic column: do the embeddings point the same way?

use crate::columns::{Column, Context, Vote};
use crate::compare::{Comparison, Level};
use crate::dictionary::EMBEDDING;
use crate::evidence::Bits;
use crate::graph::NodeIndex;
use crate::vectors::Code;

/// Least cosine, in 1/65536, of the levels exact to similar: 0.9, 0.75, 0.6 and 0.4.
const COSINE_MIN: [i32; Level::COUNT - 1] = [58_982, 49_152, 39_322, 26_214];

pub(super) fn vote(context: &Context<'_>, node: NodeIndex, votes: &mut Vec<Vote>) {
    if let Some(comparison) = comparison(context, node) {
        votes.push(Vote {
            column: Column::Semantic,
            field: EMBEDDING,
            level: comparison.level,
            bits: context.weights.field(EMBEDDING).vote(comparison),
            said_before: 0,
            nearest: None,
        });
    }
}

/// The level of similarity, if mention and node both have a vector and it says more than their words.
pub(super) fn comparison(context: &Context<'_>, node: NodeIndex) -> Option<Comparison> {
    if !context.vectors.say_more_than_words() {
        return None;
    }
    Some(comparison_of(context.vectors.similarity(context.mention.code.as_ref()?, node)?))
}

/// Compares the codes of two mentions.
pub(crate) fn compare_codes(left: &Code, right: &Code) -> Option<Comparison> {
    left.similarity(right).ok().map(|similarity| comparison_of(similarity.units()))
}

/// The level of a cosine, in 1/65536.
fn comparison_of(similarity: i32) -> Comparison {
    let level = COSINE_MIN.iter().take_while(|&&least| similarity < least).count();
    Comparison { level: Level::from_index(level as u8), information: Bits::ZERO }
}
