//! What is said of a configuration, and by whom.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::bytes::{NONE, bytes_of};
use crate::check::Quoted;
use crate::fields::{FIELDS, Field, Range as Allowed, Value};
use crate::near::{is_meant, near};
use crate::{ConfigError, Origin, Profile};

/// How the names of variables begin that stand for fields.
pub const VARIABLE_PREFIX: &str = "CORTEXKG_";
/// What chooses the values to begin with. It stands beside the fields and is none of them.
pub(crate) const PROFILE: &str = "profile";

/// A source that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A value that its field cannot have.
    #[error("{origin}: {error}")]
    Value {
        /// Where it is said.
        origin: Origin,
        /// What it is, and what it can be.
        error: ConfigError,
    },
    /// A name that no field has.
    #[error("{origin}: there is no setting {}; near it: {}", Quoted(name), near.join(", "))]
    Unknown {
        /// Where it is said.
        origin: Origin,
        /// The name.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// A text that is no TOML.
    #[error("{path}, line {line}: {what}")]
    Syntax {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What the parser has to say.
        what: String,
    },
    /// An option that gives no value.
    #[error("--set {}: give a setting and its value, as in --set hnsw_config.ef_search=128", Quoted(text))]
    Assignment {
        /// What was given.
        text: String,
    },
}

/// What one source says of a [`ScalabilityConfig`](crate::ScalabilityConfig): of none of its fields, of some or of all.
///
/// Every value is of its field's range; what fields ask of each other is checked where sources [come together](crate::Resolved::of).
#[derive(Debug, Clone, Default)]
pub struct ConfigSource {
    pub(crate) profile: Option<(Profile, Origin)>,
    pub(crate) values: BTreeMap<&'static str, (Value, Origin)>,
}

impl ConfigSource {
    /// Reads a TOML file of its own. `path` is how errors name it.
    ///
    /// A number of bytes is a number or a text like `"512M"`, and no budget is `"none"`; a `profile` may be named beside the fields.
    ///
    /// # Errors
    /// Where it is no TOML, names what is no field, or gives a field what it cannot be.
    pub fn file(path: &str, text: &str) -> Result<Self, SourceError> {
        let file = File { path, text };
        let mut source = Self::default();
        source.table("", file.parse()?.get_ref(), &file)?;
        Ok(source)
    }

    /// Reads one section of a TOML file, and none of the others. One that is not there says nothing.
    ///
    /// # Errors
    /// As for [`file`](Self::file).
    pub fn section(path: &str, text: &str, section: &str) -> Result<Self, SourceError> {
        let file = File { path, text };
        let mut source = Self::default();
        let whole = file.parse()?;
        if let Some((key, value)) = whole.get_ref().get_key_value(section) {
            let DeValue::Table(table) = value.get_ref() else {
                let what = format!("{section} is a section; write [{section}], and its fields below");
                return Err(SourceError::Syntax {
                    path: path.to_owned(),
                    line: line_of(text, &key.span()),
                    what,
                });
            };
            source.table("", table, &file)?;
        }
        Ok(source)
    }

    /// Reads variables of the environment: `CORTEXKG_ENABLE_HNSW_INDEXING=true`, `CORTEXKG_HNSW_CONFIG__EF_SEARCH=128`,
    /// `CORTEXKG_PROFILE=plain`. Two underscores stand for a dot.
    ///
    /// A variable that stands for no field is refused if it was meant to: two underscores are in it, it begins as the switches do, or is
    /// spelt nearly as one of these names. All others are somebody else's.
    ///
    /// # Errors
    /// Where a variable that is meant for a field names none, or gives it what it cannot be.
    pub fn environment(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SourceError> {
        let mut source = Self::default();
        // One order, whatever order they come in.
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        for (variable, text) in variables {
            let Some(rest) = variable.strip_prefix(VARIABLE_PREFIX) else { continue };
            let name = rest.replace("__", ".").to_ascii_lowercase();
            let origin = Origin::Environment { variable: variable.clone() };
            let is_known = name == PROFILE || Field::named(&name).is_some() || first_in(&name).is_some();
            if is_known && variable_of(&name) == variable {
                source.say(&name, &text, origin)?;
            } else if rest.contains("__") || is_meant(&name) {
                let near = near(&name).into_iter().map(variable_of).collect();
                return Err(SourceError::Unknown { origin, name, near });
            }
        }
        Ok(source)
    }

    /// Takes an option `--set FIELD=VALUE`; of two for one field the later counts.
    ///
    /// # Errors
    /// Where there is no such field, or it cannot be this.
    pub fn assign(&mut self, assignment: &str) -> Result<(), SourceError> {
        let (name, value) = assignment
            .split_once('=')
            .ok_or_else(|| SourceError::Assignment { text: assignment.to_owned() })?;
        self.say(name.trim(), value, Origin::Flag { text: format!("--set {assignment}") })
    }

    /// Takes the value of a field, or the name of a profile for `profile`, written as in TOML; texts need no quotes.
    ///
    /// # Errors
    /// Where there is no such field, or it cannot be this.
    pub fn say(&mut self, name: &str, value: &str, origin: Origin) -> Result<(), SourceError> {
        let value = value.trim();
        let parsed = DeValue::parse(value).map(Spanned::into_inner);
        let read = parsed.unwrap_or_else(|_| DeValue::String(value.into()));
        self.take(name, &read, value, origin)
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>, file: &File<'_>) -> Result<(), SourceError> {
        // As they stand in the file, so that it is the first mistake that is told.
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = format!("{prefix}{}", key.get_ref());
            let origin = Origin::File { path: file.path.to_owned(), line: line_of(file.text, &key.span()) };
            match value.get_ref() {
                DeValue::Table(inner) if first_in(&name).is_some() => {
                    self.table(&format!("{name}."), inner, file)?;
                }
                of_field => self.take(&name, of_field, &file.written(&value.span()), origin)?,
            }
        }
        Ok(())
    }

    /// Takes a value that was written like this.
    fn take(
        &mut self,
        name: &str,
        value: &DeValue<'_>,
        written: &str,
        origin: Origin,
    ) -> Result<(), SourceError> {
        if name == PROFILE {
            let profile = match value {
                DeValue::String(name) => name.parse().ok(),
                _ => None,
            };
            let Some(profile) = profile else {
                let allowed = Profile::ALL.map(Profile::name).join(", ");
                let error = ConfigError { field: PROFILE, value: written.to_owned(), allowed };
                return Err(SourceError::Value { origin, error });
            };
            self.profile = Some((profile, origin));
            return Ok(());
        }
        if let Some(first) = first_in(name) {
            let field = first.name.get(..name.len()).unwrap_or_default();
            let allowed = format!("a value to a setting in it, like {}", first.name);
            let error = ConfigError { field, value: written.to_owned(), allowed };
            return Err(SourceError::Value { origin, error });
        }
        let Some(field) = Field::named(name) else {
            let near = near(name).into_iter().map(str::to_owned).collect();
            return Err(SourceError::Unknown { origin, name: name.to_owned(), near });
        };
        let Some(value) = read(field.range, value).filter(|&value| field.range.holds(value)) else {
            return Err(SourceError::Value { origin, error: field.refuse(written) });
        };
        self.values.insert(field.name, (value, origin));
        Ok(())
    }
}

/// A value of the kind that a field takes.
fn read(allowed: Allowed, value: &DeValue<'_>) -> Option<Value> {
    let whole = |radix, digits: &str| u64::from_str_radix(digits, radix).ok();
    Some(match (allowed, value) {
        (Allowed::Switch, DeValue::Boolean(is_on)) => Value::Switch(*is_on),
        (Allowed::Whole { .. }, DeValue::Integer(number)) => {
            Value::Whole(whole(number.radix(), number.as_str())?)
        }
        (Allowed::Bytes | Allowed::Budget, DeValue::Integer(number)) => {
            Value::Bytes(whole(number.radix(), number.as_str())?)
        }
        (Allowed::Budget, DeValue::String(text)) if *text == NONE => Value::NoBudget,
        (Allowed::Bytes | Allowed::Budget, DeValue::String(text)) => Value::Bytes(bytes_of(text)?),
        (Allowed::Share { .. }, DeValue::Float(number)) => Value::Share(number.as_str().parse().ok()?),
        (Allowed::Share { .. }, DeValue::Integer(number)) => {
            Value::Share(f64::from(u32::try_from(whole(number.radix(), number.as_str())?).ok()?))
        }
        (Allowed::Precision, DeValue::String(name)) => Value::Precision(name.parse().ok()?),
        _ => return None,
    })
}

/// The first field of a table.
fn first_in(table: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name.strip_prefix(table).is_some_and(|rest| rest.starts_with('.')))
}

/// The variable that stands for a field.
pub(crate) fn variable_of(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.replace('.', "__").to_ascii_uppercase())
}

/// A file and how it is called.
struct File<'a> {
    path: &'a str,
    text: &'a str,
}

impl<'a> File<'a> {
    fn parse(&self) -> Result<Spanned<DeTable<'a>>, SourceError> {
        DeTable::parse(self.text).map_err(|error| SourceError::Syntax {
            path: self.path.to_owned(),
            line: error.span().map_or(1, |span| line_of(self.text, &span)),
            what: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    fn written(&self, span: &Range<usize>) -> String {
        self.text.get(span.clone()).unwrap_or_default().to_owned()
    }
}

/// The line, counted from 1, in which a span of a text begins.
#[must_use]
pub fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1
}
