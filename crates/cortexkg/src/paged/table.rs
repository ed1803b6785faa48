//! Records by number.

use std::marker::PhantomData;

use cortexkg_store::StoreError;

use super::packed::Packed;
use super::slots::Slots;
use super::{Base, Record, Table, shown};
use crate::image::{ImageReader, ImageWriter};

/// Records that are loaded together: those of one mention often lie side by side.
const BLOCK_RECORDS: usize = 8;

/// Records numbered from 0.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    slots: Slots,
    len: usize,
    base: Option<Base>,
    encoded: Vec<u8>,
    records: PhantomData<T>,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { slots: Slots::default(), len: 0, base: None, encoded: Vec::new(), records: PhantomData }
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
        let block = self.slots.get(at / BLOCK_RECORDS, || self.read(at / BLOCK_RECORDS));
        shown::<T>(block.get(at % BLOCK_RECORDS))
    }

    fn read(&self, at: usize) -> Packed {
        let count = BLOCK_RECORDS.min(self.len - at * BLOCK_RECORDS);
        let read = self.base.as_ref().map(|base| base.block(at, T::is_sound, |block| block.len() == count));
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
        let block = at / BLOCK_RECORDS;
        let read = if self.slots.peek(block).is_none() { self.read(block) } else { Packed::default() };
        self.slots.change(block, || read, |block| change(block, at % BLOCK_RECORDS));
    }

    /// Adds a record; gives its number.
    pub(crate) fn push(&mut self, record: &T::Content<'_>) -> u32 {
        let at = self.len;
        let encoded = self.encode(record);
        if at.is_multiple_of(BLOCK_RECORDS) {
            self.slots.push(Packed::from_records(std::iter::once(&*encoded)));
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
        if blocks < self.slots.len() {
            self.slots.truncate(blocks);
            self.len = blocks * BLOCK_RECORDS;
        }
        while self.len > len {
            self.change(self.len - 1, Packed::remove);
            self.len -= 1;
        }
    }

    /// Visits all records in order, loading nothing to stay.
    pub(crate) fn scan(&self, mut visit: impl FnMut(u32, T::View<'_>)) {
        for at in 0..self.slots.len() {
            let read;
            let block = match self.slots.peek(at) {
                Some(block) => block,
                None => {
                    read = self.read(at);
                    &read
                }
            };
            for (record, number) in block.iter().zip(at * BLOCK_RECORDS..) {
                visit(number as u32, shown::<T>(record));
            }
        }
    }

    pub(crate) fn save(&self, name: &str, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.begin(name)?;
        to.record(&self.len)?;
        for at in 0..self.slots.len() {
            match (self.slots.peek(at), &self.base) {
                (Some(block), _) => to.raw_record(block.as_bytes())?,
                (None, Some(base)) => base.copy(at, to)?,
                (None, None) => unreachable!("without a snapshot everything is in memory"),
            }
        }
        Ok(())
    }

    /// Lies in a snapshot from now on; nothing of it is loaded yet.
    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let len: usize = from.first(name)?;
        let blocks = len.div_ceil(BLOCK_RECORDS);
        let base = Some(Base::of(name, from, blocks)?);
        Ok(Self { slots: Slots::absent(blocks), len, base, ..Self::default() })
    }
}

impl<T: Record> Table for Paged<T> {
    fn rebase(&mut self, name: &str, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.base = Some(Base::of(name, from, self.slots.len())?);
        self.slots.clean();
        Ok(())
    }

    fn evict(&mut self, bytes: usize) {
        if self.base.is_some() {
            self.slots.evict(bytes);
        }
    }

    fn bytes(&self) -> usize {
        self.slots.bytes()
    }

    fn dirty_bytes(&self) -> usize {
        self.slots.dirty_bytes()
    }
}
