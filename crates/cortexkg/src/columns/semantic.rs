//! The semantic column: do the embeddings point the same way, and how many others point that way?

use crate::columns::{Column, Context, Vote};
use crate::compare::{Comparison, Level};
use crate::dictionary::EMBEDDING;
use crate::evidence::{Bits, log2};
use crate::graph::{Graph, MentionIndex, NodeIndex};
use crate::vectors::{Code, Vectors};

/// By how many bits a nearness must be more surprising than that of the nearest of all nodes is by chance, for the levels
/// exact to similar.
const SURPRISE_MIN: [Bits; Level::COUNT - 1] =
    [Bits::whole(4), Bits::whole(2), Bits::whole(0), Bits::whole(-3)];

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

/// How near a node is to the mention, if both have a vector and it says more than their words.
pub(super) fn comparison(context: &Context<'_>, node: NodeIndex) -> Option<Comparison> {
    let Context { vectors, graph, mention, .. } = context;
    if !vectors.say_more_than_words() {
        return None;
    }
    let cosine = vectors.similarity(mention.code.as_ref()?, node)?;
    let theirs = graph.node(node).members.first().and_then(|first| vectors.surroundings.get(first));
    let surprise = vectors.surroundings.surprise(cosine, [mention.surroundings, theirs])?;
    Some(comparison_of(surprise, graph))
}

/// How near two mentions are to each other.
pub(crate) fn compare_codes(
    vectors: &Vectors,
    graph: &Graph,
    (left, a): (&Code, MentionIndex),
    (right, b): (&Code, MentionIndex),
) -> Option<Comparison> {
    let cosine = left.similarity(right).ok()?.units();
    let surprise = vectors.surroundings.surprise(cosine, [a, b].map(|of| vectors.surroundings.get(of)))?;
    Some(comparison_of(surprise, graph))
}

/// The level of a nearness. Beyond the least of its level only half of it counts: what is surprisingly near is, more often than
/// not, one of a kind and not the same.
fn comparison_of(surprise: Bits, graph: &Graph) -> Comparison {
    let chance = log2(graph.live_nodes().max(1) as u64);
    let beyond = surprise - chance;
    let level = SURPRISE_MIN.iter().take_while(|&&least| beyond < least).count();
    let information =
        SURPRISE_MIN.get(level).map_or(Bits::ZERO, |&least| chance + least + (beyond - least).scaled(128));
    Comparison::new(Level::from_index(level as u8), information)
}
