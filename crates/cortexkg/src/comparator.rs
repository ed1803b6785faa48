//! How two values of a field are compared: one comparator per kind by default, another where a user asks for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::profile::FieldKind;

/// Reads two different values of one field. Values that are the same in normal form are always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    /// Nothing but the same will do.
    Exact,
    /// Codes: one character mistaken or two swapped is a slip of the pen, two slips are another code.
    Code,
    /// Numbers: by [`size`](Self::Size) where one has a decimal point, else by [`digits`](Self::Digits).
    Number,
    /// Numbers as they are written: slips of the pen, as in the number of a house.
    Digits,
    /// Numbers as amounts: how far apart they are, in parts of the larger.
    Size,
    /// Calendar dates: digits mistaken, day and month swapped, days apart.
    Date,
    /// Names: words aligned one to one, spelling and initials looked at.
    Name,
    /// Texts: words that are shared, weighed by their rarity.
    LongText,
    /// Lists: items that are shared.
    List,
    /// Identity itself: what differs is something else.
    Key,
}

impl Comparator {
    /// The comparators that can read a kind of field, the one that does by default first. None for what is no field of a source.
    pub fn of_kind(kind: FieldKind) -> &'static [Self] {
        match kind {
            FieldKind::Embedding | FieldKind::Recency => &[],
            FieldKind::Key => &[Self::Key],
            FieldKind::Identifier => &[Self::Code, Self::Exact],
            FieldKind::Date => &[Self::Date, Self::Code, Self::Exact],
            FieldKind::Number => &[Self::Number, Self::Digits, Self::Size, Self::Exact],
            FieldKind::Category => &[Self::Name, Self::Exact],
            FieldKind::Name => &[Self::Name, Self::LongText, Self::Exact],
            FieldKind::LongText => &[Self::LongText, Self::Name, Self::Exact],
            FieldKind::List => &[Self::List, Self::Exact],
        }
    }

    /// The comparator of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        const ALL: [Comparator; 10] = [
            Comparator::Exact,
            Comparator::Code,
            Comparator::Number,
            Comparator::Digits,
            Comparator::Size,
            Comparator::Date,
            Comparator::Name,
            Comparator::LongText,
            Comparator::List,
            Comparator::Key,
        ];
        ALL.into_iter().find(|comparator| comparator.name() == name)
    }

    /// The name used in config files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Code => "code",
            Self::Number => "number",
            Self::Digits => "digits",
            Self::Size => "size",
            Self::Date => "date",
            Self::Name => "name",
            Self::LongText => "long_text",
            Self::List => "list",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
