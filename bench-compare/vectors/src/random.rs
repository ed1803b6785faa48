//! Chance that is the same on every machine: splitmix64 (Steele, Lea, Flood 2014), and nothing that a library of mathematics computes.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed; those of different parts of a seed have nothing to do with each other.
    pub fn new(seed: u64, part: u64) -> Self {
        Self(mix(seed ^ mix(part)))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Below a bound that is far below 2⁶⁴.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// From 0 inclusive to 1 exclusive.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal, of mean 0 and variance 1: the sum of four even numbers of 16 bits.
    pub fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        // √3 makes the variance of a sum of four, which is 4/12, to 1.
        (sum as f32 / 65_536.0 - 2.0) * 1.732_050_8
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
