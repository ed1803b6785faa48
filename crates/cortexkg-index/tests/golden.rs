//! Answers that must not depend on the instruction set: pinned by a hash.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::clustered;
use cortexkg_index::{HnswAllocationIndex, HnswConfig, Precision};
use cortexkg_simd::{Kernels, Level};
use xxhash_rust::xxh3::xxh3_64;

/// The snapshot of an index built from these vectors, and its answers.
fn hash(precision: Precision, kernels: &'static Kernels) -> u64 {
    let embeddings = clustered(700, 100, 31);
    let config = HnswConfig { precision, ..HnswConfig::new(100) };
    let mut index = HnswAllocationIndex::with_kernels(config, kernels).unwrap();
    for (id, embedding) in embeddings[..600].iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.add(id as u64, &vector).unwrap();
    }
    (0..600).step_by(7).for_each(|id| index.remove(id).unwrap());
    let mut bytes = Vec::new();
    index.save(&mut bytes).unwrap();
    let queries: Vec<_> =
        embeddings[600..].iter().map(|embedding| index.vector(embedding).unwrap()).collect();
    for hit in index.search_batch(&queries, 10).unwrap().concat() {
        bytes.extend(hit.id.to_le_bytes());
        bytes.extend(hit.score.units().to_le_bytes());
    }
    xxh3_64(&bytes)
}

#[test]
fn golden_indexes_are_the_same_on_every_level() {
    const EXPECTED: [&str; 5] =
        ["0c5035f7d656e381", "606ece73fdd63178", "5c85d78e8fee4043", "de365c112fa8484b", "e0570b02e4a63bb6"];
    for level in Level::available() {
        let kernels = Kernels::for_level(level).unwrap();
        let found = Precision::ALL.map(|precision| format!("{:016x}", hash(precision, kernels)));
        assert_eq!(found, EXPECTED, "on {level}");
    }
}
