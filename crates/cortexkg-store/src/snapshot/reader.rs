//! Reading a container.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::cache::{BlockCache, CacheStats};
use super::layout::{
    BLOCK_BYTES, CHECK_BYTES, DIRECTORY_BYTES_MAX, Entry, FOOTER_BYTES, Footer, GROUP_RECORDS, HEADER_BYTES,
    Header, VERSION, block_at, block_check, chain, read_header, u64_at,
};
use super::section::Section;
use super::source::Source;
use crate::error::StoreError;

/// Blocks that are read at once when reading in order.
pub(super) const RUN_BLOCKS: u64 = 16;

/// A container, open for reading. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(super) inner: Arc<Inner>,
}

/// What the clones share.
#[derive(Debug)]
pub(super) struct Inner {
    source: Box<dyn Source>,
    /// The name of the file, for people.
    place: String,
    footer: Footer,
    file_bytes: u64,
    pub(super) sections: Vec<Entry>,
    cache: BlockCache,
}

impl Snapshot {
    /// Opens a container. `place` names it in errors; `cache_bytes` bounds the blocks that are kept in memory.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if header, footer or directory are not what was written; [`StoreError::Format`] if another
    /// version wrote it, or it is no container; [`StoreError::Io`].
    pub fn open(source: impl Source, place: &str, cache_bytes: u64) -> Result<Self, StoreError> {
        let io = |error| StoreError::io(place, error);
        let damaged = |what: &str| StoreError::damaged(place, what);
        let file_bytes = source.bytes().map_err(io)?;
        if file_bytes < (HEADER_BYTES + FOOTER_BYTES) as u64 {
            return Err(damaged("too short"));
        }
        let mut header = [0; HEADER_BYTES];
        source.read_at(0, &mut header).map_err(io)?;
        let mut footer = [0; FOOTER_BYTES];
        source.read_at(file_bytes - FOOTER_BYTES as u64, &mut footer).map_err(io)?;
        let footer = Footer::decode(&footer);
        match (read_header(&header), footer) {
            (Header::Ours, _) => {}
            // A footer that is whole says that it is the header which is not.
            (Header::Foreign | Header::Version(_), Some(_)) => return Err(damaged("header")),
            (Header::Version(version), None) => {
                let what =
                    format!("has version {version}, this program reads {VERSION}; use a newer program");
                return Err(StoreError::Format { path: PathBuf::from(place), what });
            }
            (Header::Foreign, None) => {
                let what = "is no snapshot or graph file; check the name".to_owned();
                return Err(StoreError::Format { path: PathBuf::from(place), what });
            }
        }
        let footer = footer.ok_or_else(|| damaged("footer"))?;
        let directory_bytes = footer.stream_bytes.checked_sub(footer.directory);
        if footer.file_bytes() != Some(file_bytes) {
            return Err(damaged("length"));
        }
        let Some(directory_bytes) = directory_bytes.filter(|&bytes| bytes <= DIRECTORY_BYTES_MAX) else {
            return Err(damaged("place of the directory"));
        };
        let mut inner = Inner {
            source: Box::new(source),
            place: place.to_owned(),
            footer,
            file_bytes,
            sections: Vec::new(),
            cache: BlockCache::new(cache_bytes),
        };
        let mut directory = Vec::new();
        inner.read_cached(footer.directory, directory_bytes, &mut directory)?;
        inner.sections = read_directory(&directory, footer).ok_or_else(|| inner.damaged("directory"))?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A section, if there is one of that name.
    pub fn section(&self, name: &str) -> Option<Section> {
        let index = self.inner.sections.iter().position(|entry| entry.name == name)?;
        Some(Section { inner: self.inner.clone(), index })
    }

    /// The names of the sections, in the order in which they were written.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.inner.sections.iter().map(|entry| entry.name.as_str())
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.inner.file_bytes
    }

    /// How the cache fares.
    pub fn cache_stats(&self) -> CacheStats {
        self.inner.cache.stats()
    }

    /// Reads every block, and verifies that they are those that were written together.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn check(&self) -> Result<(), StoreError> {
        let inner = &*self.inner;
        let (mut run, mut sum) = (Vec::new(), 0);
        let mut number = 0;
        while number < inner.blocks() {
            let blocks = inner.read_run(number, &mut run, &mut |check| sum = chain(sum, check))?;
            number += blocks;
        }
        if sum == inner.footer.chain { Ok(()) } else { Err(inner.damaged("blocks of different files")) }
    }
}

impl Inner {
    fn blocks(&self) -> u64 {
        self.footer.stream_bytes.div_ceil(BLOCK_BYTES as u64)
    }

    /// Damage somewhere in the file.
    pub(super) fn damaged(&self, what: &str) -> StoreError {
        StoreError::damaged(&self.place, what)
    }

    /// Reads from the stream through the cache; the bytes are appended.
    pub(super) fn read_cached(&self, at: u64, bytes: u64, into: &mut Vec<u8>) -> Result<(), StoreError> {
        let end = self.end(at, bytes)?;
        let mut at = at;
        while at < end {
            let number = at / BLOCK_BYTES as u64;
            let block = self.cache.get(number, || {
                let mut run = Vec::new();
                self.read_blocks(number, 1, &mut run, &mut |_| {})?;
                Ok(Arc::from(run))
            })?;
            let from = (at % BLOCK_BYTES as u64) as usize;
            let to = block.len().min(from + (end - at) as usize);
            into.extend_from_slice(&block[from..to]);
            at += (to - from) as u64;
        }
        Ok(())
    }

    /// Reads blocks in one go, as many as make a run; the payloads take the place of what `into` holds. Gives how many there were.
    pub(super) fn read_run(
        &self,
        first: u64,
        into: &mut Vec<u8>,
        see: &mut dyn FnMut(u64),
    ) -> Result<u64, StoreError> {
        let blocks = RUN_BLOCKS.min(self.blocks() - first);
        self.read_blocks(first, blocks, into, see)?;
        Ok(blocks)
    }

    /// Where a piece of the stream ends.
    pub(super) fn end(&self, at: u64, bytes: u64) -> Result<u64, StoreError> {
        let end = at.checked_add(bytes).filter(|&end| end <= self.footer.stream_bytes);
        end.ok_or_else(|| self.damaged("a place beyond the end"))
    }

    fn read_blocks(
        &self,
        first: u64,
        blocks: u64,
        into: &mut Vec<u8>,
        see: &mut dyn FnMut(u64),
    ) -> Result<(), StoreError> {
        let stream_end = self.footer.stream_bytes.min((first + blocks) * BLOCK_BYTES as u64);
        let payload_bytes = (stream_end - first * BLOCK_BYTES as u64) as usize;
        into.clear();
        into.resize(payload_bytes + blocks as usize * CHECK_BYTES, 0);
        self.source.read_at(block_at(first), into).map_err(|error| StoreError::io(&self.place, error))?;
        // The checks are taken out from between the payloads, front to back.
        let mut kept = 0;
        let mut from = 0;
        for number in first..first + blocks {
            let payload = (payload_bytes - kept).min(BLOCK_BYTES);
            let check = u64_at(into, from + payload);
            if block_check(number, &into[from..from + payload]) != check {
                return Err(StoreError::damaged(format!("{}, block {number}", self.place), "checksum"));
            }
            see(check);
            into.copy_within(from..from + payload, kept);
            kept += payload;
            from += payload + CHECK_BYTES;
        }
        into.truncate(kept);
        Ok(())
    }
}

/// The sections, if the directory is one.
fn read_directory(mut bytes: &[u8], footer: Footer) -> Option<Vec<Entry>> {
    let mut sections = Vec::new();
    let mut names = BTreeSet::new();
    for _ in 0..footer.sections {
        let entry = Entry::decode(&mut bytes)?;
        let places = entry.records.div_ceil(GROUP_RECORDS).checked_mul(8)?;
        let in_stream = entry.places.checked_add(places)? <= footer.directory;
        if !in_stream || !names.insert(entry.name.clone()) {
            return None;
        }
        sections.push(entry);
    }
    bytes.is_empty().then_some(sections)
}
