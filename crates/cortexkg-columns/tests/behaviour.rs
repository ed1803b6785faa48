//! What the pool promises beyond what the plain one shows.
#![allow(clippy::unwrap_used, reason = "a test stops on errors")]

use cortexkg_columns::{
    COLUMNS_MAX, ChangeKind, ColumnAllocator, ColumnError, ColumnId, Grid, RELATED_MAX, Request, Spread,
    apply_delta, weight_of_evidence,
};

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
fn families_that_come_in_any_order_find_room() {
    let come = |spread| {
        let mut pool = ColumnAllocator::with_columns(4_096).unwrap();
        pool.set_spread(spread);
        // A hundred families of 36, in turn: nine columns in ten.
        for concept in 0..3_600 {
            let elder = concept % 100 + 100 * (concept / 300);
            pool.allocate(concept, &[(elder, 1)]).unwrap();
        }
        pool
    };
    let (compact, mut roomy) = (come(Spread::Compact), come(Spread::Roomy));
    let siblings = || (100..3_600).map(|concept| (concept, concept - 100, 1));
    let [far, near] = [&compact, &roomy].map(|pool| pool.neighbourhood(siblings()));
    assert!(near.quality() > 0.9 && 5.0 * near.distance_mean < far.distance_mean, "{far:?} {near:?}");
    // The choice is kept, and a pool fills to the last column, with or without gaps.
    let mut back = ColumnAllocator::decode(&roomy.encode(), 4_096).unwrap();
    assert_eq!(back.spread(), Spread::Roomy);
    roomy.defragment();
    assert!(roomy.states().zip(0..).all(|(state, column)| state.column == ColumnId(column)));
    for pool in [&mut back, &mut roomy] {
        for concept in 3_600..4_096 {
            assert_eq!(pool.allocate(concept, &[]).unwrap().distance, 0);
        }
        assert!(pool.allocate(5_000, &[]).is_err());
        pool.deallocate(77);
        let there = pool.allocate(5_000, &[]).unwrap();
        assert_eq!((there.is_new, pool.free_count()), (true, 0));
    }
    // Compact is as it was.
    let mut pool = ColumnAllocator::with_columns(64).unwrap();
    assert_eq!(pool.spread(), Spread::Compact);
    pool.set_spread(Spread::Roomy);
    assert_eq!(pool.allocate(0, &[]).unwrap().column, ColumnId(32));
    pool.set_spread(Spread::Compact);
    assert_eq!(pool.allocate(1, &[]).unwrap().column, ColumnId(0));
}

#[test]
fn relatives_draw_by_their_evidence() {
    let mut pool = ColumnAllocator::with_columns(4_096).unwrap();
    pool.set_spread(Spread::Roomy);
    (0..5).for_each(|concept| assert!(pool.allocate(concept, &[]).is_ok()));
    let cell = |pool: &ColumnAllocator, concept| pool.grid().cell(pool.column_of(concept).unwrap()).unwrap();
    // One with 8 bits for it, four with 6 bits against them.
    let related: Vec<_> = [8, -6, -6, -6, -6]
        .iter()
        .zip(0..)
        .map(|(bits, other)| (other, weight_of_evidence(256 * bits)))
        .collect();
    pool.allocate(9, &related).unwrap();
    assert_eq!(cell(&pool, 9).distance(cell(&pool, 0)), 1);
    // Evidence against it altogether is as no relation.
    let nothing = pool.allocate(10, &[(0, weight_of_evidence(-30 * 256))]).unwrap();
    assert!(nothing.distance == 0 && cell(&pool, 10).distance(cell(&pool, 0)) > 8);
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
fn a_pool_that_grows_keeps_columns_and_cells() {
    let mut pool = ColumnAllocator::with_columns(4_096).unwrap();
    for concept in 0..4_096 {
        pool.allocate(concept, &[(concept / 2, 1)]).unwrap();
    }
    let before: Vec<_> = pool.states().map(|state| (state.column, state.cell, state.concept)).collect();
    assert!(pool.allocate(5_000, &[(7, 1)]).is_err());
    for columns in [5_000, 16_384, 16_385, 100_000] {
        assert!(!pool.grow(columns).unwrap().cells_moved);
        let now = pool.states().map(|state| (state.column, state.cell, state.concept));
        assert!(now.eq(before.iter().copied()));
        assert_eq!(pool.free_count(), columns - 4_096);
        let bytes = pool.encode();
        assert_eq!(ColumnAllocator::decode(&bytes, columns).unwrap().encode(), bytes);
    }
    let beside = pool.column_of(4_095).unwrap();
    let placed = pool.allocate(5_000, &[(4_095, 1)]).unwrap();
    assert!(placed.column.0 >= 4_096 && placed.distance > 0);
    let cell = |column| pool.grid().cell(column).unwrap();
    assert_eq!(cell(placed.column).distance(cell(beside)), placed.distance);
    // What is refused changes nothing.
    let bytes = pool.encode();
    assert_eq!(pool.grow(99_999), Err(ColumnError::Shrinking { columns: 99_999, has: 100_000 }));
    let many = COLUMNS_MAX + 1;
    assert_eq!(pool.grow(many), Err(ColumnError::ColumnCount { columns: many }));
    assert!(!pool.grow(100_000).unwrap().cells_moved);
    assert_eq!(pool.encode(), bytes);
}

#[test]
fn where_no_longer_curve_begins_alike_cells_move_and_columns_stay() {
    let mut pool = ColumnAllocator::new(Grid::rectangle(9, 7).unwrap());
    (0..63).for_each(|concept| assert!(pool.allocate(concept, &[]).is_ok()));
    let before = pool.encode();
    let seen = pool.next_change();
    let grown = pool.grow(200).unwrap();
    assert!(grown.cells_moved);
    assert_eq!(
        pool.changes_since(seen).unwrap().next().unwrap().kind,
        ChangeKind::Grown { columns: 200, cells_moved: true }
    );
    assert!((0..63).all(|concept| pool.column_of(concept) == Some(ColumnId(concept as u32))));
    // And a delta leads there.
    let delta = pool.encode_since(&before).unwrap();
    assert!(delta.len() < 110);
    assert_eq!(apply_delta(&before, &delta), Ok(pool.encode()));
}

#[test]
fn snapshots_of_the_first_version_are_read() {
    let first = include_bytes!("fixtures/version_1.columns");
    let pool = ColumnAllocator::decode(first, 15).unwrap();
    assert_eq!((pool.tick(), pool.next_change(), pool.allocated_count()), (54, 13, 11));
    assert_eq!((pool.grid().width(), pool.grid().height()), (5, 3));
    let columns: Vec<_> = pool.states().map(|state| (state.column.0, state.concept / 1_000_003)).collect();
    assert_eq!(columns, FIRST);
    let state = pool.state(pool.column_of(7 * 1_000_003).unwrap()).unwrap();
    assert_eq!((state.uses, state.time, state.allocated), (2, 1_700_000_000_007, 8));
    // And gone on from.
    let delta = pool.encode_since(first).unwrap();
    assert_eq!(apply_delta(first, &delta), Ok(pool.encode()));
    assert!(delta.len() < 110);
}

/// Columns and concepts of `fixtures/version_1.columns`.
const FIRST: [(u32, u64); 11] =
    [(0, 0), (1, 1), (2, 3), (3, 5), (5, 2), (6, 6), (7, 7), (8, 9), (9, 10), (10, 11), (13, 8)];

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
