//! What the codes cost and how far they are off: the table of `Precision`, measured.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its figures"
)]

mod common;

use common::{Random, clustered, cosine};
use cortexkg_index::{
    ExactIndex, HnswAllocationIndex, HnswConfig, Neighbour, Precision, Vector, VectorIndex,
};

/// At 384 dimensions: bytes of a code with its factor, lines of its row, error bound. What the documentation says.
const TABLE: [(Precision, usize, usize, f64); 5] = [
    (Precision::One, 52, 1, 0.079),
    (Precision::Four, 196, 4, 0.012),
    (Precision::Eight, 388, 7, 0.001_2),
    (Precision::Half, 772, 13, 0.000_025),
    (Precision::Full, 1540, 25, 0.000_000_05),
];

/// The cosine of every vector with the query, by id.
fn cosines(precision: Precision, embeddings: &[Vec<f32>], query: &[f32]) -> Vec<f64> {
    let mut index = ExactIndex::new(query.len(), precision).unwrap();
    for (id, embedding) in embeddings.iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.add(id as u64, &vector).unwrap();
    }
    let mut hits: Vec<Neighbour> = Vec::new();
    index.search(&index.vector(query).unwrap(), embeddings.len(), &mut hits).unwrap();
    let mut cosines = vec![f64::NAN; embeddings.len()];
    hits.iter().for_each(|hit| cosines[hit.id as usize] = hit.score.cosine());
    cosines
}

#[test]
fn the_table_of_precisions_is_what_it_says() {
    for (precision, bytes, lines, bound) in TABLE {
        assert_eq!(precision.code_bytes(384) + 4, bytes, "{precision}");
        assert_eq!(precision.row_bytes(384).div_ceil(64), lines, "{precision}");
        let ratio = precision.error_bound(384) / bound;
        assert!((0.95..=1.04).contains(&ratio), "{precision}: {} is not {bound}", precision.error_bound(384));
    }
}

#[test]
fn errors_keep_within_their_bounds_and_lean_to_neither_side() {
    for dimension in [96, 384, 1_000] {
        let embeddings = clustered(1_000, dimension, 1);
        let (queries, embeddings) = embeddings.split_at(20);
        for precision in Precision::ALL {
            let bound = precision.error_bound(dimension);
            let (mut errors, mut sum) = (Vec::new(), 0.0);
            for query in queries {
                let found = cosines(precision, embeddings, query);
                for (embedding, found) in embeddings.iter().zip(found) {
                    let error = found - cosine(query, embedding);
                    errors.push(error.abs());
                    sum += error;
                }
            }
            errors.sort_by(f64::total_cmp);
            let at_95 = errors[errors.len() * 95 / 100];
            let bias = sum / errors.len() as f64;
            println!(
                "{precision} at {dimension}: 95 of 100 within {at_95:.7}, bound {bound:.7}, mean {bias:+.7}"
            );
            assert!(at_95 <= bound, "{precision}: 95 of 100 errors are within {at_95}, not {bound}");
            assert!(at_95 >= bound / 4.0, "{precision}: the bound {bound} is much too wide for {at_95}");
            assert!(bias.abs() <= bound / 5.0, "{precision}: biased by {bias}");
        }
    }
}

#[test]
fn a_code_turns_back_into_its_embedding() {
    let mut random = Random(3);
    for dimension in [1, 5, 64, 100, 128, 384, 960] {
        let mut embedding = random.normals(dimension);
        let norm = embedding.iter().map(|value| value * value).sum::<f32>().sqrt();
        embedding.iter_mut().for_each(|value| *value /= norm);
        for precision in Precision::ALL {
            let config = HnswConfig { precision, ..HnswConfig::new(dimension) };
            let mut index = HnswAllocationIndex::new(config).unwrap();
            let vector = index.vector(&embedding).unwrap();
            index.add(9, &vector).unwrap();
            let back = index.embedding(9).unwrap();
            assert_eq!(back.len(), dimension);
            // One bit keeps √(2/π) of it, the others nearly all.
            let least = if precision == Precision::One { 0.6 } else { 0.99 };
            assert!(cosine(&back, &embedding) > least, "{precision} at {dimension}: {back:?}");
            index.set_precision(9, Precision::Full, Some(&vector)).unwrap();
            let full = index.embedding(9).unwrap();
            let off = full.iter().zip(&embedding).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-6, "{precision} at {dimension}: {off}");
        }
        assert_eq!(HnswAllocationIndex::new(HnswConfig::new(dimension)).unwrap().embedding(9), None);
    }
}

#[test]
fn every_dimension_has_codes_that_tell_what_is_near() {
    let mut random = Random(7);
    for dimension in (1..=130).chain([255, 256, 257, 384, 960, 1_000, 1_536, 4_096]) {
        let query = random.normals(dimension);
        let embeddings = vec![
            query.clone(),
            query.iter().map(|value| -value).collect(),
            vec![0.0; dimension],
            query.iter().map(|value| value * 1e-20).collect(),
        ];
        for precision in Precision::ALL {
            let found = cosines(precision, &embeddings, &query);
            // One bit each of few dimensions can be off; its estimate is still the largest.
            let slack = if precision == Precision::One { 0.35 } else { 0.02 };
            assert!((found[0] - 1.0).abs() < slack, "{precision} at {dimension}: {found:?}");
            assert!((found[1] + 1.0).abs() < slack, "{precision} at {dimension}: {found:?}");
            assert!((found[3] - 1.0).abs() < slack, "{precision} at {dimension}: {found:?}");
            assert_eq!(found[2], 0.0, "{precision} at {dimension}: what has no direction is near to nothing");
        }
    }
}

#[test]
fn bad_embeddings_are_refused_with_their_place() {
    use cortexkg_index::IndexError;
    assert_eq!(Vector::new(&[]).unwrap_err(), IndexError::DimensionOutOfRange { dimension: 0 });
    assert_eq!(Vector::new(&[0.0; 4_097]).unwrap_err(), IndexError::DimensionOutOfRange { dimension: 4_097 });
    assert_eq!(Vector::new(&[1.0, f32::NAN]).unwrap_err(), IndexError::NotFinite { position: 1 });
    assert_eq!(Vector::new(&[f32::INFINITY, 1.0]).unwrap_err(), IndexError::NotFinite { position: 0 });
    let mut index = ExactIndex::new(3, Precision::Four).unwrap();
    let other = Vector::new(&[1.0, 2.0]).unwrap();
    let mismatch = IndexError::DimensionMismatch { expected: 3, found: 2 };
    assert_eq!(index.add(1, &other).unwrap_err(), mismatch);
    let mut hits = vec![];
    assert_eq!(index.search(&other, 1, &mut hits).unwrap_err(), mismatch);
    let vector = index.vector(&[f32::MAX, f32::MIN_POSITIVE, 0.0]).unwrap();
    index.add(1, &vector).unwrap();
    assert_eq!(index.add(1, &vector).unwrap_err(), IndexError::DuplicateId { id: 1 });
    assert_eq!(index.remove(2).unwrap_err(), IndexError::UnknownId { id: 2 });
}
