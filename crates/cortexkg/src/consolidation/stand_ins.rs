//! Slips of a name stand for the name: two of them differ more from each other than either from what was meant.

use rustc_hash::FxHashMap;

use super::plan::Planner;
use crate::columns::alone_in;
use crate::dictionary::{FieldId, ValueId};
use crate::engine::AllocationEngine;
use crate::evidence::Bits;
use crate::graph::{MentionIndex, NodeIndex};
use crate::vectors::Code;

/// Names that others of a node may be slips of: the most frequent.
const RIGHT_MAX: usize = 8;

/// By node and value: the value of the same node that it is a slip of.
pub(super) type StandIns = FxHashMap<(NodeIndex, ValueId), ValueId>;

/// A name that stands alone, and how often it is met.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    rarity: std::cmp::Reverse<u32>,
    field: FieldId,
    value: ValueId,
    /// The first member that has it.
    member: MentionIndex,
}

impl<F: FnMut(&AllocationEngine, MentionIndex) -> Option<Code>> Planner<'_, F> {
    /// Finds which names among the members of a node are slips of which, as far as each says so by itself: by more than is `asked`.
    pub(super) fn find_slips(&mut self, node: NodeIndex, members: &[MentionIndex], asked: Bits) {
        let mut names: Vec<Name> = members.iter().filter_map(|&member| self.name(member)).collect();
        names.sort_unstable();
        names.dedup_by_key(|name| name.value);
        let mut right: Vec<Name> = Vec::new();
        for name in names {
            let is_meant = right.iter().position(|of| {
                of.field == name.field && self.weights(name.member, &[of.member])[0].sum() > asked
            });
            match is_meant {
                Some(at) => {
                    self.stand_ins.insert((node, name.value), right[at].value);
                }
                None if right.len() < RIGHT_MAX => right.push(name),
                None => {}
            }
        }
    }

    /// The values of a mention, those of a slip instead as they were meant.
    pub(super) fn values_meant(&self, mention: MentionIndex) -> Vec<(FieldId, ValueId)> {
        let graph = &self.engine.graph;
        let mut values = graph.mention_values(mention).to_vec();
        if !self.stand_ins.is_empty() {
            let node = graph.mentions[mention as usize].node;
            for (_, value) in &mut values {
                *value = *self.stand_ins.get(&(node, *value)).unwrap_or(value);
            }
        }
        values
    }

    fn name(&self, member: MentionIndex) -> Option<Name> {
        let AllocationEngine { graph, dictionary, .. } = &*self.engine;
        let values = graph.mention_values(member).to_vec();
        let alone = alone_in(dictionary, &values)?;
        let &(field, value) = values.iter().find(|&&(field, _)| field == alone)?;
        Some(Name { rarity: std::cmp::Reverse(dictionary.value(value).count), field, value, member })
    }
}
