//! Floats to codes and back. Plain loops, which the compiler spreads over the registers of this level, where it sees how.

use std::arch::wasm32::*;

use super::mixed::widen_f16;
use super::{WIDTH, load_f32, store_f32};
use crate::arch::Packing;
use crate::arch::all::scalar::packing as scalar;

pub(super) const KERNELS: Packing =
    Packing { round_to_i8, f32_to_f16, f16_to_f32, quantize_u4, pack_u4, unpack_u4, pack_signs };

#[target_feature(enable = "simd128")]
fn round_to_i8(values: &[f32], factor: f32, codes: &mut [i8]) {
    scalar::round_to_i8(values, factor, codes);
}

#[target_feature(enable = "simd128")]
fn f32_to_f16(values: &[f32], code: &mut [u8]) {
    scalar::f32_to_f16(values, code);
}

#[target_feature(enable = "simd128")]
fn f16_to_f32(code: &[u8], values: &mut [f32]) {
    let (chunks, tail) = values.as_chunks_mut::<{ 2 * WIDTH }>();
    let (codes, code_tail) = code.split_at(chunks.len() * 4 * WIDTH);
    for (values, code) in chunks.iter_mut().zip(codes.as_chunks().0) {
        for (values, floats) in values.as_chunks_mut().0.iter_mut().zip(widen_f16(code)) {
            store_f32(values, floats);
        }
    }
    scalar::f16_to_f32(code_tail, tail);
}

#[target_feature(enable = "simd128")]
fn quantize_u4(values: &[f32], factor: f32, code: &mut [u8]) {
    scalar::quantize_u4(values, factor, code);
}

#[target_feature(enable = "simd128")]
fn pack_u4(values: &[u8], code: &mut [u8]) {
    scalar::pack_u4(values, code);
}

#[target_feature(enable = "simd128")]
fn unpack_u4(code: &[u8], values: &mut [u8]) {
    scalar::unpack_u4(code, values);
}

#[target_feature(enable = "simd128")]
fn pack_signs(values: &[f32], code: &mut [u8]) {
    let (chunks, tail) = values.as_chunks::<{ 2 * WIDTH }>();
    let (codes, code_tail) = code.split_at_mut(chunks.len());
    let zero = f32x4_splat(0.0);
    for (values, code) in chunks.iter().zip(codes) {
        let values = values.as_chunks().0;
        let low = i32x4_bitmask(f32x4_ge(load_f32(&values[0]), zero));
        let high = i32x4_bitmask(f32x4_ge(load_f32(&values[1]), zero));
        *code = low | high << 4;
    }
    scalar::pack_signs(tail, code_tail);
}
