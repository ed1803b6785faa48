//! Floats with floats, one after the other.

use crate::arch::{Floats, LANES};

pub(crate) const KERNELS: Floats = Floats { squared_l2, max_abs, scale, flip_signs, hadamard };

/// All bits of an `f32` but its sign. Absolute values order as these bits do, with every NaN above infinity.
pub(crate) const ABS_MASK: u32 = 0x7fff_ffff;

fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes(a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)))
}

/// The sum of terms in the lane order of the crate.
#[inline]
pub(crate) fn sum_in_lanes(terms: impl Iterator<Item = f32>) -> f32 {
    let mut lanes = [0.0; LANES];
    for (i, term) in terms.enumerate() {
        lanes[i % LANES] += term;
    }
    sum_of_lanes(lanes)
}

/// Adds the upper half of the lanes to the lower half until one is left.
#[inline]
pub(crate) fn sum_of_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

pub(crate) fn max_abs(values: &[f32]) -> f32 {
    f32::from_bits(values.iter().fold(0, |max, value| max.max(value.to_bits() & ABS_MASK)))
}

#[inline]
pub(crate) fn scale(values: &mut [f32], factor: f32) {
    for value in values {
        *value *= factor;
    }
}

#[inline]
pub(crate) fn flip_signs(values: &mut [f32], bits: &[u8]) {
    for (values, byte) in values.chunks_mut(8).zip(bits) {
        for (i, value) in values.iter_mut().enumerate() {
            let sign = u32::from(byte >> i & 1) << 31;
            *value = f32::from_bits(value.to_bits() ^ sign);
        }
    }
}

fn hadamard(values: &mut [f32]) {
    butterflies(values, 1);
}

/// The steps of the transform between values `distance`, 2 · `distance` … apart.
#[inline]
pub(crate) fn butterflies(values: &mut [f32], mut distance: usize) {
    while distance < values.len() {
        for pair in values.chunks_exact_mut(2 * distance) {
            let (low, high) = pair.split_at_mut(distance);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        distance *= 2;
    }
}
