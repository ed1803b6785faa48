//! Numbers to test with: the same on every machine.

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

    /// Of either sign and many magnitudes, with some zeros of both signs.
    pub(crate) fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len)
            .map(|_| {
                let bits = self.bits();
                let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
                let magnitude = if bits & 0xe == 0 { 0.0 } else { (bits >> 40) as f32 / 16_777_216.0 };
                sign * magnitude * 2_f32.powi((bits >> 4 & 15) as i32 - 8)
            })
            .collect()
    }

    pub(crate) fn codes(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| if self.bits().is_multiple_of(8) { -128 } else { self.bits() as i8 }).collect()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.bits() as u8).collect()
    }

    /// Binary16 numbers, little-endian: finite, subnormal ones too.
    pub(crate) fn halves(&mut self, len: usize) -> Vec<u8> {
        (0..len).flat_map(|_| (self.bits() as u16 & 0xbfff).to_le_bytes()).collect()
    }

    /// Row numbers below `rows`.
    pub(crate) fn row_numbers(&mut self, len: usize, rows: usize) -> Vec<u32> {
        (0..len).map(|_| (self.bits() % rows as u64) as u32).collect()
    }
}
