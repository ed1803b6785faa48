//! Many orders in which the steps of a few threads can fall, tried by a scheduler: no read is stale in any of them. Run with
//! `cargo test -p cortexkg-tiers --features shuttle --test interleavings`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::{History, System, system};
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::thread;

const ITERATIONS: usize = 4_000;

fn explore(test: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(test.clone(), ITERATIONS);
    shuttle::check_pct(test, ITERATIONS, 5);
}

/// A place where another thread may go on. Not a yield: that would move the thread behind all others, and hide orders.
fn interruption() {
    AtomicBool::new(false).load(Ordering::SeqCst);
}

struct Setting {
    system: System,
    histories: [History; 2],
}

impl Setting {
    fn new(l1_bytes: u64, l2_bytes: u64) -> Arc<Self> {
        let setting = Self {
            system: system(l1_bytes, l2_bytes, interruption),
            histories: [History::default(), History::default()],
        };
        setting.histories[0].write(&setting.system, 0);
        Arc::new(setting)
    }

    fn write(&self, key: u64) {
        self.histories[key as usize].write(&self.system, key);
    }

    fn read(&self, key: u64) {
        self.histories[key as usize].check(|| self.system.get(key).unwrap().map(|value| value.version));
    }
}

/// A reader reads below, a writer overwrites, the reader keeps: the race that the gate is for. And
/// while the writer is still at work, nobody gets the old value after somebody got the new one.
#[test]
fn a_reader_never_keeps_what_was_overwritten() {
    for (l1_bytes, l2_bytes) in [(10_000, 10_000), (10_000, 0), (0, 10_000)] {
        explore(move || {
            let setting = Setting::new(l1_bytes, l2_bytes);
            // Out of the tiers, so that readers look below.
            setting.system.clear();
            let threads: Vec<_> = (0..3)
                .map(|thread| {
                    let setting = setting.clone();
                    thread::spawn(move || match thread {
                        0 => (0..2).for_each(|_| setting.write(0)),
                        _ => (0..3).for_each(|_| setting.read(0)),
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            setting.read(0);
        });
    }
}

/// Promotion from L2 races as reading from the store does.
#[test]
fn a_promotion_never_brings_back_what_was_overwritten() {
    explore(|| {
        let setting = Setting::new(10_000, 10_000);
        // Out of L1, so that readers find it in L2.
        setting.system.set_l1_bytes_max(0);
        setting.system.set_l1_bytes_max(10_000);
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let setting = setting.clone();
                thread::spawn(move || match thread {
                    // A deletion: no new value lies in the way of an old one.
                    0 => setting.write(0),
                    1 => setting.read(0),
                    _ => (0..2).for_each(|_| setting.read(0)),
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        setting.read(0);
    });
}

/// Two writers of one key: whichever the store took last is what is read in the end, and reads agree with the store.
#[test]
fn writers_that_overlap_leave_nothing_behind_that_the_store_does_not_have() {
    explore(|| {
        let system = Arc::new(system(10_000, 10_000, interruption));
        let threads: Vec<_> = (0..3_u64)
            .map(|thread| {
                let system = system.clone();
                thread::spawn(move || match thread {
                    0 => {
                        system.get(0).unwrap();
                    }
                    version => system.put(0, common::Versioned::new(version, 0).into()).unwrap(),
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let stored = u64::from_le_bytes(*system.storage().rows()[&0].first_chunk().unwrap());
        assert_eq!(system.get(0).unwrap().unwrap().version, stored);
        // Had anything else been kept, an invalidation would change what is read.
        system.invalidate(&[0]);
        assert_eq!(system.get(0).unwrap().unwrap().version, stored);
    });
}

/// Invalidation and clearing stop readers that are under way.
#[test]
fn what_changed_behind_the_tiers_is_seen_after_invalidation() {
    for everything in [false, true] {
        explore(move || {
            let setting = Setting::new(10_000, 10_000);
            setting.system.clear();
            let reader = {
                let setting = setting.clone();
                thread::spawn(move || {
                    setting.system.get(0).unwrap();
                    setting.system.prefetch(&[0]).unwrap();
                })
            };
            let bytes = 99_u64.to_le_bytes().to_vec();
            cortexkg_tiers::PersistentStorage::write(setting.system.storage(), &[(0, Some(bytes))]).unwrap();
            if everything {
                setting.system.clear();
            } else {
                setting.system.invalidate(&[0]);
            }
            assert_eq!(setting.system.get(0).unwrap().unwrap().version, 99);
            reader.join().unwrap();
            assert_eq!(setting.system.get(0).unwrap().unwrap().version, 99);
        });
    }
}
