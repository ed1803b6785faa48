//! Fact to mentions: values in normal form, the features that spike, and a vector. Pure: needs no graph, so that a batch
//! can be perceived on many threads with the same result.

use std::sync::Arc;

use cortexkg_simd::Kernels;

use crate::embed::{EmbedError, Embedder, hash_bytes, ngrams};
use crate::error::FactError;
use crate::fact::{Fact, FactContent, Field, FieldValue, Term};
use crate::field_config::FieldConfigs;
use crate::normalise::{list_items, normalise};

/// Field that holds texts and the names at the ends of triples.
pub(crate) const TEXT_FIELD: &str = "@text";
/// Field that holds the IRI of an end of a triple.
pub(crate) const IRI_FIELD: &str = "@iri";
/// Field that holds a blank node, with its source.
pub(crate) const BLANK_FIELD: &str = "@blank";
/// Field that holds a literal, with datatype and language.
pub(crate) const LITERAL_FIELD: &str = "@literal";

/// Longest value, in bytes of its normal form, whose character n-grams spike.
const GRAM_VALUE_BYTES_MAX: usize = 40;
/// Most words, and most list items, of one value that are looked at.
pub(crate) const WORDS_MAX: usize = 256;

/// A validated fact in normal form, before anything is known about the graph.
#[derive(Debug, Clone)]
pub struct Perceived {
    pub(crate) record_id: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) time_s: Option<i64>,
    /// Trust in the source, in 1/256.
    pub(crate) confidence: u16,
    pub(crate) mentions: Vec<PerceivedMention>,
    /// Dimension of the embedding that the fact brought, if it brought one.
    pub(crate) given_dimension: Option<usize>,
    pub(crate) predicate: Option<String>,
}

impl Perceived {
    /// Number of mentions: two for a triple, one for anything else.
    pub fn mention_count(&self) -> usize {
        self.mentions.len()
    }

    /// What the embedder made of each mention, if the fact brought no vector.
    pub(crate) fn made_vectors(&self) -> Option<Vec<&[f32]>> {
        let made = || self.mentions.iter().map(|mention| &*mention.embedding).collect();
        self.given_dimension.is_none().then(made)
    }
}

/// One mention: something that has to belong to a node.
#[derive(Debug, Clone, Default)]
pub(crate) struct PerceivedMention {
    pub(crate) values: Vec<PerceivedValue>,
    pub(crate) features: Vec<Feature>,
    /// Normalised embedding; empty if the mention has no direction, or the embedder only repeats its words.
    pub(crate) embedding: Vec<f32>,
}

/// A field's value in normal form.
#[derive(Debug, Clone)]
pub(crate) struct PerceivedValue {
    pub(crate) field: String,
    pub(crate) surface: String,
    pub(crate) normal: String,
    /// Normal forms of the list's items, if the source wrote a list of two or more.
    pub(crate) items: Vec<String>,
}

/// What part of a value a feature stands for. The order is that of precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FeatureClass {
    Whole,
    Item,
    Word,
    Gram,
}

/// One input neuron: a property that a mention has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Feature {
    /// Hash of field name, class and content.
    pub(crate) key: u64,
    /// Position in [`PerceivedMention::values`].
    pub(crate) value: u16,
    pub(crate) class: FeatureClass,
}

/// Turns facts into [`Perceived`].
#[derive(Debug, Clone)]
pub(crate) struct Perceiver {
    pub(crate) fields: Arc<FieldConfigs>,
    pub(crate) embedder: Arc<dyn Embedder>,
}

impl Perceiver {
    /// Validates a fact and perceives it.
    pub(crate) fn perceive(&self, fact: Fact) -> Result<Perceived, FactError> {
        self.perceive_again(fact, None)
    }

    /// Perceives a fact of which the embedder has made vectors before, one per mention ([`Perceived::made_vectors`]).
    pub(crate) fn perceive_again(
        &self,
        fact: Fact,
        made: Option<Vec<Vec<f32>>>,
    ) -> Result<Perceived, FactError> {
        fact.validate()?;
        let Fact { content, record_id, source, time_s, confidence, embedding } = fact;
        let mut predicate = None;
        let mut mentions = match content {
            FactContent::Record(fields) => vec![perceive_fields(fields)],
            FactContent::Text(text) => vec![perceive_fields(vec![text_field(text)])],
            FactContent::Triple { subject, predicate: relation, object } => {
                predicate = Some(relation);
                let source = source.as_deref().unwrap_or_default();
                vec![
                    perceive_fields(term_fields(subject, source)),
                    perceive_fields(term_fields(object, source)),
                ]
            }
        };
        for mention in &mut mentions {
            mention.features = self.features(&mention.values);
        }
        let given_dimension = embedding.as_ref().map(Vec::len);
        match (embedding, made) {
            // The embedding of a triple describes the fact, not one of its ends: it is the subject's.
            (Some(given), _) => mentions[0].embedding = normalised(given),
            // Normalised once already; a second time might change bits.
            (None, Some(made)) => {
                mentions.iter_mut().zip(made).for_each(|(mention, made)| mention.embedding = made);
            }
            // What only repeats the words says and finds nothing beyond them.
            (None, None) if self.embedder.is_lexical() => {}
            (None, None) => {
                for mention in &mut mentions {
                    mention.embedding = self.embed(mention).map_err(|source| {
                        let record = record_id.clone().unwrap_or_else(|| "(unnamed)".to_owned());
                        FactError::NotEmbedded { record, source }
                    })?;
                }
            }
        }
        let confidence = confidence.map_or(256, |share| (share * 256.0 + 0.5) as u16);
        Ok(Perceived { record_id, source, time_s, confidence, mentions, given_dimension, predicate })
    }

    /// The embedder's vector of a mention, normalised; empty if it has no direction.
    fn embed(&self, mention: &PerceivedMention) -> Result<Vec<f32>, EmbedError> {
        let mut text = String::new();
        let is_said = |value: &&PerceivedValue| !is_key_field(&value.field) && self.has_a_say(&value.field);
        for value in mention.values.iter().filter(is_said) {
            text.push_str(&value.normal);
            text.push(' ');
        }
        let mut embedding = vec![0.0; self.embedder.dimension()];
        self.embedder.embed(text.trim_end(), &mut embedding)?;
        Ok(normalised(embedding))
    }

    /// Whether a field is more than kept.
    fn has_a_say(&self, field: &str) -> bool {
        !self.fields.get(field).ignore
    }

    fn features(&self, values: &[PerceivedValue]) -> Vec<Feature> {
        let mut out = Vec::with_capacity(values.len() * 8);
        for (position, value) in values.iter().enumerate().filter(|(_, value)| self.has_a_say(&value.field)) {
            add_features(value, position, &mut out);
        }
        out.sort_by_key(|feature| (feature.value, feature.class, feature.key));
        out.dedup();
        out
    }
}

/// A vector of length 1; empty if it has no direction.
fn normalised(mut vector: Vec<f32>) -> Vec<f32> {
    if !Kernels::active().normalize_f32(&mut vector) {
        vector.clear();
    }
    vector
}

/// Whether a field holds identity itself rather than a description.
pub(crate) fn is_key_field(name: &str) -> bool {
    matches!(name, IRI_FIELD | BLANK_FIELD | LITERAL_FIELD)
}

fn text_field(text: String) -> Field {
    Field { name: TEXT_FIELD.to_owned(), value: FieldValue::Text(text) }
}

fn key_field(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value: FieldValue::Text(value) }
}

fn term_fields(term: Term, source: &str) -> Vec<Field> {
    match term {
        Term::Name(name) => vec![text_field(name)],
        Term::Iri(iri) => {
            let name = readable(local_name(&iri));
            let mut fields = vec![key_field(IRI_FIELD, iri)];
            if !name.is_empty() {
                fields.push(text_field(name));
            }
            fields
        }
        Term::Blank(label) => vec![key_field(BLANK_FIELD, format!("_:{label} {source}"))],
        Term::Literal { value, datatype, language } => {
            // As N-Triples writes it; an empty literal is a value, too.
            let mut key = format!("\"{value}\"");
            if let Some(language) = language {
                key = format!("{key}@{language}");
            } else if let Some(datatype) = datatype {
                key = format!("{key}^^{datatype}");
            }
            vec![key_field(LITERAL_FIELD, key)]
        }
    }
}

/// The part of an IRI behind the last `#`, `/` or `:`.
pub(crate) fn local_name(iri: &str) -> &str {
    &iri[namespace(iri).len()..]
}

/// The part of an IRI up to and with the last `#`, `/` or `:`.
pub(crate) fn namespace(iri: &str) -> &str {
    let end = iri.trim_end_matches(['#', '/', ':']);
    let start = end.rfind(['#', '/', ':']).map_or(0, |at| at + 1);
    &iri[..start]
}

/// `New_York%20City` and `newYorkCity` as words.
pub(crate) fn readable(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = (first == b'%').then(|| tail.get(..2)).flatten();
        let code = code.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match code {
            Some(byte) => (bytes.push(byte), rest = &tail[2..]),
            None => (bytes.push(first), rest = tail),
        };
    }
    let decoded = String::from_utf8_lossy(&bytes);
    let mut out = String::with_capacity(decoded.len() + 8);
    let mut after_lower = false;
    for character in decoded.chars() {
        if after_lower && character.is_ascii_uppercase() {
            out.push(' ');
        }
        after_lower = character.is_ascii_lowercase();
        // NUL cannot be in a text that came through the door, but a percent code can hide one.
        out.push(if matches!(character, '_' | '\0') { ' ' } else { character });
    }
    out
}

fn perceive_fields(fields: Vec<Field>) -> PerceivedMention {
    let mut values = Vec::with_capacity(fields.len());
    for Field { name, value } in fields {
        let (surface, mut items) = match value {
            FieldValue::Text(text) => {
                let items = if is_key_field(&name) || !text.contains([';', '|']) {
                    Vec::new()
                } else {
                    list_items(&text).map(normalise).collect()
                };
                (text, items)
            }
            FieldValue::List(items) => (items.join("; "), items.iter().map(|item| normalise(item)).collect()),
        };
        items.retain(|item: &String| !item.is_empty());
        items.truncate(WORDS_MAX);
        if items.len() < 2 {
            items.clear();
        }
        let mut normal = if is_key_field(&name) { surface.clone() } else { normalise(&surface) };
        // In a record, signs alone ("-", "???") stand for a missing value; a text of signs alone is itself.
        if normal.is_empty() && name == TEXT_FIELD {
            normal = surface.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if !normal.is_empty() {
            values.push(PerceivedValue { field: name, surface, normal, items });
        }
    }
    PerceivedMention { values, features: Vec::new(), embedding: Vec::new() }
}

/// The features of one value, which is that of its mention at `position`.
fn add_features(value: &PerceivedValue, position: usize, out: &mut Vec<Feature>) {
    let domain = hash_bytes(0, value.field.as_bytes());
    let mut push = |class: FeatureClass, content: &[u8]| {
        let key = hash_bytes(domain ^ class as u64, content);
        out.push(Feature { key, value: position as u16, class });
    };
    push(FeatureClass::Whole, value.normal.as_bytes());
    if is_key_field(&value.field) {
        return;
    }
    for item in &value.items {
        push(FeatureClass::Item, item.as_bytes());
    }
    let words = value.normal.split(' ').take(WORDS_MAX);
    for word in words.clone() {
        push(FeatureClass::Word, word.as_bytes());
    }
    if value.items.is_empty() && value.normal.len() <= GRAM_VALUE_BYTES_MAX {
        for word in words {
            ngrams(word, 3, |gram| push(FeatureClass::Gram, gram));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::LexicalEmbedder;

    fn perceive(fact: Fact) -> Perceived {
        let perceiver = Perceiver { fields: Arc::default(), embedder: Arc::new(LexicalEmbedder::default()) };
        perceiver.perceive(fact).expect("a valid fact")
    }

    #[test]
    fn an_iri_keeps_its_spelling_and_lends_its_local_name() {
        let fact = Fact::triple(Term::Iri("http://x.org/New_York%20City".into()), "locatedIn", "Acme Corp");
        let perceived = perceive(fact);
        let values: Vec<_> = perceived.mentions[0].values.iter().map(|v| (&*v.field, &*v.normal)).collect();
        assert_eq!(values, [(IRI_FIELD, "http://x.org/New_York%20City"), (TEXT_FIELD, "new york city")]);
        assert_eq!(readable("newYorkCity"), "new York City");
        assert_eq!(readable("100%"), "100%");
        assert_eq!(namespace("http://x.org/a#b"), "http://x.org/a#");
        assert_eq!(namespace("http://x.org/a/"), "http://x.org/");
    }

    #[test]
    fn lists_are_seen_and_punctuation_alone_is_no_value() {
        let perceived = perceive(Fact::record([("tags", "B; a;"), ("note", " -- "), ("one", "x;")]));
        let values = &perceived.mentions[0].values;
        assert_eq!(values.len(), 2);
        assert_eq!(values[0].items, ["b", "a"]);
        assert!(values[1].items.is_empty());
    }

    #[test]
    fn the_same_content_in_two_fields_makes_two_features() {
        let perceived = perceive(Fact::record([("a", "x1"), ("b", "x1")]));
        let mut keys: Vec<_> = perceived.mentions[0].features.iter().map(|feature| feature.key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
