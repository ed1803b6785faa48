//! A query of floats with codes, value by value.

use super::each;
use super::floats::{sum_in_lanes, sum_of_lanes};
use super::packing::widen_f16;
use crate::arch::{LANES, Mixed, U4_BLOCK};
use crate::rows::Walk;

pub(crate) const KERNELS: Mixed =
    Mixed { dot_f32, dot_f16, dot_i8, dot_u4, dot_b1, dot_f32_walk, dot_f16_walk };

fn dot_f32(query: &[f32], code: &[u8]) -> f32 {
    // Whole blocks, so that the compiler spreads the lanes over what registers every machine has.
    let mut lanes = [0.0; LANES];
    let (queries, query_tail) = query.as_chunks::<LANES>();
    let (codes, code_tail) = code.as_chunks::<{ 4 * LANES }>();
    for (query, code) in queries.iter().zip(codes) {
        let code = code.as_chunks::<4>().0;
        for i in 0..LANES {
            lanes[i] += query[i] * f32::from_ne_bytes(code[i]);
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(query_tail.iter().zip(code_tail.as_chunks().0)) {
        *lane += x * f32::from_ne_bytes(*y);
    }
    sum_of_lanes(lanes)
}

fn dot_f16(query: &[f32], code: &[u8]) -> f32 {
    let halves = code.as_chunks().0.iter().map(|&half| widen_f16(u16::from_le_bytes(half)));
    sum_in_lanes(query.iter().zip(halves).map(|(x, y)| x * y))
}

fn dot_i8(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes(query.iter().zip(code).map(|(x, &y)| x * f32::from(y as i8)))
}

fn dot_u4(query: &[f32], code: &[u8]) -> f32 {
    let (mut lanes, half) = ([0.0; LANES], U4_BLOCK / 2);
    for (query, code) in query.chunks(U4_BLOCK).zip(code.chunks_exact(half)) {
        let (low, high) = query.split_at(half.min(query.len()));
        for (lane, (x, byte)) in lanes.iter_mut().zip(low.iter().zip(code)) {
            *lane += x * f32::from(byte & 15);
        }
        for (lane, (x, byte)) in lanes.iter_mut().zip(high.iter().zip(code)) {
            *lane += x * f32::from(byte >> 4);
        }
    }
    sum_of_lanes(lanes)
}

fn dot_b1(query: &[f32], code: &[u8]) -> f32 {
    sum_in_lanes(
        query.iter().enumerate().map(|(i, &x)| if code[i / 8] >> (i % 8) & 1 == 1 { x } else { 0.0 }),
    )
}

fn dot_f32_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    each(walk, out, |row| dot_f32(query, row));
}

fn dot_f16_walk(query: &[f32], walk: Walk<'_>, out: &mut [f32]) {
    each(walk, out, |row| dot_f16(query, row));
}
