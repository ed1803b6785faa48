//! Floats to codes and back: what plain loops cannot say.
#![allow(unsafe_code, reason = "an instruction without a stable name")]

use std::arch::aarch64::*;
use std::arch::asm;

use super::mixed::widen_f16;
use super::{WIDTH, load_f32, load_u32, store_8, store_f32};
use crate::arch::Packing;
use crate::arch::all::scalar::packing as scalar;

pub(super) const KERNELS: Packing = Packing { f32_to_f16, f16_to_f32, pack_signs, ..scalar::KERNELS };

#[target_feature(enable = "neon")]
fn f32_to_f16(values: &[f32], code: &mut [u8]) {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let (codes, code_tail) = code.split_at_mut(chunks.len() * 2 * WIDTH);
    for (values, code) in chunks.iter().zip(codes.as_chunks_mut().0) {
        let halves: uint8x8_t;
        // SAFETY: FCVTN is part of NEON; it reads one register and writes the other.
        unsafe {
            asm!(
                "fcvtn {halves:v}.4h, {floats:v}.4s",
                halves = lateout(vreg) halves,
                floats = in(vreg) load_f32(values),
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        store_8(code, halves);
    }
    scalar::f32_to_f16(tail, code_tail);
}

#[target_feature(enable = "neon")]
fn f16_to_f32(code: &[u8], values: &mut [f32]) {
    let (chunks, tail) = values.as_chunks_mut::<WIDTH>();
    let (codes, code_tail) = code.split_at(chunks.len() * 2 * WIDTH);
    for (values, code) in chunks.iter_mut().zip(codes.as_chunks().0) {
        store_f32(values, widen_f16(code));
    }
    scalar::f16_to_f32(code_tail, tail);
}

#[target_feature(enable = "neon")]
fn pack_signs(values: &[f32], code: &mut [u8]) {
    let (chunks, tail) = values.as_chunks::<{ 2 * WIDTH }>();
    let (codes, code_tail) = code.split_at_mut(chunks.len());
    let places = [load_u32(&[1, 2, 4, 8]), load_u32(&[16, 32, 64, 128])];
    for (values, code) in chunks.iter().zip(codes) {
        let values = values.as_chunks().0;
        let low = vandq_u32(vcgezq_f32(load_f32(&values[0])), places[0]);
        let high = vandq_u32(vcgezq_f32(load_f32(&values[1])), places[1]);
        *code = vaddvq_u32(vorrq_u32(low, high)) as u8;
    }
    scalar::pack_signs(tail, code_tail);
}
