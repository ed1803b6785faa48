//! What a second look finds: nodes that should be several, and nodes that should be one. Changes nothing.

use rustc_hash::FxHashMap;

use super::doubts::Doubt;
use super::linkage::{PairWeight, Weights, weight_between};
use super::stand_ins::StandIns;
use crate::ablation::Ablation;
use crate::columns::{MentionView, column_of, compare_codes};
use crate::dictionary::EMBEDDING;
use crate::engine::AllocationEngine;
use crate::evidence::Bits;
use crate::graph::{MentionIndex, NOWHERE, NodeIndex};
use crate::pair::total_weight;
use crate::vectors::Code;

/// Least mean match weight between the members of two parts of one node: what has been put together is taken apart only where the
/// parts agree hardly more than strangers do. No prior in it: that they were put together speaks for them.
pub(super) const TOGETHER_MIN: Bits = Bits::whole(6);
/// Members of a node that nothing but a decision or two holds together, which speaks for little: of those as much is asked as if they were to
/// be put together now.
const FEW_MEMBERS: usize = 4;
/// Least mean match weight between the members of two nodes that are to be one. Among pairs of a mention with a member of the leading
/// and of the second node, those of the same thing outnumber the others from 12 to 14 bits on, in large graphs and small.
const MERGE_MIN: Bits = Bits::whole(12);
/// Members of a node that are compared with each other; the others follow those they agree with most.
const MEMBERS_COMPARED: usize = 32;
/// Members of a part that one of those others is compared with.
const MEMBERS_FOLLOWED: usize = 6;
/// Members of either node that are compared to find whether two nodes may be one, and to make sure.
const MEMBERS_GLANCED_AT: usize = 6;
const MEMBERS_WEIGHED: usize = 8;
/// Members of a node in doubt that stand for its parts.
const MEMBERS_STANDING: usize = 16;

/// Mentions that should be one node, from one node of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The node that all of them are in.
    pub(super) node: NodeIndex,
    /// Whether they keep it; otherwise they need a new one.
    pub(super) keeps_node: bool,
    /// Ascending.
    pub(super) members: Vec<MentionIndex>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) parts: Vec<Part>,
    /// By position in `parts`: which part is to take in which, one after the other.
    pub(super) merges: Vec<(usize, usize)>,
    pub(super) nodes_compared: usize,
    pub(super) pairs_compared: usize,
}

/// Takes the second look.
pub(super) struct Planner<'e, F> {
    pub(super) engine: &'e mut AllocationEngine,
    /// The code of a mention's vector, where vectors say more than the words do.
    code_of: F,
    codes: FxHashMap<MentionIndex, Option<Code>>,
    pub(super) stand_ins: StandIns,
}

impl<'e, F: FnMut(&AllocationEngine, MentionIndex) -> Option<Code>> Planner<'e, F> {
    pub(super) fn new(engine: &'e mut AllocationEngine, code_of: F) -> Self {
        Self { engine, code_of, codes: FxHashMap::default(), stand_ins: StandIns::default() }
    }

    /// Looks at `nodes` for what should be several, then at the doubts for what should be one.
    pub(super) fn plan(&mut self, nodes: impl Iterator<Item = NodeIndex>, doubts: &[Doubt]) -> Plan {
        let mut plan = Plan::default();
        let mut parts_of: FxHashMap<NodeIndex, Vec<usize>> = FxHashMap::default();
        for node in nodes {
            let members: Vec<MentionIndex> = self.engine.graph.node(node).members.iter().collect();
            plan.nodes_compared += usize::from(members.len() > 1);
            let parts = self.parts(&members);
            if parts.len() > 1 {
                let largest = (0..parts.len()).max_by_key(|&at| (parts[at].len(), std::cmp::Reverse(at)));
                for (at, members) in parts.into_iter().enumerate() {
                    parts_of.entry(node).or_default().push(plan.parts.len());
                    plan.parts.push(Part { node, keeps_node: Some(at) == largest, members });
                }
            }
            self.codes.clear();
        }
        self.merges(&mut plan, &mut parts_of, doubts);
        plan
    }

    /// The groups that a node's members fall into.
    fn parts(&mut self, members: &[MentionIndex]) -> Vec<Vec<MentionIndex>> {
        if members.len() < 2 {
            return vec![members.to_vec()];
        }
        let compared = spread(members, MEMBERS_COMPARED);
        let mut weights = Weights::new(compared.len());
        let mut least = Bits(i32::MAX);
        for (left, &mention) in compared.iter().enumerate() {
            let others = &compared[left + 1..];
            for (right, weight) in (left + 1..).zip(self.weights(mention, others)) {
                weights.set(left, right, weight);
                least = least.min(weight.sum());
            }
        }
        let of_few = (-self.engine.prior()).clamp(TOGETHER_MIN, MERGE_MIN);
        let asked = if members.len() <= FEW_MEMBERS { of_few } else { TOGETHER_MIN };
        if least > asked {
            return vec![members.to_vec()];
        }
        let groups = weights.groups(asked);
        let mut parts: Vec<Vec<MentionIndex>> =
            groups.iter().map(|group| group.iter().map(|&at| compared[at]).collect()).collect();
        if parts.len() > 1 && compared.len() < members.len() {
            let followed: Vec<_> = parts.iter().map(|part| spread(part, MEMBERS_FOLLOWED)).collect();
            for &mention in members.iter().filter(|mention| !compared.contains(mention)) {
                let means: Vec<i64> =
                    followed.iter().map(|part| weight_between(&self.weights(mention, part))).collect();
                let best = (0..parts.len()).max_by_key(|&at| (means[at], std::cmp::Reverse(at)));
                parts[best.unwrap_or(0)].push(mention);
            }
            parts.iter_mut().for_each(|part| part.sort_unstable());
        }
        self.engine.join_tied(&mut parts);
        parts
    }

    /// Which parts should be one, best first.
    fn merges(&mut self, plan: &mut Plan, parts_of: &mut FxHashMap<NodeIndex, Vec<usize>>, doubts: &[Doubt]) {
        let merge_min = i64::from((MERGE_MIN + self.engine.config.inhibition.caution()).0);
        let mut pairs = Vec::new();
        for doubt in doubts {
            let at = self.engine.graph.mentions[doubt.mention as usize].node;
            let other = self.engine.graph.resolved(doubt.node);
            if at == NOWHERE || at == other {
                continue;
            }
            let own = part_with(plan, parts_of, self.engine, at, doubt.mention);
            let members = self.engine.graph.node(other).members;
            let standing: Vec<MentionIndex> =
                spread_over(members.len(), MEMBERS_STANDING).filter_map(|at| members.get(at)).collect();
            for mention in standing {
                let other = part_with(plan, parts_of, self.engine, other, mention);
                pairs.push((own.min(other), own.max(other)));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        plan.pairs_compared = pairs.len();
        let mut found: Vec<(i64, usize, usize)> = Vec::new();
        for (left, right) in pairs {
            let parts = [left, right].map(|at| &plan.parts[at].members);
            let mean = self.between(parts[0], parts[1], MEMBERS_GLANCED_AT);
            if mean > merge_min {
                found.push((mean, left, right));
            }
        }
        found.sort_by_key(|&(mean, left, right)| (std::cmp::Reverse(mean), left, right));
        let mut merged_into: Vec<usize> = (0..plan.parts.len()).collect();
        let mut members: Vec<Vec<MentionIndex>> =
            plan.parts.iter().map(|part| part.members.clone()).collect();
        for (_, left, right) in found {
            let [left, right] = [left, right].map(|mut at| {
                while merged_into[at] != at {
                    at = merged_into[at];
                }
                at
            });
            let were_alone = [left, right].iter().all(|&at| members[at].len() == 1);
            if left == right
                || self.engine.is_kept_apart(&members[left], &members[right])
                || !were_alone && self.between(&members[left], &members[right], MEMBERS_WEIGHED) <= merge_min
            {
                continue;
            }
            // The larger keeps its identifier, of equals the older.
            let turned = members[right].len() > members[left].len();
            let (kept, merged) = if turned { (right, left) } else { (left, right) };
            let moved = std::mem::take(&mut members[merged]);
            members[kept].extend(moved);
            members[kept].sort_unstable();
            merged_into[merged] = kept;
            plan.merges.push((kept, merged));
        }
    }

    /// The match weight between two groups, by some of their members, in 1/256 bit.
    fn between(&mut self, left: &[MentionIndex], right: &[MentionIndex], most: usize) -> i64 {
        let (left, right) = (spread(left, most), spread(right, most));
        let weights: Vec<_> = left.iter().flat_map(|&mention| self.weights(mention, &right)).collect();
        weight_between(&weights)
    }

    /// Match weights between one mention and others, without a prior and without a word on when they came.
    pub(super) fn weights(&mut self, mention: MentionIndex, others: &[MentionIndex]) -> Vec<PairWeight> {
        let says_more = self.engine.vectors.say_more_than_words();
        let code = if says_more { self.code(mention) } else { None };
        let values = self.values_meant(mention);
        let view = MentionView::of(&self.engine.dictionary, values);
        let mut weights = Vec::with_capacity(others.len());
        for &other in others {
            let theirs = self.values_meant(other);
            let mut pair = self.engine.compare_pair(&view, other, &theirs);
            if let Some(code) = &code {
                let theirs = self.code(other);
                let AllocationEngine { vectors, graph, .. } = &*self.engine;
                let compare = |theirs| compare_codes(vectors, graph, (code, mention), (theirs, other));
                let compared = theirs.as_ref().and_then(compare);
                pair.extend(compared.map(|comparison| (EMBEDDING, comparison)));
            }
            if let Some(Ablation::Column(silent)) = self.engine.config.ablation {
                let AllocationEngine { dictionary, weights, .. } = &*self.engine;
                pair.retain(|&compared| column_of(dictionary, weights, compared) != silent);
            }
            let tables = &self.engine.weights;
            let against = |&(field, comparison)| tables.field(field).keeps_apart(comparison);
            let apart = tables.known(&pair).map(against).sum();
            weights.push(PairWeight { together: total_weight(&pair, tables) - apart, apart });
        }
        weights
    }

    fn code(&mut self, mention: MentionIndex) -> Option<Code> {
        if let Some(known) = self.codes.get(&mention) {
            return known.clone();
        }
        let code = (self.code_of)(self.engine, mention);
        self.codes.insert(mention, code.clone());
        code
    }
}

/// The part that a mention of a node is in; a node that is whole becomes a part of its own.
fn part_with(
    plan: &mut Plan,
    parts_of: &mut FxHashMap<NodeIndex, Vec<usize>>,
    engine: &AllocationEngine,
    node: NodeIndex,
    mention: MentionIndex,
) -> usize {
    let parts = parts_of.entry(node).or_insert_with(|| {
        let members = engine.graph.node(node).members.iter().collect();
        plan.parts.push(Part { node, keeps_node: true, members });
        vec![plan.parts.len() - 1]
    });
    let has = |&&at: &&usize| plan.parts[at].members.binary_search(&mention).is_ok();
    parts.iter().find(has).copied().unwrap_or(parts[0])
}

/// At most `most` of the members, from the first to the last, evenly.
pub(super) fn spread(members: &[MentionIndex], most: usize) -> Vec<MentionIndex> {
    spread_over(members.len(), most).map(|at| members[at]).collect()
}

/// At most `most` of so many places, from the first to the last, evenly.
fn spread_over(len: usize, most: usize) -> impl Iterator<Item = usize> {
    let taken = len.min(most);
    (0..taken).map(move |at| if len <= most { at } else { at * (len - 1) / (most - 1) })
}
