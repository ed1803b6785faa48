//! The random rotation that every code is made after.

use cortexkg_simd::Kernels;

/// Dimensions of a rotated vector are a multiple of this: whole blocks of the kernels.
const BLOCK: usize = 64;

/// The seed of the signs. Part of every format that holds codes: another one would make other codes.
const SEED: u64 = 0x636f_7274_6578_6b67;

/// A fixed pseudo-random rotation of vectors of one dimension, in d·log d additions.
///
/// It spreads what a vector says evenly over its dimensions, so that few bits for each of them lose little, and lose it without
/// a bias (the fast Johnson–Lindenstrauss transform of Ailon and Chazelle 2009; its use for codes is RaBitQ's, Gao and
/// Long 2024). Lengths and angles stay as they are, within the rounding of `f32`.
///
/// Where the padded dimension is a power of two: random signs and a Hadamard transform, twice. Elsewhere the transform
/// takes the largest power of two from the front and from the back in turn, twice, with one step between that mixes both
/// halves. Only additions, subtractions and products, each rounded by itself: the same bits on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    dimension: usize,
    /// One bit per padded dimension for each transform.
    signs: Vec<Vec<u8>>,
}

impl Rotation {
    /// The rotation for vectors of this dimension, at least 1.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        let padded = dimension.max(1).next_multiple_of(BLOCK);
        let transforms = if padded.is_power_of_two() { 2 } else { 4 };
        let mut state = SEED;
        let mut sign_byte = || (splitmix64(&mut state) >> 56) as u8;
        let signs = (0..transforms).map(|_| (0..padded / 8).map(|_| sign_byte()).collect()).collect();
        Self { dimension, signs }
    }

    /// Dimensions of what goes in.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Dimensions of what comes out: the next multiple of 64.
    #[must_use]
    pub fn padded(&self) -> usize {
        self.dimension.max(1).next_multiple_of(BLOCK)
    }

    /// Rotates back: what [`apply`](Self::apply) was given, within the rounding of `f32`.
    ///
    /// # Panics
    ///
    /// If there are not [`padded`](Self::padded) values.
    #[must_use]
    pub fn undo(&self, kernels: &Kernels, mut rotated: Vec<f32>) -> Vec<f32> {
        assert_eq!(rotated.len(), self.padded(), "values of another rotation");
        let (width, rest, scale) = self.transform();
        for (transform, signs) in self.signs.iter().enumerate().rev() {
            if rest > 0 && transform == 1 {
                mix_halves(&mut rotated);
            }
            let start = if transform % 2 == 0 { 0 } else { rest };
            let part = &mut rotated[start..start + width];
            kernels.hadamard_f32(part);
            kernels.scale_f32(part, scale);
            kernels.flip_signs_f32(&mut rotated, signs);
        }
        rotated.truncate(self.dimension);
        rotated
    }

    /// Dimensions of one transform, those that it leaves out, and what its values are scaled by.
    fn transform(&self) -> (usize, usize, f32) {
        let width = 1 << self.padded().ilog2();
        (width, self.padded() - width, 1.0 / (width as f32).sqrt())
    }

    /// Rotates a vector: fills `rotated` with [`padded`](Self::padded) values.
    ///
    /// # Panics
    ///
    /// If the vector is not of the [`dimension`](Self::dimension) of the rotation.
    pub fn apply(&self, kernels: &Kernels, vector: &[f32], rotated: &mut Vec<f32>) {
        assert_eq!(vector.len(), self.dimension, "a vector of another dimension than the rotation");
        rotated.clear();
        rotated.extend_from_slice(vector);
        rotated.resize(self.padded(), 0.0);
        let (width, rest, scale) = self.transform();
        for (transform, signs) in self.signs.iter().enumerate() {
            kernels.flip_signs_f32(rotated, signs);
            let start = if transform % 2 == 0 { 0 } else { rest };
            let part = &mut rotated[start..start + width];
            kernels.hadamard_f32(part);
            kernels.scale_f32(part, scale);
            if rest > 0 && transform == 1 {
                mix_halves(rotated);
            }
        }
    }
}

/// Each pair of opposite values a, b becomes (a + b)/√2, (a − b)/√2. Done twice, it is undone.
fn mix_halves(values: &mut [f32]) {
    let (low, high) = values.split_at_mut(values.len() / 2);
    for (a, b) in low.iter_mut().zip(high) {
        (*a, *b) = ((*a + *b) * std::f32::consts::FRAC_1_SQRT_2, (*a - *b) * std::f32::consts::FRAC_1_SQRT_2);
    }
}

/// The next of a fixed sequence of random numbers (Steele, Lea and Flood 2014).
pub(crate) fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Spreads an id over all bits.
pub(crate) fn hash(id: u64) -> u64 {
    let mut state = id;
    splitmix64(&mut state)
}
