//! Lists of nodes by hash: the inverted index itself.
//!
//! A list is read from its newest node on, so that is how it is written. Only the newest nodes stand under the hash itself. Older ones are in
//! chunks under hashes of their own, which need not be in memory to add a node or to read the newest.

mod entry;

use cortexkg_store::StoreError;
use smallvec::SmallVec;

use self::entry::{CHUNKS_MAX, Chunk, Entry, write_chunk, write_list};
use crate::embed::mix;
use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::paged::{Blocks, PagedMap};

/// Nodes in a chunk; twice as many make two.
const CHUNK_NODES: usize = 256;
/// Most nodes in one list. A longer one loses its oldest chunks: what so many nodes have tells none of them, and each is listed
/// under what is rarer about it.
const LIST_NODES_MAX: usize = 8192;
/// Most nodes that are read of a list; as many are kept of one that is too long.
pub(crate) const LIST_NODES_READ_MAX: usize = LIST_NODES_MAX / 2;

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
        let own = entry.nodes();
        let mut found = own.len();
        let chunks = entry.chunks().iter().rev().take_while(|chunk| {
            let is_needed = found < most;
            found += usize::from(chunk.nodes);
            is_needed
        });
        let hashes: SmallVec<[u64; 16]> = chunks.map(|chunk| chunk_hash(hash, chunk.start)).collect();
        self.entries.touch(hashes.iter().copied());
        own.read(most, into);
        for hash in hashes {
            if let Some(chunk) = self.entries.get(hash) {
                chunk.nodes().read(most - into.len(), into);
            }
        }
    }

    /// The chunks of a list, oldest first, and the nodes behind them, newest first.
    fn list(&self, hash: u64) -> Option<(Vec<Chunk>, Vec<NodeIndex>)> {
        self.entries.get(hash).map(|entry| (entry.chunks().to_vec(), entry.nodes().to_vec()))
    }

    /// All nodes of a chunk, newest first.
    fn chunk(&self, hash: u64, chunk: Chunk) -> Vec<NodeIndex> {
        self.entries.get(chunk_hash(hash, chunk.start)).map_or_else(Vec::new, |entry| entry.nodes().to_vec())
    }

    /// Whether a node is in a list.
    pub(crate) fn contains(&self, hash: u64, node: NodeIndex) -> bool {
        let Some((chunks, own)) = self.list(hash) else { return false };
        let nodes = place(&chunks, &own, node).map_or(own, |at| self.chunk(hash, chunks[at]));
        find(&nodes, node).is_ok()
    }

    /// Adds a node to a list.
    pub(crate) fn insert(&mut self, hash: u64, node: NodeIndex) {
        let mut is_done = true;
        self.entries.update(hash, |entry, into| {
            let Some(entry) = entry else {
                write_list(&[], &[node], into);
                return true;
            };
            // Most often the newest node is added, or the one that was added last.
            let newest = entry.nodes().newest();
            if newest == Some(node) {
                return false;
            }
            let has_room = entry.nodes().len() + 1 < 2 * CHUNK_NODES;
            is_done = has_room && newest.is_some_and(|newest| newest < node) && entry.with_newest(node, into);
            is_done
        });
        if !is_done {
            self.insert_among(hash, node);
        }
    }

    /// Adds a node among others: those of a chunk, or of the list's own entry.
    fn insert_among(&mut self, hash: u64, node: NodeIndex) {
        let Some((mut chunks, mut own)) = self.list(hash) else { return };
        let at = place(&chunks, &own, node);
        let mut of_chunk = at.map(|at| self.chunk(hash, chunks[at]));
        let nodes = of_chunk.as_mut().unwrap_or(&mut own);
        let Err(place) = find(nodes, node) else { return };
        nodes.insert(place, node);
        let older = (nodes.len() >= 2 * CHUNK_NODES).then(|| nodes.split_off(nodes.len() - CHUNK_NODES));
        let is_split = older.is_some();
        if let (Some(at), Some(nodes)) = (at, of_chunk) {
            let old = chunks[at].start;
            match older {
                None => chunks[at] = self.put_chunk(hash, old, &nodes),
                Some(older) => {
                    // The oldest chunk may have nodes from before its name.
                    self.entries.remove(chunk_hash(hash, old));
                    chunks[at] = self.put_chunk(hash, old.min(oldest(&older)), &older);
                    chunks.insert(at + 1, self.put_chunk(hash, oldest(&nodes), &nodes));
                }
            }
        } else if let Some(older) = older {
            chunks.push(self.put_chunk(hash, oldest(&older), &older));
        }
        if is_split {
            self.put_bounded(hash, chunks, own);
        } else {
            self.put_list(hash, &chunks, &own);
        }
    }

    fn put_chunk(&mut self, hash: u64, start: NodeIndex, nodes: &[NodeIndex]) -> Chunk {
        self.bytes.clear();
        write_chunk(nodes, &mut self.bytes);
        self.entries.insert(chunk_hash(hash, start), &self.bytes);
        Chunk { start, nodes: nodes.len() as u16 }
    }

    fn put_list(&mut self, hash: u64, chunks: &[Chunk], nodes: &[NodeIndex]) {
        self.bytes.clear();
        write_list(chunks, nodes, &mut self.bytes);
        self.entries.insert(hash, &self.bytes);
    }

    /// Writes a list, without its oldest chunks if it is too long; none if nothing is left of it.
    fn put_bounded(&mut self, hash: u64, mut chunks: Vec<Chunk>, mut nodes: Vec<NodeIndex>) {
        let of = |chunk: &Chunk| usize::from(chunk.nodes);
        let mut total = nodes.len() + chunks.iter().map(of).sum::<usize>();
        if total > LIST_NODES_MAX {
            while let Some(&oldest) = chunks.first().filter(|oldest| total - of(oldest) > LIST_NODES_READ_MAX)
            {
                total -= of(&oldest);
                self.entries.remove(chunk_hash(hash, oldest.start));
                chunks.remove(0);
            }
        }
        if chunks.len() > CHUNKS_MAX {
            // Many that hardly anything is left of.
            for chunk in chunks.drain(..).rev() {
                nodes.extend(self.chunk(hash, chunk));
                self.entries.remove(chunk_hash(hash, chunk.start));
            }
            let older = nodes.split_off(nodes.len().min(CHUNK_NODES));
            chunks =
                older.chunks(CHUNK_NODES).map(|nodes| self.put_chunk(hash, oldest(nodes), nodes)).collect();
            chunks.reverse();
        }
        if total == 0 {
            self.entries.remove(hash);
        } else {
            self.put_list(hash, &chunks, &nodes);
        }
    }

    /// Takes a node out of a list.
    pub(crate) fn remove(&mut self, hash: u64, node: NodeIndex) {
        let Some((mut chunks, mut own)) = self.list(hash) else { return };
        match place(&chunks, &own, node) {
            None => own.retain(|known| *known != node),
            Some(at) => {
                let mut nodes = self.chunk(hash, chunks[at]);
                nodes.retain(|known| *known != node);
                if nodes.is_empty() {
                    self.entries.remove(chunk_hash(hash, chunks[at].start));
                    chunks.remove(at);
                } else {
                    chunks[at] = self.put_chunk(hash, chunks[at].start, &nodes);
                }
            }
        }
        // The newest always stand under the hash itself.
        while own.is_empty() {
            let Some(chunk) = chunks.pop() else { break };
            own = self.chunk(hash, chunk);
            self.entries.remove(chunk_hash(hash, chunk.start));
        }
        self.put_bounded(hash, chunks, own);
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
fn place(chunks: &[Chunk], newest: &[NodeIndex], node: NodeIndex) -> Option<usize> {
    let last = chunks.len().checked_sub(1)?;
    // The newest nodes are never older than any chunk's.
    if newest.last().is_some_and(|least| node >= *least) {
        return None;
    }
    Some(chunks.partition_point(|chunk| chunk.start <= node).saturating_sub(1).min(last))
}

fn oldest(nodes: &[NodeIndex]) -> NodeIndex {
    nodes.last().copied().unwrap_or_default()
}

/// Where a node is among others, newest first, or belongs.
pub(crate) fn find(nodes: &[NodeIndex], node: NodeIndex) -> Result<usize, usize> {
    nodes.binary_search_by(|known| node.cmp(known))
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
    fn chunks_of_which_little_is_left_keep_it() {
        let (mut postings, mut model) = (Postings::default(), BTreeSet::new());
        for round in 0..600 {
            let nodes = round * 1_000..round * 1_000 + 259;
            nodes.clone().for_each(|node| postings.insert(3, node));
            nodes.clone().skip(3).for_each(|node| postings.remove(3, node));
            model.extend(nodes.take(3));
            assert_eq!(postings.newest(3, usize::MAX), newest_of(&model, usize::MAX), "round {round}");
        }
        assert!(model.iter().all(|&node| postings.contains(3, node)));
        model.iter().for_each(|&node| postings.remove(3, node));
        assert_eq!(postings.bytes(), Postings::default().bytes());
    }

    #[test]
    fn a_list_beyond_its_bound_is_cut_where_it_is_split_and_not_before() {
        let mut postings = Postings::default();
        (0..8_440_u32).map(|node| node * 2).for_each(|node| postings.insert(1, node));
        let before = postings.newest(1, usize::MAX);
        assert!(before.len() > LIST_NODES_MAX && before.contains(&10), "{}", before.len());
        postings.insert(1, 4_321);
        postings.insert(1, 20_000_000);
        assert_eq!(postings.newest(1, usize::MAX).len(), before.len() + 2);
        assert!(postings.contains(1, 10) && postings.contains(1, 4_321));
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
