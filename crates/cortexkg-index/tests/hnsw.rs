//! The approximate index against the exact one, through everything that can be done to it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its figures"
)]

mod common;

use common::indexes::{built, config, exact, recall, search};
use common::{Random, clustered};
use cortexkg_index::{
    ExactIndex, HnswAllocationIndex, HnswConfig, IndexError, Method, Neighbour, Precision, SearchOptions,
    Vector, VectorIndex,
};
use proptest::prelude::*;
use std::cell::RefCell;

#[test]
fn every_precision_finds_what_an_exact_scan_of_its_codes_finds() {
    let embeddings = clustered(4_200, 96, 3);
    let (queries, embeddings) = embeddings.split_at(200);
    for precision in Precision::ALL {
        let index = built(embeddings, precision);
        assert!(index.audit().is_clean(), "{precision}: {:?}", index.audit());
        let recall = recall(&index, &exact(embeddings, precision), queries, 10);
        let estimate = index.estimate_recall(10, 64, 100, 1);
        println!("{precision}: recall@10 {recall:.4}, its own estimate {:.4}", estimate.recall());
        let least = if precision == Precision::One { 0.85 } else { 0.97 };
        assert!(recall >= least, "{precision}: recall@10 is {recall}");
        assert!(
            (estimate.recall() - recall).abs() < 0.06,
            "{precision}: {} against {recall}",
            estimate.recall()
        );
    }
}

#[test]
fn finer_codes_and_full_embeddings_have_the_last_word() {
    let embeddings = clustered(2_100, 96, 4);
    let (queries, embeddings) = embeddings.split_at(100);
    let truth = exact(embeddings, Precision::Full);
    let mut index = built(embeddings, Precision::One);
    let coarse = recall(&index, &truth, queries, 10);
    let mut reads = 0;
    let mut found = 0;
    for query in queries {
        let vector = index.vector(query).unwrap();
        let mut read = |id: u64, embedding: &mut Vec<f32>| {
            reads += 1;
            embedding.extend_from_slice(&embeddings[id as usize]);
            true
        };
        let mut hits = Vec::new();
        let mut how =
            SearchOptions { ef: Some(96), full: Some(&mut read), rescored: Some(64), ..Default::default() };
        index.search_with(&vector, 10, &mut how, &mut hits).unwrap();
        let near: Vec<u64> = search(&truth, &vector, 10).iter().map(|hit| hit.id).collect();
        found += hits.iter().filter(|hit| near.contains(&hit.id)).count();
    }
    let with_full = found as f64 / (10 * queries.len()) as f64;
    assert_eq!(reads, 64 * queries.len());

    for (id, embedding) in embeddings.iter().enumerate() {
        let precision = [Precision::Four, Precision::Eight, Precision::Half][id % 3];
        let vector = index.vector(embedding).unwrap();
        index.set_precision(id as u64, precision, Some(&vector)).unwrap();
    }
    assert_eq!(index.precisions()[..4], [0, 667, 667, 666]);
    // Only those below a precision are read, and all of them are told of before the first is.
    let vector = index.vector(&queries[0]).unwrap();
    let (told, read) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let mut ahead = |ids: &[u64]| {
        assert!(read.borrow().is_empty());
        told.borrow_mut().extend_from_slice(ids);
    };
    let mut full = |id: u64, embedding: &mut Vec<f32>| {
        read.borrow_mut().push(id);
        embedding.extend_from_slice(&embeddings[id as usize]);
        true
    };
    let mut how = SearchOptions {
        full: Some(&mut full),
        full_below: Some(Precision::Eight),
        ahead: Some(&mut ahead),
        ..Default::default()
    };
    index.search_with(&vector, 10, &mut how, &mut Vec::new()).unwrap();
    assert!(!told.borrow().is_empty() && told == read);
    assert!(told.borrow().iter().all(|&id| index.precision(id) == Some(Precision::Four)));
    let finer = recall(&index, &truth, queries, 10);
    println!("b1 {coarse:.3}, with finer codes {finer:.3}, with full embeddings {with_full:.3}");
    assert!(coarse < 0.9 && finer > coarse + 0.15 && with_full > coarse + 0.15);

    // Down again: nothing is left of them, and a place below the floor is refused.
    for id in 0..embeddings.len() as u64 {
        index.set_precision(id, Precision::One, None).unwrap();
    }
    assert_eq!(index.precisions()[0], embeddings.len());
    assert!((recall(&index, &truth, queries, 10) - coarse).abs() < 1e-9);
    let mut eight = built(&embeddings[..10], Precision::Eight);
    let refused = IndexError::PrecisionTooLow { asked: Precision::Four, least: Precision::Eight };
    assert_eq!(eight.set_precision(1, Precision::Four, None), Err(refused));
}

#[test]
fn churn_leaves_every_vector_reachable_and_as_much_found_as_a_fresh_build() {
    let embeddings = clustered(6_100, 64, 5);
    let (queries, pool) = embeddings.split_at(100);
    let mut index = HnswAllocationIndex::new(config(64, Precision::Eight)).unwrap();
    let mut live: Vec<u64> = Vec::new();
    let mut random = Random(11);
    for step in 0..30_000 {
        if live.len() < 1_000 || (live.len() < 2_000 && random.below(2) == 0) {
            let id = random.below(pool.len() as u64);
            if !index.contains(id) {
                let vector = index.vector(&pool[id as usize]).unwrap();
                index.add(id, &vector).unwrap();
                live.push(id);
            }
        } else {
            let id = live.swap_remove(random.below(live.len() as u64) as usize);
            index.remove(id).unwrap();
        }
        if step % 5_000 == 0 {
            let audit = index.audit();
            assert!(audit.is_clean(), "after {step} steps: {audit:?}");
        }
    }
    let audit = index.audit();
    assert!(audit.is_clean() && audit.nodes == live.len(), "{audit:?}");
    let mut fresh = HnswAllocationIndex::new(config(64, Precision::Eight)).unwrap();
    let mut truth = ExactIndex::new(64, Precision::Eight).unwrap();
    for &id in &live {
        let vector = fresh.vector(&pool[id as usize]).unwrap();
        fresh.add(id, &vector).unwrap();
        truth.add(id, &vector).unwrap();
    }
    let (churned, built) = (recall(&index, &truth, queries, 10), recall(&fresh, &truth, queries, 10));
    println!("recall@10 after churn {churned:.4}, of a fresh build {built:.4}");
    assert!(churned >= built - 0.01, "{churned} against {built}");
}

#[test]
fn a_search_that_filters_finds_what_passes_and_only_that() {
    let embeddings = clustered(2_050, 32, 6);
    let (queries, embeddings) = embeddings.split_at(50);
    let index = built(embeddings, Precision::Eight);
    for every in [2, 20, 400, 5_000] {
        for query in queries {
            let vector = index.vector(query).unwrap();
            let mut passes = |id: u64| id % every == 1;
            let mut hits = Vec::new();
            let mut how = SearchOptions { filter: Some(&mut passes), ..Default::default() };
            index.search_with(&vector, 5, &mut how, &mut hits).unwrap();
            let those = (0..embeddings.len() as u64).filter(|id| id % every == 1).count();
            assert_eq!(hits.len(), those.min(5), "one of {every}");
            assert!(hits.iter().all(|hit| hit.id % every == 1));
        }
    }
}

#[test]
fn answers_do_not_depend_on_slots() {
    let embeddings = clustered(3_000, 48, 8);
    let mut index = built(&embeddings, Precision::Four);
    for id in (0..3_000).step_by(3) {
        index.remove(id).unwrap();
    }
    for id in (1..3_000).step_by(5) {
        if index.contains(id) {
            let vector = index.vector(&embeddings[id as usize]).unwrap();
            index.set_precision(id, Precision::Half, Some(&vector)).unwrap();
        }
    }
    let queries: Vec<Vector> = embeddings[..100].iter().map(|e| index.vector(e).unwrap()).collect();
    let before = index.search_batch(&queries, 10).unwrap();
    let bytes = index.bytes();
    index.reorder();
    assert_eq!(index.search_batch(&queries, 10).unwrap(), before);
    assert!(index.audit().is_clean() && index.bytes() < bytes);
    // And goes on alike: a place that was found before the move is sought again.
    let mut twin = built(&embeddings, Precision::Four);
    (0..3_000).step_by(3).for_each(|id| twin.remove(id).unwrap());
    for index in [&mut index, &mut twin] {
        let vector = index.vector(&embeddings[0]).unwrap();
        let place = index.find(&vector, 3).unwrap();
        index.reorder();
        index.insert(0, &vector, &place).unwrap();
        index.replace(7, &vector).unwrap();
        assert!(index.audit().is_clean());
    }
    let without_finer = |hits: Vec<Vec<Neighbour>>| -> Vec<Vec<u64>> {
        hits.into_iter()
            .map(|hits| hits.into_iter().map(|hit| hit.id).filter(|id| id % 5 != 1).take(2).collect())
            .collect()
    };
    assert_eq!(
        without_finer(index.search_batch(&queries, 10).unwrap()),
        without_finer(twin.search_batch(&queries, 10).unwrap())
    );
}

#[test]
fn equal_vectors_order_by_id_and_none_is_lost() {
    let mut index = HnswAllocationIndex::new(config(8, Precision::Eight)).unwrap();
    let vector = index.vector(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 1.0]).unwrap();
    for id in (0..500).rev() {
        index.add(id, &vector).unwrap();
    }
    assert!(index.audit().is_clean(), "{:?}", index.audit());
    let mut hits = Vec::new();
    let mut how = SearchOptions { ef: Some(600), ..Default::default() };
    index.search_with(&vector, 600, &mut how, &mut hits).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    // Vectors without a direction can be added and removed like others.
    let zero = index.vector(&[0.0; 8]).unwrap();
    (500..600).for_each(|id| index.add(id, &zero).unwrap());
    (0..500).for_each(|id| index.remove(id).unwrap());
    assert!(index.audit().is_clean() && index.len() == 100);
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let bad = HnswConfig { max_connections: 1, ..HnswConfig::new(8) };
    let error = IndexError::Setting { name: "max_connections", value: 1, least: 2, most: 256 };
    assert_eq!(HnswAllocationIndex::new(bad).unwrap_err(), error);
    assert!(HnswAllocationIndex::new(HnswConfig::new(0)).is_err());
    assert!(HnswAllocationIndex::new(HnswConfig::new(4_097)).is_err());
    assert!(HnswAllocationIndex::new(HnswConfig { ef_search: 0, ..HnswConfig::new(8) }).is_err());
    let mut index = HnswAllocationIndex::new(HnswConfig::new(2)).unwrap();
    assert_eq!(index.remove(1), Err(IndexError::UnknownId { id: 1 }));
    let vector = index.vector(&[1.0, 1.0]).unwrap();
    let batch = vec![(1, vector.clone()), (2, vector.clone()), (1, vector.clone())];
    assert_eq!(index.add_batch(&batch), Err((2, IndexError::DuplicateId { id: 1 })));
    assert!(index.is_empty());
    index.add(u64::MAX, &vector).unwrap();
    index.add(0, &vector).unwrap();
    assert_eq!(search(&index, &vector, 9).len(), 2);
    assert_eq!(search(&index, &vector, 0).len(), 0);
    assert!(index.set_ef_search(0).is_err());
}

#[test]
fn recall_is_counted_while_searches_go_on() {
    let embeddings = clustered(3_090, 64, 12);
    let (queries, embeddings) = embeddings.split_at(90);
    let mut index = built(embeddings, Precision::Eight);
    let queries: Vec<Vector> = queries.iter().map(|query| index.vector(query).unwrap()).collect();
    let before = index.search_batch(&queries, 10).unwrap();
    assert_eq!(index.running_recall().searches, 0);
    index.set_recall_sampling(3);
    assert_eq!(index.search_batch(&queries, 10).unwrap(), before);
    let running = index.running_recall();
    assert_eq!((running.searches, running.of), (30, 300));
    // What it counted is what there was to count.
    let truth = exact(embeddings, Precision::Eight);
    let found = queries.iter().zip(&before).step_by(3).map(|(query, hits)| {
        let near: Vec<u64> = search(&truth, query, 10).iter().map(|hit| hit.id).collect();
        hits.iter().filter(|hit| near.contains(&hit.id)).count()
    });
    assert_eq!(running.found, found.sum::<usize>());
    index.set_recall_sampling(0);
    index.search_batch(&queries, 10).unwrap();
    assert_eq!(index.running_recall().searches, 0);
}

#[test]
fn the_search_can_be_tuned_to_a_recall() {
    let embeddings = clustered(4_000, 64, 10);
    // A poor graph, so that there is something to gain.
    let poor = HnswConfig { max_connections: 3, ef_construction: 8, ..config(64, Precision::Four) };
    let mut index = HnswAllocationIndex::new(poor).unwrap();
    for (id, embedding) in embeddings.iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.add(id as u64, &vector).unwrap();
    }
    let estimate = index.tune_ef_search(0.99, 10, 200, 1).unwrap();
    assert!(estimate.recall() >= 0.99, "{estimate:?}");
    let ef = index.config().ef_search;
    index.tune_ef_search(0.5, 10, 200, 1).unwrap();
    assert!(index.config().ef_search < ef);
}

#[test]
fn the_cheaper_method_depends_on_counts_alone() {
    let config = HnswConfig::new(384);
    assert_eq!(Method::cheaper(1_000, &config), Method::Exact);
    assert_eq!(Method::cheaper(100_000, &config), Method::Graph);
    let wide = HnswConfig { ef_search: 4_000, ..config };
    assert_eq!(Method::cheaper(100_000, &wide), Method::Exact);
}

/// What can be done to an index, on few ids, so that they meet again.
#[derive(Debug, Clone)]
enum Step {
    Add(u64),
    Remove(u64),
    Replace(u64, u64),
    Precision(u64, usize),
    Reorder,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0..60_u64;
    let step = prop_oneof![
        8 => id.clone().prop_map(Step::Add),
        5 => id.clone().prop_map(Step::Remove),
        2 => (id.clone(), id.clone()).prop_map(|(id, other)| Step::Replace(id, other)),
        2 => (id, 1..5_usize).prop_map(|(id, precision)| Step::Precision(id, precision)),
        1 => Just(Step::Reorder),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 0..160)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_the_index_holds_what_a_map_holds(steps in steps()) {
        let embeddings = clustered(60, 12, 2);
        let few = HnswConfig { max_connections: 2, ef_construction: 8, ..config(12, Precision::Four) };
        let mut index = HnswAllocationIndex::new(few).unwrap();
        let mut held = std::collections::BTreeMap::new();
        for step in steps {
            match step {
                Step::Add(id) => {
                    let vector = index.vector(&embeddings[id as usize]).unwrap();
                    let added = index.add(id, &vector);
                    prop_assert_eq!(added.is_ok(), held.insert(id, Precision::Four).is_none() );
                    if let Err(error) = added {
                        prop_assert_eq!(error, IndexError::DuplicateId { id });
                        held.insert(id, index.precision(id).unwrap());
                    }
                }
                Step::Remove(id) => prop_assert_eq!(index.remove(id).is_ok(), held.remove(&id).is_some()),
                Step::Replace(id, other) => {
                    let vector = index.vector(&embeddings[other as usize]).unwrap();
                    prop_assert_eq!(index.replace(id, &vector).is_ok(), held.contains_key(&id));
                }
                Step::Precision(id, precision) => {
                    let precision = Precision::ALL[precision];
                    let is_set = index.set_precision(id, precision, None).is_ok();
                    prop_assert_eq!(is_set, held.contains_key(&id));
                    if is_set {
                        held.insert(id, precision);
                    }
                }
                Step::Reorder => index.reorder(),
                Step::Reopen => {
                    let mut bytes = Vec::new();
                    index.save(&mut bytes).unwrap();
                    index = HnswAllocationIndex::open(bytes.into()).unwrap();
                }
            }
            let audit = index.audit();
            prop_assert!(audit.is_clean(), "{:?}", audit);
            prop_assert_eq!(index.len(), held.len());
            for (&id, &precision) in &held {
                prop_assert_eq!(index.precision(id), Some(precision));
            }
        }
        let mut hits = Vec::new();
        let mut how = SearchOptions { ef: Some(100), ..Default::default() };
        index.search_with(&index.vector(&embeddings[0]).unwrap(), 100, &mut how, &mut hits).unwrap();
        let mut ids: Vec<u64> = hits.iter().map(|hit| hit.id).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, held.into_keys().collect::<Vec<_>>());
    }
}
