//! Text as XML 1.0 can hold it.

use std::fmt::Write;

/// Whether XML 1.0 can hold the character, if only as a reference.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether the text goes on like the escape of a character.
fn is_code(rest: &str) -> bool {
    let digits = rest.strip_prefix('u').and_then(|rest| rest.as_bytes().get(..4));
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Appends text as the content of an element or an attribute.
pub(super) fn escape(out: &mut String, text: &str) {
    for (at, character) in text.char_indices() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A parser would make blanks or line feeds of these.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\\' if is_code(text.get(at + 1..).unwrap_or_default()) => out.push_str("\\u005C"),
            allowed if is_allowed(allowed) => out.push(allowed),
            forbidden => {
                write!(out, "\\u{:04X}", u32::from(forbidden)).expect("memory takes every text");
            }
        }
    }
}

/// Undoes what [`escape`] does beyond XML.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.get(1..).unwrap_or_default();
        let code = is_code(after).then(|| after.get(1..5)).flatten();
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape(&mut out, text);
        out
    }

    #[test]
    fn what_xml_forbids_is_told() {
        assert_eq!(
            escaped("a\u{1b}\u{fffe}<&\">\r\n\t\\u001b \\user"),
            "a\\u001B\\uFFFE&lt;&amp;&quot;&gt;&#13;&#10;&#9;\\u005Cu001b \\user"
        );
        assert_eq!(unescape("\\u001B \\user \\ud800 \\"), "\u{1b} \\user \\ud800 \\");
    }

    proptest! {
        #[test]
        fn texts_come_back(text in "(\\\\|u|0|1|b|\u{1}|\u{ffff}|é|\\PC){0,20}") {
            let escaped = escaped(&text);
            prop_assert!(escaped.chars().all(is_allowed));
            let xml = quick_xml::escape::unescape(&escaped).unwrap();
            prop_assert_eq!(unescape(&xml), text);
        }
    }
}
