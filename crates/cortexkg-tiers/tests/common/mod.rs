//! What the tests share: a store in memory, and values that say which version they are.

// Not every test uses everything.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use cortexkg_tiers::{Codec, MemoryConfig, MultiTierMemorySystem, PersistentStorage, Row, TierConfig};

/// The store failed because the test said so.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the disk is gone")]
pub(crate) struct DiskGone;

/// Rows in memory, with places where a thread may be interrupted.
pub(crate) struct Rows {
    rows: Mutex<BTreeMap<u64, Vec<u8>>>,
    pause: fn(),
    pub(crate) fails: AtomicBool,
    /// Calls of `read` and `read_many`.
    pub(crate) calls: AtomicU64,
}

impl Rows {
    pub(crate) fn new(pause: fn()) -> Self {
        Self { rows: Mutex::default(), pause, fails: AtomicBool::new(false), calls: AtomicU64::new(0) }
    }

    pub(crate) fn rows(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<u8>>> {
        self.rows.lock().unwrap()
    }

    fn check(&self) -> Result<(), DiskGone> {
        if self.fails.load(Ordering::Relaxed) { Err(DiskGone) } else { Ok(()) }
    }
}

impl PersistentStorage for Rows {
    type Error = DiskGone;

    fn read(&self, key: u64) -> Result<Option<Vec<u8>>, DiskGone> {
        self.check()?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.pause)();
        let bytes = self.rows().get(&key).cloned();
        (self.pause)();
        Ok(bytes)
    }

    fn read_many(&self, keys: &[u64], found: &mut dyn FnMut(u64, Vec<u8>)) -> Result<(), DiskGone> {
        self.check()?;
        assert!(keys.is_sorted_by(|a, b| a < b), "keys rise and differ");
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.pause)();
        // One view of the store, as a transaction for reading would have.
        let rows: Vec<_> =
            { keys.iter().filter_map(|key| Some((*key, self.rows().get(key)?.clone()))).collect() };
        (self.pause)();
        rows.into_iter().rev().for_each(|(key, bytes)| found(key, bytes));
        Ok(())
    }

    fn write(&self, changes: &[Row]) -> Result<(), DiskGone> {
        self.check()?;
        (self.pause)();
        {
            let mut rows = self.rows();
            for (key, bytes) in changes {
                match bytes {
                    Some(bytes) => rows.insert(*key, bytes.clone()),
                    None => rows.remove(key),
                };
            }
        }
        (self.pause)();
        Ok(())
    }
}

/// A value: a version, and bytes that make it heavy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versioned {
    pub(crate) version: u64,
    pub(crate) padding: Vec<u8>,
}

impl Versioned {
    pub(crate) fn new(version: u64, padding_bytes: usize) -> Self {
        Self { version, padding: vec![version as u8; padding_bytes] }
    }
}

/// The bytes were no value, or the value is one that this codec refuses.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version")]
pub(crate) struct NoVersion;

/// Version, little-endian, then the padding. Version `u64::MAX` cannot be encoded.
pub(crate) struct VersionCodec;

impl Codec for VersionCodec {
    type Value = Versioned;
    type Error = NoVersion;

    fn encode(&self, value: &Versioned) -> Result<Vec<u8>, NoVersion> {
        if value.version == u64::MAX {
            return Err(NoVersion);
        }
        Ok([&value.version.to_le_bytes(), value.padding.as_slice()].concat())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Versioned, NoVersion> {
        let (version, padding) = bytes.split_first_chunk().ok_or(NoVersion)?;
        Ok(Versioned { version: u64::from_le_bytes(*version), padding: padding.to_vec() })
    }

    fn memory_bytes(&self, value: &Versioned) -> usize {
        size_of::<Versioned>() + value.padding.capacity()
    }
}

pub(crate) type System = MultiTierMemorySystem<Rows, VersionCodec>;

/// Tiers of these budgets over an empty store.
pub(crate) fn system(l1_bytes: u64, l2_bytes: u64, pause: fn()) -> System {
    let tier = |bytes_max| TierConfig { bytes_max, entry_bytes_usual: 200 };
    let config = MemoryConfig { l1: tier(l1_bytes), l2: tier(l2_bytes), shards_max: 4 };
    MultiTierMemorySystem::new(Rows::new(pause), VersionCodec, config)
}

/// What is known of one key while its only writer gives it version after version. Even versions are deletions.
#[derive(Default)]
pub(crate) struct History {
    started: AtomicU64,
    /// The newest version that was acknowledged to the writer or shown to a reader.
    known: AtomicU64,
}

impl History {
    /// Writes the next version.
    pub(crate) fn write(&self, system: &System, key: u64) {
        let version = self.started.fetch_add(1, Ordering::SeqCst) + 1;
        if version.is_multiple_of(2) {
            system.remove(key).unwrap();
        } else {
            system.put(key, Versioned::new(version, (version % 50) as usize).into()).unwrap();
        }
        self.known.fetch_max(version, Ordering::SeqCst);
    }

    /// Reads, by `read`, and fails if what comes is older than what anybody knew before the read began.
    pub(crate) fn check(&self, read: impl FnOnce() -> Option<u64>) {
        let least = self.known.load(Ordering::SeqCst);
        let found = read();
        let most = self.started.load(Ordering::SeqCst);
        // A deletion does not say its version: the earliest that it can have been.
        let version = found.unwrap_or(least + least % 2);
        assert!(
            version >= least && version <= most,
            "stale: read {found:?} where {least} to {most} was written"
        );
        self.known.fetch_max(version, Ordering::SeqCst);
    }
}
