//! A file for blocks that memory has no room for and no snapshot has as they are.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use cortexkg_simd::PartVec;
use cortexkg_store::StoreError;
use xxhash_rust::xxh3::xxh3_64;

use super::Failure;
use super::packed::Packed;

/// A file that is of no use to anybody else, nor once the graph is closed.
pub trait SwapFile: Debug + Send {
    /// Fills a buffer with what was written from a place on.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()>;

    /// Writes bytes from a place on.
    ///
    /// # Errors
    /// The system's; what stood there may then be changed.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
}

/// Lengths are rounded up to one of eight steps between powers of two, so that what is freed fits again.
const STEPS: usize = 8;
/// Places are multiples of this.
const UNIT: u64 = 16;
/// A place and a length share a number: 40 bits and 24.
const LENGTH_BITS: u32 = 24;

/// Where a block lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(u64);

impl Place {
    const NOWHERE: Self = Self(u64::MAX);

    /// None beyond what a place can say.
    fn new(at: u64, length: usize) -> Option<Self> {
        let fits = at / UNIT < 1 << (64 - LENGTH_BITS) && length < (1 << LENGTH_BITS) - 1;
        fits.then_some(Self(((at / UNIT) << LENGTH_BITS) | length as u64))
    }

    fn at(self) -> u64 {
        (self.0 >> LENGTH_BITS) * UNIT
    }

    fn length(self) -> usize {
        self.0 as usize & ((1 << LENGTH_BITS) - 1)
    }
}

/// The file and what of it is free; shared by the tables of an engine.
#[derive(Debug, Clone)]
pub(crate) struct Swap {
    inner: Arc<Mutex<Inner>>,
    failure: Failure,
}

#[derive(Debug)]
struct Inner {
    file: Box<dyn SwapFile>,
    end: u64,
    /// By class of length: places that are free.
    free: Vec<Vec<u64>>,
    buffer: Vec<u8>,
}

/// The class of a length, and the bytes that one of it takes.
fn class_of(length: usize) -> (usize, u64) {
    let units = (length as u64).div_ceil(UNIT).max(STEPS as u64);
    let step = (units.ilog2() - STEPS.ilog2()) as usize;
    let class = ((units as usize - 1) >> step) + 1;
    (step * STEPS + class, (class as u64) << step)
}

impl Swap {
    /// Uses of a file what is behind a place.
    pub(crate) fn new(file: Box<dyn SwapFile>, from: u64) -> Self {
        let inner = Inner { file, end: from.next_multiple_of(UNIT), free: Vec::new(), buffer: Vec::new() };
        Self { inner: Arc::new(Mutex::new(inner)), failure: Failure::default() }
    }

    /// The same file, of which failures are noted here.
    pub(crate) fn noting(&self, failure: &Failure) -> Self {
        Self { inner: self.inner.clone(), failure: failure.clone() }
    }

    /// Up to where the file is in use.
    pub(crate) fn end(&self) -> u64 {
        self.inner().end
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a block and its check; none if the file does not take them.
    fn put(&self, block: &[u8]) -> Option<Place> {
        let Inner { file, end, free, buffer } = &mut *self.inner();
        buffer.clear();
        buffer.extend_from_slice(block);
        buffer.extend_from_slice(&xxh3_64(block).to_le_bytes());
        let (class, units) = class_of(buffer.len());
        let freed = free.get_mut(class).and_then(Vec::pop);
        let at = freed.unwrap_or(*end);
        let written = Place::new(at, buffer.len()).filter(|_| file.write_at(at, buffer).is_ok());
        match (written, freed) {
            (Some(_), None) => *end += units * UNIT,
            (None, Some(at)) => free[class].push(at),
            _ => {}
        }
        written
    }

    /// A block; none if it is not what was written.
    fn get(&self, place: Place) -> io::Result<Option<Packed>> {
        let Inner { file, buffer, .. } = &mut *self.inner();
        buffer.resize(place.length(), 0);
        file.read_at(place.at(), buffer)?;
        let Some((block, check)) = buffer.split_last_chunk() else { return Ok(None) };
        Ok(Packed::from_bytes(block).filter(|_| u64::from_le_bytes(*check) == xxh3_64(block)))
    }

    fn free(&self, place: Place) {
        let mut inner = self.inner();
        let (class, _) = class_of(place.length());
        if inner.free.len() <= class {
            inner.free.resize_with(class + 1, Vec::new);
        }
        inner.free[class].push(place.at());
    }
}

/// The blocks of a table that lie in the file.
#[derive(Debug)]
pub(super) struct Swapped {
    swap: Swap,
    /// By number of the block.
    places: PartVec<Place>,
}

impl Swapped {
    pub(super) fn new(swap: &Swap) -> Self {
        Self { swap: swap.clone(), places: PartVec::default() }
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.places.get(at).is_some_and(|&place| place != Place::NOWHERE)
    }

    /// Writes a block that is not there yet; whether the file has taken it.
    pub(super) fn put(&mut self, at: usize, block: &Packed) -> bool {
        let Some(place) = self.swap.put(block.as_bytes()) else { return false };
        self.places.grow_to(at + 1, Place::NOWHERE);
        self.places[at] = place;
        true
    }

    /// A block that is there, if it can be read and is one; else the failure is noted.
    pub(super) fn get(&self, at: usize, is_complete: impl Fn(&Packed) -> bool) -> Option<Packed> {
        let place = || format!("swap file, block {at}");
        let read = self.swap.get(self.places[at]).map_err(|why| StoreError::io(place(), why));
        let block = read.and_then(|block| {
            let damaged = || StoreError::damaged(place(), "it is not what was written");
            block.filter(is_complete).ok_or_else(damaged)
        });
        block.map_err(|why| self.swap.failure.note(why)).ok()
    }

    /// Forgets a block, if it is there.
    pub(super) fn remove(&mut self, at: usize) {
        if self.has(at) {
            self.swap.free(std::mem::replace(&mut self.places[at], Place::NOWHERE));
        }
    }

    /// An empty one in the same file.
    pub(super) fn another(&self) -> Self {
        Self::new(&self.swap)
    }

    pub(super) fn bytes(&self) -> usize {
        self.places.bytes()
    }
}

impl Drop for Swapped {
    fn drop(&mut self) {
        (0..self.places.len()).for_each(|at| self.remove(at));
    }
}

#[cfg(test)]
#[path = "../../tests/common/swap.rs"]
mod disk;

#[cfg(test)]
mod tests {
    use super::disk::Disk;
    use super::*;

    #[test]
    fn a_length_fits_its_class_and_wastes_an_eighth_at_most() {
        let mut before = (0, 0);
        for length in 0..100_000 {
            let (class, units) = class_of(length);
            let bytes = units as usize * UNIT as usize;
            assert!(bytes >= length && bytes <= 128 + length + length / 7, "{length}: {bytes}");
            assert!(class >= before.0 && units >= before.1, "{length}");
            assert!((class == before.0) == (units == before.1), "{length}: class {class} of {units}");
            before = (class, units);
        }
    }

    #[test]
    fn what_was_freed_is_used_again() {
        let disk = Disk::default();
        let swap = Swap::new(Box::new(disk.clone()), 0);
        let block = |byte: u8| Packed::from_records([&[byte; 900][..]].into_iter());
        let mut table = Swapped::new(&swap);
        for round in 0..50 {
            for at in 0..20 {
                assert!(table.put(at, &block(round)));
            }
            for at in 0..20 {
                assert_eq!(table.get(at, |_| true).unwrap().get(0), [round; 900]);
                table.remove(at);
                table.remove(at);
            }
        }
        assert!(disk.bytes.lock().unwrap().len() < 20 * 1_100);
        *disk.is_full.lock().unwrap() = true;
        assert!(!table.put(3, &block(1)) && !table.has(3));
        *disk.is_full.lock().unwrap() = false;
        assert!(table.put(3, &block(1)));
        drop(table);
        let mut other = Swapped::new(&swap);
        assert!(other.put(0, &block(2)));
        assert!(disk.bytes.lock().unwrap().len() < 20 * 1_100);
    }

    #[test]
    fn what_cannot_be_read_is_noted() {
        let (disk, failure) = (Disk::default(), Failure::default());
        let mut table = Swapped::new(&Swap::new(Box::new(disk.clone()), 0).noting(&failure));
        assert!(table.put(5, &Packed::from_records([&b"a"[..]].into_iter())));
        assert!(failure.check().is_ok());
        disk.bytes.lock().unwrap()[6] ^= 1;
        assert!(table.get(5, |_| true).is_none());
        assert!(failure.check().unwrap_err().to_string().contains("swap file"));
    }
}
