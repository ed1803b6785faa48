//! Which columns are free: a hierarchical bitmap along the curve.

/// Bits of a word.
pub(crate) const WORD: usize = 64;

/// Bits with summaries: a bit of a level says whether a word of the level below has any. Found and changed in as many steps as there are
/// levels, four at 16 Mi bits; each looks at 64 bits at once.
#[derive(Debug, Clone)]
pub(crate) struct FreeBits {
    /// From the bits themselves up to a single word.
    levels: Vec<Vec<u64>>,
    count: u32,
}

impl FreeBits {
    /// So many bits, all of them set.
    pub(crate) fn all(bits: u32) -> Self {
        let mut levels = Vec::new();
        let mut len = bits as usize;
        loop {
            let words = len.div_ceil(64);
            let mut level = vec![u64::MAX; words];
            if let (Some(last), true) = (level.last_mut(), !len.is_multiple_of(64)) {
                *last = (1 << (len % 64)) - 1;
            }
            levels.push(level);
            if words <= 1 {
                return Self { levels, count: bits };
            }
            len = words;
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn contains(&self, bit: u32) -> bool {
        self.levels[0][bit as usize / 64] >> (bit % 64) & 1 == 1
    }

    /// Sets a bit that is not set.
    pub(crate) fn insert(&mut self, bit: u32) {
        debug_assert!(!self.contains(bit));
        self.count += 1;
        let mut at = bit as usize;
        for level in &mut self.levels {
            let word = &mut level[at / 64];
            let had = *word != 0;
            *word |= 1 << (at % 64);
            if had {
                return;
            }
            at /= 64;
        }
    }

    /// Clears a bit that is set.
    pub(crate) fn remove(&mut self, bit: u32) {
        debug_assert!(self.contains(bit));
        self.count -= 1;
        let mut at = bit as usize;
        for level in &mut self.levels {
            let word = &mut level[at / 64];
            *word &= !(1 << (at % 64));
            if *word != 0 {
                return;
            }
            at /= 64;
        }
    }

    /// The bits themselves.
    pub(crate) fn words(&self) -> &[u64] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The first bit that is set.
    pub(crate) fn first(&self) -> Option<u32> {
        let mut at = 0_usize;
        for level in self.levels.iter().rev() {
            let word = level[at];
            if word == 0 {
                return None;
            }
            at = at * 64 + word.trailing_zeros() as usize;
        }
        Some(at as u32)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_set_finds(bits in 1_u32..70_000, flips in prop::collection::vec((any::<u32>(), 1_u32..5_000), 0..20)) {
            let mut free = FreeBits::all(bits);
            let mut set: BTreeSet<u32> = (0..bits).collect();
            prop_assert_eq!(free.first(), Some(0));
            for (from, len) in flips {
                let from = from % bits;
                for bit in (0..from.min(len)).chain(from..bits.min(from + len)) {
                    if set.remove(&bit) { free.remove(bit) } else { set.insert(bit); free.insert(bit) }
                }
                prop_assert_eq!(free.first(), set.first().copied());
                prop_assert_eq!(free.count() as usize, set.len());
            }
            for bit in 0..bits {
                prop_assert_eq!(free.contains(bit), set.contains(&bit));
                if set.contains(&bit) { free.remove(bit) }
            }
            prop_assert_eq!(free.first(), None);
        }
    }
}
