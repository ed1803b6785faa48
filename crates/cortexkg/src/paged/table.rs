//! Records by number.

use std::marker::PhantomData;

use cortexkg_simd::CAN_PREFETCH;
use cortexkg_store::StoreError;

use super::blocks::Blocks;
use super::packed::{Packed, touch};
use super::{Record, shown};
use crate::image::{ImageReader, ImageWriter};

/// Records that are loaded together: those of one mention often lie side by side.
const BLOCK_RECORDS: usize = 8;

/// Records numbered from 0.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    blocks: Blocks,
    len: usize,
    encoded: Vec<u8>,
    records: PhantomData<T>,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { blocks: Blocks::default(), len: 0, encoded: Vec::new(), records: PhantomData }
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
    pub(crate) fn get(&self, at: u32) -> T::View<'_> {
        let at = at as usize;
        shown::<T>(self.block(at / BLOCK_RECORDS).get(at % BLOCK_RECORDS))
    }

    /// Brings records near that are about to be read: the processor waits for all of them at once, first for where their blocks are, then
    /// for where they are in these.
    #[inline]
    pub(crate) fn touch(&self, numbers: impl Iterator<Item = u32> + Clone) {
        if !CAN_PREFETCH {
            return;
        }
        let blocks = numbers.clone().map(|at| at as usize / BLOCK_RECORDS);
        blocks.clone().for_each(|block| self.blocks.ask_for(block));
        blocks.for_each(|block| self.block(block).touch_ends());
        numbers
            .map(|at| at as usize)
            .for_each(|at| touch(self.block(at / BLOCK_RECORDS).get(at % BLOCK_RECORDS)));
    }

    #[inline]
    fn block(&self, at: usize) -> &Packed {
        self.blocks.get(at, || self.read(at))
    }

    fn read(&self, at: usize) -> Packed {
        let count = BLOCK_RECORDS.min(self.len - at * BLOCK_RECORDS);
        let is_complete = |block: &Packed| block.len() == count;
        let read = self
            .blocks
            .swapped(at, is_complete)
            .or_else(|| self.blocks.base().map(|base| base.block(at, T::is_sound, is_complete)));
        read.flatten().unwrap_or_else(|| Packed::from_records((0..count).map(|_| &[][..])))
    }

    /// Changes the bytes of a record, but not their number.
    ///
    /// # Panics
    /// If there is none of this number.
    pub(crate) fn patch(&mut self, at: u32, patch: impl FnOnce(&mut [u8])) {
        self.change(at as usize, |block, at| patch(block.get_mut(at)));
    }

    /// Puts a record in the place of another.
    ///
    /// # Panics
    /// If there is none of this number.
    pub(crate) fn set(&mut self, at: u32, record: &T::Content<'_>) {
        let encoded = self.encode(record);
        self.change(at as usize, |block, at| block.replace(at, &encoded));
        self.encoded = encoded;
    }

    fn encode(&mut self, record: &T::Content<'_>) -> Vec<u8> {
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.clear();
        T::encode(record, &mut encoded);
        encoded
    }

    fn change(&mut self, at: usize, change: impl FnOnce(&mut Packed, usize)) {
        self.block(at / BLOCK_RECORDS);
        self.blocks.change(at / BLOCK_RECORDS, |block| change(block, at % BLOCK_RECORDS));
    }

    /// Adds a record; gives its number.
    pub(crate) fn push(&mut self, record: &T::Content<'_>) -> u32 {
        let at = self.len;
        let encoded = self.encode(record);
        if at.is_multiple_of(BLOCK_RECORDS) {
            self.blocks.push(Packed::from_records(std::iter::once(&*encoded)));
        } else {
            self.change(at, |block, at| block.insert(at, &encoded));
        }
        self.len += 1;
        self.encoded = encoded;
        at as u32
    }

    /// Forgets the newest records.
    pub(crate) fn truncate(&mut self, len: usize) {
        let blocks = len.div_ceil(BLOCK_RECORDS);
        if blocks < self.blocks.len() {
            self.blocks.truncate(blocks);
            self.len = blocks * BLOCK_RECORDS;
        }
        while self.len > len {
            self.change(self.len - 1, Packed::remove);
            self.len -= 1;
        }
    }

    /// Visits all records in order, loading nothing to stay.
    pub(crate) fn scan(&self, mut visit: impl FnMut(u32, T::View<'_>)) {
        for at in 0..self.blocks.len() {
            self.blocks.look(
                at,
                || self.read(at),
                |block| {
                    for (record, number) in block.iter().zip(at * BLOCK_RECORDS..) {
                        visit(number as u32, shown::<T>(record));
                    }
                },
            );
        }
    }

    pub(crate) fn save(&self, name: &str, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.begin(name)?;
        to.record(&self.len)?;
        for at in 0..self.blocks.len() {
            match (self.blocks.peek(at), self.blocks.base()) {
                (Some(block), _) => to.raw_record(block.as_bytes())?,
                (None, Some(base)) if !self.blocks.is_swapped(at) => base.copy(at, to)?,
                (None, _) => to.raw_record(self.read(at).as_bytes())?,
            }
        }
        Ok(())
    }

    /// Lies in a snapshot from now on; nothing of it is loaded yet.
    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let len: usize = from.first(name)?;
        let blocks = len.div_ceil(BLOCK_RECORDS);
        Ok(Self { blocks: Blocks::open(name, from, blocks)?, len, ..Self::default() })
    }

    pub(crate) fn blocks(&mut self) -> &mut Blocks {
        &mut self.blocks
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.bytes()
    }
}
