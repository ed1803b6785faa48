//! Vectors that lie as those of models do: in clusters, each spread along few directions of its own.

use crate::random::Random;

/// Clusters.
const CENTRES: usize = 1_000;
/// Directions in which one cluster is spread.
const DIRECTIONS: usize = 16;
/// Spread along a direction, where the centres have 1 in every dimension.
const SPREAD: f32 = 0.35;
/// Spread in every dimension.
const NOISE: f32 = 0.05;

/// Dimensions of every vector.
pub const DIMENSION: usize = 384;

const SEED: u64 = 0x636f_7274_6578;

/// Makes vectors, any of them by its number: those of a small set are the first of a large one.
pub struct Clustered {
    centres: Vec<f32>,
    directions: Vec<f32>,
}

impl Clustered {
    pub fn new() -> Self {
        let normals = |part: u64, rows: usize| {
            let mut random = Random::new(SEED, part);
            (0..rows * DIMENSION).map(|_| random.normal()).collect()
        };
        Self { centres: normals(u64::MAX, CENTRES), directions: normals(u64::MAX - 1, CENTRES * DIRECTIONS) }
    }

    /// Writes one vector, of any length, into the row.
    pub fn row(&self, number: usize, row: &mut [f32]) {
        let mut random = Random::new(SEED, number as u64);
        let cluster = random.below(CENTRES);
        row.copy_from_slice(&self.centres[cluster * DIMENSION..][..DIMENSION]);
        for direction in 0..DIRECTIONS {
            let along = SPREAD * random.normal();
            let direction = &self.directions[(cluster * DIRECTIONS + direction) * DIMENSION..][..DIMENSION];
            row.iter_mut().zip(direction).for_each(|(value, step)| *value += along * step);
        }
        row.iter_mut().for_each(|value| *value += NOISE * random.normal());
    }
}
