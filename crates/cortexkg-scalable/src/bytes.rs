//! Sizes as people write them.

use serde::{Deserialize, Deserializer};

/// What stands for no bound.
pub(crate) const NONE: &str = "none";
/// Letters behind a number, each with the power of two that it stands for.
const UNITS: [(&str, u32); 4] = [("", 0), ("k", 10), ("m", 20), ("g", 30)];
/// A size as a text, as a regular expression.
pub(crate) const SIZE_PATTERN: &str = "^[0-9]+([bB]|[kKmMgG]([iI]?[bB])?)?$";

/// Reads a number of bytes: `512M`, `1G` or `4096`. `MB` and `MiB` are both 1,048,576 bytes, as `M` is; likewise K and G.
///
/// Gives none for anything else, and where the number has more than 64 bits.
#[must_use]
pub fn bytes_of(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..)?.to_ascii_lowercase();
    let is_named = |letter: &str| {
        let behind = unit.strip_prefix(letter);
        behind.is_some_and(|rest| rest.is_empty() || rest == "b" || (rest == "ib" && !letter.is_empty()))
    };
    let (_, shift) = UNITS.into_iter().rev().find(|(letter, _)| is_named(letter))?;
    // A sign is none of the digits.
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(1 << shift)
}

/// A number of bytes as [`bytes_of`] reads it, with the largest unit that leaves a whole number.
pub(crate) fn text_of(bytes: u64) -> String {
    let unit = UNITS.into_iter().rev().find(|(_, shift)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    unit.map_or_else(
        || bytes.to_string(),
        |(letter, shift)| format!("{}{}", bytes >> shift, letter.to_uppercase()),
    )
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number of bytes, or a text like \"512M\"")]
enum Written {
    Number(u64),
    Text(String),
}

/// A size, as a number or a text.
pub(crate) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match Written::deserialize(from)? {
        Written::Number(bytes) => Ok(bytes),
        Written::Text(text) => bytes_of(&text).ok_or_else(|| refused(&text)),
    }
}

/// A size or none, which may be written as such.
pub(crate) fn budget<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    match Option::<Written>::deserialize(from)? {
        None => Ok(None),
        Some(Written::Text(text)) if text == NONE => Ok(None),
        Some(Written::Number(bytes)) => Ok(Some(bytes)),
        Some(Written::Text(text)) => bytes_of(&text).map(Some).ok_or_else(|| refused(&text)),
    }
}

fn refused<E: serde::de::Error>(text: &str) -> E {
    E::custom(format!("{text:?} is no number of bytes; write 512M, 1G or a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for mebibytes in ["512MiB", "512MB", "512mb", "512M", "536870912", "536870912b"] {
            assert_eq!(bytes_of(mebibytes), Some(512 << 20), "{mebibytes}");
        }
        assert_eq!([bytes_of("1GB"), bytes_of("0")], [bytes_of("1048576K"), Some(0)]);
        for wrong in ["", "G", "1T", "1.5G", "-1G", "+1G", " 1G", "1 G", "1iB", "99999999999999G", "é", "1é"]
        {
            assert_eq!(bytes_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_are_told_as_they_are_read() {
        for (bytes, text) in [(0, "0"), (1, "1"), (1 << 10, "1K"), (1536 << 10, "1536K"), (1 << 40, "1024G")]
        {
            assert_eq!(text_of(bytes), text);
            assert_eq!(bytes_of(text), Some(bytes));
        }
    }
}
