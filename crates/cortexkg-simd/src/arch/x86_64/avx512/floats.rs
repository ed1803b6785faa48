//! Floats with floats, sixteen at a time.
#![allow(unsafe_code, reason = "calls within one level")]

use std::arch::x86_64::*;

use super::{WIDTH, load_f32, mixed, store_f32};
use crate::arch::all::scalar::floats::{self as scalar, ABS_MASK};
use crate::arch::{Floats, bytes_of_f32, padded};

pub(super) const KERNELS: Floats = Floats { squared_l2, max_abs, scale, flip_signs, hadamard };

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    mixed::squared_l2(a, bytes_of_f32(b))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn max_abs(values: &[f32]) -> f32 {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let mask = _mm512_set1_epi32(ABS_MASK as i32);
    let mut max = _mm512_and_si512(mask, _mm512_castps_si512(load_f32(&padded(tail))));
    for chunk in chunks {
        max = _mm512_max_epu32(max, _mm512_and_si512(mask, _mm512_castps_si512(load_f32(chunk))));
    }
    f32::from_bits(_mm512_reduce_max_epu32(max))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn scale(values: &mut [f32], factor: f32) {
    scalar::scale(values, factor);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn flip_signs(values: &mut [f32], bits: &[u8]) {
    let (chunks, tail) = values.as_chunks_mut::<WIDTH>();
    let (masks, bits_tail) = bits.split_at(chunks.len() * 2);
    let sign = _mm512_set1_epi32(i32::MIN);
    for (chunk, mask) in chunks.iter_mut().zip(masks.as_chunks().0) {
        let value = _mm512_castps_si512(load_f32(chunk));
        let flipped = _mm512_mask_xor_epi32(value, u16::from_le_bytes(*mask), value, sign);
        store_f32(chunk, _mm512_castsi512_ps(flipped));
    }
    scalar::flip_signs(tail, bits_tail);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn hadamard(values: &mut [f32]) {
    if values.len() < WIDTH {
        return scalar::butterflies(values, 1);
    }
    for chunk in values.as_chunks_mut::<WIDTH>().0 {
        let mut x = load_f32(chunk);
        // The other value of each pair in its place; the upper one of a pair takes the difference.
        x = butterfly::<0b1010_1010_1010_1010>(x, _mm512_permute_ps::<0b10_11_00_01>(x));
        x = butterfly::<0b1100_1100_1100_1100>(x, _mm512_permute_ps::<0b01_00_11_10>(x));
        x = butterfly::<0b1111_0000_1111_0000>(x, _mm512_shuffle_f32x4::<0b10_11_00_01>(x, x));
        x = butterfly::<0b1111_1111_0000_0000>(x, _mm512_shuffle_f32x4::<0b01_00_11_10>(x, x));
        store_f32(chunk, x);
    }
    scalar::butterflies(values, WIDTH);
}

/// `UPPER` has the bits of the upper value of each pair.
#[inline]
#[target_feature(enable = "avx512f")]
fn butterfly<const UPPER: u16>(x: __m512, other: __m512) -> __m512 {
    _mm512_mask_sub_ps(_mm512_add_ps(x, other), UPPER, other, x)
}
