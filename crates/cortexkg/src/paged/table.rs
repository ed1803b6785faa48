//! Records by number.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cortexkg_store::{Section, StoreError};

use super::{Failure, Record, Table};
use crate::image::{ImageReader, ImageWriter};

/// Records that are loaded together: those of one mention often lie side by side.
const BLOCK_RECORDS: usize = 8;

#[derive(Debug, Default)]
struct Block<T> {
    records: [T; BLOCK_RECORDS],
    /// Whether it was looked at since memory was last short.
    used: AtomicBool,
    /// Whether the snapshot has it otherwise, or not at all.
    dirty: bool,
}

impl<T: Record> Block<T> {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.records.iter().map(Record::heap_bytes).sum::<usize>()
    }
}

/// Where the records are that are not in memory.
#[derive(Debug)]
struct Base {
    section: Section,
    failure: Failure,
}

/// Records numbered from 0.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    blocks: Vec<OnceLock<Box<Block<T>>>>,
    len: usize,
    base: Option<Base>,
    /// Bytes of the blocks in memory; what changes made of them is counted by [`count_bytes`](Self::count_bytes).
    bytes: AtomicUsize,
    /// Where the search for something to let go of goes on.
    hand: usize,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), len: 0, base: None, bytes: AtomicUsize::new(0), hand: 0 }
    }
}

impl<T: Record> Paged<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A record.
    ///
    /// # Panics
    /// If there is none of this number.
    #[inline]
    pub(crate) fn get(&self, at: u32) -> &T {
        let at = at as usize;
        &self.block(at / BLOCK_RECORDS).records[at % BLOCK_RECORDS]
    }

    #[inline]
    fn block(&self, at: usize) -> &Block<T> {
        match self.blocks[at].get() {
            Some(block) => {
                if !block.used.load(Ordering::Relaxed) {
                    block.used.store(true, Ordering::Relaxed);
                }
                block
            }
            None => self.blocks[at].get_or_init(|| self.loaded(at)),
        }
    }

    #[cold]
    fn loaded(&self, at: usize) -> Box<Block<T>> {
        let block = self.read(at);
        block.used.store(true, Ordering::Relaxed);
        self.bytes.fetch_add(block.bytes(), Ordering::Relaxed);
        block
    }

    /// A block from the snapshot. A block that no snapshot has holds new records.
    fn read(&self, at: usize) -> Box<Block<T>> {
        let Some(Base { section, failure }) = &self.base else { return Box::default() };
        let mut bytes = Vec::new();
        // The first record of the section is the number of records.
        let records = section.read(at as u64 + 1, &mut bytes).and_then(|()| {
            postcard::from_bytes(&bytes)
                .map_err(|error| StoreError::damaged(format!("snapshot, block {at}"), error.to_string()))
        });
        let records = records.unwrap_or_else(|error| {
            failure.note(error);
            Default::default()
        });
        Box::new(Block { records, used: AtomicBool::new(false), dirty: false })
    }

    /// A record, to be changed.
    ///
    /// # Panics
    /// If there is none of this number.
    pub(crate) fn get_mut(&mut self, at: u32) -> &mut T {
        let at = at as usize;
        self.block(at / BLOCK_RECORDS);
        let block = self.blocks[at / BLOCK_RECORDS].get_mut().expect("just loaded");
        block.dirty = true;
        &mut block.records[at % BLOCK_RECORDS]
    }

    /// Adds a record; gives its number.
    pub(crate) fn push(&mut self, record: T) -> u32 {
        let at = self.len as u32;
        if self.len.is_multiple_of(BLOCK_RECORDS) {
            *self.bytes.get_mut() += size_of::<Block<T>>();
            self.blocks.push(OnceLock::from(Box::default()));
        }
        *self.bytes.get_mut() += record.heap_bytes();
        self.len += 1;
        *self.get_mut(at) = record;
        at
    }

    /// Forgets the newest records.
    pub(crate) fn truncate(&mut self, len: usize) {
        while self.len > len {
            self.len -= 1;
            *self.get_mut(self.len as u32) = T::default();
        }
        self.blocks.truncate(len.div_ceil(BLOCK_RECORDS));
    }

    /// Visits all records in order, loading nothing to stay.
    pub(crate) fn scan(&self, mut visit: impl FnMut(u32, &T)) {
        for (at, block) in self.blocks.iter().enumerate() {
            let read;
            let block = match block.get() {
                Some(block) => block,
                None => {
                    read = self.read(at);
                    &read
                }
            };
            let first = at * BLOCK_RECORDS;
            for (record, number) in block.records.iter().zip(first..self.len) {
                visit(number as u32, record);
            }
        }
    }

    pub(crate) fn save(&self, name: &str, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.begin(name)?;
        to.record(&self.len)?;
        for (at, block) in self.blocks.iter().enumerate() {
            match (block.get(), &self.base) {
                (Some(block), _) => to.record(&block.records)?,
                (None, Some(base)) => to.copy(&base.section, at as u64 + 1)?,
                (None, None) => unreachable!("without a snapshot everything is in memory"),
            }
        }
        Ok(())
    }

    /// Lies in a snapshot from now on; nothing of it is loaded yet.
    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let section = from.raw(name)?;
        let len: usize = from.first(name)?;
        let blocks = len.div_ceil(BLOCK_RECORDS);
        if section.len() != blocks as u64 + 1 {
            return Err(StoreError::damaged(format!("snapshot, {name}"), "records are missing"));
        }
        let base = Some(Base { section, failure: from.failure().clone() });
        let blocks = std::iter::repeat_with(OnceLock::new).take(blocks).collect();
        Ok(Self { blocks, len, base, bytes: AtomicUsize::new(0), hand: 0 })
    }
}

impl<T: Record> Table for Paged<T> {
    fn rebase(&mut self, name: &str, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.base = Some(Base { section: from.raw(name)?, failure: from.failure().clone() });
        for block in self.blocks.iter_mut().filter_map(OnceLock::get_mut) {
            block.dirty = false;
        }
        Ok(())
    }

    fn count_bytes(&mut self) {
        let blocks = self.blocks.iter().filter_map(OnceLock::get);
        self.bytes = AtomicUsize::new(blocks.map(|block| block.bytes()).sum());
    }

    fn evict(&mut self, bytes: usize) {
        if self.base.is_none() || self.blocks.is_empty() {
            return;
        }
        let mut freed = 0;
        // The second time round, what was used the first time goes.
        for _ in 0..2 * self.blocks.len() {
            if freed >= bytes {
                break;
            }
            self.hand = (self.hand + 1) % self.blocks.len();
            let slot = &mut self.blocks[self.hand];
            let Some(block) = slot.get_mut() else { continue };
            if !block.dirty && !std::mem::take(block.used.get_mut()) {
                freed += block.bytes();
                slot.take();
            }
        }
        let held = self.bytes.get_mut();
        *held = held.saturating_sub(freed);
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.blocks.capacity() * size_of::<OnceLock<Box<Block<T>>>>()
    }

    fn dirty_bytes(&self) -> usize {
        let blocks = self.blocks.iter().filter_map(OnceLock::get).filter(|block| block.dirty);
        blocks.map(|block| block.bytes()).sum()
    }
}
