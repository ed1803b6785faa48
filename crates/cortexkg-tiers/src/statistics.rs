//! What the tiers counted.

use serde::{Deserialize, Serialize};

use crate::sync::atomic::{AtomicU64, Ordering};

/// One tier of memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TierStatistics {
    /// Reads that it answered.
    pub hits: u64,
    /// Reads that went on to the tier below.
    pub misses: u64,
    /// Values that came up from the tier below because reads found them there.
    pub promotions: u64,
    /// Entries that gave way to others, including those too large to be let in. Those that leave L1 are compact in L2 as long as they
    /// fit there.
    pub evictions: u64,
    /// Entries at this moment.
    pub entries: u64,
    /// Bytes at this moment, keeping books included.
    pub bytes: u64,
    /// Most bytes that it may take.
    pub bytes_max: u64,
}

impl TierStatistics {
    /// Share of the reads that came this far and were answered here, 0 to 1; 0 before the first.
    pub fn hit_rate(&self) -> f64 {
        share(self.hits, self.hits + self.misses)
    }
}

/// The store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageStatistics {
    /// Calls for one or many rows.
    pub calls: u64,
    /// Rows asked for.
    pub rows: u64,
    /// Rows asked for that do not exist.
    pub absent: u64,
    /// Rows among `rows` that were asked for ahead of their use.
    pub prefetched: u64,
    /// Rows written or deleted.
    pub writes: u64,
}

/// All tiers. Counters run from the start of the system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryStatistics {
    /// Decoded values.
    pub l1: TierStatistics,
    /// Compact bytes.
    pub l2: TierStatistics,
    /// The store.
    pub l3: StorageStatistics,
}

impl MemoryStatistics {
    /// Share of all reads that needed no store, 0 to 1; 0 before the first.
    pub fn hit_rate(&self) -> f64 {
        share(self.l1.hits + self.l2.hits, self.l1.hits + self.l1.misses)
    }
}

#[allow(clippy::cast_precision_loss)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Counters of reads are split by key, or threads would spend their time handing one cache line round.
const PARTS: usize = 16;

#[derive(Debug, Default)]
#[repr(align(128))]
struct Reads {
    l1_hits: AtomicU64,
    l1_misses: AtomicU64,
    l2_hits: AtomicU64,
}

/// Counters while the system runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    reads: [Reads; PARTS],
    promotions: AtomicU64,
    calls: AtomicU64,
    rows: AtomicU64,
    absent: AtomicU64,
    prefetched: AtomicU64,
    writes: AtomicU64,
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

fn sum<'a>(counters: impl Iterator<Item = &'a AtomicU64>) -> u64 {
    counters.map(|counter| counter.load(Ordering::Relaxed)).sum()
}

impl Counters {
    fn part(&self, key: u64) -> &Reads {
        &self.reads[key as usize % PARTS]
    }

    pub(crate) fn l1_hit(&self, key: u64) {
        add(&self.part(key).l1_hits, 1);
    }

    pub(crate) fn l1_miss(&self, key: u64) {
        add(&self.part(key).l1_misses, 1);
    }

    pub(crate) fn l2_hit(&self, key: u64) {
        add(&self.part(key).l2_hits, 1);
    }

    pub(crate) fn promoted(&self) {
        add(&self.promotions, 1);
    }

    /// A call for `rows` rows, of which `absent` do not exist.
    pub(crate) fn read(&self, rows: usize, absent: usize, ahead: bool) {
        add(&self.calls, 1);
        add(&self.rows, rows);
        add(&self.absent, absent);
        if ahead {
            add(&self.prefetched, rows);
        }
    }

    pub(crate) fn wrote(&self, rows: usize) {
        add(&self.writes, rows);
    }

    /// The counters, joined with what the tiers themselves know.
    pub(crate) fn statistics(&self, l1: TierStatistics, l2: TierStatistics) -> MemoryStatistics {
        let one = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let l1_misses = sum(self.reads.iter().map(|reads| &reads.l1_misses));
        let l2_hits = sum(self.reads.iter().map(|reads| &reads.l2_hits));
        MemoryStatistics {
            l1: TierStatistics {
                hits: sum(self.reads.iter().map(|reads| &reads.l1_hits)),
                misses: l1_misses,
                promotions: one(&self.promotions),
                ..l1
            },
            l2: TierStatistics { hits: l2_hits, misses: l1_misses.saturating_sub(l2_hits), ..l2 },
            l3: StorageStatistics {
                calls: one(&self.calls),
                rows: one(&self.rows),
                absent: one(&self.absent),
                prefetched: one(&self.prefetched),
                writes: one(&self.writes),
            },
        }
    }
}
