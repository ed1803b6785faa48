//! Lists of nodes by hash: the inverted index itself.
//!
//! A list is read from its newest node on, so that is how it is written: the newest node, then the gaps to ever older ones, as
//! variable-length numbers (7 bits to the byte). Only the newest nodes stand under the hash itself. Older ones are in chunks under
//! hashes of their own, which need not be in memory to add a node or to read the newest.

use cortexkg_store::StoreError;
use smallvec::SmallVec;

use crate::embed::mix;
use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::paged::{Blocks, PagedMap, Record};

/// Nodes in a chunk; twice as many make two.
const CHUNK_NODES: usize = 256;
/// Most nodes in one list. A longer one loses its oldest chunks: what so many nodes have tells none of them, and each is listed
/// under what is rarer about it.
const LIST_NODES_MAX: usize = 8192;
/// Most nodes that are read of a list; as many are kept of one that is too long.
pub(crate) const LIST_NODES_READ_MAX: usize = LIST_NODES_MAX / 2;

/// Stands where a list has its number of chunks: these nodes are a chunk of another list.
const IS_CHUNK: u8 = u8::MAX;

/// A chunk of older nodes: none of them is older than `start`, but for the oldest chunk.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    start: NodeIndex,
    nodes: u32,
}

type Chunks = SmallVec<[Chunk; 8]>;

/// What stands under one hash: the number of chunks, start and number of nodes of each, nodes.
#[derive(Debug, Clone, Copy)]
struct Entry<'a>(&'a [u8]);

impl Record for Entry<'static> {
    type View<'a> = Entry<'a>;
    type Content<'c> = [u8];
    const TOGETHER_MAX: usize = 6;
    const EMPTY: &'static [u8] = &[0];

    fn view(bytes: &[u8]) -> Entry<'_> {
        Entry(bytes)
    }

    fn is_sound(bytes: &[u8]) -> bool {
        // Numbers are read without a check: every one must come to an end.
        bytes.last().is_some_and(|last| bytes.len() == 1 || last & 0x80 == 0)
    }

    fn encode(content: &[u8], into: &mut Vec<u8>) {
        into.extend_from_slice(content);
    }
}

impl<'a> Entry<'a> {
    fn is_chunk(self) -> bool {
        self.0[0] == IS_CHUNK
    }

    /// Writes the entry with one more node.
    fn with(self, gap: Gap, node: NodeIndex, into: &mut Vec<u8>) {
        let (before, mut behind) = self.0.split_at(self.0.len() - gap.behind);
        into.clear();
        into.extend_from_slice(before);
        put(gap.newer.map_or(node, |newer| newer - node), into);
        if let Some(older) = gap.older {
            take(&mut behind);
            put(node - older, into);
        }
        into.extend_from_slice(behind);
    }

    /// Chunks, oldest first, and the nodes behind them.
    fn parts(self) -> (Chunks, Nodes<'a>) {
        let mut rest = &self.0[1..];
        let count = if self.is_chunk() { 0 } else { self.0[0] };
        let chunk = |_| Chunk { start: take(&mut rest), nodes: take(&mut rest) };
        let chunks = (0..count).map(chunk).collect();
        (chunks, Nodes { rest, newer: None })
    }
}

/// Where a node belongs among others.
#[derive(Debug, Clone, Copy)]
struct Gap {
    newer: Option<NodeIndex>,
    older: Option<NodeIndex>,
    /// Bytes from the number of the older one to the end.
    behind: usize,
}

/// Nodes, newest first.
#[derive(Debug, Clone)]
struct Nodes<'a> {
    rest: &'a [u8],
    newer: Option<NodeIndex>,
}

impl Iterator for Nodes<'_> {
    type Item = NodeIndex;

    #[inline]
    fn next(&mut self) -> Option<NodeIndex> {
        if self.rest.is_empty() {
            return None;
        }
        let number = take(&mut self.rest);
        self.newer = Some(self.newer.map_or(number, |newer| newer.wrapping_sub(number)));
        self.newer
    }
}

impl Nodes<'_> {
    /// Where a node belongs; none if it is there.
    fn gap(&self, node: NodeIndex) -> Option<Gap> {
        let mut nodes = self.clone();
        loop {
            let (newer, behind) = (nodes.newer, nodes.rest.len());
            match nodes.next() {
                Some(known) if known > node => {}
                Some(known) if known == node => return None,
                older => return Some(Gap { newer, older, behind }),
            }
        }
    }

    /// How many there are.
    fn len(&self) -> usize {
        self.rest.iter().filter(|byte| **byte & 0x80 == 0).count()
    }
}

/// Takes a number from the front.
#[inline]
fn take(bytes: &mut &[u8]) -> u32 {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let Some((&byte, rest)) = bytes.split_first() else { break };
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

fn put(mut number: u32, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn put_chunks(chunks: &[Chunk], into: &mut Vec<u8>) {
    into.push(chunks.len() as u8);
    for chunk in chunks {
        put(chunk.start, into);
        put(chunk.nodes, into);
    }
}

fn put_nodes(nodes: &[NodeIndex], into: &mut Vec<u8>) {
    let mut newer = None;
    for &node in nodes {
        put(newer.map_or(node, |newer| newer - node), into);
        newer = Some(node);
    }
}

/// The hash under which a chunk stands.
fn chunk_hash(hash: u64, start: NodeIndex) -> u64 {
    mix(hash ^ mix(u64::from(start) | 1 << 32))
}

/// Nodes by hash.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    entries: PagedMap<Entry<'static>>,
    /// For encoding.
    bytes: Vec<u8>,
}

impl Postings {
    /// The newest nodes of a list, newest first; none if there is no such list.
    pub(crate) fn newest(&self, hash: u64, most: usize) -> Vec<NodeIndex> {
        let mut nodes = Vec::new();
        self.read_newest(hash, most, &mut nodes);
        nodes
    }

    /// Brings lists near that are about to be read.
    #[inline]
    pub(crate) fn touch(&self, hashes: impl Iterator<Item = u64> + Clone) {
        self.entries.touch(hashes);
    }

    /// Reads the newest nodes, newest first; they take the place of what `into` holds.
    pub(crate) fn read_newest(&self, hash: u64, most: usize, into: &mut Vec<NodeIndex>) {
        into.clear();
        let Some(entry) = self.entries.get(hash) else { return };
        let (chunks, nodes) = entry.parts();
        into.extend(nodes.take(most));
        for chunk in chunks.iter().rev() {
            if into.len() >= most {
                break;
            }
            let left = most - into.len();
            into.extend(self.chunk(hash, *chunk).take(left));
        }
    }

    fn chunk(&self, hash: u64, chunk: Chunk) -> Nodes<'_> {
        let entry = self.entries.get(chunk_hash(hash, chunk.start));
        entry.map_or(Nodes { rest: &[], newer: None }, |entry| entry.parts().1)
    }

    /// Whether a node is in a list.
    pub(crate) fn contains(&self, hash: u64, node: NodeIndex) -> bool {
        let Some(entry) = self.entries.get(hash) else { return false };
        let (chunks, nodes) = entry.parts();
        match place(&chunks, nodes.clone(), node) {
            None => holds(nodes, node),
            Some(at) => holds(self.chunk(hash, chunks[at]), node),
        }
    }

    /// Adds a node to a list.
    pub(crate) fn insert(&mut self, hash: u64, node: NodeIndex) {
        let Some(entry) = self.entries.get(hash) else { return self.put_list(hash, Chunks::new(), &[node]) };
        let (chunks, nodes) = entry.parts();
        match nodes.clone().next() {
            // Most often the newest node is added, or the one that was added last.
            Some(newest) if newest == node => {}
            newest => {
                let is_newest = newest.is_some_and(|newest| newest < node);
                let at = if is_newest { None } else { place(&chunks, nodes.clone(), node) };
                let among = at.map_or(nodes, |at| self.chunk(hash, chunks[at]));
                let Some(gap) = among.gap(node) else { return };
                if among.len() + 1 < 2 * CHUNK_NODES {
                    self.insert_into(hash, at, gap, node);
                } else {
                    let nodes = among.collect();
                    self.insert_among(hash, chunks, at, nodes, node);
                }
            }
        }
    }

    /// Adds a node in a gap between others of a chunk, or of the list's own entry.
    fn insert_into(&mut self, hash: u64, at: Option<usize>, gap: Gap, node: NodeIndex) {
        let Self { entries, bytes } = self;
        let Some(own) = entries.get(hash) else { return };
        let (mut chunks, nodes) = own.parts();
        let chunk = at.map(|at| chunk_hash(hash, chunks[at].start));
        if let (Some(at), Some(chunk)) = (at, chunk) {
            // Their number stands in the list's own entry.
            bytes.clear();
            chunks[at].nodes += 1;
            put_chunks(&chunks, bytes);
            bytes.extend_from_slice(nodes.rest);
            entries.insert(hash, bytes);
            let Some(entry) = entries.get(chunk) else { return };
            entry.with(gap, node, bytes);
            entries.insert(chunk, bytes);
        } else {
            own.with(gap, node, bytes);
            entries.insert(hash, bytes);
        }
    }

    /// Adds a node among others: those of a chunk, or of the list's own entry.
    fn insert_among(
        &mut self,
        hash: u64,
        mut chunks: Chunks,
        at: Option<usize>,
        mut nodes: Vec<NodeIndex>,
        node: NodeIndex,
    ) {
        let Err(place) = nodes.binary_search_by(|known| node.cmp(known)) else { return };
        nodes.insert(place, node);
        let older = (nodes.len() >= 2 * CHUNK_NODES).then(|| nodes.split_off(nodes.len() - CHUNK_NODES));
        match at {
            Some(at) => {
                if let Some(older) = older {
                    // The oldest chunk may have nodes from before its name.
                    self.put_chunk(hash, chunks[at].start, &[]);
                    let first = chunks[at].start.min(older.last().copied().unwrap_or_default());
                    self.put_chunk(hash, first, &older);
                    chunks[at] = Chunk { start: first, nodes: older.len() as u32 };
                    let start = nodes.last().copied().unwrap_or_default();
                    chunks.insert(at + 1, Chunk { start, nodes: nodes.len() as u32 });
                    self.put_chunk(hash, start, &nodes);
                } else {
                    chunks[at].nodes += 1;
                    self.put_chunk(hash, chunks[at].start, &nodes);
                }
                let own = self.entries.get(hash).map_or_else(Vec::new, |entry| entry.parts().1.collect());
                self.put_list(hash, chunks, &own);
            }
            None => {
                if let Some(older) = older {
                    let start = older.last().copied().unwrap_or_default();
                    chunks.push(Chunk { start, nodes: older.len() as u32 });
                    self.put_chunk(hash, start, &older);
                }
                self.put_list(hash, chunks, &nodes);
            }
        }
    }

    fn put_chunk(&mut self, hash: u64, start: NodeIndex, nodes: &[NodeIndex]) {
        let hash = chunk_hash(hash, start);
        if nodes.is_empty() {
            self.entries.remove(hash);
            return;
        }
        self.bytes.clear();
        self.bytes.push(IS_CHUNK);
        put_nodes(nodes, &mut self.bytes);
        self.entries.insert(hash, &self.bytes);
    }

    /// Writes a list, without its oldest chunks if it is too long.
    fn put_list(&mut self, hash: u64, mut chunks: Chunks, nodes: &[NodeIndex]) {
        let mut total = nodes.len() + chunks.iter().map(|chunk| chunk.nodes as usize).sum::<usize>();
        if total > LIST_NODES_MAX || chunks.len() >= usize::from(IS_CHUNK) {
            while let Some(&oldest) = chunks.first() {
                if total - oldest.nodes as usize <= LIST_NODES_READ_MAX {
                    break;
                }
                total -= oldest.nodes as usize;
                self.put_chunk(hash, oldest.start, &[]);
                chunks.remove(0);
            }
        }
        if total == 0 {
            self.entries.remove(hash);
            return;
        }
        self.bytes.clear();
        put_chunks(&chunks, &mut self.bytes);
        put_nodes(nodes, &mut self.bytes);
        self.entries.insert(hash, &self.bytes);
    }

    /// Takes a node out of a list.
    pub(crate) fn remove(&mut self, hash: u64, node: NodeIndex) {
        let Some(entry) = self.entries.get(hash) else { return };
        let (mut chunks, nodes) = entry.parts();
        let at = place(&chunks, nodes.clone(), node);
        let mut own: Vec<_> = nodes.collect();
        match at {
            None => own.retain(|known| *known != node),
            Some(at) => {
                let mut nodes: Vec<_> = self.chunk(hash, chunks[at]).collect();
                nodes.retain(|known| *known != node);
                self.put_chunk(hash, chunks[at].start, &nodes);
                chunks[at].nodes = nodes.len() as u32;
            }
        }
        chunks.retain(|chunk| chunk.nodes > 0);
        // The newest always stand under the hash itself.
        while own.is_empty() {
            let Some(chunk) = chunks.pop() else { break };
            own = self.chunk(hash, chunk).collect();
            self.put_chunk(hash, chunk.start, &[]);
        }
        self.put_list(hash, chunks, &own);
    }

    /// Visits every list; nodes newest first.
    pub(crate) fn scan(&self, visit: &mut impl FnMut(u64, &[NodeIndex])) -> Result<(), StoreError> {
        let mut nodes = Vec::new();
        self.entries.scan(|hash, entry| {
            if !entry.is_chunk() {
                self.read_newest(hash, usize::MAX, &mut nodes);
                visit(hash, &nodes);
            }
            Ok(())
        })
    }

    pub(crate) fn save(&self, name: &str, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        self.entries.save(name, to)
    }

    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        Ok(Self { entries: PagedMap::open(name, from)?, bytes: Vec::new() })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.bytes()
    }

    pub(crate) fn blocks(&mut self) -> &mut Blocks {
        self.entries.blocks()
    }
}

/// The chunk that a node belongs to; none if it belongs to the newest, behind all chunks.
fn place(chunks: &[Chunk], mut newest: Nodes<'_>, node: NodeIndex) -> Option<usize> {
    let last = chunks.len().checked_sub(1)?;
    // The newest nodes are never older than any chunk's.
    let least = newest.by_ref().last();
    if least.is_some_and(|least| node >= least) {
        return None;
    }
    Some(chunks.partition_point(|chunk| chunk.start <= node).saturating_sub(1).min(last))
}

fn holds(nodes: Nodes<'_>, node: NodeIndex) -> bool {
    let mut nodes = nodes.skip_while(|&known| known > node);
    nodes.next() == Some(node)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn newest_of(set: &BTreeSet<NodeIndex>, most: usize) -> Vec<NodeIndex> {
        set.iter().rev().take(most).copied().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn behaves_like_a_set(
            steps in prop::collection::vec((0_u8..8, 0_u32..5000, 1_u32..200), 0..60),
        ) {
            let (mut postings, mut model) = (Postings::default(), BTreeSet::new());
            for (step, from, count) in steps {
                for node in (from..from + count * 5).step_by(5) {
                    if step < 6 {
                        postings.insert(7, node);
                        model.insert(node);
                    } else {
                        postings.remove(7, node);
                        model.remove(&node);
                    }
                }
                prop_assert_eq!(postings.newest(7, 300), newest_of(&model, 300));
                prop_assert!((0..6000).step_by(17).all(|node| postings.contains(7, node) == model.contains(&node)));
            }
            prop_assert_eq!(postings.newest(7, usize::MAX), newest_of(&model, usize::MAX));
            let mut lists = 0;
            let scanned = postings.scan(&mut |hash, nodes| {
                assert_eq!((hash, nodes.len()), (7, model.len()));
                lists += 1;
            });
            prop_assert!(scanned.is_ok() && lists == usize::from(!model.is_empty()));
            model.iter().for_each(|&node| postings.remove(7, node));
            prop_assert_eq!(postings.newest(7, 1), []);
            prop_assert_eq!(postings.scan(&mut |_, _| panic!("nothing is left")).is_ok(), true);
        }
    }

    #[test]
    fn a_long_list_keeps_what_is_read() {
        let mut postings = Postings::default();
        for node in 0..20_000 {
            postings.insert(1, node * 3);
            // Older ones come in between.
            postings.insert(1, node);
        }
        let all = postings.newest(1, usize::MAX);
        assert!(
            (LIST_NODES_READ_MAX..=LIST_NODES_MAX + 2 * CHUNK_NODES).contains(&all.len()),
            "{}",
            all.len()
        );
        assert!(all.is_sorted_by(|newer, older| newer > older));
        let expected: Vec<_> = (0..20_000).rev().map(|node| node * 3).take(100).collect();
        assert_eq!(all[..100], expected);
    }
}
