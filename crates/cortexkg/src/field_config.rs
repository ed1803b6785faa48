//! What a user says of fields, where the values would say something else. All that nobody speaks of is found from the values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::comparator::Comparator;
use crate::dictionary::FIELDS_MAX;
use crate::perceive::{BLANK_FIELD, IRI_FIELD, LITERAL_FIELD, TEXT_FIELD};
use crate::profile::FieldKind;

/// Kinds that a user may give, by the names that config files have for them.
const KINDS: [(&str, FieldKind); 8] = [
    ("identifier", FieldKind::Identifier),
    ("date", FieldKind::Date),
    ("number", FieldKind::Number),
    ("category", FieldKind::Category),
    ("name", FieldKind::Name),
    ("long_text", FieldKind::LongText),
    ("list", FieldKind::List),
    ("key", FieldKind::Key),
];
const KIND_NAMES: [&str; KINDS.len()] = {
    let mut names = [""; KINDS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = KINDS[at].0;
        at += 1;
    }
    names
};
/// Fields that the engine makes itself.
const RESERVED: [&str; 6] = ["@embedding", "@recency", TEXT_FIELD, IRI_FIELD, BLANK_FIELD, LITERAL_FIELD];
/// Version of [`FieldConfigs::encode`].
const VERSION: u8 = 1;

/// What a user says of one field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldConfig {
    /// What the field holds. [`FieldKind::Key`] says that the value is the identity: the same value is the same thing (+40
    /// bits), another value is another thing (−60). [`FieldKind::Embedding`] and [`FieldKind::Recency`] are no field's.
    #[serde(deserialize_with = "kind_by_name")]
    pub kind: Option<FieldKind>,
    /// How values are compared: one of [`Comparator::of_kind`] of `kind`, which must be given as well.
    pub comparator: Option<Comparator>,
    /// Whether the field is kept and shown and nothing else: no evidence, no recall, and `search` does not find by it.
    pub ignore: bool,
}

fn kind_by_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<FieldKind>, D::Error> {
    let name = String::deserialize(from)?;
    match kind_named(&name) {
        Some(kind) => Ok(Some(kind)),
        None => Err(serde::de::Error::unknown_variant(&name, &KIND_NAMES)),
    }
}

fn kind_named(name: &str) -> Option<FieldKind> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// The name of a kind in config files; none for kinds that cannot be given.
fn kind_name(kind: FieldKind) -> Option<&'static str> {
    KINDS.iter().find(|(_, known)| *known == kind).map(|(name, _)| *name)
}

impl FieldConfig {
    /// As a config file says it, in one line.
    fn text(self) -> String {
        let mut parts = Vec::with_capacity(3);
        parts.extend(self.kind.and_then(kind_name).map(|kind| format!("kind = {kind:?}")));
        parts.extend(self.comparator.map(|comparator| format!("comparator = {:?}", comparator.name())));
        parts.extend(self.ignore.then(|| "ignore = true".to_owned()));
        parts.join(", ")
    }
}

/// Why what is said of a field cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldConfigError {
    /// The field has no name, or one that no source can have.
    #[error("{field:?} is no field of a source; the engine makes it itself, and nothing can be said of it")]
    Reserved {
        /// The field.
        field: String,
    },
    /// Nothing is said.
    #[error("nothing is said of {field:?}; give kind, comparator or ignore = true, or leave the field out")]
    Empty {
        /// The field.
        field: String,
    },
    /// The kind is no kind of a source's field.
    #[error("{field:?}: kind = {kind:?} is none that a field can have; one of {}", KIND_NAMES.join(", "))]
    Kind {
        /// The field.
        field: String,
        /// The kind.
        kind: &'static str,
    },
    /// A comparator without a kind.
    #[error(
        "{field:?}: comparator = {:?} needs the kind that it is to read; give kind as well",
        comparator.name()
    )]
    NoKind {
        /// The field.
        field: String,
        /// The comparator.
        comparator: Comparator,
    },
    /// A comparator that does not read the kind.
    #[error("{field:?}: comparator = {:?} cannot read kind = {kind:?}; one of {}", comparator.name(), readers(*kind))]
    Comparator {
        /// The field.
        field: String,
        /// The comparator.
        comparator: Comparator,
        /// The kind.
        kind: FieldKind,
    },
    /// More fields than a graph can have.
    #[error("{field:?} is one field too many; a graph has at most {FIELDS_MAX}")]
    TooMany {
        /// The field.
        field: String,
    },
}

fn readers(kind: FieldKind) -> String {
    Comparator::of_kind(kind).iter().map(|comparator| comparator.name()).collect::<Vec<_>>().join(", ")
}

/// What a user says of fields, by name; checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldConfigs(BTreeMap<String, FieldConfig>);

/// One field as it is stored: names instead of numbers, so that neither may move.
type StoredField = (String, Option<String>, Option<String>, bool);

impl FieldConfigs {
    /// Says something of a field; replaces what was said before.
    ///
    /// # Errors
    /// A [`FieldConfigError`] if it cannot be said.
    pub fn insert(&mut self, field: impl Into<String>, config: FieldConfig) -> Result<(), FieldConfigError> {
        let field = field.into();
        if field.is_empty() || RESERVED.contains(&&*field) {
            return Err(FieldConfigError::Reserved { field });
        }
        if config == FieldConfig::default() {
            return Err(FieldConfigError::Empty { field });
        }
        match (config.kind, config.comparator) {
            (Some(kind), _) if kind_name(kind).is_none() => {
                return Err(FieldConfigError::Kind { field, kind: kind.name() });
            }
            (Some(kind), Some(comparator)) if !Comparator::of_kind(kind).contains(&comparator) => {
                return Err(FieldConfigError::Comparator { field, comparator, kind });
            }
            (None, Some(comparator)) => return Err(FieldConfigError::NoKind { field, comparator }),
            _ => {}
        }
        if self.0.len() >= FIELDS_MAX && !self.0.contains_key(&field) {
            return Err(FieldConfigError::TooMany { field });
        }
        self.0.insert(field, config);
        Ok(())
    }

    /// What is said of a field; nothing where nobody speaks of it.
    pub fn get(&self, field: &str) -> FieldConfig {
        self.0.get(field).copied().unwrap_or_default()
    }

    /// All fields that are spoken of, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, FieldConfig)> {
        self.0.iter().map(|(field, config)| (&**field, *config))
    }

    /// Whether nobody speaks of any field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any field is to be kept and nothing else.
    pub(crate) fn ignore_any(&self) -> bool {
        self.0.values().any(|config| config.ignore)
    }

    /// All of it as text, the same for the same.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (field, config) in self.iter() {
            let _ = write!(text, "{field:?} {{ {} }} ", config.text());
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// How another differs: the first field of which the two do not say the same.
    pub(crate) fn difference(&self, other: &Self) -> Option<(String, [String; 2])> {
        let mut fields = self.0.keys().chain(other.0.keys());
        let field = fields.find(|field| self.0.get(*field) != other.0.get(*field))?;
        let said = |by: &Self| by.0.get(field).map_or_else(|| "nothing".to_owned(), |config| config.text());
        Some((field.clone(), [said(self), said(other)]))
    }

    /// As it is stored: its version, then the fields in postcard's encoding.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let fields = self.iter().map(|(field, FieldConfig { kind, comparator, ignore })| {
            (field, kind.and_then(kind_name), comparator.map(Comparator::name), ignore)
        });
        let fields: Vec<_> = fields.collect();
        postcard::to_extend(&fields, vec![VERSION]).expect("plain data has an encoding")
    }

    /// Reads what [`encode`](Self::encode) wrote; else what is wrong.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let fields = match bytes.split_first() {
            Some((&VERSION, fields)) => fields,
            Some((version, _)) => return Err(format!("version {version} is not known")),
            None => return Err("is empty".to_owned()),
        };
        let fields: Vec<StoredField> = postcard::from_bytes(fields).map_err(|error| error.to_string())?;
        let mut configs = Self::default();
        for (field, kind, comparator, ignore) in fields {
            let unknown = |name: &str| format!("{name} is not known");
            let kind = kind.map(|name| kind_named(&name).ok_or_else(|| unknown(&name))).transpose()?;
            let comparator = comparator.map(|name| Comparator::named(&name).ok_or_else(|| unknown(&name)));
            let comparator = comparator.transpose()?;
            configs
                .insert(field, FieldConfig { kind, comparator, ignore })
                .map_err(|error| error.to_string())?;
        }
        Ok(configs)
    }
}
