//! Floats with floats, four at a time.

use std::arch::wasm32::*;

use super::{WIDTH, load_f32, mixed, store_f32};
use crate::arch::all::scalar::floats::{self as scalar, ABS_MASK};
use crate::arch::{Floats, bytes_of_f32};

pub(super) const KERNELS: Floats = Floats { squared_l2, max_abs, scale, flip_signs, hadamard };

#[target_feature(enable = "simd128")]
fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    mixed::squared_l2(a, bytes_of_f32(b))
}

#[target_feature(enable = "simd128")]
fn max_abs(values: &[f32]) -> f32 {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let mask = u32x4_splat(ABS_MASK);
    let mut max = u32x4_splat(0);
    for chunk in chunks {
        max = u32x4_max(max, v128_and(mask, load_f32(chunk)));
    }
    let mut lanes = [0.0; WIDTH];
    store_f32(&mut lanes, max);
    scalar::max_abs(&[scalar::max_abs(&lanes), scalar::max_abs(tail)])
}

#[target_feature(enable = "simd128")]
fn scale(values: &mut [f32], factor: f32) {
    scalar::scale(values, factor);
}

#[target_feature(enable = "simd128")]
fn flip_signs(values: &mut [f32], bits: &[u8]) {
    let (chunks, tail) = values.as_chunks_mut::<{ 2 * WIDTH }>();
    let (bytes, bits_tail) = bits.split_at(chunks.len());
    let places = [i32x4(1, 2, 4, 8), i32x4(16, 32, 64, 128)];
    let sign = i32x4_splat(i32::MIN);
    for (chunk, &byte) in chunks.iter_mut().zip(bytes) {
        let byte = i32x4_splat(i32::from(byte));
        for (chunk, place) in chunk.as_chunks_mut().0.iter_mut().zip(places) {
            let flips = v128_and(i32x4_eq(v128_and(byte, place), place), sign);
            let flipped = v128_xor(load_f32(chunk), flips);
            store_f32(chunk, flipped);
        }
    }
    scalar::flip_signs(tail, bits_tail);
}

#[target_feature(enable = "simd128")]
fn hadamard(values: &mut [f32]) {
    if values.len() < WIDTH {
        return scalar::butterflies(values, 1);
    }
    // The upper value of each pair takes the difference.
    let upper = [i32x4(0, -1, 0, -1), i32x4(0, 0, -1, -1)];
    for chunk in values.as_chunks_mut::<WIDTH>().0 {
        let x = load_f32(chunk);
        let x = butterfly(x, i32x4_shuffle::<1, 0, 3, 2>(x, x), upper[0]);
        let x = butterfly(x, i32x4_shuffle::<2, 3, 0, 1>(x, x), upper[1]);
        store_f32(chunk, x);
    }
    scalar::butterflies(values, WIDTH);
}

/// `other` has the other value of each pair in its place.
#[inline]
#[target_feature(enable = "simd128")]
fn butterfly(x: v128, other: v128, upper: v128) -> v128 {
    v128_bitselect(f32x4_sub(other, x), f32x4_add(x, other), upper)
}
