//! Vectors for tests: the same on every machine.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and fails by panicking")]

pub(crate) mod indexes;

/// splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// About normal: the sum of four uniform numbers.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..4).map(|_| (self.bits() >> 40) as f32 / 16_777_216.0 - 0.5).sum::<f32>() * 1.732
    }

    pub(crate) fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }
}

/// Embeddings around some centres, as those of models are: each centre plus a mixture of eight directions of its own.
pub(crate) fn clustered(count: usize, dimension: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random(seed);
    let centres: Vec<Vec<f32>> = (0..16).map(|_| random.normals(dimension)).collect();
    let directions: Vec<Vec<f32>> = (0..16 * 8).map(|_| random.normals(dimension)).collect();
    (0..count)
        .map(|_| {
            let centre = random.below(16) as usize;
            let mut embedding = centres[centre].clone();
            for direction in &directions[centre * 8..][..8] {
                let amount = random.normal() * 0.4;
                embedding.iter_mut().zip(direction).for_each(|(value, by)| *value += amount * by);
            }
            embedding.iter_mut().for_each(|value| *value += 0.1 * random.normal());
            embedding
        })
        .collect()
}

/// The cosine, in double precision.
pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms == 0.0 { 0.0 } else { dot(a, b) / norms }
}
