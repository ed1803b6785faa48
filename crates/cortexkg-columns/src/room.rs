//! Where there is most room: free columns counted in blocks of the curve, four of which make the next larger one.
//!
//! A block is a stretch of 4ᵏ columns, on Hilbert's own curve a square of 2ᵏ by 2ᵏ. Who wants room goes from the whole curve down into that
//! quarter which has most free columns, until a block is wholly free, and takes its middle, which is the middle of the square. So the load is
//! balanced at every scale, whatever else comes and goes: the first concept lies in the middle of all, the next four in the middles of quarters, and
//! later ones stay away from where many have come.

use crate::free::WORD;

/// Blocks of one block.
const PARTS: usize = 4;

/// Free columns of blocks larger than a word.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// Of blocks of 256 columns, of 1,024, and so on up to a single one; empty if a word is enough for all.
    levels: Vec<Vec<u32>>,
    columns: u32,
}

impl Room {
    /// The room among so many columns, of which those are free whose bits are set.
    pub(crate) fn of(columns: u32, words: &[u64]) -> Self {
        let mut levels: Vec<Vec<u32>> = Vec::new();
        if words.len() > 1 {
            let sum = |part: &[u64]| part.iter().map(|word| word.count_ones()).sum();
            levels.push(words.chunks(PARTS).map(sum).collect());
        }
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            levels.push(below.chunks(PARTS).map(|part| part.iter().sum()).collect());
        }
        Self { levels, columns }
    }

    /// Says that a column is free.
    pub(crate) fn insert(&mut self, column: u32) {
        self.each(column, |free| *free += 1);
    }

    /// Says that a column is taken.
    pub(crate) fn remove(&mut self, column: u32) {
        self.each(column, |free| *free -= 1);
    }

    fn each(&mut self, column: u32, change: impl Fn(&mut u32)) {
        let mut at = column as usize / (WORD * PARTS);
        for level in &mut self.levels {
            if let Some(free) = level.get_mut(at) {
                change(free);
            }
            at /= PARTS;
        }
    }

    /// The free column with most room around it, by the words that say which are free. Of equally empty blocks the first is gone into.
    pub(crate) fn roomiest(&self, words: &[u64]) -> Option<u32> {
        let mut block = Block { from: 0, len: self.len_max() };
        loop {
            let free = self.free(block, words);
            let len = self.columns.saturating_sub(block.from).min(block.len);
            if free == 0 {
                return None;
            }
            if free == len {
                return Some(block.from + len / 2);
            }
            // A column is wholly free or wholly taken, so there are parts.
            block = block.parts().rev().max_by_key(|&part| self.free(part, words))?;
        }
    }

    /// Columns of the block that holds all.
    fn len_max(&self) -> u32 {
        WORD as u32 * (PARTS as u32).pow(self.levels.len() as u32)
    }

    fn free(&self, block: Block, words: &[u64]) -> u32 {
        let from = block.from as usize;
        if block.len as usize <= WORD {
            let word = words.get(from / WORD).map_or(0, |word| word >> (from % WORD));
            let mask = u64::MAX >> (WORD - block.len as usize);
            return (word & mask).count_ones();
        }
        let depth = (block.len as usize / WORD).ilog(PARTS) as usize - 1;
        let level = self.levels.get(depth);
        level.and_then(|level| level.get(from / block.len as usize)).copied().unwrap_or(0)
    }
}

/// A stretch of the curve.
#[derive(Clone, Copy)]
struct Block {
    from: u32,
    /// A power of four.
    len: u32,
}

impl Block {
    fn parts(self) -> impl DoubleEndedIterator<Item = Self> {
        let len = self.len / PARTS as u32;
        (0..PARTS as u32).map(move |part| Self { from: self.from + part * len, len })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::free::FreeBits;

    /// The same, by counting anew.
    fn by_counting(free: &[bool]) -> Option<u32> {
        let count = |from: usize, len: usize| free.iter().skip(from).take(len).filter(|free| **free).count();
        let (mut from, mut len) = (0, 64);
        while len < free.len() {
            len *= 4;
        }
        while count(from, len) > 0 {
            let here = len.min(free.len() - from);
            if count(from, len) == here {
                return Some((from + here / 2) as u32);
            }
            len /= 4;
            let parts = [0, 1, 2, 3].map(|part| count(from + part * len, len));
            let most = parts.iter().max()?;
            from += len * parts.iter().position(|part| part == most)?;
        }
        None
    }

    proptest! {
        #[test]
        fn the_roomiest_is_that_of_counting(columns in 1_u32..9_000, flips in prop::collection::vec((any::<u32>(), 1_u32..3_000, any::<bool>()), 0..20)) {
            let mut bits = FreeBits::all(columns);
            let mut room = Room::of(columns, bits.words());
            let mut free = vec![true; columns as usize];
            for (from, len, is_spread) in flips {
                for step in 0..len {
                    let column = if is_spread { step.wrapping_mul(2_654_435_761).wrapping_add(from) } else { from.wrapping_add(step) } % columns;
                    let is_free = &mut free[column as usize];
                    *is_free = !*is_free;
                    if *is_free {
                        bits.insert(column);
                        room.insert(column);
                    } else {
                        bits.remove(column);
                        room.remove(column);
                    }
                }
                prop_assert_eq!(room.roomiest(bits.words()), by_counting(&free));
            }
            prop_assert_eq!(&room.levels, &Room::of(columns, bits.words()).levels);
            // To the last one.
            for taken in 0..bits.count() {
                let column = room.roomiest(bits.words()).unwrap();
                prop_assert!(bits.contains(column), "{taken} taken");
                bits.remove(column);
                room.remove(column);
            }
            prop_assert_eq!(room.roomiest(bits.words()), None);
        }
    }
}
