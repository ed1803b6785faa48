//! The index against a naive one, over sequences of additions, removals and replacements, on every SIMD level.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it has tested"
)]

use std::collections::BTreeMap;

use cortexkg_index::{FlatIndex, Hit, IndexError, Q8Code, Similarity};
use cortexkg_simd::{Kernels, Level};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Add(u64, Vec<f32>),
    Replace(u64, Vec<f32>),
    Remove(u64),
    Search(Vec<f32>, usize),
}

/// Few ids and few distinct values, so that ids collide and similarities tie.
fn steps(dimension: usize) -> impl Strategy<Value = Vec<Step>> {
    let value = prop_oneof![3 => (-1_i8..=1).prop_map(f32::from), 1 => -1.0_f32..1.0];
    let vector = prop::collection::vec(value, dimension);
    let id = prop_oneof![0..40_u64, Just(u64::MAX)];
    let step = prop_oneof![
        5 => (id.clone(), vector.clone()).prop_map(|(id, vector)| Step::Add(id, vector)),
        2 => (id.clone(), vector.clone()).prop_map(|(id, vector)| Step::Replace(id, vector)),
        2 => id.prop_map(Step::Remove),
        2 => (vector, 0..50_usize).prop_map(|(vector, k)| Step::Search(vector, k)),
    ];
    prop::collection::vec(step, 1..120)
}

fn dimension_and_steps() -> impl Strategy<Value = (usize, Vec<Step>)> {
    prop_oneof![1..8_usize, Just(64), Just(67)].prop_flat_map(|dimension| (Just(dimension), steps(dimension)))
}

/// Sorts everything, by the definition of the order.
fn naive_search(vectors: &BTreeMap<u64, Q8Code>, query: &Q8Code, k: usize) -> Vec<Hit> {
    let mut hits: Vec<Hit> =
        vectors.iter().map(|(&id, code)| Hit { id, similarity: query.similarity(code).unwrap() }).collect();
    hits.sort_by_key(|hit| (-hit.similarity.units(), hit.id));
    hits.truncate(k);
    hits
}

fn run(level: Level, dimension: usize, steps: &[Step]) {
    let kernels = Kernels::for_level(level).unwrap();
    let code = |vector: &[f32]| Q8Code::from_embedding_with(kernels, vector).unwrap();
    let mut index = FlatIndex::with_kernels(dimension, kernels).unwrap();
    let mut vectors = BTreeMap::new();
    let mut hits = vec![Hit { id: 99, similarity: Similarity::ONE }];
    for step in steps {
        match step {
            Step::Add(id, vector) => {
                let known = vectors.contains_key(id);
                let expected = if known { Err(IndexError::DuplicateId { id: *id }) } else { Ok(()) };
                assert_eq!(index.add(*id, &code(vector)), expected);
                vectors.entry(*id).or_insert_with(|| code(vector));
            }
            Step::Replace(id, vector) => {
                let old = vectors.get_mut(id);
                let expected = if old.is_some() { Ok(()) } else { Err(IndexError::UnknownId { id: *id }) };
                assert_eq!(index.replace(*id, &code(vector)), expected);
                old.into_iter().for_each(|old| *old = code(vector));
            }
            Step::Remove(id) => {
                let old = vectors.remove(id);
                let expected = old.map(drop).ok_or(IndexError::UnknownId { id: *id });
                assert_eq!(index.remove(*id), expected);
            }
            Step::Search(vector, k) => {
                let query = code(vector);
                index.search(&query, *k, &mut hits).unwrap();
                assert_eq!(hits, naive_search(&vectors, &query, *k));
                for hit in &hits {
                    assert_eq!(index.similarity(hit.id, &query), Ok(hit.similarity));
                }
            }
        }
        assert_eq!((index.len(), index.is_empty()), (vectors.len(), vectors.is_empty()));
        assert_eq!(index.bytes(), vectors.len() * (dimension + 29));
    }
    for id in (0..41).chain([u64::MAX]) {
        assert_eq!(index.get(id), vectors.get(&id).map(Q8Code::values));
        assert_eq!(index.contains(id), vectors.contains_key(&id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_level_answers_as_the_naive_index_does((dimension, steps) in dimension_and_steps()) {
        for level in Level::available() {
            run(level, dimension, &steps);
        }
    }
}

/// Numbers of a fixed sequence, about normally distributed (a sum of four uniform ones).
fn embeddings(count: usize, dimension: usize) -> Vec<Vec<f32>> {
    let mut state = 42_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 16_777_216.0 - 0.5
    };
    (0..count).map(|_| (0..dimension).map(|_| (0..4).map(|_| uniform()).sum()).collect()).collect()
}

#[test]
fn an_index_larger_than_one_block_answers_alike_on_every_level() {
    let levels = Level::available();
    println!("SIMD levels tested: {levels:?}");
    let codes: Vec<Q8Code> =
        embeddings(1_500, 100).iter().map(|embedding| Q8Code::from_embedding(embedding).unwrap()).collect();
    let vectors: BTreeMap<u64, Q8Code> =
        (0..).map(|i| i * 7_919 % 10_007).zip(codes.iter().cloned()).collect();
    for level in levels {
        let mut index = FlatIndex::with_kernels(100, Kernels::for_level(level).unwrap()).unwrap();
        for (&id, code) in &vectors {
            index.add(id, code).unwrap();
        }
        let mut hits = Vec::new();
        for (query, k) in codes.iter().step_by(100).zip([1, 10, 64, 1_499, 1_500, 5_000].into_iter().cycle())
        {
            index.search(query, k, &mut hits).unwrap();
            assert_eq!(hits, naive_search(&vectors, query, k), "{k} hits on {level}");
            assert_eq!(hits[0].similarity, Similarity::ONE);
        }
    }
}

#[test]
fn dimensions_are_checked_everywhere() {
    for dimension in [0, 4097] {
        assert_eq!(FlatIndex::new(dimension).unwrap_err(), IndexError::DimensionOutOfRange { dimension });
    }
    let mut index = FlatIndex::new(3).unwrap();
    let (right, wrong) =
        (Q8Code::from_embedding(&[1.0; 3]).unwrap(), Q8Code::from_embedding(&[1.0; 2]).unwrap());
    let mismatch = IndexError::DimensionMismatch { expected: 3, found: 2 };
    assert_eq!(index.add(1, &wrong), Err(mismatch.clone()));
    index.add(1, &right).unwrap();
    assert_eq!(index.replace(1, &wrong), Err(mismatch.clone()));
    assert_eq!(index.similarity(1, &wrong), Err(mismatch.clone()));
    let mut hits = vec![Hit { id: 9, similarity: Similarity::ONE }];
    assert_eq!(index.search(&wrong, 1, &mut hits), Err(mismatch));
    assert!(hits.is_empty());
    assert_eq!(index.get(1), Some(right.values()));
}

/// Cosine of two vectors in `f64`.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt())
}

fn check_similarity(a: &[f32], b: &[f32]) -> f64 {
    let codes = [a, b].map(|embedding| Q8Code::from_embedding(embedding).unwrap());
    let [x, y] = codes.each_ref().map(|code| code.values().iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
    let similarity = codes[0].similarity(&codes[1]).unwrap();
    assert_eq!(codes[1].similarity(&codes[0]), Ok(similarity));
    let unit_error = (f64::from(similarity.units()) - cosine(&x, &y) * 65536.0).abs();
    assert!(unit_error <= 0.7501, "{similarity} is {unit_error} units from the cosine of the codes");

    let [a, b] = [a, b].map(|values| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>());
    let error = (similarity.cosine() - cosine(&a, &b)).abs();
    // Half a unit, and a little for the rounding of `f32` before it.
    let angle = |code: &Q8Code| {
        (0.5001 * (code.dimension() as f64).sqrt() / f64::from(code.norm_squared()).sqrt()).min(1.0).asin()
    };
    let bound = angle(&codes[0]) + angle(&codes[1]) + 0.75 / 65536.0;
    assert!(error <= bound, "error {error} beyond the bound {bound}");
    error
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn similarity_keeps_its_bounds(
        pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..500),
        peak in prop_oneof![Just(1.0_f32), 1.0_f32..100.0],
    ) {
        let (mut a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        a[0] = peak; // now and then one value dwarfs the rest, which is the worst case of a common scale
        prop_assume!(b.iter().any(|&value| value != 0.0));
        check_similarity(&a, &b);
    }
}

#[test]
fn similarity_of_dense_embeddings_is_close_to_their_cosine() {
    for dimension in [64, 256, 384] {
        let embeddings = embeddings(200, dimension);
        let mut error_max = 0.0_f64;
        for (i, a) in embeddings.iter().enumerate() {
            for (j, b) in embeddings.iter().enumerate() {
                // Mixed with more or less of `a`, for cosines from 0 to 1.
                let share = (i + j) as f32 % 10.0 / 10.0;
                let mixed: Vec<f32> = a.iter().zip(b).map(|(x, y)| x * share + y * (1.0 - share)).collect();
                error_max = error_max.max(check_similarity(a, &mixed));
            }
        }
        println!("{dimension} dimensions: largest error of the cosine {error_max:.5}");
        assert!(error_max < 0.005);
    }
}
