//! The vote: four columns look at one candidate, each from its side, each in match weights, each with its reason.
//!
//! | column | looks at | file |
//! |---|---|---|
//! | semantic | similarity of the embeddings | `semantic.rs` |
//! | structural | typed comparison of fields, shared neighbours in the graph | `structural.rs` |
//! | temporal | dates, how long ago the node was last spoken of | `temporal.rs` |
//! | exception | what speaks against: conflicts in fields that members of one node agree on | `exception.rs` |
//!
//! A node is compared through all it has seen. The weight of a field is that of the mixture over the node's values, each
//! with the share of members that have it: `log2 Σ_v share(v) · 2^weight(v)`. Where a quarter
//! of the members have the mention's very value, the other values count as different without a look. In a category whose "the same"
//! speaks against, one member that has it is enough.

mod alone;
mod exception;
mod semantic;
mod structural;
mod temporal;

pub(crate) use alone::alone_in;
pub(crate) use semantic::compare_codes;

use std::fmt;

use cortexkg_simd::CAN_PREFETCH;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use self::alone::{Other, of_node, of_pair};
use crate::ablation::Ablation;
use crate::compare::{Comparison, Level, compare};
use crate::dictionary::{Dictionary, EMBEDDING, FieldId, RECENCY, ValueId};
use crate::entries::Value;
use crate::evidence::{Bits, EXP2_ONE, exp2, log2, log2_ratio};
use crate::graph::{Graph, MentionIndex, Node, NodeIndex, NodeValue};
use crate::paged::List;
use crate::pair::{ComparisonVector, discount, is_the_same};
use crate::profile::FieldKind;
use crate::spelling::WordCache;
use crate::surroundings::Surroundings;
use crate::vectors::{Code, Vectors};
use crate::weights::{FieldWeights, MatchWeights};

/// Who votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Column {
    /// Meaning: similarity of embeddings.
    Semantic,
    /// Structure: fields and graph neighbours.
    Structural,
    /// Time: dates and recency.
    Temporal,
    /// Evidence against.
    Exception,
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Semantic => "semantic",
            Self::Structural => "structural",
            Self::Temporal => "temporal",
            Self::Exception => "exception",
        })
    }
}

/// One match weight with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The column that votes.
    pub column: Column,
    /// Number of the field it speaks of; [`Vote::NEIGHBOURS`] for the graph around the node.
    pub field: u16,
    /// How far mention and node agree.
    pub level: Level,
    /// The match weight that counts.
    pub bits: Bits,
    /// The part of it, in 1/256, that other votes had said already and that was taken off.
    pub said_before: u16,
    /// Number of the node's value that came nearest, if the field has values.
    pub nearest: Option<u32>,
}

impl Vote {
    /// Stands for the graph around the node in [`Vote::field`].
    pub const NEIGHBOURS: u16 = u16::MAX;
}

/// What is known of a mention when its candidates are weighed.
#[derive(Debug, Default)]
pub(crate) struct MentionView {
    /// Field and value of each of the mention's values, in the mention's own order.
    pub(crate) numbered: Vec<(FieldId, ValueId)>,
    /// The same, sorted by field.
    pub(crate) values: Vec<(FieldId, ValueId)>,
    /// The field whose value is all there is to go by.
    pub(crate) alone: Option<FieldId>,
    pub(crate) code: Option<Code>,
    /// Where it lies among the nodes.
    pub(crate) surroundings: Option<Surroundings>,
    /// Trust in the source, in 1/256.
    pub(crate) confidence: u16,
    /// For an end of a triple: nodes that the other end names, and edges that tie candidates to them.
    pub(crate) partners: Vec<NodeIndex>,
}

/// Everything a column may look at.
pub(crate) struct Context<'a> {
    pub(crate) dictionary: &'a Dictionary,
    pub(crate) weights: &'a MatchWeights,
    pub(crate) graph: &'a Graph,
    pub(crate) vectors: &'a Vectors,
    pub(crate) mention: &'a MentionView,
}

impl MentionView {
    /// A mention that is there already, to be compared with others, by values sorted by field.
    pub(crate) fn of(dictionary: &Dictionary, mut values: Vec<(FieldId, ValueId)>) -> Self {
        dictionary.keep_evidence(&mut values);
        Self {
            alone: alone_in(dictionary, values.iter().map(|&(field, _)| field)),
            values,
            confidence: 256,
            ..Self::default()
        }
    }
}

impl Context<'_> {
    /// Whether a value of the mention is all there is to go by ([`alone_in`]).
    fn is_all(&self, mine: Value<'_>) -> bool {
        self.mention.alone == Some(mine.field())
    }
}

/// Values of a node that are brought near before it is voted on; of most nodes these are all.
const VALUES_APPROACHED: usize = 24;

/// Lets the columns vote and counts what they share only once.
#[derive(Debug, Default)]
pub(crate) struct MultiColumnProcessor {
    memo: Memo,
    order: Vec<(FieldId, Bits)>,
    ablation: Option<Ablation>,
}

/// One candidate weighed.
pub(crate) struct Weighed {
    /// Prior and votes.
    pub(crate) evidence: Bits,
    /// In the order of the columns.
    pub(crate) votes: Vec<Vote>,
}

impl MultiColumnProcessor {
    /// Prepares for a new mention.
    pub(crate) fn begin(&mut self, ablation: Option<Ablation>) {
        self.ablation = ablation;
        self.memo.clear();
    }

    /// Brings near what will be looked at when these nodes are voted on: of a large graph it is far away, and the processor waits for all
    /// of it at once instead of for one thing after the other.
    pub(crate) fn approach(context: &Context<'_>, nodes: &[NodeIndex]) {
        if !CAN_PREFETCH {
            return;
        }
        context.graph.touch(nodes.iter().copied());
        if context.mention.code.is_some() {
            context.vectors.touch(nodes.iter().copied());
        }
        let dictionary = context.dictionary;
        let of_node = |&node: &NodeIndex| context.graph.node(node).values.iter().take(VALUES_APPROACHED);
        let values: Vec<_> = nodes.iter().flat_map(of_node).collect();
        dictionary.touch(values.iter().map(|value| value.value));
        // Names that differ are compared word by word.
        let names = values.iter().filter(|value| dictionary.field(value.field).kind == FieldKind::Name);
        let words: Vec<_> = names.flat_map(|name| dictionary.value(name.value).words().iter()).collect();
        dictionary.touch_terms(words.iter().copied());
    }

    /// Lets the columns vote on one node, which starts from `prior`.
    pub(crate) fn vote(&mut self, context: &Context<'_>, node: NodeIndex, prior: Bits) -> Weighed {
        let trust = u32::from(context.mention.confidence);
        let mut votes = Vec::with_capacity(context.mention.values.len() + 2);
        let seen = context.graph.node(node);
        let shared = shared_fields(context, &seen);
        semantic::vote(context, node, &mut votes);
        temporal::vote(context, &seen, &shared, &mut self.memo, &mut votes);
        structural::vote(context, node, &shared, &mut self.memo, &mut votes);
        let ablation = self.ablation;
        let is_heard = |column| ablation != Some(Ablation::Column(column));
        votes.retain(|vote| is_heard(vote.column));
        self.order.clear();
        let fields = votes.iter().filter(|vote| vote.field != Vote::NEIGHBOURS);
        self.order.extend(fields.clone().map(|vote| (vote.field, vote.bits)));
        let says_the_same = fields.clone().any(|vote| is_the_same(vote.field, vote.level));
        discount(&mut self.order, context.weights, says_the_same);
        for &(field, kept) in &self.order {
            if let Some(vote) = votes.iter_mut().find(|vote| vote.field == field && vote.bits != kept) {
                vote.said_before = (256 - 256 * i64::from(kept.0) / i64::from(vote.bits.0)) as u16;
                vote.bits = kept;
            }
        }
        exception::claim(context, &mut votes);
        votes.retain(|vote| is_heard(vote.column));
        votes.sort_by_key(|vote| (vote.column, std::cmp::Reverse(vote.bits), vote.field));
        let sum: Bits = votes.iter().map(|vote| vote.bits).sum();
        Weighed { evidence: prior + sum.scaled(trust), votes }
    }

    /// The spellings compared so far.
    pub(crate) fn words(&mut self) -> &mut WordCache {
        &mut self.memo.words
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.memo.slots) + self.memo.words.bytes()
    }
}

/// The column that what a comparison of two mentions says belongs to.
pub(crate) fn column_of(
    dictionary: &Dictionary,
    weights: &MatchWeights,
    (field, comparison): (FieldId, Comparison),
) -> Column {
    let weights = weights.field(field);
    let is_conflict = comparison.level == Level::Different && weights.vote(comparison) < Bits::ZERO;
    match dictionary.field(field).kind {
        FieldKind::Embedding => Column::Semantic,
        FieldKind::Recency => Column::Temporal,
        _ if is_conflict && weights.is_functional() => Column::Exception,
        FieldKind::Date => Column::Temporal,
        _ => Column::Structural,
    }
}

/// Compares a mention with one other mention, field by field, for learning.
pub(crate) fn compare_mentions(
    context: &Context<'_>,
    words: &mut WordCache,
    other: MentionIndex,
) -> ComparisonVector {
    let theirs: SmallVec<[(FieldId, ValueId); 24]> = context.graph.mention_values(other).iter().collect();
    compare_values(context, words, other, &theirs)
}

/// The same, where the other's values are not what it was written with.
pub(crate) fn compare_values(
    context: &Context<'_>,
    words: &mut WordCache,
    other: MentionIndex,
    theirs: &[(FieldId, ValueId)],
) -> ComparisonVector {
    context.dictionary.touch(theirs.iter().map(|&(_, value)| value));
    let mut pair = ComparisonVector::with_capacity(context.mention.values.len() + 2);
    let node = context.graph.mentions[other as usize].node;
    pair.extend(semantic::comparison(context, node).map(|comparison| (EMBEDDING, comparison)));
    pair.extend(temporal::recency(context, other).map(|comparison| (RECENCY, comparison)));
    let mut at = 0;
    for &(field, mine) in &context.mention.values {
        while theirs.get(at).is_some_and(|&(other, _)| other < field) {
            at += 1;
        }
        let Some(&(_, their_value)) = theirs.get(at).filter(|(other, _)| *other == field) else { continue };
        let seen = context.dictionary.value(mine);
        let Some(comparison) = compare(context.dictionary, words, (mine, seen), their_value) else {
            continue;
        };
        let other = || {
            let held = context.graph.node(node).values.iter().find(|held| held.value == their_value);
            Other {
                own: held.map_or(1, |held| held.count),
                is_alone: context.is_all(seen)
                    && alone_in(context.dictionary, theirs.iter().map(|&(field, _)| field)) == Some(field),
            }
        };
        pair.push((field, of_pair(context, seen, other, comparison)));
    }
    pair
}

/// A field that mention and node both have: the mention's value and the node's.
#[derive(Clone, Copy)]
struct SharedField<'a> {
    field: FieldId,
    kind: FieldKind,
    mine: ValueId,
    theirs: List<'a, NodeValue>,
    /// Whether it is all there is to go by on either side.
    is_alone: bool,
}

type SharedFields<'a> = SmallVec<[SharedField<'a>; 24]>;

/// The fields that mention and node both have.
fn shared_fields<'a>(context: &Context<'a>, node: &Node<'a>) -> SharedFields<'a> {
    let mut shared = SharedFields::new();
    let mut rest = node.values;
    let alone = context
        .mention
        .alone
        .and_then(|_| alone_in(context.dictionary, node.values.iter().map(|value| value.field)));
    for &(field, mine) in &context.mention.values {
        let skip = rest.iter().take_while(|value| value.field < field).count();
        rest = rest.split_at(skip).1;
        let len = rest.iter().take_while(|value| value.field == field).count();
        let (theirs, behind) = rest.split_at(len);
        rest = behind;
        if !theirs.is_empty() {
            let is_alone = (context.mention.alone, alone) == (Some(field), Some(field));
            let kind = context.dictionary.field(field).kind;
            shared.push(SharedField { field, kind, mine, theirs, is_alone });
        }
    }
    shared
}

/// The vote of one field: the mixture over the node's values.
fn field_vote(
    context: &Context<'_>,
    memo: &mut Memo,
    column: Column,
    shared: SharedField<'_>,
) -> Option<Vote> {
    let SharedField { field, mine, theirs, is_alone, .. } = shared;
    let weights = context.weights.field(field);
    let seen = context.dictionary.value(mine);
    if let Some(bits) = held(context, seen, weights, shared) {
        return Some(Vote { column, field, level: Level::Exact, bits, said_before: 0, nearest: Some(mine) });
    }
    context.dictionary.touch(theirs.iter().map(|value| value.value).filter(|&value| !memo.knows(value)));
    let mut best: Option<(Bits, Comparison, ValueId)> = None;
    let mut parts: SmallVec<[(Bits, u32); 32]> = SmallVec::new();
    for value in theirs {
        let Some(comparison) = memo.compare(context.dictionary, (mine, seen), value.value) else { continue };
        let bits = weights.vote(of_node(context, seen, Other { own: value.count, is_alone }, comparison));
        parts.push((bits, value.count));
        if best.is_none_or(|(most, ..)| bits > most) {
            best = Some((bits, comparison, value.value));
        }
    }
    let (most, comparison, nearest) = best?;
    let bits = if let [(only, _)] = parts[..] { only } else { mixture(most, &parts) };
    Some(Vote { column, field, level: comparison.level, bits, said_before: 0, nearest: Some(nearest) })
}

/// The vote of a field whose very value a quarter of the node's members have: what the others have in it is taken to differ, and
/// not compared. Next to the same value it would add little. Where it keeps apart, one member counts: what is said of two mentions holds
/// for each of them.
fn held(
    context: &Context<'_>,
    mine: Value<'_>,
    weights: &FieldWeights,
    shared: SharedField<'_>,
) -> Option<Bits> {
    let SharedField { theirs, is_alone, .. } = shared;
    let same = theirs.iter().find(|value| value.value == shared.mine)?;
    let total: u32 = theirs.iter().map(|value| value.count).sum();
    let exact = Comparison::new(Level::Exact, Bits::ZERO);
    let exact = of_node(context, mine, Other { own: same.count, is_alone }, exact);
    let apart = weights.keeps_apart(exact);
    if apart < Bits::ZERO {
        return Some(apart);
    }
    let bits = weights.vote(exact);
    let different = weights.vote(Comparison::new(Level::Different, Bits::ZERO));
    let counts = same.count.saturating_mul(4) >= total && bits > different;
    counts.then(|| mixture(bits, &[(bits, same.count), (different, total - same.count)]))
}

/// `log2` of the mean of `2^bits`, weighed by the counts.
fn mixture(most: Bits, parts: &[(Bits, u32)]) -> Bits {
    let total: u64 = parts.iter().map(|(_, count)| u64::from(*count)).sum();
    let mass: u64 = parts.iter().map(|(bits, count)| (exp2(*bits - most) >> 8) * u64::from(*count)).sum();
    most + log2(mass) - log2(EXP2_ONE >> 8) - log2_ratio(total, 1)
}

/// Slots of a [`Memo`]; two values that share one only cost a comparison more.
const MEMO_SLOTS: usize = 1 << 10;

/// Comparisons of the mention's values with values of nodes: each is made once for all candidates.
#[derive(Debug, Clone)]
pub(crate) struct Memo {
    round: u32,
    slots: Box<[MemoSlot]>,
    words: WordCache,
}

#[derive(Debug, Clone, Copy)]
struct MemoSlot {
    round: u32,
    value: ValueId,
    comparison: Option<Comparison>,
}

impl Default for Memo {
    fn default() -> Self {
        let empty = MemoSlot { round: 0, value: 0, comparison: None };
        Self { round: 0, slots: vec![empty; MEMO_SLOTS].into(), words: WordCache::default() }
    }
}

impl Memo {
    fn clear(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.slots.iter_mut().for_each(|slot| slot.round = 0);
            self.round = 1;
        }
    }

    fn knows(&self, theirs: ValueId) -> bool {
        let slot = &self.slots[theirs as usize % MEMO_SLOTS];
        (slot.round, slot.value) == (self.round, theirs)
    }

    fn compare(
        &mut self,
        dictionary: &Dictionary,
        mine: (ValueId, Value<'_>),
        theirs: ValueId,
    ) -> Option<Comparison> {
        let slot = &mut self.slots[theirs as usize % MEMO_SLOTS];
        if (slot.round, slot.value) != (self.round, theirs) {
            let comparison = compare(dictionary, &mut self.words, mine, theirs);
            *slot = MemoSlot { round: self.round, value: theirs, comparison };
        }
        slot.comparison
    }
}
