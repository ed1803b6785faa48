//! What goes in: a [`Fact`] is a record, a triple or a text, with what its source knows about it.
//!
//! Facts are validated at the door ([`Fact::validate`], which the engine calls for you): a fact that breaks a bound
//! is refused with a [`FactError`] that names the record and the field, and changes nothing.

use serde::{Deserialize, Serialize};

use crate::error::FactError;

/// Bounds of what a single fact may hold. Every one is checked before the fact touches the graph.
pub mod limits {
    /// Most fields in one record.
    pub const FIELDS_MAX: usize = 256;
    /// Most bytes in the name of a field or a predicate.
    pub const NAME_BYTES_MAX: usize = 512;
    /// Most bytes in the value of a field, a term or a text (64 KiB).
    pub const VALUE_BYTES_MAX: usize = 64 * 1024;
    /// Most elements in a value that is a list.
    pub const LIST_ITEMS_MAX: usize = 1024;
    /// Most bytes in a record identifier or the name of a source.
    pub const ID_BYTES_MAX: usize = 1024;
    /// Most dimensions of an embedding.
    pub const EMBEDDING_DIMENSION_MAX: usize = 4096;
}

/// One thing that a source said, to be given a place in the graph.
///
/// ```
/// use cortexkg::Fact;
///
/// let record = Fact::record([("name", "Citrus"), ("city", "Los Angeles")]).with_id("r6").with_source("fodors");
/// let text = Fact::text("Multicystic kidney dysplasia");
/// let triple = Fact::triple("Ada Lovelace", "worked with", "Charles Babbage");
/// assert!(record.validate().is_ok() && text.validate().is_ok() && triple.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What was said.
    pub content: FactContent,
    /// Identifier given by the source. It names the fact; it is never evidence. Unique within a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<String>,
    /// Who said it: a file, a feed, a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it was true, in seconds since 1970-01-01T00:00:00Z, as the caller knows it. The engine reads no clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_s: Option<i64>,
    /// How far the source is trusted, 0 to 1. Scales the evidence of the whole fact; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// An embedding made elsewhere, stored as received. All embeddings of one engine have the same dimension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Vec<f32>>,
}

/// The three shapes of a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactContent {
    /// Named fields that describe one thing. Fields without a value are simply absent.
    Record(Vec<Field>),
    /// Two things and how the first relates to the second. Both ends are mentions to allocate.
    Triple {
        /// The thing spoken of.
        subject: Term,
        /// The relation; becomes a typed edge.
        predicate: String,
        /// What it relates to.
        object: Term,
    },
    /// A short text that names or describes one thing.
    Text(String),
}

/// A named value of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name of the field, as the source spells it.
    pub name: String,
    /// Its value.
    pub value: FieldValue,
}

/// The value of a field: one text, or a list of texts where the source says so.
///
/// A text that *looks* like a list (`"a; b; c"`) is found out by the engine's field profile; no need to split it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// One value.
    Text(String),
    /// Several values, order without meaning.
    List(Vec<String>),
}

/// One end of a triple.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// A plain name, resolved like any short text.
    Name(String),
    /// An IRI: the same IRI is the same thing; two IRIs of one namespace are two things.
    Iri(String),
    /// A blank node: a name that means something only within its source.
    Blank(String),
    /// A literal that is no name: a number, a date, a text in a language. Equal literals are one value node.
    Literal {
        /// Lexical form.
        value: String,
        /// Datatype IRI, if the source gives one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        datatype: Option<String>,
        /// Language tag, if the source gives one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
}

impl From<&str> for Term {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Term {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl Term {
    /// The text of the term, without its kind.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(text) | Self::Iri(text) | Self::Blank(text) => text,
            Self::Literal { value, .. } => value,
        }
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<String>> for FieldValue {
    fn from(items: Vec<String>) -> Self {
        Self::List(items)
    }
}

impl Fact {
    fn new(content: FactContent) -> Self {
        Self { content, record_id: None, source: None, time_s: None, confidence: None, embedding: None }
    }

    /// A record: named fields that describe one thing.
    pub fn record<N, V>(fields: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<FieldValue>,
    {
        let fields = fields
            .into_iter()
            .map(|(name, value)| Field { name: name.into(), value: value.into() })
            .collect();
        Self::new(FactContent::Record(fields))
    }

    /// A triple. Plain strings become [`Term::Name`].
    pub fn triple(subject: impl Into<Term>, predicate: impl Into<String>, object: impl Into<Term>) -> Self {
        Self::new(FactContent::Triple {
            subject: subject.into(),
            predicate: predicate.into(),
            object: object.into(),
        })
    }

    /// A short text that names or describes one thing.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(FactContent::Text(text.into()))
    }

    /// Names the fact; see [`Fact::record_id`].
    #[must_use]
    pub fn with_id(mut self, record_id: impl Into<String>) -> Self {
        self.record_id = Some(record_id.into());
        self
    }

    /// Names who said it; see [`Fact::source`].
    #[must_use]
    pub fn with_source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says when it was true; see [`Fact::time_s`].
    #[must_use]
    pub fn with_time_s(mut self, time_s: i64) -> Self {
        self.time_s = Some(time_s);
        self
    }

    /// Says how far to trust it, 0 to 1; see [`Fact::confidence`].
    #[must_use]
    pub fn with_confidence(mut self, confidence: f32) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// Brings an embedding made elsewhere; see [`Fact::embedding`].
    #[must_use]
    pub fn with_embedding(mut self, embedding: Vec<f32>) -> Self {
        self.embedding = Some(embedding);
        self
    }

    /// Checks every bound that needs no knowledge of the graph.
    ///
    /// # Errors
    /// The first bound that is broken, with the record and the field it was found in.
    pub fn validate(&self) -> Result<(), FactError> {
        let record = || self.record_id.as_deref().map_or_else(|| "(unnamed)".to_owned(), shortened);
        for (field, id) in [("record_id", &self.record_id), ("source", &self.source)] {
            if let Some(id) = id {
                check_length(&record, field, id, limits::ID_BYTES_MAX)?;
                check_text(&record, field, id)?;
                if id.is_empty() {
                    return Err(FactError::Empty { record: record(), field: field.to_owned() });
                }
            }
        }
        if let Some(confidence) = self.confidence
            && !(0.0..=1.0).contains(&confidence)
        {
            return Err(FactError::Confidence { record: record(), value: confidence });
        }
        if let Some(embedding) = &self.embedding {
            check_embedding(&record, embedding)?;
        }
        match &self.content {
            FactContent::Record(fields) => check_fields(&record, fields),
            FactContent::Triple { subject, predicate, object } => {
                check_term(&record, "subject", subject)?;
                check_term(&record, "object", object)?;
                check_predicate(&record, predicate)
            }
            FactContent::Text(text) => {
                check_value(&record, "text", text)?;
                if text.trim().is_empty() {
                    return Err(FactError::Empty { record: record(), field: "text".to_owned() });
                }
                Ok(())
            }
        }
    }
}

/// A name as errors quote it: of one that is too long to be taken, the beginning.
fn shortened(name: &str) -> String {
    const CHARACTERS: usize = 64;
    match name.char_indices().nth(CHARACTERS) {
        Some((end, _)) if name.len() > limits::NAME_BYTES_MAX => format!("{}…", &name[..end]),
        _ => name.to_owned(),
    }
}

fn check_fields(record: &dyn Fn() -> String, fields: &[Field]) -> Result<(), FactError> {
    if fields.len() > limits::FIELDS_MAX {
        return Err(FactError::TooManyFields {
            record: record(),
            count: fields.len(),
            limit: limits::FIELDS_MAX,
        });
    }
    let mut has_value = false;
    for (position, Field { name, value }) in fields.iter().enumerate() {
        check_length(record, &shortened(name), name, limits::NAME_BYTES_MAX)?;
        check_text(record, name, name)?;
        if name.trim().is_empty() {
            return Err(FactError::UnnamedField { record: record(), position: position + 1 });
        }
        if fields[..position].iter().any(|earlier| earlier.name == *name) {
            return Err(FactError::RepeatedField { record: record(), field: name.clone() });
        }
        match value {
            FieldValue::Text(text) => {
                check_value(record, name, text)?;
                has_value |= !text.trim().is_empty();
            }
            FieldValue::List(items) => {
                if items.len() > limits::LIST_ITEMS_MAX {
                    return Err(FactError::TooManyItems {
                        record: record(),
                        field: name.clone(),
                        count: items.len(),
                        limit: limits::LIST_ITEMS_MAX,
                    });
                }
                let mut bytes = 0;
                for item in items {
                    check_value(record, name, item)?;
                    bytes += item.len();
                    has_value |= !item.trim().is_empty();
                }
                if bytes > limits::VALUE_BYTES_MAX {
                    return Err(FactError::TooLong {
                        record: record(),
                        field: name.clone(),
                        bytes,
                        limit: limits::VALUE_BYTES_MAX,
                    });
                }
            }
        }
    }
    if has_value { Ok(()) } else { Err(FactError::NoValue { record: record() }) }
}

fn check_term(record: &dyn Fn() -> String, role: &str, term: &Term) -> Result<(), FactError> {
    check_value(record, role, term.as_str())?;
    let empty_is_a_value = matches!(term, Term::Literal { .. });
    if term.as_str().trim().is_empty() && !empty_is_a_value {
        return Err(FactError::Empty { record: record(), field: role.to_owned() });
    }
    if let Term::Literal { datatype, language, .. } = term {
        for part in [datatype, language].into_iter().flatten() {
            check_length(record, role, part, limits::VALUE_BYTES_MAX)?;
            check_text(record, role, part)?;
        }
    }
    Ok(())
}

pub(crate) fn check_predicate(record: &dyn Fn() -> String, predicate: &str) -> Result<(), FactError> {
    check_length(record, "predicate", predicate, limits::NAME_BYTES_MAX)?;
    check_text(record, "predicate", predicate)?;
    if predicate.trim().is_empty() {
        return Err(FactError::Empty { record: record(), field: "predicate".to_owned() });
    }
    Ok(())
}

fn check_embedding(record: &dyn Fn() -> String, embedding: &[f32]) -> Result<(), FactError> {
    if embedding.is_empty() || embedding.len() > limits::EMBEDDING_DIMENSION_MAX {
        return Err(FactError::EmbeddingDimension {
            record: record(),
            found: embedding.len(),
            expected: format!("1 to {}", limits::EMBEDDING_DIMENSION_MAX),
        });
    }
    if let Some(position) = embedding.iter().position(|value| !value.is_finite()) {
        return Err(FactError::EmbeddingNotFinite { record: record(), position, value: embedding[position] });
    }
    if embedding.iter().all(|&value| value == 0.0) {
        return Err(FactError::EmbeddingZero { record: record() });
    }
    Ok(())
}

fn check_value(record: &dyn Fn() -> String, field: &str, text: &str) -> Result<(), FactError> {
    check_length(record, field, text, limits::VALUE_BYTES_MAX)?;
    check_text(record, field, text)
}

fn check_length(record: &dyn Fn() -> String, field: &str, text: &str, limit: usize) -> Result<(), FactError> {
    if text.len() > limit {
        let field = field.chars().take(64).collect();
        return Err(FactError::TooLong { record: record(), field, bytes: text.len(), limit });
    }
    Ok(())
}

fn check_text(record: &dyn Fn() -> String, field: &str, text: &str) -> Result<(), FactError> {
    match text.bytes().position(|byte| byte == 0) {
        Some(position) => Err(FactError::NulByte { record: record(), field: field.to_owned(), position }),
        None => Ok(()),
    }
}
