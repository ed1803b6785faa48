//! What an engine measures of itself between two looks.

use std::time::Duration;

use cortexkg::{AllocationEngine, Stage};
use cortexkg_tiers::MemoryStatistics;

use super::observed::{IndexState, Observed, TierReads};
use crate::timing::Timing;

/// Decisions between two looks, at least.
pub(crate) const DECISIONS_PER_LOOK: u64 = 1024;
/// Vectors that are scanned for each search, on average, to measure what searches find; and how rarely and often one is compared.
const SCANNED_PER_SEARCH: usize = 64;
const SAMPLING: std::ops::RangeInclusive<usize> = 64..=8192;

/// What had been counted at the last look.
#[derive(Debug, Default)]
pub(crate) struct LastLook {
    decisions: u64,
    recall: Duration,
    all: Duration,
    tiers: MemoryStatistics,
}

impl LastLook {
    /// Whether it is time for another.
    pub(crate) fn is_due(&self, decisions: u64) -> bool {
        decisions >= self.decisions + DECISIONS_PER_LOOK
    }

    /// Passes a look over.
    pub(crate) fn pass(&mut self, decisions: u64) {
        self.decisions = decisions;
    }

    /// Counts from here on, by a clock that begins now.
    pub(crate) fn begin_anew(&mut self, decisions: u64) {
        *self = Self { decisions, recall: Duration::ZERO, all: Duration::ZERO, tiers: self.tiers };
    }

    /// Looks.
    pub(crate) fn look(
        &mut self,
        decisions: u64,
        engine: &AllocationEngine,
        timing: Option<&Timing>,
        tiers: Option<MemoryStatistics>,
    ) -> Observed {
        let of = |stage| timing.map_or(Duration::ZERO, |timing| timing.of(stage));
        let (recall, all) = (of(Stage::Recall), timing.map_or(Duration::ZERO, Timing::all));
        let took = all.saturating_sub(self.all).as_secs_f64();
        let sought = recall.saturating_sub(self.recall).as_secs_f64();
        let since = decisions - self.decisions;
        let growing = engine.growing_index();
        let index = engine.vector_index();
        let recall_so_far = index.map(cortexkg_index::HnswAllocationIndex::running_recall);
        let tiers = tiers.map(|now| (now, tier_reads(&now, &self.tiers)));
        let observed = Observed {
            decisions: since,
            decisions_per_s: (took > 0.0).then(|| since as f64 / took),
            recall_share: (took > 0.0).then(|| sought / took),
            nodes: engine.node_count(),
            vectors: engine.vector_count(),
            dimension: engine.vector_dimension(),
            index: recall_so_far.map(|found| IndexState { recall: found.recall(), samples: found.searches }),
            is_growing: growing.is_some(),
            memory_bytes: engine.memory().iter().map(|(_, bytes)| *bytes as u64).sum(),
            vector_bytes: index.map_or(0, |index| index.bytes() as u64),
            tiers: tiers.map(|(_, reads)| reads),
        };
        let tiers = tiers.map_or_else(MemoryStatistics::default, |(now, _)| now);
        *self = Self { decisions, recall, all, tiers };
        observed
    }
}

/// How rarely a search is compared with a scan of so many vectors, so that it costs next to nothing.
pub(crate) fn sampling(vectors: usize) -> u64 {
    (vectors / SCANNED_PER_SEARCH).clamp(*SAMPLING.start(), *SAMPLING.end()) as u64
}

fn tier_reads(now: &MemoryStatistics, then: &MemoryStatistics) -> TierReads {
    let since = |of: fn(&MemoryStatistics) -> u64| of(now).saturating_sub(of(then));
    TierReads {
        reads: since(|tiers| tiers.l1.hits + tiers.l1.misses),
        hits: since(|tiers| tiers.l1.hits + tiers.l2.hits),
        evictions: since(|tiers| tiers.l2.evictions),
        bytes: now.l1.bytes + now.l2.bytes,
    }
}
