//! Nanoseconds of each kernel on each level, by criterion, then one table of all of them, measured in turn so that
//! noise hits every level alike, with the ratio to the scalar form; then what memory makes of it.
//!
//! `cargo bench -p cortexkg-simd` runs all; `cargo bench -p cortexkg-simd -- --table` prints the tables alone.
//! `cargo xtask bench kernels` does that with a scalar form that the compiler must not vectorise.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod cases;
mod memory;

use std::hint::black_box;
use std::time::{Duration, Instant};

use cortexkg_simd::{Kernels, Level};
use criterion::{BenchmarkId, Criterion};

use cases::{CASES, Case, Data};

const DIMENSIONS: [usize; 2] = [256, 384];
const ROUNDS: usize = 21;
/// How long one turn of a kernel lasts, about.
const TURN: Duration = Duration::from_micros(300);

fn all_kernels() -> Vec<&'static Kernels> {
    Level::available().into_iter().filter_map(|level| Kernels::for_level(level).ok()).collect()
}

fn by_criterion(criterion: &mut Criterion) {
    for dimension in DIMENSIONS {
        let mut data = Data::new(dimension);
        for case in &CASES {
            let mut group = criterion.benchmark_group(format!("{}/{dimension}", case.name));
            for kernels in all_kernels() {
                let id = BenchmarkId::from_parameter(kernels.level());
                group.bench_function(id, |bencher| {
                    bencher.iter(|| (case.call)(kernels, black_box(&mut data)));
                });
            }
            group.finish();
        }
    }
}

fn table() {
    println!("{:<22}{:>5}  {:<8}{:>10}{:>12}", "kernel", "dim", "level", "ns", "× scalar");
    println!(
        "(kernels of one against many: per row. The lanes of scalar sums are those of the wide levels, so that the"
    );
    println!(
        " compiler may spread them over SSE2; dot_f32 as a plain loop, which has one lane, stands for other code)"
    );
    for dimension in DIMENSIONS {
        let plain =
            Case { name: "dot_f32, plain loop", results: 1, call: |_, d| _ = black_box(d.plain_dot()) };
        println!("{:<22}{dimension:>5}  {:<8}{:>10.2}", plain.name, "-", medians_ns(&plain, dimension)[0].1);
        for case in &CASES {
            let times_ns = medians_ns(case, dimension);
            for (level, time_ns) in &times_ns {
                let ratio = times_ns[0].1 / time_ns;
                println!("{:<22}{dimension:>5}  {level:<8}{time_ns:>10.2}{ratio:>12.2}", case.name);
            }
        }
    }
}

/// The median of rounds in which every level has its turn.
fn medians_ns(case: &Case, dimension: usize) -> Vec<(Level, f64)> {
    let kernels = all_kernels();
    let mut data = Data::new(dimension);
    let mut turn = |kernels: &Kernels, calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            (case.call)(kernels, black_box(&mut data));
        }
        start.elapsed()
    };
    let calls: Vec<u32> = kernels
        .iter()
        .map(|kernels| {
            turn(kernels, 20);
            let call = turn(kernels, 50) / 50;
            (TURN.as_nanos() / call.as_nanos().max(1)).clamp(10, 100_000) as u32
        })
        .collect();
    let mut rounds_ns = vec![Vec::with_capacity(ROUNDS); kernels.len()];
    for _ in 0..ROUNDS {
        for ((kernels, &calls), rounds_ns) in kernels.iter().zip(&calls).zip(&mut rounds_ns) {
            let time = turn(kernels, calls);
            rounds_ns.push(time.as_secs_f64() * 1e9 / f64::from(calls) / case.results as f64);
        }
    }
    let median_ns = |mut rounds_ns: Vec<f64>| {
        rounds_ns.sort_by(f64::total_cmp);
        rounds_ns[ROUNDS / 2]
    };
    kernels.iter().map(|kernels| kernels.level()).zip(rounds_ns.into_iter().map(median_ns)).collect()
}

fn main() {
    if !std::env::args().any(|argument| argument == "--table") {
        let mut criterion = Criterion::default()
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(500))
            .configure_from_args();
        by_criterion(&mut criterion);
        criterion.final_summary();
    }
    if !std::env::args().any(|argument| argument == "--test") {
        table();
        memory::table();
    }
}
