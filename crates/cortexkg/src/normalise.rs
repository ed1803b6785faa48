//! One spelling for what people write in many: compatibility forms, case, accents, spacing and punctuation.
//!
//! The table is `cortexkg-unicode`'s, never the standard library's, so that a decision does not change with the compiler.

use cortexkg_unicode::{Class, class, composed, decomposed, folded, may_compose};

/// The normal form of a text: words of letters and digits, separated by single spaces.
///
/// Compatibility decomposition (NFKD), Latin accents and invisible characters dropped, full case folding, apostrophes dropped, every other run
/// of punctuation or space turned into one space, recomposed (NFC). Empty if the text has no letter, digit or symbol.
///
/// ```
/// use cortexkg::normalise::normalise;
///
/// assert_eq!(normalise("  Café  O’Reilly’s, 2nd—Floor "), "cafe oreillys 2nd floor");
/// assert_eq!(normalise("ＡＢＣ　Straße"), "abc strasse");
/// ```
pub fn normalise(text: &str) -> String {
    if text.is_ascii() { normalise_ascii(text) } else { normalise_unicode(text) }
}

fn normalise_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(byte.to_ascii_lowercase() as char);
        } else {
            push_other(&mut out, byte as char);
        }
    }
    trim_end(out)
}

fn normalise_unicode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Soft hyphens, joiners and marks of direction are not seen, so they do not tell words apart.
    let is_bare =
        |&character: &char| !matches!(character, '\u{300}'..='\u{36f}') && class(character) != Class::Unseen;
    for character in composed(decomposed(text.chars()).into_iter().filter(is_bare).flat_map(folded)) {
        if is_word(character) {
            out.push(character);
        } else {
            push_other(&mut out, character);
        }
    }
    // Marks that an apostrophe stood between stand side by side now and have an order of their own.
    let out = trim_end(out);
    if may_compose(out.chars()) { composed(out.chars()).into_iter().collect() } else { out }
}

fn push_other(out: &mut String, character: char) {
    let joins = matches!(character, '\'' | '\u{2019}' | '\u{2018}' | '\u{2bc}' | '`');
    let starts_word = out.is_empty() || out.ends_with(' ');
    // Signs that tell names apart ("C++", "C#", "R&D") stay with their word.
    if matches!(character, '+' | '#') && !starts_word {
        out.push(character);
    } else if !joins && !starts_word {
        out.push(' ');
    }
}

fn trim_end(mut out: String) -> String {
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

fn is_word(character: char) -> bool {
    match class(character) {
        Class::Word => true,
        Class::Symbol => !character.is_ascii(),
        Class::Unseen | Class::Other => false,
    }
}

/// The parts of a text that its source wrote as a list: split at `;` or `|`. One part if it is none.
pub fn list_items(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '|']).map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_meet() {
        for (left, right) in [
            ("Arnie Morton's of Chicago", "arnie mortons of chicago"),
            ("José  GARCÍA", "jose garcia"),
            ("310/246-1501", "310-246-1501"),
            ("Ｓｏｎｙ　Corp.", "sony corp"),
            ("co\u{ad}operate", "cooperate"),
            ("김치", "\u{1100}\u{1175}\u{11b7}\u{110e}\u{1175}"),
        ] {
            assert_eq!(normalise(left), normalise(right), "{left} and {right}");
        }
        assert_eq!(normalise("C++ and C#"), "c++ and c#");
        assert_eq!(normalise(" - / "), "");
        let marks = "\u{1e08f}'\u{10a39}";
        assert_eq!(
            normalise(&normalise(marks)),
            normalise(marks),
            "marks in their order once the apostrophe is gone"
        );
        assert_eq!(normalise("हिन्दी"), "हिन्दी", "vowel signs of other scripts stay");
    }

    #[test]
    fn lists_are_split_and_trimmed() {
        assert_eq!(list_items("H04W; H04L ;").collect::<Vec<_>>(), ["H04W", "H04L"]);
        assert_eq!(list_items("one").count(), 1);
        assert_eq!(list_items(" ; ").count(), 0);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once.clone());
            prop_assert!(!once.contains("  ") && !once.starts_with(' ') && !once.ends_with(' '));
        }

        #[test]
        fn ascii_takes_the_same_road_as_unicode(text in "[ -~]{0,40}") {
            prop_assert_eq!(normalise_ascii(&text), normalise_unicode(&text));
        }
    }
}
