//! Floats to codes and back: 16-bit floats, 8-bit codes, nibbles, signs.
#![allow(unsafe_code, reason = "calls the functions of a level that has been checked against the CPU")]

use super::{Kernels, power_of_two};
use crate::arch::U4_BLOCK;

/// Largest absolute value of a code that [`Kernels::quantize_i8`] writes: codes lie in -127..=127, never -128.
pub const CODE_MAX: i8 = 127;

/// Smallest largest-absolute-value that [`Kernels::quantize_i8`] resolves, 2⁻¹¹⁹ ≈ 1.5e-36: below it the scale would
/// leave the normal floats, so such a vector gets the codes of the zero vector.
pub const QUANTIZE_PEAK_MIN: f32 = power_of_two(-119);

/// Bytes of the nibbles of so many dimensions: whole blocks.
pub(super) fn u4_len(dimension: usize) -> usize {
    dimension.div_ceil(U4_BLOCK) * (U4_BLOCK / 2)
}

/// Bytes of the bits of so many dimensions.
pub(super) fn b1_len(dimension: usize) -> usize {
    dimension.div_ceil(8)
}

// SAFETY (of every call through `self.raw` below): see the head of the first `impl`, in `mod.rs`.
impl Kernels {
    /// Symmetric 8-bit quantization: `codes[i] = round(values[i] · 127 / peak)`, where `peak` is the largest absolute
    /// value and halves round to even. Returns the scale `peak / 127`; `codes[i] · scale` restores the value within
    /// half a scale (and the rounding of `f32`).
    ///
    /// Codes lie in -127..=[`CODE_MAX`]; at least one is ±127, unless all are 0: with scale 0 if `peak` is below
    /// [`QUANTIZE_PEAK_MIN`], with scale NaN if any value is not finite.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[must_use = "the scale belongs to the codes"]
    pub fn quantize_i8(&self, values: &[f32], codes: &mut [i8]) -> f32 {
        assert_eq!(values.len(), codes.len(), "quantize_i8: values and codes of different length");
        let peak = self.max_abs_f32(values);
        if !peak.is_finite() || peak < QUANTIZE_PEAK_MIN {
            codes.fill(0);
            return if peak.is_finite() { 0.0 } else { f32::NAN };
        }
        let code_max = f32::from(CODE_MAX);
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.packing.round_to_i8)(values, code_max / peak, codes) };
        peak / code_max
    }

    /// To little-endian binary16, 2 bytes per value: halves round to even, what is beyond its range becomes infinite,
    /// a NaN stays one.
    ///
    /// # Panics
    ///
    /// If `code` is not 2 bytes per value.
    pub fn f32_to_f16(&self, values: &[f32], code: &mut [u8]) {
        assert_eq!(code.len(), 2 * values.len(), "f32_to_f16: not 2 bytes per value");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.packing.f32_to_f16)(values, code) }
    }

    /// From little-endian binary16, exactly.
    ///
    /// # Panics
    ///
    /// If `code` is not 2 bytes per value.
    pub fn f16_to_f32(&self, code: &[u8], values: &mut [f32]) {
        assert_eq!(code.len(), 2 * values.len(), "f16_to_f32: not 2 bytes per value");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.packing.f16_to_f32)(code, values) }
    }

    /// 4-bit quantization to nibbles `n = clamp(round(value · scale + 7.5), 0, 15)`, halves to even, laid out as
    /// [nibbles](crate#layouts) are. A nibble stands for `(n − 7.5) / scale`. NaN becomes 0.
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(values / 64) · 32` bytes.
    pub fn quantize_u4(&self, values: &[f32], scale: f32, code: &mut [u8]) {
        assert_eq!(code.len(), u4_len(values.len()), "quantize_u4: not 32 bytes per 64 values");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.packing.quantize_u4)(values, scale, code) }
    }

    /// Values 0..=15 to [nibbles](crate#layouts). The upper bits of a larger value are lost.
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(values / 64) · 32` bytes.
    pub fn pack_u4(&self, values: &[u8], code: &mut [u8]) {
        assert_eq!(code.len(), u4_len(values.len()), "pack_u4: not 32 bytes per 64 values");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.packing.pack_u4)(values, code) }
    }

    /// [Nibbles](crate#layouts) to values 0..=15.
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(values / 64) · 32` bytes.
    pub fn unpack_u4(&self, code: &[u8], values: &mut [u8]) {
        assert_eq!(code.len(), u4_len(values.len()), "unpack_u4: not 32 bytes per 64 values");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.packing.unpack_u4)(code, values) }
    }

    /// One [bit](crate#layouts) per value, set where the value is at least 0: for both zeros, not for NaN.
    ///
    /// # Panics
    ///
    /// If `code` is not `ceil(values / 8)` bytes.
    pub fn pack_signs(&self, values: &[f32], code: &mut [u8]) {
        assert_eq!(code.len(), b1_len(values.len()), "pack_signs: not one bit per value");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.packing.pack_signs)(values, code) }
    }
}
