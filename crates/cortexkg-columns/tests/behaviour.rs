//! What the pool promises beyond what the plain one shows.
#![allow(clippy::unwrap_used, reason = "a test stops on errors")]

use cortexkg_columns::{ChangeKind, ColumnAllocator, ColumnError, ColumnId, Grid, RELATED_MAX, Request};

#[test]
fn related_concepts_settle_side_by_side() {
    let mut pool = ColumnAllocator::with_columns(4_096).unwrap();
    // Thirty topics. The first of each lies in a place of its own, since others are between for a while.
    for topic in 0..30 {
        pool.allocate(topic, &[]).unwrap();
        (0..100).for_each(|other| assert!(pool.allocate(10_000 + topic * 100 + other, &[]).is_ok()));
    }
    (10_000..13_000).for_each(|other| assert!(pool.deallocate(other).is_some()));
    // The others come in turn, each with the first of its topic.
    for concept in 30..3_000 {
        pool.allocate(concept, &[(concept % 30, 1)]).unwrap();
    }
    let near = pool.own_neighbourhood();
    assert_eq!(near.pairs, u64::from(pool.allocated_count()) - 30);
    let mut by_number = ColumnAllocator::with_columns(4_096).unwrap();
    (0..3_000).for_each(|concept| assert!(by_number.allocate(concept, &[]).is_ok()));
    let far = by_number.neighbourhood((30..3_000).map(|concept| (concept, concept % 30, 1)));
    assert!(near.quality() > 0.6 && far.quality() < 0.1, "{near:?} {far:?}");
}

#[test]
fn defragment_keeps_order_and_state() {
    let mut pool = ColumnAllocator::with_columns(1_000).unwrap();
    for concept in 0..900 {
        pool.allocate_request(&Request { concept, related: &[(concept / 2, 1)], time: 1_000 + concept })
            .unwrap();
    }
    (0..900).step_by(3).for_each(|concept| assert!(pool.deallocate(concept).is_some()));
    pool.activate(100, 0.7).unwrap();
    let before: Vec<_> = pool.states().collect();
    let moves = pool.defragment();
    pool.advance(0);
    assert!(!moves.is_empty());
    for (column, (before, after)) in (0..).map(ColumnId).zip(before.iter().zip(pool.states())) {
        assert_eq!((after.column, after.concept), (column, before.concept));
        assert_eq!((after.time, after.uses, after.allocated), (before.time, before.uses, before.allocated));
    }
    assert_eq!(pool.allocate(5_000, &[]).unwrap().column, ColumnId(before.len() as u32));
    assert_eq!(pool.defragment(), []);
}

#[test]
fn rebalancing_brings_together_what_is_used_and_keeps_neighbours() {
    let mut pool = ColumnAllocator::with_columns(4_096).unwrap();
    for concept in 0..4_000_u64 {
        pool.allocate(concept, &[(concept.saturating_sub(1), 1)]).unwrap();
    }
    for _ in 0..100 {
        (0..4_000).step_by(40).for_each(|concept| pool.activate(concept, 1.0).unwrap());
    }
    let done = pool.rebalance(&[]);
    let (before, after) = done.blocks;
    assert!(after * 2 <= before, "{before} blocks → {after}");
    let (before, after) = done.neighbourhood;
    assert!(after.quality() >= 0.9 * before.quality(), "{before:?} → {after:?}");
    assert!(
        done.window > 0 && done.moves.iter().all(|step| step.from.0 / done.window == step.to.0 / done.window)
    );
    // What is used alike is left where it is.
    let mut even = ColumnAllocator::with_columns(1_000).unwrap();
    (0..900).for_each(|concept| assert!(even.allocate(concept, &[]).is_ok()));
    assert_eq!(even.rebalance(&[]).moves, []);
}

#[test]
fn activation_fades_by_half_lives() {
    let mut pool = ColumnAllocator::with_columns(4).unwrap();
    pool.set_half_life(10);
    let column = pool.allocate(3, &[]).unwrap().column;
    let level = |pool: &ColumnAllocator| pool.state(column).unwrap().activation;
    assert_eq!(level(&pool), 1.0);
    pool.advance(10);
    assert_eq!(level(&pool), 0.5);
    pool.advance(9);
    pool.activate(3, 0.1).unwrap(); // the tenth tick; what is left is more
    assert_eq!(level(&pool), 0.25);
    pool.activate(3, 0.8).unwrap();
    assert_eq!(level(&pool), 0.8);
    pool.advance(u64::MAX);
    assert_eq!(level(&pool), 0.0);
    for bad in [f32::NAN, -0.1, 1.1, f32::INFINITY] {
        assert_eq!(pool.activate(3, bad), Err(ColumnError::Activation { concept: 3 }));
    }
}

#[test]
fn a_feed_that_is_short_says_what_is_gone() {
    let mut pool = ColumnAllocator::with_columns(16).unwrap();
    pool.set_changes_max(3);
    (0..5).for_each(|concept| assert!(pool.allocate(concept, &[]).is_ok()));
    let last: Vec<_> =
        pool.changes_since(2).unwrap().map(|change| (change.sequence, change.concept)).collect();
    assert_eq!(last, [(2, 2), (3, 3), (4, 4)]);
    assert_eq!(pool.changes_since(2).unwrap().next().unwrap().kind, ChangeKind::Allocated(ColumnId(2)));
    assert_eq!(pool.changes_since(5).unwrap().len(), 0);
    for since in [1, 6] {
        let gone = pool.changes_since(since).map(|_| ()).unwrap_err();
        assert_eq!(gone, ColumnError::OutOfFeed { since, first: 2, next: 5 });
    }
    pool.set_changes_max(0);
    pool.deallocate(0);
    assert_eq!(pool.changes_since(6).unwrap().len(), 0);
    assert!(pool.changes_since(5).is_err());
}

#[test]
fn what_is_refused_names_the_concept_and_changes_nothing() {
    let mut pool = ColumnAllocator::new(Grid::rectangle(2, 1).unwrap());
    let many = [(1, 1); RELATED_MAX + 1];
    let outcomes = pool.allocate_batch([
        Request { concept: 7, ..Request::default() },
        Request { concept: 8, related: &many, time: 0 },
        Request { concept: 7, ..Request::default() },
        Request { concept: 9, related: &[(7, u32::MAX), (9, 5), (7, 0), (99, 1)], time: 0 },
        Request { concept: 10, ..Request::default() },
    ]);
    let told: Vec<_> = outcomes
        .iter()
        .map(|(concept, outcome)| match outcome {
            Ok(placed) => format!("{concept} in {}, new: {}", placed.column.0, placed.is_new),
            Err(error) => error.to_string(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "7 in 0, new: true",
            "concept 8: 65 related concepts are too many; give the 64 that weigh most",
            "7 in 0, new: false",
            "9 in 1, new: true",
            "concept 10: all 2 columns are taken; deallocate one first, or make a larger pool",
        ]
    );
    assert_eq!((pool.tick(), pool.next_change(), pool.free_count()), (2, 2, 0));
    assert_eq!(pool.deallocate(8), None);
    assert_eq!(pool.concept_of(ColumnId(2)), None);
    assert_eq!(pool.state(ColumnId(u32::MAX)), None);
}
