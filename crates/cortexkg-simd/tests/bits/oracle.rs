//! What every kernel should give, written as plainly as can be.

use cortexkg_simd::{LANES, QUANTIZE_PEAK_MIN};

pub(crate) fn sum(terms: impl Iterator<Item = f32>) -> f32 {
    let mut lanes = vec![0.0_f32; LANES];
    for (i, term) in terms.enumerate() {
        lanes[i % LANES] += term;
    }
    while lanes.len() > 1 {
        let upper = lanes.split_off(lanes.len() / 2);
        for (lane, upper) in lanes.iter_mut().zip(upper) {
            *lane += upper;
        }
    }
    lanes[0]
}

pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a.iter().zip(b).map(|(x, y)| x * y))
}

pub(crate) fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    sum(a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)))
}

pub(crate) fn max_abs(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max, value| if value.abs() > max { value.abs() } else { max })
}

pub(crate) fn quantize(values: &[f32]) -> (Vec<i8>, f32) {
    let peak = max_abs(values);
    if peak < QUANTIZE_PEAK_MIN {
        return (vec![0; values.len()], 0.0);
    }
    let factor = 127.0 / peak;
    (values.iter().map(|value| (value * factor).round_ties_even() as i8).collect(), peak / 127.0)
}

pub(crate) fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    let exact: i64 = a.iter().zip(b).map(|(&x, &y)| i64::from(x) * i64::from(y)).sum();
    exact as i32
}

/// The nibble of each dimension, by the layout.
pub(crate) fn nibbles(code: &[u8], dimension: usize) -> Vec<u8> {
    (0..dimension)
        .map(|i| {
            let byte = code[i / 64 * 32 + i % 32];
            if i % 64 < 32 { byte % 16 } else { byte / 16 }
        })
        .collect()
}

/// The bit of each dimension.
pub(crate) fn bits(code: &[u8], dimension: usize) -> Vec<bool> {
    (0..dimension).map(|i| code[i / 8] >> (i % 8) & 1 == 1).collect()
}

pub(crate) fn dot_i8_u4(query: &[i8], code: &[u8]) -> i32 {
    query.iter().zip(nibbles(code, query.len())).map(|(&x, n)| i32::from(x) * i32::from(n)).sum()
}

pub(crate) fn dot_i8_b1(query: &[i8], code: &[u8]) -> i32 {
    query.iter().zip(bits(code, query.len())).map(|(&x, set)| if set { i32::from(x) } else { 0 }).sum()
}

pub(crate) fn dot_f32_u4(query: &[f32], code: &[u8]) -> f32 {
    sum(query.iter().zip(nibbles(code, query.len())).map(|(x, n)| x * f32::from(n)))
}

pub(crate) fn dot_f32_b1(query: &[f32], code: &[u8]) -> f32 {
    sum(query.iter().zip(bits(code, query.len())).map(|(&x, set)| if set { x } else { 0.0 }))
}

pub(crate) fn dot_f32_i8(query: &[f32], code: &[i8]) -> f32 {
    sum(query.iter().zip(code).map(|(x, &y)| x * f32::from(y)))
}

pub(crate) fn dot_f32_f16(query: &[f32], code: &[u8]) -> f32 {
    sum(query.iter().zip(code.chunks_exact(2)).map(|(x, half)| x * half_value([half[0], half[1]])))
}

pub(crate) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    (0..8 * a.len()).map(|i| u32::from((a[i / 8] ^ b[i / 8]) >> (i % 8) & 1)).sum()
}

/// What a binary16 number is worth, from its definition.
pub(crate) fn half_value(half: [u8; 2]) -> f32 {
    let half = u16::from_le_bytes(half);
    let sign = if half >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(half >> 10 & 31), f32::from(half & 1023));
    sign * match exponent {
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        0 => fraction * 2_f32.powi(-24),
        _ => (1024.0 + fraction) * 2_f32.powi(exponent - 25),
    }
}

/// The binary16 number nearest to a value that is not NaN, the even one of two: sought among all of them.
pub(crate) fn nearest_half(value: f32) -> u16 {
    let magnitude = f64::from(value.abs());
    // As if the next power of two were a number: what rounds to it becomes infinite.
    let worth = |half: u16| if half == 0x7c00 { 65_536.0 } else { f64::from(half_value(half.to_le_bytes())) };
    let (mut below, mut above) = (0_u16, 0x7c00_u16);
    while above - below > 1 {
        let middle = below.midpoint(above);
        if worth(middle) <= magnitude { below = middle } else { above = middle }
    }
    let (down, up) = (magnitude - worth(below), worth(above) - magnitude);
    let nearest = if down < up || (down == up && below.is_multiple_of(2)) { below } else { above };
    if value.is_sign_negative() { nearest | 0x8000 } else { nearest }
}

pub(crate) fn pack_u4(values: &[u8]) -> Vec<u8> {
    let mut code = vec![0; values.len().div_ceil(64) * 32];
    for (i, value) in values.iter().enumerate() {
        code[i / 64 * 32 + i % 32] |= if i % 64 < 32 { *value } else { value * 16 };
    }
    code
}

pub(crate) fn quantize_u4(values: &[f32], scale: f32) -> Vec<u8> {
    // The cast of a NaN gives 0.
    let level = |value: &f32| (value * scale + 7.5).round_ties_even().clamp(0.0, 15.0) as u8;
    pack_u4(&values.iter().map(level).collect::<Vec<_>>())
}

pub(crate) fn pack_signs(values: &[f32]) -> Vec<u8> {
    let mut code = vec![0; values.len().div_ceil(8)];
    for (i, _) in values.iter().enumerate().filter(|(_, value)| **value >= 0.0) {
        code[i / 8] |= 1 << (i % 8);
    }
    code
}

/// By the recursion: the transform of the halves, then their sum and difference.
pub(crate) fn hadamard(values: &[f32]) -> Vec<f32> {
    if values.len() == 1 {
        return values.to_vec();
    }
    let (low, high) = values.split_at(values.len() / 2);
    let (low, high) = (hadamard(low), hadamard(high));
    let sums = low.iter().zip(&high).map(|(a, b)| a + b);
    sums.chain(low.iter().zip(&high).map(|(a, b)| a - b)).collect()
}
