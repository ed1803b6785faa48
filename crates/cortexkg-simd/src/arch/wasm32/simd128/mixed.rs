//! A query of floats with codes, four dimensions at a time.

use std::arch::wasm32::*;

use super::{REGISTERS, WIDTH, load, load_f32};
use crate::arch::{LANES, Mixed, U4_BLOCK, padded};
use crate::rows::Walk;

pub(super) const KERNELS: Mixed =
    Mixed { dot_f32, dot_f16, dot_i8, dot_u4, dot_b1, dot_f32_walk, dot_f16_walk };

// The formats that `widen` reads, by the bytes that hold LANES dimensions.
const F32: usize = 4 * LANES;
const F16: usize = 2 * LANES;
const I8: usize = LANES;

type Lanes = [v128; REGISTERS];

#[target_feature(enable = "simd128")]
fn dot_f32(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F32, false>(query, code)
}

#[target_feature(enable = "simd128")]
pub(super) fn squared_l2(a: &[f32], b: &[u8]) -> f32 {
    sum_in_lanes::<F32, true>(a, b)
}

#[target_feature(enable = "simd128")]
fn dot_f16(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F16, false>(query, code)
}

#[target_feature(enable = "simd128")]
fn dot_i8(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<I8, false>(query, code)
}

/// Sums (a − b)² if `SQUARED_L2`, else a·b.
#[inline]
#[target_feature(enable = "simd128")]
fn sum_in_lanes<const FORMAT: usize, const SQUARED_L2: bool>(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [f32x4_splat(0.0); REGISTERS];
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
#[target_feature(enable = "simd128")]
fn add_terms<const SQUARED_L2: bool>(lanes: &mut Lanes, query: &[f32; LANES], code: Lanes) {
    for ((lane, query), y) in lanes.iter_mut().zip(query.as_chunks().0).zip(code) {
        let x = load_f32(query);
        let term = if SQUARED_L2 {
            let difference = f32x4_sub(x, y);
            f32x4_mul(difference, difference)
        } else {
            f32x4_mul(x, y)
        };
        *lane = f32x4_add(*lane, term);
    }
}

/// The floats that [`LANES`] dimensions of a code stand for.
#[inline]
#[target_feature(enable = "simd128")]
fn widen<const FORMAT: usize>(code: &[u8; FORMAT]) -> Lanes {
    let mut floats = [f32x4_splat(0.0); REGISTERS];
    match FORMAT {
        F32 => {
            for (floats, code) in floats.iter_mut().zip(code.as_chunks().0) {
                *floats = load(code);
            }
        }
        F16 => {
            for (floats, code) in floats.as_chunks_mut::<2>().0.iter_mut().zip(code.as_chunks().0) {
                *floats = widen_f16(code);
            }
        }
        _ => {
            for (floats, code) in floats.as_chunks_mut::<4>().0.iter_mut().zip(code.as_chunks().0) {
                let codes = load(code);
                let (low, high) = (i16x8_extend_low_i8x16(codes), i16x8_extend_high_i8x16(codes));
                floats[0] = f32x4_convert_i32x4(i32x4_extend_low_i16x8(low));
                floats[1] = f32x4_convert_i32x4(i32x4_extend_high_i16x8(low));
                floats[2] = f32x4_convert_i32x4(i32x4_extend_low_i16x8(high));
                floats[3] = f32x4_convert_i32x4(i32x4_extend_high_i16x8(high));
            }
        }
    }
    floats
}

/// Eight binary16 numbers, by the steps of the scalar form.
#[inline]
#[target_feature(enable = "simd128")]
pub(super) fn widen_f16(halves: &[u8; 16]) -> [v128; 2] {
    let halves = load(halves);
    [widen_f16_from_u32(u32x4_extend_low_u16x8(halves)), widen_f16_from_u32(u32x4_extend_high_u16x8(halves))]
}

#[inline]
#[target_feature(enable = "simd128")]
fn widen_f16_from_u32(halves: v128) -> v128 {
    let sign = u32x4_shl(v128_and(halves, u32x4_splat(0x8000)), 16);
    let magnitude = v128_and(halves, u32x4_splat(0x7fff));
    let shifted = u32x4_shl(magnitude, 13);
    let finite = f32x4_mul(shifted, u32x4_splat((127 + 112) << 23));
    // All ones above the largest finite number, and above infinity.
    let special = i32x4_gt(magnitude, i32x4_splat(0x7bff));
    let nan = i32x4_gt(magnitude, i32x4_splat(0x7c00));
    let quiet = v128_and(nan, u32x4_splat(0x0040_0000));
    let special_bits = v128_or(v128_or(shifted, u32x4_splat(0x7f80_0000)), quiet);
    v128_or(sign, v128_bitselect(special_bits, finite, special))
}

#[inline]
#[target_feature(enable = "simd128")]
fn sum_of_lanes([a, b, c, d, e, f, g, h]: Lanes) -> f32 {
    let (a, b, c, d) = (f32x4_add(a, e), f32x4_add(b, f), f32x4_add(c, g), f32x4_add(d, h));
    let four = f32x4_add(f32x4_add(a, c), f32x4_add(b, d));
    let two = f32x4_add(four, i32x4_shuffle::<2, 3, 2, 3>(four, four));
    f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
}

#[target_feature(enable = "simd128")]
fn dot_u4(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [f32x4_splat(0.0); REGISTERS];
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
#[target_feature(enable = "simd128")]
fn add_nibbles(lanes: &mut Lanes, query: &[f32; U4_BLOCK], code: &[u8; U4_BLOCK / 2]) {
    let query = query.as_chunks().0;
    let (mut low, mut high) = ([0; LANES], [0; LANES]);
    for (i, byte) in code.iter().enumerate() {
        (low[i], high[i]) = (byte & 15, byte >> 4);
    }
    add_terms::<false>(lanes, &query[0], widen::<I8>(&low));
    add_terms::<false>(lanes, &query[1], widen::<I8>(&high));
}

#[target_feature(enable = "simd128")]
fn dot_b1(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [f32x4_splat(0.0); REGISTERS];
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
#[target_feature(enable = "simd128")]
fn add_selected(lanes: &mut Lanes, query: &[f32; LANES], code: &[u8; LANES / 8]) {
    let places = [i32x4(1, 2, 4, 8), i32x4(16, 32, 64, 128)];
    for (i, (lane, query)) in lanes.iter_mut().zip(query.as_chunks::<WIDTH>().0).enumerate() {
        let place = places[i % 2];
        let set = i32x4_eq(v128_and(i32x4_splat(i32::from(code[i / 2])), place), place);
        *lane = f32x4_add(*lane, v128_and(load_f32(query), set));
    }
}

#[target_feature(enable = "simd128")]
fn dot_f32_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f32(query, walk.row(place));
    }
}

#[target_feature(enable = "simd128")]
fn dot_f16_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f16(query, walk.row(place));
    }
}
