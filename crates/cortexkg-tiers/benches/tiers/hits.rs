//! Hit rates, and what they could be.

use std::convert::Infallible;

use cortexkg_tiers::{
    Codec, MemoryConfig, MultiTierMemorySystem, PersistentStorage, Row, TierConfig, optimum,
};
use quick_cache::unsync::Cache;
use serde_json::{Value, json};

use crate::loads::{Load, SplitMix};

/// Part of the room that L1 gets: in entries where they are of one size, in bytes where they are not.
const L1_SHARE: f64 = 0.2;

/// Bytes of a value where all are equal.
const VALUE_BYTES: usize = 200;

/// Every row is there, and its size follows from its key.
pub(crate) struct Generated(pub(crate) fn(u64) -> usize);

impl PersistentStorage for Generated {
    type Error = Infallible;

    fn read(&self, key: u64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(Some(vec![0; (self.0)(key)]))
    }

    fn read_many(&self, keys: &[u64], found: &mut dyn FnMut(u64, Vec<u8>)) -> Result<(), Infallible> {
        keys.iter().for_each(|&key| found(key, vec![0; (self.0)(key)]));
        Ok(())
    }

    fn write(&self, _rows: &[Row]) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A value is its bytes.
pub(crate) struct Plain;

impl Codec for Plain {
    type Value = Vec<u8>;
    type Error = Infallible;

    fn encode(&self, value: &Vec<u8>) -> Result<Vec<u8>, Infallible> {
        Ok(value.clone())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<u8>, Infallible> {
        Ok(bytes.to_vec())
    }

    fn memory_bytes(&self, value: &Vec<u8>) -> usize {
        size_of::<Vec<u8>>() + value.capacity()
    }
}

pub(crate) type System = MultiTierMemorySystem<Generated, Plain>;

/// Tiers with these budgets and usual sizes of an entry.
pub(crate) fn system(bytes: fn(u64) -> usize, l1: (u64, u32), l2: (u64, u32)) -> System {
    let tier = |(bytes_max, entry_bytes_usual)| TierConfig { bytes_max, entry_bytes_usual };
    let config = MemoryConfig { l1: tier(l1), l2: tier(l2), ..MemoryConfig::default() };
    MultiTierMemorySystem::new(Generated(bytes), Plain, config)
}

/// Room for a share of the keys, all of one size. The optimum is that of as many entries as both tiers held in the end.
pub(crate) fn of_one_size(load: &Load, share: f64) -> Value {
    let one_size = |_| VALUE_BYTES;
    let room = load.keys as f64 * share;
    let weights = {
        let weight = |l1, l2| {
            let probe = system(one_size, (l1, 512), (l2, 512));
            probe.get(0).unwrap();
            probe.statistics().l1.bytes + probe.statistics().l2.bytes
        };
        [weight(1 << 20, 0), weight(0, 1 << 20)]
    };
    let mut budgets = [room * L1_SHARE * weights[0] as f64, room * (1.0 - L1_SHARE) * weights[1] as f64];
    let sized = |budgets: [f64; 2]| {
        system(one_size, (budgets[0] as u64, weights[0] as u32), (budgets[1] as u64, weights[1] as u32))
    };
    // Part of a budget is for the memory of evicted keys: fill once, and see how much.
    let filled = |budgets| {
        let probe = sized(budgets);
        (0..load.keys as u64 * 4).for_each(|key| drop(probe.get(key).unwrap()));
        probe.statistics()
    };
    let alone = [filled([budgets[0], 0.0]).l1.entries, filled([0.0, budgets[1]]).l2.entries];
    budgets[0] *= room * L1_SHARE / alone[0] as f64;
    budgets[1] *= room * (1.0 - L1_SHARE) / alone[1] as f64;

    let system = sized(budgets);
    load.trace.iter().for_each(|&key| drop(system.get(u64::from(key)).unwrap()));
    let statistics = system.statistics();
    let entries = (statistics.l1.entries + statistics.l2.entries) as usize;
    let accesses = load.trace.len() as f64;
    json!({
        "load": load.name,
        "accesses": load.trace.len(),
        "keys": load.keys,
        "room": format!("{} + {} entries", statistics.l1.entries, statistics.l2.entries),
        "share": share,
        "l1_rate": statistics.l1.hits as f64 / accesses,
        "l2_rate": statistics.l2.hits as f64 / accesses,
        "rate": statistics.hit_rate(),
        "one_tier": one_tier(&load.trace, entries) as f64 / accesses,
        "optimum": optimum::hits_max(&load.trace, entries) as f64 / accesses,
        "optimum_is": "exact",
        "frequency": load.ranked.then(|| optimum::frequency_hits(&load.trace, entries) as f64 / accesses),
    })
}

/// Hits of the policy alone, in one tier and one shard of as many entries.
fn one_tier(trace: &[u32], entries: usize) -> u64 {
    let mut cache = Cache::new(entries);
    let mut hits = 0;
    for &key in trace {
        if cache.get(&key).is_some() {
            hits += 1;
        } else {
            cache.insert(key, ());
        }
    }
    hits
}

/// Room for a share of the bytes of keys that weigh from 64 to 4,096 bytes, small ones as often as large ones on a
/// logarithmic scale. The optimum is a bound for one tier of the lighter kind with the bytes of both.
pub(crate) fn of_many_sizes(load: &Load, share: f64) -> Value {
    let bytes: fn(u64) -> usize =
        |key| (64.0 * 2_f64.powf(6.0 * SplitMix(key).next() as f64 / 2_f64.powi(64))) as usize;
    // What an entry weighs beyond its value in L2, as the tier itself counts it.
    let probe = system(|_| 0, (0, 512), (1 << 20, 512));
    probe.get(0).unwrap();
    let books = probe.statistics().l2.bytes;
    let weight = |key: u32| books + bytes(u64::from(key)) as u64;
    let room = (0..load.keys as u32).map(weight).sum::<u64>() as f64 * share;
    let system = system(bytes, ((room * L1_SHARE) as u64, 1024), ((room * (1.0 - L1_SHARE)) as u64, 1024));
    load.trace.iter().for_each(|&key| drop(system.get(u64::from(key)).unwrap()));
    let statistics = system.statistics();
    let accesses = load.trace.len() as f64;
    json!({
        "load": format!("{}, 64 to 4,096 bytes", load.name),
        "accesses": load.trace.len(),
        "keys": load.keys,
        "room": format!("{} + {} KiB", statistics.l1.bytes_max >> 10, statistics.l2.bytes_max >> 10),
        "share": share,
        "l1_rate": statistics.l1.hits as f64 / accesses,
        "l2_rate": statistics.l2.hits as f64 / accesses,
        "rate": statistics.hit_rate(),
        "one_tier": null,
        "optimum": optimum::weighted_hits_max(&load.trace, weight, room as u64) as f64 / accesses,
        "optimum_is": "bound",
        "frequency": null,
    })
}
