//! Codes: embeddings at 8 bits per dimension.

use cortexkg_simd::Kernels;

use crate::error::IndexError;
use crate::similarity::{InverseNorm, Similarity};
use crate::{DIMENSION_MAX, check_dimension};

// The sums of `Q8Code::new` fit an i32.
const _: () = assert!(DIMENSION_MAX * 128 * 128 <= i32::MAX as usize);

/// An embedding at 8 bits per dimension: `value ≈ code · scale`, codes in -127..=127.
///
/// `code = round(value · 127 / max|value|)`, halves to even ([`Kernels::quantize_i8`]); the length of the embedding
/// only changes the scale, so it need not be normalised. A zero embedding has the zero code, whose similarity to
/// every code is 0: it has no direction.
///
/// **Error.** Rounding moves each of the d values by half a unit at most, so the code is turned away from its embedding
/// by an angle of at most asin(√d / (2·√[`norm_squared`](Self::norm_squared))), and the cosine of two codes is off by at
/// most the sum of their two angles. For embeddings of models (peak about 4 times the root mean square) this bound is
/// about 0.03, and the error found is about a tenth of it at most, because roundings of many dimensions cancel out.
#[derive(Debug, Clone, PartialEq)]
pub struct Q8Code {
    values: Box<[i8]>,
    scale: f32,
    norm_squared: u32,
    inverse_norm: InverseNorm,
}

impl Q8Code {
    /// The code of an embedding.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionOutOfRange`] unless it has 1 to [`DIMENSION_MAX`] values, [`IndexError::NotFinite`] if
    /// one of them is NaN or infinite.
    pub fn from_embedding(embedding: &[f32]) -> Result<Self, IndexError> {
        Self::from_embedding_with(Kernels::active(), embedding)
    }

    /// The same on given kernels: the same code on each.
    ///
    /// # Errors
    ///
    /// As [`from_embedding`](Self::from_embedding).
    pub fn from_embedding_with(kernels: &Kernels, embedding: &[f32]) -> Result<Self, IndexError> {
        check_dimension(embedding.len())?;
        let mut values = vec![0; embedding.len()].into_boxed_slice();
        let scale = kernels.quantize_i8(embedding, &mut values);
        match embedding.iter().position(|value| scale.is_nan() && !value.is_finite()) {
            Some(position) => Err(IndexError::NotFinite { position }),
            None => Ok(Self::new(kernels, values, scale)),
        }
    }

    /// A code from its parts, as a store kept them: [`values`](Self::values) and [`scale`](Self::scale).
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionOutOfRange`] unless there are 1 to [`DIMENSION_MAX`] values,
    /// [`IndexError::CodeOutOfRange`] if one of them is -128.
    pub fn from_parts(values: impl Into<Box<[i8]>>, scale: f32) -> Result<Self, IndexError> {
        let values = values.into();
        check_dimension(values.len())?;
        match values.iter().position(|&value| value == i8::MIN) {
            Some(position) => Err(IndexError::CodeOutOfRange { position }),
            None => Ok(Self::new(Kernels::active(), values, scale)),
        }
    }

    fn new(kernels: &Kernels, values: Box<[i8]>, scale: f32) -> Self {
        let norm_squared = kernels.dot_i8(&values, &values).unsigned_abs();
        Self { values, scale, norm_squared, inverse_norm: InverseNorm::of(norm_squared) }
    }

    /// One code per dimension, in -127..=127.
    #[must_use]
    pub fn values(&self) -> &[i8] {
        &self.values
    }

    /// What a code of 1 stands for in the embedding; 0 for the zero code.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Number of dimensions, 1 to [`DIMENSION_MAX`].
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.values.len()
    }

    /// Sum of the squares of the codes.
    #[must_use]
    pub fn norm_squared(&self) -> u32 {
        self.norm_squared
    }

    /// Whether it has no direction: every code is 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.norm_squared == 0
    }

    /// The embedding, within half a [`scale`](Self::scale) per value.
    #[must_use]
    pub fn to_embedding(&self) -> Vec<f32> {
        self.values.iter().map(|&value| f32::from(value) * self.scale).collect()
    }

    /// The cosine of two codes.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if they are of different dimensions.
    pub fn similarity(&self, other: &Self) -> Result<Similarity, IndexError> {
        other.check_dimension(self.dimension())?;
        let dot = Kernels::active().dot_i8(&self.values, &other.values);
        Ok(Similarity::of(dot, self.inverse_norm, other.inverse_norm))
    }

    /// Checks that the code has the dimension of an index, or of another code.
    pub(crate) fn check_dimension(&self, expected: usize) -> Result<(), IndexError> {
        if self.dimension() == expected {
            Ok(())
        } else {
            Err(IndexError::DimensionMismatch { expected, found: self.dimension() })
        }
    }

    pub(crate) fn inverse_norm(&self) -> InverseNorm {
        self.inverse_norm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_embeddings_and_codes_are_refused_with_their_place() {
        assert_eq!(Q8Code::from_embedding(&[]), Err(IndexError::DimensionOutOfRange { dimension: 0 }));
        let long = vec![1.0; DIMENSION_MAX + 1];
        assert_eq!(Q8Code::from_embedding(&long), Err(IndexError::DimensionOutOfRange { dimension: 4097 }));
        assert!(Q8Code::from_embedding(&long[1..]).is_ok());
        for wrong in [f32::NAN, f32::INFINITY] {
            assert_eq!(
                Q8Code::from_embedding(&[0.0, 1.0, wrong]),
                Err(IndexError::NotFinite { position: 2 })
            );
        }
        assert_eq!(Q8Code::from_parts([0, -128], 1.0), Err(IndexError::CodeOutOfRange { position: 1 }));
    }

    #[test]
    fn the_zero_embedding_has_no_direction() {
        let zero = Q8Code::from_embedding(&[0.0, -0.0]).unwrap();
        let one = Q8Code::from_embedding(&[1.0, 0.0]).unwrap();
        assert!(zero.is_zero() && !one.is_zero());
        assert_eq!(zero.similarity(&one).unwrap().units(), 0);
        assert_eq!(zero.similarity(&zero).unwrap().units(), 0);
        assert_eq!(zero.to_embedding(), [0.0, 0.0]);
    }

    /// Computed apart, with whole numbers of any size: 6598 / √(19369 · 17109) is 23753.43 units.
    #[test]
    fn the_formula_stays_as_it_is() {
        let a = Q8Code::from_embedding(&[0.3, -0.7, 0.1]).unwrap();
        let (b, c) = (Q8Code::from_embedding(&[0.1, -0.2, 0.9]), Q8Code::from_embedding(&[-0.1, 0.2, -0.9]));
        assert_eq!(b.as_ref().unwrap().values(), [14, -28, 127]);
        assert_eq!(a.similarity(&b.unwrap()).unwrap().units(), 23_753);
        assert_eq!(a.similarity(&c.unwrap()).unwrap().units(), -23_753);
    }

    #[test]
    fn parts_restore_the_code() {
        let code = Q8Code::from_embedding(&[0.3, -0.7, 0.1]).unwrap();
        assert_eq!(Q8Code::from_parts(code.values(), code.scale()), Ok(code.clone()));
        assert_eq!(code.values(), [54, -127, 18]);
        assert_eq!(code.norm_squared(), 54 * 54 + 127 * 127 + 18 * 18);
        let other = Q8Code::from_embedding(&[1.0; 2]).unwrap();
        let mismatch = IndexError::DimensionMismatch { expected: 3, found: 2 };
        assert_eq!(code.similarity(&other), Err(mismatch));
    }
}
