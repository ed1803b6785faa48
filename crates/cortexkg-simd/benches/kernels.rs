//! Nanoseconds of each kernel on each level, by criterion, then one table of all of them, measured in turn so that
//! noise hits every level alike, with the ratio to the scalar form.
//!
//! `cargo bench -p cortexkg-simd` runs both; `cargo bench -p cortexkg-simd -- --table` prints the table alone.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use cortexkg_simd::{Kernels, Level};
use criterion::{BenchmarkId, Criterion};

const DIMENSIONS: [usize; 2] = [256, 384];
/// Rows of the `dot_i8_many` kernel; figures are per row.
const ROWS: usize = 64;
const ROUNDS: usize = 41;
const CALLS: u32 = 4_000;

struct Data {
    a: Vec<f32>,
    b: Vec<f32>,
    query: Vec<i8>,
    codes: Vec<i8>,
    dots: Vec<i32>,
}

impl Data {
    fn new(dimension: usize) -> Self {
        let a: Vec<f32> = (0..dimension).map(|i| (i as f32 * 0.37).sin()).collect();
        let b: Vec<f32> = (0..dimension).map(|i| (i as f32 * 0.73).cos()).collect();
        let query: Vec<i8> = (0..dimension).map(|i| (i * 89 % 255) as u8 as i8).collect();
        let codes: Vec<i8> = (0..dimension * ROWS).map(|i| (i * 57 % 255) as u8 as i8).collect();
        Self { a, b, query, codes, dots: vec![0; ROWS] }
    }
}

/// One kernel: its name, the results that one call gives, the call.
struct Case {
    name: &'static str,
    results: f64,
    call: fn(&Kernels, &mut Data),
}

const CASES: [Case; 7] = [
    Case { name: "dot_f32", results: 1.0, call: |k, d| _ = black_box(k.dot_f32(&d.a, &d.b)) },
    Case { name: "squared_l2_f32", results: 1.0, call: |k, d| _ = black_box(k.squared_l2_f32(&d.a, &d.b)) },
    Case { name: "max_abs_f32", results: 1.0, call: |k, d| _ = black_box(k.max_abs_f32(&d.a)) },
    Case { name: "normalize_f32", results: 1.0, call: |k, d| _ = black_box(k.normalize_f32(&mut d.a)) },
    Case { name: "quantize_i8", results: 1.0, call: |k, d| _ = black_box(k.quantize_i8(&d.a, &mut d.query)) },
    Case {
        name: "dot_i8",
        results: 1.0,
        call: |k, d| _ = black_box(k.dot_i8(&d.query, &d.codes[..d.query.len()])),
    },
    Case {
        name: "dot_i8_many, per row",
        results: ROWS as f64,
        call: |k, d| {
            k.dot_i8_many(&d.query, &d.codes, &mut d.dots);
            black_box(&d.dots);
        },
    },
];

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

/// What a reader would write: one sum, which the compiler may not spread over lanes.
fn plain_dot_f32(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn table() {
    println!("{:<22}{:>5}  {:<8}{:>10}{:>12}", "kernel", "dim", "level", "ns", "× scalar");
    println!(
        "(scalar sums run in the lanes of the wide levels, so that the compiler spreads them over SSE2;"
    );
    println!(" dot_f32 as a plain loop, which has one lane, stands for code without any of this)");
    for dimension in DIMENSIONS {
        let plain = Case {
            name: "dot_f32, plain loop",
            results: 1.0,
            call: |_, d| _ = black_box(plain_dot_f32(&d.a, &d.b)),
        };
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
    let mut rounds_ns = vec![Vec::with_capacity(ROUNDS); kernels.len()];
    for _ in 0..ROUNDS {
        for (kernels, rounds_ns) in kernels.iter().zip(&mut rounds_ns) {
            let start = Instant::now();
            for _ in 0..CALLS {
                (case.call)(kernels, black_box(&mut data));
            }
            rounds_ns.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS) / case.results);
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
    }
}
