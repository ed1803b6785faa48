//! Traces of accesses.

use std::fs;
use std::io;
use std::path::Path;

/// Keys of the skewed load; their number is their rank.
const KEYS: u32 = 1_000_000;
const ACCESSES: usize = 10_000_000;

/// Accesses to keys numbered from 0.
pub(crate) struct Load {
    pub(crate) name: String,
    pub(crate) trace: Vec<u32>,
    /// Different keys of which room for a share is given: without those that come once.
    pub(crate) keys: usize,
    /// Whether keys are numbered by falling probability and accesses are independent.
    pub(crate) ranked: bool,
}

/// Independent draws, the key of rank r (from 1) with probability in proportion to 1 / r.
pub(crate) fn zipf() -> Load {
    Load { name: "Zipf(1.0)".to_owned(), trace: draws(ACCESSES), keys: KEYS as usize, ranked: true }
}

/// The same, with a key that comes only once after every second draw.
pub(crate) fn zipf_with_scan() -> Load {
    let mut trace = Vec::with_capacity(ACCESSES / 2 * 3);
    for (pair, drawn) in draws(ACCESSES).chunks_exact(2).enumerate() {
        trace.extend_from_slice(drawn);
        trace.push(KEYS + pair as u32);
    }
    // Keys of the scan come after all others in rank, so the likeliest keys are still the first.
    Load { name: "Zipf(1.0) + scan".to_owned(), trace, keys: KEYS as usize, ranked: true }
}

/// A trace from a file of little-endian `u32`.
pub(crate) fn read(path: &Path) -> io::Result<Load> {
    let bytes = fs::read(path)?;
    let (numbers, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "{}: its length is no multiple of 4", path.display());
    let trace: Vec<u32> = numbers.iter().map(|number| u32::from_le_bytes(*number)).collect();
    let mut different = trace.clone();
    different.sort_unstable();
    different.dedup();
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Load { name, trace, keys: different.len(), ranked: false })
}

fn draws(count: usize) -> Vec<u32> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=KEYS)
        .map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        })
        .collect();
    let mut random = SplitMix(1);
    (0..count)
        .map(|_| {
            let drawn = random.next() as f64 / 2_f64.powi(64) * sum;
            (sums.partition_point(|&sum| sum <= drawn) as u32).min(KEYS - 1)
        })
        .collect()
}

/// SplitMix64 by Steele, Lea and Flood.
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
