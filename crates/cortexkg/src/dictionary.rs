//! Every field, value and word seen, numbered, with how often each occurs: the source of term frequencies.

use cortexkg_store::StoreError;
use indexmap::{Equivalent, IndexMap};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};

use crate::dates::{Date, parse_date};
use crate::error::FactError;
use crate::evidence::{Bits, log2_ratio};
use crate::image::{ImageReader, ImageWriter};
use crate::perceive::{
    BLANK_FIELD, IRI_FIELD, LITERAL_FIELD, PerceivedMention, PerceivedValue, WORDS_MAX, is_key_field,
};
use crate::profile::{FieldKind, FieldProfile};

/// Number of a field.
pub(crate) type FieldId = u16;
/// Number of a value of a field.
pub(crate) type ValueId = u32;
/// Number of a word or list item of a field.
pub(crate) type TermId = u32;

/// Most fields one graph may know.
pub(crate) const FIELDS_MAX: usize = 512;
/// Not fields of any source, but compared and weighed like them.
pub(crate) const EMBEDDING: FieldId = 0;
pub(crate) const RECENCY: FieldId = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FieldEntry {
    pub(crate) name: String,
    pub(crate) profile: FieldProfile,
    pub(crate) kind: FieldKind,
}

/// A value in the forms that its comparators read: all that is looked at a thousand times for one decision, and no more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    pub(crate) shape: Shape,
    /// Surprise of meeting it in a random mention that has the field.
    pub(crate) information: Bits,
    /// Sum of what its words weigh; brought up to date with the tables.
    pub(crate) words_weight: i32,
    words: Span,
    items: Span,
    pub(crate) date: Option<Date>,
    pub(crate) field: FieldId,
}

/// The rest of a value.
#[derive(Debug, Clone)]
struct ValueRecord {
    /// As first written.
    surface: Box<str>,
    /// Mentions that have it.
    count: u32,
}

/// A run of [`Dictionary::runs`].
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    len: u16,
}

/// What can be said of a spelling at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A word or list item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    field: FieldId,
    /// Mentions that have it.
    count: u32,
    /// Surprise of meeting it in a random mention that has the field.
    pub(crate) information: Bits,
    pub(crate) shape: Shape,
}

impl Term {
    /// What a word counts for among others: its information, but never nothing.
    pub(crate) fn weight(&self) -> i32 {
        self.information.0.max(64)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    field: FieldId,
    text: Box<str>,
}

struct KeyRef<'a> {
    field: FieldId,
    text: &'a str,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        KeyRef { field: self.field, text: &self.text }.hash(state);
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.field.hash(state);
        self.text.hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.field == key.field && *self.text == *key.text
    }
}

/// Fields, values and words by number and by name.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary {
    fields: IndexMap<String, FieldEntry, FxBuildHasher>,
    /// Values by name; their numbers are positions in `value_forms`, too.
    values: IndexMap<Key, ValueRecord, FxBuildHasher>,
    value_forms: Vec<Value>,
    /// Words and items of all values, one run after the other, each run sorted.
    runs: Vec<TermId>,
    /// Words and list items; an item's field has the top bit set.
    terms: IndexMap<Key, Term, FxBuildHasher>,
    text_bytes: usize,
}

/// A state of the dictionary that it can be rolled back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    fields: usize,
    values: usize,
    terms: usize,
    runs: usize,
    text_bytes: usize,
}

const ITEM: FieldId = 1 << 15;

impl Default for Dictionary {
    fn default() -> Self {
        let mut dictionary = Self {
            fields: IndexMap::default(),
            values: IndexMap::default(),
            value_forms: Vec::new(),
            runs: Vec::new(),
            terms: IndexMap::default(),
            text_bytes: 0,
        };
        dictionary.add_field("@embedding", FieldKind::Embedding);
        dictionary.add_field("@recency", FieldKind::Recency);
        dictionary
    }
}

impl Dictionary {
    /// Checks that the fields of these mentions still find room.
    pub(crate) fn check_room<'a>(
        &self,
        record: &str,
        mentions: impl IntoIterator<Item = &'a PerceivedMention>,
    ) -> Result<(), FactError> {
        let mut new: Vec<&str> = mentions
            .into_iter()
            .flat_map(|mention| mention.values.iter().map(|value| &*value.field))
            .filter(|&name| !self.fields.contains_key(name))
            .collect();
        new.sort_unstable();
        new.dedup();
        let count = self.fields.len() + new.len();
        if count > FIELDS_MAX {
            return Err(FactError::TooManyFields { record: record.to_owned(), count, limit: FIELDS_MAX });
        }
        Ok(())
    }

    fn add_field(&mut self, name: &str, kind: FieldKind) -> FieldId {
        let entry = FieldEntry { name: name.to_owned(), profile: FieldProfile::default(), kind };
        let (id, _) = self.fields.insert_full(name.to_owned(), entry);
        id as FieldId
    }

    /// How much is known, to come back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            fields: self.fields.len(),
            values: self.values.len(),
            terms: self.terms.len(),
            runs: self.runs.len(),
            text_bytes: self.text_bytes,
        }
    }

    /// Forgets what has been added since a mark. Returns whether anything was.
    pub(crate) fn roll_back(&mut self, mark: Mark) -> bool {
        let added = self.mark() != mark;
        self.fields.truncate(mark.fields);
        self.values.truncate(mark.values);
        self.value_forms.truncate(mark.values);
        self.terms.truncate(mark.terms);
        self.runs.truncate(mark.runs);
        self.text_bytes = mark.text_bytes;
        added
    }

    /// The number of a field, given one if it is new. A new field's kind is guessed from this first value.
    pub(crate) fn field_id(&mut self, value: &PerceivedValue) -> FieldId {
        if let Some(id) = self.fields.get_index_of(value.field.as_str()) {
            return id as FieldId;
        }
        let kind = if is_key_field(&value.field) {
            FieldKind::Key
        } else {
            let mut profile = FieldProfile::default();
            profile.observe(value, true);
            profile.kind()
        };
        self.add_field(&value.field, kind)
    }

    /// The number of a value; new values and words are added, counts stay as they are.
    pub(crate) fn intern(&mut self, field: FieldId, value: &PerceivedValue) -> ValueId {
        let key = KeyRef { field, text: &value.normal };
        if let Some(id) = self.values.get_index_of(&key) {
            return id as ValueId;
        }
        let mut terms = Vec::with_capacity(16);
        if self.fields[usize::from(field)].kind != FieldKind::Key {
            let words = value.normal.split(' ').take(WORDS_MAX);
            terms.extend(words.map(|word| self.intern_term(field, word)));
        }
        let words_weight = terms.iter().map(|&word| self.terms[word as usize].weight()).sum();
        let words = self.add_run(&mut terms);
        let whole = std::slice::from_ref(&value.normal);
        let items = if value.items.is_empty() { whole } else { &value.items };
        terms.extend(items.iter().map(|item| self.intern_term(field | ITEM, item)));
        let items = self.add_run(&mut terms);
        self.value_forms.push(Value {
            shape: Shape::of(&value.normal),
            information: information(&self.fields[usize::from(field)], 0),
            words_weight,
            words,
            items,
            date: parse_date(&value.surface),
            field,
        });
        self.text_bytes += value.normal.len() + value.surface.len();
        let record = ValueRecord { surface: value.surface.as_str().into(), count: 0 };
        let (id, _) = self.values.insert_full(Key { field, text: value.normal.as_str().into() }, record);
        id as ValueId
    }

    /// Appends a run, sorted, and empties `terms`.
    fn add_run(&mut self, terms: &mut Vec<TermId>) -> Span {
        terms.sort_unstable();
        let span = Span { start: self.runs.len() as u32, len: terms.len() as u16 };
        self.runs.append(terms);
        span
    }

    fn run(&self, span: Span) -> &[TermId] {
        &self.runs[span.start as usize..span.start as usize + usize::from(span.len)]
    }

    /// The words of a value, sorted.
    pub(crate) fn words(&self, value: &Value) -> &[TermId] {
        self.run(value.words)
    }

    /// The items of a value, sorted; the whole value where it is no list.
    pub(crate) fn items(&self, value: &Value) -> &[TermId] {
        self.run(value.items)
    }

    fn intern_term(&mut self, field: FieldId, text: &str) -> TermId {
        if let Some(id) = self.terms.get_index_of(&KeyRef { field, text }) {
            return id as TermId;
        }
        self.text_bytes += text.len();
        let own = field & !ITEM;
        let information = information(&self.fields[usize::from(own)], 0);
        let term = Term { field: own, count: 0, information, shape: Shape::of(text) };
        self.terms.insert_full(Key { field, text: text.into() }, term).0 as TermId
    }

    /// Counts one mention's value: term frequencies, and the field's profile.
    pub(crate) fn count(&mut self, id: ValueId, value: &PerceivedValue) {
        let (record, form) = (&mut self.values[id as usize], &self.value_forms[id as usize]);
        self.fields[usize::from(form.field)].profile.observe(value, record.count == 0);
        record.count += 1;
        self.recount_terms(id, |count| count + 1);
    }

    /// Takes back what [`count`](Self::count) counted.
    pub(crate) fn uncount(&mut self, id: ValueId, value: &PerceivedValue) {
        let (record, form) = (&mut self.values[id as usize], &self.value_forms[id as usize]);
        record.count = record.count.saturating_sub(1);
        self.fields[usize::from(form.field)].profile.unobserve(value, record.count == 0);
        self.recount_terms(id, |count| count.saturating_sub(1));
    }

    /// Counts the words and items of a value anew and brings its information up to date.
    fn recount_terms(&mut self, id: ValueId, count: impl Fn(u32) -> u32) {
        let (record, form) = (&self.values[id as usize], &mut self.value_forms[id as usize]);
        let field = &self.fields[usize::from(form.field)];
        form.information = information(field, record.count);
        form.words_weight = 0;
        for (span, weighs) in [(form.words, true), (form.items, false)] {
            for at in 0..usize::from(span.len) {
                let term = &mut self.terms[self.runs[span.start as usize + at] as usize];
                term.count = count(term.count);
                term.information = information(field, term.count);
                form.words_weight += if weighs { term.weight() } else { 0 };
            }
        }
    }

    /// Brings the information of all values and words up to date: it grows with the stream even where none comes again.
    pub(crate) fn refresh_information(&mut self) {
        for term in self.terms.values_mut() {
            term.information = information(&self.fields[usize::from(term.field)], term.count);
        }
        for (record, form) in self.values.values().zip(&mut self.value_forms) {
            form.information = information(&self.fields[usize::from(form.field)], record.count);
            let words = form.words.start as usize..form.words.start as usize + usize::from(form.words.len);
            form.words_weight = self.runs[words].iter().map(|&word| self.terms[word as usize].weight()).sum();
        }
    }

    /// Sets every field's kind to what its profile says now. Returns whether any changed.
    pub(crate) fn refresh_kinds(&mut self) -> bool {
        let mut changed = false;
        for entry in self.fields.values_mut() {
            if matches!(entry.kind, FieldKind::Embedding | FieldKind::Recency | FieldKind::Key) {
                continue;
            }
            let kind = entry.profile.kind();
            changed |= kind != entry.kind;
            entry.kind = kind;
        }
        changed
    }

    pub(crate) fn field_count(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn field(&self, id: FieldId) -> &FieldEntry {
        &self.fields[usize::from(id)]
    }

    /// The kind of a field, if it is known.
    pub(crate) fn kind(&self, name: &str) -> Option<FieldKind> {
        self.fields.get(name).map(|entry| entry.kind)
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldEntry> {
        self.fields.values()
    }

    pub(crate) fn value_count(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn value(&self, id: ValueId) -> &Value {
        &self.value_forms[id as usize]
    }

    /// A value as first written.
    pub(crate) fn surface(&self, id: ValueId) -> &str {
        &self.values[id as usize].surface
    }

    /// A value in normal form.
    pub(crate) fn text(&self, id: ValueId) -> &str {
        &self.values.get_index(id as usize).expect("values are never removed").0.text
    }

    /// A word or item in normal form.
    pub(crate) fn term(&self, id: TermId) -> &str {
        &self.terms.get_index(id as usize).expect("terms are never removed").0.text
    }

    /// Surprise of meeting a value that `own` mentions of one node have in a mention of another node, in bits: the node's own
    /// mentions must not count against it, or what is spoken of often would seem to have a common name.
    ///
    /// A value that no other node has is taken to be as rare as one seen once; if it is `all` that a mention consists of, as rare as
    /// its kind lets expect.
    pub(crate) fn information_elsewhere(&self, id: ValueId, own: u32, all: bool) -> Bits {
        let field = self.field(self.value(id).field);
        let others = self.values[id as usize].count.saturating_sub(own);
        if all {
            surprise(field, others, usual_rarity(field.kind).max(usual_rarity(FieldKind::LongText)))
        } else {
            information(field, others)
        }
    }

    /// Whether any mention has a value, still.
    pub(crate) fn is_in_use(&self, id: ValueId) -> bool {
        self.count_of(id) > 0
    }

    /// Mentions that have a value.
    pub(crate) fn count_of(&self, id: ValueId) -> u32 {
        self.values[id as usize].count
    }

    /// What is known of a word or item beside its text.
    pub(crate) fn term_entry(&self, id: TermId) -> &Term {
        &self.terms[id as usize]
    }

    /// Whether a field is one of those that hold identity itself, and by which rule two values of it may differ.
    pub(crate) fn key_rule(&self, field: FieldId) -> KeyRule {
        match &*self.field(field).name {
            IRI_FIELD => KeyRule::Namespace,
            BLANK_FIELD => KeyRule::Source,
            LITERAL_FIELD => KeyRule::Value,
            _ => KeyRule::Value,
        }
    }

    /// Bytes held, counted.
    pub(crate) fn bytes(&self) -> usize {
        let slot = size_of::<Key>() + 2 * size_of::<usize>();
        self.values.capacity() * (slot + size_of::<ValueRecord>() + size_of::<Value>())
            + self.runs.capacity() * size_of::<TermId>()
            + self.terms.capacity() * (slot + size_of::<Term>())
            + self.text_bytes
    }
}

/// A value as a snapshot has it.
#[derive(Serialize, Deserialize)]
struct SavedValue {
    field: FieldId,
    normal: Box<str>,
    surface: Box<str>,
    count: u32,
    information: Bits,
    words_weight: i32,
    words: Vec<TermId>,
    items: Vec<TermId>,
    date: Option<Date>,
}

/// A word or item as a snapshot has it; the field with the bit that tells items.
#[derive(Serialize, Deserialize)]
struct SavedTerm {
    field: FieldId,
    text: Box<str>,
    count: u32,
    information: Bits,
}

impl Dictionary {
    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.section("fields", self.fields.values())?;
        let values = self.values.iter().zip(&self.value_forms).map(|((key, record), form)| SavedValue {
            field: key.field,
            normal: key.text.clone(),
            surface: record.surface.clone(),
            count: record.count,
            information: form.information,
            words_weight: form.words_weight,
            words: self.run(form.words).to_vec(),
            items: self.run(form.items).to_vec(),
            date: form.date,
        });
        to.section("values", values)?;
        let terms = self.terms.iter().map(|(key, term)| SavedTerm {
            field: key.field,
            text: key.text.clone(),
            count: term.count,
            information: term.information,
        });
        to.section("terms", terms)
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.fields.clear();
        from.section("fields", |entry: FieldEntry| drop(self.fields.insert(entry.name.clone(), entry)))?;
        self.values.reserve(from.len("values"));
        self.value_forms.reserve(from.len("values"));
        from.section("values", |mut value: SavedValue| {
            let (words, items) = (self.add_run(&mut value.words), self.add_run(&mut value.items));
            self.value_forms.push(Value {
                shape: Shape::of(&value.normal),
                information: value.information,
                words_weight: value.words_weight,
                words,
                items,
                date: value.date,
                field: value.field,
            });
            self.text_bytes += value.normal.len() + value.surface.len();
            let record = ValueRecord { surface: value.surface, count: value.count };
            self.values.insert(Key { field: value.field, text: value.normal }, record);
        })?;
        self.terms.reserve(from.len("terms"));
        from.section("terms", |saved: SavedTerm| {
            self.text_bytes += saved.text.len();
            let SavedTerm { field, text, count, information } = saved;
            let term = Term { field: field & !ITEM, count, information, shape: Shape::of(&text) };
            self.terms.insert(Key { field, text }, term);
        })
    }

    /// Knows the fields that a graph had before it was laid out anew: their numbers stay.
    pub(crate) fn know_fields(&mut self, fields: &[(String, FieldKind)]) {
        for (name, kind) in fields {
            if !self.fields.contains_key(name) {
                self.add_field(name, *kind);
            }
        }
    }
}

/// When two different keys say that two things are different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyRule {
    /// Two IRIs of one namespace name two things; across namespaces they may name one.
    Namespace,
    /// Two blank nodes say nothing about each other.
    Source,
    /// Two values are always two things.
    Value,
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
            dictionary.count(id, &value);
        }
        let rare = value("surname", "quigley");
        let field = dictionary.field_id(&rare);
        let ids = ["quigley", "smith", "other"].map(|name| dictionary.intern(field, &value("surname", name)));
        let [rare, smith, other] = ids.map(|id| dictionary.value(id).information.as_f64());
        assert!(rare > 9.0 && (smith - 3.4).abs() < 0.2 && other < 0.3, "{rare} {smith} {other}");
    }
}
