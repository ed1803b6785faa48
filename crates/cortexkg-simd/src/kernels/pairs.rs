//! A query with one code.
#![allow(unsafe_code, reason = "calls the functions of a level that has been checked against the CPU")]

use super::Kernels;
use super::packing::{b1_len, u4_len};
use crate::arch::bytes_of_i8;

// SAFETY (of every call through `self.raw` below): see the head of the first `impl`, in `mod.rs`.
impl Kernels {
    /// Dot product Σ queryᵢ·codeᵢ with a vector of 16-bit floats (little-endian binary16), in the lane order of the [crate](crate).
    ///
    /// # Panics
    ///
    /// If `code` is not 2 bytes per dimension.
    #[inline]
    #[must_use]
    pub fn dot_f32_f16(&self, query: &[f32], code: &[u8]) -> f32 {
        assert_eq!(code.len(), 2 * query.len(), "dot_f32_f16: not 2 bytes per dimension");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_f16)(query, code) }
    }

    /// Dot product Σ queryᵢ·codeᵢ, in the lane order of the [crate](crate).
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    #[must_use]
    pub fn dot_f32_i8(&self, query: &[f32], code: &[i8]) -> f32 {
        assert_eq!(code.len(), query.len(), "dot_f32_i8: query and code of different length");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_i8)(query, bytes_of_i8(code)) }
    }

    /// Dot product Σ queryᵢ·nᵢ with [nibbles](crate#layouts) n in 0..=15, in the lane order of the [crate](crate).
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(dimension / 64) · 32` bytes.
    #[inline]
    #[must_use]
    pub fn dot_f32_u4(&self, query: &[f32], code: &[u8]) -> f32 {
        assert_eq!(code.len(), u4_len(query.len()), "dot_f32_u4: not 32 bytes per 64 dimensions");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_u4)(query, code) }
    }

    /// Sum of queryᵢ where [bit](crate#layouts) `i` is set, in the lane order of the [crate](crate).
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(dimension / 8)` bytes.
    #[inline]
    #[must_use]
    pub fn dot_f32_b1(&self, query: &[f32], code: &[u8]) -> f32 {
        assert_eq!(code.len(), b1_len(query.len()), "dot_f32_b1: not one bit per dimension");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_b1)(query, code) }
    }

    /// Dot product Σ aᵢ·bᵢ of codes, exact for every `i8` (-128 too) up to 131,071 elements, modulo 2³² beyond.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    #[must_use]
    pub fn dot_i8(&self, a: &[i8], b: &[i8]) -> i32 {
        assert_eq!(a.len(), b.len(), "dot_i8: codes of different length");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_i8)(a, bytes_of_i8(b)) }
    }

    /// Dot product Σ queryᵢ·nᵢ with [nibbles](crate#layouts) n in 0..=15, exact up to a million dimensions, modulo 2³² beyond.
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(dimension / 64) · 32` bytes.
    #[inline]
    #[must_use]
    pub fn dot_i8_u4(&self, query: &[i8], code: &[u8]) -> i32 {
        assert_eq!(code.len(), u4_len(query.len()), "dot_i8_u4: not 32 bytes per 64 dimensions");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_u4)(query, code) }
    }

    /// Sum of queryᵢ where [bit](crate#layouts) `i` is set, exact up to 16 million dimensions, modulo 2³² beyond.
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(dimension / 8)` bytes.
    #[inline]
    #[must_use]
    pub fn dot_i8_b1(&self, query: &[i8], code: &[u8]) -> i32 {
        assert_eq!(code.len(), b1_len(query.len()), "dot_i8_b1: not one bit per dimension");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_b1)(query, code) }
    }

    /// Number of bits that differ.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    #[must_use]
    pub fn hamming(&self, a: &[u8], b: &[u8]) -> u32 {
        assert_eq!(a.len(), b.len(), "hamming: codes of different length");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.hamming)(a, b) }
    }
}
