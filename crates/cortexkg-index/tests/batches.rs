//! Many vectors at once, and many that are equal.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its figures"
)]

mod common;

use common::indexes::{built, config, search};
#[cfg(feature = "parallel")]
use common::indexes::{exact, recall};
use common::{Random, clustered};
#[cfg(feature = "parallel")]
use cortexkg_index::Vector;
use cortexkg_index::{
    ExactIndex, HnswAllocationIndex, IndexError, Neighbour, Precision, SearchOptions, VectorIndex,
};

#[cfg(feature = "parallel")]
#[test]
fn a_batch_is_the_same_on_any_number_of_threads() {
    let embeddings = clustered(3_000, 40, 9);
    let build = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut index = HnswAllocationIndex::new(config(40, Precision::Eight)).unwrap();
        for (batch, embeddings) in embeddings.chunks(256).enumerate() {
            let vectors = embeddings.iter().enumerate();
            let batch: Vec<(u64, Vector)> =
                vectors.map(|(i, e)| ((batch * 256 + i) as u64, index.vector(e).unwrap())).collect();
            if threads == 0 {
                index.add_batch(&batch).unwrap();
            } else {
                index.add_batch_in(&pool, &batch).unwrap();
            }
        }
        let mut bytes = Vec::new();
        index.save(&mut bytes).unwrap();
        (bytes, index)
    };
    let (one, index) = build(1);
    assert!(index.audit().is_clean());
    assert!(recall(&index, &exact(&embeddings, Precision::Eight), &embeddings[..100], 10) > 0.97);
    assert!(build(0).0 == one && build(2).0 == one && build(7).0 == one);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let queries: Vec<Vector> = embeddings[..50].iter().map(|e| index.vector(e).unwrap()).collect();
    assert_eq!(index.search_batch_in(&pool, &queries, 5), index.search_batch(&queries, 5));
}

#[cfg(feature = "parallel")]
#[test]
fn allocations_in_batches_are_the_same_on_any_number_of_threads() {
    let embeddings = clustered(3_100, 40, 14);
    let (queries, embeddings) = embeddings.split_at(100);
    let allocate = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build().unwrap();
        let mut index = HnswAllocationIndex::new(config(40, Precision::Four)).unwrap();
        let mut found = Vec::new();
        for (batch, embeddings) in embeddings.chunks(200).enumerate() {
            let vectors: Vec<Vector> = embeddings.iter().map(|e| index.vector(e).unwrap()).collect();
            let places = match threads {
                0 => index.find_batch(&vectors, 10).unwrap(),
                _ => index.find_batch_in(&pool, &vectors, 10).unwrap(),
            };
            for ((id, vector), mut place) in (batch as u64 * 200..).zip(&vectors).zip(places) {
                index.renew(vector, &mut place).unwrap();
                // Every seventh is not new.
                if id % 7 != 3 {
                    index.insert(id, vector, &place).unwrap();
                }
                if id % 5 == 1 && index.contains(id) {
                    index.set_precision(id, Precision::Half, Some(vector)).unwrap();
                }
                found.push(place.hits);
            }
        }
        let mut bytes = Vec::new();
        index.save(&mut bytes).unwrap();
        (bytes, found, index)
    };
    let (bytes, found, index) = allocate(0);
    assert!(index.audit().is_clean());
    for threads in 1..=3 {
        let (of_threads, found_by_threads, _) = allocate(threads);
        assert!(of_threads == bytes && found_by_threads == found, "on {threads} threads");
    }
    // Each meets those before it, of its own batch as well: as many are found as by one after the other.
    let mut one_by_one = HnswAllocationIndex::new(config(40, Precision::Four)).unwrap();
    let (mut both, mut of) = (0, 0);
    for ((id, embedding), found) in (0..).zip(embeddings).zip(&found) {
        let vector = one_by_one.vector(embedding).unwrap();
        let place = one_by_one.find(&vector, 10).unwrap();
        if id % 7 != 3 {
            one_by_one.insert(id, &vector, &place).unwrap();
        }
        if id % 5 == 1 && one_by_one.contains(id) {
            one_by_one.set_precision(id, Precision::Half, Some(&vector)).unwrap();
        }
        of += place.hits.len();
        both += place.hits.iter().filter(|hit| found.contains(hit)).count();
    }
    assert!(both * 1_000 >= of * 985, "{both} of {of}");
    let new: Vec<Vec<f32>> =
        (0..).zip(embeddings).filter(|(id, _)| id % 7 != 3).map(|(_, e)| e.clone()).collect();
    let truth = exact(&new, Precision::Full);
    let names: Vec<u64> = (0..embeddings.len() as u64).filter(|id| id % 7 != 3).collect();
    let found_by = |index: &HnswAllocationIndex| -> usize {
        let of_query = |query| {
            let vector = truth.vector(query).unwrap();
            let near: Vec<u64> =
                search(&truth, &vector, 10).iter().map(|hit| names[hit.id as usize]).collect();
            search(index, &vector, 10).iter().filter(|hit| near.contains(&hit.id)).count()
        };
        queries.iter().map(|query: &Vec<f32>| of_query(query)).sum()
    };
    let (together, alone) = (found_by(&index), found_by(&one_by_one));
    println!(
        "of 1,000 nearest {together} are found in what batches made, {alone} in what was made one by one"
    );
    assert!(together + 10 >= alone);
}

#[test]
fn a_place_can_be_brought_up_to_date() {
    let embeddings = clustered(700, 24, 15);
    let mut index = built(&embeddings[..500], Precision::Eight);
    let vector = index.vector(&embeddings[600]).unwrap();
    let old = index.find(&vector, 5).unwrap();
    // What has come since is met, whatever the walk would find.
    index.add(900, &vector).unwrap();
    index.add(901, &vector).unwrap();
    let mut place = old.clone();
    index.renew(&vector, &mut place).unwrap();
    assert_eq!([place.hits[0].id, place.hits[1].id], [900, 901]);
    assert_eq!(place.hits[2..], old.hits[..3]);
    assert_eq!(place.hits, index.find(&vector, 5).unwrap().hits);
    index.insert(902, &vector, &place).unwrap();
    // What has left is not.
    index.remove(900).unwrap();
    index.renew(&vector, &mut place).unwrap();
    assert_eq!([place.hits[0].id, place.hits[1].id], [901, 902]);
    // A place of another vector, or of another index, becomes one of this.
    let other = index.vector(&embeddings[601]).unwrap();
    index.renew(&other, &mut place).unwrap();
    assert_eq!(place.hits, index.find(&other, 5).unwrap().hits);
    let twin = built(&embeddings[..300], Precision::Eight);
    twin.renew(&other, &mut place).unwrap();
    assert_eq!(place.hits, twin.find(&other, 5).unwrap().hits);
    let short = HnswAllocationIndex::new(config(8, Precision::Eight)).unwrap().vector(&[1.0; 8]).unwrap();
    assert_eq!(twin.renew(&short, &mut place), Err(IndexError::DimensionMismatch { expected: 24, found: 8 }));
    assert!(index.audit().is_clean());
}

#[test]
fn copies_of_one_batch_stand_behind_one() {
    let embeddings = clustered(500, 24, 18);
    let mut index = built(&embeddings[..400], Precision::Eight);
    let vectors = vec![index.vector(&embeddings[450]).unwrap(); 300];
    let places = index.find_batch(&vectors, 5).unwrap();
    // The first has the largest id, so that it ranks behind all that follow.
    let mut links = Vec::new();
    for ((id, vector), mut place) in (1_000..1_300).rev().zip(&vectors).zip(places) {
        index.renew(vector, &mut place).unwrap();
        index.insert(id, vector, &place).unwrap();
        links.push(index.audit().links);
    }
    assert!(index.audit().is_clean() && index.len() == 700);
    assert!(links.iter().all(|&count| count == links[0]), "{links:?}");
}

/// The copies of a vector were linked with each other and with hardly anything else, and filled what a walk holds on to: of the nearest
/// .79 to .90 were found.
#[test]
fn many_copies_of_few_vectors_hide_nothing() {
    let embeddings = clustered(150, 48, 16);
    let (queries, embeddings) = embeddings.split_at(100);
    for precision in [Precision::Eight, Precision::One] {
        for in_turns in [false, true] {
            let mut index = HnswAllocationIndex::new(config(48, precision)).unwrap();
            let mut truth = ExactIndex::new(48, precision).unwrap();
            for id in 0..50 * 400_usize {
                let embedding = &embeddings[if in_turns { id % 50 } else { id / 400 }];
                let vector = index.vector(embedding).unwrap();
                index.add(id as u64, &vector).unwrap();
                truth.add(id as u64, &vector).unwrap();
            }
            let check = |index: &HnswAllocationIndex, truth: &ExactIndex| {
                let audit = index.audit();
                assert!(audit.is_clean() && audit.nodes == truth.len(), "{audit:?}");
                let mut found = 0;
                for query in queries {
                    let vector = index.vector(query).unwrap();
                    let least = search(truth, &vector, 10)[9].score;
                    found += search(index, &vector, 10).iter().filter(|hit| hit.score >= least).count();
                }
                let recall = found as f64 / (10 * queries.len()) as f64;
                println!("{precision}, in turns: {in_turns}: {recall:.3}");
                assert!(recall >= 0.98, "{precision}, in turns: {in_turns}: {recall}");
            };
            check(&index, &truth);
            // Whoever stood in front of the others may leave.
            for id in (0..50 * 400).filter(|id| id % 11 != 5) {
                index.remove(id).unwrap();
                truth.remove(id).unwrap();
                if id % 4_000 == 0 {
                    check(&index, &truth);
                }
            }
            index.reorder();
            check(&index, &truth);
        }
    }
}

#[test]
fn copies_go_through_everything_that_nodes_do() {
    let embeddings = clustered(40, 16, 17);
    let mut index = HnswAllocationIndex::new(config(16, Precision::Four)).unwrap();
    let mut truth = ExactIndex::new(16, Precision::Four).unwrap();
    let mut random = Random(3);
    let mut saved = Vec::new();
    for step in 0..3_000 {
        let (id, of) = (random.below(300), random.below(6) as usize);
        let vector = index.vector(&embeddings[of]).unwrap();
        match random.below(8) {
            0..4 => assert_eq!(index.add(id, &vector), truth.add(id, &vector)),
            4..6 => assert_eq!(index.remove(id), truth.remove(id)),
            6 => {
                assert_eq!(index.replace(id, &vector).is_ok(), truth.remove(id).is_ok());
                if index.contains(id) {
                    truth.add(id, &vector).unwrap();
                }
            }
            _ if step % 5 == 0 => index.reorder(),
            _ => {
                saved.clear();
                index.save(&mut saved).unwrap();
                index = HnswAllocationIndex::open(saved.clone().into()).unwrap();
            }
        }
        assert!(index.audit().is_clean(), "step {step}: {:?}", index.audit());
        let vector = index.vector(&embeddings[6 + step % 30]).unwrap();
        let mut hits = Vec::new();
        let mut how = SearchOptions { ef: Some(300), ..Default::default() };
        index.search_with(&vector, 7, &mut how, &mut hits).unwrap();
        assert_eq!(hits, search(&truth, &vector, 7), "step {step}");
        let mut passes = |id| id % 3 == 1;
        let mut how = SearchOptions { ef: Some(300), filter: Some(&mut passes), ..Default::default() };
        index.search_with(&vector, 5, &mut how, &mut hits).unwrap();
        let those: Vec<Neighbour> =
            search(&truth, &vector, 300).into_iter().filter(|hit| hit.id % 3 == 1).take(5).collect();
        assert_eq!(hits, those, "step {step}");
    }
}
