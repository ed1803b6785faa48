//! What an allocation costs in pools of three sizes, half full and nearly full, and what putting a large one in order costs. Each number is the least and
//! the median of several rounds, because a machine is seldom one's own.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that prints a table and stops on errors"
)]

use std::time::Instant;

use cortexkg_columns::{ColumnAllocator, Spread};

use crate::filling::{draw, filled, groups, hub};

#[path = "../benches/filling/mod.rs"]
mod filling;

/// Allocations of a round.
const CALLS: u64 = 10_000;
const ROUNDS: u64 = 15;

/// Nanoseconds of an allocation, the mean of a round; what is allocated is free again afterwards.
fn round(pool: &mut ColumnAllocator, groups: u64, related: u64, round: u64) -> f64 {
    let calls = CALLS.min(u64::from(pool.free_count()));
    let mut sum = 0.0;
    for part in 0..CALLS / calls {
        let beside =
            |call: u64, n: u64| hub(draw((round * CALLS + part * calls + call) * related + n) % groups);
        let requests: Vec<Vec<_>> =
            (0..calls).map(|call| (0..related).map(|n| (beside(call, n), 1)).collect()).collect();
        let start = Instant::now();
        for (concept, related) in (1 << 50..).zip(&requests) {
            pool.allocate(concept, related).unwrap();
        }
        sum += start.elapsed().as_nanos() as f64;
        (1 << 50..(1 << 50) + calls).for_each(|concept| assert!(pool.deallocate(concept).is_some()));
    }
    sum / (CALLS / calls * calls) as f64
}

/// The least and the median.
fn spread_of(mut figures: Vec<f64>) -> String {
    figures.sort_by(f64::total_cmp);
    format!("{:.0} / {:.0}", figures[0], figures[figures.len() / 2])
}

/// What is done to a pool.
type Act<'a> = &'a dyn Fn(&mut ColumnAllocator);

fn main() {
    println!("| columns | taken | related | compact: ns | roomy: ns |");
    println!("|---|---|---|---|---|");
    let mut large = None;
    for columns in [1_000, 32_768, 1_000_000] {
        for percent in [50, 99] {
            let groups = groups(columns, percent);
            let mut pools = [Spread::Compact, Spread::Roomy].map(|spread| filled(columns, percent, spread));
            for related in [1, 8] {
                let mut figures = [Vec::new(), Vec::new()];
                for number in 0..ROUNDS {
                    for (pool, figures) in pools.iter_mut().zip(&mut figures) {
                        figures.push(round(pool, groups, related, number));
                    }
                }
                let [compact, roomy] = figures.map(spread_of);
                println!("| {columns} | {percent} % | {related} | {compact} | {roomy} |");
            }
            let [compact, _] = pools;
            large = Some(compact);
        }
    }
    let large = large.unwrap();
    let took = |act: Act<'_>| {
        let rounds = (0..5).map(|_| {
            let mut pool = large.clone();
            let start = Instant::now();
            act(&mut pool);
            start.elapsed().as_secs_f64() * 1e3
        });
        spread_of(rounds.collect())
    };
    let before = large.encode();
    let acts: [(&str, Act<'_>); 5] = [
        ("defragment", &|pool| drop(pool.defragment())),
        ("encode", &|pool| drop(pool.encode())),
        ("decode", &|_| drop(ColumnAllocator::decode(&before, 1_000_000))),
        ("encode_since, nothing changed", &|pool| drop(pool.encode_since(&before))),
        ("grow to four times as many", &|pool| drop(pool.grow(4_000_000))),
    ];
    println!("\n| 1000000 columns, 99 % taken | ms |\n|---|---|");
    acts.iter().for_each(|(name, act)| println!("| {name} | {} |", took(act)));
}
