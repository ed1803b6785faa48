//! Evidence as integers: match weights in 1/256 bit, and the logarithms and exponentials that go with them.
//!
//! A match weight is the base-2 logarithm of a likelihood ratio (Fellegi and Sunter, *A Theory for Record Linkage*,
//! 1969): +1 bit doubles the odds that two mentions mean the same thing. Decisions are taken on these integers, so
//! that every processor takes the same ones. The few real functions that are needed come from `libm`, never from
//! the platform.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Evidence in 1/256 bit. Ordinary addition; the values that occur stay far below the bounds of `i32`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bits(pub i32);

impl Bits {
    /// No evidence.
    pub const ZERO: Self = Self(0);
    /// Units in one bit.
    pub const PER_BIT: i32 = 256;

    /// A whole number of bits.
    pub const fn whole(bits: i32) -> Self {
        Self(bits * Self::PER_BIT)
    }

    /// `log2(ratio)`, rounded to the nearest unit. `ratio` must be positive and finite.
    pub fn from_ratio(ratio: f64) -> Self {
        debug_assert!(ratio > 0.0 && ratio.is_finite(), "no logarithm of {ratio}");
        Self::from_f64(libm::log2(ratio))
    }

    /// The nearest unit to a number of bits.
    pub fn from_f64(bits: f64) -> Self {
        Self(libm::round(bits * f64::from(Self::PER_BIT)) as i32)
    }

    /// As a real number of bits, for people and for learning.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(Self::PER_BIT)
    }

    /// As a real number of bits.
    pub fn as_f32(self) -> f32 {
        self.as_f64() as f32
    }

    /// The part `numerator / 256` of it, rounded toward zero.
    #[must_use]
    pub const fn scaled(self, numerator: u32) -> Self {
        Self((self.0 as i64 * numerator as i64 / 256) as i32)
    }

    /// Not below `low`, not above `high`.
    #[must_use]
    pub fn clamp(self, low: Self, high: Self) -> Self {
        Self(self.0.clamp(low.0, high.0))
    }
}

impl Add for Bits {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Bits {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Bits {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Bits {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl std::iter::Sum for Bits {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:+.1}", self.as_f64())
    }
}

/// One in the fixed-point format of [`exp2`]: 2^30.
pub const EXP2_ONE: u64 = 1 << 30;

const TABLE_LEN: usize = 256;

/// `2^(-i/256)` in 1/2^30, and `log2(1 + i/256)` in 1/256 bit.
static TABLES: LazyLock<([u32; TABLE_LEN], [u16; TABLE_LEN])> = LazyLock::new(|| {
    let mut exponential = [0; TABLE_LEN];
    let mut logarithm = [0; TABLE_LEN];
    for i in 0..TABLE_LEN {
        let fraction = i as f64 / TABLE_LEN as f64;
        exponential[i] = libm::round(libm::exp2(-fraction) * EXP2_ONE as f64) as u32;
        logarithm[i] = libm::round(libm::log2(1.0 + fraction) * 256.0) as u16;
    }
    (exponential, logarithm)
});

/// `2^bits` for evidence that is not positive, in 1/2^30; 0 below −30 bits.
pub fn exp2(bits: Bits) -> u64 {
    debug_assert!(bits.0 <= 0, "2^{bits} does not fit");
    let depth = bits.0.min(0).unsigned_abs();
    let (whole, part) = (depth >> 8, (depth & 0xff) as usize);
    if whole > 30 { 0 } else { u64::from(TABLES.0[part] >> whole) }
}

/// `log2(value)` to 1/256 bit (error below 1/128 bit); the smallest `Bits` for 0.
pub fn log2(value: u64) -> Bits {
    if value == 0 {
        return Bits(i32::MIN / 2);
    }
    let whole = value.ilog2();
    // The eight bits behind the leading one choose the table's entry.
    let part = if whole >= 8 { (value >> (whole - 8)) & 0xff } else { (value << (8 - whole)) & 0xff };
    Bits(whole as i32 * Bits::PER_BIT + i32::from(TABLES.1[part as usize]))
}

/// `log2(numerator / denominator)` of two counts, to 1/256 bit.
pub fn log2_ratio(numerator: u64, denominator: u64) -> Bits {
    log2(numerator) - log2(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_logarithm_agree_with_real_arithmetic() {
        for units in (-30 * 256)..=0 {
            let exact = (f64::from(units) / 256.0).exp2();
            let ours = exp2(Bits(units)) as f64 / EXP2_ONE as f64;
            assert!((exact - ours).abs() <= 2.0 / EXP2_ONE as f64 + exact * 1e-6, "2^({units}/256)");
        }
        for value in (1..100_000u64).chain([u64::MAX, 1 << 63, (1 << 40) + 12345]) {
            let error = log2(value).as_f64() - (value as f64).log2();
            assert!(error.abs() <= 1.0 / 128.0, "log2({value}) is off by {error}");
        }
        assert_eq!(exp2(Bits::whole(-31)), 0);
    }

    #[test]
    fn a_doubled_ratio_is_one_bit_more() {
        assert_eq!(Bits::from_ratio(2.0), Bits::whole(1));
        assert_eq!(log2_ratio(1 << 20, 1 << 4), Bits::whole(16));
        assert_eq!(Bits::from_ratio(0.5), -Bits::whole(1));
        assert_eq!(Bits::whole(10).scaled(128), Bits::whole(5));
    }
}
