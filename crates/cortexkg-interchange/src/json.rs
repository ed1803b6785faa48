//! A JSON object as an ordered list of keys and raw values: repeated keys are seen, numbers keep their spelling.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

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
