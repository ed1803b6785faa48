//! Both tiers of memory, in parts that threads lock one by one.

use std::sync::{Arc, PoisonError};

use crate::config::{MemoryConfig, TierConfig};
use crate::shard::{Budget, Encode, Found, Fresh, GHOST_BYTES, Shard};
use crate::statistics::TierStatistics;
use crate::sync::RwLock;

/// The least that a part is worth splitting for.
const SHARD_BYTES_MIN: u64 = 64 << 10;
const SHARD_ENTRIES_MIN: u64 = 64;

/// For how many entries one evicted key is remembered.
const ENTRIES_PER_GHOST: u64 = 2;

/// Usual entries are not taken to be smaller, so that the memory of evicted keys takes about a tenth of the budget at most.
const ENTRY_BYTES_USUAL_MIN: u64 = 192;

/// Decoded values and compact bytes by key, under a budget for each.
#[derive(Debug)]
pub(crate) struct Memory<V> {
    shards: Box<[RwLock<Shard<V>>]>,
    l1: RwLock<TierConfig>,
    l2: RwLock<TierConfig>,
}

impl<V: Clone> Memory<V> {
    pub(crate) fn new(config: MemoryConfig) -> Self {
        // The largest power of two that leaves every part of a tier in use its least.
        let worth = [config.l1, config.l2].into_iter().filter(|tier| tier.bytes_max > 0).map(|tier| {
            (tier.bytes_max / SHARD_BYTES_MIN).min(tier.bytes_max / entry_bytes(tier) / SHARD_ENTRIES_MIN)
        });
        let shards = worth.min().and_then(u64::checked_ilog2).map_or(1, |log2| 1 << log2);
        let shards = shards.min(u64::from(config.shards_max.clamp(1, 1024).next_power_of_two()));
        let shard = || Shard::new(budget(config.l1, shards), budget(config.l2, shards));
        Self {
            shards: (0..shards).map(|_| RwLock::new(shard())).collect(),
            l1: RwLock::new(config.l1),
            l2: RwLock::new(config.l2),
        }
    }

    fn shard(&self, key: u64) -> &RwLock<Shard<V>> {
        // Fibonacci hashing; other bits than those that choose a stripe of the gate.
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        &self.shards[hash as usize & (self.shards.len() - 1)]
    }

    fn read<T>(&self, key: u64, act: impl FnOnce(&Shard<V>) -> T) -> T {
        act(&self.shard(key).read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(shard: &RwLock<Shard<V>>, act: impl FnOnce(&mut Shard<V>) -> T) -> T {
        // A codec that panicked did so before anything was changed, or left a place without a value.
        act(&mut shard.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks for a value and uses it.
    pub(crate) fn look(&self, key: u64) -> Found<V> {
        self.read(key, |shard| shard.look(key))
    }

    /// Whether there is a value; no use of it.
    pub(crate) fn contains(&self, key: u64) -> bool {
        self.read(key, |shard| shard.contains(key))
    }

    /// Keeps what a reader found in the store.
    pub(crate) fn keep(&self, key: u64, fresh: Fresh<V>, encode: Encode<'_, V>) {
        Self::write(self.shard(key), |shard| shard.keep(key, fresh, encode));
    }

    /// Decodes to stay, if what it was decoded from is still there; says whether it is.
    pub(crate) fn raise(
        &self,
        key: u64,
        from: &Arc<[u8]>,
        value: V,
        value_bytes: usize,
        encode: Encode<'_, V>,
    ) -> bool {
        Self::write(self.shard(key), |shard| shard.raise(key, from, value, value_bytes, encode))
    }

    /// Gives a key its new value.
    pub(crate) fn put(&self, key: u64, fresh: Fresh<V>, encode: Encode<'_, V>) {
        Self::write(self.shard(key), |shard| shard.put(key, fresh, encode));
    }

    /// Takes away the value of a key, but not its place.
    pub(crate) fn withdraw(&self, key: u64) {
        Self::write(self.shard(key), |shard| shard.withdraw(key));
    }

    /// Forgets a key.
    pub(crate) fn remove(&self, key: u64) {
        Self::write(self.shard(key), |shard| shard.remove(key));
    }

    /// Forgets every key.
    pub(crate) fn clear(&self) {
        self.shards.iter().for_each(|shard| Self::write(shard, Shard::clear));
    }

    /// Sets the budget of L1. What no longer fits is gone, or compact, when this returns.
    pub(crate) fn resize_l1(&self, bytes_max: u64, encode: Encode<'_, V>) {
        self.resize(&self.l1, bytes_max, |shard, budget| shard.resize(Some(budget), None, encode));
    }

    /// Sets the budget of L2. What no longer fits is gone when this returns.
    pub(crate) fn resize_l2(&self, bytes_max: u64, encode: Encode<'_, V>) {
        self.resize(&self.l2, bytes_max, |shard, budget| shard.resize(None, Some(budget), encode));
    }

    fn resize(
        &self,
        tier: &RwLock<TierConfig>,
        bytes_max: u64,
        mut resize: impl FnMut(&mut Shard<V>, Budget),
    ) {
        // Held to the end: of two calls the later one decides for all parts.
        let mut tier = tier.write().unwrap_or_else(PoisonError::into_inner);
        tier.bytes_max = bytes_max;
        let budget = budget(*tier, self.shards.len() as u64);
        self.shards.iter().for_each(|shard| Self::write(shard, |shard| resize(shard, budget)));
    }

    /// What the tiers themselves know, L1 first; hits, misses and promotions are counted elsewhere.
    pub(crate) fn statistics(&self) -> [TierStatistics; 2] {
        let mut both = [&self.l1, &self.l2].map(|tier| TierStatistics {
            bytes_max: tier.read().unwrap_or_else(PoisonError::into_inner).bytes_max,
            ..TierStatistics::default()
        });
        for shard in &self.shards {
            let of_shard = shard.read().unwrap_or_else(PoisonError::into_inner).statistics();
            for (tier, part) in both.iter_mut().zip(of_shard) {
                tier.evictions += part.evictions;
                tier.entries += part.entries;
                tier.bytes += part.bytes;
            }
        }
        both
    }
}

fn entry_bytes(tier: TierConfig) -> u64 {
    u64::from(tier.entry_bytes_usual).max(ENTRY_BYTES_USUAL_MIN)
}

/// A part's share of a tier: keys that are remembered, and for entries what these leave.
fn budget(tier: TierConfig, shards: u64) -> Budget {
    let bytes = tier.bytes_max / shards;
    let ghosts = bytes / entry_bytes(tier) / ENTRIES_PER_GHOST;
    Budget {
        bytes_max: bytes - ghosts * GHOST_BYTES,
        ghosts_max: usize::try_from(ghosts).unwrap_or(usize::MAX),
    }
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use super::*;

    /// The value of a key is its bytes; both forms weigh about the same.
    fn memory(l1: u64, l2: u64) -> Memory<u32> {
        let tier = |bytes_max| TierConfig { bytes_max, entry_bytes_usual: 200 };
        Memory::new(MemoryConfig { l1: tier(l1), l2: tier(l2), shards_max: 16 })
    }

    fn fresh(value: u32, bytes: usize) -> Fresh<u32> {
        Fresh { value, value_bytes: bytes, compact: vec![value as u8; bytes].into() }
    }

    fn encode(value: &u32) -> Option<Arc<[u8]>> {
        Some(vec![*value as u8; 100].into())
    }

    fn keep(memory: &Memory<u32>, key: u64, bytes: usize) {
        memory.keep(key, fresh(key as u32, bytes), &encode);
    }

    fn decoded(memory: &Memory<u32>, key: u64) -> Option<u32> {
        match memory.look(key) {
            Found::Decoded(value) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn a_withdrawn_value_is_not_seen_but_keeps_its_place() {
        let memory = memory(10_000, 10_000);
        keep(&memory, 1, 100);
        let before = memory.statistics();
        memory.withdraw(1);
        assert!(matches!(memory.look(1), Found::Nothing) && !memory.contains(1));
        assert_eq!(memory.statistics(), before);
        memory.put(1, fresh(11, 50), &encode);
        assert_eq!(decoded(&memory, 1), Some(11));
        assert_eq!(memory.statistics()[0].bytes, before[0].bytes - 50);
        memory.withdraw(2);
        assert_eq!(memory.statistics()[0].entries, 1);
    }

    #[test]
    fn the_first_reader_is_as_good_as_the_second() {
        let memory = memory(10_000, 10_000);
        memory.keep(1, fresh(10, 100), &encode);
        memory.keep(1, fresh(11, 100), &encode);
        assert_eq!(decoded(&memory, 1), Some(10));
        assert_eq!(memory.statistics().map(|tier| (tier.entries, tier.evictions)), [(1, 0), (0, 0)]);
    }

    #[test]
    fn budgets_hold_and_are_used() {
        let budgets = [0, 1, 1_000, 99_999, 1_234_567];
        for (l1, l2) in budgets.into_iter().flat_map(|l1| budgets.map(|l2| (l1, l2))) {
            let memory = memory(l1, l2);
            for key in 0..20_000 {
                keep(&memory, key, (key % 300) as usize);
                if let Found::Compact(bytes, true) = memory.look(key / 2) {
                    memory.raise(key / 2, &bytes, 0, bytes.len(), &encode);
                }
                let [first, second] = memory.statistics();
                assert!(first.bytes <= l1 && second.bytes <= l2, "{first:?} {second:?}");
            }
            // A small L2 below a large L1 makes decoded values give way now and then.
            let percent = if l2 == 0 || l2 >= l1 { 90 } else { 0 };
            let full =
                |tier: TierStatistics| tier.bytes >= tier.bytes_max / 100 * percent || tier.bytes_max < 2_000;
            assert!(memory.statistics().map(full) == [true; 2], "{:?}", memory.statistics());
        }
    }

    #[test]
    fn what_leaves_l1_is_compact_and_comes_back_at_its_second_use() {
        // Room for three or four decoded values.
        let memory = memory(1_000, 100_000);
        (0..20).for_each(|key| keep(&memory, key, 100));
        let [l1, l2] = memory.statistics();
        assert_eq!(l1.entries + l2.entries, 20, "nothing is held twice, and nothing gave way");
        let raise = |key| match memory.look(key) {
            Found::Compact(bytes, due) => (due, memory.raise(key, &bytes, key as u32, 100, &encode)),
            other => panic!("{other:?}"),
        };
        let Found::Compact(_, false) = memory.look(19) else { panic!("its first use, and L1 is full") };
        assert_eq!(raise(19), (true, true));
        assert_eq!(decoded(&memory, 19), Some(19));
        let after = memory.statistics();
        assert_eq!([after[0].entries, after[1].entries], [l1.entries, l2.entries], "another one went down");
        // Bytes that are not those which are kept decode to nothing that may be kept.
        assert!(!memory.raise(18, &vec![18; 100].into(), 18, 100, &encode));
    }

    #[test]
    fn a_value_without_bytes_is_forgotten_and_not_kept_half() {
        let memory = memory(1_000, 100_000);
        keep(&memory, 0, 100);
        memory.resize_l1(0, &|_| None);
        assert!(!memory.contains(0));
        assert_eq!(memory.statistics().map(|tier| (tier.entries, tier.bytes)), [(0, 0), (0, 0)]);
    }

    #[test]
    fn shrinking_acts_at_once_and_growing_makes_room() {
        let memory = memory(0, 1 << 20);
        let fill = |from| (from..from + 20_000).for_each(|key| keep(&memory, key, 100));
        fill(0);
        memory.resize_l2(50_000, &encode);
        let small = memory.statistics()[1];
        assert!(small.bytes <= 50_000 && small.bytes > 40_000, "{small:?}");
        memory.resize_l2(0, &encode);
        assert_eq!((memory.statistics()[1].entries, memory.statistics()[1].bytes), (0, 0));
        memory.resize_l2(1 << 20, &encode);
        fill(20_000);
        assert!(memory.statistics()[1].bytes > 900_000);
    }

    #[test]
    fn what_is_taken_out_is_no_eviction() {
        let memory = memory(1 << 20, 1 << 20);
        (0..100).for_each(|key| keep(&memory, key, 100));
        memory.remove(5);
        memory.remove(5);
        let both = || memory.statistics().map(|tier| (tier.entries, tier.evictions));
        assert_eq!(both(), [(99, 0), (0, 0)]);
        memory.clear();
        assert_eq!(
            memory.statistics().map(|tier| (tier.entries, tier.evictions, tier.bytes)),
            [(0, 0, 0); 2]
        );
    }
}
