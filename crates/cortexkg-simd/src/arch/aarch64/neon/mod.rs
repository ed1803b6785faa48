//! NEON: four floats or sixteen codes at a time.
//!
//! Every 64-bit ARM has it, so plain loops use it too, where the compiler sees how: what works element by element is the
//! scalar form.
#![allow(unsafe_code, reason = "vector loads and stores through references to arrays of the same size")]

mod codes;
mod floats;
mod mixed;
mod packing;

use std::arch::aarch64::*;

use crate::arch::{LANES, RawKernels};

pub(crate) const KERNELS: RawKernels = RawKernels {
    floats: floats::KERNELS,
    mixed: mixed::KERNELS,
    codes: codes::KERNELS,
    packing: packing::KERNELS,
};

/// Floats in a register.
const WIDTH: usize = 4;
/// Registers that hold the [`LANES`] of a sum.
const REGISTERS: usize = LANES / WIDTH;

#[inline]
#[target_feature(enable = "neon")]
fn load_f32(chunk: &[f32; WIDTH]) -> float32x4_t {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment but that of a float.
    unsafe { vld1q_f32(chunk.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store_f32(chunk: &mut [f32; WIDTH], value: float32x4_t) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment but that of a float.
    unsafe { vst1q_f32(chunk.as_mut_ptr(), value) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(chunk: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment.
    unsafe { vld1q_u8(chunk.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_8(chunk: &[u8; 8]) -> uint8x8_t {
    // SAFETY: the reference covers the 8 bytes that are read; the load needs no alignment.
    unsafe { vld1_u8(chunk.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_u32(chunk: &[u32; 4]) -> uint32x4_t {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment but that of its elements.
    unsafe { vld1q_u32(chunk.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store_8(chunk: &mut [u8; 8], value: uint8x8_t) {
    // SAFETY: the reference covers the 8 bytes that are written; the store needs no alignment.
    unsafe { vst1_u8(chunk.as_mut_ptr(), value) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store_i32(chunk: &mut [i32; 4], value: int32x4_t) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment but that of its elements.
    unsafe { vst1q_s32(chunk.as_mut_ptr(), value) }
}
