//! Floats to codes and back, eight at a time.

use std::arch::x86_64::*;

use super::{WIDTH, load_16, load_f32, store, store_16, store_f32};
use crate::arch::all::scalar::packing as scalar;
use crate::arch::{Packing, U4_BLOCK, bytes_of_i8_mut};

pub(super) const KERNELS: Packing =
    Packing { round_to_i8, f32_to_f16, f16_to_f32, quantize_u4, pack_u4, unpack_u4, pack_signs };

#[target_feature(enable = "avx2,f16c,popcnt")]
fn round_to_i8(values: &[f32], factor: f32, codes: &mut [i8]) {
    let (blocks, tail) = values.as_chunks::<{ 4 * WIDTH }>();
    let (codes, code_tail) = codes.split_at_mut(blocks.len() * 4 * WIDTH);
    let factors = _mm256_set1_ps(factor);
    for (values, codes) in blocks.iter().zip(bytes_of_i8_mut(codes).as_chunks_mut().0) {
        let mut rounded = [_mm256_setzero_si256(); 4];
        for (rounded, values) in rounded.iter_mut().zip(values.as_chunks().0) {
            *rounded = _mm256_cvtps_epi32(_mm256_mul_ps(load_f32(values), factors));
        }
        store(codes, narrow(rounded));
    }
    scalar::round_to_i8(tail, factor, code_tail);
}

/// 32 whole numbers to bytes, in order.
#[inline]
#[target_feature(enable = "avx2")]
fn narrow([a, b, c, d]: [__m256i; 4]) -> __m256i {
    let (low, high) = (_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    // Packing works within each half of a register: this puts the groups of four back in order.
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn f32_to_f16(values: &[f32], code: &mut [u8]) {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let (codes, code_tail) = code.split_at_mut(chunks.len() * 2 * WIDTH);
    for (values, code) in chunks.iter().zip(codes.as_chunks_mut().0) {
        store_16(code, _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(load_f32(values)));
    }
    scalar::f32_to_f16(tail, code_tail);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn f16_to_f32(code: &[u8], values: &mut [f32]) {
    let (chunks, tail) = values.as_chunks_mut::<WIDTH>();
    let (codes, code_tail) = code.split_at(chunks.len() * 2 * WIDTH);
    for (values, code) in chunks.iter_mut().zip(codes.as_chunks().0) {
        store_f32(values, _mm256_cvtph_ps(load_16(code)));
    }
    scalar::f16_to_f32(code_tail, tail);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn quantize_u4(values: &[f32], factor: f32, code: &mut [u8]) {
    let (blocks, tail) = values.as_chunks::<U4_BLOCK>();
    let (codes, code_tail) = code.split_at_mut(blocks.len() * U4_BLOCK / 2);
    for (values, code) in blocks.iter().zip(codes.as_chunks_mut().0) {
        let values = values.as_chunks().0;
        let mut bytes = [_mm256_setzero_si256(); 4];
        for (i, bytes) in bytes.iter_mut().enumerate() {
            let (low, high) = (level(&values[i], factor), level(&values[i + 4], factor));
            // At most 255 as 32 bits; packing saturates at 127, so the upper half becomes its negative.
            let byte = _mm256_or_si256(low, _mm256_slli_epi32::<4>(high));
            *bytes = _mm256_srai_epi32::<24>(_mm256_slli_epi32::<24>(byte));
        }
        store(code, narrow(bytes));
    }
    if !tail.is_empty() {
        scalar::quantize_u4(tail, factor, code_tail);
    }
}

/// Eight levels, 0..=15.
#[inline]
#[target_feature(enable = "avx2")]
fn level(values: &[f32; WIDTH], factor: f32) -> __m256i {
    let scaled = _mm256_mul_ps(load_f32(values), _mm256_set1_ps(factor));
    // Of a NaN and a number, `max` gives its second operand.
    let at_least_0 = _mm256_max_ps(_mm256_add_ps(scaled, _mm256_set1_ps(7.5)), _mm256_setzero_ps());
    _mm256_cvtps_epi32(_mm256_min_ps(at_least_0, _mm256_set1_ps(15.0)))
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn pack_u4(values: &[u8], code: &mut [u8]) {
    scalar::pack_u4(values, code);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn unpack_u4(code: &[u8], values: &mut [u8]) {
    scalar::unpack_u4(code, values);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn pack_signs(values: &[f32], code: &mut [u8]) {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let (codes, code_tail) = code.split_at_mut(chunks.len());
    for (values, code) in chunks.iter().zip(codes) {
        let at_least_0 = _mm256_cmp_ps::<_CMP_GE_OQ>(load_f32(values), _mm256_setzero_ps());
        *code = _mm256_movemask_ps(at_least_0) as u8;
    }
    scalar::pack_signs(tail, code_tail);
}
