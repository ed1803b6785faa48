//! A bounded cache of verified blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::layout::BLOCK_BYTES;

/// How the cache of a snapshot fares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Blocks that were there.
    pub hits: u64,
    /// Blocks that were read from the file.
    pub misses: u64,
    /// Bytes of blocks in it.
    pub bytes: u64,
    /// Bytes of blocks that may be in it.
    pub bytes_max: u64,
}

/// Verified payloads by block number.
#[derive(Debug)]
pub(super) struct BlockCache {
    blocks: Cache<u64, Arc<[u8]>, ByBytes>,
    bytes_max: u64,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<u64, Arc<[u8]>> for ByBytes {
    fn weight(&self, _number: &u64, block: &Arc<[u8]>) -> u64 {
        block.len() as u64
    }
}

impl BlockCache {
    /// An empty cache.
    pub(super) fn new(bytes_max: u64) -> Self {
        let blocks = usize::try_from(bytes_max / BLOCK_BYTES as u64).unwrap_or(usize::MAX);
        Self {
            blocks: Cache::with_weighter(blocks, bytes_max, ByBytes),
            bytes_max,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// A block; if it is not there, it is read by `read`, which several threads may do at once.
    pub(super) fn get<E>(
        &self,
        number: u64,
        read: impl FnOnce() -> Result<Arc<[u8]>, E>,
    ) -> Result<Arc<[u8]>, E> {
        if let Some(block) = self.blocks.get(&number) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(block);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let block = read()?;
        self.blocks.insert(number, block.clone());
        Ok(block)
    }

    /// How it fares.
    pub(super) fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            bytes: self.blocks.weight(),
            bytes_max: self.bytes_max,
        }
    }
}
