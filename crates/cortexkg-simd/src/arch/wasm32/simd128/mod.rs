//! WebAssembly's fixed-width SIMD: four floats or sixteen codes at a time.
#![allow(unsafe_code, reason = "vector loads and stores through references to arrays of the same size")]

mod codes;
mod floats;
mod mixed;
mod packing;

use std::arch::wasm32::*;

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
#[target_feature(enable = "simd128")]
fn load_f32(chunk: &[f32; WIDTH]) -> v128 {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment.
    unsafe { v128_load(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "simd128")]
fn store_f32(chunk: &mut [f32; WIDTH], value: v128) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment.
    unsafe { v128_store(chunk.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "simd128")]
fn load(chunk: &[u8; 16]) -> v128 {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment.
    unsafe { v128_load(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "simd128")]
fn store_i32(chunk: &mut [i32; 4], value: v128) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment.
    unsafe { v128_store(chunk.as_mut_ptr().cast(), value) }
}
