//! What a cache could reach that knew the future: the yardstick for one that does not.
//!
//! [`hits_max`] is Bélády's optimum for entries of one size, exactly. For entries of different sizes the optimum is NP-hard;
//! [`weighted_hits_max`] is a bound that no policy can exceed (PFOO-L of Berger, Beckmann and Harchol-Balter, 2018).
//! [`frequency_hits`] is what is left to a policy that knows how often each key comes but not when: where accesses are independent
//! of each other, no policy without foresight does better in the long run.

use std::collections::BinaryHeap;

/// "Not again."
const NEVER: usize = usize::MAX;

/// Most hits that a cache of `capacity` entries can have on a trace of keys. A key need not be let in.
///
/// Memory and time grow with the largest key and the length of the trace.
pub fn hits_max(trace: &[u32], capacity: usize) -> u64 {
    let next = next_uses(trace);
    // When a resident key is needed again; NEVER for keys that are not resident, since one that is not needed may as well go.
    let mut resident = vec![NEVER; key_count(trace)];
    let mut entries = 0;
    // By next use, the furthest first. Holds outdated pairs, told by a next use that is not the resident one.
    let mut furthest: BinaryHeap<(usize, u32)> = BinaryHeap::new();
    let mut hits = 0;
    for (&key, &again) in trace.iter().zip(&next) {
        let hit = resident[key as usize] != NEVER;
        if hit {
            hits += 1;
            entries -= 1;
            resident[key as usize] = NEVER;
        }
        if again == NEVER {
            continue;
        }
        if entries == capacity {
            while let Some(&(use_at, other)) = furthest.peek() {
                if resident[other as usize] != use_at {
                    furthest.pop();
                } else {
                    if use_at > again {
                        furthest.pop();
                        resident[other as usize] = NEVER;
                        entries -= 1;
                    }
                    break;
                }
            }
        }
        if entries < capacity {
            resident[key as usize] = again;
            entries += 1;
            furthest.push((again, key));
        }
    }
    hits
}

/// A bound on the hits of a cache of `capacity_bytes` on a trace of keys, `bytes` giving the size of each key.
///
/// For a hit, a key has to stay from one use to the next: it takes its size times that distance out of all the room there is over
/// the whole trace. The bound serves the cheapest such stretches until the room is used up, wherever they lie.
pub fn weighted_hits_max(trace: &[u32], bytes: impl Fn(u32) -> u64, capacity_bytes: u64) -> u64 {
    let mut costs: Vec<u128> = next_uses(trace)
        .iter()
        .enumerate()
        .filter(|&(at, &next)| next != NEVER && bytes(trace[at]) <= capacity_bytes)
        .map(|(at, &next)| u128::from(bytes(trace[at])) * (next - at) as u128)
        .collect();
    costs.sort_unstable();
    let mut room = u128::from(capacity_bytes) * trace.len() as u128;
    let served = costs.iter().take_while(|&&cost| {
        let fits = cost <= room;
        room = room.saturating_sub(cost);
        fits
    });
    served.count() as u64
}

/// Hits of a cache that holds the `capacity` likeliest keys and no others: those below `capacity`, where keys are numbered from 0 by
/// falling probability. The first use of a key is no hit.
pub fn frequency_hits(trace: &[u32], capacity: usize) -> u64 {
    let mut seen = vec![false; capacity];
    let mut hit = |key: &&u32| seen.get_mut(**key as usize).is_some_and(|seen| std::mem::replace(seen, true));
    trace.iter().filter(&mut hit).count() as u64
}

fn key_count(trace: &[u32]) -> usize {
    trace.iter().max().map_or(0, |&key| key as usize + 1)
}

/// For each access, the position of the next one of the same key.
fn next_uses(trace: &[u32]) -> Vec<usize> {
    let mut next = vec![NEVER; trace.len()];
    let mut seen = vec![NEVER; key_count(trace)];
    for (at, &key) in trace.iter().enumerate().rev() {
        next[at] = std::mem::replace(&mut seen[key as usize], at);
    }
    next
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// Tries everything: after each access, every way to let the key in and others go.
    fn exhaustive(trace: &[u32], bytes: &dyn Fn(u32) -> u64, capacity: u64) -> u64 {
        let mut best: BTreeMap<BTreeSet<u32>, u64> = BTreeMap::from([(BTreeSet::new(), 0)]);
        for &key in trace {
            let mut after = BTreeMap::new();
            for (held, hits) in best {
                let hits = hits + u64::from(held.contains(&key));
                let mut all: Vec<u32> = held.into_iter().collect();
                if !all.contains(&key) {
                    all.push(key);
                }
                for choice in 0..1_u32 << all.len() {
                    let held: BTreeSet<u32> = all
                        .iter()
                        .enumerate()
                        .filter(|(at, _)| choice >> at & 1 == 1)
                        .map(|(_, &key)| key)
                        .collect();
                    if held.iter().map(|&key| bytes(key)).sum::<u64>() <= capacity {
                        let known = after.entry(held).or_insert(0);
                        *known = hits.max(*known);
                    }
                }
            }
            best = after;
        }
        best.into_values().max().unwrap_or(0)
    }

    #[test]
    fn a_loop_one_too_long_still_hits() {
        // LRU would have no hit at all.
        let trace: Vec<u32> = (0..3).cycle().take(12).collect();
        assert_eq!(hits_max(&trace, 2), 6);
        assert_eq!(hits_max(&trace, 3), 9);
        assert_eq!(hits_max(&trace, 0), 0);
        assert_eq!(hits_max(&[], 2), 0);
    }

    #[test]
    fn the_likeliest_keys_hit_from_their_second_use_on() {
        assert_eq!(frequency_hits(&[0, 0, 5, 5, 1, 0], 2), 2);
    }

    proptest! {
        #[test]
        fn nothing_beats_the_optimum_and_something_reaches_it(
            trace in prop::collection::vec(0_u32..6, 0..24),
            capacity in 0_usize..5,
        ) {
            prop_assert_eq!(hits_max(&trace, capacity), exhaustive(&trace, &|_| 1, capacity as u64));
        }

        #[test]
        fn nothing_beats_the_weighted_bound(
            trace in prop::collection::vec(0_u32..5, 0..20),
            capacity in 0_u64..12,
        ) {
            let bytes = |key: u32| u64::from(key) * 2 + 1;
            prop_assert!(weighted_hits_max(&trace, bytes, capacity) >= exhaustive(&trace, &bytes, capacity));
            // With one size it is a bound on Bélády's optimum.
            prop_assert!(weighted_hits_max(&trace, |_| 1, capacity) >= hits_max(&trace, capacity as usize));
        }
    }
}
