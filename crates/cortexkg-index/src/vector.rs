//! An embedding made ready: what codes are made of, and what a search asks with.

use std::hash::Hasher as _;

use cortexkg_simd::Kernels;

use crate::check_dimension;
use crate::error::IndexError;
use crate::rotation::Rotation;

/// An embedding, rotated and of length 1, with its 8-bit form beside it: what codes are made of, and what a search asks with.
///
/// An embedding without a direction (all zeros) becomes the zero vector, whose cosine with everything is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    dimension: usize,
    /// Of length 1, not rotated: for full embeddings from elsewhere. Empty where it was never known.
    pub(crate) unit: Vec<f32>,
    /// Rotated, of length 1, padded to a multiple of 64.
    pub(crate) values: Vec<f32>,
    /// `values[i] ≈ codes[i] · scale`.
    pub(crate) codes: Vec<i8>,
    pub(crate) scale: f32,
    /// Sum of all codes: corrects for levels that are stored from 0 upwards.
    pub(crate) sum: i32,
}

impl Vector {
    /// Makes an embedding ready for indexes of its dimension.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionOutOfRange`] unless it has 1 to [`DIMENSION_MAX`](crate::DIMENSION_MAX) values,
    /// [`IndexError::NotFinite`] if one of them is NaN or infinite.
    pub fn new(embedding: &[f32]) -> Result<Self, IndexError> {
        check_dimension(embedding.len())?;
        Self::rotated(Kernels::active(), &Rotation::new(embedding.len()), embedding)
    }

    /// The same with a rotation that is there already.
    pub(crate) fn rotated(
        kernels: &Kernels,
        rotation: &Rotation,
        embedding: &[f32],
    ) -> Result<Self, IndexError> {
        if embedding.len() != rotation.dimension() {
            let (expected, found) = (rotation.dimension(), embedding.len());
            return Err(IndexError::DimensionMismatch { expected, found });
        }
        if let Some(position) = embedding.iter().position(|value| !value.is_finite()) {
            return Err(IndexError::NotFinite { position });
        }
        let mut unit = embedding.to_vec();
        let mut values = Vec::with_capacity(rotation.padded());
        if kernels.normalize_f32(&mut unit) {
            rotation.apply(kernels, &unit, &mut values);
        } else {
            values.resize(rotation.padded(), 0.0);
        }
        Ok(Self { unit, ..Self::of_rotated(kernels, rotation.dimension(), values) })
    }

    /// Of values that are rotated and of length 1 already.
    pub(crate) fn of_rotated(kernels: &Kernels, dimension: usize, values: Vec<f32>) -> Self {
        let mut codes = vec![0; values.len()];
        let scale = kernels.quantize_i8(&values, &mut codes);
        let sum = codes.iter().map(|&code| i32::from(code)).sum();
        Self { dimension, unit: Vec::new(), values, codes, scale, sum }
    }

    /// Tells it from other vectors, but for rare chance.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = rustc_hash::FxHasher::default();
        self.values.iter().for_each(|value| hasher.write_u32(value.to_bits()));
        hasher.finish()
    }

    /// Room for a decoded code.
    pub(crate) fn blank(padded: usize) -> Self {
        Self {
            dimension: padded,
            unit: Vec::new(),
            values: vec![0.0; padded],
            codes: vec![0; padded],
            scale: 0.0,
            sum: 0,
        }
    }

    /// Dimensions of the embedding.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Whether it has no direction.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.scale == 0.0
    }
}
