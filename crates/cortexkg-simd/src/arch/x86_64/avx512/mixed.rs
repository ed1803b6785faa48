//! A query of floats with codes, sixteen dimensions at a time.

use std::arch::x86_64::*;

use super::{REGISTERS, WIDTH, load_16, load_32, load_f32};
use crate::arch::x86_64::avx2::sum_of_8_lanes;
use crate::arch::{LANES, Mixed, U4_BLOCK, padded};
use crate::rows::Walk;

pub(super) const KERNELS: Mixed =
    Mixed { dot_f32, dot_f16, dot_i8, dot_u4, dot_b1, dot_f32_walk, dot_f16_walk };

// The formats that `widen` reads, by the bytes that hold LANES dimensions.
const F32: usize = 4 * LANES;
const F16: usize = 2 * LANES;
const I8: usize = LANES;

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_f32(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F32, false>(query, code)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) fn squared_l2(a: &[f32], b: &[u8]) -> f32 {
    sum_in_lanes::<F32, true>(a, b)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_f16(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F16, false>(query, code)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_i8(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<I8, false>(query, code)
}

/// Sums (a − b)² if `SQUARED_L2`, else a·b.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sum_in_lanes<const FORMAT: usize, const SQUARED_L2: bool>(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [_mm512_setzero_ps(); REGISTERS];
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
#[target_feature(enable = "avx512f")]
fn add_terms<const SQUARED_L2: bool>(
    lanes: &mut [__m512; REGISTERS],
    query: &[f32; LANES],
    code: [__m512; REGISTERS],
) {
    for ((lane, query), y) in lanes.iter_mut().zip(query.as_chunks().0).zip(code) {
        let x = load_f32(query);
        let term = if SQUARED_L2 {
            let difference = _mm512_sub_ps(x, y);
            _mm512_mul_ps(difference, difference)
        } else {
            _mm512_mul_ps(x, y)
        };
        *lane = _mm512_add_ps(*lane, term);
    }
}

/// The floats that [`LANES`] dimensions of a code stand for.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn widen<const FORMAT: usize>(code: &[u8; FORMAT]) -> [__m512; REGISTERS] {
    let mut floats = [_mm512_setzero_ps(); REGISTERS];
    for (i, floats) in floats.iter_mut().enumerate() {
        *floats = match FORMAT {
            F32 => _mm512_castsi512_ps(super::load(&code.as_chunks().0[i])),
            F16 => _mm512_cvtph_ps(load_32(&code.as_chunks().0[i])),
            _ => _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_16(&code.as_chunks().0[i]))),
        };
    }
    floats
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sum_of_lanes([a, b]: [__m512; REGISTERS]) -> f32 {
    let sixteen = _mm512_add_ps(a, b);
    let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(sixteen)));
    sum_of_8_lanes(_mm256_add_ps(_mm512_castps512_ps256(sixteen), high))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_u4(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [_mm512_setzero_ps(); REGISTERS];
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn add_nibbles(lanes: &mut [__m512; REGISTERS], query: &[f32; U4_BLOCK], code: &[u8; U4_BLOCK / 2]) {
    let (query, code) = (query.as_chunks().0, code.as_chunks().0);
    let (mut low, mut high) = ([_mm512_setzero_ps(); REGISTERS], [_mm512_setzero_ps(); REGISTERS]);
    for i in 0..REGISTERS {
        let bytes = _mm512_cvtepu8_epi32(load_16(&code[i]));
        low[i] = _mm512_cvtepi32_ps(_mm512_and_si512(bytes, _mm512_set1_epi32(15)));
        high[i] = _mm512_cvtepi32_ps(_mm512_srli_epi32::<4>(bytes));
    }
    add_terms::<false>(lanes, &query[0], low);
    add_terms::<false>(lanes, &query[1], high);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_b1(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [_mm512_setzero_ps(); REGISTERS];
    let (queries, query_tail) = query.as_chunks::<LANES>();
    let (codes, code_tail) = code.split_at(queries.len() * LANES / 8);
    for (query, code) in queries.iter().zip(codes.as_chunks().0) {
        add_selected(&mut lanes, query, u32::from_le_bytes(*code));
    }
    if !query_tail.is_empty() {
        add_selected(&mut lanes, &padded(query_tail), u32::from_le_bytes(padded(code_tail)));
    }
    sum_of_lanes(lanes)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add_selected(lanes: &mut [__m512; REGISTERS], query: &[f32; LANES], bits: u32) {
    for (i, (lane, query)) in lanes.iter_mut().zip(query.as_chunks().0).enumerate() {
        *lane = _mm512_mask_add_ps(*lane, (bits >> (WIDTH * i)) as __mmask16, *lane, load_f32(query));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_f32_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f32(query, walk.row(place));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_f16_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f16(query, walk.row(place));
    }
}
