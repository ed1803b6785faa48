//! The structural column: do the fields agree, and is the node tied to the same things?

use crate::columns::{Column, Context, Memo, SharedField, Vote, field_vote};
use crate::compare::Level;
use crate::evidence::{Bits, log2_ratio};
use crate::graph::NodeIndex;
use crate::profile::FieldKind;

/// Most that shared neighbours may say: they make a likely match likelier, they do not make one.
const NEIGHBOURS_MAX: Bits = Bits::whole(6);
/// `log2` of how often, by prior belief, a thing is spoken of again with the same partner: 1/4.
const SAME_PARTNER: Bits = Bits::whole(-2);

/// Fields but dates, and the graph around the node.
pub(super) fn vote(
    context: &Context<'_>,
    node: NodeIndex,
    shared: &[SharedField<'_>],
    memo: &mut Memo,
    votes: &mut Vec<Vote>,
) {
    for &shared in shared.iter().filter(|shared| shared.kind != FieldKind::Date) {
        votes.extend(field_vote(context, memo, Column::Structural, shared));
    }
    votes.extend(neighbours(context, node));
}

/// Nodes that share a partner: the rarer the partner's ties, the more it says.
fn neighbours(context: &Context<'_>, node: NodeIndex) -> Option<Vote> {
    let graph = context.graph;
    let tied = |partner: NodeIndex| {
        let (few, other) = if graph.node(node).edges.len() <= graph.node(partner).edges.len() {
            (node, partner)
        } else {
            (partner, node)
        };
        graph.node(few).edges.iter().any(|edge| {
            let edge = graph.edge(edge);
            edge.from == other || edge.to == other
        })
    };
    let partner =
        context.mention.partners.iter().copied().filter(|&partner| partner != node).find(|&p| tied(p))?;
    let degree = graph.node(partner).edges.len() as u64;
    let bits = SAME_PARTNER + log2_ratio(graph.live_nodes() as u64 + 1, degree);
    Some(Vote {
        column: Column::Structural,
        field: Vote::NEIGHBOURS,
        level: Level::Exact,
        bits: bits.clamp(Bits::ZERO, NEIGHBOURS_MAX),
        said_before: 0,
        nearest: Some(partner),
    })
}
