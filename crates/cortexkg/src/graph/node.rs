//! Nodes, as they lie in their table.

use smallvec::SmallVec;

use super::MentionIndex;
use crate::dictionary::{FieldId, ValueId};
use crate::paged::{Fixed, List, Record, u16_at, u32_at, write_all};

/// A value that members of a node had, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeValue {
    pub(crate) field: FieldId,
    pub(crate) value: ValueId,
    pub(crate) count: u32,
    /// The member that brought it.
    pub(crate) first: MentionIndex,
}

impl Fixed for NodeValue {
    const BYTES: usize = 14;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        Self {
            field: u16_at(bytes, 0),
            value: u32_at(bytes, 2),
            count: u32_at(bytes, 6),
            first: u32_at(bytes, 10),
        }
    }

    fn write(self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.field.to_le_bytes());
        for number in [self.value, self.count, self.first] {
            into.extend_from_slice(&number.to_le_bytes());
        }
    }
}

/// A node without members is empty: merged into another, or all that was said of it is forgotten. It keeps its place and its
/// identifier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) members: List<'a, MentionIndex>,
    /// Sorted by field; within a field in order of first appearance.
    pub(crate) values: List<'a, NodeValue>,
    /// Edges that leave or reach it.
    pub(crate) edges: List<'a, u32>,
}

impl Node<'_> {
    pub(crate) fn is_empty(self) -> bool {
        self.members.is_empty()
    }
}

/// A node, to be changed.
#[derive(Debug, Default)]
pub(crate) struct NodeRecord {
    pub(crate) members: SmallVec<[MentionIndex; 2]>,
    pub(crate) values: Vec<NodeValue>,
    pub(crate) edges: SmallVec<[u32; 2]>,
}

impl From<Node<'_>> for NodeRecord {
    fn from(node: Node<'_>) -> Self {
        Self {
            members: node.members.iter().collect(),
            values: node.values.to_vec(),
            edges: node.edges.iter().collect(),
        }
    }
}

impl NodeRecord {
    /// Counts a member's value.
    pub(crate) fn add_value(&mut self, (field, value): (FieldId, ValueId), first: MentionIndex, most: usize) {
        let start = self.values.partition_point(|known| known.field < field);
        let len = self.values[start..].partition_point(|known| known.field == field);
        let known = &mut self.values[start..start + len];
        if let Some(same) = known.iter_mut().find(|known| known.value == value) {
            same.count += 1;
            return;
        }
        let new = NodeValue { field, value, count: 1, first };
        if len >= most {
            let (at, _) =
                known.iter().enumerate().min_by_key(|(at, known)| (known.count, *at)).expect("not empty");
            self.values.remove(start + at);
            self.values.insert(start + len - 1, new);
        } else {
            self.values.insert(start + len, new);
        }
    }
}

/// Numbers of members and of edges.
const NODE_BYTES: usize = 8;

/// Numbers of members and edges; members, edges, values.
impl Record for Node<'static> {
    type View<'a> = Node<'a>;
    type Content<'c> = NodeRecord;
    const EMPTY: &'static [u8] = &[0; NODE_BYTES];

    #[inline]
    fn view(bytes: &[u8]) -> Node<'_> {
        let (members, edges) = (u32_at(bytes, 0) as usize * 4, u32_at(bytes, 4) as usize * 4);
        let (members, rest) = bytes[NODE_BYTES..].split_at(members);
        let (edges, values) = rest.split_at(edges);
        Node { members: List::new(members), values: List::new(values), edges: List::new(edges) }
    }

    fn is_sound(bytes: &[u8]) -> bool {
        if bytes.len() < NODE_BYTES {
            return false;
        }
        let lists = (u64::from(u32_at(bytes, 0)) + u64::from(u32_at(bytes, 4))) * 4;
        let values = ((bytes.len() - NODE_BYTES) as u64).checked_sub(lists);
        values.is_some_and(|values| values.is_multiple_of(NodeValue::BYTES as u64))
    }

    fn encode(node: &NodeRecord, into: &mut Vec<u8>) {
        into.extend_from_slice(&(node.members.len() as u32).to_le_bytes());
        into.extend_from_slice(&(node.edges.len() as u32).to_le_bytes());
        write_all(node.members.iter().copied(), into);
        write_all(node.edges.iter().copied(), into);
        write_all(node.values.iter().copied(), into);
    }
}
