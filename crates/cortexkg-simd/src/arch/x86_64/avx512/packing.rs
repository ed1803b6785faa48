//! Floats to codes and back, sixteen at a time.

use std::arch::x86_64::*;

use super::{WIDTH, load_32, load_f32, store_16, store_32, store_f32};
use crate::arch::all::scalar::packing as scalar;
use crate::arch::{Packing, U4_BLOCK, bytes_of_i8_mut};

pub(super) const KERNELS: Packing =
    Packing { round_to_i8, f32_to_f16, f16_to_f32, quantize_u4, pack_u4, unpack_u4, pack_signs };

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn round_to_i8(values: &[f32], factor: f32, codes: &mut [i8]) {
    let (value_chunks, value_tail) = values.as_chunks::<WIDTH>();
    let (codes, code_tail) = codes.split_at_mut(value_chunks.len() * WIDTH);
    let factors = _mm512_set1_ps(factor);
    for (values, codes) in value_chunks.iter().zip(bytes_of_i8_mut(codes).as_chunks_mut().0) {
        let rounded = _mm512_cvtps_epi32(_mm512_mul_ps(load_f32(values), factors));
        store_16(codes, _mm512_cvtepi32_epi8(rounded));
    }
    scalar::round_to_i8(value_tail, factor, code_tail);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn f32_to_f16(values: &[f32], code: &mut [u8]) {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let (codes, code_tail) = code.split_at_mut(chunks.len() * 2 * WIDTH);
    for (values, code) in chunks.iter().zip(codes.as_chunks_mut().0) {
        store_32(code, _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(load_f32(values)));
    }
    scalar::f32_to_f16(tail, code_tail);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn f16_to_f32(code: &[u8], values: &mut [f32]) {
    let (chunks, tail) = values.as_chunks_mut::<WIDTH>();
    let (codes, code_tail) = code.split_at(chunks.len() * 2 * WIDTH);
    for (values, code) in chunks.iter_mut().zip(codes.as_chunks().0) {
        store_f32(values, _mm512_cvtph_ps(load_32(code)));
    }
    scalar::f16_to_f32(code_tail, tail);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn quantize_u4(values: &[f32], factor: f32, code: &mut [u8]) {
    let (blocks, tail) = values.as_chunks::<U4_BLOCK>();
    let (codes, code_tail) = code.split_at_mut(blocks.len() * U4_BLOCK / 2);
    for (values, code) in blocks.iter().zip(codes.as_chunks_mut::<{ U4_BLOCK / 2 }>().0) {
        let values = values.as_chunks().0;
        for (i, code) in code.as_chunks_mut().0.iter_mut().enumerate() {
            let (low, high) = (level(&values[i], factor), level(&values[i + 2], factor));
            store_16(code, _mm512_cvtepi32_epi8(_mm512_or_si512(low, _mm512_slli_epi32::<4>(high))));
        }
    }
    if !tail.is_empty() {
        scalar::quantize_u4(tail, factor, code_tail);
    }
}

/// Sixteen levels, 0..=15.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn level(values: &[f32; WIDTH], factor: f32) -> __m512i {
    let scaled = _mm512_mul_ps(load_f32(values), _mm512_set1_ps(factor));
    // Of a NaN and a number, `max` gives its second operand.
    let at_least_0 = _mm512_max_ps(_mm512_add_ps(scaled, _mm512_set1_ps(7.5)), _mm512_setzero_ps());
    _mm512_cvtps_epi32(_mm512_min_ps(at_least_0, _mm512_set1_ps(15.0)))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn pack_u4(values: &[u8], code: &mut [u8]) {
    scalar::pack_u4(values, code);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn unpack_u4(code: &[u8], values: &mut [u8]) {
    scalar::unpack_u4(code, values);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn pack_signs(values: &[f32], code: &mut [u8]) {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let (codes, code_tail) = code.split_at_mut(chunks.len() * 2);
    for (values, code) in chunks.iter().zip(codes.as_chunks_mut().0) {
        *code = signs(values).to_le_bytes();
    }
    // -1 after the tail: its bits are 0.
    let mut last = [-1.0; WIDTH];
    last[..tail.len()].copy_from_slice(tail);
    code_tail.copy_from_slice(&signs(&last).to_le_bytes()[..code_tail.len()]);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn signs(values: &[f32; WIDTH]) -> __mmask16 {
    _mm512_cmp_ps_mask::<_CMP_GE_OQ>(load_f32(values), _mm512_setzero_ps())
}
