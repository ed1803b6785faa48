//! AVX-512 with VNNI: sixteen floats or 64 codes at a time.
#![allow(
    unsafe_code,
    reason = "vector loads and stores through references to arrays of the same size, or masked"
)]

mod codes;
mod floats;
mod mixed;
mod packing;

use std::arch::x86_64::*;

use crate::arch::{LANES, RawKernels};

pub(crate) const KERNELS: RawKernels = RawKernels {
    floats: floats::KERNELS,
    mixed: mixed::KERNELS,
    codes: codes::KERNELS,
    packing: packing::KERNELS,
};

/// For CPUs without VPOPCNTDQ.
pub(crate) const KERNELS_WITHOUT_POPCNT: RawKernels = RawKernels {
    floats: floats::KERNELS,
    mixed: mixed::KERNELS,
    codes: codes::KERNELS_WITHOUT_POPCNT,
    packing: packing::KERNELS,
};

/// Floats in a register.
const WIDTH: usize = 16;
/// Bytes in a register.
const BYTES: usize = 64;
/// Registers that hold the [`LANES`] of a sum.
const REGISTERS: usize = LANES / WIDTH;

#[inline]
#[target_feature(enable = "avx512f")]
fn load_f32(chunk: &[f32; WIDTH]) -> __m512 {
    // SAFETY: the reference covers the 64 bytes that are read; the load needs no alignment.
    unsafe { _mm512_loadu_ps(chunk.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_f32(chunk: &mut [f32; WIDTH], value: __m512) {
    // SAFETY: the reference covers the 64 bytes that are written; the store needs no alignment.
    unsafe { _mm512_storeu_ps(chunk.as_mut_ptr(), value) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(chunk: &[u8; BYTES]) -> __m512i {
    // SAFETY: the reference covers the 64 bytes that are read; the load needs no alignment.
    unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) }
}

/// Up to [`BYTES`] bytes, zeros after them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_tail(tail: &[u8]) -> __m512i {
    let mask = ((1_u128 << tail.len().min(BYTES)) - 1) as __mmask64;
    // SAFETY: the mask selects bytes of the slice only; what it leaves out is not read.
    unsafe { _mm512_maskz_loadu_epi8(mask, tail.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_32(chunk: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are read; the load needs no alignment.
    unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_16(chunk: &[u8; 16]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment.
    unsafe { _mm_loadu_si128(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_32(chunk: &mut [u8; 32], value: __m256i) {
    // SAFETY: the reference covers the 32 bytes that are written; the store needs no alignment.
    unsafe { _mm256_storeu_si256(chunk.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_16(chunk: &mut [u8; 16], value: __m128i) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment.
    unsafe { _mm_storeu_si128(chunk.as_mut_ptr().cast(), value) }
}
