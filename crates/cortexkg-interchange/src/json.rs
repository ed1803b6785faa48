//! A JSON object as an ordered list of keys and raw values: repeated keys are seen, numbers keep their spelling.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::rejection::Rejection;

/// The members of an object in the order in which they stand.
#[derive(Debug)]
pub struct Members<'a>(pub Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// The members of the object that a line holds.
///
/// # Errors
/// What is wrong with the line, and where: it is no UTF-8, no JSON, or no object.
pub fn parse_object(bytes: &[u8], line: u64) -> Result<Members<'_>, Rejection> {
    let blame = |message: String, at: usize| {
        let rejection = Rejection::at(line, message);
        match key_at(bytes, at) {
            Some(key) => rejection.field(&key),
            None => rejection,
        }
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let message =
            format!("not valid UTF-8 at byte {at} of the line; convert the file: iconv -f LATIN1 -t UTF-8");
        blame(message, at)
    })?;
    if !text.trim_start().starts_with('{') {
        let advice = match text.trim_start().as_bytes().first() {
            Some(b'[') => "an array is no record; put one object on each line: jq -c '.[]' FILE",
            _ => "put one object on each line, like {\"name\": \"Citrus\"}",
        };
        return Err(Rejection::at(line, format!("the line is no JSON object; {advice}")));
    }
    serde_json::from_str(text).map_err(|error| {
        let at = error.column().saturating_sub(1);
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let around = text.as_bytes().get(at.saturating_sub(9)..).unwrap_or_default();
        let around = around.get(..20).unwrap_or(around);
        let no_number = ["NaN", "Infinity"]
            .iter()
            .find(|word| around.windows(word.len()).any(|window| window == word.as_bytes()));
        let message = match no_number {
            Some(word) => {
                format!("{word} is no JSON and no usable number (column {}); leave the value out", at + 1)
            }
            None => format!("the line is no valid JSON: {message} (column {}); correct it there", at + 1),
        };
        blame(message, at)
    })
}

/// What kind of value a raw value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// A string.
    Text,
    /// A number or a boolean, whose spelling is its text.
    Scalar,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// Tells by the first byte what kind of value it is.
pub fn kind(value: &RawValue) -> Kind {
    match value.get().as_bytes().first() {
        Some(b'"') => Kind::Text,
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Object,
        Some(b'n') => Kind::Null,
        _ => Kind::Scalar,
    }
}

/// The top-level key under which byte `at` of an object's text stands. Works on text that is no valid JSON.
pub fn key_at(line: &[u8], at: usize) -> Option<String> {
    let mut depth = 0usize;
    let mut key = None;
    // The string read last, which is a key if a colon follows.
    let mut last = None;
    let mut bytes = line.iter().copied().enumerate();
    while let Some((start, byte)) = bytes.next() {
        if start > at {
            break;
        }
        match byte {
            b'"' => {
                let mut end = start;
                while let Some((position, byte)) = bytes.next() {
                    end = position;
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
                last = Some((start + 1, end));
            }
            b':' if depth == 1 => key = last,
            b',' if depth == 1 => key = None,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let (start, end) = key?;
    Some(String::from_utf8_lossy(line.get(start..end)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_broken_text() {
        let line = br#"{"a": 1, "b\"c": {"d": [1, NaN]}, "e": x}"#;
        let at = |needle: &[u8]| line.windows(needle.len()).position(|window| window == needle).unwrap();
        assert_eq!(key_at(line, at(b"1,")).as_deref(), Some("a"));
        assert_eq!(key_at(line, at(b"NaN")).as_deref(), Some("b\\\"c"));
        assert_eq!(key_at(line, at(b"x}")).as_deref(), Some("e"));
        assert_eq!(key_at(line, 0), None);
        assert_eq!(key_at(b"\"", 10), None);
    }
}
