//! The temporal column: do the dates agree, and was the node spoken of lately?

use crate::columns::{Column, Context, Memo, SharedField, Vote, field_vote};
use crate::compare::{Comparison, Level};
use crate::dictionary::RECENCY;
use crate::evidence::Bits;
use crate::graph::{MentionIndex, Node};
use crate::profile::FieldKind;

pub(super) fn vote(
    context: &Context<'_>,
    node: &Node<'_>,
    shared: &[SharedField<'_>],
    memo: &mut Memo,
    votes: &mut Vec<Vote>,
) {
    for &shared in shared.iter().filter(|shared| shared.kind == FieldKind::Date) {
        votes.extend(field_vote(context, memo, Column::Temporal, shared));
    }
    if let Some(last) = node.members.last() {
        votes.extend(recency(context, last).map(|comparison| Vote {
            column: Column::Temporal,
            field: RECENCY,
            level: comparison.level,
            bits: context.weights.field(RECENCY).vote(comparison),
            said_before: 0,
            nearest: None,
        }));
    }
}

/// How long ago a mention was, as a part of the whole stream: the last 1/256, 1/32, 1/8, 1/2 of it, or before.
///
/// Facts that come in no particular order make all parts equally likely for matches and others, and the column learns to
/// say nothing; in a stream with bursts it speaks. In a stream shorter than its finest part there is no "lately".
pub(super) fn recency(context: &Context<'_>, mention: MentionIndex) -> Option<Comparison> {
    let total = context.graph.mentions.len() as u64;
    let gap = total - u64::from(mention);
    let level = [256, 32, 8, 2].iter().take_while(|&&part| gap * part > total).count();
    let comparison = Comparison::new(Level::from_index(level as u8), Bits::ZERO);
    (total >= 256).then_some(comparison)
}
