//! An estimated cosine as an integer that orders.

/// Fraction bits.
const BITS: u32 = 30;

/// The estimate of a cosine, in units of 2⁻³⁰, from −2 to 2: an estimate may go a little beyond 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Score(i32);

impl Score {
    /// Lower than every other.
    pub(crate) const MIN: Self = Self(i32::MIN);

    /// Of a float; what is beyond the range becomes its end, NaN becomes 0.
    #[inline]
    pub(crate) fn of(cosine: f32) -> Self {
        // A product by a power of two is exact, and the cast cuts, clamps and maps NaN to 0 alike on every machine.
        Self((cosine * (1_u32 << BITS) as f32) as i32)
    }

    /// In units of 2⁻³⁰.
    #[must_use]
    pub const fn units(self) -> i32 {
        self.0
    }

    /// As a cosine: for people and reports.
    #[must_use]
    pub fn cosine(self) -> f64 {
        f64::from(self.0) / f64::from(1_u32 << BITS)
    }
}
