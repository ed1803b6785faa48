//! A query with many codes: rows picked by number, or row after row.
//!
//! Rows that are picked lie anywhere, so each is asked of the memory some rows before its turn.
#![allow(unsafe_code, reason = "calls the functions of a level that has been checked against the CPU")]

use super::Kernels;
use super::packing::{b1_len, u4_len};
use crate::arch::bytes_of_i8;
use crate::rows::{Rows, Walk};

// SAFETY (of every call through `self.raw` below): see the head of the first `impl`, in `mod.rs`.
impl Kernels {
    /// [`dot_i8`](Self::dot_i8) of one query with many codes: `out[r]` is its product with row `r` of `codes`, which
    /// holds `out.len()` rows of `query.len()` codes, row after row.
    ///
    /// # Panics
    ///
    /// If `codes.len()` is not `query.len() * out.len()`.
    #[inline]
    pub fn dot_i8_many(&self, query: &[i8], codes: &[i8], out: &mut [i32]) {
        assert_eq!(
            Some(codes.len()),
            query.len().checked_mul(out.len()),
            "dot_i8_many: codes are not {} rows of {}",
            out.len(),
            query.len()
        );
        if query.is_empty() {
            out.fill(0);
            return;
        }
        self.dot_i8_rows(query, Rows::new(bytes_of_i8(codes), query.len()), 0, out);
    }

    /// [`dot_f32`](Self::dot_f32) of the query with the rows of these numbers: `out[i]` is that of row `at[i]`. Rows hold floats in the byte order of the machine, 4 bytes a dimension, at any alignment.
    ///
    /// # Panics
    ///
    /// If `at` and `out` differ in length, if rows are less apart than a code is long, or if there is no such row.
    #[inline]
    pub fn dot_f32_at(&self, query: &[f32], rows: Rows<'_>, at: &[u32], out: &mut [f32]) {
        assert_eq!(at.len(), out.len(), "dot_f32_at: not one place per row");
        let walk = Walk::picked(rows, size_of_val(query), at);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_f32_walk)(query, walk, out) }
    }

    /// [`dot_f32`](Self::dot_f32) of the query with row after row: `out[i]` is that of row `first + i`. Rows hold floats in the byte order of the machine, 4 bytes a dimension, at any alignment.
    ///
    /// # Panics
    ///
    /// If rows are less apart than a code is long, or if there are less than `first + out.len()`.
    #[inline]
    pub fn dot_f32_rows(&self, query: &[f32], rows: Rows<'_>, first: usize, out: &mut [f32]) {
        let walk = Walk::from(rows, size_of_val(query), first);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_f32_walk)(query, walk, out) }
    }

    /// [`dot_f32_f16`](Self::dot_f32_f16) of the query with the rows of these numbers: `out[i]` is that of row `at[i]`.
    ///
    /// # Panics
    ///
    /// If `at` and `out` differ in length, if rows are less apart than a code is long, or if there is no such row.
    #[inline]
    pub fn dot_f32_f16_at(&self, query: &[f32], rows: Rows<'_>, at: &[u32], out: &mut [f32]) {
        assert_eq!(at.len(), out.len(), "dot_f32_f16_at: not one place per row");
        let walk = Walk::picked(rows, 2 * query.len(), at);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_f16_walk)(query, walk, out) }
    }

    /// [`dot_f32_f16`](Self::dot_f32_f16) of the query with row after row: `out[i]` is that of row `first + i`.
    ///
    /// # Panics
    ///
    /// If rows are less apart than a code is long, or if there are less than `first + out.len()`.
    #[inline]
    pub fn dot_f32_f16_rows(&self, query: &[f32], rows: Rows<'_>, first: usize, out: &mut [f32]) {
        let walk = Walk::from(rows, 2 * query.len(), first);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.mixed.dot_f16_walk)(query, walk, out) }
    }

    /// [`dot_i8`](Self::dot_i8) of the query with the rows of these numbers: `out[i]` is that of row `at[i]`. Rows hold one code a byte.
    ///
    /// # Panics
    ///
    /// If `at` and `out` differ in length, if rows are less apart than a code is long, or if there is no such row.
    #[inline]
    pub fn dot_i8_at(&self, query: &[i8], rows: Rows<'_>, at: &[u32], out: &mut [i32]) {
        assert_eq!(at.len(), out.len(), "dot_i8_at: not one place per row");
        let walk = Walk::picked(rows, query.len(), at);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_i8_walk)(query, walk, out) }
    }

    /// [`dot_i8`](Self::dot_i8) of the query with row after row: `out[i]` is that of row `first + i`. Rows hold one code a byte.
    ///
    /// # Panics
    ///
    /// If rows are less apart than a code is long, or if there are less than `first + out.len()`.
    #[inline]
    pub fn dot_i8_rows(&self, query: &[i8], rows: Rows<'_>, first: usize, out: &mut [i32]) {
        let walk = Walk::from(rows, query.len(), first);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_i8_walk)(query, walk, out) }
    }

    /// [`dot_i8_u4`](Self::dot_i8_u4) of the query with the rows of these numbers: `out[i]` is that of row `at[i]`.
    ///
    /// # Panics
    ///
    /// If `at` and `out` differ in length, if rows are less apart than a code is long, or if there is no such row.
    #[inline]
    pub fn dot_i8_u4_at(&self, query: &[i8], rows: Rows<'_>, at: &[u32], out: &mut [i32]) {
        assert_eq!(at.len(), out.len(), "dot_i8_u4_at: not one place per row");
        let walk = Walk::picked(rows, u4_len(query.len()), at);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_u4_walk)(query, walk, out) }
    }

    /// [`dot_i8_u4`](Self::dot_i8_u4) of the query with row after row: `out[i]` is that of row `first + i`.
    ///
    /// # Panics
    ///
    /// If rows are less apart than a code is long, or if there are less than `first + out.len()`.
    #[inline]
    pub fn dot_i8_u4_rows(&self, query: &[i8], rows: Rows<'_>, first: usize, out: &mut [i32]) {
        let walk = Walk::from(rows, u4_len(query.len()), first);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_u4_walk)(query, walk, out) }
    }

    /// [`dot_i8_b1`](Self::dot_i8_b1) of the query with the rows of these numbers: `out[i]` is that of row `at[i]`.
    ///
    /// # Panics
    ///
    /// If `at` and `out` differ in length, if rows are less apart than a code is long, or if there is no such row.
    #[inline]
    pub fn dot_i8_b1_at(&self, query: &[i8], rows: Rows<'_>, at: &[u32], out: &mut [i32]) {
        assert_eq!(at.len(), out.len(), "dot_i8_b1_at: not one place per row");
        let walk = Walk::picked(rows, b1_len(query.len()), at);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_b1_walk)(query, walk, out) }
    }

    /// [`dot_i8_b1`](Self::dot_i8_b1) of the query with row after row: `out[i]` is that of row `first + i`.
    ///
    /// # Panics
    ///
    /// If rows are less apart than a code is long, or if there are less than `first + out.len()`.
    #[inline]
    pub fn dot_i8_b1_rows(&self, query: &[i8], rows: Rows<'_>, first: usize, out: &mut [i32]) {
        let walk = Walk::from(rows, b1_len(query.len()), first);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.dot_b1_walk)(query, walk, out) }
    }

    /// [`hamming`](Self::hamming) of the query with the rows of these numbers: `out[i]` is that of row `at[i]`.
    ///
    /// # Panics
    ///
    /// If `at` and `out` differ in length, if rows are less apart than a code is long, or if there is no such row.
    #[inline]
    pub fn hamming_at(&self, query: &[u8], rows: Rows<'_>, at: &[u32], out: &mut [u32]) {
        assert_eq!(at.len(), out.len(), "hamming_at: not one place per row");
        let walk = Walk::picked(rows, query.len(), at);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.hamming_walk)(query, walk, out) }
    }

    /// [`hamming`](Self::hamming) of the query with row after row: `out[i]` is that of row `first + i`.
    ///
    /// # Panics
    ///
    /// If rows are less apart than a code is long, or if there are less than `first + out.len()`.
    #[inline]
    pub fn hamming_rows(&self, query: &[u8], rows: Rows<'_>, first: usize, out: &mut [u32]) {
        let walk = Walk::from(rows, query.len(), first);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.codes.hamming_walk)(query, walk, out) }
    }
}
