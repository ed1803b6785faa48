//! Indexes over the same vectors, and how much one finds of what another does.

use cortexkg_index::{
    ExactIndex, HnswAllocationIndex, HnswConfig, Neighbour, Precision, Vector, VectorIndex,
};

pub(crate) fn config(dimension: usize, precision: Precision) -> HnswConfig {
    HnswConfig { precision, ..HnswConfig::new(dimension) }
}

pub(crate) fn built(embeddings: &[Vec<f32>], precision: Precision) -> HnswAllocationIndex {
    let mut index = HnswAllocationIndex::new(config(embeddings[0].len(), precision)).unwrap();
    for (id, embedding) in embeddings.iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.add(id as u64, &vector).unwrap();
    }
    index
}

pub(crate) fn exact(embeddings: &[Vec<f32>], precision: Precision) -> ExactIndex {
    let mut index = ExactIndex::new(embeddings[0].len(), precision).unwrap();
    for (id, embedding) in embeddings.iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.add(id as u64, &vector).unwrap();
    }
    index
}

pub(crate) fn search(index: &impl VectorIndex, vector: &Vector, k: usize) -> Vec<Neighbour> {
    let mut hits = Vec::new();
    index.search(vector, k, &mut hits).unwrap();
    hits
}

/// The share of the nearest `k` that both find.
pub(crate) fn recall(
    found: &impl VectorIndex,
    truth: &impl VectorIndex,
    queries: &[Vec<f32>],
    k: usize,
) -> f64 {
    let mut hits = 0;
    for query in queries {
        let vector = truth.vector(query).unwrap();
        let truth: Vec<u64> = search(truth, &vector, k).iter().map(|hit| hit.id).collect();
        hits += search(found, &vector, k).iter().filter(|hit| truth.contains(&hit.id)).count();
    }
    hits as f64 / (queries.len() * k) as f64
}
