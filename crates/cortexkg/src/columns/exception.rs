//! The exception column: what speaks against a node.
//!
//! Its votes are the weights of conflicts in *functional* fields, those on which the members of one node agree as far as has
//! been learned, and of identity keys that differ. If the node wins all the same, the conflict is kept as an exception
//! of the graph rather than forgotten.

use crate::columns::{Column, Context, Vote};
use crate::compare::Level;
use crate::evidence::Bits;

/// Takes over the votes that are evidence against.
pub(super) fn claim(context: &Context<'_>, votes: &mut [Vote]) {
    for vote in votes.iter_mut().filter(|vote| vote.bits < Bits::ZERO && vote.nearest.is_some()) {
        if vote.level == Level::Different && context.weights.field(vote.field).is_functional() {
            vote.column = Column::Exception;
        }
    }
}
