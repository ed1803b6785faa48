//! Names that stand alone: mentions with nothing else to go by.
//!
//! Of such a name, how often it is met says three things:
//!
//! - Two that are the same are meant for one thing, however often: what other nodes have of it only says which of them it may be.
//! - A name that is met often is often mistaken: a slip of it is the likelier to be one, in proportion.
//! - A slip is not repeated: two names that differ by one and are both met again and again are two things. Of those it is learned how
//!   often names are that near by chance.

use super::Context;
use crate::compare::{Comparison, Level, Names};
use crate::dictionary::{Dictionary, FieldId, ValueId};
use crate::entries::Value;
use crate::evidence::log2;
use crate::profile::FieldKind;

/// Categories beside a value that is all there is to go by.
const CATEGORIES_MAX: u32 = 2;
/// How often a name is met, at least, that slips are told by.
const OFTEN_MIN: u32 = 2;
/// How often a name is met, at least, that is no slip of another: so often, and so many times as often as this part of the other.
const REPEATED_MIN: u32 = 4;
const REPEATED_PART: u32 = 4;

/// The field whose value is all that there is to go by among those of a mention, if there is one: the mention is a text, a name at the end
/// of a triple, or has nothing else but a category or two. Values come by field.
pub(crate) fn alone_in(dictionary: &Dictionary, values: &[(FieldId, ValueId)]) -> Option<FieldId> {
    let (mut told, mut category) = (None, None);
    let (mut telling, mut categories) = (0, 0);
    let mut before = None;
    for &(field, _) in values.iter().filter(|(field, _)| !dictionary.field(*field).given.ignore) {
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
        (1, 0..=CATEGORIES_MAX) => told,
        (0, 1) => category,
        _ => None,
    }
}

/// What the comparison with a value that `own` mentions of a node have says of the node.
pub(super) fn of_node(
    context: &Context<'_>,
    mine: Value<'_>,
    own: u32,
    comparison: Comparison,
) -> Comparison {
    let is_all = context.is_all(mine);
    if comparison.level == Level::Exact {
        let information = context.dictionary.information_elsewhere(mine, own, is_all);
        return Comparison { information, ..comparison };
    }
    if is_all && may_slip(context, mine) { alone(context, mine, (own, own), comparison) } else { comparison }
}

/// What the comparison with a value of another mention says of the two; whether it is all there is to go by on both sides, and
/// how many mentions of the other's node have it, if that is asked.
pub(super) fn of_pair(
    context: &Context<'_>,
    mine: Value<'_>,
    are_alone: bool,
    own: impl FnOnce() -> u32,
    comparison: Comparison,
) -> Comparison {
    if comparison.level == Level::Exact {
        // Of names that stand alone, nothing tells which of those that have it either means.
        let own = if are_alone { mine.count } else { own() };
        let information = context.dictionary.information_elsewhere(mine, own, context.is_all(mine));
        return Comparison { information, ..comparison };
    }
    if !(are_alone && may_slip(context, mine)) {
        return comparison;
    }
    let own = own();
    alone(context, mine, (own, own.max(mine.count)), comparison)
}

/// Whether a value is written in words. What differs by a digit from a code is another code.
fn may_slip(context: &Context<'_>, mine: Value<'_>) -> bool {
    matches!(context.dictionary.field(mine.field).kind, FieldKind::Name | FieldKind::LongText)
}

/// Two different names that stand alone: of the one in a node, `own` mentions have it; of a slip, `right` have what is right.
fn alone(
    context: &Context<'_>,
    mine: Value<'_>,
    (own, right): (u32, u32),
    comparison: Comparison,
) -> Comparison {
    let (rarer, commoner) = (mine.count.min(own), mine.count.max(own));
    if rarer >= REPEATED_MIN && rarer.saturating_mul(REPEATED_PART) >= commoner {
        return Comparison { names: Names::OwnRight, ..comparison };
    }
    if right < OFTEN_MIN {
        return comparison;
    }
    let names = Names::Slip(log2(u64::from(right)));
    if comparison.level != Level::Close {
        return Comparison { names, ..comparison };
    }
    // As with the same name: that it is often met must not count against it.
    let unmet = context.dictionary.information_elsewhere(mine, mine.count, true);
    Comparison { information: comparison.information.max(unmet), names, ..comparison }
}
