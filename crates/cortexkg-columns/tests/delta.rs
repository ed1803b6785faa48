//! Deltas put on snapshots give the later snapshots to the byte, whatever happened between; anything else is refused.
#![allow(clippy::unwrap_used, reason = "a test stops on errors")]

use cortexkg_columns::{ColumnAllocator, ColumnError, Request, apply_delta};
use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::calls::{Call, calls};

mod calls;

/// Does it, and passes over what is refused.
fn call(pool: &mut ColumnAllocator, call: &Call) {
    match call {
        Call::Allocate(concept, related) => {
            let _ = pool.allocate_request(&Request { concept: *concept, related, time: 1_700_000_000_000 });
        }
        Call::Deallocate(concept) => {
            pool.deallocate(*concept);
        }
        Call::Activate(concept, level) => {
            let _ = pool.activate(*concept, *level);
        }
        Call::Defragment => {
            pool.defragment();
        }
        Call::Rebalance => {
            pool.rebalance(&[]);
        }
        Call::Grow(columns) => {
            let _ = pool.grow(pool.grid().column_count() + columns);
        }
        Call::Spread(spread) => pool.set_spread(*spread),
        Call::Reload => {
            *pool = ColumnAllocator::decode(&pool.encode(), u32::MAX).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_chain_of_deltas_leads_to_the_last_snapshot(columns in 1_u32..80, rounds in prop::collection::vec(calls(), 1..6)) {
        let mut pool = ColumnAllocator::with_columns(columns).unwrap();
        let first = pool.encode();
        let mut kept = first.clone();
        for round in &rounds {
            round.iter().for_each(|one| call(&mut pool, one));
            let delta = pool.encode_since(&kept).unwrap();
            kept = apply_delta(&kept, &delta).unwrap();
            prop_assert_eq!(&kept, &pool.encode());
        }
        // Over all of them at once, and back again.
        prop_assert_eq!(&apply_delta(&first, &pool.encode_since(&first).unwrap()).unwrap(), &kept);
        let empty = ColumnAllocator::decode(&first, columns).unwrap();
        prop_assert_eq!(apply_delta(&kept, &empty.encode_since(&kept).unwrap()).unwrap(), first);
    }

    #[test]
    fn what_comes_from_elsewhere_ends_in_an_error_or_in_what_was_said(
        rounds in prop::collection::vec(calls(), 2),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut pool = ColumnAllocator::with_columns(40).unwrap();
        rounds[0].iter().for_each(|one| call(&mut pool, one));
        let before = pool.encode();
        rounds[1].iter().for_each(|one| call(&mut pool, one));
        let mut delta = pool.encode_since(&before).unwrap();
        *at.get_mut(&mut delta) = byte;
        let (after, forged) = (apply_delta(&before, &delta), forged(delta));
        prop_assert!(after.is_err() || after == Ok(pool.encode()));
        let after = apply_delta(&before, &forged);
        prop_assert!(after.is_err() || after == Ok(pool.encode()));
    }
}

/// With a checksum that fits.
fn forged(mut delta: Vec<u8>) -> Vec<u8> {
    let end = delta.len() - 8;
    let check = xxh3_64(&delta[..end]).to_le_bytes();
    delta[end..].copy_from_slice(&check);
    delta
}

/// A pool, its bytes, and the delta to what it is a little later.
fn some() -> (ColumnAllocator, Vec<u8>, Vec<u8>) {
    let mut pool = ColumnAllocator::with_columns(1_000).unwrap();
    (0..500).for_each(|concept| assert!(pool.allocate(concept, &[(concept / 2, 1)]).is_ok()));
    let before = pool.encode();
    pool.deallocate(100);
    pool.activate(7, 1.0).unwrap();
    pool.activate(8, 0.25).unwrap();
    pool.allocate(1_000, &[(7, 1)]).unwrap();
    let delta = pool.encode_since(&before).unwrap();
    (pool, before, delta)
}

#[test]
fn a_delta_holds_only_what_has_changed() {
    let (mut pool, before, delta) = some();
    assert!(delta.len() < 150, "{} bytes", delta.len());
    let after = apply_delta(&before, &delta).unwrap();
    assert_eq!(after, pool.encode());
    assert!(pool.encode_since(&after).unwrap().len() < 100);
    // Moving takes less than writing anew, using too.
    pool.deallocate(0);
    let moves = pool.defragment();
    let delta = pool.encode_since(&after).unwrap();
    assert!(moves.len() > 300 && delta.len() < 100 + 4 * moves.len(), "{} bytes", delta.len());
    let moved = apply_delta(&after, &delta).unwrap();
    (0..100).for_each(|concept| assert!(concept == 0 || pool.activate(concept, 1.0).is_ok()));
    let delta = pool.encode_since(&moved).unwrap();
    assert!(delta.len() < 100 + 8 * 99, "{} bytes", delta.len());
}

#[test]
fn a_delta_belongs_to_one_snapshot() {
    let (mut pool, before, delta) = some();
    let after = pool.encode();
    let refused = apply_delta(&after, &delta).unwrap_err();
    assert!(matches!(refused, ColumnError::DeltaOfOther { .. }), "{refused}");
    assert!(refused.to_string().contains("in the order in which they were made"));
    pool.advance(1);
    let next = pool.encode_since(&after).unwrap();
    assert!(apply_delta(&before, &next).is_err());
    assert_eq!(apply_delta(&after, &next), Ok(pool.encode()));
}

#[test]
fn every_damage_is_told() {
    let (pool, before, delta) = some();
    for cut in 0..delta.len() {
        assert!(apply_delta(&before, &delta[..cut]).is_err(), "{cut} bytes");
    }
    for at in 0..delta.len() {
        let mut other = delta.clone();
        other[at] ^= 0x10;
        let refused = apply_delta(&before, &other);
        assert!(matches!(refused, Err(ColumnError::DeltaDamaged { .. })), "byte {at}: {refused:?}");
        // A longer way of saying the same may come of it, and nothing else.
        let after = apply_delta(&before, &forged(other));
        assert!(after.is_err() || after == Ok(pool.encode()), "byte {at}");
    }
    for at in 0..before.len() {
        let mut other = before.clone();
        other[at] ^= 0x10;
        assert!(matches!(apply_delta(&other, &delta), Err(ColumnError::Damaged { .. })), "byte {at}");
        assert!(matches!(pool.encode_since(&other), Err(ColumnError::Damaged { .. })), "byte {at}");
    }
}

#[test]
fn snapshots_out_of_order_are_refused() {
    let (pool, before, delta) = some();
    let first = before.len() - 8 - 56 * 500;
    for (at, column) in [(0, 1_u32), (1, 0), (499, 1_000), (499, u32::MAX)] {
        let mut other = before.clone();
        let at = first + 56 * at;
        other[at..at + 4].copy_from_slice(&column.to_le_bytes());
        let other = forged(other);
        for refused in [apply_delta(&other, &delta), pool.encode_since(&other)] {
            assert!(matches!(refused, Err(ColumnError::Damaged { .. })), "{refused:?}");
        }
    }
}
