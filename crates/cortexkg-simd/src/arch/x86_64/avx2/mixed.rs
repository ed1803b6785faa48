//! A query of floats with codes, eight dimensions at a time.

use std::arch::x86_64::*;

use super::{REGISTERS, load, load_8, load_16, load_f32};
use crate::arch::{LANES, Mixed, U4_BLOCK, padded};
use crate::rows::Walk;

pub(super) const KERNELS: Mixed =
    Mixed { dot_f32, dot_f16, dot_i8, dot_u4, dot_b1, dot_f32_walk, dot_f16_walk };

// The formats that `widen` reads, by the bytes that hold LANES dimensions.
const F32: usize = 4 * LANES;
const F16: usize = 2 * LANES;
const I8: usize = LANES;

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_f32(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F32, false>(query, code)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
pub(super) fn squared_l2(a: &[f32], b: &[u8]) -> f32 {
    sum_in_lanes::<F32, true>(a, b)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_f16(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F16, false>(query, code)
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_i8(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<I8, false>(query, code)
}

/// Sums (a − b)² if `SQUARED_L2`, else a·b.
#[inline]
#[target_feature(enable = "avx2,f16c,popcnt")]
fn sum_in_lanes<const FORMAT: usize, const SQUARED_L2: bool>(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [_mm256_setzero_ps(); REGISTERS];
    let (queries, query_tail) = query.as_chunks::<LANES>();
    let (codes, code_tail) = code.as_chunks::<FORMAT>();
    for (query, code) in queries.iter().zip(codes) {
        add_terms::<SQUARED_L2>(&mut lanes, query, widen(code));
    }
    if !query_tail.is_empty() {
        // Zeros after the tail add +0 to their lanes, which leaves the bits of a lane as they are: no lane is ever -0.
        add_terms::<SQUARED_L2>(&mut lanes, &padded(query_tail), widen::<FORMAT>(&padded(code_tail)));
    }
    sum_of_lanes(lanes)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_terms<const SQUARED_L2: bool>(
    lanes: &mut [__m256; REGISTERS],
    query: &[f32; LANES],
    code: [__m256; REGISTERS],
) {
    for ((lane, query), y) in lanes.iter_mut().zip(query.as_chunks().0).zip(code) {
        let x = load_f32(query);
        let term = if SQUARED_L2 {
            let difference = _mm256_sub_ps(x, y);
            _mm256_mul_ps(difference, difference)
        } else {
            _mm256_mul_ps(x, y)
        };
        *lane = _mm256_add_ps(*lane, term);
    }
}

/// The floats that [`LANES`] dimensions of a code stand for.
#[inline]
#[target_feature(enable = "avx2,f16c,popcnt")]
fn widen<const FORMAT: usize>(code: &[u8; FORMAT]) -> [__m256; REGISTERS] {
    let mut floats = [_mm256_setzero_ps(); REGISTERS];
    for (i, floats) in floats.iter_mut().enumerate() {
        *floats = match FORMAT {
            F32 => _mm256_castsi256_ps(load(&code.as_chunks().0[i])),
            F16 => _mm256_cvtph_ps(load_16(&code.as_chunks().0[i])),
            _ => _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(&code.as_chunks().0[i]))),
        };
    }
    floats
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_lanes([a, b, c, d]: [__m256; REGISTERS]) -> f32 {
    let (a, b) = (_mm256_add_ps(a, c), _mm256_add_ps(b, d));
    sum_of_8_lanes(_mm256_add_ps(a, b))
}

/// The last three steps of the reduction.
#[inline]
#[target_feature(enable = "avx2")]
pub(in crate::arch::x86_64) fn sum_of_8_lanes(lanes: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_u4(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [_mm256_setzero_ps(); REGISTERS];
    let (queries, query_tail) = query.as_chunks::<U4_BLOCK>();
    let (codes, code_tail) = code.split_at(queries.len() * U4_BLOCK / 2);
    for (query, code) in queries.iter().zip(codes.as_chunks().0) {
        add_nibbles(&mut lanes, query, code);
    }
    if let Some(code) = code_tail.first_chunk() {
        add_nibbles(&mut lanes, &padded(query_tail), code);
    }
    sum_of_lanes(lanes)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_nibbles(lanes: &mut [__m256; REGISTERS], query: &[f32; U4_BLOCK], code: &[u8; U4_BLOCK / 2]) {
    let (query, code) = (query.as_chunks().0, code.as_chunks().0);
    let (mut low, mut high) = ([_mm256_setzero_ps(); REGISTERS], [_mm256_setzero_ps(); REGISTERS]);
    for i in 0..REGISTERS {
        let bytes = _mm256_cvtepu8_epi32(load_8(&code[i]));
        low[i] = _mm256_cvtepi32_ps(_mm256_and_si256(bytes, _mm256_set1_epi32(15)));
        high[i] = _mm256_cvtepi32_ps(_mm256_srli_epi32::<4>(bytes));
    }
    add_terms::<false>(lanes, &query[0], low);
    add_terms::<false>(lanes, &query[1], high);
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_b1(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [_mm256_setzero_ps(); REGISTERS];
    let (queries, query_tail) = query.as_chunks::<LANES>();
    let (codes, code_tail) = code.split_at(queries.len() * LANES / 8);
    for (query, code) in queries.iter().zip(codes.as_chunks().0) {
        add_selected(&mut lanes, query, code);
    }
    if !query_tail.is_empty() {
        add_selected(&mut lanes, &padded(query_tail), &padded(code_tail));
    }
    sum_of_lanes(lanes)
}

/// Adds +0 where the bit is not set.
#[inline]
#[target_feature(enable = "avx2")]
fn add_selected(lanes: &mut [__m256; REGISTERS], query: &[f32; LANES], code: &[u8; LANES / 8]) {
    let bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    for ((lane, query), &byte) in lanes.iter_mut().zip(query.as_chunks().0).zip(code) {
        let set = _mm256_and_si256(_mm256_set1_epi32(i32::from(byte)), bits);
        let selected = _mm256_and_ps(load_f32(query), _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bits)));
        *lane = _mm256_add_ps(*lane, selected);
    }
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_f32_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f32(query, walk.row(place));
    }
}

#[target_feature(enable = "avx2,f16c,popcnt")]
fn dot_f16_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f16(query, walk.row(place));
    }
}
