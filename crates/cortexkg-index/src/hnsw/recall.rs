//! How much a search finds, measured by itself.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::beam::Entry;
use super::walk::Walker;
use super::{HnswAllocationIndex, HnswConfig};
use crate::error::IndexError;
use crate::rotation::hash;
use crate::score::Score;
use crate::vector::Vector;

/// What [`estimate_recall`](HnswAllocationIndex::estimate_recall) found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecallEstimate {
    /// Searches that were compared with an exact scan.
    pub searches: usize,
    /// Of the nearest that the scans found, those that the searches found too.
    pub found: usize,
    /// All that the scans found.
    pub of: usize,
}

/// What searches found of what exact scans found, counted while they were asked.
#[derive(Debug, Default)]
pub(super) struct RunningRecall {
    /// One search of so many is compared; 0: none.
    every: AtomicU64,
    asked: AtomicU64,
    searches: AtomicU64,
    found: AtomicU64,
    of: AtomicU64,
}

impl RunningRecall {
    /// Whether the search that begins now is one to compare.
    pub(super) fn is_due(&self) -> bool {
        let every = self.every.load(Relaxed);
        every > 0 && self.asked.fetch_add(1, Relaxed).is_multiple_of(every)
    }
}

impl RecallEstimate {
    /// The share that was found; 1 if there was nothing to find.
    #[must_use]
    pub fn recall(&self) -> f64 {
        if self.of == 0 { 1.0 } else { self.found as f64 / self.of as f64 }
    }
}

impl HnswAllocationIndex {
    /// From now on, one of `every` searches is compared with an exact scan over the same codes, which takes as long as that; 0 compares
    /// none, as a new index does. What has been counted is dropped. Answers stay as they are. Searches that filter are not compared.
    pub fn set_recall_sampling(&mut self, every: u64) {
        self.recall = RunningRecall { every: every.into(), ..RunningRecall::default() };
    }

    /// What the searches compared so far have found.
    #[must_use]
    pub fn running_recall(&self) -> RecallEstimate {
        let count = |counter: &AtomicU64| counter.load(Relaxed) as usize;
        let RunningRecall { searches, found, of, .. } = &self.recall;
        RecallEstimate { searches: count(searches), found: count(found), of: count(of) }
    }

    /// Compares what a walk has found with an exact scan.
    pub(super) fn note_recall(&self, vector: &Vector, k: usize, found: &[Entry], walker: &mut Walker) {
        self.scan(vector, k, None, walker);
        let near = walker.beam.entries();
        let hits = as_good(found.iter().take(k), near.last());
        self.recall.searches.fetch_add(1, Relaxed);
        self.recall.found.fetch_add(hits.min(near.len()) as u64, Relaxed);
        self.recall.of.fetch_add(near.len() as u64, Relaxed);
    }

    /// Compares searches for the `k` nearest with exact scans over the same codes, for `sample` vectors of the index, which ones
    /// follows from `seed`. So it tells what the walk loses, not what codes lose. A vector that is searched for does not count.
    #[must_use]
    pub fn estimate_recall(&self, k: usize, ef: usize, sample: usize, seed: u64) -> RecallEstimate {
        let mut estimate = RecallEstimate { searches: 0, found: 0, of: 0 };
        let mut walker = self.walker();
        for slot in self.sample(sample, seed) {
            let id = self.nodes.codes.id(slot);
            let vector = self.nodes.decode(slot);
            let starts = self.descend(&vector, 0, &mut walker);
            self.scan(&vector, k.saturating_add(1), None, &mut walker);
            let others = |entries: &[Entry]| -> Vec<Entry> {
                entries.iter().filter(|entry| entry.id != id).copied().collect()
            };
            let mut near = others(walker.beam.entries());
            near.truncate(k);
            self.walk(&vector, 0, &starts, ef.max(k.saturating_add(1)), &mut walker);
            self.offer_copies(&mut walker.beam);
            let hits = as_good(&others(walker.beam.entries()), near.last());
            estimate.searches += 1;
            estimate.found += hits.min(near.len());
            estimate.of += near.len();
        }
        self.keep(walker);
        estimate
    }

    /// Sets `ef_search` to the smallest of a row of values, each about a quarter above the one before, whose estimated recall at `k`
    /// reaches the target; if none does, to the first that holds on to every vector, [`HnswConfig::EF_MAX`] at most. Returns the last
    /// estimate.
    ///
    /// # Errors
    ///
    /// [`IndexError::Setting`] if `k` is 0 or above [`HnswConfig::EF_MAX`].
    pub fn tune_ef_search(
        &mut self,
        target: f64,
        k: usize,
        sample: usize,
        seed: u64,
    ) -> Result<RecallEstimate, IndexError> {
        super::config::in_range("k", k, 1, HnswConfig::EF_MAX)?;
        let mut ef = k;
        loop {
            let estimate = self.estimate_recall(k, ef, sample, seed);
            if estimate.recall() >= target || ef >= HnswConfig::EF_MAX.min(self.len().max(k)) {
                self.set_ef_search(ef)?;
                return Ok(estimate);
            }
            ef = (ef + ef / 4 + 1).min(HnswConfig::EF_MAX);
        }
    }

    /// Some slots in use, by the smallest hashes of their ids, so that they do not depend on the slots.
    fn sample(&self, count: usize, seed: u64) -> Vec<u32> {
        let mut slots: Vec<(u64, u32)> = self
            .nodes
            .live_slots()
            .map(|slot| (hash(seed ^ hash(self.nodes.codes.id(slot))), slot))
            .collect();
        let count = count.min(slots.len());
        if count < slots.len() {
            slots.select_nth_unstable(count);
            slots.truncate(count);
        }
        slots.sort_unstable();
        slots.into_iter().map(|(_, slot)| slot).collect()
    }
}

/// How many of these are as good as the least of what an exact scan found: of many equal ones, any will do.
fn as_good<'a>(found: impl IntoIterator<Item = &'a Entry>, least: Option<&Entry>) -> usize {
    let least = least.map_or(Score::MIN, |entry| entry.score);
    found.into_iter().filter(|entry| entry.score >= least).count()
}
