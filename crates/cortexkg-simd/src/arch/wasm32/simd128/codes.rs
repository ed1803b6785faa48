//! A query of whole numbers with codes, 64 dimensions at a time, four rows at a time.
//!
//! Products are exact at 16 bits, and are added in pairs at 32.

use std::arch::wasm32::*;

use super::{load, store_i32};
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

#[target_feature(enable = "simd128")]
fn dot_i8(query: &[i8], code: &[u8]) -> i32 {
    dot::<I8>(query, code)
}

#[target_feature(enable = "simd128")]
fn dot_u4(query: &[i8], code: &[u8]) -> i32 {
    dot::<U4>(query, code)
}

#[target_feature(enable = "simd128")]
fn dot_b1(query: &[i8], code: &[u8]) -> i32 {
    dot::<B1>(query, code)
}

#[target_feature(enable = "simd128")]
fn dot_i8_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<I8>(query, walk, out);
}

#[target_feature(enable = "simd128")]
fn dot_u4_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<U4>(query, walk, out);
}

#[target_feature(enable = "simd128")]
fn dot_b1_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<B1>(query, walk, out);
}

#[inline]
#[target_feature(enable = "simd128")]
fn dot<const FORMAT: usize>(query: &[i8], code: &[u8]) -> i32 {
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BLOCK>();
    let (codes, code_tail) = code.split_at(queries.len() * FORMAT);
    let mut sum = i32x4_splat(0);
    for (query, code) in queries.iter().zip(codes.as_chunks::<FORMAT>().0) {
        sum = add_products(sum, query, code);
    }
    if !query_tail.is_empty() {
        sum = add_products::<FORMAT>(sum, &padded(query_tail), &padded(code_tail));
    }
    sum_of_lanes(sum)
}

#[inline]
#[target_feature(enable = "simd128")]
fn dot_walk<const FORMAT: usize>(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    walk.start(out.len());
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BLOCK>();
    let (groups, rest) = out.as_chunks_mut::<4>();
    let mut place = 0;
    for dots in groups {
        let (codes, code_tails) = four_rows::<FORMAT>(&walk, place, queries.len());
        let mut sums = [i32x4_splat(0); 4];
        for (i, query) in queries.iter().enumerate() {
            for r in 0..4 {
                sums[r] = add_products(sums[r], query, &codes[r][i]);
            }
        }
        if !query_tail.is_empty() {
            let query = padded(query_tail);
            for r in 0..4 {
                sums[r] = add_products::<FORMAT>(sums[r], &query, &padded(code_tails[r]));
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
#[target_feature(enable = "simd128")]
fn add_products<const FORMAT: usize>(mut sum: v128, query: &[u8; BLOCK], code: &[u8; FORMAT]) -> v128 {
    let query = query.as_chunks().0;
    match FORMAT {
        I8 => {
            for (query, code) in query.iter().zip(code.as_chunks().0) {
                let (x, y) = (load(query), load(code));
                let low = i32x4_dot_i16x8(i16x8_extend_low_i8x16(x), i16x8_extend_low_i8x16(y));
                let high = i32x4_dot_i16x8(i16x8_extend_high_i8x16(x), i16x8_extend_high_i8x16(y));
                sum = i32x4_add(sum, i32x4_add(low, high));
            }
            sum
        }
        U4 => {
            // Eight products of at most 15 · 128 are far from the end of 16 bits.
            let mut products = i16x8_splat(0);
            for (i, code) in code.as_chunks().0.iter().enumerate() {
                let code = load(code);
                let (low, high) = (v128_and(code, u8x16_splat(15)), u8x16_shr(code, 4));
                for (nibbles, query) in [(low, load(&query[i])), (high, load(&query[i + 2]))] {
                    products = i16x8_add(products, i16x8_extmul_low_i8x16(nibbles, query));
                    products = i16x8_add(products, i16x8_extmul_high_i8x16(nibbles, query));
                }
            }
            i32x4_add(sum, i32x4_extadd_pairwise_i16x8(products))
        }
        _ => {
            let places = load(&[1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128]);
            let mut selected = i16x8_splat(0);
            for (query, bytes) in query.iter().zip(code.as_chunks::<2>().0) {
                // The first byte eight times, then the second.
                let bits = i16x8_splat(i16::from_le_bytes(*bytes));
                let bits = i8x16_shuffle::<0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1>(bits, bits);
                let set = i8x16_eq(v128_and(bits, places), places);
                let some = v128_and(set, load(query));
                selected = i16x8_add(selected, i16x8_extadd_pairwise_i8x16(some));
            }
            i32x4_add(sum, i32x4_extadd_pairwise_i16x8(selected))
        }
    }
}

/// Lane `r` of the result is the sum of all lanes of `sums[r]`.
#[inline]
#[target_feature(enable = "simd128")]
fn sums_of_4([a, b, c, d]: [v128; 4]) -> v128 {
    let ab = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let cd = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
    i32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd))
}

#[inline]
#[target_feature(enable = "simd128")]
fn sum_of_lanes(sum: v128) -> i32 {
    let two = i32x4_add(sum, i32x4_shuffle::<2, 3, 2, 3>(sum, sum));
    i32x4_extract_lane::<0>(i32x4_add(two, i32x4_shuffle::<1, 1, 1, 1>(two, two)))
}

#[target_feature(enable = "simd128")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    let (a_chunks, a_tail) = a.as_chunks();
    let (b_chunks, b_tail) = b.as_chunks();
    let mut sum = i32x4_splat(0);
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        sum = add_differences(sum, a, b);
    }
    if !a_tail.is_empty() {
        sum = add_differences(sum, &padded(a_tail), &padded(b_tail));
    }
    sum_of_lanes(sum).cast_unsigned()
}

#[inline]
#[target_feature(enable = "simd128")]
fn add_differences(sum: v128, a: &[u8; 16], b: &[u8; 16]) -> v128 {
    let bits = u8x16_popcnt(v128_xor(load(a), load(b)));
    i32x4_add(sum, u32x4_extadd_pairwise_u16x8(u16x8_extadd_pairwise_u8x16(bits)))
}

#[target_feature(enable = "simd128")]
fn hamming_walk(query: &[u8], walk: Walk<'_>, out: &mut [u32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = hamming(query, walk.row(place));
    }
}
