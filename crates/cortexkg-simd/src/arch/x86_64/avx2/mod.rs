//! AVX2 with F16C and POPCNT: eight floats or sixteen 16-bit products at a time.
#![allow(unsafe_code, reason = "vector loads and stores through references to arrays of the same size")]

mod codes;
mod floats;
mod mixed;
mod packing;

use std::arch::x86_64::*;

use crate::arch::{LANES, RawKernels};

pub(super) use codes::store_i32;
pub(super) use mixed::sum_of_8_lanes;

pub(crate) const KERNELS: RawKernels = RawKernels {
    floats: floats::KERNELS,
    mixed: mixed::KERNELS,
    codes: codes::KERNELS,
    packing: packing::KERNELS,
};

/// Floats in a register.
const WIDTH: usize = 8;
/// Registers that hold the [`LANES`] of a sum.
const REGISTERS: usize = LANES / WIDTH;

#[inline]
#[target_feature(enable = "avx2")]
fn load_f32(chunk: &[f32; WIDTH]) -> __m256 {
    // SAFETY: the reference covers the 32 bytes that are read; the load needs no alignment.
    unsafe { _mm256_loadu_ps(chunk.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_f32(chunk: &mut [f32; WIDTH], value: __m256) {
    // SAFETY: the reference covers the 32 bytes that are written; the store needs no alignment.
    unsafe { _mm256_storeu_ps(chunk.as_mut_ptr(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(chunk: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are read; the load needs no alignment.
    unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_16(chunk: &[u8; 16]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment.
    unsafe { _mm_loadu_si128(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_8(chunk: &[u8; 8]) -> __m128i {
    // SAFETY: the reference covers the 8 bytes that are read; the load needs no alignment.
    unsafe { _mm_loadl_epi64(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(chunk: &mut [u8; 32], value: __m256i) {
    // SAFETY: the reference covers the 32 bytes that are written; the store needs no alignment.
    unsafe { _mm256_storeu_si256(chunk.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_16(chunk: &mut [u8; 16], value: __m128i) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment.
    unsafe { _mm_storeu_si128(chunk.as_mut_ptr().cast(), value) }
}
