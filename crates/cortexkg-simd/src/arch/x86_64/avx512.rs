//! AVX-512 with VNNI: sixteen floats or 64 codes at a time, tails by masked loads.
#![allow(
    unsafe_code,
    reason = "vector loads and stores through references to arrays of the same size, or masked"
)]

use std::arch::x86_64::*;

use super::avx2::{store_i32, sum_of_8_lanes};
use super::four_rows;
use crate::arch::all::scalar::{self, ABS_MASK};
use crate::arch::{LANES, RawKernels};

pub(crate) const KERNELS: RawKernels =
    RawKernels { dot_f32, squared_l2_f32, max_abs_f32, scale_f32, round_to_i8, dot_i8, dot_i8_many };

/// Floats in a register.
const WIDTH: usize = 16;
/// Codes in a register.
const CODES: usize = 64;
/// Registers that hold the [`LANES`] of a sum.
const REGISTERS: usize = LANES / WIDTH;

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<false>(a, b)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn squared_l2_f32(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<true>(a, b)
}

/// Sums (a − b)² if `SQUARED_L2`, else a·b.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sum_in_lanes<const SQUARED_L2: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [_mm512_setzero_ps(); REGISTERS];
    let (a_blocks, a_tail) = a.as_chunks::<LANES>();
    let (b_blocks, b_tail) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        let (a, b) = (a.as_chunks().0, b.as_chunks().0);
        for i in 0..REGISTERS {
            lanes[i] = add_terms::<SQUARED_L2>(lanes[i], load_f32(&a[i]), load_f32(&b[i]));
        }
    }
    // Zeros after the tail add +0 to their lanes, which leaves the bits of a lane as they are: no lane is ever -0.
    for (lane, (a, b)) in lanes.iter_mut().zip(a_tail.chunks(WIDTH).zip(b_tail.chunks(WIDTH))) {
        *lane = add_terms::<SQUARED_L2>(*lane, load_tail_f32(a), load_tail_f32(b));
    }
    let [a, b] = lanes;
    let sixteen = _mm512_add_ps(a, b);
    let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(sixteen)));
    sum_of_8_lanes(_mm256_add_ps(_mm512_castps512_ps256(sixteen), high))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add_terms<const SQUARED_L2: bool>(sum: __m512, x: __m512, y: __m512) -> __m512 {
    if SQUARED_L2 {
        let difference = _mm512_sub_ps(x, y);
        _mm512_add_ps(sum, _mm512_mul_ps(difference, difference))
    } else {
        _mm512_add_ps(sum, _mm512_mul_ps(x, y))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn max_abs_f32(values: &[f32]) -> f32 {
    let (chunks, tail) = values.as_chunks::<WIDTH>();
    let mask = _mm512_set1_epi32(ABS_MASK as i32);
    let mut max = _mm512_and_si512(mask, _mm512_castps_si512(load_tail_f32(tail)));
    for chunk in chunks {
        max = _mm512_max_epu32(max, _mm512_and_si512(mask, _mm512_castps_si512(load_f32(chunk))));
    }
    f32::from_bits(_mm512_reduce_max_epu32(max))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn scale_f32(values: &mut [f32], factor: f32) {
    let (chunks, tail) = values.as_chunks_mut::<WIDTH>();
    let factors = _mm512_set1_ps(factor);
    for chunk in chunks {
        let scaled = _mm512_mul_ps(load_f32(chunk), factors);
        store_f32(chunk, scaled);
    }
    scalar::scale_f32(tail, factor);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn round_to_i8(values: &[f32], factor: f32, codes: &mut [i8]) {
    let (value_chunks, value_tail) = values.as_chunks::<WIDTH>();
    let (code_chunks, code_tail) = codes.as_chunks_mut::<WIDTH>();
    let factors = _mm512_set1_ps(factor);
    for (values, codes) in value_chunks.iter().zip(code_chunks) {
        let rounded = _mm512_cvtps_epi32(_mm512_mul_ps(load_f32(values), factors));
        store_i8(codes, _mm512_cvtepi32_epi8(rounded));
    }
    scalar::round_to_i8(value_tail, factor, code_tail);
}

// VNNI multiplies unsigned by signed bytes, and adds four products to an i32 without saturating. One side is therefore
// shifted by 128 into the unsigned range (a flip of the sign bit): Σ (x + 128)·y = Σ x·y + 128·Σ y, exact for every i8.

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    let (a_blocks, a_tail) = a.as_chunks::<CODES>();
    let (b_blocks, b_tail) = b.as_chunks::<CODES>();
    let ones = _mm512_set1_epi8(1);
    let (mut shifted, mut excess) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        let b = load_i8(b);
        shifted = _mm512_dpbusd_epi32(shifted, shift(load_i8(a)), b);
        excess = _mm512_dpbusd_epi32(excess, ones, b);
    }
    if !a_tail.is_empty() {
        let b = load_tail_i8(b_tail);
        shifted = _mm512_dpbusd_epi32(shifted, shift(load_tail_i8(a_tail)), b);
        excess = _mm512_dpbusd_epi32(excess, ones, b);
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(shifted, _mm512_slli_epi32::<7>(excess)))
}

/// Four rows at a time, so that each part of the query is loaded once for the four.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_i8_many(query: &[i8], codes: &[i8], out: &mut [i32]) {
    let (blocks, query_tail) = query.as_chunks::<CODES>();
    let (groups, rest) = out.as_chunks_mut::<4>();
    let (group_codes, rest_codes) = codes.split_at(groups.len() * 4 * query.len());
    let excess = _mm_set1_epi32(128_i32.wrapping_mul(sum_i8(query)));
    for (dots, rows) in groups.iter_mut().zip(group_codes.chunks_exact(4 * query.len())) {
        let (row_blocks, row_tails) = four_rows::<CODES>(rows, query.len());
        let mut sums = [_mm512_setzero_si512(); 4];
        for (i, block) in blocks.iter().enumerate() {
            let query = load_i8(block);
            for r in 0..4 {
                sums[r] = _mm512_dpbusd_epi32(sums[r], shift(load_i8(&row_blocks[r][i])), query);
            }
        }
        if !query_tail.is_empty() {
            let query = load_tail_i8(query_tail);
            for r in 0..4 {
                sums[r] = _mm512_dpbusd_epi32(sums[r], shift(load_tail_i8(row_tails[r])), query);
            }
        }
        store_i32(dots, _mm_sub_epi32(sums_of_4(sums), excess));
    }
    for (dot, row) in rest.iter_mut().zip(rest_codes.chunks_exact(query.len())) {
        *dot = dot_i8(row, query);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn sum_i8(codes: &[i8]) -> i32 {
    let (blocks, tail) = codes.as_chunks::<CODES>();
    let ones = _mm512_set1_epi8(1);
    let mut sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), ones, load_tail_i8(tail));
    for block in blocks {
        sum = _mm512_dpbusd_epi32(sum, ones, load_i8(block));
    }
    _mm512_reduce_add_epi32(sum)
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

/// Adds 128 to each code: i8 to u8.
#[inline]
#[target_feature(enable = "avx512f")]
fn shift(codes: __m512i) -> __m512i {
    _mm512_xor_si512(codes, _mm512_set1_epi32(0x8080_8080_u32 as i32))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_f32(chunk: &[f32; WIDTH]) -> __m512 {
    // SAFETY: the reference covers the 64 bytes that are read; the load needs no alignment.
    unsafe { _mm512_loadu_ps(chunk.as_ptr()) }
}

/// Up to [`WIDTH`] floats, zeros after them.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_tail_f32(tail: &[f32]) -> __m512 {
    let mask = ((1_u32 << tail.len().min(WIDTH)) - 1) as __mmask16;
    // SAFETY: the mask selects floats of the slice only; what it leaves out is not read.
    unsafe { _mm512_maskz_loadu_ps(mask, tail.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_f32(chunk: &mut [f32; WIDTH], value: __m512) {
    // SAFETY: the reference covers the 64 bytes that are written; the store needs no alignment.
    unsafe { _mm512_storeu_ps(chunk.as_mut_ptr(), value) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_i8(chunk: &[i8; CODES]) -> __m512i {
    // SAFETY: the reference covers the 64 bytes that are read; the load needs no alignment.
    unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) }
}

/// Up to [`CODES`] codes, zeros after them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_tail_i8(tail: &[i8]) -> __m512i {
    let mask = ((1_u128 << tail.len().min(CODES)) - 1) as __mmask64;
    // SAFETY: the mask selects codes of the slice only; what it leaves out is not read.
    unsafe { _mm512_maskz_loadu_epi8(mask, tail.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_i8(chunk: &mut [i8; WIDTH], value: __m128i) {
    // SAFETY: the reference covers the 16 bytes that are written; the store needs no alignment.
    unsafe { _mm_storeu_si128(chunk.as_mut_ptr().cast(), value) }
}
