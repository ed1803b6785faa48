//! The definition of every result, in plain Rust: fallback and oracle of the wide levels.

use crate::arch::{LANES, RawKernels};

pub(crate) const KERNELS: RawKernels =
    RawKernels { dot_f32, squared_l2_f32, max_abs_f32, scale_f32, round_to_i8, dot_i8, dot_i8_many };

/// 1.5 · 2²³: a float of this size has a unit of 1, so that adding it rounds to a whole number, half to even, which
/// then stands in the low bits.
const ROUNDING_MAGIC: f32 = 12_582_912.0;

/// All bits of an `f32` but its sign. Absolute values order as these bits do, with every NaN above infinity.
pub(crate) const ABS_MASK: u32 = 0x7fff_ffff;

fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes(a, b, |x, y| x * y)
}

fn squared_l2_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes(a, b, |x, y| (x - y) * (x - y))
}

#[inline]
fn sum_in_lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a_blocks, a_tail) = a.as_chunks::<LANES>();
    let (b_blocks, b_tail) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            lanes[i] += term(a[i], b[i]);
        }
    }
    for (lane, (&x, &y)) in lanes.iter_mut().zip(a_tail.iter().zip(b_tail)) {
        *lane += term(x, y);
    }
    sum_of_lanes(lanes)
}

/// Adds the upper half of the lanes to the lower half until one is left.
fn sum_of_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

pub(crate) fn max_abs_f32(values: &[f32]) -> f32 {
    f32::from_bits(values.iter().fold(0, |max, value| max.max(value.to_bits() & ABS_MASK)))
}

pub(crate) fn scale_f32(values: &mut [f32], factor: f32) {
    for value in values {
        *value *= factor;
    }
}

pub(crate) fn round_to_i8(values: &[f32], factor: f32, codes: &mut [i8]) {
    for (code, value) in codes.iter_mut().zip(values) {
        *code = (value * factor + ROUNDING_MAGIC).to_bits() as i8;
    }
}

pub(crate) fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).fold(0, |sum, (&x, &y)| sum.wrapping_add(i32::from(x) * i32::from(y)))
}

fn dot_i8_many(query: &[i8], codes: &[i8], out: &mut [i32]) {
    for (dot, row) in out.iter_mut().zip(codes.chunks_exact(query.len())) {
        *dot = dot_i8(query, row);
    }
}
