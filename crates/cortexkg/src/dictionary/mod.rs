//! Every field, value and word seen, numbered, with how often each occurs.

mod information;
mod kinds;

pub(crate) use information::{Word, usual_rarity};

use std::sync::Arc;

use cortexkg_simd::CAN_PREFETCH;
use cortexkg_store::StoreError;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::comparator::Comparator;
use crate::dates::parse_date;
use crate::embed::hash_bytes;
use crate::entries::{NewTerm, NewValue, Shape, Term, Value, note_last, recount};
use crate::error::FactError;
use crate::field_config::{FieldConfig, FieldConfigs};
use crate::graph::MentionIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::paged::{EachTable, IdMap, Paged};
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
    /// What the user says of it; stored with the graph's configuration.
    #[serde(skip)]
    pub(crate) given: FieldConfig,
}

impl FieldEntry {
    /// What compares its values; none for what is no field of a source.
    pub(crate) fn comparator(&self) -> Option<Comparator> {
        self.given.comparator.or_else(|| Comparator::of_kind(self.kind).first().copied())
    }

    /// Whether a value that is no list is a list of one.
    fn has_lists(&self) -> bool {
        self.profile.has_lists() || self.given.kind == Some(FieldKind::List)
    }
}

/// Tells items from words, in the field of a term.
const ITEM: FieldId = 1 << 15;

/// Fields, values and words by number and by name.
#[derive(Debug)]
pub(crate) struct Dictionary {
    given: Arc<FieldConfigs>,
    fields: IndexMap<String, FieldEntry, FxBuildHasher>,
    values: Paged<Value<'static>>,
    value_ids: IdMap,
    terms: Paged<Term<'static>>,
    term_ids: IdMap,
}

/// A state of the dictionary that it can be rolled back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    fields: usize,
    values: usize,
    terms: usize,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

/// Under which hash a value or term is found.
fn hash_of(field: FieldId, text: &str) -> u64 {
    hash_bytes(u64::from(field), text.as_bytes())
}

impl Dictionary {
    /// One that knows what the user says of fields, and nothing else.
    pub(crate) fn new(given: Arc<FieldConfigs>) -> Self {
        let mut dictionary = Self {
            given,
            fields: IndexMap::default(),
            values: Paged::default(),
            value_ids: IdMap::default(),
            terms: Paged::default(),
            term_ids: IdMap::default(),
        };
        dictionary.add_field("@embedding", FieldKind::Embedding);
        dictionary.add_field("@recency", FieldKind::Recency);
        dictionary
    }

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
        let given = self.given.get(name);
        let kind = given.kind.unwrap_or(kind);
        let entry = FieldEntry { name: name.to_owned(), profile: FieldProfile::default(), kind, given };
        let (id, _) = self.fields.insert_full(name.to_owned(), entry);
        id as FieldId
    }

    /// Names and kinds of all fields, for a graph that is laid out anew. A field that only forgotten facts had keeps its number and
    /// loses its name, which may tell as much as a value.
    pub(crate) fn lasting_fields(&self) -> Vec<(String, FieldKind)> {
        let lasting = |(at, entry): (usize, &FieldEntry)| {
            let is_own = entry.name.starts_with('@');
            let name =
                if is_own || entry.profile.present > 0 { entry.name.clone() } else { format!("@gone/{at}") };
            (name, entry.kind)
        };
        self.fields().enumerate().map(lasting).collect()
    }

    /// Knows the fields that a graph had before it was laid out anew: their numbers stay.
    pub(crate) fn know_fields(&mut self, fields: &[(String, FieldKind)]) {
        for (name, kind) in fields {
            if !self.fields.contains_key(name) {
                self.add_field(name, *kind);
            }
        }
    }

    /// How much is known, to come back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark { fields: self.fields.len(), values: self.values.len(), terms: self.terms.len() }
    }

    /// Forgets what has been added since a mark. Returns whether anything was.
    pub(crate) fn roll_back(&mut self, mark: Mark) -> bool {
        let added = self.mark() != mark;
        self.fields.truncate(mark.fields);
        for id in (mark.values..self.values.len()).rev() {
            let value = self.values.get(id as u32);
            self.value_ids.remove_newest(hash_of(value.field(), value.normal()), id as u32);
        }
        for id in (mark.terms..self.terms.len()).rev() {
            let term = self.terms.get(id as u32);
            self.term_ids.remove_newest(hash_of(term.field(), term.text()), id as u32);
        }
        self.values.truncate(mark.values);
        self.terms.truncate(mark.terms);
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
            profile.kind(0)
        };
        self.add_field(&value.field, kind)
    }

    /// Brings near where the numbers of values are looked for.
    pub(crate) fn approach(&self, values: &[PerceivedValue]) {
        if CAN_PREFETCH {
            let known = |value: &PerceivedValue| {
                let field = self.fields.get_index_of(value.field.as_str())?;
                Some(hash_of(field as FieldId, &value.normal))
            };
            let hashes: SmallVec<[u64; 32]> = values.iter().filter_map(known).collect();
            self.value_ids.touch(hashes.iter().copied());
        }
    }

    /// The number of a value; new values and words are added, counts stay as they are.
    pub(crate) fn intern(&mut self, field: FieldId, value: &PerceivedValue) -> ValueId {
        let hash = hash_of(field, &value.normal);
        let is_meant = |id| {
            let known = self.values.get(id);
            known.field() == field && known.normal() == value.normal
        };
        if let Some(id) = self.value_ids.find(hash, is_meant) {
            return id;
        }
        let mut terms = Vec::with_capacity(16);
        if self.fields[usize::from(field)].kind != FieldKind::Key {
            let words = value.normal.split(' ').take(WORDS_MAX);
            let hashes: SmallVec<[u64; 32]> = words.clone().map(|word| hash_of(field, word)).collect();
            self.term_ids.touch(hashes.iter().copied());
            terms.extend(words.zip(hashes).map(|(word, hash)| self.intern_term(field, word, hash)));
        }
        terms.sort_unstable();
        let words = terms.len();
        let whole = std::slice::from_ref(&value.normal);
        // A value that is no list is one item of a field that has lists, and has none elsewhere.
        let items = match &value.items[..] {
            [] if self.fields[usize::from(field)].has_lists() => whole,
            items => items,
        };
        let field_of_items = field | ITEM;
        let intern = |item: &String| self.intern_term(field_of_items, item, hash_of(field_of_items, item));
        terms.extend(items.iter().map(intern));
        terms[words..].sort_unstable();
        let id = self.values.push(&NewValue {
            shape: Shape::of(&value.normal),
            date: parse_date(&value.surface),
            terms: &terms,
            words,
            field,
            count: 0,
            last: None,
            normal: &value.normal,
            surface: Some(&value.surface),
        });
        self.value_ids.insert(hash, id);
        id
    }

    fn intern_term(&mut self, field: FieldId, text: &str, hash: u64) -> TermId {
        let is_meant = |id| {
            let known = self.terms.get(id);
            known.field() == field && known.text() == text
        };
        if let Some(id) = self.term_ids.find(hash, is_meant) {
            return id;
        }
        let id = self.terms.push(&NewTerm { field, text });
        self.term_ids.insert(hash, id);
        id
    }

    /// Counts one mention's value: term frequencies, and the field's profile.
    pub(crate) fn count(&mut self, id: ValueId, value: &PerceivedValue, mention: MentionIndex) {
        let (field, count, terms) = self.counted(id, 1);
        self.values.patch(id, |entry| note_last(entry, mention));
        self.fields[usize::from(field)].profile.observe(value, count == 1);
        self.show_as(id, value);
        terms.into_iter().for_each(|term| self.recount_term(term, 1));
    }

    /// Takes back what [`count`](Self::count) counted. Says whether others have the value, which is shown in normal form from now on.
    pub(crate) fn uncount(&mut self, id: ValueId, value: &PerceivedValue) -> bool {
        let (field, count, terms) = self.counted(id, -1);
        self.fields[usize::from(field)].profile.unobserve(value, count == 0);
        // Another may have written it otherwise; what was forgotten must not be shown.
        let is_gone = count > 0 && self.value(id).surface() == value.surface && value.surface != value.normal;
        if is_gone {
            self.set_surface(id, None);
        }
        terms.into_iter().for_each(|term| self.recount_term(term, -1));
        is_gone
    }

    /// Shows a value as a mention has it, if what was shown is forgotten.
    pub(crate) fn show_as(&mut self, id: ValueId, value: &PerceivedValue) {
        if self.value(id).is_surface_gone() {
            self.set_surface(id, Some(&value.surface));
        }
    }

    fn set_surface(&mut self, id: ValueId, surface: Option<&str>) {
        let known = self.values.get(id);
        let terms: SmallVec<[TermId; 16]> = known.words().iter().chain(known.items()).collect();
        let normal = known.normal().to_owned();
        let value = NewValue {
            field: known.field(),
            count: known.count(),
            last: known.last(),
            shape: known.shape(),
            date: known.date(),
            terms: &terms,
            words: known.words().len(),
            normal: &normal,
            surface,
        };
        self.values.set(id, &value);
    }

    fn recount_term(&mut self, term: TermId, by: i32) {
        self.terms.patch(term, |entry| {
            recount(entry, by);
        });
    }

    /// Changes how often a value occurs. Gives its field, the new count, and its words and items.
    fn counted(&mut self, id: ValueId, by: i32) -> (FieldId, u32, SmallVec<[TermId; 16]>) {
        let mut count = 0;
        self.values.patch(id, |entry| count = recount(entry, by));
        let value = self.values.get(id);
        (value.field(), count, value.words().iter().chain(value.items()).collect())
    }

    /// Leaves those values whose fields have a say in decisions.
    pub(crate) fn keep_evidence(&self, values: &mut Vec<(FieldId, ValueId)>) {
        if self.given.ignore_any() {
            values.retain(|&(field, _)| !self.field(field).given.ignore);
        }
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

    pub(crate) fn value(&self, id: ValueId) -> Value<'_> {
        self.values.get(id)
    }

    /// Brings values near that are about to be read.
    #[inline]
    pub(crate) fn touch(&self, ids: impl Iterator<Item = ValueId> + Clone) {
        self.values.touch(ids);
    }

    /// Brings words near that are about to be read.
    #[inline]
    pub(crate) fn touch_terms(&self, ids: impl Iterator<Item = TermId> + Clone) {
        self.terms.touch(ids);
    }

    /// Visits all values in order, with the mentions that have each.
    pub(crate) fn scan_values(&self, visit: impl FnMut(ValueId, Value<'_>)) {
        self.values.scan(visit);
    }

    /// Whether any mention has a value, still.
    pub(crate) fn is_in_use(&self, id: ValueId) -> bool {
        self.value(id).count() > 0
    }

    /// A value as first written.
    pub(crate) fn surface(&self, id: ValueId) -> &str {
        self.value(id).surface()
    }

    /// A value in normal form.
    pub(crate) fn text(&self, id: ValueId) -> &str {
        self.value(id).normal()
    }

    /// A word or item in normal form.
    pub(crate) fn term(&self, id: TermId) -> &str {
        self.terms.get(id).text()
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

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.section("fields", self.fields.values())?;
        self.values.save("values", to)?;
        self.value_ids.map().save("value ids", to)?;
        self.terms.save("terms", to)?;
        self.term_ids.map().save("term ids", to)
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.fields.clear();
        from.section("fields", |mut entry: FieldEntry| {
            entry.given = self.given.get(&entry.name);
            self.fields.insert(entry.name.clone(), entry);
        })?;
        self.values = Paged::open("values", from)?;
        self.value_ids = IdMap::open("value ids", from)?;
        self.terms = Paged::open("terms", from)?;
        self.term_ids = IdMap::open("term ids", from)?;
        Ok(())
    }

    pub(crate) fn each_table(&mut self, visit: &mut EachTable<'_>) {
        visit("values", self.values.blocks());
        visit("value ids", self.value_ids.blocks());
        visit("terms", self.terms.blocks());
        visit("term ids", self.term_ids.blocks());
    }

    /// Bytes held, counted.
    pub(crate) fn bytes(&self) -> usize {
        self.values.bytes() + self.value_ids.map().bytes() + self.terms.bytes() + self.term_ids.map().bytes()
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
