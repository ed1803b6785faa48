//! What stands under one hash, as bytes.
//!
//! A list: one byte (the width of its gaps, and how many chunks there are), the chunks, the newest node as `u32`, the gaps from there to ever older
//! ones. A chunk is the same with a mark in the place of the number of chunks. All gaps of an entry have the same width, which is what the widest
//! needs: so they are read without a look at each, which takes a fifth of what numbers of any length take, in hardly more bytes.

use crate::graph::NodeIndex;
use crate::paged::{Fixed, List, Record, u16_at, u32_at, write_all};

/// Most chunks of one list.
pub(super) const CHUNKS_MAX: usize = 62;
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
        let body = bytes.len().checked_sub(1 + Entry(bytes).chunks_len() * Chunk::BYTES);
        let gap = 1_usize << (first & 3);
        first & 3 != 3
            && body.is_some_and(|body| {
                body == 0 || body >= NODE_BYTES && (body - NODE_BYTES).is_multiple_of(gap)
            })
    }

    fn encode(content: &[u8], into: &mut Vec<u8>) {
        into.extend_from_slice(content);
    }
}

impl<'a> Entry<'a> {
    pub(super) fn is_chunk(self) -> bool {
        self.0[0] >> WIDTH_BITS == IS_CHUNK
    }

    #[inline]
    fn chunks_len(self) -> usize {
        if self.is_chunk() { 0 } else { usize::from(self.0[0] >> WIDTH_BITS) }
    }

    /// The chunks of older nodes, oldest first.
    #[inline]
    pub(super) fn chunks(self) -> List<'a, Chunk> {
        List::new(&self.0[1..1 + self.chunks_len() * Chunk::BYTES])
    }

    /// The nodes that stand here.
    #[inline]
    pub(super) fn nodes(self) -> Nodes<'a> {
        Nodes { width: 1 << (self.0[0] & 3), bytes: &self.0[1 + self.chunks_len() * Chunk::BYTES..] }
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
        let gap = bytes.iter().rev().fold(0, |gap, byte| gap << 8 | u32::from(*byte));
        node = node.wrapping_sub(gap);
        node
    }));
}

/// Writes what stands under the hash of a list.
pub(super) fn write_list(chunks: &[Chunk], nodes: &[NodeIndex], into: &mut Vec<u8>) {
    let width = width_of(nodes);
    into.push((chunks.len() as u8) << WIDTH_BITS | width.ilog2() as u8);
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
