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

/// A value in the forms that its comparators read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) field: FieldId,
    /// Mentions that have it.
    pub(crate) count: u32,
    /// The newest mention that had it when it came.
    pub(crate) last: Option<MentionIndex>,
    pub(crate) shape: Shape,
    pub(crate) date: Option<Date>,
    /// Its words, sorted.
    pub(crate) words: List<'a, TermId>,
    /// Its items, sorted; the whole value where it is no list, if there are lists in its field.
    pub(crate) items: List<'a, TermId>,
    /// In normal form, then as first written, if that is not the same.
    texts: &'a [u8],
    normal_bytes: usize,
    /// Whether what was first written is forgotten.
    pub(crate) is_surface_gone: bool,
}

impl<'a> Value<'a> {
    /// In normal form.
    pub(crate) fn normal(self) -> &'a str {
        text(&self.texts[..self.normal_bytes])
    }

    /// As first written; in normal form once that is forgotten.
    pub(crate) fn surface(self) -> &'a str {
        let behind = &self.texts[self.normal_bytes..];
        text(if behind.is_empty() { self.texts } else { behind })
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

/// Bytes of a value before its date: count, field, flags, words, items, bytes of the normal form, shape, last mention.
const VALUE_BYTES: usize = 31;
/// Where the last mention stands in them, plus one; 0 for none.
const LAST_AT: usize = 27;
const DATE_BYTES: usize = 8;
const HAS_DIGIT: u8 = 1;
const HAS_DATE: u8 = 2;
const IS_SURFACE_GONE: u8 = 4;

impl Record for Value<'static> {
    type View<'a> = Value<'a>;
    type Content<'c> = NewValue<'c>;
    const EMPTY: &'static [u8] = &[0; VALUE_BYTES];

    #[inline]
    fn view(bytes: &[u8]) -> Value<'_> {
        let flags = bytes[6];
        let (words, items) = (usize::from(u16_at(bytes, 7)), usize::from(u16_at(bytes, 9)));
        let mut rest = &bytes[VALUE_BYTES..];
        let date = (flags & HAS_DATE != 0).then(|| {
            let second = u32_at(rest, 4);
            let date = Date { year: u16_at(rest, 0) as i16, month: rest[2], day: rest[3], second };
            rest = &rest[DATE_BYTES..];
            date
        });
        let (terms, texts) = rest.split_at((words + items) * 4);
        let (words, items) = List::new(terms).split_at(words);
        Value {
            field: u16_at(bytes, 4),
            count: u32_at(bytes, 0),
            last: u32_at(bytes, LAST_AT).checked_sub(1),
            shape: shape(bytes, 15, flags),
            date,
            words,
            items,
            texts,
            normal_bytes: u32_at(bytes, 11) as usize,
            is_surface_gone: flags & IS_SURFACE_GONE != 0,
        }
    }

    fn is_sound(bytes: &[u8]) -> bool {
        if bytes.len() < VALUE_BYTES {
            return false;
        }
        let date = if bytes[6] & HAS_DATE != 0 { DATE_BYTES } else { 0 };
        let terms = (usize::from(u16_at(bytes, 7)) + usize::from(u16_at(bytes, 9))) * 4;
        let texts = bytes.get(VALUE_BYTES + date + terms..).and_then(|texts| std::str::from_utf8(texts).ok());
        texts.is_some_and(|texts| texts.is_char_boundary(u32_at(bytes, 11) as usize))
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

/// A word or list item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a> {
    /// With the top bit where it is an item.
    pub(crate) field: FieldId,
    /// Mentions that have it.
    pub(crate) count: u32,
    pub(crate) shape: Shape,
    text: &'a [u8],
}

impl<'a> Term<'a> {
    pub(crate) fn text(self) -> &'a str {
        text(self.text)
    }
}

/// A word or item that is to be remembered; no mention has it yet.
#[derive(Debug)]
pub(crate) struct NewTerm<'t> {
    pub(crate) field: FieldId,
    pub(crate) text: &'t str,
}

/// Bytes of a term before its text: count, field, flags, shape.
const TERM_BYTES: usize = 19;

impl Record for Term<'static> {
    type View<'a> = Term<'a>;
    type Content<'c> = NewTerm<'c>;
    const EMPTY: &'static [u8] = &[0; TERM_BYTES];

    #[inline]
    fn view(bytes: &[u8]) -> Term<'_> {
        Term {
            field: u16_at(bytes, 4),
            count: u32_at(bytes, 0),
            shape: shape(bytes, 7, bytes[6]),
            text: &bytes[TERM_BYTES..],
        }
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
