//! The vectors of a graph that is too large to look at each: an index that has grown along before it is needed.
//!
//! Every operation puts the vectors of a few older nodes into the index, so that none takes long, until it holds all of them. Which
//! ones follows from the log alone.

use std::io;

use cortexkg_index::{HnswAllocationIndex, HnswConfig, Neighbour, Precision, Q8Code, SearchOptions};
use cortexkg_store::StoreError;

use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::layers::{HnswLayer, Layers};

/// Older nodes that one operation adds.
const OLDER_AT_ONCE: u32 = 4;
/// Places that one operation looks at for them.
const LOOKED_AT_ONCE: u32 = 256;
/// Members beyond which a node's vector hardly moves any more.
const MEMBERS_MOVED_MAX: u32 = 64;
/// Cosine, in 1/65536, below which what it was and what it is are not near the same others.
const NEAR: i32 = (1 << 16) * 98 / 100;
/// Numbers of members with which a vector is linked anew in any case: many small steps lead far, too.
const LINKED_ANEW: [u32; 2] = [8, 64];
/// Bytes of a snapshot's record.
const RECORD_BYTES: usize = 1 << 18;
/// Cosines of the index have 30 fraction bits, those of the engine 16.
const SCORE_SHIFT: u32 = 30 - 16;

#[derive(Debug)]
pub(crate) struct NearIndex {
    index: HnswAllocationIndex,
    /// Places below this one are in the index, if they have a vector.
    filled: NodeIndex,
}

/// How an index is built for these layers; none if they have none. Settings out of range count as the nearest in it.
pub(crate) fn settings(layers: &Layers, dimension: usize) -> Option<HnswConfig> {
    let HnswLayer { max_connections, ef_construction, ef_search, .. } = layers.hnsw?;
    let ef = |ef: u32| (ef as usize).clamp(1, HnswConfig::EF_MAX);
    Some(HnswConfig {
        dimension,
        max_connections: (max_connections as usize).clamp(2, HnswConfig::CONNECTIONS_MAX),
        ef_construction: ef(ef_construction),
        ef_search: ef(ef_search),
        precision: if layers.quantization.is_some() { Precision::One } else { Precision::Eight },
    })
}

impl NearIndex {
    /// An empty index. The dimension is 1 to [`DIMENSION_MAX`](cortexkg_index::DIMENSION_MAX), and so are the other settings in range.
    pub(crate) fn new(settings: HnswConfig) -> Self {
        let index = HnswAllocationIndex::new(settings).expect("settings in range");
        Self { index, filled: 0 }
    }

    /// Whether it is built in this way; how it is searched can be changed.
    pub(crate) fn is_built(&self, settings: &HnswConfig) -> bool {
        let ef_search = self.index.config().ef_search;
        HnswConfig { ef_search, ..settings.clone() } == *self.index.config()
    }

    /// From now on a search holds on to so many.
    pub(crate) fn set_ef_search(&mut self, ef: usize) {
        if self.index.config().ef_search != ef {
            let set = self.index.set_ef_search(ef);
            debug_assert!(set.is_ok(), "{set:?}");
        }
    }

    /// Number of vectors in it.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether the vectors of all `places` places are in it.
    pub(crate) fn is_whole(&self, places: NodeIndex) -> bool {
        self.filled >= places
    }

    /// The index itself, to look at.
    pub(crate) fn index(&self) -> &HnswAllocationIndex {
        &self.index
    }

    /// One search of `every` is compared with an exact scan; 0: none. Changes no answer.
    pub(crate) fn set_recall_sampling(&mut self, every: u64) {
        self.index.set_recall_sampling(every);
    }

    /// What a node's vector is kept at; none if it has none here.
    pub(crate) fn precision(&self, node: NodeIndex) -> Option<Precision> {
        self.index.precision(u64::from(node))
    }

    /// Keeps a vector that is here at another precision, at least that of the index.
    pub(crate) fn set_precision(&mut self, node: NodeIndex, precision: Precision, code: Option<&Q8Code>) {
        let vector = code.and_then(|code| self.index.vector(&code.to_embedding()).ok());
        let set = self.index.set_precision(u64::from(node), precision, vector.as_ref());
        debug_assert!(set.is_ok(), "{set:?}");
    }

    /// Bytes of all vectors and links as their numbers alone say: what a budget is held against. Memory differs by what is allocated
    /// ahead, and by the few nodes with links on more layers than one.
    pub(crate) fn counted_bytes(&self) -> u64 {
        let HnswConfig { dimension, max_connections, precision, .. } = *self.index.config();
        let links = 4 * (2 * max_connections + 1) + 8;
        let each = precision.row_bytes(dimension) + links;
        let counts = self.index.precisions();
        let finer = Precision::ALL.into_iter().zip(counts).filter(|(finer, _)| *finer != precision);
        let finer: u64 = finer.map(|(finer, count)| (count * finer.row_bytes(dimension)) as u64).sum();
        (self.len() * each) as u64 + finer
    }

    /// Passes over places from `first` to below `end`, none of which has a vector, if that is how far it is.
    pub(crate) fn pass_over(&mut self, first: NodeIndex, end: NodeIndex) {
        if self.filled == first {
            self.filled = end;
        }
    }

    /// Adds the next few of `places` places.
    pub(crate) fn follow(&mut self, places: NodeIndex, code: impl Fn(NodeIndex) -> Option<Q8Code>) {
        let (mut added, end) = (0, places.min(self.filled.saturating_add(LOOKED_AT_ONCE)));
        while self.filled < end && added < OLDER_AT_ONCE {
            if let Some(code) = code(self.filled) {
                self.add(self.filled, &code);
                added += 1;
            }
            self.filled += 1;
        }
    }

    /// Takes note of the vector of a node, which has so many members now, and was `before`.
    pub(crate) fn moved(&mut self, node: NodeIndex, members: u32, before: Option<&Q8Code>, code: &Q8Code) {
        let id = u64::from(node);
        if node >= self.filled || (members > MEMBERS_MOVED_MAX && self.index.contains(id)) {
            return;
        }
        let cosine = before.and_then(|before| before.similarity(code).ok());
        let is_near = cosine.is_some_and(|cosine| cosine.units() >= NEAR) && !LINKED_ANEW.contains(&members);
        let moved = self.index.vector(&code.to_embedding()).and_then(|vector| {
            match (self.index.contains(id), is_near) {
                (false, _) => self.index.add(id, &vector),
                (true, false) => self.index.replace(id, &vector),
                (true, true) => self.index.nudge(id, &vector),
            }
        });
        debug_assert!(moved.is_ok(), "{moved:?}");
    }

    fn add(&mut self, node: NodeIndex, code: &Q8Code) {
        let vector = self.index.vector(&code.to_embedding());
        let added = vector.and_then(|vector| self.index.add(u64::from(node), &vector));
        debug_assert!(added.is_ok(), "{added:?}");
    }

    /// Forgets the vector of a node. That it has none is fine.
    pub(crate) fn remove(&mut self, node: NodeIndex) {
        let _ = self.index.remove(u64::from(node));
    }

    /// The nodes nearest to a mention, best first, with their cosines in 1/65536. Where vectors are kept at fewer than 8 bits, `read` has
    /// the last word on all that the search holds on to; `touch` is told of them first.
    pub(crate) fn nearest(
        &self,
        code: &Q8Code,
        count: usize,
        mut touch: impl FnMut(&[u64]),
        mut read: impl FnMut(NodeIndex, &mut Vec<f32>) -> bool,
    ) -> Vec<(NodeIndex, i32)> {
        let mut hits: Vec<Neighbour> = Vec::new();
        // The code is of the index's dimension, the only thing that can be wrong.
        if let Ok(vector) = self.index.vector(&code.to_embedding()) {
            let mut full = |id: u64, into: &mut Vec<f32>| read(id as NodeIndex, into);
            let is_coarse = self.index.config().precision < Precision::Eight;
            let mut how = SearchOptions {
                full: if is_coarse { Some(&mut full) } else { None },
                full_below: Some(Precision::Eight),
                ahead: Some(&mut touch),
                ..SearchOptions::default()
            };
            let _ = self.index.search_with(&vector, count, &mut how, &mut hits);
        }
        let cosine = |hit: &Neighbour| (hit.score.units() >> SCORE_SHIFT).clamp(-(1 << 16), 1 << 16);
        hits.iter().map(|hit| (hit.id as NodeIndex, cosine(hit))).collect()
    }

    /// Writes it under a name.
    pub(crate) fn save(&self, name: &str, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.section(&format!("{name} filled"), [self.filled])?;
        to.begin(name)?;
        let mut records = Records { to, buffer: Vec::with_capacity(RECORD_BYTES), failed: None };
        let saved = self.index.save(&mut records).and_then(|()| records.end());
        saved.map_err(|error| {
            records.failed.take().unwrap_or_else(|| StoreError::damaged("the snapshot", error.to_string()))
        })
    }

    pub(crate) fn load(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let mut bytes = Vec::new();
        from.raw(name)?.scan(&mut |_, record| {
            bytes.extend_from_slice(record);
            Ok(())
        })?;
        let index = HnswAllocationIndex::open(bytes.into())
            .map_err(|error| StoreError::damaged("the snapshot", error.to_string()))?;
        Ok(Self { index, filled: from.one(&format!("{name} filled"))? })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes()
    }
}

/// Writes bytes as records of a section.
struct Records<'a, 'b, 'c> {
    to: &'a mut ImageWriter<'b, 'c>,
    buffer: Vec<u8>,
    /// What the store said; an `io::Error` cannot carry it.
    failed: Option<StoreError>,
}

impl Records<'_, '_, '_> {
    fn end(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.to.raw_record(&self.buffer).map_err(|error| {
            self.failed = Some(error);
            io::Error::other("the store refused a record")
        })?;
        self.buffer.clear();
        Ok(())
    }
}

impl io::Write for Records<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(RECORD_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == RECORD_BYTES {
            self.end()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
