//! A query of whole numbers with codes, 64 dimensions at a time, four rows at a time.
//!
//! Products of two i8 are summed in pairs at 16 bits each (`madd`), which is exact for every i8; the faster `maddubs`
//! saturates. With nibbles and bits it cannot: two products of 15 · 128 are far from the end.
#![allow(unsafe_code, reason = "stores through a reference to an array of the same size")]

use std::arch::x86_64::*;

use super::{load, load_16};
use crate::arch::all::scalar::codes as scalar;
use crate::arch::four::four_rows;
use crate::arch::{Codes, bytes_of_i8, padded};
use crate::rows::Walk;

pub(super) const KERNELS: Codes =
    Codes { dot_i8, dot_u4, dot_b1, hamming, dot_i8_walk, dot_u4_walk, dot_b1_walk, hamming_walk };

/// Dimensions in a block.
const BLOCK: usize = 64;

// The formats, by the bytes that hold a block.
const I8: usize = 64;
const U4: usize = 32;
const B1: usize = 8;

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_i8(query: &[i8], code: &[u8]) -> i32 {
    dot::<I8>(query, code)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_u4(query: &[i8], code: &[u8]) -> i32 {
    dot::<U4>(query, code)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_b1(query: &[i8], code: &[u8]) -> i32 {
    dot::<B1>(query, code)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_i8_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<I8>(query, walk, out);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_u4_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<U4>(query, walk, out);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_b1_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<B1>(query, walk, out);
}

#[inline]
#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot<const FORMAT: usize>(query: &[i8], code: &[u8]) -> i32 {
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BLOCK>();
    let (codes, code_tail) = code.split_at(queries.len() * FORMAT);
    let mut sums = [_mm256_setzero_si256(); 2];
    for (query, code) in queries.iter().zip(codes.as_chunks::<FORMAT>().0) {
        add_products(&mut sums, query, code);
    }
    if !query_tail.is_empty() {
        add_products::<FORMAT>(&mut sums, &padded(query_tail), &padded(code_tail));
    }
    let sum = _mm256_add_epi32(sums[0], sums[1]);
    let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    let one = _mm_add_epi32(two, _mm_shuffle_epi32::<1>(two));
    _mm_cvtsi128_si32(one)
}

#[inline]
#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_walk<const FORMAT: usize>(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    walk.start(out.len());
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BLOCK>();
    let (groups, rest) = out.as_chunks_mut::<4>();
    let mut place = 0;
    for dots in groups {
        let (codes, code_tails) = four_rows::<FORMAT>(&walk, place, queries.len());
        let mut sums = [[_mm256_setzero_si256(); 2]; 4];
        for (i, query) in queries.iter().enumerate() {
            for r in 0..4 {
                add_products(&mut sums[r], query, &codes[r][i]);
            }
        }
        if !query_tail.is_empty() {
            let query = padded(query_tail);
            for r in 0..4 {
                add_products::<FORMAT>(&mut sums[r], &query, &padded(code_tails[r]));
            }
        }
        store_i32(dots, sums_of_4(sums));
        place += 4;
    }
    for (i, out) in rest.iter_mut().enumerate() {
        *out = dot::<FORMAT>(query, walk.row(place + i));
    }
}

/// Adds the products of a block to partial sums.
#[inline]
#[target_feature(enable = "avx2")]
fn add_products<const FORMAT: usize>(sums: &mut [__m256i; 2], query: &[u8; BLOCK], code: &[u8; FORMAT]) {
    let ones = _mm256_set1_epi16(1);
    let (query, quarters) = (query.as_chunks::<32>().0, query.as_chunks::<16>().0);
    match FORMAT {
        I8 => {
            let code = code.as_chunks().0;
            for i in 0..4 {
                let products = _mm256_madd_epi16(widen(&quarters[i]), widen(&code[i]));
                sums[i % 2] = _mm256_add_epi32(sums[i % 2], products);
            }
        }
        U4 => {
            let (code, nibble) = (load(&code.as_chunks().0[0]), _mm256_set1_epi8(15));
            let low = _mm256_and_si256(code, nibble);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(code), nibble);
            let low = _mm256_maddubs_epi16(low, load(&query[0]));
            let high = _mm256_maddubs_epi16(high, load(&query[1]));
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(_mm256_add_epi16(low, high), ones));
        }
        _ => {
            let code = code.as_chunks().0;
            let low = _mm256_maddubs_epi16(spread(code[0]), load(&query[0]));
            let high = _mm256_maddubs_epi16(spread(code[1]), load(&query[1]));
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(_mm256_add_epi16(low, high), ones));
        }
    }
}

/// Sixteen codes, widened to 16 bits each.
#[inline]
#[target_feature(enable = "avx2")]
fn widen(codes: &[u8; 16]) -> __m256i {
    _mm256_cvtepi8_epi16(load_16(codes))
}

/// Each of 32 bits as a byte of its own, 0 or 1.
#[inline]
#[target_feature(enable = "avx2")]
fn spread(bits: [u8; 4]) -> __m256i {
    let all = _mm256_set1_epi32(i32::from_le_bytes(bits));
    let source = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
    let set = _mm256_and_si256(_mm256_shuffle_epi8(all, source), bit);
    _mm256_min_epu8(set, _mm256_set1_epi8(1))
}

/// Lane `r` of the result is the sum of all lanes of `sums[r]`.
#[inline]
#[target_feature(enable = "avx2")]
fn sums_of_4(sums: [[__m256i; 2]; 4]) -> __m128i {
    let mut rows = [_mm256_setzero_si256(); 4];
    for (row, sums) in rows.iter_mut().zip(sums) {
        *row = _mm256_add_epi32(sums[0], sums[1]);
    }
    let [a, b, c, d] = rows;
    let ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let cd = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
    let abcd = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256::<1>(abcd))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(in crate::arch::x86_64) fn store_i32(chunk: &mut [i32; 4], value: __m128i) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment.
    unsafe { _mm_storeu_si128(chunk.as_mut_ptr().cast(), value) }
}

// The definition, compiled for a CPU that counts the bits of a word at once.

#[target_feature(enable = "avx2,f16c,popcnt")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    scalar::hamming(a, b)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn hamming_walk(query: &[u8], walk: Walk<'_>, out: &mut [u32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = scalar::hamming(query, walk.row(place));
    }
}
