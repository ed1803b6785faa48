//! One tier of memory: entries of known weight under a byte budget.
//!
//! Which entry gives way is for `quick_cache` to say: a CLOCK-Pro like S3-FIFO, with a small queue for newcomers, a large one for what
//! came back, and a memory of keys that left. A scan passes through the small queue and leaves the large one alone.

use std::mem::size_of;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use rustc_hash::FxBuildHasher;

use crate::config::TierConfig;
use crate::statistics::TierStatistics;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The least that a shard is worth splitting for.
const SHARD_BYTES_MIN: u64 = 64 << 10;
const SHARD_ENTRIES_MIN: u64 = 64;

/// For how many entries one evicted key is remembered.
const ENTRIES_PER_GHOST: u32 = 2;

/// Usual entries are not taken to be smaller, so that the memory of evicted keys takes about a quarter of the budget at most.
const ENTRY_BYTES_USUAL_MIN: u64 = 192;

/// What lies under a key.
#[derive(Debug, Clone)]
struct Entry<T> {
    /// `None` while a writer withdraws it: the place is kept, and with it what the policy knows of the key.
    value: Option<T>,
    weight: u32,
}

#[derive(Debug, Clone)]
struct Weight;

impl<T> Weighter<u64, Entry<T>> for Weight {
    fn weight(&self, _key: &u64, entry: &Entry<T>) -> u64 {
        u64::from(entry.weight)
    }
}

/// A tier of values that are cheap to clone.
#[derive(Debug)]
pub(crate) struct Tier<T> {
    cache: Cache<u64, Entry<T>, Weight, FxBuildHasher, DefaultLifecycle<u64, Entry<T>>>,
    /// Entries that ever came in, and that were taken out by name.
    inserted: AtomicU64,
    removed: AtomicU64,
    entry_bytes: u64,
    bytes_max: AtomicU64,
}

impl<T: Clone> Tier<T> {
    /// Bytes of keeping books per entry, and per evicted key that is remembered: a slot in the slab (key, entry, two links, state),
    /// twice because the slab grows by doubling, and a share of the hash table. A test compares with what the allocator says.
    pub(crate) const ENTRY_BYTES: usize = 2 * (size_of::<(u64, Entry<T>)>() + 16) + 8;

    pub(crate) fn new(config: TierConfig, shards_max: u32) -> Self {
        let entry_bytes = u64::from(config.entry_bytes_usual).max(ENTRY_BYTES_USUAL_MIN);
        let entries = config.bytes_max / entry_bytes;
        let shards = (config.bytes_max / SHARD_BYTES_MIN).min(entries / SHARD_ENTRIES_MIN);
        // The largest power of two that leaves every shard its least.
        let shards = shards.checked_ilog2().map_or(1, |log2| 1 << log2);
        let shards = shards.min(u64::from(shards_max.clamp(1, 1024).next_power_of_two()));
        let options = OptionsBuilder::new()
            .shards(shards as usize)
            .estimated_items_capacity(usize::try_from(entries).unwrap_or(usize::MAX).max(1))
            .ghost_allocation(1.0 / f64::from(ENTRIES_PER_GHOST))
            .weight_capacity(Self::weight_max(config.bytes_max, entry_bytes, shards))
            .build()
            .expect("weight and items are set");
        Self {
            cache: Cache::with_options(options, Weight, FxBuildHasher, DefaultLifecycle::default()),
            inserted: AtomicU64::new(0),
            removed: AtomicU64::new(0),
            entry_bytes,
            bytes_max: AtomicU64::new(config.bytes_max),
        }
    }

    /// The value of a key; a use of it.
    pub(crate) fn get(&self, key: u64) -> Option<T> {
        self.cache.get(&key)?.value
    }

    /// Whether a key has a value; no use of it.
    pub(crate) fn contains(&self, key: u64) -> bool {
        self.cache.peek(&key).is_some_and(|entry| entry.value.is_some())
    }

    /// Keeps what a reader found. Another reader may have been here before.
    pub(crate) fn keep(&self, key: u64, value: T, value_bytes: usize) {
        if !self.cache.contains_key(&key) {
            self.insert(key, Entry { value: Some(value), weight: Self::weight(value_bytes) });
        }
    }

    /// Takes away the value of a key, but not its place.
    pub(crate) fn withdraw(&self, key: u64) {
        if let Some(Entry { weight, .. }) = self.cache.peek(&key) {
            // An error says that it has been evicted meanwhile, which serves as well.
            let _ = self.cache.replace(key, Entry { value: None, weight }, true);
        }
    }

    /// Gives a key its new value, in the place of the old one if it is still there.
    pub(crate) fn put(&self, key: u64, value: T, value_bytes: usize) {
        let entry = Entry { value: Some(value), weight: Self::weight(value_bytes) };
        if let Err((key, entry)) = self.cache.replace(key, entry, true) {
            self.insert(key, entry);
        }
    }

    /// Forgets a key.
    pub(crate) fn remove(&self, key: u64) {
        if self.cache.remove(&key).is_some() {
            self.removed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Forgets every key.
    pub(crate) fn clear(&self) {
        let before = self.cache.len() as u64;
        self.cache.clear();
        self.removed.fetch_add(before, Ordering::Relaxed);
    }

    /// Sets the budget. What no longer fits is gone when this returns.
    pub(crate) fn resize(&self, bytes_max: u64) {
        let shards = self.cache.num_shards() as u64;
        self.cache.set_capacity(Self::weight_max(bytes_max, self.entry_bytes, shards));
        self.bytes_max.store(bytes_max, Ordering::Relaxed);
    }

    /// What the tier itself knows; hits, misses and promotions are counted elsewhere.
    pub(crate) fn statistics(&self) -> TierStatistics {
        let entries = self.cache.len() as u64;
        let gone = self.removed.load(Ordering::Relaxed) + entries;
        let evictions = self.inserted.load(Ordering::Relaxed).saturating_sub(gone);
        let bytes_max = self.bytes_max.load(Ordering::Relaxed);
        let remembered = evictions.min(Self::ghosts_max(bytes_max, self.entry_bytes));
        TierStatistics {
            evictions,
            entries,
            bytes: self.cache.weight() + remembered * Self::ENTRY_BYTES as u64,
            bytes_max,
            ..TierStatistics::default()
        }
    }

    fn insert(&self, key: u64, entry: Entry<T>) {
        self.inserted.fetch_add(1, Ordering::Relaxed);
        self.cache.insert(key, entry);
    }

    /// Evicted keys that are remembered under a budget.
    fn ghosts_max(bytes_max: u64, entry_bytes: u64) -> u64 {
        bytes_max / entry_bytes / u64::from(ENTRIES_PER_GHOST)
    }

    /// What is left of a budget for entries. Shards share it evenly; the cache would round up.
    fn weight_max(bytes_max: u64, entry_bytes: u64, shards: u64) -> u64 {
        let weight = bytes_max - Self::ghosts_max(bytes_max, entry_bytes) * Self::ENTRY_BYTES as u64;
        weight - weight % shards
    }

    /// An entry of 4 GiB or more is larger than any shard should be; it weighs just so much.
    fn weight(value_bytes: usize) -> u32 {
        u32::try_from(value_bytes.saturating_add(Self::ENTRY_BYTES)).unwrap_or(u32::MAX)
    }
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use super::*;

    fn tier(bytes_max: u64) -> Tier<u32> {
        Tier::new(TierConfig { bytes_max, entry_bytes_usual: 200 }, 16)
    }

    #[test]
    fn a_withdrawn_value_is_not_seen_but_keeps_its_place() {
        let tier = tier(10_000);
        tier.keep(1, 10, 100);
        let before = tier.statistics();
        tier.withdraw(1);
        assert_eq!(tier.get(1), None);
        assert!(!tier.contains(1));
        assert_eq!(tier.statistics(), before);
        tier.put(1, 11, 50);
        assert_eq!(tier.get(1), Some(11));
        assert_eq!(tier.statistics().bytes, before.bytes - 50);
        tier.withdraw(2);
        assert_eq!(tier.statistics().entries, 1);
    }

    #[test]
    fn the_first_reader_is_as_good_as_the_second() {
        let tier = tier(10_000);
        tier.keep(1, 10, 100);
        tier.keep(1, 10, 100);
        assert_eq!((tier.statistics().entries, tier.statistics().evictions), (1, 0));
    }

    #[test]
    fn the_budget_holds_and_evictions_are_counted() {
        for bytes_max in [0, 1, 1_000, 99_999, 1_234_567] {
            let tier = tier(bytes_max);
            for key in 0..20_000 {
                tier.keep(key, 0, (key % 300) as usize);
                assert!(tier.statistics().bytes <= bytes_max);
            }
            let statistics = tier.statistics();
            assert_eq!(statistics.evictions + statistics.entries, 20_000);
            assert!(statistics.bytes >= bytes_max / 100 * 95 || bytes_max < 2_000, "{statistics:?}");
        }
    }

    #[test]
    fn shrinking_acts_at_once_and_growing_makes_room() {
        let tier = tier(1 << 20);
        let fill = || (0..20_000).for_each(|key| tier.keep(key, 0, 100));
        fill();
        tier.resize(50_000);
        let small = tier.statistics();
        assert!(small.bytes <= 50_000 && small.bytes > 40_000, "{small:?}");
        tier.resize(0);
        assert_eq!(tier.statistics().entries, 0);
        tier.resize(1 << 20);
        fill();
        assert!(tier.statistics().bytes > 900_000);
    }

    #[test]
    fn what_is_taken_out_is_no_eviction() {
        let tier = tier(1 << 20);
        (0..100).for_each(|key| tier.keep(key, 0, 100));
        tier.remove(5);
        tier.remove(5);
        assert_eq!((tier.statistics().entries, tier.statistics().evictions), (99, 0));
        tier.clear();
        assert_eq!(
            (tier.statistics().entries, tier.statistics().evictions, tier.statistics().bytes),
            (0, 0, 0)
        );
    }
}
