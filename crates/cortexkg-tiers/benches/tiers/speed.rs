//! Nanoseconds of a hit.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Instant;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, UnitWeighter};
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde_json::{Value, json};

use crate::hits::{self, System};
use crate::loads::SplitMix;

const KEYS: u64 = 100_000;
const GETS: usize = 2_000_000;
const ROUNDS: usize = 7;
const VALUE_BYTES: usize = 200;

/// Something that has every key.
trait Reader: Sync {
    fn read(&self, key: u64) -> Arc<Vec<u8>>;
}

impl Reader for RwLock<FxHashMap<u64, Arc<Vec<u8>>>> {
    fn read(&self, key: u64) -> Arc<Vec<u8>> {
        self.read().unwrap()[&key].clone()
    }
}

type Quick = Cache<u64, Arc<Vec<u8>>, UnitWeighter, FxBuildHasher, DefaultLifecycle<u64, Arc<Vec<u8>>>>;

impl Reader for Quick {
    fn read(&self, key: u64) -> Arc<Vec<u8>> {
        self.get(&key).unwrap()
    }
}

impl Reader for System {
    fn read(&self, key: u64) -> Arc<Vec<u8>> {
        self.get(key).unwrap().unwrap()
    }
}

/// The best of some rounds for each reader and number of threads, the readers taking turns.
pub(crate) fn measure() -> Vec<Value> {
    let values = || (0..KEYS).map(|key| (key, Arc::new(vec![0; VALUE_BYTES])));
    let map: RwLock<FxHashMap<_, _>> = RwLock::new(values().collect::<HashMap<_, _, _>>());
    let options =
        OptionsBuilder::new().shards(16).estimated_items_capacity(1 << 20).weight_capacity(1 << 20).build();
    let quick: Quick =
        Cache::with_options(options.unwrap(), UnitWeighter, FxBuildHasher, DefaultLifecycle::default());
    values().for_each(|(key, value)| quick.insert(key, value));
    let one_size = |_| VALUE_BYTES;
    let l1 = hits::system(one_size, (1 << 30, 512), (0, 512));
    let l2 = hits::system(one_size, (0, 512), (1 << 30, 512));
    for key in 0..KEYS {
        l1.get(key).unwrap();
        l2.get(key).unwrap();
    }
    let readers: [(&str, &dyn Reader); 4] = [
        ("RwLock<HashMap>", &map),
        ("quick_cache", &quick),
        ("L1 hit", &l1),
        ("L2 hit, 200 bytes decoded", &l2),
    ];
    let mut results = Vec::new();
    for threads in [1, 2] {
        let mut best = [f64::INFINITY; 4];
        for _ in 0..ROUNDS {
            for (best, (_, reader)) in best.iter_mut().zip(readers) {
                *best = best.min(nanoseconds(reader, threads));
            }
        }
        for (best, (name, _)) in best.iter().zip(readers) {
            results.push(json!({ "reader": name, "threads": threads, "ns": best }));
        }
    }
    assert_eq!((l1.statistics().l3.rows, l2.statistics().l3.rows), (KEYS, KEYS), "only hits were timed");
    results
}

/// Wall time by gets of one thread, with so many at work.
fn nanoseconds(reader: &dyn Reader, threads: u64) -> f64 {
    let begin = Instant::now();
    thread::scope(|scope| {
        for seed in 0..threads {
            scope.spawn(move || {
                let mut random = SplitMix(seed);
                for _ in 0..GETS {
                    black_box(reader.read(random.next() % KEYS));
                }
            });
        }
    });
    begin.elapsed().as_nanos() as f64 / GETS as f64
}
