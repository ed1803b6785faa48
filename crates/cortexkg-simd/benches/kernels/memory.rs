//! Kernels on tables far larger than any cache: how near a scan comes to reading alone, and what rows from anywhere cost.

use std::hint::black_box;
use std::time::Instant;

use cortexkg_simd::{Kernels, Level, Rows};

const DIMENSION: usize = 384;
const TABLE_BYTES: usize = 192 << 20;
const ROUNDS: usize = 9;
/// Rows that a step of a graph search asks for at once.
const PICKED_AT_ONCE: usize = 32;

/// Prints the rows of the table that depend on memory.
pub(crate) fn table() {
    let bytes: Vec<u8> = (0..TABLE_BYTES).map(|i| ((i * 57) >> 3) as u8).collect();
    let query: Vec<i8> = (0..DIMENSION).map(|i| (i * 89 % 255) as u8 as i8).collect();
    let floats: Vec<f32> = query.iter().map(|&code| f32::from(code)).collect();
    let kernels = Kernels::for_level(Level::detect()).unwrap_or(Kernels::active());
    println!("\n{} MiB on {}, medians of {ROUNDS} rounds in turn", TABLE_BYTES >> 20, kernels.level());

    let mut dots = vec![0; TABLE_BYTES / DIMENSION];
    let (mut read_ns, mut scan_ns) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        read_ns.push(nanoseconds(|| _ = black_box(read(&bytes))));
        scan_ns.push(nanoseconds(|| {
            // As much at once as stays in the first cache with its results.
            for (i, dots) in dots.chunks_mut(256).enumerate() {
                kernels.dot_i8_rows(&query, Rows::new(&bytes, DIMENSION), 256 * i, dots);
            }
            black_box(&dots);
        }));
    }
    let bandwidth = |ns: Vec<f64>| TABLE_BYTES as f64 / median(ns);
    let (read, scan) = (bandwidth(read_ns), bandwidth(scan_ns));
    println!("plain reading       {read:>7.2} GB/s");
    println!("dot_i8_rows, 384-d  {scan:>7.2} GB/s  {:>4.0} % of it", 100.0 * scan / read);

    println!("\nrows from anywhere, {PICKED_AT_ONCE} at once, 384-d   one by one ns   _at ns   ratio");
    let f16 = |row: usize| kernels.dot_f32_f16(&floats, code(&bytes, row, 2 * DIMENSION));
    picked("f16", 2 * DIMENSION, &bytes, &f16, &|rows, at, out| {
        kernels.dot_f32_f16_at(&floats, rows, at, out);
    });
    let signed: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
    let i8 = |row: usize| kernels.dot_i8(&query, code(&signed, row, DIMENSION));
    picked("i8", DIMENSION, &bytes, &i8, &|rows, at, out| kernels.dot_i8_at(&query, rows, at, out));
    let u4 = |row: usize| kernels.dot_i8_u4(&query, code(&bytes, row, DIMENSION / 2));
    picked("u4", DIMENSION / 2, &bytes, &u4, &|rows, at, out| kernels.dot_i8_u4_at(&query, rows, at, out));
    let b1 = |row: usize| kernels.dot_i8_b1(&query, code(&bytes, row, DIMENSION / 8));
    picked("b1", DIMENSION / 8, &bytes, &b1, &|rows, at, out| kernels.dot_i8_b1_at(&query, rows, at, out));
}

fn code<T>(table: &[T], row: usize, len: usize) -> &[T] {
    &table[row * len..][..len]
}

type Many<'a, T> = &'a dyn Fn(Rows<'_>, &[u32], &mut [T]);

/// A kernel that is told all rows at once beside the one of a pair, row by row.
fn picked<T: Copy + Default>(
    name: &str,
    stride: usize,
    bytes: &[u8],
    one: &dyn Fn(usize) -> T,
    many: Many<'_, T>,
) {
    let count = bytes.len() / stride;
    let mut state = 1_u64;
    let at: Vec<u32> = (0..40 * 1024)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) % count as u64) as u32
        })
        .collect();
    let mut out = [T::default(); PICKED_AT_ONCE];
    let (mut one_ns, mut many_ns) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Other rows each time, so that none is found where the round before left it.
        let at: Vec<u32> = at.iter().map(|row| (row + round as u32 * 7919) % count as u32).collect();
        let (first, second) = at.split_at(at.len() / 2);
        one_ns.push(nanoseconds(|| {
            for &row in first {
                black_box(one(row as usize));
            }
        }));
        many_ns.push(nanoseconds(|| {
            for at in second.chunks_exact(PICKED_AT_ONCE) {
                many(Rows::new(bytes, stride), at, &mut out);
                black_box(&out);
            }
        }));
    }
    let per_row = |ns| median(ns) / (at.len() / 2) as f64;
    let (one_ns, many_ns) = (per_row(one_ns), per_row(many_ns));
    println!("{name:<47}{one_ns:>11.1}{many_ns:>9.1}{:>8.2}", one_ns / many_ns);
}

/// Reads everything, with as little to do beside as can be.
fn read(bytes: &[u8]) -> u64 {
    let mut sums = [0_u64; 8];
    for line in bytes.as_chunks::<64>().0 {
        for (sum, word) in sums.iter_mut().zip(line.as_chunks().0) {
            *sum = sum.wrapping_add(u64::from_ne_bytes(*word));
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}

fn nanoseconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
