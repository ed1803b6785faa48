//! The table, and how it is unpacked.
//!
//! Numbers in seven bits a byte, lowest first, the eighth for "more follows"; differences with their sign in the lowest bit. Each part begins
//! with the number of its entries.
//!
//! - classes: where another begins, `4 · distance + class`;
//! - orders (canonical combining classes): where another begins, distance and order;
//! - decompositions, then case foldings: distance to the character, `2 · length + whether it is composed again`, and each character of
//!   it as the difference to the one before it; the first of them to the first of the entry before. Each of the three is a column of
//!   its own, because like numbers side by side are compressed better.

use std::ops::Range;
use std::sync::LazyLock;

use crate::Class;

/// Unpacked when a text with more than ASCII first comes.
pub(crate) static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::unpacked(&mut Reader(include_bytes!("../table/unicode.bin"))));

pub(crate) struct Table {
    classes: Runs<Class>,
    orders: Runs<u8>,
    decompositions: Mapping,
    folds: Mapping,
    /// First, second, and both in one; sorted.
    pairs: Vec<(char, char, char)>,
    /// Of the pairs, by what is first.
    pages: Pages,
    /// All that is second in a pair, sorted.
    seconds: Vec<char>,
}

impl Table {
    fn unpacked(from: &mut Reader<'_>) -> Self {
        let classes = Runs::unpacked(from, |from| {
            let number = from.number();
            let class = [Class::Other, Class::Word, Class::Symbol, Class::Unseen][number as usize % 4];
            (number / 4, class)
        });
        let orders = Runs::unpacked(from, |from| (from.number(), from.number() as u8));
        let (decompositions, composed) = Mapping::unpacked(from);
        let (folds, _) = Mapping::unpacked(from);
        // A longer one is composed of all but its last character, which are one character then, and the last.
        let mut whole: Vec<(&[char], char)> =
            composed.iter().filter_map(|&both| Some((decompositions.get(both)?, both))).collect();
        whole.sort_unstable();
        let pair = |&(parts, both): &(&[char], char)| {
            let (&second, rest) = parts.split_last()?;
            let first = match rest {
                [first] => *first,
                _ => whole[whole.binary_search_by_key(&rest, |&(parts, _)| parts).ok()?].1,
            };
            Some((first, second, both))
        };
        let mut pairs: Vec<_> = whole.iter().filter_map(pair).collect();
        pairs.sort_unstable();
        let mut seconds: Vec<char> = pairs.iter().map(|&(_, second, _)| second).collect();
        seconds.sort_unstable();
        seconds.dedup();
        let pages = Pages::of(pairs.iter().map(|&(first, ..)| first.into()));
        Self { classes, orders, decompositions, folds, pairs, pages, seconds }
    }

    pub(crate) fn class(&self, character: char) -> Class {
        self.classes.at(character).unwrap_or(Class::Other)
    }

    /// Where a mark stands among others; 0 for what is no mark.
    pub(crate) fn order(&self, character: char) -> u8 {
        if character < '\u{300}' { 0 } else { self.orders.at(character).unwrap_or(0) }
    }

    pub(crate) fn decomposition(&self, character: char) -> Option<&[char]> {
        if character < '\u{a0}' { None } else { self.decompositions.get(character) }
    }

    pub(crate) fn fold(&self, character: char) -> Option<&[char]> {
        self.folds.get(character)
    }

    pub(crate) fn pair(&self, first: char, second: char) -> Option<char> {
        if second < '\u{300}' {
            return None;
        }
        let pairs = &self.pairs[self.pages.range(first)];
        let found = pairs.binary_search_by_key(&(first, second), |&(first, second, _)| (first, second));
        found.ok().map(|at| pairs[at].2)
    }

    pub(crate) fn is_second(&self, character: char) -> bool {
        self.seconds.binary_search(&character).is_ok()
    }
}

/// Where among sorted characters those of each page of 256 begin: most searches are over before they begin.
struct Pages(Vec<u16>);

impl Pages {
    fn of(characters: impl Iterator<Item = u32>) -> Self {
        let pages = (u32::from(char::MAX) >> 8) as usize + 1;
        let mut starts = Vec::with_capacity(pages + 1);
        let mut count = 0;
        for character in characters {
            let page = (character >> 8) as usize;
            starts.resize(starts.len().max(page + 1), count);
            count += 1;
        }
        starts.resize(pages + 1, count);
        Self(starts)
    }

    fn range(&self, character: char) -> Range<usize> {
        let page = (u32::from(character) >> 8) as usize;
        usize::from(self.0[page])..usize::from(self.0[page + 1])
    }
}

/// From which character on what holds.
struct Runs<T> {
    runs: Vec<(u32, T)>,
    pages: Pages,
}

impl<T: Copy> Runs<T> {
    fn unpacked(from: &mut Reader<'_>, read: impl Fn(&mut Reader<'_>) -> (u32, T)) -> Self {
        let count = from.number();
        let mut start = 0;
        let run = |_| {
            let (distance, what) = read(from);
            start += distance;
            (start, what)
        };
        let runs: Vec<_> = (0..count).map(run).collect();
        let pages = Pages::of(runs.iter().map(|&(start, _)| start));
        Self { runs, pages }
    }

    fn at(&self, character: char) -> Option<T> {
        let page = self.pages.range(character);
        let behind = page.start + self.runs[page].partition_point(|&(start, _)| start <= character.into());
        Some(self.runs[behind.checked_sub(1)?].1)
    }
}

/// Characters and what each stands for.
struct Mapping {
    /// Character, and where in `parts` its own end; sorted.
    entries: Vec<(char, u16)>,
    pages: Pages,
    parts: Vec<char>,
}

impl Mapping {
    /// With the characters that are composed again.
    fn unpacked(from: &mut Reader<'_>) -> (Self, Vec<char>) {
        let count = from.number();
        let (mut code, mut end) = (0, 0);
        let characters: Vec<char> = (0..count)
            .map(|_| {
                code += from.number();
                crate::char_at(code)
            })
            .collect();
        let mut composed = Vec::new();
        let mut entries = Vec::with_capacity(characters.len());
        for character in characters {
            let length = from.number();
            composed.extend((length % 2 == 1).then_some(character));
            end += length / 2;
            entries.push((character, end as u16));
        }
        let (mut first, mut start) = (0, 0);
        let mut parts = Vec::with_capacity(end as usize);
        for &(_, end) in &entries {
            let mut last = first;
            for at in start..end {
                last = from.difference(last);
                parts.push(crate::char_at(last));
                first = if at == start { last } else { first };
            }
            start = end;
        }
        let pages = Pages::of(entries.iter().map(|&(character, _)| character.into()));
        (Self { entries, pages, parts }, composed)
    }

    fn get(&self, character: char) -> Option<&[char]> {
        let page = self.pages.range(character);
        let first = page.start;
        let at =
            first + self.entries[page].binary_search_by_key(&character, |&(character, _)| character).ok()?;
        let start = at.checked_sub(1).map_or(0, |before| self.entries[before].1);
        Some(&self.parts[usize::from(start)..usize::from(self.entries[at].1)])
    }
}

/// What is left to unpack. Behind the end there are zeros.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> u32 {
        let (mut number, mut shift) = (0, 0);
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            number |= u32::from(byte & 127) << shift;
            shift += 7;
            if byte < 128 {
                break;
            }
        }
        number
    }

    /// A number that is written as its difference to another.
    fn difference(&mut self, other: u32) -> u32 {
        let number = self.number();
        let away = number / 2;
        if number.is_multiple_of(2) { other.wrapping_add(away) } else { other.wrapping_sub(away) }
    }
}
