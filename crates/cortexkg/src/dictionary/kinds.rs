//! The kinds of all fields, as their values show them together.

use super::{Dictionary, FieldEntry, FieldId};
use crate::profile::{FEW_CATEGORIES, FieldKind};

impl Dictionary {
    /// Sets every field's kind to what its values say now, unless the user has said it.
    pub(crate) fn refresh_kinds(&mut self) {
        let mut most: Vec<(u64, usize)> =
            self.fields().enumerate().map(|(at, entry)| (entry.profile.distinct, at)).collect();
        most.sort_unstable_by_key(|&(distinct, at)| (std::cmp::Reverse(distinct), at));
        for (at, entry) in self.fields.values_mut().enumerate().filter(|(_, entry)| entry.is_found()) {
            let beside = most.iter().find(|&&(_, other)| other != at).map_or(0, |&(distinct, _)| distinct);
            entry.kind = entry.profile.kind(beside);
        }
        if let Some(finest) = self.only_names() {
            let entry = &mut self.fields[usize::from(finest)];
            entry.kind = entry.profile.kind_of_many();
        }
    }

    /// The category that things are told apart by for want of anything else: where most mentions have no field but categories, the one with
    /// twice the values of any other, unless those are so few that they name nothing.
    fn only_names(&self) -> Option<FieldId> {
        let heard = || self.fields().enumerate().filter(|(_, entry)| entry.has_a_say());
        let tells = heard().filter(|(_, entry)| entry.kind != FieldKind::Category);
        let told: u64 = tells.map(|(_, entry)| entry.profile.present).sum();
        let categories =
            || heard().filter(|(_, entry)| entry.kind == FieldKind::Category && entry.is_found());
        let by_values = |&(at, entry): &(usize, &FieldEntry)| (entry.profile.distinct, std::cmp::Reverse(at));
        let (finest, entry) = categories().max_by_key(by_values)?;
        let distinct = entry.profile.distinct;
        let others = categories().filter(|&(at, _)| at != finest);
        let is_finest = others.map(|(_, other)| other.profile.distinct).all(|other| other * 2 <= distinct);
        let is_only = told * 2 < entry.profile.present;
        (is_only && is_finest && distinct > FEW_CATEGORIES).then_some(finest as FieldId)
    }
}

impl FieldEntry {
    /// Whether its kind is found from its values.
    fn is_found(&self) -> bool {
        let is_fixed = matches!(self.kind, FieldKind::Embedding | FieldKind::Recency | FieldKind::Key);
        !is_fixed && self.given.kind.is_none()
    }

    /// Whether it is a field of a source that has a say in decisions.
    fn has_a_say(&self) -> bool {
        !matches!(self.kind, FieldKind::Embedding | FieldKind::Recency) && !self.given.ignore
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perceive::PerceivedValue;

    /// The kinds of fields, each with its number of values, over so many mentions that have them all.
    fn kinds(mentions: u32, fields: &[(&str, u32)]) -> Vec<FieldKind> {
        let mut dictionary = Dictionary::default();
        for mention in 0..mentions {
            for &(field, values) in fields {
                let text = format!("{field} {}", mention % values);
                let value = PerceivedValue {
                    field: field.into(),
                    surface: text.clone(),
                    normal: text,
                    items: vec![],
                };
                let field = dictionary.field_id(&value);
                let id = dictionary.intern(field, &value);
                dictionary.count(id, &value, mention);
            }
        }
        dictionary.refresh_kinds();
        // After those of vectors and of recency.
        dictionary.fields().skip(2).map(|entry| entry.kind).collect()
    }

    #[test]
    fn of_nothing_but_categories_the_finest_tells_things_apart() {
        use FieldKind::{Category, Name};
        assert_eq!(kinds(1000, &[("kind", 3), ("name", 40), ("mood", 5)]), [Category, Name, Category]);
        assert_eq!(kinds(1000, &[("kind", 3), ("name", 700), ("city", 40)]), [Category, Name, Category]);
        assert_eq!(kinds(1000, &[("name", 40)]), [Name]);
        assert_eq!(kinds(1000, &[("kind", 3), ("mood", 4)]), [Category, Category], "these name nothing");
        assert_eq!(kinds(24, &[("kind", 3), ("name", 12)]), [Category, Name], "few values are known sooner");
        assert_eq!(kinds(1000, &[("rank", 20), ("file", 20)]), [Category, Category], "neither is finer");
        assert_eq!(kinds(40, &[("kind", 3), ("name", 1)])[0], Name, "nothing is finer yet");
        assert_eq!(kinds(23, &[("kind", 3), ("name", 12)]), [Name, Name]);
    }
}
