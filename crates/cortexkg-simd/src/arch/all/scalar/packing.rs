//! Floats to codes and back, value by value.

use crate::arch::{Packing, U4_BLOCK, padded};

pub(crate) const KERNELS: Packing =
    Packing { round_to_i8, f32_to_f16, f16_to_f32, quantize_u4, pack_u4, unpack_u4, pack_signs };

/// 1.5 · 2²³: a float of this size has a unit of 1, so that adding it rounds to a whole number, half to even, which
/// then stands in the low bits.
const ROUNDING_MAGIC: f32 = 12_582_912.0;

#[inline]
pub(crate) fn round_to_i8(values: &[f32], factor: f32, codes: &mut [i8]) {
    for (code, value) in codes.iter_mut().zip(values) {
        *code = (value * factor + ROUNDING_MAGIC).to_bits() as i8;
    }
}

#[inline]
pub(crate) fn f32_to_f16(values: &[f32], code: &mut [u8]) {
    for (half, &value) in code.as_chunks_mut().0.iter_mut().zip(values) {
        *half = narrow_f16(value).to_le_bytes();
    }
}

#[inline]
pub(crate) fn f16_to_f32(code: &[u8], values: &mut [f32]) {
    for (value, &half) in values.iter_mut().zip(code.as_chunks().0) {
        *value = widen_f16(u16::from_le_bytes(half));
    }
}

/// To binary16, half to even; beyond its range to infinity. A NaN stays one, quiet, with the upper bits that fit.
#[inline]
pub(crate) fn narrow_f16(value: f32) -> u16 {
    let bits = value.to_bits();
    let (sign, magnitude) = ((bits >> 16 & 0x8000) as u16, bits & 0x7fff_ffff);
    let half = if magnitude > 0x7f80_0000 {
        0x7e00 | magnitude >> 13 & 0x3ff
    } else if magnitude < 113 << 23 {
        // Below the normal numbers a unit is 2^-24, that of the floats from 0.5 on.
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0.5_f32.to_bits()
    } else {
        // From 2^16 on all is infinity. The exponent changes its bias by 112; half to even by adding just less than half.
        let finite = magnitude.min(143 << 23) - (112 << 23);
        (finite + 0xfff + (finite >> 13 & 1)) >> 13
    };
    sign | half as u16
}

/// From binary16, exactly. A NaN stays one, quiet, with its bits.
#[inline]
pub(crate) fn widen_f16(half: u16) -> f32 {
    let half = u32::from(half);
    let (sign, magnitude) = ((half & 0x8000) << 16, half & 0x7fff);
    // The multiplication moves the bias of the exponent, and brings subnormals to normal numbers.
    let finite = (f32::from_bits(magnitude << 13) * f32::from_bits((127 + 112) << 23)).to_bits();
    let bits = match magnitude {
        0..0x7c00 => finite,
        0x7c00 => 0x7f80_0000,
        _ => 0x7fc0_0000 | magnitude << 13,
    };
    f32::from_bits(sign | bits)
}

#[inline]
pub(crate) fn quantize_u4(values: &[f32], factor: f32, code: &mut [u8]) {
    for (values, code) in values.chunks(U4_BLOCK).zip(code.as_chunks_mut().0) {
        let mut levels = [0; U4_BLOCK];
        for (level, value) in levels.iter_mut().zip(values) {
            let level_f32 = value * factor + 7.5;
            // The lesser and the greater in this order, so that NaN becomes 0.
            let level_f32 = if level_f32 > 0.0 { level_f32 } else { 0.0 };
            let level_f32 = if level_f32 < 15.0 { level_f32 } else { 15.0 };
            *level = (level_f32 + ROUNDING_MAGIC).to_bits() as u8;
        }
        pack_block(&levels, code);
    }
}

#[inline]
pub(crate) fn pack_u4(values: &[u8], code: &mut [u8]) {
    let (blocks, tail) = values.as_chunks();
    let (codes, code_tail) = code.split_at_mut(blocks.len() * U4_BLOCK / 2);
    for (block, code) in blocks.iter().zip(codes.as_chunks_mut().0) {
        pack_block(block, code);
    }
    if let Some(code) = code_tail.first_chunk_mut() {
        pack_block(&padded(tail), code);
    }
}

#[inline]
pub(crate) fn pack_block(values: &[u8; U4_BLOCK], code: &mut [u8; U4_BLOCK / 2]) {
    let (low, high) = values.split_at(U4_BLOCK / 2);
    for (byte, (low, high)) in code.iter_mut().zip(low.iter().zip(high)) {
        *byte = low & 15 | high << 4;
    }
}

#[inline]
pub(crate) fn unpack_u4(code: &[u8], values: &mut [u8]) {
    let half = U4_BLOCK / 2;
    for (values, code) in values.chunks_mut(U4_BLOCK).zip(code.chunks_exact(half)) {
        let (low, high) = values.split_at_mut(half.min(values.len()));
        for (value, byte) in low.iter_mut().zip(code) {
            *value = byte & 15;
        }
        for (value, byte) in high.iter_mut().zip(code) {
            *value = byte >> 4;
        }
    }
}

#[inline]
pub(crate) fn pack_signs(values: &[f32], code: &mut [u8]) {
    for (values, byte) in values.chunks(8).zip(code) {
        *byte = values.iter().enumerate().fold(0, |byte, (i, &value)| byte | u8::from(value >= 0.0) << i);
    }
}
