//! How alike two words are spelled.

use smallvec::SmallVec;
use strsim::jaro_winkler;

use crate::compare::Level;
use crate::dictionary::{Dictionary, TermId, Word};
use crate::embed::mix;
use crate::entries::Shape;

/// Longest word, in characters, whose likeness is measured, at a cost that grows with the square; a longer one is the same but for
/// a slip, or another.
const LIKENESS_LENGTH_MAX: u32 = 64;

/// Two words: the level, and the share (in 1/256) of a word's information that such a likeness carries.
pub(crate) fn word(
    dictionary: &Dictionary,
    cache: &mut WordCache,
    left: &Word,
    right: &Word,
) -> (Level, i64) {
    if left.id == right.id {
        return (Level::Exact, 256);
    }
    let shapes = (left.shape, right.shape);
    // A number is itself or another one.
    if shapes.0.has_digit && shapes.1.has_digit || !may_be_alike(shapes.0, shapes.1) {
        return (Level::Different, 0);
    }
    cache.get_or_compare(left.id, right.id, || spelling(dictionary, left.id, right.id, shapes))
}

fn spelling(dictionary: &Dictionary, left: TermId, right: TermId, shapes: (Shape, Shape)) -> (Level, i64) {
    let (left, right) = (dictionary.term(left), dictionary.term(right));
    let (short, long) = if shapes.0.length <= shapes.1.length { (left, right) } else { (right, left) };
    let length = shapes.0.length.min(shapes.1.length);
    if length == 1 {
        return if long.starts_with(short) { (Level::Compatible, 150) } else { (Level::Different, 0) };
    }
    if length > LIKENESS_LENGTH_MAX {
        return if slips(short, long) == Slips::One { (Level::Close, 220) } else { (Level::Different, 0) };
    }
    let likeness = jaro_winkler(short, long);
    if likeness >= 0.93 || (length >= 4 && likeness >= 0.8 && slips(short, long) == Slips::One) {
        (Level::Close, 220)
    } else if length >= 3 && long.starts_with(short) {
        (Level::Compatible, 170)
    } else if likeness >= 0.84 {
        (Level::Similar, 110)
    } else {
        (Level::Different, 0)
    }
}

/// Remembers how alike two words are spelled, which never changes: the same pairs come again and again. A newer pair takes the
/// place of an older one.
#[derive(Debug, Clone)]
pub(crate) struct WordCache {
    slots: Box<[WordPair]>,
}

#[derive(Debug, Clone, Copy)]
struct WordPair {
    left: TermId,
    right: TermId,
    level: Level,
    share: i16,
}

impl Default for WordCache {
    fn default() -> Self {
        const EMPTY: WordPair = WordPair { left: 0, right: 0, level: Level::Exact, share: 256 };
        Self { slots: vec![EMPTY; 1 << 15].into() }
    }
}

impl WordCache {
    fn get_or_compare(
        &mut self,
        left: TermId,
        right: TermId,
        compare: impl FnOnce() -> (Level, i64),
    ) -> (Level, i64) {
        let hash = mix(u64::from(left) << 32 | u64::from(right));
        let slot = &mut self.slots[hash as usize % (1 << 15)];
        if (slot.left, slot.right) != (left, right) {
            let (level, share) = compare();
            *slot = WordPair { left, right, level, share: share as i16 };
        }
        (slot.level, i64::from(slot.share))
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<WordPair>()
    }
}

/// How many slips of the pen lie between two spellings: a character too many, too few or mistaken, or two neighbours swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slips {
    None,
    One,
    Many,
}

/// Counts slips up to two; spaces are not counted. The same as an optimal string alignment distance of 0, 1, or more.
pub(crate) fn slips(left: &str, right: &str) -> Slips {
    let characters = |text: &str| -> SmallVec<[char; 32]> { text.chars().filter(|&c| c != ' ').collect() };
    let (a, b) = (characters(left), characters(right));
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&a[..a.len() - end], &b[..b.len() - end]) {
        ([], []) => Slips::None,
        ([], [_]) | ([_], []) | ([_], [_]) => Slips::One,
        ([a, b], [c, d]) if a == d && b == c => Slips::One,
        _ => Slips::Many,
    }
}

/// Whether two words could reach a Jaro–Winkler likeness of 0.8, judged by their lengths and sets of characters: a bound that
/// spares the comparison of most pairs and changes the outcome of none. An initial may stand for any word.
fn may_be_alike(left: Shape, right: Shape) -> bool {
    let matched = |a: Shape, b: Shape| a.length - (a.characters & !b.characters).count_ones().min(a.length);
    let (a, b) = (f64::from(left.length), f64::from(right.length));
    let most = f64::from(matched(left, right).min(matched(right, left)));
    let jaro = (most / a + most / b + 1.0) / 3.0;
    // A common prefix of four closes four tenths of the gap.
    left.length == 1 || right.length == 1 || most > 0.0 && jaro + 0.4 * (1.0 - jaro) >= 0.8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slips_are_counted_as_by_string_alignment(left in "[ab1é]{0,6}", right in "[ab1é]{0,6}") {
            let expected = match strsim::osa_distance(&left, &right) {
                0 => Slips::None,
                1 => Slips::One,
                _ => Slips::Many,
            };
            prop_assert_eq!(slips(&left, &right), expected);
        }

        #[test]
        fn the_bound_on_likeness_spares_no_alike_pair(left in "[a-f]{1,9}", right in "[a-fp-r]{1,9}") {
            let shape = |text| Shape::of(text);
            if strsim::jaro_winkler(&left, &right) >= 0.8 {
                prop_assert!(may_be_alike(shape(&left), shape(&right)));
            }
        }
    }
}
