//! Cosine similarity as an integer.

use std::fmt;

/// Fraction bits of a [`Similarity`].
const SIMILARITY_BITS: u32 = 16;
/// Fraction bits of an [`InverseNorm`].
const INVERSE_BITS: u32 = 31;
/// Fraction bits of the product of a dot product and two inverse norms that the similarity drops.
const PRODUCT_SHIFT: u32 = 2 * INVERSE_BITS - SIMILARITY_BITS;
/// Half a unit of similarity in that product.
const PRODUCT_HALF: u64 = 1 << (PRODUCT_SHIFT - 1);

/// Cosine of the angle between two codes, in units of 1/65536, from -65536 to 65536: computed by integers alone, the
/// same on every machine.
///
/// With the codes a and b, their dot product `d` and the stored inverse norms `r = round(2³¹ / √Σx²)`:
///
/// ```text
/// similarity = sign(d) · ⌊(|d| · r_a · r_b + 2⁴⁵) / 2⁴⁶⌋
/// ```
///
/// **Error.** Within 0.75 units of 65536 · cos(a, b), for codes of up to 4096 dimensions: half a unit by the last
/// rounding, and at most a quarter by the inverse norms, whose relative error is at most 0.5 / (2³¹ / √(4096 · 127²)) <
/// 1.9e-6 each. Therefore two equal codes have exactly [`Similarity::ONE`] and opposite ones its negative, nothing
/// lies beyond, and the order of the arguments does not matter. The code of the zero vector has similarity 0 to all.
///
/// How far the cosine of the codes is from that of the embeddings, see [`Q8Code`](crate::Q8Code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Similarity(i32);

impl Similarity {
    /// Cosine 1: the same direction.
    pub const ONE: Self = Self(1 << SIMILARITY_BITS);

    /// A similarity of so many units of 1/65536; `None` outside -65536..=65536.
    #[must_use]
    pub const fn from_units(units: i32) -> Option<Self> {
        if units >= -Self::ONE.0 && units <= Self::ONE.0 { Some(Self(units)) } else { None }
    }

    /// In units of 1/65536, from -65536 to 65536.
    #[must_use]
    pub const fn units(self) -> i32 {
        self.0
    }

    /// As a cosine, from -1 to 1: for people and reports, not for decisions. Exact.
    #[must_use]
    pub fn cosine(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE.0)
    }

    /// The similarity of two codes, of their dot product and their inverse norms.
    #[inline]
    pub(crate) fn of(dot: i32, a: InverseNorm, b: InverseNorm) -> Self {
        Self::of_weighted(a.weigh(dot), b)
    }

    /// The same of a dot product that has been [weighed](InverseNorm::weigh) with one of the two inverse norms.
    #[inline]
    pub(crate) fn of_weighted(weighted: i64, other: InverseNorm) -> Self {
        // By Cauchy–Schwarz the product is at most 2⁶² and a little, which a u64 holds.
        let product = weighted.unsigned_abs() * u64::from(other.0);
        let magnitude = ((product + PRODUCT_HALF) >> PRODUCT_SHIFT) as i32;
        Self(if weighted < 0 { -magnitude } else { magnitude })
    }

    /// A bound for scans: every weighted dot product below it has a lower similarity than this one. It is the exact
    /// bound for similarities above 0, and lets everything pass otherwise.
    pub(crate) fn least_weighted(self, other: InverseNorm) -> i64 {
        if self.0 <= 0 || other.0 == 0 {
            return i64::MIN;
        }
        let least_product = ((self.0 as u64) << PRODUCT_SHIFT) - PRODUCT_HALF;
        least_product.div_ceil(u64::from(other.0)) as i64
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.cosine())
    }
}

/// `round(2³¹ / √norm²)`, at most 2³¹; 0 for the zero code, which makes each of its similarities 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InverseNorm(u32);

impl InverseNorm {
    pub(crate) fn of(norm_squared: u32) -> Self {
        if norm_squared == 0 {
            return Self(0);
        }
        // ⌊2 · 2³¹ / √n⌋ = ⌊√⌊2⁶⁴ / n⌋⌋; half of that, rounded up, is the nearest integer to 2³¹ / √n.
        let twice = ((1_u128 << (2 * INVERSE_BITS + 2)) / u128::from(norm_squared)).isqrt();
        Self(twice.div_ceil(2) as u32)
    }

    /// A dot product with a code of this inverse norm, divided by that norm (in units of 2⁻³¹). At most 2⁴⁵.
    #[inline]
    pub(crate) fn weigh(self, dot: i32) -> i64 {
        i64::from(dot) * i64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DIMENSION_MAX;

    /// Largest squared norm of a code: every value ±127.
    const NORM_SQUARED_MAX: u32 = DIMENSION_MAX as u32 * 127 * 127;

    #[test]
    fn inverse_norms_are_the_nearest_integers() {
        for n in (1..100_000).chain((100_000..NORM_SQUARED_MAX).step_by(9_973)).chain([NORM_SQUARED_MAX]) {
            let r = u128::from(InverseNorm::of(n).0);
            // |r - 2³¹/√n| ≤ ½, squared to stay in integers: (2r ± 1)² · n against 2⁶⁴.
            let n = u128::from(n);
            assert!((2 * r - 1).pow(2) * n <= 1 << 64 && (2 * r + 1).pow(2) * n >= 1 << 64, "{n}: {r}");
        }
    }

    #[test]
    fn a_code_has_similarity_one_to_itself_at_every_norm() {
        for n in (1..200_000).chain((200_000..NORM_SQUARED_MAX).step_by(997)).chain([NORM_SQUARED_MAX]) {
            let (dot, r) = (n as i32, InverseNorm::of(n));
            assert_eq!(Similarity::of(dot, r, r), Similarity::ONE, "norm² {n}");
            assert_eq!(Similarity::of(-dot, r, r), Similarity(-65536), "norm² {n}");
        }
    }

    #[test]
    fn the_bound_of_a_scan_is_exact_above_zero() {
        for n in [1, 2, 16_129, 16_130, 1_000_003, NORM_SQUARED_MAX] {
            let r = InverseNorm::of(n);
            for units in (1..=65536).step_by(13).chain([65536]) {
                let similarity = Similarity(units);
                let least = similarity.least_weighted(r);
                assert!(Similarity::of_weighted(least, r) >= similarity, "{units} at norm² {n}");
                assert!(Similarity::of_weighted(least - 1, r) < similarity, "{units} at norm² {n}");
            }
            assert_eq!(Similarity(0).least_weighted(r), i64::MIN);
        }
        assert_eq!(Similarity::ONE.least_weighted(InverseNorm(0)), i64::MIN);
    }

    #[test]
    fn units_and_cosine_agree() {
        assert_eq!(Similarity::from_units(65537), None);
        assert_eq!(Similarity::from_units(i32::MIN), None);
        let half = Similarity::from_units(-32768).unwrap();
        assert_eq!((half.units(), half.cosine(), half.to_string().as_str()), (-32768, -0.5, "-0.5000"));
    }
}
