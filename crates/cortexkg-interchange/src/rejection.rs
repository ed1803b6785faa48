//! A record that is refused: where it stands, and what to do about it.

use std::fmt;

use cortexkg::FactError;
use serde::Serialize;

/// A record that could not be taken. The records after it are unaffected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Line, counted from 1, in the decompressed input.
    pub line: u64,
    /// Identifier of the record, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Name of the field, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Rejection {
    /// A rejection that knows only its line.
    pub fn at(line: u64, message: impl Into<String>) -> Self {
        Self { line, record: None, field: None, message: message.into() }
    }

    /// Names the record.
    #[must_use]
    pub fn record(mut self, record: Option<&str>) -> Self {
        self.record = record.map(printable);
        self
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(printable(field));
        self
    }

    /// The engine's refusal of the fact that stands on `line`.
    pub fn refused(line: u64, record: &str, error: &FactError) -> Self {
        let mut rejection = Self::at(line, without_place(error)).record(Some(record));
        rejection.field = field_of(error).map(printable);
        rejection
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if let Some(record) = &self.record {
            write!(formatter, ", record {record}")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, ", field {field}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

/// Whether a character would steer a terminal instead of being shown: a control, or one of those that turn the direction of the
/// text around them, by which a line can be made to look like another.
pub fn steers_terminal(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        )
}

/// The first 64 characters of a text from outside, those that would steer a terminal escaped, so that a message stays one
/// line and reads as it is written.
pub fn printable(text: &str) -> String {
    let mut shown = String::new();
    for (position, character) in text.chars().enumerate() {
        if position == 64 {
            shown.push('…');
            break;
        }
        if steers_terminal(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn field_of(error: &FactError) -> Option<&str> {
    match error {
        FactError::TooLong { field, .. }
        | FactError::Empty { field, .. }
        | FactError::RepeatedField { field, .. }
        | FactError::TooManyItems { field, .. }
        | FactError::NulByte { field, .. } => Some(field),
        FactError::Confidence { .. } => Some("confidence"),
        FactError::EmbeddingDimension { .. }
        | FactError::EmbeddingNotFinite { .. }
        | FactError::EmbeddingZero { .. } => Some("embedding"),
        _ => None,
    }
}

/// The message of the engine without "record R, field F: " in front, since a rejection says that itself.
fn without_place(error: &FactError) -> String {
    let message = error.to_string();
    let record = match error {
        FactError::TooLong { record, .. }
        | FactError::Empty { record, .. }
        | FactError::NoValue { record }
        | FactError::UnnamedField { record, .. }
        | FactError::RepeatedField { record, .. }
        | FactError::TooManyFields { record, .. }
        | FactError::TooManyItems { record, .. }
        | FactError::NulByte { record, .. }
        | FactError::Confidence { record, .. }
        | FactError::EmbeddingDimension { record, .. }
        | FactError::EmbeddingNotFinite { record, .. }
        | FactError::EmbeddingZero { record }
        | FactError::DuplicateId { record, .. } => record,
        _ => return message,
    };
    let after_record = message.strip_prefix("record ").and_then(|rest| rest.strip_prefix(record.as_str()));
    let after_field = match (after_record, field_of(error)) {
        (Some(rest), Some(field)) => {
            rest.strip_prefix(", field ").and_then(|rest| rest.strip_prefix(field)).or(Some(rest))
        }
        (rest, _) => rest,
    };
    after_field.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_messages_lose_their_place() {
        let error = FactError::Empty { record: "a: b".into(), field: "text".into() };
        let rejection = Rejection::refused(7, "a: b", &error);
        assert_eq!(
            rejection.to_string(),
            "line 7, record a: b, field text: is empty; give it a value or leave it out"
        );
        let error = FactError::NoValue { record: "r".into() };
        assert!(Rejection::refused(7, "r", &error).message.starts_with("no field has a value"));
    }

    #[test]
    fn messages_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable(&"x".repeat(100)).chars().count(), 65);
    }
}
