//! A query of whole numbers with codes, value by value. Sums wrap.

use super::each;
use crate::arch::{Codes, U4_BLOCK};
use crate::rows::Walk;

pub(crate) const KERNELS: Codes =
    Codes { dot_i8, dot_u4, dot_b1, hamming, dot_i8_walk, dot_u4_walk, dot_b1_walk, hamming_walk };

fn dot_i8(query: &[i8], code: &[u8]) -> i32 {
    query.iter().zip(code).fold(0, |sum, (&x, &y)| sum.wrapping_add(i32::from(x) * i32::from(y as i8)))
}

fn dot_u4(query: &[i8], code: &[u8]) -> i32 {
    let (mut sum, half) = (0_i32, U4_BLOCK / 2);
    for (query, code) in query.chunks(U4_BLOCK).zip(code.chunks_exact(half)) {
        let (low, high) = query.split_at(half.min(query.len()));
        let low = low.iter().zip(code).map(|(&x, byte)| i32::from(x) * i32::from(byte & 15));
        let high = high.iter().zip(code).map(|(&x, byte)| i32::from(x) * i32::from(byte >> 4));
        // At most 64 · 128 · 15.
        sum = sum.wrapping_add(low.sum::<i32>() + high.sum::<i32>());
    }
    sum
}

fn dot_b1(query: &[i8], code: &[u8]) -> i32 {
    let mut sum = 0_i32;
    for (query, byte) in query.chunks(8).zip(code) {
        for (i, &x) in query.iter().enumerate() {
            sum = sum.wrapping_add(i32::from(x) * i32::from(byte >> i & 1));
        }
    }
    sum
}

#[inline]
pub(crate) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    let (a_words, a_tail) = a.as_chunks();
    let (b_words, b_tail) = b.as_chunks();
    let differ = |x: &[u8; 8], y: &[u8; 8]| (u64::from_ne_bytes(*x) ^ u64::from_ne_bytes(*y)).count_ones();
    let words = a_words.iter().zip(b_words).fold(0_u32, |sum, (x, y)| sum.wrapping_add(differ(x, y)));
    a_tail.iter().zip(b_tail).fold(words, |sum, (x, y)| sum.wrapping_add((x ^ y).count_ones()))
}

fn dot_i8_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    each(walk, out, |row| dot_i8(query, row));
}

fn dot_u4_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    each(walk, out, |row| dot_u4(query, row));
}

fn dot_b1_walk(query: &[i8], walk: Walk<'_>, out: &mut [i32]) {
    each(walk, out, |row| dot_b1(query, row));
}

fn hamming_walk(query: &[u8], walk: Walk<'_>, out: &mut [u32]) {
    each(walk, out, |row| hamming(query, row));
}
