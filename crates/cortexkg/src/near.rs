//! The vectors of a graph that is too large to look at each: an index that has grown along before it is needed.
//!
//! From half of that size on, every operation puts the vectors of a few older nodes into the index, so that it is whole long before the
//! scan ends, and no operation takes long. Which ones follows from the log alone.

use std::io;

use cortexkg_index::{HnswAllocationIndex, HnswConfig, Neighbour, Precision, Q8Code};
use cortexkg_store::StoreError;

use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};

/// Older nodes that one operation adds.
const OLDER_AT_ONCE: u32 = 4;
/// Places that one operation looks at for them.
const LOOKED_AT_ONCE: u32 = 256;
/// Members beyond which a node's vector is in its place for good: it hardly moves any more.
const MEMBERS_MOVED_MAX: u32 = 64;
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

impl NearIndex {
    /// An empty index for vectors of this dimension, 1 to [`DIMENSION_MAX`](cortexkg_index::DIMENSION_MAX).
    pub(crate) fn new(dimension: usize) -> Self {
        let config = HnswConfig { precision: Precision::Eight, ..HnswConfig::new(dimension) };
        let index = HnswAllocationIndex::new(config).expect("settings in range");
        Self { index, filled: 0 }
    }

    /// Number of vectors in it.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Adds the next few of `places` places.
    pub(crate) fn follow(&mut self, places: NodeIndex, code: impl Fn(NodeIndex) -> Option<Q8Code>) {
        let (mut added, end) = (0, places.min(self.filled.saturating_add(LOOKED_AT_ONCE)));
        while self.filled < end && added < OLDER_AT_ONCE {
            if let Some(code) = code(self.filled) {
                self.put(self.filled, &code);
                added += 1;
            }
            self.filled += 1;
        }
    }

    /// Takes note of the vector of a node, which has so many members now. It is moved in the index when their number is a power of two.
    pub(crate) fn moved(&mut self, node: NodeIndex, members: u32, code: &Q8Code) {
        let is_in = self.index.contains(u64::from(node));
        let moves = members.is_power_of_two() && members <= MEMBERS_MOVED_MAX;
        if node < self.filled && (moves || !is_in) {
            self.put(node, code);
        }
    }

    fn put(&mut self, node: NodeIndex, code: &Q8Code) {
        let id = u64::from(node);
        let put = self.index.vector(&code.to_embedding()).and_then(|vector| {
            if self.index.contains(id) {
                self.index.replace(id, &vector)
            } else {
                self.index.add(id, &vector)
            }
        });
        debug_assert!(put.is_ok(), "{put:?}");
    }

    /// Forgets the vector of a node. That it has none is fine.
    pub(crate) fn remove(&mut self, node: NodeIndex) {
        let _ = self.index.remove(u64::from(node));
    }

    /// The nodes nearest to a mention, best first, with their cosines in 1/65536.
    pub(crate) fn nearest(&self, code: &Q8Code, count: usize) -> Vec<(NodeIndex, i32)> {
        let mut hits: Vec<Neighbour> = Vec::new();
        // The code is of the index's dimension, the only thing that can be wrong.
        if let Ok(vector) = self.index.vector(&code.to_embedding()) {
            let _ = self.index.search(&vector, count, &mut hits);
        }
        let cosine = |hit: &Neighbour| (hit.score.units() >> SCORE_SHIFT).clamp(-(1 << 16), 1 << 16);
        hits.iter().map(|hit| (hit.id as NodeIndex, cosine(hit))).collect()
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.section("near", [self.filled])?;
        to.begin("near index")?;
        let mut records = Records { to, buffer: Vec::with_capacity(RECORD_BYTES), failed: None };
        let saved = self.index.save(&mut records).and_then(|()| records.end());
        saved.map_err(|error| {
            records.failed.take().unwrap_or_else(|| StoreError::damaged("the snapshot", error.to_string()))
        })
    }

    pub(crate) fn load(from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let mut bytes = Vec::new();
        from.raw("near index")?.scan(&mut |_, record| {
            bytes.extend_from_slice(record);
            Ok(())
        })?;
        let index = HnswAllocationIndex::open(bytes.into())
            .map_err(|error| StoreError::damaged("the snapshot", error.to_string()))?;
        Ok(Self { index, filled: from.one("near")? })
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
