//! Calls at the ends of what they take, and callers that mix things up.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Random, clustered, cosine};
use cortexkg_index::{
    ExactIndex, HnswAllocationIndex, HnswConfig, IndexError, Method, Precision, SearchOptions, Vector,
    VectorIndex,
};

fn filled(count: usize, precision: Precision) -> HnswAllocationIndex {
    let mut index = HnswAllocationIndex::new(HnswConfig { precision, ..HnswConfig::new(16) }).unwrap();
    for (id, embedding) in clustered(count, 16, 40).iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.add(id as u64, &vector).unwrap();
    }
    index
}

/// However many are asked for, all that there are come.
#[test]
fn numbers_as_large_as_they_get_are_answered() {
    let index = filled(200, Precision::Eight);
    let query = index.vector(&[1.0; 16]).unwrap();
    let mut exact = ExactIndex::new(16, Precision::Eight).unwrap();
    (0..200).for_each(|id| exact.add(id, &query).unwrap());
    for many in [usize::MAX, usize::MAX / 2 + 1, 1 << 60] {
        let mut hits = Vec::new();
        exact.search(&query, many, &mut hits).unwrap();
        assert_eq!(hits.len(), 200, "{many}");
        assert_eq!(index.search_batch(std::slice::from_ref(&query), many).unwrap()[0].len(), 200);
        assert_eq!(index.find(&query, many).unwrap().hits.len(), 200);
        for ef in [None, Some(0), Some(many)] {
            let mut passes = |id: u64| id.is_multiple_of(2);
            let mut how = SearchOptions { ef, filter: Some(&mut passes), ..Default::default() };
            index.search_with(&query, many, &mut how, &mut hits).unwrap();
            assert_eq!(hits.len(), 100);
        }
        assert_eq!(index.estimate_recall(many, many, many, 1).searches, 200);
        let wide = HnswConfig { max_connections: many, ef_search: many, ..HnswConfig::new(many) };
        assert_eq!(Method::cheaper(1_000_000, &wide), Method::Exact);
        assert!(HnswAllocationIndex::new(wide).is_err());
        for precision in Precision::ALL {
            assert!(precision.row_bytes(many) >= precision.code_bytes(many));
            assert!(precision.error_bound(many) < precision.error_bound(0));
        }
    }
}

/// Codes of one and four bits have no level for 0.
#[test]
fn a_vector_without_a_direction_is_still_without_one_when_its_code_is_read() {
    for precision in Precision::ALL {
        let mut exact = ExactIndex::new(16, precision).unwrap();
        let zero = exact.vector(&[0.0; 16]).unwrap();
        exact.add(3, &zero).unwrap();
        let mut index = exact.to_hnsw(HnswConfig { precision, ..HnswConfig::new(16) }).unwrap();
        let query = index.vector(&[1.0; 16]).unwrap();
        for finer in Precision::ALL.into_iter().filter(|&finer| finer >= precision) {
            index.set_precision(3, finer, None).unwrap();
            assert_eq!(index.embedding(3).unwrap(), [0.0; 16], "{precision}, {finer}");
            let mut hits = Vec::new();
            index.search(&query, 1, &mut hits).unwrap();
            assert_eq!(hits[0].score.units(), 0, "{precision}, {finer}");
        }
    }
}

/// What `insert` leaves must not depend on whose place it was given.
#[test]
fn a_place_of_another_index_or_of_another_vector_is_sought_again() {
    let saved = |index: &HnswAllocationIndex| {
        let mut bytes = Vec::new();
        index.save(&mut bytes).unwrap();
        bytes
    };
    let embeddings = clustered(60, 16, 41);
    let small = || {
        // As many changes as the other, but half the vectors.
        let mut index = filled(45, Precision::Eight);
        (30..45).for_each(|id| index.remove(id).unwrap());
        index
    };
    let (other, mut index, mut expected) = (filled(60, Precision::Eight), small(), small());
    let vector = index.vector(&embeddings[0]).unwrap();
    let place = other.find(&vector, 3).unwrap();
    index.insert(100, &vector, &place).unwrap();
    expected.add(100, &vector).unwrap();
    assert!(index.audit().is_clean(), "{:?}", index.audit());
    assert_eq!(saved(&index), saved(&expected));

    let place = index.find(&vector, 3).unwrap();
    let another = index.vector(&embeddings[1]).unwrap();
    index.insert(101, &another, &place).unwrap();
    expected.add(101, &another).unwrap();
    assert_eq!(saved(&index), saved(&expected));

    // And its own is that which `add` finds.
    let place = index.find(&vector, 3).unwrap();
    index.insert(102, &vector, &place).unwrap();
    expected.add(102, &vector).unwrap();
    assert_eq!(saved(&index), saved(&expected));
}

#[test]
fn the_first_vector_of_a_batch_that_cannot_be_added_is_named() {
    let mut index = filled(10, Precision::Eight);
    let right = index.vector(&[1.0; 16]).unwrap();
    let wrong = Vector::new(&[1.0; 17]).unwrap();
    let mismatch = IndexError::DimensionMismatch { expected: 16, found: 17 };
    let batch = |ids: &[u64]| -> Vec<(u64, Vector)> {
        ids.iter().map(|&id| (id, if id == 99 { wrong.clone() } else { right.clone() })).collect()
    };
    for (ids, position, error) in [
        (&[50, 50, 20, 20][..], 1, IndexError::DuplicateId { id: 50 }),
        (&[20, 20, 20], 1, IndexError::DuplicateId { id: 20 }),
        (&[20, 20, 99], 1, IndexError::DuplicateId { id: 20 }),
        (&[20, 99, 20], 1, mismatch),
        (&[20, 3, 20], 1, IndexError::DuplicateId { id: 3 }),
    ] {
        assert_eq!(index.add_batch(&batch(ids)), Err((position, error)), "{ids:?}");
    }
    assert_eq!(index.len(), 10);
}

/// A code that is asked to stay as it is keeps its factor too.
#[test]
fn a_vector_kept_at_what_it_is_kept_at_scores_as_before() {
    let embeddings = clustered(50, 16, 42);
    let mut index = filled(50, Precision::One);
    for (id, embedding) in embeddings.iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.set_precision(id as u64, Precision::Four, Some(&vector)).unwrap();
    }
    let query = index.vector(&embeddings[7]).unwrap();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    index.search(&query, 50, &mut before).unwrap();
    (0..50).for_each(|id| index.set_precision(id, Precision::Four, None).unwrap());
    index.search(&query, 50, &mut after).unwrap();
    assert_eq!(before, after);
}

/// The memory of walks grows with the widest question, and goes with it.
#[test]
fn a_question_for_everything_leaves_no_memory_behind() {
    let index = filled(34_000, Precision::One);
    let query = index.vector(&[1.0; 16]).unwrap();
    let mut hits = Vec::new();
    index.search(&query, 10, &mut hits).unwrap();
    let before = index.bytes();
    let mut how = SearchOptions { ef: Some(200_000), ..Default::default() };
    index.search_with(&query, 200_000, &mut how, &mut hits).unwrap();
    assert_eq!(hits.len(), 34_000);
    assert!(index.bytes() <= before + (1 << 20), "{} after {before}", index.bytes());
}

#[test]
fn embeddings_of_any_magnitude_are_the_same_vector() {
    let mut random = Random(43);
    for dimension in [1, 63, 64, 65, 1_000, 4_096] {
        let embedding = random.normals(dimension);
        let mut index = HnswAllocationIndex::new(HnswConfig::new(dimension)).unwrap();
        for (id, scale) in [1.0, 1e-42, 1e-30, 1e30, 1e37].into_iter().enumerate() {
            let scaled: Vec<f32> = embedding.iter().map(|value| value * scale).collect();
            let vector = index.vector(&scaled).unwrap();
            index.add(id as u64, &vector).unwrap();
            let read = index.embedding(id as u64).unwrap();
            assert!(cosine(&read, &scaled) > 0.999, "{dimension} dimensions times {scale}");
        }
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut broken = embedding.clone();
            broken[dimension - 1] = value;
            let error = IndexError::NotFinite { position: dimension - 1 };
            assert_eq!(index.vector(&broken), Err(error));
        }
        (0..5).for_each(|id| index.remove(id).unwrap());
        assert!(index.is_empty() && index.audit().is_clean());
        let vector = index.vector(&embedding).unwrap();
        index.add(u64::MAX, &vector).unwrap();
    }
}
