//! What kind of values a field holds, found from the values themselves where the user does not say it.

use serde::{Deserialize, Serialize};

use crate::dates::parse_date;
use crate::perceive::PerceivedValue;

/// The kind of a field decides which comparator reads it and which column it votes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Not a field of the source: similarity of the embeddings.
    Embedding,
    /// Not a field of the source: how long ago the node was last spoken of.
    Recency,
    /// Identity itself: an IRI, a blank node, a literal.
    Key,
    /// A code that names one thing or few: number of an insurance, a telephone, a patent.
    Identifier,
    /// A calendar date.
    Date,
    /// A short number: of a house, an amount.
    Number,
    /// One of a few values.
    Category,
    /// A name of few words.
    Name,
    /// A title, a description: many words.
    LongText,
    /// Several values in one.
    List,
}

impl FieldKind {
    /// Whether values are names or texts, written in words and open in number.
    pub(crate) fn is_of_words(self) -> bool {
        matches!(self, Self::Name | Self::LongText)
    }

    /// Whether the levels of agreement mean the same in both kinds.
    pub(crate) fn has_levels_of(self, other: Self) -> bool {
        let words = |kind| matches!(kind, Self::Name | Self::Category);
        self == other || words(self) && words(other)
    }

    /// The name used in explanations and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Recency => "recency",
            Self::Key => "key",
            Self::Identifier => "identifier",
            Self::Date => "date",
            Self::Number => "number",
            Self::Category => "category",
            Self::Name => "name",
            Self::LongText => "long text",
            Self::List => "list",
        }
    }
}

/// Most values of a category, and mentions that each stands for.
const CATEGORIES_MAX: u64 = 64;
const CATEGORY_MENTIONS: u64 = 20;
/// So few values are known for a category sooner, where another field has so many times as many.
pub(crate) const FEW_CATEGORIES: u64 = 4;
const FEW_CATEGORIES_MENTIONS: u64 = 8;
const FINER: u64 = 4;

/// Counts over the values of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldProfile {
    /// Mentions that have the field.
    pub(crate) present: u64,
    /// Different values seen.
    pub(crate) distinct: u64,
    lists: u64,
    dates: u64,
    numbers: u64,
    decimals: u64,
    codes: u64,
    words: u64,
    bytes: u64,
}

impl FieldProfile {
    /// Counts a value of one mention; `is_new` if no mention before had it.
    pub(crate) fn observe(&mut self, value: &PerceivedValue, is_new: bool) {
        self.tally(value, is_new, |count, by| count + by);
    }

    /// Takes back what [`observe`](Self::observe) counted; `was_last` if no mention has the value any more.
    pub(crate) fn unobserve(&mut self, value: &PerceivedValue, was_last: bool) {
        self.tally(value, was_last, u64::saturating_sub);
    }

    fn tally(&mut self, value: &PerceivedValue, is_distinct: bool, add: impl Fn(u64, u64) -> u64) {
        let is_number = value.surface.trim().parse::<f64>().is_ok_and(f64::is_finite);
        for (count, by) in [
            (&mut self.present, 1),
            (&mut self.distinct, u64::from(is_distinct)),
            (&mut self.lists, u64::from(!value.items.is_empty())),
            (&mut self.dates, u64::from(parse_date(&value.surface).is_some())),
            (&mut self.numbers, u64::from(is_number)),
            (&mut self.decimals, u64::from(is_number && value.surface.contains('.'))),
            (&mut self.codes, u64::from(is_code(&value.normal))),
            (&mut self.words, value.normal.split(' ').count() as u64),
            (&mut self.bytes, value.normal.len() as u64),
        ] {
            *count = add(*count, by);
        }
    }

    /// Whether any value was written as a list.
    pub(crate) fn has_lists(&self) -> bool {
        self.lists > 0
    }

    /// The kind that the values seen so far speak for. A field without values is a name.
    ///
    /// In order: a list if a twentieth of the values are written as one; a date, a number (a fifth with a decimal point) or a code
    /// if nine tenths look so; a category if at most 64 values stand for at least 20 mentions each, or at most 4 for at least 8 while
    /// another field has four times as many (`beside`: the most that any other has); else a name (up to 3.5 words on average) or a long text.
    pub(crate) fn kind(&self, beside: u64) -> FieldKind {
        if self.is_category(beside) { FieldKind::Category } else { self.kind_of_many() }
    }

    /// The same of a field that is no category, however few its values.
    pub(crate) fn kind_of_many(&self) -> FieldKind {
        let share = |count: u64, percent: u64| count * 100 >= self.present * percent;
        if self.present == 0 {
            FieldKind::Name
        } else if share(self.lists, 5) {
            FieldKind::List
        } else if share(self.dates, 90) {
            FieldKind::Date
        } else if share(self.numbers, 90) && share(self.decimals, 20) {
            FieldKind::Number
        } else if share(self.codes, 90) {
            let bytes_mean_tenths = self.bytes * 10 / self.present;
            if bytes_mean_tenths >= 45 { FieldKind::Identifier } else { FieldKind::Number }
        } else if self.words * 10 <= self.present * 35 {
            FieldKind::Name
        } else {
            FieldKind::LongText
        }
    }

    /// Whether a few values stand for all: each of them for many mentions, and no measure of anything.
    fn is_category(&self, beside: u64) -> bool {
        let share = |count: u64, percent: u64| count * 100 >= self.present * percent;
        let is_measured = share(self.lists, 5)
            || share(self.dates, 90)
            || share(self.numbers, 90) && share(self.decimals, 20);
        let stand_for = |most: u64, mentions: u64| {
            self.distinct <= most && self.present >= (self.distinct * mentions).max(2 * mentions)
        };
        // Few values at the start of a sorted stream are not all there will be.
        let is_coarse = beside >= FINER * self.distinct;
        let is_soon = is_coarse && stand_for(FEW_CATEGORIES, FEW_CATEGORIES_MENTIONS);
        !is_measured && (is_soon || stand_for(CATEGORIES_MAX, CATEGORY_MENTIONS))
    }
}

/// Mostly digits: at least half of the letters and digits are digits.
fn is_code(normal: &str) -> bool {
    let digits = normal.bytes().filter(u8::is_ascii_digit).count();
    let letters = normal.chars().filter(|&character| character != ' ').count() - digits;
    digits > 0 && digits >= letters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::{list_items, normalise};

    fn kind(values: impl IntoIterator<Item = String>) -> FieldKind {
        let mut profile = FieldProfile::default();
        let mut seen = std::collections::HashSet::new();
        for surface in values {
            let normal = normalise(&surface);
            let mut items: Vec<_> = list_items(&surface).map(normalise).collect();
            if items.len() < 2 {
                items.clear();
            }
            let is_new = seen.insert(normal.clone());
            profile.observe(&PerceivedValue { field: "f".into(), surface, normal, items }, is_new);
        }
        profile.kind(0)
    }

    #[test]
    fn kinds_are_found_from_values() {
        let many = |make: fn(u32) -> String| (0..200u32).map(make);
        assert_eq!(kind(many(|i| format!("{}", 1_000_000 + i * 7919 % 9_000_000))), FieldKind::Identifier);
        assert_eq!(
            kind(many(|i| format!("310/{:03}-{:04}", i * 7 % 999, i * 31 % 9999))),
            FieldKind::Identifier
        );
        assert_eq!(
            kind(many(|i| format!("19{:02}{:02}{:02}", i % 90, i % 12 + 1, i % 28 + 1))),
            FieldKind::Date
        );
        assert_eq!(kind(many(|i| format!("{}", i % 150))), FieldKind::Number);
        assert_eq!(kind(many(|i| format!("{}.5", i))), FieldKind::Number);
        assert_eq!(kind(many(|i| ["vic", "nsw", "qld"][i as usize % 3].into())), FieldKind::Category);
        assert_eq!(kind(many(|i| format!("name{i} smith"))), FieldKind::Name);
        assert_eq!(kind(many(|i| format!("a method of doing thing {i} with care"))), FieldKind::LongText);
        assert_eq!(kind(many(|i| format!("A{i}; B{i}"))), FieldKind::List);
        assert_eq!(kind([]), FieldKind::Name);
    }
}
