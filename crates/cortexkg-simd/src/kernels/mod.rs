//! The dispatch table: what each kernel computes, in safe methods over the functions of one level.
//!
//! Here are the choice of the level and the kernels of floats with floats; `pairs.rs` has those of a query with a code,
//! `many.rs` those of a query with many, `packing.rs` what turns floats into codes and back.
#![allow(unsafe_code, reason = "calls the functions of a level that has been checked against the CPU")]

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown", feature = "simd128")))]
use std::sync::OnceLock;

use crate::arch::{self, RawKernels};
use crate::level::{Level, LevelError};

mod many;
mod packing;
mod pairs;

pub use packing::{CODE_MAX, QUANTIZE_PEAK_MIN};

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
/// For the CPUs of this level that cannot count bits.
#[cfg(target_arch = "x86_64")]
static AVX512_WITHOUT_POPCNT: Kernels =
    Kernels { level: Level::Avx512, raw: arch::x86_64::avx512::KERNELS_WITHOUT_POPCNT };
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
static NEON: Kernels = Kernels { level: Level::Neon, raw: arch::aarch64::neon::KERNELS };
#[cfg(all(target_arch = "wasm32", any(feature = "simd128", target_feature = "simd128")))]
static SIMD128: Kernels = Kernels { level: Level::Simd128, raw: arch::wasm32::simd128::KERNELS };

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
            Level::Avx512 if is_x86_feature_detected!("avx512vpopcntdq") => Ok(&AVX512),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Ok(&AVX512_WITHOUT_POPCNT),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Level::Neon => Ok(&NEON),
            #[cfg(all(target_arch = "wasm32", any(feature = "simd128", target_feature = "simd128")))]
            Level::Simd128 => Ok(&SIMD128),
            other => Err(other.unsupported()),
        }
    }

    /// The kernels of this process, chosen at the first call: the level that [`LEVEL_VARIABLE`] names, if this CPU
    /// can run it, else the best that was detected.
    ///
    /// [`LEVEL_VARIABLE`]: crate::LEVEL_VARIABLE
    #[must_use]
    pub fn active() -> &'static Self {
        // A page has neither an environment nor instructions to ask for, so its module need not hold other kernels.
        #[cfg(all(target_arch = "wasm32", target_os = "unknown", feature = "simd128"))]
        let active = &SIMD128;
        #[cfg(not(all(target_arch = "wasm32", target_os = "unknown", feature = "simd128")))]
        let active = {
            static ACTIVE: OnceLock<&'static Kernels> = OnceLock::new();
            ACTIVE.get_or_init(|| {
                let level = Level::from_env().ok().flatten().unwrap_or_else(Level::detect);
                Self::for_level(level).unwrap_or(&SCALAR)
            })
        };
        active
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
        unsafe { (self.raw.mixed.dot_f32)(a, arch::bytes_of_f32(b)) }
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
        unsafe { (self.raw.floats.squared_l2)(a, b) }
    }

    /// Cosine of the angle between two vectors, in -1..=1, at any finite magnitude: Σ aᵢ·bᵢ / (√Σ aᵢ² · √Σ bᵢ²) from sums in
    /// the lane order of the [crate](crate), of the normalised vectors if the sums leave a comfortable range.
    ///
    /// 0 if either has no direction: zero, empty, or with a value that is not finite.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[must_use]
    pub fn cosine_f32(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "cosine_f32: vectors of different length");
        let (a_squared, b_squared) = (self.dot_f32(a, a), self.dot_f32(b, b));
        let range = NORM_SQUARED_MIN..=1.0 / NORM_SQUARED_MIN;
        if range.contains(&a_squared) && range.contains(&b_squared) {
            return (self.dot_f32(a, b) / (a_squared.sqrt() * b_squared.sqrt())).clamp(-1.0, 1.0);
        }
        let (mut a, mut b) = (a.to_vec(), b.to_vec());
        if self.normalize_f32(&mut a) && self.normalize_f32(&mut b) {
            self.dot_f32(&a, &b).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    }

    /// Largest absolute value: 0 for an empty slice, NaN if any value is NaN.
    #[inline]
    #[must_use]
    pub fn max_abs_f32(&self, values: &[f32]) -> f32 {
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.floats.max_abs)(values) }
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
    pub fn scale_f32(&self, values: &mut [f32], factor: f32) {
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.floats.scale)(values, factor) }
    }

    /// Flips the sign of value `i` where bit `i % 8` of byte `i / 8` is set.
    ///
    /// # Panics
    ///
    /// If `bits` is not one bit per value, in whole bytes.
    #[inline]
    pub fn flip_signs_f32(&self, values: &mut [f32], bits: &[u8]) {
        assert_eq!(bits.len(), values.len().div_ceil(8), "flip_signs_f32: not one bit per value");
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.floats.flip_signs)(values, bits) }
    }

    /// The Walsh-Hadamard transform in place, in the natural order and not scaled: value `i` becomes
    /// Σ ±valueⱼ, with − where `i & j` has an odd number of bits. Twice gives the values times their number.
    ///
    /// Each step turns pairs (a, b) into (a + b, a − b): first neighbours, then values 2 apart, 4, 8 …
    ///
    /// # Panics
    ///
    /// If the number of values is not a power of two.
    #[inline]
    pub fn hadamard_f32(&self, values: &mut [f32]) {
        assert!(values.len().is_power_of_two(), "hadamard_f32: {} is no power of two", values.len());
        // SAFETY: see the head of this `impl`.
        unsafe { (self.raw.floats.hadamard)(values) }
    }
}

/// 2 to the `exponent`, which must be one of a normal `f32`.
const fn power_of_two(exponent: i32) -> f32 {
    assert!(exponent >= f32::MIN_EXP - 1 && exponent < f32::MAX_EXP);
    f32::from_bits(((exponent + 127) as u32) << 23)
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::Rows;

    /// The other tests meet the one way of counting bits that this CPU has; this one meets the one without.
    #[test]
    fn bits_are_counted_alike_by_table() {
        if !Level::Avx512.is_supported() {
            return;
        }
        let byte = |i: usize| ((i * i) >> 3) as u8 ^ (i * 89) as u8;
        for len in 0..300 {
            let (query, codes): (Vec<u8>, Vec<u8>) =
                ((0..len).map(byte).collect(), (7..7 + 6 * len.max(1)).map(byte).collect());
            let rows = Rows::new(&codes, len.max(1));
            let (mut expected, mut found) = ([0; 6], [1; 6]);
            SCALAR.hamming_rows(&query, rows, 0, &mut expected);
            AVX512_WITHOUT_POPCNT.hamming_rows(&query, rows, 0, &mut found);
            assert_eq!(found, expected, "{len} bytes");
            let one = AVX512_WITHOUT_POPCNT.hamming(&query, &codes[..len]);
            assert_eq!(one, expected[0], "{len} bytes");
        }
    }
}
