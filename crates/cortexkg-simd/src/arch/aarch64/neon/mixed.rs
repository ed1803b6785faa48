//! A query of floats with codes, four dimensions at a time.
#![allow(unsafe_code, reason = "an instruction without a stable name")]

use std::arch::aarch64::*;
use std::arch::asm;

use super::{REGISTERS, load, load_8, load_f32, load_u32};
use crate::arch::{LANES, Mixed, U4_BLOCK, padded};
use crate::rows::Walk;

pub(super) const KERNELS: Mixed =
    Mixed { dot_f32, dot_f16, dot_i8, dot_u4, dot_b1, dot_f32_walk, dot_f16_walk };

// The formats that `widen` reads, by the bytes that hold LANES dimensions.
const F32: usize = 4 * LANES;
const F16: usize = 2 * LANES;
const I8: usize = LANES;

type Lanes = [float32x4_t; REGISTERS];

#[target_feature(enable = "neon")]
fn dot_f32(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F32, false>(query, code)
}

#[target_feature(enable = "neon")]
pub(super) fn squared_l2(a: &[f32], b: &[u8]) -> f32 {
    sum_in_lanes::<F32, true>(a, b)
}

#[target_feature(enable = "neon")]
fn dot_f16(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<F16, false>(query, code)
}

#[target_feature(enable = "neon")]
fn dot_i8(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes::<I8, false>(query, code)
}

/// Sums (a − b)² if `SQUARED_L2`, else a·b.
#[inline]
#[target_feature(enable = "neon")]
fn sum_in_lanes<const FORMAT: usize, const SQUARED_L2: bool>(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [vdupq_n_f32(0.0); REGISTERS];
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
#[target_feature(enable = "neon")]
fn add_terms<const SQUARED_L2: bool>(lanes: &mut Lanes, query: &[f32; LANES], code: Lanes) {
    for ((lane, query), y) in lanes.iter_mut().zip(query.as_chunks().0).zip(code) {
        let x = load_f32(query);
        let term = if SQUARED_L2 {
            let difference = vsubq_f32(x, y);
            vmulq_f32(difference, difference)
        } else {
            vmulq_f32(x, y)
        };
        *lane = vaddq_f32(*lane, term);
    }
}

/// The floats that [`LANES`] dimensions of a code stand for.
#[inline]
#[target_feature(enable = "neon")]
fn widen<const FORMAT: usize>(code: &[u8; FORMAT]) -> Lanes {
    let mut floats = [vdupq_n_f32(0.0); REGISTERS];
    match FORMAT {
        F32 => {
            for (floats, code) in floats.iter_mut().zip(code.as_chunks().0) {
                *floats = vreinterpretq_f32_u8(load(code));
            }
        }
        F16 => {
            for (floats, code) in floats.iter_mut().zip(code.as_chunks().0) {
                *floats = widen_f16(code);
            }
        }
        _ => {
            for (floats, code) in floats.as_chunks_mut::<2>().0.iter_mut().zip(code.as_chunks().0) {
                let codes = vmovl_s8(vreinterpret_s8_u8(load_8(code)));
                floats[0] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(codes)));
                floats[1] = vcvtq_f32_s32(vmovl_high_s16(codes));
            }
        }
    }
    floats
}

/// Four binary16 numbers.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn widen_f16(halves: &[u8; 8]) -> float32x4_t {
    let halves = load_8(halves);
    let floats: float32x4_t;
    // SAFETY: FCVTL is part of NEON; it reads one register and writes the other.
    unsafe {
        asm!(
            "fcvtl {floats:v}.4s, {halves:v}.4h",
            floats = lateout(vreg) floats,
            halves = in(vreg) halves,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    floats
}

#[inline]
#[target_feature(enable = "neon")]
fn sum_of_lanes([a, b, c, d, e, f, g, h]: Lanes) -> f32 {
    let (a, b, c, d) = (vaddq_f32(a, e), vaddq_f32(b, f), vaddq_f32(c, g), vaddq_f32(d, h));
    let four = vaddq_f32(vaddq_f32(a, c), vaddq_f32(b, d));
    vpadds_f32(vadd_f32(vget_low_f32(four), vget_high_f32(four)))
}

#[target_feature(enable = "neon")]
fn dot_u4(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [vdupq_n_f32(0.0); REGISTERS];
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
#[target_feature(enable = "neon")]
fn add_nibbles(lanes: &mut Lanes, query: &[f32; U4_BLOCK], code: &[u8; U4_BLOCK / 2]) {
    let query = query.as_chunks().0;
    let (mut low, mut high) = ([0; LANES], [0; LANES]);
    for (i, byte) in code.iter().enumerate() {
        (low[i], high[i]) = (byte & 15, byte >> 4);
    }
    add_terms::<false>(lanes, &query[0], widen::<I8>(&low));
    add_terms::<false>(lanes, &query[1], widen::<I8>(&high));
}

#[target_feature(enable = "neon")]
fn dot_b1(query: &[f32], code: &[u8]) -> f32 {
    let mut lanes = [vdupq_n_f32(0.0); REGISTERS];
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
#[target_feature(enable = "neon")]
fn add_selected(lanes: &mut Lanes, query: &[f32; LANES], code: &[u8; LANES / 8]) {
    let places = [load_u32(&[1, 2, 4, 8]), load_u32(&[16, 32, 64, 128])];
    for (i, (lane, query)) in lanes.iter_mut().zip(query.as_chunks().0).enumerate() {
        let set = vtstq_u32(vdupq_n_u32(u32::from(code[i / 2])), places[i % 2]);
        let selected = vandq_u32(vreinterpretq_u32_f32(load_f32(query)), set);
        *lane = vaddq_f32(*lane, vreinterpretq_f32_u32(selected));
    }
}

#[target_feature(enable = "neon")]
fn dot_f32_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f32(query, walk.row(place));
    }
}

#[target_feature(enable = "neon")]
fn dot_f16_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = dot_f16(query, walk.row(place));
    }
}
