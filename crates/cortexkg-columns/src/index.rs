//! Which column holds a concept: a table of columns alone, since the columns know their concepts.
//!
//! Open addressing with linear probing. A place has 24 bits of a column and seven of the concept's hash, so that a wrong column is looked at but
//! once in 128 times. Two to four places for each column of the pool, laid out once: no call pays for making the table larger.

use crate::grid::{COLUMNS_MAX, ColumnId};

/// A place without a column.
const NONE: u32 = u32::MAX;
/// Bits of a column.
const COLUMN: u32 = COLUMNS_MAX - 1;

/// The columns of concepts.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// As many as a power of two says.
    places: Vec<u32>,
}

/// Where a concept is looked for first, and what is kept of its hash.
#[derive(Clone, Copy)]
struct Hash {
    home: usize,
    tag: u32,
}

impl Index {
    /// An empty one, for so many columns.
    pub(crate) fn of_columns(columns: u32) -> Self {
        Self { places: vec![NONE; (2 * columns as usize).next_power_of_two()] }
    }

    /// The column of a concept. Asks which concept a column holds.
    pub(crate) fn get(&self, concept: u64, holds: impl Fn(ColumnId) -> Option<u64>) -> Option<ColumnId> {
        let place = self.places[self.find(concept, holds)?];
        Some(ColumnId(place & COLUMN))
    }

    /// Notes the column of a concept that has none.
    pub(crate) fn insert(&mut self, concept: u64, column: ColumnId) {
        let Hash { home, tag } = self.hash(concept);
        let mut at = home;
        while self.places[at] != NONE {
            at = self.after(at);
        }
        self.places[at] = tag | column.0;
    }

    /// Forgets a concept, whose column still holds it, and returns that column. Closes the gap, so that whoever is looked for is found before a gap.
    pub(crate) fn remove(
        &mut self,
        concept: u64,
        holds: impl Fn(ColumnId) -> Option<u64>,
    ) -> Option<ColumnId> {
        let mut gap = self.find(concept, &holds)?;
        let column = ColumnId(self.places[gap] & COLUMN);
        let mut at = gap;
        loop {
            at = self.after(at);
            let place = self.places[at];
            if place == NONE {
                self.places[gap] = NONE;
                return Some(column);
            }
            let home = holds(ColumnId(place & COLUMN)).map_or(at, |concept| self.hash(concept).home);
            // Whether its home is not behind the gap, around the end.
            let mask = self.places.len() - 1;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.places[gap] = place;
                gap = at;
            }
        }
    }

    fn find(&self, concept: u64, holds: impl Fn(ColumnId) -> Option<u64>) -> Option<usize> {
        let Hash { home, tag } = self.hash(concept);
        let mut at = home;
        loop {
            let place = self.places[at];
            if place == NONE {
                return None;
            }
            if place & !COLUMN == tag && holds(ColumnId(place & COLUMN)) == Some(concept) {
                return Some(at);
            }
            at = self.after(at);
        }
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }

    fn hash(&self, concept: u64) -> Hash {
        // The finaliser of MurmurHash3 (Appleby, public domain): every bit of the concept changes half of all bits.
        let mut hash = concept;
        hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^= hash >> 33;
        // Never all bits of a tag, so that no place looks as if it had no column.
        Hash { home: hash as usize & (self.places.len() - 1), tag: (hash >> 57) as u32 * COLUMNS_MAX }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_map_finds(calls in prop::collection::vec((0_u64..60, any::<bool>()), 0..400), stride in any::<u64>(), columns in 1_u32..40) {
            let mut index = Index::of_columns(columns);
            let mut concepts = vec![None; columns as usize];
            let mut map = BTreeMap::new();
            for (concept, is_insert) in calls {
                let concept = concept.wrapping_mul(stride | 1);
                let holds = |column: ColumnId| concepts[column.0 as usize];
                let expected = map.get(&concept).copied();
                prop_assert_eq!(index.get(concept, holds), expected);
                let free = concepts.iter().position(Option::is_none);
                if let (true, None, Some(free)) = (is_insert, expected, free) {
                    let column = ColumnId(free as u32);
                    index.insert(concept, column);
                    concepts[free] = Some(concept);
                    map.insert(concept, column);
                } else if !is_insert {
                    prop_assert_eq!(index.remove(concept, holds), map.remove(&concept));
                    if let Some(column) = expected {
                        concepts[column.0 as usize] = None;
                    }
                }
            }
            for (&concept, &column) in &map {
                prop_assert_eq!(index.get(concept, |column| concepts[column.0 as usize]), Some(column));
            }
            prop_assert_eq!(index.places.iter().filter(|&&place| place != NONE).count(), map.len());
        }
    }
}
