//! Values by hash.

use std::marker::PhantomData;

use cortexkg_simd::CAN_PREFETCH;
use cortexkg_store::StoreError;

use super::blocks::Blocks;
use super::packed::Packed;
use super::{Record, shown};
use crate::image::{ImageReader, ImageWriter};

/// Values by hash, in buckets that the upper bits of a hash name. Hashes must be spread evenly.
#[derive(Debug)]
pub(crate) struct PagedMap<V> {
    /// Their number is a power of two. An entry is its hash and what it stands for; a bucket is sorted.
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

const HASH_BYTES: usize = 8;

#[inline]
fn hash_of(entry: &[u8]) -> u64 {
    // Big-endian, so that entries are sorted as bytes are.
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(&entry[..HASH_BYTES]);
    u64::from_be_bytes(hash)
}

/// Where an entry is in its bucket, or belongs.
#[inline]
fn find(bucket: &Packed, hash: u64) -> Result<usize, usize> {
    bucket.binary_search_by(|entry| hash_of(entry).cmp(&hash))
}

/// Entries of a bucket whose hash is in a bucket of a finer division.
fn part(bucket: &Packed, at: usize, buckets: usize) -> Packed {
    let start = bucket.iter().take_while(|entry| bucket_of(hash_of(entry), buckets) < at).count();
    let len = bucket.iter().skip(start).take_while(|entry| bucket_of(hash_of(entry), buckets) == at).count();
    Packed::from_records((start..start + len).map(|entry| bucket.get(entry)))
}

impl<V: Record> PagedMap<V> {
    #[inline]
    pub(crate) fn get(&self, hash: u64) -> Option<V::View<'_>> {
        let bucket = self.bucket(self.bucket_of(hash));
        find(bucket, hash).ok().map(|found| shown::<V>(&bucket.get(found)[HASH_BYTES..]))
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
        let Some(base) = self.buckets.base() else { return Packed::default() };
        let finer = self.buckets.len() / base.blocks;
        let is_sound = |entry: &[u8]| entry.len() >= HASH_BYTES && V::is_sound(&entry[HASH_BYTES..]);
        let block = base.block(at / finer, is_sound, |block| {
            block.iter().map(hash_of).is_sorted_by(|before, behind| before < behind)
                && block.iter().all(|entry| bucket_of(hash_of(entry), base.blocks) == at / finer)
        });
        match block {
            Some(block) if finer > 1 => part(&block, at, self.buckets.len()),
            block => block.unwrap_or_default(),
        }
    }

    fn change(&mut self, at: usize, change: impl FnOnce(&mut Packed)) {
        self.bucket(at);
        self.buckets.change(at, change);
    }

    /// Puts a value under a hash, in the place of what is there.
    pub(crate) fn insert(&mut self, hash: u64, value: &V::Content<'_>) {
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.clear();
        encoded.extend_from_slice(&hash.to_be_bytes());
        V::encode(value, &mut encoded);
        let mut is_new = false;
        self.change(self.bucket_of(hash), |bucket| match find(bucket, hash) {
            Ok(at) => bucket.replace(at, &encoded),
            Err(at) => {
                bucket.insert(at, &encoded);
                is_new = true;
            }
        });
        self.len += usize::from(is_new);
        self.encoded = encoded;
        if self.len > self.buckets.len() * V::TOGETHER_MAX {
            let buckets = self.buckets.len() * 2;
            self.buckets.double(|bucket| {
                let first = bucket.iter().next().map_or(0, |entry| bucket_of(hash_of(entry), buckets) & !1);
                [part(bucket, first, buckets), part(bucket, first + 1, buckets)]
            });
        }
    }

    pub(crate) fn remove(&mut self, hash: u64) {
        if self.get(hash).is_some() {
            self.len -= 1;
            self.change(self.bucket_of(hash), |bucket| {
                if let Ok(at) = find(bucket, hash) {
                    bucket.remove(at);
                }
            });
        }
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
                    bucket
                        .iter()
                        .try_for_each(|entry| visit(hash_of(entry), shown::<V>(&entry[HASH_BYTES..])))
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
                (None, Some(base)) if base.blocks == self.buckets.len() => base.copy(at, to)?,
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
