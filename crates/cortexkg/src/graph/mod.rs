//! Nodes, edges and where each came from, in memory.
//!
//! A node is known by what it has seen: for every field the values of its members with their counts, bounded, so that a
//! node with a thousand members costs no more to compare than a small one.

mod node;
mod ties;

use std::collections::BTreeMap;
use std::fmt;

use cortexkg_simd::PartVec;
use cortexkg_store::StoreError;
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashSet};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::dictionary::{FieldEntry, FieldId, ValueId};
use crate::evidence::Bits;
use crate::image::{ImageReader, ImageWriter};
use crate::paged::{EachTable, List, Paged, Plain};
use crate::perceive::TEXT_FIELD;
use crate::profile::FieldKind;

pub(crate) use node::{Node, NodeRecord, NodeValue};
pub(crate) use ties::{Edge, Tie};

/// A node's identifier, stable for ever.
///
/// The upper 16 bits are kept for a partition of a cluster and are 0 in a graph that stands alone; the lower 48 count up in
/// the order of creation. Written `n17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u64);

impl NodeId {
    /// Largest identifier of one partition.
    pub const MAX: Self = Self((1 << 48) - 1);
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("n{}", self.0))
    }
}

/// Position of a node in memory.
pub(crate) type NodeIndex = u32;
/// Stands for the node of a mention that has none: its fact is forgotten.
pub(crate) const NOWHERE: NodeIndex = NodeIndex::MAX;
/// Number of a mention: its position in the log of mentions.
pub(crate) type MentionIndex = u32;

/// Identifiers, mentions and the like in one record of a snapshot.
const PLACES_AT_ONCE: usize = 1024;

/// Relation between a node that was a close call and the candidate it may be the same as.
pub const POSSIBLY_SAME: &str = "possibly_same";

/// Most different values that a node remembers of a field of this kind; the rarest, then the oldest, gives way. Measured on
/// inventors with a thousand patents: many firms, cities and partners help, many dates, numbers and titles do not.
pub(crate) fn values_max(field: &FieldEntry) -> usize {
    match field.kind {
        // The names of a thing stay with it.
        _ if field.name == TEXT_FIELD => 256,
        FieldKind::Key => 256,
        FieldKind::Identifier | FieldKind::Date | FieldKind::Number | FieldKind::LongText => 4,
        _ => 32,
    }
}

/// Where a mention came from and where it went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Mention {
    pub(crate) fact: u32,
    /// 0: the fact itself; 1: subject; 2: object of a triple.
    pub(crate) role: u8,
    /// [`NOWHERE`] once its fact is forgotten.
    pub(crate) node: NodeIndex,
}

/// What is remembered of a fact beside its content.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct FactEntry {
    pub(crate) record_id: Box<str>,
    pub(crate) source: u32,
    pub(crate) time_s: Option<i64>,
    pub(crate) confidence: u16,
    pub(crate) is_forgotten: bool,
}

impl Plain for FactEntry {}

/// Where a fact stands in the log and among the mentions: always in memory.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct FactPlace {
    /// Position in the log of the operation that took it in.
    position: u64,
    first_mention: MentionIndex,
}

/// Evidence against a decision that was taken all the same.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Exception {
    pub(crate) mention: MentionIndex,
    pub(crate) field: FieldId,
    pub(crate) stated: ValueId,
    pub(crate) held: ValueId,
    pub(crate) bits: Bits,
}

/// What each thing rests on is spread so that memory need not hold all of it: nodes, edges, facts and values come and go; where
/// they belong (identifiers, positions, the node of each mention) is always there.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: Paged<Node<'static>>,
    /// By place; ascending.
    ids: PartVec<NodeId>,
    edges: Paged<Edge>,
    pub(crate) predicates: IndexSet<String, FxBuildHasher>,
    pub(crate) sources: IndexSet<String, FxBuildHasher>,
    facts: Paged<FactEntry>,
    fact_places: PartVec<FactPlace>,
    pub(crate) mentions: PartVec<Mention>,
    pub(crate) exceptions: PartVec<Exception>,
    /// Where nodes that were merged lead, for ever.
    pub(crate) redirects: BTreeMap<NodeId, NodeId>,
    values: Paged<List<'static, (FieldId, ValueId)>>,
    /// Least identifier that no node has had.
    next_id: u64,
    /// Nodes that have members.
    live_nodes: usize,
    /// Facts that are not forgotten.
    pub(crate) live_fact_count: usize,
    /// Nodes that were changed since somebody asked, if somebody wants to know.
    pub(crate) changed: Option<FxHashSet<NodeIndex>>,
}

impl Graph {
    /// A node by its place.
    #[inline]
    pub(crate) fn node(&self, node: NodeIndex) -> Node<'_> {
        self.nodes.get(node)
    }

    /// Changes a node.
    fn edit(&mut self, node: NodeIndex, edit: impl FnOnce(&mut NodeRecord)) {
        let mut record = self.record(node);
        edit(&mut record);
        self.put(node, &record);
    }

    /// Brings nodes near that are about to be read.
    #[inline]
    pub(crate) fn touch(&self, nodes: impl Iterator<Item = NodeIndex> + Clone) {
        self.nodes.touch(nodes);
    }

    fn note_change(&mut self, node: NodeIndex) {
        if let Some(changed) = &mut self.changed {
            changed.insert(node);
        }
    }

    /// The identifier of a node.
    pub(crate) fn id(&self, node: NodeIndex) -> NodeId {
        self.ids[node as usize]
    }

    /// Identifiers of all nodes, those without members among them, in order.
    pub(crate) fn ids(&self) -> &PartVec<NodeId> {
        &self.ids
    }

    /// Visits all nodes in order, loading none to stay.
    pub(crate) fn scan_nodes(&self, visit: impl FnMut(NodeIndex, Node<'_>)) {
        self.nodes.scan(visit);
    }

    /// What is remembered of a fact.
    pub(crate) fn fact(&self, fact: u32) -> FactEntry {
        self.facts.get(fact)
    }

    /// Notes whether a fact is forgotten.
    pub(crate) fn set_forgotten(&mut self, fact: u32, is_forgotten: bool) {
        let entry = FactEntry { is_forgotten, ..self.facts.get(fact) };
        self.facts.set(fact, &entry);
    }

    /// Visits all facts in order, forgotten ones among them, loading none to stay.
    pub(crate) fn scan_facts(&self, visit: impl FnMut(u32, FactEntry)) {
        self.facts.scan(visit);
    }

    /// The facts that are not forgotten, in order: those whose mentions are anywhere.
    pub(crate) fn live_facts(&self) -> Vec<u32> {
        let is_live = |fact: &u32| self.mentions[self.first_mention(*fact) as usize].node != NOWHERE;
        (0..self.facts_ever()).filter(is_live).collect()
    }

    /// Number of facts, forgotten ones among them.
    pub(crate) fn facts_ever(&self) -> u32 {
        self.facts.len() as u32
    }

    /// Position in the log of the operation that took a fact in.
    pub(crate) fn position_of(&self, fact: u32) -> u64 {
        self.fact_places[fact as usize].position
    }

    /// Its first mention.
    pub(crate) fn first_mention(&self, fact: u32) -> MentionIndex {
        self.fact_places[fact as usize].first_mention
    }

    /// Remembers a fact, whose mentions are to follow.
    pub(crate) fn add_fact(&mut self, entry: &FactEntry, position: u64) -> u32 {
        let first_mention = self.mentions.len() as MentionIndex;
        self.fact_places.push(FactPlace { position, first_mention });
        self.live_fact_count += 1;
        self.facts.push(entry)
    }

    /// The place of a node, found by its identifier: identifiers rise with places.
    pub(crate) fn index_of(&self, id: NodeId) -> Option<NodeIndex> {
        // Where none was left out, a node's place is its identifier.
        let at = usize::try_from(id.0).ok().filter(|&at| self.ids.get(at) == Some(&id));
        let found = at.or_else(|| {
            let at = self.ids.partition_point(|&known| known < id);
            (self.ids.get(at) == Some(&id)).then_some(at)
        });
        found.map(|at| at as NodeIndex)
    }

    /// The identifier under which a node is known now: itself, or where its redirects lead.
    pub(crate) fn resolve(&self, mut id: NodeId) -> NodeId {
        while let Some(&next) = self.redirects.get(&id) {
            id = next;
        }
        id
    }

    /// The position of a node or of what it was merged into.
    pub(crate) fn resolved(&self, node: NodeIndex) -> NodeIndex {
        let id = self.id(node);
        self.index_of(self.resolve(id)).unwrap_or(node)
    }

    /// The position of a node that has members; redirects are not followed.
    pub(crate) fn live_index_of(&self, id: NodeId) -> Option<NodeIndex> {
        self.index_of(id).filter(|&node| !self.node(node).is_empty())
    }

    pub(crate) fn next_id(&self) -> NodeId {
        NodeId(self.next_id)
    }

    /// Nodes that have members.
    pub(crate) fn live_nodes(&self) -> usize {
        self.live_nodes
    }

    /// Whether another fact might find no identifier or no place: 2^48 identifiers, 2^32 mentions.
    pub(crate) fn is_full(&self) -> bool {
        self.next_id + 1 > NodeId::MAX.0 || self.mentions.len() >= u32::MAX as usize - 1024
    }

    pub(crate) fn add_node(&mut self, id: NodeId) -> NodeIndex {
        debug_assert!(id.0 >= self.next_id, "identifiers rise");
        self.next_id = id.0 + 1;
        self.ids.push(id);
        self.nodes.push(&NodeRecord::default())
    }

    /// Makes sure that no identifier below this one is given again.
    pub(crate) fn reserve_ids(&mut self, next: NodeId) {
        self.next_id = self.next_id.max(next.0);
    }

    /// Records a mention as a member of a node, which remembers its values.
    pub(crate) fn add_mention(
        &mut self,
        mention: Mention,
        values: &[(FieldId, ValueId)],
        most: impl Fn(FieldId) -> usize,
    ) -> MentionIndex {
        let index = self.mentions.len() as MentionIndex;
        self.mentions.push(mention);
        self.values.push(values);
        self.join(index, mention.node, most);
        index
    }

    /// Makes a mention a member of a node.
    pub(crate) fn join(&mut self, mention: MentionIndex, node: NodeIndex, most: impl Fn(FieldId) -> usize) {
        let mut joined = self.record(node);
        self.take_in(&mut joined, node, mention, most);
        self.put(node, &joined);
    }

    /// A node as it stands, to be changed and [put](Self::put) back.
    pub(crate) fn record(&self, node: NodeIndex) -> NodeRecord {
        NodeRecord::from(self.nodes.get(node))
    }

    /// Lets a mention join a node that is held in hand.
    pub(crate) fn take_in(
        &mut self,
        joined: &mut NodeRecord,
        node: NodeIndex,
        mention: MentionIndex,
        most: impl Fn(FieldId) -> usize,
    ) {
        self.mentions[mention as usize].node = node;
        self.live_nodes += usize::from(joined.members.is_empty());
        joined.members.push(mention);
        for (field, value) in self.values.get(mention) {
            joined.add_value((field, value), mention, most(field));
        }
    }

    /// Puts a node back as it has become.
    pub(crate) fn put(&mut self, node: NodeIndex, joined: &NodeRecord) {
        self.note_change(node);
        self.nodes.set(node, joined);
    }

    /// Empties a node; its members are to join another, or the same again.
    pub(crate) fn empty(&mut self, node: NodeIndex) -> SmallVec<[MentionIndex; 2]> {
        let mut members = SmallVec::new();
        self.edit(node, |node| {
            node.values.clear();
            members = std::mem::take(&mut node.members);
        });
        self.live_nodes -= usize::from(!members.is_empty());
        members
    }

    /// The values of a mention, sorted by field.
    pub(crate) fn mention_values(&self, mention: MentionIndex) -> List<'_, (FieldId, ValueId)> {
        self.values.get(mention)
    }

    /// The mentions of a fact.
    pub(crate) fn mentions_of(&self, fact: u32) -> std::ops::Range<MentionIndex> {
        let next = self.fact_places.get(fact as usize + 1);
        let end = next.map_or(self.mentions.len() as MentionIndex, |next| next.first_mention);
        self.first_mention(fact)..end
    }

    /// The fact that an operation took in, forgotten or not.
    pub(crate) fn fact_at(&self, position: u64) -> Option<u32> {
        let at = self.facts_before(position);
        self.fact_places.get(at).filter(|fact| fact.position == position).map(|_| at as u32)
    }

    fn facts_before(&self, position: u64) -> usize {
        self.fact_places.partition_point(|fact| fact.position < position)
    }

    /// Mentions that were taken in before an operation.
    pub(crate) fn mentions_before(&self, position: u64) -> u64 {
        let later = self.facts_before(position);
        self.fact_places.get(later).map_or(self.mentions.len() as u64, |fact| u64::from(fact.first_mention))
    }

    /// The number of a predicate, given one if it is new.
    pub(crate) fn predicate(&mut self, name: &str) -> u32 {
        match self.predicates.get_index_of(name) {
            Some(at) => at as u32,
            None => self.predicates.insert_full(name.to_owned()).0 as u32,
        }
    }

    pub(crate) fn source(&mut self, name: &str) -> u32 {
        match self.sources.get_index_of(name) {
            Some(at) => at as u32,
            None => self.sources.insert_full(name.to_owned()).0 as u32,
        }
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        self.nodes.save("nodes", to)?;
        to.section("node identifiers", self.ids.chunks(PLACES_AT_ONCE))?;
        self.edges.save("edges", to)?;
        to.section("predicates", &self.predicates)?;
        to.section("sources", &self.sources)?;
        self.facts.save("facts", to)?;
        to.section("fact places", self.fact_places.chunks(PLACES_AT_ONCE))?;
        to.section("mentions", self.mentions.chunks(PLACES_AT_ONCE))?;
        self.values.save("mention values", to)?;
        to.section("exceptions", self.exceptions.chunks(PLACES_AT_ONCE))?;
        to.section("redirects", &self.redirects)?;
        to.section("graph counts", [(self.next_id, self.live_nodes, self.live_fact_count)])
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.nodes = Paged::open("nodes", from)?;
        self.ids = from.chunks("node identifiers")?;
        self.edges = Paged::open("edges", from)?;
        self.predicates = from.all("predicates")?.into_iter().collect();
        self.sources = from.all("sources")?.into_iter().collect();
        self.facts = Paged::open("facts", from)?;
        self.fact_places = from.chunks("fact places")?;
        self.mentions = from.chunks("mentions")?;
        self.values = Paged::open("mention values", from)?;
        self.exceptions = from.chunks("exceptions")?;
        self.redirects = from.all("redirects")?.into_iter().collect();
        (self.next_id, self.live_nodes, self.live_fact_count) = from.one("graph counts")?;
        Ok(())
    }

    pub(crate) fn each_table(&mut self, visit: &mut EachTable<'_>) {
        visit("nodes", self.nodes.blocks());
        visit("edges", self.edges.blocks());
        visit("facts", self.facts.blocks());
        visit("mention values", self.values.blocks());
    }

    /// Bytes held, counted.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.bytes()
            + self.edges.bytes()
            + self.facts.bytes()
            + self.values.bytes()
            + self.ids.bytes()
            + self.fact_places.bytes()
            + self.mentions.bytes()
            + self.exceptions.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_remembers_a_bounded_number_of_values() {
        let mut graph = Graph::default();
        let node = graph.add_node(NodeId(0));
        for value in 0..100 {
            graph.add_mention(Mention { fact: value, role: 0, node }, &[(2, value), (5, 7)], |_| 32);
        }
        let node = graph.node(0);
        let field = |id| node.values.iter().filter(|value| value.field == id).collect::<Vec<_>>();
        assert_eq!(field(2).len(), 32);
        assert_eq!(field(5), [NodeValue { field: 5, value: 7, count: 100, first: 0 }]);
        assert!(node.values.iter().is_sorted_by_key(|value| value.field));
        assert_eq!(graph.mention_values(99).to_vec(), [(2, 99), (5, 7)]);
    }
}
