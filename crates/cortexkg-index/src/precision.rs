//! How many bits a code spends on each dimension.

use std::fmt;
use std::str::FromStr;

/// What a vector is kept at: the bits of each dimension, and with them its bytes and its error.
///
/// Every code is made of the same rotated vector of length 1 ([`Rotation`](crate::Rotation)), whose `d` dimensions are padded
/// to a multiple of 64, and carries one factor that makes its estimate of a cosine unbiased.
///
/// | precision | bits | bytes at 384 dimensions, factor included | largest error of a cosine, 95 of 100, at 384 dimensions |
/// |---|---:|---:|---:|
/// | [`Full`](Self::Full) | 32 | 1,540 | 0.0000002 |
/// | [`Half`](Self::Half) | 16 | 772 | 0.00005 |
/// | [`Eight`](Self::Eight) | 8 | 388 | 0.0015 |
/// | [`Four`](Self::Four) | 4 | 196 | 0.013 |
/// | [`One`](Self::One) | 1 | 52 | 0.09 |
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
        dimension.next_multiple_of(64) * self.bits() / 8
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
