//! Many threads on few keys: no read is older than what was acknowledged before it began, and none goes back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(not(feature = "shuttle"))]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{History, system};

const KEYS: u64 = 6;
const WRITES: usize = 3_000;

/// Readers against one writer per key, with budgets that keep all, some or nothing of it.
fn run(l1_bytes: u64, l2_bytes: u64) {
    let system = system(l1_bytes, l2_bytes, thread::yield_now);
    let histories: Vec<History> = (0..KEYS).map(|_| History::default()).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3_u64)
            .map(|reader| {
                let (system, histories, done) = (&system, &histories, &done);
                scope.spawn(move || {
                    let mut step = reader;
                    while !done.load(Ordering::Relaxed) {
                        step = step
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        let key = (step >> 33) % KEYS;
                        let history = &histories[key as usize];
                        let version = |value: Option<std::sync::Arc<common::Versioned>>| {
                            value.map(|value| value.version)
                        };
                        history.check(|| match step >> 60 {
                            0..10 => version(system.get(key).unwrap()),
                            10..13 => version(system.get_many(&[(key + 1) % KEYS, key]).unwrap().remove(1)),
                            13 => {
                                system.prefetch(&[key, (key + 2) % KEYS]).unwrap();
                                version(system.get(key).unwrap())
                            }
                            14 => {
                                system.invalidate(&[key]);
                                version(system.get(key).unwrap())
                            }
                            _ => {
                                system.set_l1_bytes_max(l1_bytes / 2);
                                system.set_l1_bytes_max(l1_bytes);
                                version(system.get(key).unwrap())
                            }
                        });
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (system, histories) = (&system, &histories);
                scope.spawn(move || {
                    for write in 0..WRITES {
                        let key = (write % 3) as u64 * 2 + writer;
                        histories[key as usize].write(system, key);
                    }
                })
            })
            .collect();
        let failed = writers.into_iter().any(|writer| writer.join().is_err());
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().is_ok());
        }
        assert!(!failed);
    });
    for (key, history) in histories.iter().enumerate() {
        history.check(|| system.get(key as u64).unwrap().map(|value| value.version));
    }
}

#[test]
fn no_read_is_stale_where_everything_fits() {
    run(100_000, 100_000);
}

#[test]
fn no_read_is_stale_where_little_fits() {
    run(700, 900);
}

#[test]
fn no_read_is_stale_where_only_bytes_fit() {
    run(0, 100_000);
}
