//! Nanoseconds of the main kernels on each level that is there, measured in turn, and the ratio to the scalar form. Needs nothing but a
//! clock, so it runs as WebAssembly as well: `cargo xtask bench kernels --wasm`.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use cortexkg_simd::{Kernels, Level, Rows};

const DIMENSION: usize = 384;
const ROWS: usize = 64;
const ROUNDS: usize = 31;
const CALLS: u32 = 200;

struct Data {
    query: Vec<f32>,
    codes: Vec<i8>,
    floats: Vec<u8>,
    bytes: Vec<u8>,
    products: Vec<f32>,
    dots: Vec<i32>,
}

/// Compares one query with [`ROWS`] rows.
type Case = (&'static str, fn(&Kernels, &mut Data));

const CASES: [Case; 4] = [
    ("f32", |k, d| k.dot_f32_rows(&d.query, Rows::new(&d.floats, 4 * DIMENSION), 0, &mut d.products)),
    ("q8", |k, d| k.dot_i8_rows(&d.codes, Rows::new(&d.bytes, DIMENSION), 0, &mut d.dots)),
    ("q4", |k, d| k.dot_i8_u4_rows(&d.codes, Rows::new(&d.bytes, DIMENSION / 2), 0, &mut d.dots)),
    ("b1", |k, d| k.dot_i8_b1_rows(&d.codes, Rows::new(&d.bytes, DIMENSION / 8), 0, &mut d.dots)),
];

fn main() {
    let query: Vec<f32> = (0..DIMENSION).map(|i| (i * 89 % 255) as f32 / 127.0 - 1.0).collect();
    let mut data = Data {
        codes: (0..DIMENSION).map(|i| (i * 89 % 255) as u8 as i8).collect(),
        floats: (0..ROWS).flat_map(|_| &query).flat_map(|value| value.to_ne_bytes()).collect(),
        bytes: (0..ROWS * DIMENSION).map(|i| (i * 57 % 255) as u8).collect(),
        query,
        products: vec![0.0; ROWS],
        dots: vec![0; ROWS],
    };
    let levels: Vec<&Kernels> =
        Level::available().into_iter().filter_map(|level| Kernels::for_level(level).ok()).collect();
    println!(
        "{DIMENSION} dimensions, one query with {ROWS} rows, ns for a row, median of {ROUNDS} rounds in turn"
    );
    println!("{:<6}{:<10}{:>8}{:>10}", "code", "level", "ns", "× scalar");
    for (name, call) in CASES {
        let mut rounds_ns = vec![Vec::with_capacity(ROUNDS); levels.len()];
        for _ in 0..ROUNDS {
            for (kernels, rounds_ns) in levels.iter().zip(&mut rounds_ns) {
                let start = Instant::now();
                for _ in 0..CALLS {
                    call(kernels, black_box(&mut data));
                }
                rounds_ns.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS) / ROWS as f64);
            }
        }
        let medians_ns: Vec<f64> = rounds_ns
            .into_iter()
            .map(|mut rounds_ns| {
                rounds_ns.sort_by(f64::total_cmp);
                rounds_ns[ROUNDS / 2]
            })
            .collect();
        for (kernels, median_ns) in levels.iter().zip(&medians_ns) {
            let level = kernels.level().to_string();
            println!("{name:<6}{level:<10}{median_ns:>8.1}{:>10.2}", medians_ns[0] / median_ns);
        }
    }
}
