//! How often each feature has been seen.

use cortexkg_simd::prefetch;
use cortexkg_store::StoreError;
use rustc_hash::FxHashMap;

use crate::image::{ImageReader, ImageWriter};

/// Places of the table; two features may share one, which only makes both look more common.
const COUNTERS: usize = 1 << 20;
/// Counters in one record of a snapshot.
const COUNTERS_AT_ONCE: usize = 1024;
/// The byte of a count that is in the other table: this one or more.
const LARGE: u8 = u8::MAX;

/// Counts by feature. Most are small: a byte holds each, so that a cache of the processor holds nearly all, and what outgrows that stands beside.
#[derive(Debug)]
pub(crate) struct Counters {
    small: Vec<u8>,
    /// By place. Never iterated.
    large: FxHashMap<u32, u32>,
}

impl Default for Counters {
    fn default() -> Self {
        Self { small: vec![0; COUNTERS], large: FxHashMap::default() }
    }
}

/// Where a feature is counted.
fn place(feature: u64) -> usize {
    feature as usize % COUNTERS
}

impl Counters {
    /// How often a feature was counted.
    #[inline]
    pub(crate) fn get(&self, feature: u64) -> u32 {
        self.at(place(feature))
    }

    #[inline]
    fn at(&self, place: usize) -> u32 {
        match self.small[place] {
            LARGE => self.large.get(&(place as u32)).copied().unwrap_or(u32::from(LARGE)),
            small => u32::from(small),
        }
    }

    fn set(&mut self, place: usize, count: u32) {
        let was_large = self.small[place] == LARGE;
        self.small[place] = count.min(u32::from(LARGE)) as u8;
        if self.small[place] == LARGE {
            self.large.insert(place as u32, count);
        } else if was_large {
            self.large.remove(&(place as u32));
        }
    }

    /// Counts a feature of a mention.
    pub(crate) fn add(&mut self, feature: u64) {
        self.set(place(feature), self.get(feature).saturating_add(1));
    }

    /// Takes back what [`add`](Self::add) counted.
    pub(crate) fn take_back(&mut self, feature: u64) {
        self.set(place(feature), self.get(feature).saturating_sub(1));
    }

    /// Asks for the count of a feature that is about to be read.
    #[inline]
    pub(crate) fn ask_for(&self, feature: u64) {
        prefetch(&self.small[place(feature)..][..1]);
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        let parts = (0..COUNTERS).step_by(COUNTERS_AT_ONCE).map(|from| from..from + COUNTERS_AT_ONCE);
        to.section("counters", parts.map(|part| part.map(|place| self.at(place)).collect::<Vec<_>>()))
    }

    pub(crate) fn load(from: &ImageReader<'_>) -> Result<Self, StoreError> {
        let (mut counters, mut len) = (Self::default(), 0);
        from.section("counters", |part: Vec<u32>| {
            for count in part {
                if len < COUNTERS {
                    counters.set(len, count);
                }
                len += 1;
            }
        })?;
        let whole = len == COUNTERS;
        if whole { Ok(counters) } else { Err(StoreError::damaged("the snapshot", "counters are missing")) }
    }

    pub(crate) fn bytes(&self) -> usize {
        // One in eight places of such a table stays free, and each has a byte beside.
        self.small.len() + self.large.capacity() / 7 * 8 * (size_of::<(u32, u32)>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_as_numbers_do(steps in prop::collection::vec((0_u64..4, any::<bool>(), 1_u32..400), 0..40)) {
            let (mut counters, mut model) = (Counters::default(), [0_u32; 4]);
            for (feature, is_more, times) in steps {
                let of = &mut model[feature as usize];
                for _ in 0..times {
                    // One of them shares its place with a feature far away.
                    if is_more {
                        counters.add(feature + (COUNTERS as u64) * 5);
                        *of += 1;
                    } else {
                        counters.take_back(feature);
                        *of = of.saturating_sub(1);
                    }
                }
                prop_assert_eq!([0, 1, 2, 3].map(|feature| counters.get(feature)), model);
            }
            prop_assert_eq!(counters.large.len(), model.iter().filter(|count| **count >= 255).count());
        }

        #[test]
        fn large_counts_stop_at_the_largest(below in 0_u32..3) {
            let mut counters = Counters::default();
            counters.set(7, u32::MAX - below);
            (0..5).for_each(|_| counters.add(7));
            prop_assert_eq!(counters.get(7), u32::MAX);
        }
    }
}
