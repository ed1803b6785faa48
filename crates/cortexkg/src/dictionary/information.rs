//! What it says to meet a value, word or item: the rarer in its field, the more (term frequency).

use super::{Dictionary, FieldEntry, ITEM, TermId};
use crate::entries::{Shape, Term, Value};
use crate::evidence::{Bits, log2_ratio};
use crate::profile::FieldKind;

/// A word among those of its field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) id: TermId,
    pub(crate) shape: Shape,
    /// Surprise of meeting it in a random mention that has the field.
    pub(crate) information: Bits,
}

impl Word {
    /// What it counts for among others: its information, but never nothing.
    pub(crate) fn weight(&self) -> i64 {
        i64::from(self.information.0.max(64))
    }
}

impl Dictionary {
    /// Surprise of meeting a value in a random mention that has the field.
    pub(crate) fn information(&self, value: Value<'_>) -> Bits {
        information(self.field(value.field()), value.count())
    }

    /// Surprise of meeting a word or item in a random mention that has the field.
    pub(crate) fn term_information(&self, id: TermId) -> Bits {
        self.term_says(self.terms.get(id))
    }

    fn term_says(&self, term: Term<'_>) -> Bits {
        information(self.field(term.field() & !ITEM), term.count())
    }

    /// A word as comparisons read it.
    #[inline]
    pub(crate) fn word(&self, id: TermId) -> Word {
        let term = self.terms.get(id);
        Word { id, shape: term.shape(), information: self.term_says(term) }
    }

    /// Surprise of meeting a value that `own` mentions of one node have in a mention of another node, in bits: the node's own
    /// mentions must not count against it, or what is spoken of often would seem to have a common name.
    ///
    /// A value that no other node has is taken to be as rare as one seen once; if it is `all` that a mention consists of, as rare as
    /// its kind lets expect.
    pub(crate) fn information_elsewhere(&self, value: Value<'_>, own: u32, all: bool) -> Bits {
        let field = self.field(value.field());
        let others = value.count().saturating_sub(own);
        if all { surprise(field, others, rarity_of_all(field)) } else { information(field, others) }
    }

    /// The same of a value that is all there is to go by on both sides, in bits: it is meant for one of those that have it, and what
    /// others have of it only says which it may be.
    pub(crate) fn information_alone(&self, value: Value<'_>, own: u32) -> Bits {
        let field = self.field(value.field());
        let own = u64::from(own.max(1));
        surprise(field, 0, rarity_of_all(field)) - log2_ratio(u64::from(value.count()).max(own), own)
    }
}

/// How many values a field is expected to have where a value of it is all that a mention consists of.
fn rarity_of_all(field: &FieldEntry) -> u64 {
    usual_rarity(field.kind).max(usual_rarity(FieldKind::LongText))
}

/// Surprise of meeting a value or word in a random mention that has the field, in bits. Smoothed by 64 imagined mentions of
/// the kind's usual rarity, so that two facts are no proof that a value is common.
fn information(field: &FieldEntry, count: u32) -> Bits {
    surprise(field, count.max(1), usual_rarity(field.kind))
}

fn surprise(field: &FieldEntry, count: u32, rarity: u64) -> Bits {
    const IMAGINED: u64 = 64;
    // (count + imagined / rarity) / (present + imagined), both sides times the rarity.
    log2_ratio((field.profile.present + IMAGINED) * rarity, u64::from(count) * rarity + IMAGINED)
}

/// How many values a field of this kind usually has, before any are seen.
pub(crate) fn usual_rarity(kind: FieldKind) -> u64 {
    match kind {
        FieldKind::Category | FieldKind::Embedding | FieldKind::Recency => 16,
        FieldKind::Number => 128,
        FieldKind::Name | FieldKind::List => 1024,
        FieldKind::LongText => 4096,
        FieldKind::Date => 16_384,
        FieldKind::Identifier | FieldKind::Key => 1 << 20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perceive::PerceivedValue;

    fn value(field: &str, text: &str) -> PerceivedValue {
        PerceivedValue { field: field.into(), surface: text.into(), normal: text.into(), items: vec![] }
    }

    #[test]
    fn rare_values_carry_more_information() {
        let mut dictionary = Dictionary::default();
        for mention in 0..1000 {
            let value = value("surname", if mention % 10 == 0 { "smith" } else { "other" });
            let field = dictionary.field_id(&value);
            let id = dictionary.intern(field, &value);
            dictionary.count(id, &value, mention);
        }
        let rare = value("surname", "quigley");
        let field = dictionary.field_id(&rare);
        let ids = ["quigley", "smith", "other"].map(|name| dictionary.intern(field, &value("surname", name)));
        let [rare, smith, other] = ids.map(|id| dictionary.information(dictionary.value(id)).as_f64());
        assert!(rare > 9.0 && (smith - 3.4).abs() < 0.2 && other < 0.3, "{rare} {smith} {other}");
    }
}
