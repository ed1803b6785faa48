//! Values and words as the dictionary keeps them: written once, read where they lie, counted in place.

use crate::dates::Date;
use crate::dictionary::{FieldId, TermId};
use crate::graph::MentionIndex;
use crate::paged::{List, Record, u16_at, u32_at, u64_at, write_all};

/// What can be said of a spelling at a glance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// One bit for every character in it, by the character's low six bits.
    pub(crate) characters: u64,
    /// Length in characters, spaces not counted.
    pub(crate) length: u32,
    pub(crate) has_digit: bool,
}

impl Shape {
    pub(crate) fn of(text: &str) -> Self {
        let mut shape = Self { length: 0, has_digit: false, characters: 0 };
        for character in text.chars().filter(|&character| character != ' ') {
            shape.length += 1;
            shape.has_digit |= character.is_ascii_digit();
            shape.characters |= 1 << (character as u32 & 63);
        }
        shape
    }
}

/// A value in the forms that its comparators read. It is read where it lies, each part when it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    #[inline]
    pub(crate) fn field(self) -> FieldId {
        u16_at(self.0, FIELD_AT)
    }

    /// Mentions that have it.
    #[inline]
    pub(crate) fn count(self) -> u32 {
        u32_at(self.0, COUNT_AT)
    }

    /// The newest mention that had it when it came.
    pub(crate) fn last(self) -> Option<MentionIndex> {
        u32_at(self.0, LAST_AT).checked_sub(1)
    }

    #[inline]
    pub(crate) fn shape(self) -> Shape {
        shape(self.0, VALUE_SHAPE_AT, self.flags())
    }

    pub(crate) fn date(self) -> Option<Date> {
        (self.flags() & HAS_DATE != 0).then(|| {
            let date = &self.0[VALUE_BYTES..];
            Date { year: u16_at(date, 0) as i16, month: date[2], day: date[3], second: u32_at(date, 4) }
        })
    }

    /// Its words, sorted.
    #[inline]
    pub(crate) fn words(self) -> List<'a, TermId> {
        let start = self.terms_at();
        List::new(&self.0[start..start + self.word_count() * TERM_ID_BYTES])
    }

    /// Its items, sorted; the whole value where it is no list, if there are lists in its field.
    #[inline]
    pub(crate) fn items(self) -> List<'a, TermId> {
        let start = self.terms_at() + self.word_count() * TERM_ID_BYTES;
        List::new(&self.0[start..start + self.item_count() * TERM_ID_BYTES])
    }

    /// In normal form.
    pub(crate) fn normal(self) -> &'a str {
        text(&self.texts()[..u32_at(self.0, NORMAL_BYTES_AT) as usize])
    }

    /// As first written; in normal form once that is forgotten.
    pub(crate) fn surface(self) -> &'a str {
        let texts = self.texts();
        let behind = &texts[u32_at(self.0, NORMAL_BYTES_AT) as usize..];
        text(if behind.is_empty() { texts } else { behind })
    }

    /// Whether what was first written is forgotten.
    pub(crate) fn is_surface_gone(self) -> bool {
        self.flags() & IS_SURFACE_GONE != 0
    }

    #[inline]
    fn flags(self) -> u8 {
        self.0[FLAGS_AT]
    }

    #[inline]
    fn word_count(self) -> usize {
        usize::from(u16_at(self.0, WORDS_AT))
    }

    #[inline]
    fn item_count(self) -> usize {
        usize::from(u16_at(self.0, ITEMS_AT))
    }

    #[inline]
    fn terms_at(self) -> usize {
        VALUE_BYTES + if self.flags() & HAS_DATE != 0 { DATE_BYTES } else { 0 }
    }

    /// In normal form, then as first written, if that is not the same.
    fn texts(self) -> &'a [u8] {
        &self.0[self.terms_at() + (self.word_count() + self.item_count()) * TERM_ID_BYTES..]
    }
}

/// A value that is to be remembered.
#[derive(Debug)]
pub(crate) struct NewValue<'t> {
    pub(crate) field: FieldId,
    pub(crate) count: u32,
    pub(crate) last: Option<MentionIndex>,
    pub(crate) shape: Shape,
    pub(crate) date: Option<Date>,
    /// Words, then items, each sorted.
    pub(crate) terms: &'t [TermId],
    pub(crate) words: usize,
    pub(crate) normal: &'t str,
    /// As first written; none if that is forgotten.
    pub(crate) surface: Option<&'t str>,
}

/// Where values and terms have the mentions that have them, their field, and flags.
const COUNT_AT: usize = 0;
const FIELD_AT: usize = 4;
const FLAGS_AT: usize = 6;
/// Where a value has how many words and items it has, and how many bytes its normal form; its shape; its last mention plus one, 0 for none.
const WORDS_AT: usize = 7;
const ITEMS_AT: usize = 9;
const NORMAL_BYTES_AT: usize = 11;
const VALUE_SHAPE_AT: usize = 15;
const LAST_AT: usize = 27;
/// Bytes of a value before its date; behind it come words, items, texts.
const VALUE_BYTES: usize = 31;
const DATE_BYTES: usize = 8;
const TERM_ID_BYTES: usize = 4;
const HAS_DIGIT: u8 = 1;
const HAS_DATE: u8 = 2;
const IS_SURFACE_GONE: u8 = 4;

impl Record for Value<'static> {
    type View<'a> = Value<'a>;
    type Content<'c> = NewValue<'c>;
    const EMPTY: &'static [u8] = &[0; VALUE_BYTES];

    #[inline]
    fn view(bytes: &[u8]) -> Value<'_> {
        Value(bytes)
    }

    fn is_sound(bytes: &[u8]) -> bool {
        if bytes.len() < VALUE_BYTES {
            return false;
        }
        let value = Value(bytes);
        let terms = (value.word_count() + value.item_count()) * TERM_ID_BYTES;
        let texts = bytes.get(value.terms_at() + terms..).and_then(|texts| std::str::from_utf8(texts).ok());
        texts.is_some_and(|texts| texts.is_char_boundary(u32_at(bytes, NORMAL_BYTES_AT) as usize))
    }

    fn encode(value: &NewValue<'_>, into: &mut Vec<u8>) {
        let mut flags = flags(value.shape);
        flags |= if value.date.is_some() { HAS_DATE } else { 0 };
        flags |= if value.surface.is_none() { IS_SURFACE_GONE } else { 0 };
        into.extend_from_slice(&value.count.to_le_bytes());
        into.extend_from_slice(&value.field.to_le_bytes());
        into.push(flags);
        into.extend_from_slice(&(value.words as u16).to_le_bytes());
        into.extend_from_slice(&((value.terms.len() - value.words) as u16).to_le_bytes());
        into.extend_from_slice(&(value.normal.len() as u32).to_le_bytes());
        write_shape(value.shape, into);
        into.extend_from_slice(&value.last.map_or(0, |last| last + 1).to_le_bytes());
        if let Some(Date { year, month, day, second }) = value.date {
            into.extend_from_slice(&year.to_le_bytes());
            into.extend_from_slice(&[month, day]);
            into.extend_from_slice(&second.to_le_bytes());
        }
        write_all(value.terms.iter().copied(), into);
        into.extend_from_slice(value.normal.as_bytes());
        if let Some(surface) = value.surface.filter(|surface| *surface != value.normal) {
            into.extend_from_slice(surface.as_bytes());
        }
    }
}

/// Notes in a value's bytes that a mention has it, unless a newer one is noted.
pub(crate) fn note_last(entry: &mut [u8], mention: MentionIndex) {
    let last = u32_at(entry, LAST_AT).max(mention + 1);
    entry[LAST_AT..LAST_AT + 4].copy_from_slice(&last.to_le_bytes());
}

/// A word or list item, read where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a>(&'a [u8]);

impl<'a> Term<'a> {
    /// With the top bit where it is an item.
    #[inline]
    pub(crate) fn field(self) -> FieldId {
        u16_at(self.0, FIELD_AT)
    }

    /// Mentions that have it.
    #[inline]
    pub(crate) fn count(self) -> u32 {
        u32_at(self.0, COUNT_AT)
    }

    #[inline]
    pub(crate) fn shape(self) -> Shape {
        shape(self.0, TERM_SHAPE_AT, self.0[FLAGS_AT])
    }

    pub(crate) fn text(self) -> &'a str {
        text(&self.0[TERM_BYTES..])
    }
}

/// A word or item that is to be remembered; no mention has it yet.
#[derive(Debug)]
pub(crate) struct NewTerm<'t> {
    pub(crate) field: FieldId,
    pub(crate) text: &'t str,
}

const TERM_SHAPE_AT: usize = 7;
/// Bytes of a term before its text.
const TERM_BYTES: usize = 19;

impl Record for Term<'static> {
    type View<'a> = Term<'a>;
    type Content<'c> = NewTerm<'c>;
    const EMPTY: &'static [u8] = &[0; TERM_BYTES];

    #[inline]
    fn view(bytes: &[u8]) -> Term<'_> {
        Term(bytes)
    }

    fn is_sound(bytes: &[u8]) -> bool {
        bytes.get(TERM_BYTES..).is_some_and(|text| std::str::from_utf8(text).is_ok())
    }

    fn encode(term: &NewTerm<'_>, into: &mut Vec<u8>) {
        let shape = Shape::of(term.text);
        into.extend_from_slice(&0_u32.to_le_bytes());
        into.extend_from_slice(&term.field.to_le_bytes());
        into.push(flags(shape));
        write_shape(shape, into);
        into.extend_from_slice(term.text.as_bytes());
    }
}

/// Changes how often a value or word occurs, which its bytes begin with. Gives the new count.
pub(crate) fn recount(entry: &mut [u8], by: i32) -> u32 {
    let Some(bytes) = entry.first_chunk_mut::<4>() else { return 0 };
    let count = u32::from_le_bytes(*bytes).saturating_add_signed(by);
    *bytes = count.to_le_bytes();
    count
}

fn flags(shape: Shape) -> u8 {
    if shape.has_digit { HAS_DIGIT } else { 0 }
}

fn write_shape(shape: Shape, into: &mut Vec<u8>) {
    into.extend_from_slice(&shape.characters.to_le_bytes());
    into.extend_from_slice(&shape.length.to_le_bytes());
}

#[inline]
fn shape(bytes: &[u8], at: usize, flags: u8) -> Shape {
    let characters = u64_at(bytes, at);
    Shape { characters, length: u32_at(bytes, at + 8), has_digit: flags & HAS_DIGIT != 0 }
}

/// Text that is sound.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
