//! Two values to a level of agreement: the comparators, one per kind of field.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use strsim::{jaro_winkler, osa_distance};

use crate::dictionary::{Dictionary, FieldId, KeyRule, Term, TermId, ValueId};
use crate::evidence::Bits;
use crate::perceive::namespace;
use crate::profile::FieldKind;

/// How far two values agree. Fellegi and Sunter's comparison vector has one such level per field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Level {
    /// The same in normal form.
    Exact = 0,
    /// A slip of the pen apart: a letter, a space, two digits swapped.
    Close = 1,
    /// One may stand for the other: an initial, an abbreviation, a part; lists that share an item.
    Compatible = 2,
    /// Something in common.
    Similar = 3,
    /// Nothing that counts in common.
    Different = 4,
}

impl Level {
    /// Number of levels.
    pub const COUNT: usize = 5;

    /// The level in words, of two values.
    pub(crate) fn likeness(self) -> &'static str {
        match self {
            Self::Exact => "the same",
            Self::Close => "nearly the same",
            Self::Compatible => "compatible",
            Self::Similar => "have something in common",
            Self::Different => "different",
        }
    }

    /// The level in words, of the time since a node was last spoken of.
    pub(crate) fn recency(self) -> &'static str {
        match self {
            Self::Exact => "just now",
            Self::Close => "lately",
            Self::Compatible => "some time ago",
            Self::Similar => "long ago",
            Self::Different => "in the first half of the stream",
        }
    }

    pub(crate) fn from_index(index: u8) -> Self {
        [Self::Exact, Self::Close, Self::Compatible, Self::Similar, Self::Different][usize::from(index)]
    }
}

/// Outcome of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) level: Level,
    /// How surprising what agrees would be in a random pair. No agreement is worth more.
    pub(crate) information: Bits,
}

impl Comparison {
    const DIFFERENT: Self = Self { level: Level::Different, information: Bits::ZERO };

    fn capped(mut self, most: Bits) -> Self {
        self.information = self.information.min(most);
        self
    }
}

/// Compares two values of one field; `None` where they say nothing about each other.
pub(crate) fn compare(dictionary: &Dictionary, left: ValueId, right: ValueId) -> Option<Comparison> {
    let field = dictionary.value(left).field;
    debug_assert_eq!(field, dictionary.value(right).field, "values of two fields");
    if left == right {
        return Some(Comparison { level: Level::Exact, information: dictionary.value_information(left) });
    }
    // Being near a value is no more surprising than meeting it.
    let value_information = || dictionary.value_information(left).min(dictionary.value_information(right));
    let level = |level| Some(Comparison { level, information: value_information() });
    match dictionary.field(field).kind {
        FieldKind::Embedding | FieldKind::Recency => None,
        FieldKind::Key => key(dictionary, field, left, right),
        FieldKind::Identifier => level(code(dictionary.text(left), dictionary.text(right))),
        FieldKind::Number => level(number(dictionary.text(left), dictionary.text(right))),
        FieldKind::Date => level(date(dictionary, left, right)),
        FieldKind::Name | FieldKind::Category => {
            Some(words(dictionary, left, right, &NAME_THRESHOLDS).capped(value_information()))
        }
        FieldKind::LongText => {
            Some(words(dictionary, left, right, &LONG_TEXT_THRESHOLDS).capped(value_information()))
        }
        FieldKind::List => Some(list(dictionary, left, right)),
    }
}

fn key(dictionary: &Dictionary, field: FieldId, left: ValueId, right: ValueId) -> Option<Comparison> {
    let differ = match dictionary.key_rule(field) {
        KeyRule::Namespace => namespace(dictionary.text(left)) == namespace(dictionary.text(right)),
        KeyRule::Source => false,
        KeyRule::Value => true,
    };
    differ.then_some(Comparison::DIFFERENT)
}

/// Codes: one character mistaken or two swapped is a slip, spaces not counted. Two slips are another code: numbers of one
/// neighbourhood or one day are that near without being the same.
fn code(left: &str, right: &str) -> Level {
    let (left, right) = (compact(left), compact(right));
    if left == right {
        return Level::Exact;
    }
    let short = left.chars().count().min(right.chars().count());
    if short < 3 || left.len().abs_diff(right.len()) > 1 || osa_distance(&left, &right) != 1 {
        return Level::Different;
    }
    Level::Close
}

fn number(left: &str, right: &str) -> Level {
    let (compact_left, compact_right) = (compact(left), compact(right));
    let slips = osa_distance(&compact_left, &compact_right);
    let longest = compact_left.chars().count().max(compact_right.chars().count());
    match slips {
        0 => Level::Exact,
        1 if longest >= 3 => Level::Close,
        1 if longest == 2 => Level::Compatible,
        _ if shares_word(left, right) => Level::Similar,
        _ => Level::Different,
    }
}

fn compact(text: &str) -> String {
    text.split(' ').collect()
}

fn shares_word(left: &str, right: &str) -> bool {
    left.split(' ').any(|word| right.split(' ').any(|other| word == other))
}

fn date(dictionary: &Dictionary, left: ValueId, right: ValueId) -> Level {
    let (Some(a), Some(b)) = (dictionary.value(left).date, dictionary.value(right).date) else {
        return code(dictionary.text(left), dictionary.text(right));
    };
    if a == b {
        return Level::Exact;
    }
    let differing: Vec<_> = a.digits().into_iter().zip(b.digits()).filter(|(x, y)| x != y).collect();
    let swapped_digits = matches!(differing[..], [(x1, y1), (x2, y2)] if x1 == y2 && y1 == x2);
    let swapped_fields = a.year == b.year && (a.month, a.day) == (b.day, b.month);
    if differing.len() == 1 || swapped_digits || swapped_fields {
        return Level::Close;
    }
    match a.day_number().abs_diff(b.day_number()) {
        0..=366 => Level::Compatible,
        367..=1830 => Level::Similar,
        _ => Level::Different,
    }
}

/// Least agreement, in 1/256, for [`Level::Close`], [`Level::Compatible`] and [`Level::Similar`].
struct Thresholds {
    close: i64,
    compatible: i64,
    similar: i64,
}

const NAME_THRESHOLDS: Thresholds = Thresholds { close: 225, compatible: 166, similar: 90 };
const LONG_TEXT_THRESHOLDS: Thresholds = Thresholds { close: 192, compatible: 110, similar: 50 };

/// Names and texts: words aligned one to one, each weighed by its information (soft TF-IDF after Cohen, Ravikumar and
/// Fienberg, *A Comparison of String Distance Metrics for Name-Matching Tasks*, 2003).
fn words(dictionary: &Dictionary, left: ValueId, right: ValueId, thresholds: &Thresholds) -> Comparison {
    let field = dictionary.value(left).field;
    let (a, b) = (&*dictionary.value(left).words, &*dictionary.value(right).words);
    if let ([one], [other]) = (a, b) {
        let (level, share) = word(dictionary, *one, *other);
        let information = dictionary.term_information(field, *one).scaled(share as u32);
        return Comparison { level, information };
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let weight = |term: TermId| i64::from(dictionary.term_information(field, term).0.max(64));
    let total = |terms: &[TermId]| terms.iter().map(|&term| weight(term)).sum::<i64>();
    let (total_short, total_long) = (total(short), total(long));
    let mut used = [0u64; crate::perceive::WORDS_MAX / 64];
    let mut is_used = |at: usize, set: bool| {
        let before = used[at / 64] >> (at % 64) & 1 == 1;
        used[at / 64] |= u64::from(set) << (at % 64);
        before
    };
    let (mut matched_short, mut matched_long, mut clash) = (0, 0, false);
    let mut open: SmallVec<[TermId; 16]> = SmallVec::new();
    for &term in short {
        match (0..long.len()).find(|&at| long[at] == term && !is_used(at, false)) {
            Some(at) => {
                is_used(at, true);
                matched_short += weight(term);
                matched_long += weight(term);
            }
            None => open.push(term),
        }
    }
    // The rest may still be spelled alike; long texts are not worth the search.
    let mut unmatched: SmallVec<[TermId; 16]> = SmallVec::new();
    let search = open.len() * long.len() <= 48;
    for &term in open.iter().filter(|_| search) {
        let mut best = (0, 0);
        for (at, &other) in long.iter().enumerate() {
            if !is_used(at, false) {
                let (_, share) = word(dictionary, term, other);
                best = best.max((share, long.len() - at));
            }
        }
        if best.0 > 0 {
            let at = long.len() - best.1;
            is_used(at, true);
            matched_short += weight(term) * best.0 / 256;
            matched_long += weight(long[at]) * best.0 / 256;
        } else {
            unmatched.push(term);
        }
    }
    if !search {
        unmatched = open;
    }
    // "Stephen E." and "Stephen R.", "type 1" and "type 2" share most and are two things.
    let left_open = |at: &usize| !is_used(*at, false);
    let rest: SmallVec<[TermId; 16]> = (0..long.len()).filter(left_open).map(|at| long[at]).collect();
    for tells_apart in [is_initial, has_digit] {
        let any = |terms: &[TermId]| terms.iter().any(|&term| tells_apart(dictionary.term(term)));
        clash |= any(&unmatched) && any(&rest);
    }
    let agreement = 256 * (matched_short + matched_long) / (total_short + total_long).max(1);
    let contained = 256 * matched_short / total_short.max(1);
    let joined = short.len() + long.len() <= 8 && compact_equal(dictionary, a, b);
    let level = if joined {
        Level::Close
    } else if clash && agreement >= thresholds.similar {
        Level::Similar
    } else if agreement >= thresholds.close {
        Level::Close
    } else if agreement >= thresholds.compatible || (contained >= 230 && total_short * 3 >= total_long) {
        Level::Compatible
    } else if agreement >= thresholds.similar {
        Level::Similar
    } else {
        Level::Different
    };
    Comparison { level, information: Bits(matched_short.min(matched_long) as i32) }
}

fn is_initial(word: &str) -> bool {
    word.chars().count() == 1
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

fn compact_equal(dictionary: &Dictionary, left: &[TermId], right: &[TermId]) -> bool {
    let mut a = left.iter().flat_map(|&term| dictionary.term(term).bytes());
    let mut b = right.iter().flat_map(|&term| dictionary.term(term).bytes());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (x, y) if x != y => return false,
            _ => {}
        }
    }
}

/// Two words: the level, and the share (in 1/256) of a word's information that such a likeness carries.
fn word(dictionary: &Dictionary, left: TermId, right: TermId) -> (Level, i64) {
    if left == right {
        return (Level::Exact, 256);
    }
    if !may_be_alike(dictionary.term_entry(left), dictionary.term_entry(right)) {
        return (Level::Different, 0);
    }
    let (left, right) = (dictionary.term(left), dictionary.term(right));
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    if is_initial(short) {
        return if long.starts_with(short) { (Level::Compatible, 150) } else { (Level::Different, 0) };
    }
    // A number is itself or another one.
    if has_digit(short) && has_digit(long) {
        return (Level::Different, 0);
    }
    let likeness = jaro_winkler(short, long);
    let length = short.chars().count();
    if likeness >= 0.93 || (length >= 4 && likeness >= 0.8 && osa_distance(short, long) == 1) {
        (Level::Close, 220)
    } else if length >= 3 && long.starts_with(short) {
        (Level::Compatible, 170)
    } else if likeness >= 0.84 {
        (Level::Similar, 110)
    } else {
        (Level::Different, 0)
    }
}

/// Whether two words could reach a Jaro–Winkler likeness of 0.84, judged by their lengths and sets of characters: a bound that
/// spares the comparison of most pairs and changes the outcome of none. An initial may stand for any word.
fn may_be_alike(left: &Term, right: &Term) -> bool {
    let matched = |a: &Term, b: &Term| a.length - (a.characters & !b.characters).count_ones().min(a.length);
    let (a, b) = (f64::from(left.length), f64::from(right.length));
    let most = f64::from(matched(left, right).min(matched(right, left)));
    let jaro = (most / a + most / b + 1.0) / 3.0;
    // A common prefix of four closes four tenths of the gap.
    left.length == 1 || right.length == 1 || most > 0.0 && jaro + 0.4 * (1.0 - jaro) >= 0.84
}

/// Lists: what they share, by its rarest items.
fn list(dictionary: &Dictionary, left: ValueId, right: ValueId) -> Comparison {
    let field = dictionary.value(left).field;
    let (a, b) = (&*dictionary.value(left).items, &*dictionary.value(right).items);
    let (mut shared, mut best, mut others) = (0, Bits::ZERO, Bits::ZERO);
    for &item in a.iter().filter(|item| b.binary_search(item).is_ok()) {
        let information = dictionary.term_information(field, item);
        shared += 1;
        others += information.min(best);
        best = best.max(information);
    }
    if shared == 0 {
        return Comparison::DIFFERENT;
    }
    let level = match shared {
        _ if shared * 4 >= 3 * a.len().max(b.len()) => Level::Close,
        1 => Level::Similar,
        _ => Level::Compatible,
    };
    Comparison { level, information: best + others.scaled(64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::{list_items, normalise};
    use crate::perceive::PerceivedValue;

    /// Compares two texts in a field whose kind is found from `samples`.
    fn level(samples: &[&str], left: &str, right: &str) -> Level {
        let mut dictionary = Dictionary::default();
        let mut add = |text: &str| {
            let mut items: Vec<_> = list_items(text).map(normalise).collect();
            if items.len() < 2 {
                items.clear();
            }
            let value =
                PerceivedValue { field: "f".into(), surface: text.into(), normal: normalise(text), items };
            let field = dictionary.field_id(&value);
            let id = dictionary.intern(field, &value);
            dictionary.count(id, &value, 0);
            id
        };
        samples.iter().for_each(|sample| drop(add(sample)));
        let (left, right) = (add(left), add(right));
        dictionary.refresh_kinds();
        compare(&dictionary, left, right).expect("comparable").level
    }

    #[test]
    fn names() {
        let level = |left, right| level(&["anna bell", "carl dean"], left, right);
        assert_eq!(level("Mitchell", "mitchell"), Level::Exact);
        assert_eq!(level("mitchell", "mitchel"), Level::Close);
        assert_eq!(level("Stephen E.", "Stephen"), Level::Compatible);
        assert_eq!(level("Stephen E.", "Stephen R."), Level::Similar);
        assert_eq!(level("S.", "Stephen"), Level::Compatible);
        assert_eq!(level("pridhamstreet", "pridham street"), Level::Close);
        assert_eq!(level("mitchell", "harley"), Level::Different);
        assert_eq!(level("Horowitz Mark", "Mark Horowitz"), Level::Close);
    }

    #[test]
    fn codes_dates_and_lists() {
        let codes = ["1804974", "6089216", "2185997"];
        assert_eq!(level(&codes, "1804974", "1804947"), Level::Close);
        assert_eq!(level(&codes, "1804974", "1804000"), Level::Different);
        assert_eq!(level(&["310/246-1501", "818/762-1221"], "310/246-1501", "310-246-1501"), Level::Exact);
        let dates = ["19560409", "19080419", "19081128"];
        assert_eq!(level(&dates, "19560409", "19560904"), Level::Close);
        assert_eq!(level(&dates, "19560409", "19560408"), Level::Close);
        assert_eq!(level(&dates, "19560409", "19921119"), Level::Different);
        let lists = ["a b; c d", "e f; g h"];
        assert_eq!(level(&lists, "Rajiv Laroia; Xinzhou Wu", "Xinzhou Wu; Tom Ford"), Level::Similar);
        assert_eq!(level(&lists, "Rajiv Laroia; Xinzhou Wu", "Xinzhou Wu; Rajiv Laroia"), Level::Close);
        assert_eq!(level(&lists, "Rajiv Laroia", "Tom Ford"), Level::Different);
    }

    #[test]
    fn comparing_is_symmetric_and_never_panics() {
        let texts = ["", "a", "é", "a b c", "日本 語", "1", "22", "a a a", "1-2", "x; y", ";;", "ab ab"];
        for left in texts.iter().filter(|text| !normalise(text).is_empty()) {
            for right in texts.iter().filter(|text| !normalise(text).is_empty()) {
                assert_eq!(level(&["anna bell"], left, right), level(&["anna bell"], right, left), "{left} {right}");
            }
        }
    }
}
