//! What normal forms of text are made of: compatibility decomposition, composition, full case folding, and classes of characters.
//!
//! ```
//! use cortexkg_unicode::{composed, decomposed, folded};
//!
//! let folded = decomposed("Ｓtraße №".chars()).into_iter().flat_map(folded);
//! assert_eq!(composed(folded).into_iter().collect::<String>(), "strasse no");
//! ```
//!
//! It is there for its size. The crates that do the same bring 178 KB of tables, 76 KB when compressed: an eighth of the module for browsers.
//! This has one table of 33 KB, 14 KB when compressed, in `table/unicode.bin`; it is unpacked when it is first asked.
//!
//! **Invariant:** the table says what the crates `unicode-normalization`, `caseless` and `unicode-properties` say in the versions of the
//! lock file, of every character. `tests/crates.rs` holds it to them, and writes it with `UPDATE_GOLDEN=1`. Another version of Unicode
//! can change decisions.

mod table;

use table::TABLE;

/// What a character is to text that is split into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Letter, digit or mark: general categories L, N and M.
    Word,
    /// General category S.
    Symbol,
    /// Joiners, marks of direction and what else is not seen: general category Cf.
    Unseen,
    /// Space, punctuation, and all that is left.
    Other,
}

/// The class of a character.
#[must_use]
pub fn class(character: char) -> Class {
    TABLE.class(character)
}

/// A character as caseless matching sees it: full case folding, to at most three characters.
pub fn folded(character: char) -> impl Iterator<Item = char> {
    let (whole, parts) = parts(TABLE.fold(character), character);
    whole.into_iter().chain(parts.iter().copied())
}

/// Either the character or what it stands for.
fn parts(mapped: Option<&'static [char]>, character: char) -> (Option<char>, &'static [char]) {
    mapped.map_or((Some(character), &[]), |parts| (None, parts))
}

// Hangul: syllables are put together by arithmetic (The Unicode Standard, section 3.12).
const SYLLABLES: u32 = 0xac00;
const LEADS: u32 = 0x1100;
const VOWELS: u32 = 0x1161;
const TAILS: u32 = 0x11a7;
const LEAD_COUNT: u32 = 19;
const VOWEL_COUNT: u32 = 21;
/// With none.
const TAIL_COUNT: u32 = 28;

fn char_at(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The compatibility decomposition of a text (NFKD).
#[must_use]
pub fn decomposed(text: impl Iterator<Item = char>) -> Vec<char> {
    let mut out = Vec::with_capacity(text.size_hint().0);
    // Marks since the last character that is none: they have an order.
    let mut marks = 0;
    for character in text {
        let syllable = u32::from(character).wrapping_sub(SYLLABLES);
        if syllable < LEAD_COUNT * VOWEL_COUNT * TAIL_COUNT {
            let (lead, tail) = (syllable / (VOWEL_COUNT * TAIL_COUNT), syllable % TAIL_COUNT);
            out.push(char_at(LEADS + lead));
            out.push(char_at(VOWELS + syllable / TAIL_COUNT % VOWEL_COUNT));
            out.extend((tail > 0).then(|| char_at(TAILS + tail)));
            marks = out.len();
            continue;
        }
        let (whole, parts) = parts(TABLE.decomposition(character), character);
        for part in whole.into_iter().chain(parts.iter().copied()) {
            let order = TABLE.order(part);
            if order == 0 {
                out.push(part);
                marks = out.len();
            } else {
                let place = out[marks..].iter().rposition(|&mark| TABLE.order(mark) <= order);
                out.insert(place.map_or(marks, |before| marks + before + 1), part);
            }
        }
    }
    out
}

/// The composition of a text's compatibility decomposition (NFKC).
#[must_use]
pub fn composed(text: impl Iterator<Item = char>) -> Vec<char> {
    let mut out = decomposed(text);
    // How much is composed, where its last starter is, and the order of the last mark behind that.
    let (mut len, mut starter, mut last) = (0, None, 0);
    for at in 0..out.len() {
        let character = out[at];
        let order = TABLE.order(character);
        if let Some(starter) = starter
            && (starter + 1 == len || last < order)
            && let Some(both) = pair(out[starter], character)
        {
            out[starter] = both;
            continue;
        }
        if order == 0 {
            starter = Some(len);
        }
        last = order;
        out[len] = character;
        len += 1;
    }
    out.truncate(len);
    out
}

/// Whether composition could change a text that was composed from one or several parts: if not, nothing in it goes together.
#[must_use]
pub fn may_compose(text: impl Iterator<Item = char>) -> bool {
    let hangul =
        |code| (VOWELS..VOWELS + VOWEL_COUNT).contains(&code) || (TAILS..TAILS + TAIL_COUNT).contains(&code);
    let mut text = text.filter(|character| !character.is_ascii());
    text.any(|character| TABLE.order(character) > 0 || TABLE.is_second(character) || hangul(character.into()))
}

/// What two characters are in one.
fn pair(first: char, second: char) -> Option<char> {
    let (lead, vowel) = (u32::from(first).wrapping_sub(LEADS), u32::from(second).wrapping_sub(VOWELS));
    if lead < LEAD_COUNT && vowel < VOWEL_COUNT {
        return Some(char_at(SYLLABLES + (lead * VOWEL_COUNT + vowel) * TAIL_COUNT));
    }
    let (syllable, tail) = (u32::from(first).wrapping_sub(SYLLABLES), u32::from(second).wrapping_sub(TAILS));
    let is_open = syllable < LEAD_COUNT * VOWEL_COUNT * TAIL_COUNT && syllable.is_multiple_of(TAIL_COUNT);
    if is_open && (1..TAIL_COUNT).contains(&tail) {
        return Some(char_at(u32::from(first) + tail));
    }
    TABLE.pair(first, second)
}
