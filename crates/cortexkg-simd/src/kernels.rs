//! The dispatch table: what each kernel computes, in safe methods over the functions of one level.
#![allow(unsafe_code, reason = "calls the functions of a level that has been checked against the CPU")]

use std::sync::OnceLock;

use crate::arch::{self, RawKernels};
use crate::level::{Level, LevelError};

/// Largest absolute value of a code that [`Kernels::quantize_i8`] writes: codes lie in -127..=127, never -128.
pub const CODE_MAX: i8 = 127;

/// Smallest largest-absolute-value that [`Kernels::quantize_i8`] resolves, 2⁻¹¹⁹ ≈ 1.5e-36: below it the scale would
/// leave the normal floats, so such a vector gets the codes of the zero vector.
pub const QUANTIZE_PEAK_MIN: f32 = power_of_two(-119);

/// Below this squared norm, squares have lost bits to underflow: [`Kernels::normalize_f32`] scales up first.
const NORM_SQUARED_MIN: f32 = power_of_two(-80);

/// The kernels of one [`Level`].
///
/// Slices of lengths that do not fit each other are a mistake of the caller, and panic with the two lengths.
#[derive(Debug)]
pub struct Kernels {
    level: Level,
    raw: RawKernels,
}

static SCALAR: Kernels = Kernels { level: Level::Scalar, raw: arch::all::scalar::KERNELS };
#[cfg(target_arch = "x86_64")]
static AVX2: Kernels = Kernels { level: Level::Avx2, raw: arch::x86_64::avx2::KERNELS };
#[cfg(target_arch = "x86_64")]
static AVX512: Kernels = Kernels { level: Level::Avx512, raw: arch::x86_64::avx512::KERNELS };

// SAFETY (of every call through `self.raw` below): `for_level` is the only way to a `Kernels`, and it hands out a table
// only after `Level::is_supported` has seen the instructions that the functions of the table need.
impl Kernels {
    /// The kernels of a level.
    ///
    /// # Errors
    ///
    /// [`LevelError::Unsupported`] if this CPU cannot run it.
    pub fn for_level(level: Level) -> Result<&'static Self, LevelError> {
        if !level.is_supported() {
            return Err(level.unsupported());
        }
        match level {
            Level::Scalar => Ok(&SCALAR),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Ok(&AVX2),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Ok(&AVX512),
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx2 | Level::Avx512 => Err(level.unsupported()),
        }
    }

    /// The kernels of this process, chosen at the first call: the level that [`LEVEL_VARIABLE`] names, if this CPU
    /// can run it, else the best that was detected.
    ///
    /// [`LEVEL_VARIABLE`]: crate::LEVEL_VARIABLE
    #[must_use]
    pub fn active() -> &'static Self {
        static ACTIVE: OnceLock<&'static Kernels> = OnceLock::new();
        ACTIVE.get_or_init(|| {
            let level = Level::from_env().ok().flatten().unwrap_or_else(Level::detect);
            Self::for_level(level).unwrap_or(&SCALAR)
        })
    }

    /// The level of these kernels.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Dot product Σ aᵢ·bᵢ, in the lane order of the [crate](crate). 0 for empty slices.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    #[must_use]
    pub fn dot_f32(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "dot_f32: vectors of different length");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.dot_f32)(a, b) }
    }

    /// Squared Euclidean distance Σ (aᵢ − bᵢ)², in the lane order of the [crate](crate). 0 for empty slices.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    #[must_use]
    pub fn squared_l2_f32(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "squared_l2_f32: vectors of different length");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.squared_l2_f32)(a, b) }
    }

    /// Largest absolute value: 0 for an empty slice, NaN if any value is NaN.
    #[inline]
    #[must_use]
    pub fn max_abs_f32(&self, values: &[f32]) -> f32 {
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.max_abs_f32)(values) }
    }

    /// Scales the vector to Euclidean length 1 (within a few units in the last place), at any finite magnitude.
    ///
    /// Returns whether it could: a vector without a direction (zero or empty), or with a value that is not finite, is
    /// left as it is, and the answer is `false`.
    #[must_use = "a vector without a direction stays as it is"]
    pub fn normalize_f32(&self, values: &mut [f32]) -> bool {
        let mut norm_squared = self.dot_f32(values, values);
        // The comparison is false for NaN as well.
        if !(norm_squared >= NORM_SQUARED_MIN && norm_squared.is_finite()) {
            let peak = self.max_abs_f32(values);
            if peak == 0.0 || !peak.is_finite() {
                return false;
            }
            // A power of two changes no digit; 2^±100 brings the square of any finite peak into range.
            self.scale_f32(values, power_of_two(if norm_squared < 1.0 { 100 } else { -100 }));
            norm_squared = self.dot_f32(values, values);
        }
        self.scale_f32(values, 1.0 / norm_squared.sqrt());
        true
    }

    /// Multiplies every value by `factor`.
    #[inline]
    fn scale_f32(&self, values: &mut [f32], factor: f32) {
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.scale_f32)(values, factor) }
    }

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
        unsafe { (self.raw.round_to_i8)(values, code_max / peak, codes) };
        peak / code_max
    }

    /// Dot product Σ aᵢ·bᵢ of codes, exact for every `i8` (-128 too) up to 131,071 elements, modulo 2³² beyond.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    #[must_use]
    pub fn dot_i8(&self, a: &[i8], b: &[i8]) -> i32 {
        assert_eq!(a.len(), b.len(), "dot_i8: codes of different length");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.dot_i8)(a, b) }
    }

    /// [`dot_i8`](Self::dot_i8) of one query with many codes: `out[r]` is its product with row `r` of `codes`, which
    /// holds `out.len()` rows of `query.len()` codes, row after row.
    ///
    /// # Panics
    ///
    /// If `codes.len()` is not `query.len() * out.len()`.
    #[inline]
    pub fn dot_i8_many(&self, query: &[i8], codes: &[i8], out: &mut [i32]) {
        assert_eq!(
            Some(codes.len()),
            query.len().checked_mul(out.len()),
            "dot_i8_many: codes are not {} rows of {}",
            out.len(),
            query.len()
        );
        if query.is_empty() {
            out.fill(0);
            return;
        }
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.dot_i8_many)(query, codes, out) }
    }
}

/// 2 to the `exponent`, which must be one of a normal `f32`.
const fn power_of_two(exponent: i32) -> f32 {
    assert!(exponent >= f32::MIN_EXP - 1 && exponent < f32::MAX_EXP);
    f32::from_bits(((exponent + 127) as u32) << 23)
}
