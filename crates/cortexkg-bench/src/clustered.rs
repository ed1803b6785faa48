//! Vectors that lie as those of models do: in clusters, each spread along few directions of its own.

use cortexkg_simd::Kernels;

use crate::random::Random;

/// Clusters.
const CENTRES: usize = 1_000;
/// Directions in which one cluster is spread.
const DIRECTIONS: usize = 16;
/// Spread along a direction, where the centres have 1 in every dimension.
const SPREAD: f32 = 0.35;
/// Spread in every dimension.
const NOISE: f32 = 0.05;

/// Makes vectors, any of them by its number: those of a small set are the first of a large one.
///
/// With 384 dimensions two vectors of one cluster have a cosine of 0.34 on average; those that are nearest to each other among a
/// thousand of one cluster, of about 0.7.
#[derive(Debug)]
pub struct Clustered {
    dimension: usize,
    seed: u64,
    centres: Vec<f32>,
    directions: Vec<f32>,
}

impl Clustered {
    /// Clusters of a seed. They take 68 kB for each dimension.
    #[must_use]
    pub fn new(dimension: usize, seed: u64) -> Self {
        let normals = |part: u64, rows: usize| {
            let mut random = Random::new(seed, part);
            (0..rows * dimension).map(|_| random.normal()).collect()
        };
        let centres = normals(u64::MAX, CENTRES);
        Self { dimension, seed, centres, directions: normals(u64::MAX - 1, CENTRES * DIRECTIONS) }
    }

    /// Number of values of a vector.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Writes one vector, of any length, into the row.
    pub fn row(&self, number: u64, row: &mut [f32]) {
        let dimension = self.dimension;
        let mut random = Random::new(self.seed, number);
        let cluster = random.below(CENTRES as u64) as usize;
        row.copy_from_slice(&self.centres[cluster * dimension..][..dimension]);
        for direction in 0..DIRECTIONS {
            let along = SPREAD * random.normal();
            let direction = &self.directions[(cluster * DIRECTIONS + direction) * dimension..][..dimension];
            row.iter_mut().zip(direction).for_each(|(value, step)| *value += along * step);
        }
        row.iter_mut().for_each(|value| *value += NOISE * random.normal());
    }
}

/// Adds noise to a vector, `length` times as long as it is, and makes the sum of length 1. False if that has no direction.
pub(crate) fn disturb(vector: &mut [f32], length: f32, random: &mut Random) -> bool {
    let squares: f32 = vector.iter().map(|value| value * value).sum();
    let each = length * (squares / vector.len() as f32).sqrt();
    vector.iter_mut().for_each(|value| *value += each * random.normal());
    Kernels::active().normalize_f32(vector)
}
