//! Values by hash.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cortexkg_store::{Section, StoreError};
use rustc_hash::FxHashMap;

use super::{Failure, Record, Table};
use crate::image::{ImageReader, ImageWriter};

/// Entries that a bucket of a snapshot holds on average, at most.
const BUCKET_ENTRIES: usize = 16;

/// An entry that is in memory by itself.
#[derive(Debug)]
struct Own<V> {
    /// None: it is gone, though the snapshot has it.
    value: Option<V>,
    /// Whether the snapshot has it otherwise, or not at all.
    dirty: bool,
    used: AtomicBool,
}

impl<V: Record> Own<V> {
    fn bytes(&self) -> usize {
        2 * size_of::<(u64, Self)>() + self.value.as_ref().map_or(0, Record::heap_bytes)
    }
}

/// A bucket of the snapshot, sorted by hash.
#[derive(Debug, Default)]
struct Bucket<V> {
    entries: Vec<(u64, V)>,
    used: AtomicBool,
}

impl<V: Record> Bucket<V> {
    fn bytes(&self) -> usize {
        size_of::<Self>() + entry_bytes(self.entries.iter().map(|(_, value)| value))
    }
}

fn entry_bytes<'a, V: Record + 'a>(values: impl Iterator<Item = &'a V>) -> usize {
    values.map(|value| size_of::<(u64, V)>() + value.heap_bytes()).sum()
}

#[derive(Debug)]
struct Base<V> {
    section: Section,
    failure: Failure,
    /// Their number is a power of two; an entry is in the bucket that the upper bits of its hash name.
    buckets: Vec<OnceLock<Box<Bucket<V>>>>,
    /// Where the search for something to let go of goes on.
    hand: usize,
}

/// Values by hash. Hashes must be spread evenly.
#[derive(Debug)]
pub(crate) struct PagedMap<V> {
    own: FxHashMap<u64, Own<V>>,
    base: Option<Base<V>>,
    len: usize,
    bytes: AtomicUsize,
}

impl<V> Default for PagedMap<V> {
    fn default() -> Self {
        Self { own: FxHashMap::default(), base: None, len: 0, bytes: AtomicUsize::new(0) }
    }
}

/// The bucket of a hash among a power of two of them.
fn bucket_of(hash: u64, buckets: usize) -> usize {
    if buckets == 1 { 0 } else { (hash >> (64 - buckets.ilog2())) as usize }
}

impl<V: Record> PagedMap<V> {
    #[inline]
    pub(crate) fn get(&self, hash: u64) -> Option<&V> {
        match self.own.get(&hash) {
            Some(own) => {
                if !own.used.load(Ordering::Relaxed) {
                    own.used.store(true, Ordering::Relaxed);
                }
                own.value.as_ref()
            }
            None => self.in_base(hash),
        }
    }

    fn in_base(&self, hash: u64) -> Option<&V> {
        let base = self.base.as_ref()?;
        let at = bucket_of(hash, base.buckets.len());
        let bucket = base.buckets[at].get_or_init(|| {
            let bucket = base.read(at);
            self.bytes.fetch_add(bucket.bytes(), Ordering::Relaxed);
            bucket
        });
        bucket.used.store(true, Ordering::Relaxed);
        let found = bucket.entries.binary_search_by_key(&hash, |(known, _)| *known).ok()?;
        Some(&bucket.entries[found].1)
    }

    /// A value to be changed; a new one without content if there is none.
    pub(crate) fn get_or_default(&mut self, hash: u64) -> &mut V
    where
        V: Clone,
    {
        if !self.own.contains_key(&hash) {
            let value = self.in_base(hash).cloned();
            self.len += usize::from(value.is_none());
            *self.bytes.get_mut() += 2 * size_of::<(u64, Own<V>)>();
            let value = Some(value.unwrap_or_default());
            self.own.insert(hash, Own { value, dirty: true, used: AtomicBool::new(true) });
        }
        let own = self.own.get_mut(&hash).expect("just there");
        own.dirty = true;
        self.len += usize::from(own.value.is_none());
        own.value.get_or_insert_default()
    }

    pub(crate) fn remove(&mut self, hash: u64) {
        let known = self.get(hash).is_some();
        self.len -= usize::from(known);
        if self.base.is_none() {
            self.own.remove(&hash);
        } else if known {
            self.own.insert(hash, Own { value: None, dirty: true, used: AtomicBool::new(true) });
        }
    }

    /// Visits all entries in order of their hashes, loading nothing to stay.
    pub(crate) fn scan(
        &self,
        mut visit: impl FnMut(u64, &V) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut own: Vec<(u64, Option<&V>)> =
            self.own.iter().map(|(&hash, own)| (hash, own.value.as_ref())).collect();
        own.sort_unstable_by_key(|(hash, _)| *hash);
        let mut own = own.into_iter().peekable();
        let buckets = self.base.as_ref().map_or(0, |base| base.buckets.len());
        for at in 0..buckets {
            let base = self.base.as_ref().expect("it has buckets");
            let read;
            let bucket = match base.buckets[at].get() {
                Some(bucket) => bucket,
                None => {
                    read = base.read(at);
                    &read
                }
            };
            for (hash, value) in &bucket.entries {
                while let Some((earlier, value)) = own.next_if(|(own, _)| own < hash) {
                    value.map_or(Ok(()), |value| visit(earlier, value))?;
                }
                match own.next_if(|(own, _)| own == hash) {
                    Some((_, changed)) => changed.map_or(Ok(()), |value| visit(*hash, value))?,
                    None => visit(*hash, value)?,
                }
            }
        }
        own.try_for_each(|(hash, value)| value.map_or(Ok(()), |value| visit(hash, value)))
    }

    pub(crate) fn save(&self, name: &str, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        let buckets = (self.len / BUCKET_ENTRIES).max(1).next_power_of_two();
        to.begin(name)?;
        to.record(&(self.len, buckets))?;
        let mut at = 0;
        let mut bytes = Vec::new();
        let mut count: usize = 0;
        let mut flush = |bytes: &mut Vec<u8>, count: &mut usize| {
            let mut record = postcard::to_allocvec(&*count).expect("a number has an encoding");
            record.append(bytes);
            *count = 0;
            to.raw_record(&record)
        };
        self.scan(|hash, value| {
            while at < bucket_of(hash, buckets) {
                flush(&mut bytes, &mut count)?;
                at += 1;
            }
            bytes = postcard::to_extend(&(hash, value), std::mem::take(&mut bytes))
                .expect("plain data has an encoding");
            count += 1;
            Ok(())
        })?;
        for _ in at..buckets {
            flush(&mut bytes, &mut count)?;
        }
        Ok(())
    }

    /// Lies in a snapshot from now on; nothing of it is loaded yet.
    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let mut map = Self::default();
        map.rebase(name, from)?;
        map.len = from.first::<(usize, usize)>(name)?.0;
        Ok(map)
    }
}

impl<V: Record> Table for PagedMap<V> {
    fn rebase(&mut self, name: &str, from: &ImageReader<'_>) -> Result<(), StoreError> {
        let section = from.raw(name)?;
        let (_, buckets): (usize, usize) = from.first(name)?;
        if !buckets.is_power_of_two() || section.len() != buckets as u64 + 1 {
            return Err(StoreError::damaged(format!("snapshot, {name}"), "buckets are missing"));
        }
        self.own.retain(|_, own| {
            own.dirty = false;
            own.value.is_some()
        });
        let buckets = std::iter::repeat_with(OnceLock::new).take(buckets).collect();
        self.base = Some(Base { section, failure: from.failure().clone(), buckets, hand: 0 });
        self.count_bytes();
        Ok(())
    }

    fn count_bytes(&mut self) {
        let slot = size_of::<(u64, Own<V>)>() + 1;
        let values = self.own.values().filter_map(|own| own.value.as_ref());
        let own = self.own.capacity() * slot + values.map(Record::heap_bytes).sum::<usize>();
        let buckets = self.base.iter().flat_map(|base| base.buckets.iter().filter_map(OnceLock::get));
        self.bytes = AtomicUsize::new(own + buckets.map(|bucket| bucket.bytes()).sum::<usize>());
    }

    fn evict(&mut self, bytes: usize) {
        let Some(base) = &mut self.base else { return };
        let mut freed = 0;
        for _ in 0..2 {
            for _ in 0..base.buckets.len() {
                if freed >= bytes {
                    break;
                }
                base.hand = (base.hand + 1) % base.buckets.len();
                let slot = &mut base.buckets[base.hand];
                let Some(bucket) = slot.get_mut() else { continue };
                if !std::mem::take(bucket.used.get_mut()) {
                    freed += bucket.bytes();
                    slot.take();
                }
            }
            self.own.retain(|_, own| {
                let stays = freed >= bytes || own.dirty || std::mem::take(own.used.get_mut());
                freed += if stays { 0 } else { own.bytes() };
                stays
            });
        }
        if self.own.len() * 4 < self.own.capacity() {
            self.own.shrink_to_fit();
        }
        self.count_bytes();
    }

    fn bytes(&self) -> usize {
        let buckets = self.base.as_ref().map_or(0, |base| base.buckets.capacity());
        self.bytes.load(Ordering::Relaxed) + buckets * size_of::<OnceLock<Box<Bucket<V>>>>()
    }

    fn dirty_bytes(&self) -> usize {
        let dirty = self.own.values().filter(|own| own.dirty);
        dirty.map(Own::bytes).sum()
    }
}

impl<V: Record> Base<V> {
    fn read(&self, at: usize) -> Box<Bucket<V>> {
        let mut bytes = Vec::new();
        // The first record of the section tells how many there are.
        let entries = self.section.read(at as u64 + 1, &mut bytes).and_then(|()| {
            postcard::from_bytes(&bytes)
                .map_err(|error| StoreError::damaged(format!("snapshot, bucket {at}"), error.to_string()))
        });
        let entries = entries.unwrap_or_else(|error| {
            self.failure.note(error);
            Vec::new()
        });
        Box::new(Bucket { entries, used: AtomicBool::new(false) })
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
                Some(&id) if is_meant(id) => return Some(id),
                Some(_) => hash = next(hash),
                None => return None,
            }
        }
    }

    /// Notes a number under a hash.
    pub(crate) fn insert(&mut self, mut hash: u64, id: u32) {
        while self.ids.get(hash).is_some() {
            hash = next(hash);
        }
        *self.ids.get_or_default(hash) = id;
    }

    /// Forgets the number that was inserted last of those that are still there.
    pub(crate) fn remove_newest(&mut self, mut hash: u64, id: u32) {
        while self.ids.get(hash).is_some_and(|&known| known != id) {
            hash = next(hash);
        }
        self.ids.remove(hash);
    }

    pub(crate) fn pages(&mut self) -> &mut PagedMap<u32> {
        &mut self.ids
    }

    pub(crate) fn map(&self) -> &PagedMap<u32> {
        &self.ids
    }

    pub(crate) fn open(name: &str, from: &ImageReader<'_>) -> Result<Self, StoreError> {
        Ok(Self { ids: PagedMap::open(name, from)? })
    }
}
