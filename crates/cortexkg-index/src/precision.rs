//! How many bits a code spends on each dimension.

use std::fmt;
use std::str::FromStr;

/// What a vector is kept at: the bits of each dimension, and with them its bytes and its error.
///
/// Every code is made of the same rotated vector of length 1 ([`Rotation`](crate::Rotation)), whose `d` dimensions are padded
/// to a multiple of 64, and carries one factor that makes its estimate of a cosine unbiased.
///
/// | precision | bits | bytes of a code at 384 dimensions, factor included | lines of 64 bytes read to compare it | [error bound](Self::error_bound) at 384 dimensions |
/// |---|---:|---:|---:|---:|
/// | [`Full`](Self::Full) | 32 | 1,540 | 25 | 0.00000005 |
/// | [`Half`](Self::Half) | 16 | 772 | 13 | 0.000025 |
/// | [`Eight`](Self::Eight) | 8 | 388 | 7 | 0.0012 |
/// | [`Four`](Self::Four) | 4 | 196 | 4 | 0.012 |
/// | [`One`](Self::One) | 1 | 52 | 1 | 0.079 |
///
/// The memory that is read is what a comparison costs in a large index; from the first cache it takes 12 ns for the floats, 7, 5 and 4 ns
/// for the others (AVX-512, `cargo xtask bench kernels`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// One bit: the sign of each dimension.
    One,
    /// Four bits: sixteen levels between bounds of the vector's own.
    Four,
    /// Eight bits: 255 levels between bounds of the vector's own.
    Eight,
    /// IEEE 754 binary16.
    Half,
    /// IEEE 754 binary32.
    Full,
}

impl Precision {
    /// Every precision, from the smallest to the largest.
    pub const ALL: [Self; 5] = [Self::One, Self::Four, Self::Eight, Self::Half, Self::Full];

    /// Bits of one dimension.
    #[must_use]
    pub const fn bits(self) -> usize {
        match self {
            Self::One => 1,
            Self::Four => 4,
            Self::Eight => 8,
            Self::Half => 16,
            Self::Full => 32,
        }
    }

    /// Bytes of a code without its factor, of a vector with this many dimensions: they are padded to a multiple of 64.
    #[must_use]
    pub const fn code_bytes(self, dimension: usize) -> usize {
        dimension.div_ceil(64).saturating_mul(8 * self.bits())
    }

    /// Bytes of a row of an index: the code, its factor, its id, and what fills a short one up to 64 bytes.
    #[must_use]
    pub const fn row_bytes(self, dimension: usize) -> usize {
        let bytes = self.code_bytes(dimension).saturating_add(4 + 8);
        // A row within one line costs one read; longer ones gain nothing from padding (measured).
        if bytes <= 64 { 64 } else { bytes }
    }

    /// How far the estimate of a cosine is off at most, in 95 of 100 comparisons: c / √(d − 1) for the padded dimension d, as in RaBitQ
    /// (Gao and Long 2024, theorem 3.2).
    ///
    /// After the rotation the error of a code lies in a random direction, so that it tells on a cosine only by 1 / √(d − 1) of its
    /// length; 1.96 of that is the bound for normal errors. The length is √(π/2 − 1) for signs; √(0.01154 / 0.98846) for sixteen levels
    /// (Max 1960); for 8 bits a 255th of twice the peak, which is 3 to 4 times the typical value, over √12, and as much again for the
    /// question, which is asked in 8 bits. Each is rounded up by a few hundredths.
    #[must_use]
    pub fn error_bound(self, dimension: usize) -> f64 {
        let length = match self {
            Self::One => 1.55,
            Self::Four => 0.23,
            Self::Eight => 0.024,
            Self::Half => 0.0005,
            Self::Full => 0.000_001,
        };
        length / (dimension.div_ceil(64).max(1) as f64 * 64.0 - 1.0).sqrt()
    }

    /// The name that [`FromStr`] reads: `1`, `4`, `8`, `16` or `32` bits as `b1`, `q4`, `q8`, `f16`, `f32`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "b1",
            Self::Four => "q4",
            Self::Eight => "q8",
            Self::Half => "f16",
            Self::Full => "f32",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        let known =
            Self::ALL.into_iter().find(|precision| precision.name().eq_ignore_ascii_case(name.trim()));
        known.ok_or_else(|| UnknownPrecision { name: name.to_owned() })
    }
}

/// No precision has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown precision {name:?}: use one of b1, q4, q8, f16, f32")]
pub struct UnknownPrecision {
    name: String,
}
