//! A query of whole numbers with codes, 64 dimensions (or bytes) at a time, four rows at a time.
//!
//! VNNI multiplies unsigned by signed bytes, and adds four products to an i32 without saturating. Nibbles and bits are
//! unsigned as they are. An i8 is shifted by 128 into the unsigned range (a flip of the sign bit):
//! Σ (x + 128)·y = Σ x·y + 128·Σ y, exact for every i8, and the excess is the same for all rows of a query.
#![allow(unsafe_code, reason = "stores to arrays of the same size, and a call within one level")]

use std::arch::x86_64::*;

use super::{BYTES, load, load_32, load_tail};
use crate::arch::four::four_rows;
use crate::arch::x86_64::avx2::store_i32;
use crate::arch::{Codes, bytes_of_i8, padded};
use crate::rows::Walk;

pub(super) const KERNELS: Codes =
    Codes { dot_i8, dot_u4, dot_b1, hamming, dot_i8_walk, dot_u4_walk, dot_b1_walk, hamming_walk };

pub(super) const KERNELS_WITHOUT_POPCNT: Codes =
    Codes { hamming: hamming_by_table, hamming_walk: hamming_by_table_walk, ..KERNELS };

// The formats, by the bytes that hold 64 dimensions.
const I8: usize = 64;
const U4: usize = 32;
const B1: usize = 8;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_i8(query: &[i8], code: &[u8]) -> i32 {
    dot::<I8>(query, code).wrapping_sub(excess(query))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_u4(query: &[i8], code: &[u8]) -> i32 {
    dot::<U4>(query, code)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_b1(query: &[i8], code: &[u8]) -> i32 {
    dot::<B1>(query, code)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_i8_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<I8>(query, excess(query), walk, out);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_u4_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<U4>(query, 0, walk, out);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_b1_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    dot_walk::<B1>(query, 0, walk, out);
}

/// What an i8 product has too much, because one side was shifted: 128 · Σ query.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn excess(query: &[i8]) -> i32 {
    let (blocks, tail) = bytes_of_i8(query).as_chunks::<BYTES>();
    let shifts = _mm512_set1_epi8(i8::MIN);
    let mut sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), shifts, load_tail(tail));
    for block in blocks {
        sum = _mm512_dpbusd_epi32(sum, shifts, load(block));
    }
    _mm512_reduce_add_epi32(sum)
}

/// Σ query · unsigned code.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot<const FORMAT: usize>(query: &[i8], code: &[u8]) -> i32 {
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BYTES>();
    let (codes, code_tail) = code.split_at(queries.len() * FORMAT);
    let mut sum = _mm512_setzero_si512();
    for (query, code) in queries.iter().zip(codes.as_chunks().0) {
        sum = _mm512_dpbusd_epi32(sum, unsigned::<FORMAT>(code), load(query));
    }
    if !query_tail.is_empty() {
        sum = _mm512_dpbusd_epi32(sum, unsigned_tail::<FORMAT>(code_tail), load_tail(query_tail));
    }
    _mm512_reduce_add_epi32(sum)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_walk<const FORMAT: usize>(query: &[i8], excess: i32, walk: Walk<'_>, out: &mut [i32]) {
    walk.start(out.len());
    let (queries, query_tail) = bytes_of_i8(query).as_chunks::<BYTES>();
    let (groups, rest) = out.as_chunks_mut::<4>();
    let mut place = 0;
    for dots in groups {
        let (codes, code_tails) = four_rows::<FORMAT>(&walk, place, queries.len());
        let mut sums = [_mm512_setzero_si512(); 4];
        for (i, query) in queries.iter().enumerate() {
            let query = load(query);
            for r in 0..4 {
                sums[r] = _mm512_dpbusd_epi32(sums[r], unsigned(&codes[r][i]), query);
            }
        }
        if !query_tail.is_empty() {
            let query = load_tail(query_tail);
            for r in 0..4 {
                sums[r] = _mm512_dpbusd_epi32(sums[r], unsigned_tail::<FORMAT>(code_tails[r]), query);
            }
        }
        store_i32(dots, _mm_sub_epi32(sums_of_4(sums), _mm_set1_epi32(excess)));
        place += 4;
    }
    for (i, out) in rest.iter_mut().enumerate() {
        *out = dot::<FORMAT>(query, walk.row(place + i)).wrapping_sub(excess);
    }
}

/// 64 dimensions of a code as unsigned bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn unsigned<const FORMAT: usize>(code: &[u8; FORMAT]) -> __m512i {
    match FORMAT {
        I8 => shift(load(&code.as_chunks().0[0])),
        U4 => {
            // The same 32 bytes twice, the second time moved down by a nibble.
            let twice = _mm512_broadcast_i64x4(load_32(&code.as_chunks().0[0]));
            let nibbles = _mm512_srlv_epi64(twice, _mm512_setr_epi64(0, 0, 0, 0, 4, 4, 4, 4));
            _mm512_and_si512(nibbles, _mm512_set1_epi8(15))
        }
        _ => _mm512_maskz_set1_epi8(u64::from_le_bytes(code.as_chunks().0[0]), 1),
    }
}

/// The last dimensions of a code, less than 64. What comes after them may be anything.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn unsigned_tail<const FORMAT: usize>(tail: &[u8]) -> __m512i {
    if FORMAT == I8 { shift(load_tail(tail)) } else { unsigned::<FORMAT>(&padded(tail)) }
}

/// Adds 128 to each code: i8 to u8.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn shift(codes: __m512i) -> __m512i {
    _mm512_xor_si512(codes, _mm512_set1_epi8(i8::MIN))
}

/// Lane `r` of the result is the sum of all lanes of `sums[r]`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sums_of_4(sums: [__m512i; 4]) -> __m128i {
    let [a, b, c, d] = sums;
    let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    let abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    let eight = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64::<1>(abcd));
    _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    _mm512_reduce_add_epi32(differences(a, b)) as u32
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
fn hamming_walk(query: &[u8], walk: Walk<'_>, out: &mut [u32]) {
    walk.start(out.len());
    let (groups, rest) = out.as_chunks_mut::<4>();
    let mut place = 0;
    for group in groups {
        let mut sums = [_mm512_setzero_si512(); 4];
        for (r, sum) in sums.iter_mut().enumerate() {
            *sum = differences(query, walk.row(place + r));
        }
        let mut distances = [0; 4];
        store_i32(&mut distances, sums_of_4(sums));
        *group = distances.map(i32::cast_unsigned);
        place += 4;
    }
    for (i, out) in rest.iter_mut().enumerate() {
        *out = hamming(query, walk.row(place + i));
    }
}

/// Sixteen partial sums of the bits that differ.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
fn differences(a: &[u8], b: &[u8]) -> __m512i {
    let (a_blocks, a_tail) = a.as_chunks::<BYTES>();
    let (b_blocks, b_tail) = b.as_chunks::<BYTES>();
    let mut sum = _mm512_popcnt_epi32(_mm512_xor_si512(load_tail(a_tail), load_tail(b_tail)));
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(load(a), load(b))));
    }
    sum
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn hamming_by_table(a: &[u8], b: &[u8]) -> u32 {
    let (a_blocks, a_tail) = a.as_chunks::<BYTES>();
    let (b_blocks, b_tail) = b.as_chunks::<BYTES>();
    let mut sum = bits(_mm512_xor_si512(load_tail(a_tail), load_tail(b_tail)));
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        sum = _mm512_add_epi64(sum, bits(_mm512_xor_si512(load(a), load(b))));
    }
    _mm512_reduce_add_epi64(sum) as u32
}

/// Number of bits in each 64-bit lane, by a table of those in each nibble (Muła).
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn bits(bytes: __m512i) -> __m512i {
    let table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    let nibble = _mm512_set1_epi8(15);
    let low = _mm512_shuffle_epi8(table, _mm512_and_si512(bytes, nibble));
    let high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), nibble));
    _mm512_sad_epu8(_mm512_add_epi8(low, high), _mm512_setzero_si512())
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn hamming_by_table_walk(query: &[u8], walk: Walk<'_>, out: &mut [u32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = hamming_by_table(query, walk.row(place));
    }
}
