//! Values by hash.

use std::marker::PhantomData;

use cortexkg_simd::CAN_PREFETCH;
use cortexkg_store::StoreError;

use super::blocks::Blocks;
use super::packed::Packed;
use super::{Fixed, List, Record, shown};
use crate::image::{ImageReader, ImageWriter};

/// Values by hash, in buckets that the upper bits of a hash name. Hashes must be spread evenly.
#[derive(Debug)]
pub(crate) struct PagedMap<V> {
    /// Their number is a power of two. Each is a [`Bucket`].
    ///
    /// Their snapshot may have fewer: then one of it holds what several of memory are to hold.
    buckets: Blocks,
    len: usize,
    encoded: Vec<u8>,
    values: PhantomData<V>,
}

impl<V> Default for PagedMap<V> {
    fn default() -> Self {
        let mut buckets = Blocks::default();
        buckets.push(Packed::default());
        Self { buckets, len: 0, encoded: Vec::new(), values: PhantomData }
    }
}

/// The bucket of a hash among a power of two of them.
fn bucket_of(hash: u64, buckets: usize) -> usize {
    if buckets == 1 { 0 } else { (hash >> (64 - buckets.ilog2())) as usize }
}

/// A bucket: its first record has the hashes in order, each further one what the next of them stands for. Hashes side by side are found with
/// one or two lines of memory, however long what they stand for is.
#[derive(Clone, Copy)]
struct Bucket<'a>(&'a Packed);

impl<'a> Bucket<'a> {
    #[inline]
    fn hashes(self) -> List<'a, u64> {
        if self.0.len() == 0 { List::default() } else { List::new(self.0.get(0)) }
    }

    fn values(self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.0.iter().skip(1)
    }

    /// The number of the record of a hash, or of the record before which it belongs.
    #[inline]
    fn find(self, hash: u64) -> Result<usize, usize> {
        let hashes = self.hashes();
        // Without a branch on each, which could not be foretold.
        let at = hashes.iter().map(|known| usize::from(known < hash)).sum();
        if hashes.get(at) == Some(hash) { Ok(at + 1) } else { Err(at + 1) }
    }

    /// Entries whose hash is in a bucket of a finer division.
    fn part(self, at: usize, buckets: usize) -> Packed {
        let place = |hash| bucket_of(hash, buckets);
        let (before, rest) = self.hashes().split_where(|hash| place(hash) >= at);
        let (of_part, _) = rest.split_where(|hash| place(hash) > at);
        let values = 1 + before.len()..1 + before.len() + of_part.len();
        if values.is_empty() {
            return Packed::default();
        }
        let records = (values.start - 1..values.end)
            .map(|record| if record < values.start { of_part.as_bytes() } else { self.0.get(record) });
        Packed::from_records(records)
    }

    /// Whether it is one, with nothing but what belongs to a bucket of this number.
    fn is_sound(self, at: usize, buckets: usize, is_value: impl Fn(&[u8]) -> bool) -> bool {
        let hashes = self.hashes();
        (self.0.len() == 0 || self.0.get(0).len() == (self.0.len() - 1) * u64::BYTES)
            && hashes.iter().is_sorted_by(|before, behind| before < behind)
            && hashes.iter().all(|hash| bucket_of(hash, buckets) == at)
            && self.values().all(|value| value.is_empty() || is_value(value))
    }
}

impl<V: Record> PagedMap<V> {
    #[inline]
    pub(crate) fn get(&self, hash: u64) -> Option<V::View<'_>> {
        let bucket = self.bucket(self.bucket_of(hash));
        Bucket(bucket).find(hash).ok().map(|found| shown::<V>(bucket.get(found)))
    }

    /// Brings the buckets of hashes near that are about to be read: the processor waits for all of them at once, first for where they are.
    #[inline]
    pub(crate) fn touch(&self, hashes: impl Iterator<Item = u64> + Clone) {
        if CAN_PREFETCH {
            hashes.clone().for_each(|hash| self.buckets.ask_for(self.bucket_of(hash)));
            hashes.for_each(|hash| self.bucket(self.bucket_of(hash)).touch());
        }
    }

    #[inline]
    fn bucket_of(&self, hash: u64) -> usize {
        bucket_of(hash, self.buckets.len())
    }

    #[inline]
    fn bucket(&self, at: usize) -> &Packed {
        self.buckets.get(at, || self.read(at))
    }

    fn read(&self, at: usize) -> Packed {
        if let Some(bucket) = self.buckets.swapped(at, |_| true) {
            return bucket.unwrap_or_default();
        }
        let Some(base) = self.buckets.base() else { return Packed::default() };
        let finer = self.buckets.len() / base.blocks;
        let is_sound = |bucket: &Packed| Bucket(bucket).is_sound(at / finer, base.blocks, V::is_sound);
        let block = base.block(at / finer, |_| true, is_sound);
        match block {
            Some(block) if finer > 1 => Bucket(&block).part(at, self.buckets.len()),
            block => block.unwrap_or_default(),
        }
    }

    /// Puts a value under a hash, in the place of what is there.
    pub(crate) fn insert(&mut self, hash: u64, value: &V::Content<'_>) {
        self.update(hash, |_, into| {
            V::encode(value, into);
            true
        });
    }

    /// Has a value under a hash encoded in the place of what is there, if `encode` says that it has done so.
    pub(crate) fn update(
        &mut self,
        hash: u64,
        encode: impl FnOnce(Option<V::View<'_>>, &mut Vec<u8>) -> bool,
    ) {
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.clear();
        let at = self.bucket_of(hash);
        let bucket = self.bucket(at);
        let found = Bucket(bucket).find(hash);
        if encode(found.ok().map(|found| shown::<V>(bucket.get(found))), &mut encoded) {
            self.buckets.change(at, |bucket| match found {
                Ok(found) => bucket.replace(found, &encoded),
                Err(place) => {
                    let hashes = Bucket(bucket).hashes();
                    let (before, behind) = hashes.split_at(place - 1);
                    let hashes = [before.as_bytes(), &hash.to_le_bytes(), behind.as_bytes()].concat();
                    bucket.insert_with(place, &encoded, &hashes);
                }
            });
            self.len += usize::from(found.is_err());
        }
        self.encoded = encoded;
        if self.len > self.buckets.len() * V::TOGETHER_MAX {
            let buckets = self.buckets.len() * 2;
            self.buckets.double(|bucket| {
                let bucket = Bucket(bucket);
                let first = bucket.hashes().first().map_or(0, |hash| bucket_of(hash, buckets) & !1);
                [bucket.part(first, buckets), bucket.part(first + 1, buckets)]
            });
        }
    }

    pub(crate) fn remove(&mut self, hash: u64) {
        let at = self.bucket_of(hash);
        let Ok(found) = Bucket(self.bucket(at)).find(hash) else { return };
        self.len -= 1;
        self.buckets.change(at, |bucket| {
            let (before, behind) = Bucket(bucket).hashes().split_at(found - 1);
            let hashes = [before.as_bytes(), behind.split_at(1).1.as_bytes()].concat();
            bucket.remove_with(found, &hashes);
        });
    }

    /// Visits all entries in order of their hashes, loading nothing to stay.
    pub(crate) fn scan(
        &self,
        mut visit: impl FnMut(u64, V::View<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for at in 0..self.buckets.len() {
            self.buckets.look(
                at,
                || self.read(at),
                |bucket| {
                    let bucket = Bucket(bucket);
                    let mut entries = bucket.hashes().iter().zip(bucket.values());
                    entries.try_for_each(|(hash, value)| visit(hash, shown::<V>(value)))
                },
            )?;
        }
        Ok(())
    }

    pub(crate) fn save(&self, name: &str, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.begin(name)?;
        to.record(&(self.len, self.buckets.len()))?;
        for at in 0..self.buckets.len() {
            match (self.buckets.peek(at), self.buckets.base()) {
                (Some(bucket), _) => to.raw_record(bucket.as_bytes())?,
                (None, Some(base)) if base.blocks == self.buckets.len() && !self.buckets.is_swapped(at) => {
                    base.copy(at, to)?;
                }
                (None, _) => to.raw_record(self.read(at).as_bytes())?,
            }
        }
        Ok(())
    }

    /// Lies in a snapshot from now on; nothing of it is loaded yet.
    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let (len, buckets): (usize, usize) = from.first(name)?;
        if !buckets.is_power_of_two() {
            return Err(StoreError::damaged(format!("snapshot, {name}"), "number of buckets"));
        }
        Ok(Self { buckets: Blocks::open(name, from, buckets)?, len, ..Self::default() })
    }

    pub(crate) fn blocks(&mut self) -> &mut Blocks {
        &mut self.buckets
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.buckets.bytes()
    }
}

/// Finds numbers by the hash of what they stand for. Two things of one hash are told apart by looking at them.
#[derive(Debug, Default)]
pub(crate) struct IdMap {
    ids: PagedMap<u32>,
}

/// Where to look next when a hash is taken by something else.
fn next(hash: u64) -> u64 {
    hash.wrapping_add(0x9e37_79b9_7f4a_7c15)
}

impl IdMap {
    /// The number whose thing is meant, of those under a hash.
    pub(crate) fn find(&self, mut hash: u64, is_meant: impl Fn(u32) -> bool) -> Option<u32> {
        loop {
            match self.ids.get(hash) {
                Some(id) if is_meant(id) => return Some(id),
                Some(_) => hash = next(hash),
                None => return None,
            }
        }
    }

    /// Brings near where the numbers of hashes are looked for.
    pub(crate) fn touch(&self, hashes: impl Iterator<Item = u64> + Clone) {
        self.ids.touch(hashes);
    }

    /// Notes a number under a hash.
    pub(crate) fn insert(&mut self, mut hash: u64, id: u32) {
        while self.ids.get(hash).is_some() {
            hash = next(hash);
        }
        self.ids.insert(hash, &id);
    }

    /// Forgets the number that was inserted last of those that are still there.
    pub(crate) fn remove_newest(&mut self, mut hash: u64, id: u32) {
        while self.ids.get(hash).is_some_and(|known| known != id) {
            hash = next(hash);
        }
        self.ids.remove(hash);
    }

    pub(crate) fn blocks(&mut self) -> &mut Blocks {
        self.ids.blocks()
    }

    pub(crate) fn map(&self) -> &PagedMap<u32> {
        &self.ids
    }

    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        Ok(Self { ids: PagedMap::open(name, from)? })
    }
}
