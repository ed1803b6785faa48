//! Names that stand alone: mentions, and nodes, with nothing else to go by.
//!
//! Of such a name, how often it is met says three things:
//!
//! - Two that are the same are meant for one thing, however often: what other nodes have of it only says which of them it may be.
//! - The more often a name is met, the more often it is mistyped: a slip of it is the likelier to be one, in proportion.
//! - A slip is not repeated: two names that differ by one and are both met again and again are two things. Of those it is learned how
//!   often names are that near by chance; before it is, slips count as anywhere else.

use super::Context;
use crate::compare::{Comparison, Level, Names};
use crate::dictionary::{Dictionary, FieldId};
use crate::entries::Value;
use crate::evidence::log2;
use crate::profile::FieldKind;

/// Categories beside a value that is all there is to go by.
const CATEGORIES_BESIDE: u32 = 2;
/// How often a name is met, at least, that slips are told by.
const OFTEN_MIN: u32 = 2;
/// How often a name is met, at least, that is no slip of another: so often, and so many times as often as this part of the other.
const REPEATED_MIN: u32 = 4;
const REPEATED_PART: u32 = 4;

/// The field whose values are all that there is to go by among those of a mention or a node, if there is one: it is a text, a name at the
/// end of a triple, has nothing else but a category or two, or is no more than one category. Values come by field.
pub(crate) fn alone_in(dictionary: &Dictionary, fields: impl Iterator<Item = FieldId>) -> Option<FieldId> {
    let (mut told, mut category) = (None, None);
    let (mut telling, mut categories) = (0, 0);
    let mut before = None;
    for field in fields.filter(|&field| !dictionary.field(field).given.ignore) {
        if before.replace(field) == Some(field) {
            continue;
        }
        if dictionary.field(field).kind == FieldKind::Category {
            (category, categories) = (Some(field), categories + 1);
        } else {
            (told, telling) = (Some(field), telling + 1);
        }
    }
    match (telling, categories) {
        (1, 0..=CATEGORIES_BESIDE) => told,
        (0, 1) => category,
        _ => None,
    }
}

/// What is known of the other side of a comparison.
#[derive(Clone, Copy)]
pub(super) struct Other {
    /// How many mentions of its node have the value that is compared.
    pub(super) own: u32,
    /// Whether that value is all there is to go by there, as it is in the mention.
    pub(super) is_alone: bool,
}

/// What the comparison with a value of a node says of the node.
pub(super) fn of_node(
    context: &Context<'_>,
    mine: Value<'_>,
    other: Other,
    comparison: Comparison,
) -> Comparison {
    match comparison.level {
        Level::Exact => the_same(context, mine, other, comparison),
        _ if !other.is_alone || !may_slip(context, mine) => comparison,
        // The mention may be a slip of what the node has, not the other way round: whoever is right goes to those who are.
        _ => different(mine, other.own, other.own, comparison),
    }
}

/// What the comparison with a value of another mention says of the two.
pub(super) fn of_pair(
    context: &Context<'_>,
    mine: Value<'_>,
    other: impl FnOnce() -> Other,
    comparison: Comparison,
) -> Comparison {
    if comparison.level != Level::Exact && !(context.is_all(mine) && may_slip(context, mine)) {
        return comparison;
    }
    let other = other();
    match comparison.level {
        // Nothing tells which of those that have it either means.
        Level::Exact if other.is_alone => {
            the_same(context, mine, Other { own: mine.count(), ..other }, comparison)
        }
        Level::Exact => the_same(context, mine, other, comparison),
        _ if !other.is_alone => comparison,
        // Either may be a slip of the other.
        _ => different(mine, other.own, other.own.max(mine.count()), comparison),
    }
}

fn the_same(context: &Context<'_>, mine: Value<'_>, other: Other, comparison: Comparison) -> Comparison {
    let dictionary = context.dictionary;
    let information = if other.is_alone {
        dictionary.information_alone(mine, other.own)
    } else {
        dictionary.information_elsewhere(mine, other.own, context.is_all(mine))
    };
    Comparison { information, ..comparison }
}

/// Whether a value is written in words. What differs by a digit from a code is another code.
fn may_slip(context: &Context<'_>, mine: Value<'_>) -> bool {
    context.dictionary.field(mine.field()).kind.is_of_words()
}

/// Two different names that stand alone, one of which `own` mentions of a node have; if the other is a slip, `right` have what is right.
fn different(mine: Value<'_>, own: u32, right: u32, comparison: Comparison) -> Comparison {
    let (rarer, commoner) = (mine.count().min(own), mine.count().max(own));
    let names = if rarer >= REPEATED_MIN && rarer.saturating_mul(REPEATED_PART) >= commoner {
        Names::OwnRight
    } else if right >= OFTEN_MIN {
        Names::Slip(log2(u64::from(right)))
    } else {
        return comparison;
    };
    Comparison { names, ..comparison }
}
