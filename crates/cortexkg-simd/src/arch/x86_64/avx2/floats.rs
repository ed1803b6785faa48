//! Floats with floats, eight at a time.

use std::arch::x86_64::*;

use super::{WIDTH, load_f32, mixed, store_f32};
use crate::arch::all::scalar::floats::{self as scalar, ABS_MASK};
use crate::arch::{Floats, bytes_of_f32};

pub(super) const KERNELS: Floats = Floats { squared_l2, max_abs, scale, flip_signs, hadamard };

#[target_feature(enable = "avx2,f16c,popcnt")]
fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    mixed::squared_l2(a, bytes_of_f32(b))
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn max_abs(values: &[f32]) -> f32 {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let mask = _mm256_set1_epi32(ABS_MASK as i32);
    let mut max = _mm256_setzero_si256();
    for chunk in chunks {
        // Without their sign the bits are the same order, signed or not.
        max = _mm256_max_epi32(max, _mm256_and_si256(mask, _mm256_castps_si256(load_f32(chunk))));
    }
    let mut lanes = [0.0; WIDTH];
    store_f32(&mut lanes, _mm256_castsi256_ps(max));
    scalar::max_abs(&[scalar::max_abs(&lanes), scalar::max_abs(tail)])
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn scale(values: &mut [f32], factor: f32) {
    scalar::scale(values, factor);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn flip_signs(values: &mut [f32], bits: &[u8]) {
    let (chunks, tail) = values.as_chunks_mut::<WIDTH>();
    let (bytes, bits_tail) = bits.split_at(chunks.len());
    // Moves bit i of lane i to the place of the sign.
    let shifts = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
    let sign = _mm256_set1_epi32(i32::MIN);
    for (chunk, &byte) in chunks.iter_mut().zip(bytes) {
        let signs = _mm256_and_si256(_mm256_sllv_epi32(_mm256_set1_epi32(i32::from(byte)), shifts), sign);
        let flipped = _mm256_xor_ps(load_f32(chunk), _mm256_castsi256_ps(signs));
        store_f32(chunk, flipped);
    }
    scalar::flip_signs(tail, bits_tail);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn hadamard(values: &mut [f32]) {
    if values.len() < WIDTH {
        return scalar::butterflies(values, 1);
    }
    for chunk in values.as_chunks_mut::<WIDTH>().0 {
        let mut x = load_f32(chunk);
        // The other value of each pair in its place; the upper one of a pair takes the difference.
        x = butterfly::<0b1010_1010>(x, _mm256_permute_ps::<0b10_11_00_01>(x));
        x = butterfly::<0b1100_1100>(x, _mm256_permute_ps::<0b01_00_11_10>(x));
        x = butterfly::<0b1111_0000>(x, _mm256_permute2f128_ps::<1>(x, x));
        store_f32(chunk, x);
    }
    scalar::butterflies(values, WIDTH);
}

/// `UPPER` has the bits of the upper value of each pair.
#[inline]
#[target_feature(enable = "avx2")]
fn butterfly<const UPPER: i32>(x: __m256, other: __m256) -> __m256 {
    _mm256_blend_ps::<UPPER>(_mm256_add_ps(x, other), _mm256_sub_ps(other, x))
}
