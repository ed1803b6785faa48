//! Floats with floats, four at a time.

use std::arch::aarch64::*;

use super::{WIDTH, load_f32, load_u32, mixed, store_f32};
use crate::arch::all::scalar::floats::{self as scalar, ABS_MASK};
use crate::arch::{Floats, bytes_of_f32};

pub(super) const KERNELS: Floats = Floats { squared_l2, max_abs, flip_signs, hadamard, ..scalar::KERNELS };

#[target_feature(enable = "neon")]
fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    mixed::squared_l2(a, bytes_of_f32(b))
}

#[target_feature(enable = "neon")]
fn max_abs(values: &[f32]) -> f32 {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let mask = vdupq_n_u32(ABS_MASK);
    let mut max = vdupq_n_u32(0);
    for chunk in chunks {
        max = vmaxq_u32(max, vandq_u32(mask, vreinterpretq_u32_f32(load_f32(chunk))));
    }
    scalar::max_abs(&[f32::from_bits(vmaxvq_u32(max)), scalar::max_abs(tail)])
}

#[target_feature(enable = "neon")]
fn flip_signs(values: &mut [f32], bits: &[u8]) {
    let (chunks, tail) = values.as_chunks_mut::<{ 2 * WIDTH }>();
    let (bytes, bits_tail) = bits.split_at(chunks.len());
    let places = [load_u32(&[1, 2, 4, 8]), load_u32(&[16, 32, 64, 128])];
    let sign = vdupq_n_u32(1 << 31);
    for (chunk, &byte) in chunks.iter_mut().zip(bytes) {
        let byte = vdupq_n_u32(u32::from(byte));
        for (chunk, place) in chunk.as_chunks_mut().0.iter_mut().zip(places) {
            let flips = vandq_u32(vtstq_u32(byte, place), sign);
            let flipped = veorq_u32(vreinterpretq_u32_f32(load_f32(chunk)), flips);
            store_f32(chunk, vreinterpretq_f32_u32(flipped));
        }
    }
    scalar::flip_signs(tail, bits_tail);
}

#[target_feature(enable = "neon")]
fn hadamard(values: &mut [f32]) {
    if values.len() < WIDTH {
        return scalar::butterflies(values, 1);
    }
    // The upper value of each pair takes the difference.
    let upper = [load_u32(&[0, u32::MAX, 0, u32::MAX]), load_u32(&[0, 0, u32::MAX, u32::MAX])];
    for chunk in values.as_chunks_mut::<WIDTH>().0 {
        let x = load_f32(chunk);
        let x = butterfly(x, vrev64q_f32(x), upper[0]);
        let x = butterfly(x, vextq_f32::<2>(x, x), upper[1]);
        store_f32(chunk, x);
    }
    scalar::butterflies(values, WIDTH);
}

/// `other` has the other value of each pair in its place.
#[inline]
#[target_feature(enable = "neon")]
fn butterfly(x: float32x4_t, other: float32x4_t, upper: uint32x4_t) -> float32x4_t {
    vbslq_f32(upper, vsubq_f32(other, x), vaddq_f32(x, other))
}
