//! Slips of a name stand for the name: two of them differ more from each other than either from what was meant.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::plan::{Planner, TOGETHER_MIN};
use crate::columns::{MentionView, alone_in};
use crate::dictionary::{FieldId, ValueId};
use crate::engine::AllocationEngine;
use crate::graph::{MentionIndex, NodeIndex};
use crate::pair::total_weight;
use crate::vectors::Code;

/// Names of a node that its others may be slips of: those that most of its members have.
const RIGHT_MAX: usize = 8;

/// A field and those of its names in a node that are right, most frequent first.
type Right = (FieldId, Rc<[ValueId]>);

/// What is known of nodes in which names stand alone.
#[derive(Debug, Default)]
pub(super) struct StandIns {
    /// By node; none where names do not stand alone or there is but one.
    right: FxHashMap<NodeIndex, Option<Right>>,
    /// By node and name: what is meant.
    meant: FxHashMap<(NodeIndex, ValueId), ValueId>,
}

impl<F: FnMut(&AllocationEngine, MentionIndex) -> Option<Code>> Planner<'_, F> {
    /// The values of a mention, those of a slip instead as they were meant: as the most frequent name of its node that the name by itself
    /// agrees with by more than is asked of members.
    pub(super) fn values_meant(&mut self, mention: MentionIndex) -> Vec<(FieldId, ValueId)> {
        let mut values = self.engine.graph.mention_values(mention).to_vec();
        let node = self.engine.graph.mentions[mention as usize].node;
        let Some((alone, right)) = self.right(node) else { return values };
        if let Some(said) = values.iter_mut().find(|(field, _)| *field == alone) {
            said.1 = self.meant(node, mention, *said, &right);
        }
        values
    }

    /// The names of a node that are right, and their field; none unless names stand alone in it and it has several.
    fn right(&mut self, node: NodeIndex) -> Option<Right> {
        if let Some(known) = self.stand_ins.right.get(&node) {
            return known.clone();
        }
        let AllocationEngine { graph, dictionary, weights, .. } = &*self.engine;
        let seen = graph.node(node);
        let alone = alone_in(dictionary, seen.values.iter().map(|value| value.field));
        let alone = alone.filter(|&field| weights.field(field).knows_names);
        let mut names: Vec<(std::cmp::Reverse<u32>, ValueId)> = Vec::new();
        if let Some(alone) = alone {
            let of_names = seen.values.iter().filter(|value| value.field == alone);
            names.extend(of_names.map(|value| (std::cmp::Reverse(value.count), value.value)));
            names.sort_unstable();
        }
        let first = seen.members.first();
        let (Some(field), Some(member), 2..) = (alone, first, names.len()) else {
            self.stand_ins.right.insert(node, None);
            return None;
        };
        let mut right: Vec<ValueId> = Vec::new();
        for (_, value) in names {
            if right.len() == RIGHT_MAX {
                break;
            }
            if !right.iter().any(|&of| self.is_slip(field, member, value, of)) {
                right.push(value);
            }
        }
        let right = Some((field, right.into()));
        self.stand_ins.right.insert(node, right.clone());
        right
    }

    fn meant(
        &mut self,
        node: NodeIndex,
        member: MentionIndex,
        (field, value): (FieldId, ValueId),
        right: &[ValueId],
    ) -> ValueId {
        if let Some(&known) = self.stand_ins.meant.get(&(node, value)) {
            return known;
        }
        let is_right = right.contains(&value);
        let found = right.iter().find(|&&of| !is_right && self.is_slip(field, member, value, of));
        let meant = *found.unwrap_or(&value);
        self.stand_ins.meant.insert((node, value), meant);
        meant
    }

    /// Whether a name is a slip of another, by itself, in the node of a member.
    fn is_slip(&mut self, field: FieldId, member: MentionIndex, value: ValueId, of: ValueId) -> bool {
        let view = MentionView::of(&self.engine.dictionary, vec![(field, value)]);
        let pair = self.engine.compare_pair(&view, member, &[(field, of)]);
        total_weight(&pair, &self.engine.weights) > TOGETHER_MIN
    }
}
