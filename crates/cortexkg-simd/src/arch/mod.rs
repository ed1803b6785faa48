//! The kernels themselves, one room per architecture; each level fills one [`RawKernels`], in four parts that are one
//! file each.
//!
//! To add a level: a folder that fills the table, a variant of [`Level`](crate::Level), an arm in `Kernels::for_level`.
//! The tests then hold it to the bits of `all::scalar`.
#![allow(unsafe_code, reason = "views of slices as bytes, and hints to the memory")]

use crate::rows::Walk;

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
pub(crate) mod aarch64;
pub(crate) mod all;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little"),
    all(target_arch = "wasm32", any(feature = "simd128", target_feature = "simd128"))
))]
mod four;
pub(crate) mod prefetch;
#[cfg(all(target_arch = "wasm32", any(feature = "simd128", target_feature = "simd128")))]
pub(crate) mod wasm32;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86_64;

/// Partial sums of a float kernel: lane `i` adds the terms of the elements `i`, `i + LANES`, `i + 2·LANES` …
///
/// Measured: 16, 32 and 64 lanes are alike on the wide levels at 256 and 384 dimensions, within about 5 %, while plain code
/// loses 12 to 18 % from 32 to 64. 32 are two 512-bit registers, four of 256 bits or eight of 128, which leaves room for the
/// operands everywhere.
pub const LANES: usize = 32;

/// Dimensions in a block of nibbles: 32 bytes, the first half of the dimensions in the low nibbles.
pub(crate) const U4_BLOCK: usize = 64;

/// The functions of one level.
///
/// Each is `unsafe` because it may only be called where its level is supported. Their other conditions, those on
/// lengths, are checked by [`Kernels`](crate::Kernels); without them a function may panic or leave elements out, never
/// touch memory outside its slices.
#[derive(Debug)]
pub(crate) struct RawKernels {
    pub(crate) floats: Floats,
    pub(crate) mixed: Mixed,
    pub(crate) codes: Codes,
    pub(crate) packing: Packing,
}

/// Floats with floats.
#[derive(Debug)]
pub(crate) struct Floats {
    pub(crate) squared_l2: unsafe fn(&[f32], &[f32]) -> f32,
    pub(crate) max_abs: unsafe fn(&[f32]) -> f32,
    pub(crate) scale: unsafe fn(&mut [f32], f32),
    /// One bit per value, set where the sign flips.
    pub(crate) flip_signs: unsafe fn(&mut [f32], &[u8]),
    /// The length is a power of two.
    pub(crate) hadamard: unsafe fn(&mut [f32]),
}

/// A query of floats with codes, given as bytes.
#[derive(Debug)]
pub(crate) struct Mixed {
    pub(crate) dot_f32: unsafe fn(&[f32], &[u8]) -> f32,
    pub(crate) dot_f16: unsafe fn(&[f32], &[u8]) -> f32,
    pub(crate) dot_i8: unsafe fn(&[f32], &[u8]) -> f32,
    pub(crate) dot_u4: unsafe fn(&[f32], &[u8]) -> f32,
    pub(crate) dot_b1: unsafe fn(&[f32], &[u8]) -> f32,
    pub(crate) dot_f32_walk: unsafe fn(&[f32], Walk<'_>, &mut [f32]),
    pub(crate) dot_f16_walk: unsafe fn(&[f32], Walk<'_>, &mut [f32]),
}

/// A query of whole numbers with codes, given as bytes.
#[derive(Debug)]
pub(crate) struct Codes {
    pub(crate) dot_i8: unsafe fn(&[i8], &[u8]) -> i32,
    pub(crate) dot_u4: unsafe fn(&[i8], &[u8]) -> i32,
    pub(crate) dot_b1: unsafe fn(&[i8], &[u8]) -> i32,
    pub(crate) hamming: unsafe fn(&[u8], &[u8]) -> u32,
    pub(crate) dot_i8_walk: unsafe fn(&[i8], Walk<'_>, &mut [i32]),
    pub(crate) dot_u4_walk: unsafe fn(&[i8], Walk<'_>, &mut [i32]),
    pub(crate) dot_b1_walk: unsafe fn(&[i8], Walk<'_>, &mut [i32]),
    pub(crate) hamming_walk: unsafe fn(&[u8], Walk<'_>, &mut [u32]),
}

/// Floats to codes and back.
#[derive(Debug)]
pub(crate) struct Packing {
    /// Rounds `values[i] * factor`, at most 127.5 in absolute value, half to even.
    pub(crate) round_to_i8: unsafe fn(&[f32], f32, &mut [i8]),
    pub(crate) f32_to_f16: unsafe fn(&[f32], &mut [u8]),
    pub(crate) f16_to_f32: unsafe fn(&[u8], &mut [f32]),
    pub(crate) quantize_u4: unsafe fn(&[f32], f32, &mut [u8]),
    pub(crate) pack_u4: unsafe fn(&[u8], &mut [u8]),
    pub(crate) unpack_u4: unsafe fn(&[u8], &mut [u8]),
    pub(crate) pack_signs: unsafe fn(&[f32], &mut [u8]),
}

/// The same memory as bytes.
pub(crate) fn bytes_of_i8(codes: &[i8]) -> &[u8] {
    // SAFETY: both types have size and alignment 1, and every bit pattern is a value of either.
    unsafe { std::slice::from_raw_parts(codes.as_ptr().cast(), codes.len()) }
}

/// The same memory as bytes.
#[cfg(target_arch = "x86_64")]
pub(crate) fn bytes_of_i8_mut(codes: &mut [i8]) -> &mut [u8] {
    // SAFETY: as above; the borrow of the codes lasts as long as that of the bytes.
    unsafe { std::slice::from_raw_parts_mut(codes.as_mut_ptr().cast(), codes.len()) }
}

/// The same memory as bytes, in the order of the machine.
pub(crate) fn bytes_of_f32(values: &[f32]) -> &[u8] {
    // SAFETY: the bytes are those of the slice, and a float has no byte that is not initialised.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// What is left of a row, with zeros up to a whole block.
#[inline]
pub(crate) fn padded<T: Copy + Default, const N: usize>(tail: &[T]) -> [T; N] {
    let mut block = [T::default(); N];
    block[..tail.len()].copy_from_slice(tail);
    block
}
