//! What stands under one hash, as bytes.
//!
//! A list: one byte (the width of its gaps, and how many chunks there are; 62 or more are counted by a second byte), the chunks, the newest node as
//! `u32`, the gaps from there to ever older ones. A chunk is the same with a mark in the place of the number of chunks. All gaps of an entry have the same width, which is what the widest
//! needs: so they are read without a look at each, which takes a fifth of what numbers of any length take, in hardly more bytes.

use crate::graph::NodeIndex;
use crate::paged::{Fixed, List, Record, u16_at, u32_at, write_all};

/// Most chunks of one list.
pub(super) const CHUNKS_MAX: usize = 255;
/// Stands where a list has its number of chunks: the number follows.
const MANY_CHUNKS: u8 = 62;
/// Stands where a list has its number of chunks: these nodes are a chunk of another list.
const IS_CHUNK: u8 = 63;
/// Bits of the first byte that say how wide gaps are: 1, 2 or 4 bytes.
const WIDTH_BITS: u32 = 2;
const NODE_BYTES: usize = NodeIndex::BYTES;

/// A chunk of older nodes: none of them is older than `start`, but for the oldest chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    pub(super) start: NodeIndex,
    pub(super) nodes: u16,
}

impl Fixed for Chunk {
    const BYTES: usize = 6;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        Self { start: u32_at(bytes, 0), nodes: u16_at(bytes, 4) }
    }

    fn write(self, into: &mut Vec<u8>) {
        self.start.write(into);
        into.extend_from_slice(&self.nodes.to_le_bytes());
    }
}

/// What stands under one hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a>(&'a [u8]);

impl Record for Entry<'static> {
    type View<'a> = Entry<'a>;
    type Content<'c> = [u8];
    const TOGETHER_MAX: usize = 6;
    const EMPTY: &'static [u8] = &[0];

    fn view(bytes: &[u8]) -> Entry<'_> {
        Entry(bytes)
    }

    fn is_sound(bytes: &[u8]) -> bool {
        let Some(&first) = bytes.first() else { return false };
        if first >> WIDTH_BITS == MANY_CHUNKS && bytes.len() == 1 || first & 3 == 3 {
            return false;
        }
        let entry = Entry(bytes);
        let (start, count) = entry.chunks_at();
        bytes.len() >= start + count * Chunk::BYTES && entry.nodes().are_sound()
    }

    fn encode(content: &[u8], into: &mut Vec<u8>) {
        into.extend_from_slice(content);
    }
}

impl<'a> Entry<'a> {
    pub(super) fn is_chunk(self) -> bool {
        self.0[0] >> WIDTH_BITS == IS_CHUNK
    }

    /// Where the chunks begin, and how many there are.
    #[inline]
    fn chunks_at(self) -> (usize, usize) {
        match self.0[0] >> WIDTH_BITS {
            IS_CHUNK => (1, 0),
            MANY_CHUNKS => (2, usize::from(self.0[1])),
            count => (1, usize::from(count)),
        }
    }

    #[inline]
    fn parts(self) -> (&'a [u8], &'a [u8]) {
        let (start, count) = self.chunks_at();
        self.0[start..].split_at(count * Chunk::BYTES)
    }

    /// The chunks of older nodes, oldest first.
    #[inline]
    pub(super) fn chunks(self) -> List<'a, Chunk> {
        List::new(self.parts().0)
    }

    /// The nodes that stand here.
    #[inline]
    pub(super) fn nodes(self) -> Nodes<'a> {
        Nodes { width: 1 << (self.0[0] & 3), bytes: self.parts().1 }
    }

    /// Writes the entry with one more node, which is newer than all, unless its gap needs more bytes than those that are there.
    pub(super) fn with_newest(self, node: NodeIndex, into: &mut Vec<u8>) -> bool {
        let nodes = self.nodes();
        let Some(newest) = nodes.newest() else { return false };
        let gap = (node - newest).to_le_bytes();
        let (gap, rest) = gap.split_at(nodes.width);
        let fits = rest.iter().all(|byte| *byte == 0);
        if fits {
            into.extend_from_slice(&self.0[..self.0.len() - nodes.bytes.len()]);
            node.write(into);
            into.extend_from_slice(gap);
            into.extend_from_slice(&nodes.bytes[NODE_BYTES..]);
        }
        fits
    }
}

/// Nodes, newest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes<'a> {
    /// Bytes of a gap.
    width: usize,
    /// The newest, and the gaps.
    bytes: &'a [u8],
}

impl Nodes<'_> {
    #[inline]
    pub(super) fn newest(self) -> Option<NodeIndex> {
        List::new(self.bytes).first()
    }

    /// Whether these are whole numbers of nodes, each older than the one before.
    fn are_sound(self) -> bool {
        let Some(gaps) = self.bytes.get(NODE_BYTES..) else { return self.bytes.is_empty() };
        if !gaps.len().is_multiple_of(self.width) {
            return false;
        }
        let gaps = gaps.chunks(self.width).map(number);
        let (all, least) =
            gaps.fold((0, u32::MAX), |(all, least), gap| (all + u64::from(gap), least.min(gap)));
        least > 0 && self.newest().is_some_and(|newest| all <= u64::from(newest))
    }

    /// How many there are.
    #[inline]
    pub(super) fn len(self) -> usize {
        self.bytes.len().checked_sub(NODE_BYTES).map_or(0, |gaps| 1 + gaps / self.width)
    }

    /// Appends the newest.
    #[inline]
    pub(super) fn read(self, most: usize, into: &mut Vec<NodeIndex>) {
        let (Some(newest), Some(most)) = (self.newest(), most.checked_sub(1)) else { return };
        into.push(newest);
        let gaps = &self.bytes[NODE_BYTES..];
        match self.width {
            1 => read_gaps::<1>(newest, gaps, most, into),
            2 => read_gaps::<2>(newest, gaps, most, into),
            _ => read_gaps::<4>(newest, gaps, most, into),
        }
    }

    pub(super) fn to_vec(self) -> Vec<NodeIndex> {
        let mut nodes = Vec::with_capacity(self.len() + 1);
        self.read(usize::MAX, &mut nodes);
        nodes
    }
}

#[inline]
fn read_gaps<const WIDTH: usize>(mut node: NodeIndex, gaps: &[u8], most: usize, into: &mut Vec<NodeIndex>) {
    let (gaps, _) = gaps.as_chunks::<WIDTH>();
    into.extend(gaps.iter().take(most).map(|bytes| {
        node = node.wrapping_sub(number(bytes));
        node
    }));
}

/// A number, little-endian.
#[inline]
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Writes what stands under the hash of a list.
pub(super) fn write_list(chunks: &[Chunk], nodes: &[NodeIndex], into: &mut Vec<u8>) {
    let width = width_of(nodes);
    match chunks.len() as u8 {
        count @ MANY_CHUNKS.. => into.extend([MANY_CHUNKS << WIDTH_BITS | width.ilog2() as u8, count]),
        count => into.push(count << WIDTH_BITS | width.ilog2() as u8),
    }
    write_all(chunks.iter().copied(), into);
    write_nodes(nodes, width, into);
}

/// Writes what stands under the hash of a chunk.
pub(super) fn write_chunk(nodes: &[NodeIndex], into: &mut Vec<u8>) {
    let width = width_of(nodes);
    into.push(IS_CHUNK << WIDTH_BITS | width.ilog2() as u8);
    write_nodes(nodes, width, into);
}

/// Bytes of the widest gap.
fn width_of(nodes: &[NodeIndex]) -> usize {
    match nodes.windows(2).map(|pair| pair[0] - pair[1]).max().unwrap_or_default() {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    }
}

fn write_nodes(nodes: &[NodeIndex], width: usize, into: &mut Vec<u8>) {
    let Some(newest) = nodes.first() else { return };
    newest.write(into);
    for pair in nodes.windows(2) {
        into.extend_from_slice(&(pair[0] - pair[1]).to_le_bytes()[..width]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_sound_and_read_again(
            gaps in prop::collection::vec(1_u32..70_000, 0..40),
            scale in prop::sample::select(vec![1, 300, 70_000]),
            chunks in 0_usize..=CHUNKS_MAX,
        ) {
            let mut node = u32::MAX;
            let nodes: Vec<_> = gaps.iter().map(|gap| { node -= gap % scale + 1; node }).collect();
            let chunk = |at| Chunk { start: at as u32 * 7, nodes: at as u16 };
            let (mut list, mut newer) = (Vec::new(), Vec::new());
            write_list(&(0..chunks).map(chunk).collect::<Vec<_>>(), &nodes, &mut list);
            prop_assert!(Entry::is_sound(&list) && !Entry(&list).is_chunk());
            prop_assert_eq!(Entry(&list).nodes().to_vec(), &nodes[..]);
            prop_assert_eq!(Entry(&list).nodes().len(), nodes.len());
            prop_assert!(Entry(&list).chunks().iter().map(|chunk| chunk.nodes).eq(0..chunks as u16));
            if Entry(&list).with_newest(u32::MAX, &mut newer) {
                prop_assert!(Entry::is_sound(&newer) && Entry(&newer).nodes().newest() == Some(u32::MAX));
                prop_assert_eq!(&Entry(&newer).nodes().to_vec()[1..], &nodes[..]);
                prop_assert_eq!(Entry(&newer).chunks().len(), chunks);
            }
            list.clear();
            write_chunk(&nodes, &mut list);
            prop_assert!(Entry::is_sound(&list) && Entry(&list).is_chunk());
            prop_assert_eq!(Entry(&list).nodes().to_vec(), nodes);
        }

        #[test]
        fn any_bytes_are_an_entry_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if Entry::is_sound(&bytes) {
                let nodes = Entry(&bytes).nodes().to_vec();
                prop_assert!(nodes.is_sorted_by(|newer, older| newer > older));
                prop_assert_eq!(nodes.len(), Entry(&bytes).nodes().len());
                prop_assert!(Entry(&bytes).chunks().iter().count() <= CHUNKS_MAX);
            }
        }
    }
}
