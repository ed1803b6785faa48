//! How near related concepts come to lie: families whose members come in a random order, and a graph of pairs, with both ways of spreading what is
//! related to nothing. `neighbourhood [PAIRS.tsv]`: two names in each line, with a tab between them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that prints a table and stops on errors"
)]

use std::collections::HashMap;

use cortexkg_columns::{ColumnAllocator, Neighbourhood, Spread};

use crate::filling::draw;

#[path = "../benches/filling/mod.rs"]
mod filling;

/// Relatives that a concept comes with, at most.
const RELATED: u64 = 8;

/// Concepts 0 to `count` in a random order, each with relatives that are there already.
fn stream(
    columns: u32,
    spread: Spread,
    count: u64,
    mut related: impl FnMut(u64) -> Vec<u64>,
) -> ColumnAllocator {
    let mut pool = ColumnAllocator::with_columns(columns).unwrap();
    pool.set_spread(spread);
    let mut order: Vec<u64> = (0..count).collect();
    order.sort_by_key(|&concept| draw(concept));
    for concept in order {
        let mut there = related(concept);
        there.retain(|&other| pool.column_of(other).is_some());
        there.sort_by_key(|&other| draw(other ^ concept << 32));
        let related: Vec<_> = there.into_iter().take(RELATED as usize).map(|other| (other, 1)).collect();
        pool.allocate(concept, &related).unwrap();
    }
    pool
}

fn print(name: &str, of: impl Fn(Spread) -> Neighbourhood) {
    let [compact, roomy] = [Spread::Compact, Spread::Roomy].map(of);
    println!(
        "| {name} | {:.3} | {:.1} | {:.3} | {:.1} |",
        compact.quality(),
        compact.distance_mean,
        roomy.quality(),
        roomy.distance_mean
    );
}

fn main() {
    println!("| related concepts | compact: quality | cells apart | roomy: quality | cells apart |");
    println!("|---|---|---|---|---|");
    let columns = 16_384;
    for family in [4, 8, 32, 128, 1_000] {
        for percent in [25, 50, 90] {
            let families = u64::from(columns) * percent / 100 / family;
            let count = families * family;
            let siblings = |concept: u64| (0..family).map(move |n| concept % families + n * families);
            // Each with the one half a family on.
            let pairs = || (0..count).map(|concept| (concept, (concept + count / 2) % count, 1));
            let pairs = || pairs().filter(|&(a, b, _)| a % families == b % families);
            print(&format!("families of {family}, {percent} % of the columns taken"), |spread| {
                stream(columns, spread, count, |concept| siblings(concept).collect()).neighbourhood(pairs())
            });
        }
    }
    let Some(file) = std::env::args().nth(1) else { return };
    let (mut names, mut pairs) = (HashMap::new(), Vec::new());
    for line in std::fs::read_to_string(&file).unwrap().lines() {
        let mut number = |name: &str| {
            let next = names.len() as u64;
            *names.entry(name.to_owned()).or_insert(next)
        };
        let (a, b) = line.split_once('\t').unwrap();
        pairs.push((number(a), number(b), 1));
    }
    let mut related = vec![Vec::new(); names.len()];
    for &(a, b, _) in &pairs {
        related[a as usize].push(b);
        related[b as usize].push(a);
    }
    for percent in [25, 50, 90] {
        let columns = (names.len() * 100 / percent) as u32;
        print(&format!("{file}, {percent} % of the columns taken"), |spread| {
            let pool =
                stream(columns, spread, names.len() as u64, |concept| related[concept as usize].clone());
            pool.neighbourhood(pairs.iter().copied())
        });
    }
}
