//! Two values to a level of agreement: what the comparators do.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::comparator::Comparator;
use crate::dictionary::{Dictionary, KeyRule, TermId, ValueId, Word};
use crate::entries::{Shape, Value};
use crate::evidence::Bits;
use crate::paged::List;
use crate::perceive::namespace;
use crate::spelling::{Slips, WordCache, slips, word};

/// How far two values agree. Fellegi and Sunter's comparison vector has one such level per field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Level {
    /// The same in normal form.
    Exact = 0,
    /// A slip of the pen apart: a letter, a space, two digits swapped.
    Close = 1,
    /// One may stand for the other: an initial, an abbreviation, a part; lists that share several items.
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

    /// The level in words, of the nearness of vectors.
    pub(crate) fn nearness(self) -> &'static str {
        match self {
            Self::Exact => "far nearer than any is by chance",
            Self::Close => "nearer than any is by chance",
            Self::Compatible => "as near as the nearest is by chance",
            Self::Similar => "as near as a few are by chance",
            Self::Different => "as near as many are by chance",
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Comparison {
    pub(crate) level: Level,
    /// How surprising what agrees would be in a random pair. No agreement is worth more.
    pub(crate) information: Bits,
    /// What it says besides how often each is met, where they differ.
    pub(crate) names: Names,
}

/// What is known of two different values from how often each is met, where they are all there is to go by. Counts for those a slip apart
/// ([`Level::Close`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Names {
    /// Nothing: there is more to go by.
    #[default]
    Beside,
    /// One may be a slip of the other, which is met that often (log2).
    Slip(Bits),
    /// Both are met too often to be a slip of the other.
    OwnRight,
}

impl Comparison {
    pub(crate) const fn new(level: Level, information: Bits) -> Self {
        Self { level, information, names: Names::Beside }
    }

    const DIFFERENT: Self = Self::new(Level::Different, Bits::ZERO);
}

/// Compares two values of one field; `None` where they say nothing about each other.
pub(crate) fn compare(
    dictionary: &Dictionary,
    words: &mut WordCache,
    (left, a): (ValueId, Value<'_>),
    right: ValueId,
) -> Option<Comparison> {
    if left == right {
        return Some(Comparison::new(Level::Exact, dictionary.information(a)));
    }
    let b = dictionary.value(right);
    debug_assert_eq!(a.field(), b.field(), "values of two fields");
    let pair = Pair { dictionary, values: (a, b) };
    let level = |level| Some(Comparison::new(level, pair.information()));
    match dictionary.field(a.field()).comparator()? {
        Comparator::Exact => Some(Comparison::DIFFERENT),
        Comparator::Key => pair.key(),
        Comparator::Code => level(pair.code()),
        Comparator::Number => level(pair.number()),
        Comparator::Digits => level(pair.digits()),
        Comparator::Size => level(pair.size().unwrap_or_else(|| pair.digits())),
        Comparator::Date => level(pair.date()),
        Comparator::Name => Some(pair.capped(pair.words(&NAME_THRESHOLDS, words))),
        Comparator::LongText => Some(pair.capped(pair.words(&LONG_TEXT_THRESHOLDS, words))),
        Comparator::List => Some(pair.list()),
    }
}

/// Least agreement, in 1/256, for [`Level::Close`], [`Level::Compatible`] and [`Level::Similar`].
struct Thresholds {
    close: i64,
    compatible: i64,
    similar: i64,
    /// Most pairs of left-over words that are compared letter by letter.
    word_pairs_max: usize,
    /// Whether words that are spelled alike count where no word is the same.
    spelling_alone: bool,
}

const NAME_THRESHOLDS: Thresholds =
    Thresholds { close: 225, compatible: 166, similar: 90, word_pairs_max: 48, spelling_alone: true };
const LONG_TEXT_THRESHOLDS: Thresholds =
    Thresholds { close: 192, compatible: 110, similar: 50, word_pairs_max: 20, spelling_alone: false };

/// What shared items beyond the rarest count for, in 1/256: they tend to come together.
const OTHER_ITEMS: u32 = 64;

/// Words of one value that the other lacks.
type OpenWords = SmallVec<[Word; 8]>;

/// Two different values of one field.
struct Pair<'a> {
    dictionary: &'a Dictionary,
    values: (Value<'a>, Value<'a>),
}

impl Pair<'_> {
    /// Being near a value is no more surprising than meeting it.
    fn information(&self) -> Bits {
        let (a, b) = self.values;
        self.dictionary.information(a).min(self.dictionary.information(b))
    }

    /// With no more information than the values have, which is never less than none.
    fn capped(&self, mut comparison: Comparison) -> Comparison {
        if comparison.information > Bits::ZERO {
            comparison.information = comparison.information.min(self.information());
        }
        comparison
    }

    fn key(&self) -> Option<Comparison> {
        let differ = match self.dictionary.key_rule(self.values.0.field()) {
            KeyRule::Namespace => {
                let (left, right) = self.texts();
                namespace(left) == namespace(right)
            }
            KeyRule::Source => false,
            KeyRule::Value => true,
        };
        differ.then_some(Comparison::DIFFERENT)
    }

    fn texts(&self) -> (&str, &str) {
        (self.values.0.normal(), self.values.1.normal())
    }

    /// Slips of the pen between the two, spaces not counted.
    fn slips(&self) -> Slips {
        let (a, b) = (self.values.0.shape(), self.values.1.shape());
        // Every slip brings at most one new character to either side.
        if a.length.abs_diff(b.length) > 1 || (a.characters ^ b.characters).count_ones() > 2 {
            return Slips::Many;
        }
        let (left, right) = self.texts();
        slips(left, right)
    }

    /// Codes: one character mistaken or two swapped is a slip. Two slips are another code: numbers of one neighbourhood or one
    /// day are that near without being the same.
    fn code(&self) -> Level {
        match self.slips() {
            Slips::None => Level::Exact,
            Slips::One if self.values.0.shape().length.min(self.values.1.shape().length) >= 3 => Level::Close,
            _ => Level::Different,
        }
    }

    /// Amounts: how far apart they are, in parts of the larger. None where one cannot be read.
    fn size(&self) -> Option<Level> {
        let surfaces = (self.values.0.surface(), self.values.1.surface());
        let read = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let (a, b) = (read(surfaces.0)?, read(surfaces.1)?);
        let apart = (a - b).abs() / a.abs().max(b.abs()).max(f64::MIN_POSITIVE);
        Some(match apart {
            0.0 => Level::Exact,
            ..=0.001 => Level::Close,
            ..=0.02 => Level::Compatible,
            ..=0.1 => Level::Similar,
            _ => Level::Different,
        })
    }

    /// Numbers with a decimal point are amounts, whole ones are written.
    fn number(&self) -> Level {
        let has_point = [self.values.0, self.values.1].iter().any(|value| value.surface().contains('.'));
        let size = if has_point { self.size() } else { None };
        size.unwrap_or_else(|| self.digits())
    }

    /// Whole numbers: slips of the pen, as in the number of a house.
    fn digits(&self) -> Level {
        match (self.slips(), self.values.0.shape().length.max(self.values.1.shape().length)) {
            (Slips::None, _) => Level::Exact,
            (Slips::One, 3..) => Level::Close,
            (Slips::One, 2) => Level::Compatible,
            _ if self.shares_word() => Level::Similar,
            _ => Level::Different,
        }
    }

    fn shares_word(&self) -> bool {
        let mut shares = false;
        let (a, b) = (self.values.0.words(), self.values.1.words());
        merge(a, b, |side, _| shares |= side == Side::Both);
        shares
    }

    fn date(&self) -> Level {
        let (Some(a), Some(b)) = (self.values.0.date(), self.values.1.date()) else { return self.code() };
        if a == b {
            return Level::Exact;
        }
        let days_apart = a.day_number().abs_diff(b.day_number());
        if days_apart == 0 {
            return Level::Compatible;
        }
        let (x, y) = (a.digits(), b.digits());
        let differing: SmallVec<[(u8, u8); 8]> = x.into_iter().zip(y).filter(|(x, y)| x != y).collect();
        let swapped_digits = matches!(differing[..], [(x1, y1), (x2, y2)] if x1 == y2 && y1 == x2);
        let swapped_fields = a.year == b.year && (a.month, a.day) == (b.day, b.month);
        if a.second == b.second && (differing.len() == 1 || swapped_digits || swapped_fields) {
            return Level::Close;
        }
        match days_apart {
            0..=366 => Level::Compatible,
            367..=1830 => Level::Similar,
            _ => Level::Different,
        }
    }

    /// Names and texts: words aligned one to one, each weighed by its information (soft TF-IDF after Cohen, Ravikumar and
    /// Fienberg, *A Comparison of String Distance Metrics for Name-Matching Tasks*, 2003).
    fn words(&self, thresholds: &Thresholds, cache: &mut WordCache) -> Comparison {
        let (a, b) = (self.values.0.words(), self.values.1.words());
        if let (1, Some(one), 1, Some(other)) = (a.len(), a.first(), b.len(), b.first()) {
            let one = self.dictionary.word(one);
            let (level, share) = word(self.dictionary, cache, &one, &self.dictionary.word(other));
            return Comparison::new(level, one.information.scaled(share as u32));
        }
        // A long text that shares no word with another is not worth a closer look.
        if !thresholds.spelling_alone && !self.shares_word() {
            return Comparison::DIFFERENT;
        }
        self.dictionary.touch_terms(b.iter());
        let mut open: (OpenWords, OpenWords) = Default::default();
        let mut shared = 0;
        merge(a, b, |side, term| {
            let word = self.dictionary.word(term);
            match side {
                Side::Both => shared += word.weight(),
                Side::Left => open.0.push(word),
                Side::Right => open.1.push(word),
            }
        });
        let total = |open: &[Word]| shared + open.iter().map(Word::weight).sum::<i64>();
        let totals = [total(&open.0), total(&open.1)];
        let mut matched = [shared, shared];
        if open.0.len() * open.1.len() <= thresholds.word_pairs_max {
            // The side with fewer words chooses, so that the order of the two values does not matter.
            fn ids(words: &OpenWords) -> impl Iterator<Item = TermId> {
                words.iter().map(|word| word.id)
            }
            let order = open.1.len().cmp(&open.0.len());
            let turned = order.then_with(|| ids(&open.1).cmp(ids(&open.0))).is_lt();
            if turned {
                open = (open.1, open.0);
            }
            open.0.retain(|own| {
                let (mut best, mut at) = (0, 0);
                for (position, other) in open.1.iter().enumerate() {
                    let (_, share) = word(self.dictionary, cache, own, other);
                    if share > best {
                        (best, at) = (share, position);
                    }
                }
                if best > 0 {
                    matched[usize::from(turned)] += own.weight() * best / 256;
                    matched[usize::from(!turned)] += open.1.remove(at).weight() * best / 256;
                }
                best == 0
            });
        }
        let agreement = 256 * (matched[0] + matched[1]) / (totals[0] + totals[1]).max(1);
        if agreement < thresholds.similar && matched[0].min(matched[1]) == 0 {
            return Comparison::DIFFERENT;
        }
        // "Stephen E." and "Stephen R.", "type 1" and "type 2" share most and are two things.
        let any = |words: &[Word], tells_apart: fn(&Shape) -> bool| {
            words.iter().any(|word| tells_apart(&word.shape))
        };
        let tells_apart: [fn(&Shape) -> bool; 2] = [|shape| shape.length == 1, |shape| shape.has_digit];
        let clash = tells_apart.iter().any(|&tells| any(&open.0, tells) && any(&open.1, tells));
        let shorter = usize::from(totals[1] < totals[0]);
        let contained = 256 * matched[shorter] / totals[shorter].max(1);
        let is_part = contained >= 230 && totals[shorter] * 3 >= totals[1 - shorter];
        let joined = self.values.0.shape() == self.values.1.shape() && self.slips() == Slips::None;
        let level = if joined {
            Level::Close
        } else if clash && agreement >= thresholds.similar {
            Level::Similar
        } else if agreement >= thresholds.close {
            Level::Close
        } else if agreement >= thresholds.compatible || is_part {
            Level::Compatible
        } else if agreement >= thresholds.similar {
            Level::Similar
        } else {
            Level::Different
        };
        Comparison::new(level, Bits(matched[0].min(matched[1]) as i32))
    }

    /// Lists: what they share, by its rarest items.
    fn list(&self) -> Comparison {
        let (a, b) = (self.values.0.items(), self.values.1.items());
        let (mut shared, mut best, mut others) = (0, Bits::ZERO, Bits::ZERO);
        merge(a, b, |side, item| {
            if side == Side::Both {
                let information = self.dictionary.term_information(item);
                shared += 1;
                others += information.min(best);
                best = best.max(information);
            }
        });
        if shared == 0 {
            return Comparison::DIFFERENT;
        }
        let level = match shared {
            _ if shared * 4 >= 3 * a.len().max(b.len()) => Level::Close,
            1 => Level::Similar,
            _ => Level::Compatible,
        };
        Comparison::new(level, best + others.scaled(OTHER_ITEMS))
    }
}

/// Where a term stands that two sorted lists were merged from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    Both,
}

/// Walks two sorted lists together.
fn merge(left: List<'_, TermId>, right: List<'_, TermId>, mut visit: impl FnMut(Side, TermId)) {
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        let (a, b) = (left.get(i), right.get(j));
        match (a, b) {
            (Some(a), Some(b)) if a == b => {
                visit(Side::Both, a);
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none_or(|b| a < b) => {
                visit(Side::Left, a);
                i += 1;
            }
            (_, Some(b)) => {
                visit(Side::Right, b);
                j += 1;
            }
            _ => break,
        }
    }
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
        for sample in samples {
            add(sample);
        }
        let (left, right) = (add(left), add(right));
        dictionary.refresh_kinds();
        compare(&dictionary, &mut WordCache::default(), (left, dictionary.value(left)), right)
            .expect("comparable")
            .level
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
        let prices = ["10.50", "220.00", "31.25"];
        assert_eq!(level(&prices, "2495", "2499.00"), Level::Compatible);
        assert_eq!(level(&prices, "2499.0", "2499.00"), Level::Exact);
        assert_eq!(level(&prices, "599.00", "999.00"), Level::Different);
        let times = ["2024-01-06T02:00:00Z", "2024-02-07T03:10:00Z"];
        assert_eq!(level(&times, "2024-01-06T02:00:00Z", "2024-01-06T08:00:00Z"), Level::Compatible);
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
                assert_eq!(
                    level(&["anna bell"], left, right),
                    level(&["anna bell"], right, left),
                    "{left} {right}"
                );
            }
        }
    }
}
