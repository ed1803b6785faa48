//! A query of whole numbers with codes, 64 dimensions at a time, four rows at a time.
//!
//! Products are exact at 16 bits, and are added in pairs at 32.

use std::arch::aarch64::*;

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

#[target_feature(enable = "neon")]
fn dot_i8(query: &[i8], code: &[u8]) -> i32 {
    dot::<I8>(query, code)
}

#[target_feature(enable = "neon")]
fn dot_u4(query: &[i8], code: &[u8]) -> i32 {
    dot::<U4>(query, code)
}

#[target_feature(enable = "neon")]
fn dot_b1(query: &[i8], code: &[u8]) -> i32 {
    dot::<B1>(query, code)
}

#[target_feature(enable = "neon")]
fn dot_i8_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<I8>(query, walk, out);
}

#[target_feature(enable = "neon")]
fn dot_u4_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<U4>(query, walk, out);
}

#[target_feature(enable = "neon")]
fn dot_b1_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<B1>(query, walk, out);
}

#[inline]
#[target_feature(enable = "neon")]
fn dot<const FORMAT: usize>(query: &[i8], code: &[u8]) -> i32 {
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BLOCK>();
    let (codes, code_tail) = code.split_at(queries.len() * FORMAT);
    let mut sum = vdupq_n_s32(0);
    for (query, code) in queries.iter().zip(codes.as_chunks::<FORMAT>().0) {
        sum = add_products(sum, query, code);
    }
    if !query_tail.is_empty() {
        sum = add_products::<FORMAT>(sum, &padded(query_tail), &padded(code_tail));
    }
    vaddvq_s32(sum)
}

#[inline]
#[target_feature(enable = "neon")]
fn dot_walk<const FORMAT: usize>(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    walk.start(out.len());
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BLOCK>();
    let (groups, rest) = out.as_chunks_mut::<4>();
    let mut place = 0;
    for dots in groups {
        let (codes, code_tails) = four_rows::<FORMAT>(&walk, place, queries.len());
        let mut sums = [vdupq_n_s32(0); 4];
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
        let [a, b, c, d] = sums;
        store_i32(dots, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
        place += 4;
    }
    for (i, out) in rest.iter_mut().enumerate() {
        *out = dot::<FORMAT>(query, walk.row(place + i));
    }
}

/// Adds the products of a block to partial sums.
#[inline]
#[target_feature(enable = "neon")]
fn add_products<const FORMAT: usize>(
    mut sum: int32x4_t,
    query: &[u8; BLOCK],
    code: &[u8; FORMAT],
) -> int32x4_t {
    let query = query.as_chunks().0;
    match FORMAT {
        I8 => {
            for (query, code) in query.iter().zip(code.as_chunks().0) {
                let (x, y) = (signed(query), vreinterpretq_s8_u8(load(code)));
                sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
                sum = vpadalq_s16(sum, vmull_high_s8(x, y));
            }
            sum
        }
        U4 => {
            // Eight products of at most 15 · 128 are far from the end of 16 bits.
            let mut products = vdupq_n_s16(0);
            for (i, code) in code.as_chunks().0.iter().enumerate() {
                let code = load(code);
                let low = vreinterpretq_s8_u8(vandq_u8(code, vdupq_n_u8(15)));
                let high = vreinterpretq_s8_u8(vshrq_n_u8::<4>(code));
                for (nibbles, query) in [(low, signed(&query[i])), (high, signed(&query[i + 2]))] {
                    products = vmlal_s8(products, vget_low_s8(nibbles), vget_low_s8(query));
                    products = vmlal_high_s8(products, nibbles, query);
                }
            }
            vpadalq_s16(sum, products)
        }
        _ => {
            let places = load(&[1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128]);
            let mut selected = vdupq_n_s16(0);
            for (query, bytes) in query.iter().zip(code.as_chunks::<2>().0) {
                let bits = vcombine_u8(vdup_n_u8(bytes[0]), vdup_n_u8(bytes[1]));
                let set = vreinterpretq_s8_u8(vtstq_u8(bits, places));
                selected = vpadalq_s8(selected, vandq_s8(set, signed(query)));
            }
            vpadalq_s16(sum, selected)
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn signed(codes: &[u8; 16]) -> int8x16_t {
    vreinterpretq_s8_u8(load(codes))
}

#[target_feature(enable = "neon")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    let (a_chunks, a_tail) = a.as_chunks();
    let (b_chunks, b_tail) = b.as_chunks();
    let mut sum = vdupq_n_u32(0);
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        sum = add_differences(sum, a, b);
    }
    if !a_tail.is_empty() {
        sum = add_differences(sum, &padded(a_tail), &padded(b_tail));
    }
    vaddvq_u32(sum)
}

#[inline]
#[target_feature(enable = "neon")]
fn add_differences(sum: uint32x4_t, a: &[u8; 16], b: &[u8; 16]) -> uint32x4_t {
    vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(veorq_u8(load(a), load(b)))))
}

#[target_feature(enable = "neon")]
fn hamming_walk(query: &[u8], walk: Walk<'_>, out: &mut [u32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = hamming(query, walk.row(place));
    }
}
