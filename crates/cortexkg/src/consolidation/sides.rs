//! Two members of a node that cannot be one: which of the others goes with which?

use cortexkg_store::Store;

use super::code;
use super::linkage::weight_between;
use super::plan::{Planner, spread};
use crate::durable::DurableEngine;
use crate::engine::AllocationEngine;
use crate::feedback::LinkKind;
use crate::graph::MentionIndex;
use crate::operation_error::OperationError;
use crate::vectors::Code;

/// Groups that are compared with each other in full; the others follow those they agree with most.
const GROUPS_COMPARED: usize = 32;
/// Members of a side, and of a group, that are compared.
const MEMBERS_COMPARED: usize = 6;

impl<S: Store> DurableEngine<S> {
    /// Parts the members of a node around two of them: each goes with the one whose side it agrees with more on average, and members
    /// that must-links tie go together.
    pub(crate) fn sides(
        &mut self,
        members: &[MentionIndex],
        seeds: [MentionIndex; 2],
    ) -> Result<(Vec<MentionIndex>, Vec<MentionIndex>), OperationError> {
        let groups = self.engine.tied_groups(members);
        let store = &self.store;
        let mut failed = None;
        let code_of = |engine: &AllocationEngine, mention| {
            code(store, engine, mention).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                None
            })
        };
        let sides = Planner::new(&mut self.engine, code_of).sides(groups, seeds);
        match failed {
            Some(error) => Err(error),
            None => self.sound(sides),
        }
    }
}

impl AllocationEngine {
    /// Members in groups that must-links tie together, by the first member of each.
    pub(super) fn tied_groups(&self, members: &[MentionIndex]) -> Vec<Vec<MentionIndex>> {
        let mut groups: Vec<Vec<MentionIndex>> = members.iter().map(|&mention| vec![mention]).collect();
        if self.links.is_empty() {
            return groups;
        }
        let mut group_of: Vec<usize> = (0..members.len()).collect();
        for (at, &mention) in members.iter().enumerate() {
            for other in self.linked(mention, LinkKind::Must) {
                let Ok(other) = members.binary_search(&other) else { continue };
                let [into, from] = [group_of[at].min(group_of[other]), group_of[at].max(group_of[other])];
                if into != from {
                    group_of.iter_mut().filter(|group| **group == from).for_each(|group| *group = into);
                    let moved = std::mem::take(&mut groups[from]);
                    groups[into].extend(moved);
                }
            }
        }
        groups.retain(|group| !group.is_empty());
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups
    }

    /// Makes one of parts that a must-link ties together.
    pub(super) fn join_tied(&self, parts: &mut Vec<Vec<MentionIndex>>) {
        if self.links.is_empty() || parts.len() < 2 {
            return;
        }
        for at in 0..parts.len() {
            // A part that takes others in has their ties, too.
            let mut looked_at = 0;
            while let Some(&mention) = parts[at].get(looked_at) {
                looked_at += 1;
                for other in self.linked(mention, LinkKind::Must) {
                    if let Some(from) = (at + 1..parts.len()).find(|&part| parts[part].contains(&other)) {
                        let moved = std::mem::take(&mut parts[from]);
                        parts[at].extend(moved);
                    }
                }
            }
            parts[at].sort_unstable();
        }
        parts.retain(|part| !part.is_empty());
    }

    /// The mentions that links of one kind connect a mention with, those that are members of a node.
    pub(super) fn linked(
        &self,
        mention: MentionIndex,
        kind: LinkKind,
    ) -> impl Iterator<Item = MentionIndex> + '_ {
        let others = self.links.others(self.mention_ref(mention), kind);
        others.filter_map(|(_, other)| self.placed_mention(other))
    }

    /// Whether a cannot-link stands between two groups of mentions, both ascending.
    pub(super) fn is_kept_apart(&self, left: &[MentionIndex], right: &[MentionIndex]) -> bool {
        if self.links.is_empty() {
            return false;
        }
        let (few, many) = if left.len() <= right.len() { (left, right) } else { (right, left) };
        let mut others = few.iter().flat_map(|&mention| self.linked(mention, LinkKind::Cannot));
        others.any(|other| many.binary_search(&other).is_ok())
    }
}

impl<F: FnMut(&AllocationEngine, MentionIndex) -> Option<Code>> Planner<'_, F> {
    /// Average linkage from two seeds: the group that speaks most clearly for one side joins it, and is heard by the next.
    fn sides(
        &mut self,
        groups: Vec<Vec<MentionIndex>>,
        seeds: [MentionIndex; 2],
    ) -> (Vec<MentionIndex>, Vec<MentionIndex>) {
        let mut sides = [Vec::new(), Vec::new()];
        let mut waiting = Vec::new();
        for group in groups {
            match seeds.iter().position(|seed| group.contains(seed)) {
                Some(side) => sides[side] = group,
                None => waiting.push(group),
            }
        }
        let followers = waiting.split_off(waiting.len().min(GROUPS_COMPARED));
        while !waiting.is_empty() {
            let leans: Vec<i64> = waiting.iter().map(|group| self.lean(group, &sides)).collect();
            let clearest = (0..leans.len()).max_by_key(|&at| (leans[at].abs(), std::cmp::Reverse(at)));
            let at = clearest.unwrap_or(0);
            join(&mut sides, waiting.remove(at), leans[at]);
        }
        // Many follow what a bounded number of comparisons has settled.
        let settled = sides.clone();
        for group in followers {
            let lean = self.lean(&group, &settled);
            join(&mut sides, group, lean);
        }
        let [left, right] = sides;
        (left, right)
    }

    /// By how much more a group agrees with the second side than with the first, in 1/256 bit.
    fn lean(&mut self, group: &[MentionIndex], sides: &[Vec<MentionIndex>; 2]) -> i64 {
        let group = spread(group, MEMBERS_COMPARED);
        let [first, second] = [&sides[0], &sides[1]].map(|side| {
            let side = spread(side, MEMBERS_COMPARED);
            let weights: Vec<_> = group.iter().flat_map(|&mention| self.weights(mention, &side)).collect();
            weight_between(&weights)
        });
        second - first
    }
}

fn join(sides: &mut [Vec<MentionIndex>; 2], group: Vec<MentionIndex>, lean: i64) {
    let side = &mut sides[usize::from(lean > 0)];
    side.extend(group);
    side.sort_unstable();
}
