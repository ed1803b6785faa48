//! AVX2: eight floats or sixteen 16-bit products at a time.
#![allow(unsafe_code, reason = "vector loads and stores through references to arrays of the same size")]

use std::arch::x86_64::*;

use super::four_rows;
use crate::arch::all::scalar::{self, ABS_MASK};
use crate::arch::{LANES, RawKernels};

pub(crate) const KERNELS: RawKernels =
    RawKernels { dot_f32, squared_l2_f32, max_abs_f32, scale_f32, round_to_i8, dot_i8, dot_i8_many };

/// Floats in a register.
const WIDTH: usize = 8;
/// Codes that fill a register once widened to 16 bits.
const CODES: usize = 16;
/// Registers that hold the [`LANES`] of a sum.
const REGISTERS: usize = LANES / WIDTH;

#[target_feature(enable = "avx2")]
fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<false>(a, b)
}

#[target_feature(enable = "avx2")]
fn squared_l2_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<true>(a, b)
}

/// Sums (a − b)² if `SQUARED_L2`, else a·b.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_in_lanes<const SQUARED_L2: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [_mm256_setzero_ps(); REGISTERS];
    let (a_blocks, a_tail) = a.as_chunks::<LANES>();
    let (b_blocks, b_tail) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        add_block::<SQUARED_L2>(&mut lanes, a, b);
    }
    if !a_tail.is_empty() {
        // Zeros after the tail add +0 to their lanes, which leaves the bits of a lane as they are: no lane is ever -0.
        add_block::<SQUARED_L2>(&mut lanes, &padded(a_tail), &padded(b_tail));
    }
    sum_of_lanes(&lanes)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_block<const SQUARED_L2: bool>(lanes: &mut [__m256; REGISTERS], a: &[f32; LANES], b: &[f32; LANES]) {
    let (a, b) = (a.as_chunks().0, b.as_chunks().0);
    for i in 0..REGISTERS {
        let (x, y) = (load_f32(&a[i]), load_f32(&b[i]));
        let term = if SQUARED_L2 {
            let difference = _mm256_sub_ps(x, y);
            _mm256_mul_ps(difference, difference)
        } else {
            _mm256_mul_ps(x, y)
        };
        lanes[i] = _mm256_add_ps(lanes[i], term);
    }
}

#[inline]
fn padded(tail: &[f32]) -> [f32; LANES] {
    let mut block = [0.0; LANES];
    block[..tail.len()].copy_from_slice(tail);
    block
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_lanes(lanes: &[__m256; REGISTERS]) -> f32 {
    let [a, b, c, d] = *lanes;
    let (a, b) = (_mm256_add_ps(a, c), _mm256_add_ps(b, d));
    sum_of_8_lanes(_mm256_add_ps(a, b))
}

/// The last three steps of the reduction.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn sum_of_8_lanes(lanes: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[target_feature(enable = "avx2")]
fn max_abs_f32(values: &[f32]) -> f32 {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let mask = _mm256_set1_epi32(ABS_MASK as i32);
    let mut max = _mm256_setzero_si256();
    for chunk in chunks {
        // Without their sign the bits are the same order, signed or not.
        max = _mm256_max_epi32(max, _mm256_and_si256(mask, _mm256_castps_si256(load_f32(chunk))));
    }
    let mut lanes = [0.0; WIDTH];
    store_f32(&mut lanes, _mm256_castsi256_ps(max));
    scalar::max_abs_f32(&[scalar::max_abs_f32(&lanes), scalar::max_abs_f32(tail)])
}

#[target_feature(enable = "avx2")]
fn scale_f32(values: &mut [f32], factor: f32) {
    let (chunks, tail) = values.as_chunks_mut::<WIDTH>();
    let factors = _mm256_set1_ps(factor);
    for chunk in chunks {
        let scaled = _mm256_mul_ps(load_f32(chunk), factors);
        store_f32(chunk, scaled);
    }
    scalar::scale_f32(tail, factor);
}

#[target_feature(enable = "avx2")]
fn round_to_i8(values: &[f32], factor: f32, codes: &mut [i8]) {
    let (value_blocks, value_tail) = values.as_chunks::<{ 4 * WIDTH }>();
    let (code_blocks, code_tail) = codes.as_chunks_mut::<{ 4 * WIDTH }>();
    let factors = _mm256_set1_ps(factor);
    // Packing works within each half of a register: this puts the groups of four codes back in order.
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (values, codes) in value_blocks.iter().zip(code_blocks) {
        let mut rounded = [_mm256_setzero_si256(); 4];
        for (rounded, values) in rounded.iter_mut().zip(values.as_chunks().0) {
            *rounded = _mm256_cvtps_epi32(_mm256_mul_ps(load_f32(values), factors));
        }
        let low = _mm256_packs_epi32(rounded[0], rounded[1]);
        let high = _mm256_packs_epi32(rounded[2], rounded[3]);
        let packed = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
        store_i8(codes, packed);
    }
    scalar::round_to_i8(value_tail, factor, code_tail);
}

// Products of codes are summed in pairs at 16 bits each (`madd`), which is exact for every i8; the faster `maddubs`
// saturates.

#[target_feature(enable = "avx2")]
fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    let (a_blocks, a_tail) = a.as_chunks::<{ 2 * CODES }>();
    let (b_blocks, b_tail) = b.as_chunks::<{ 2 * CODES }>();
    let mut sums = [_mm256_setzero_si256(); 2];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        let (a, b) = (a.as_chunks().0, b.as_chunks().0);
        sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(load_codes(&a[0]), load_codes(&b[0])));
        sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(load_codes(&a[1]), load_codes(&b[1])));
    }
    let sum = _mm256_add_epi32(sums[0], sums[1]);
    let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    let one = _mm_add_epi32(two, _mm_shuffle_epi32::<1>(two));
    _mm_cvtsi128_si32(one).wrapping_add(scalar::dot_i8(a_tail, b_tail))
}

/// Four rows at a time, so that each part of the query is loaded and widened once for the four.
#[target_feature(enable = "avx2")]
fn dot_i8_many(query: &[i8], codes: &[i8], out: &mut [i32]) {
    let (blocks, query_tail) = query.as_chunks::<CODES>();
    let (groups, rest) = out.as_chunks_mut::<4>();
    let (group_codes, rest_codes) = codes.split_at(groups.len() * 4 * query.len());
    for (dots, rows) in groups.iter_mut().zip(group_codes.chunks_exact(4 * query.len())) {
        let (row_blocks, row_tails) = four_rows::<CODES>(rows, query.len());
        let mut sums = [_mm256_setzero_si256(); 4];
        for (i, block) in blocks.iter().enumerate() {
            let query = load_codes(block);
            for r in 0..4 {
                let products = _mm256_madd_epi16(query, load_codes(&row_blocks[r][i]));
                sums[r] = _mm256_add_epi32(sums[r], products);
            }
        }
        store_i32(dots, sums_of_4(sums));
        if !query_tail.is_empty() {
            for (dot, row_tail) in dots.iter_mut().zip(row_tails) {
                *dot = dot.wrapping_add(scalar::dot_i8(query_tail, row_tail));
            }
        }
    }
    for (dot, row) in rest.iter_mut().zip(rest_codes.chunks_exact(query.len())) {
        *dot = dot_i8(query, row);
    }
}

/// Lane `r` of the result is the sum of all lanes of `sums[r]`.
#[inline]
#[target_feature(enable = "avx2")]
fn sums_of_4(sums: [__m256i; 4]) -> __m128i {
    let [a, b, c, d] = sums;
    let ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let cd = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
    let abcd = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256::<1>(abcd))
}

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

/// Sixteen codes, widened to 16 bits each.
#[inline]
#[target_feature(enable = "avx2")]
fn load_codes(chunk: &[i8; CODES]) -> __m256i {
    // SAFETY: the reference covers the 16 bytes that are read; the load needs no alignment.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(chunk.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_i8(chunk: &mut [i8; 32], value: __m256i) {
    // SAFETY: the reference covers the 32 bytes that are written; the store needs no alignment.
    unsafe { _mm256_storeu_si256(chunk.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_i32(chunk: &mut [i32; 4], value: __m128i) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment.
    unsafe { _mm_storeu_si128(chunk.as_mut_ptr().cast(), value) }
}
