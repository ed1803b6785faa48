//! Microseconds of one exact search, by size and SIMD level, each level in turn; and the bytes read per second.
//!
//! `cargo bench -p cortexkg-index --bench flat`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and stops on errors"
)]

use std::hint::black_box;
use std::time::Instant;

use cortexkg_index::{FlatIndex, Q8Code};
use cortexkg_simd::{Kernels, Level};

const ROUNDS: usize = 31;
const KS: [usize; 2] = [1, 64];

fn code(dimension: usize, seed: u64) -> Q8Code {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let values: Vec<f32> = (0..dimension)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        })
        .collect();
    Q8Code::from_embedding(&values).unwrap()
}

fn main() {
    println!(
        "{:>8}{:>5}{:>5}  {:<8}{:>10}{:>9}{:>11}",
        "vectors", "dim", "k", "level", "µs", "GB/s", "× scalar"
    );
    for (vectors, dimension) in [(256, 256), (1_024, 256), (4_096, 256), (4_096, 384), (65_536, 256)] {
        let codes: Vec<Q8Code> = (0..vectors).map(|id| code(dimension, id)).collect();
        let indexes: Vec<(Level, FlatIndex)> = Level::available()
            .into_iter()
            .map(|level| (level, filled(Kernels::for_level(level).unwrap(), dimension, &codes)))
            .collect();
        for k in KS {
            let medians_us = medians_us(&indexes, &codes, k);
            for ((level, index), median_us) in indexes.iter().zip(&medians_us) {
                let speed = (index.len() * dimension) as f64 / median_us / 1e3;
                let ratio = medians_us[0] / median_us;
                println!(
                    "{vectors:>8}{dimension:>5}{k:>5}  {level:<8}{median_us:>10.2}{speed:>9.1}{ratio:>11.2}"
                );
            }
        }
    }
}

fn filled(kernels: &'static Kernels, dimension: usize, codes: &[Q8Code]) -> FlatIndex {
    let mut index = FlatIndex::with_kernels(dimension, kernels).unwrap();
    for (id, code) in (0..).zip(codes) {
        index.add(id, code).unwrap();
    }
    index
}

/// The median of rounds in which every level has its turn.
fn medians_us(indexes: &[(Level, FlatIndex)], codes: &[Q8Code], k: usize) -> Vec<f64> {
    let calls = (1 << 17) / codes.len().min(1 << 16);
    let mut rounds_us = vec![Vec::with_capacity(ROUNDS); indexes.len()];
    let mut hits = Vec::new();
    for round in 0..ROUNDS {
        for ((_, index), rounds_us) in indexes.iter().zip(&mut rounds_us) {
            let start = Instant::now();
            for call in 0..calls {
                index.search(&codes[(round * 31 + call) % codes.len()], k, &mut hits).unwrap();
                black_box(&hits);
            }
            rounds_us.push(start.elapsed().as_secs_f64() * 1e6 / calls as f64);
        }
    }
    let median_us = |mut rounds_us: Vec<f64>| {
        rounds_us.sort_by(f64::total_cmp);
        rounds_us[ROUNDS / 2]
    };
    rounds_us.into_iter().map(median_us).collect()
}
