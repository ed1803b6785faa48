//! The table against the crates that it is made of.

#![allow(clippy::unwrap_used, reason = "tests")]

use caseless::Caseless as _;
use cortexkg_unicode::{Class, class, composed, decomposed, folded, may_compose};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

fn every() -> impl Iterator<Item = char> {
    '\0'..=char::MAX
}

fn class_told(character: char) -> Class {
    match character.general_category_group() {
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number | GeneralCategoryGroup::Mark => {
            Class::Word
        }
        GeneralCategoryGroup::Symbol => Class::Symbol,
        _ if character.general_category() == GeneralCategory::Format => Class::Unseen,
        _ => Class::Other,
    }
}

fn number(mut number: u32, into: &mut Vec<u8>) {
    while number > 127 {
        into.push(number as u8 | 128);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Where what holds changes.
fn runs<T: PartialEq>(usual: T, of: impl Fn(char) -> T, write: impl Fn(u32, &T, &mut Vec<u8>)) -> Vec<u8> {
    let (mut now, mut from, mut count, mut bytes) = (usual, 0, 0, Vec::new());
    for character in every() {
        let here = of(character);
        if here != now {
            write(u32::from(character) - from, &here, &mut bytes);
            (now, from, count) = (here, character.into(), count + 1);
        }
    }
    let mut all = Vec::new();
    number(count, &mut all);
    all.extend(bytes);
    all
}

fn mapping(of: impl Fn(char) -> Vec<char>, is_composed: impl Fn(char) -> bool) -> Vec<u8> {
    let (mut count, mut before, mut first) = (0, 0, 0_u32);
    let [mut characters, mut lengths, mut parts] = [const { Vec::new() }; 3];
    for character in every().filter(|character| !('\u{ac00}'..='\u{d7a3}').contains(character)) {
        let mapped = of(character);
        if mapped == [character] {
            continue;
        }
        count += 1;
        number(u32::from(character) - before, &mut characters);
        before = character.into();
        number(mapped.len() as u32 * 2 + u32::from(is_composed(character)), &mut lengths);
        let mut last = first;
        for &part in &mapped {
            let part = u32::from(part);
            number(last.abs_diff(part) * 2 + u32::from(part < last), &mut parts);
            last = part;
        }
        first = mapped[0].into();
    }
    let mut all = Vec::new();
    number(count, &mut all);
    [characters, lengths, parts].concat().into_iter().for_each(|byte| all.push(byte));
    all
}

fn packed() -> Vec<u8> {
    let class_number = |class: &Class| {
        [Class::Other, Class::Word, Class::Symbol, Class::Unseen].iter().position(|c| c == class)
    };
    let classes = runs(Class::Other, class_told, |distance, class, bytes| {
        number(distance * 4 + class_number(class).unwrap() as u32, bytes);
    });
    let orders = runs(0, canonical_combining_class, |distance, &order, bytes| {
        number(distance, bytes);
        number(order.into(), bytes);
    });
    let is_composed = |character: char| {
        let parts: String = character.nfd().collect();
        parts.chars().count() > 1 && parts.nfc().eq([character]) && character.nfkd().eq(parts.chars())
    };
    let decompositions = mapping(|character| std::iter::once(character).nfkd().collect(), is_composed);
    let folds = mapping(|character| std::iter::once(character).default_case_fold().collect(), |_| false);
    [classes, orders, decompositions, folds].concat()
}

#[test]
fn the_table_is_what_the_crates_say() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("table").join("unicode.bin");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, packed()).unwrap();
    }
    assert!(
        std::fs::read(&path).unwrap() == packed(),
        "table/unicode.bin is another: UPDATE_GOLDEN=1 writes it"
    );
}

#[test]
fn every_character_is_as_the_crates_say() {
    for character in every() {
        let one = || std::iter::once(character);
        assert_eq!(class(character), class_told(character), "{character:?}");
        assert!(decomposed(one()).into_iter().eq(one().nfkd()), "{character:?}");
        assert!(composed(one()).into_iter().eq(one().nfkc()), "{character:?}");
        assert!(folded(character).eq(one().default_case_fold()), "{character:?}");
        // What is folded is composed as it is: no decomposition by compatibility is left in it.
        let left = || one().nfkd().default_case_fold();
        assert!(composed(left()).into_iter().eq(left().nfc()), "{character:?}");
    }
}

/// Characters that go together, in any order: starters, marks of all orders, Hangul, what decomposes to several.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        any::<char>(),
        prop::char::range('\u{300}', '\u{36f}'),
        prop::char::range('\u{1100}', '\u{11ff}'),
        prop::char::range('\u{ac00}', '\u{ac40}'),
        prop::char::range('\u{900}', '\u{dff}'),
        prop::char::range('\u{1e00}', '\u{1fff}'),
        prop::char::range('\u{fb00}', '\u{fbff}'),
        prop::sample::select(
            "aeouAEOU\u{323}\u{302}\u{306}\u{345}\u{3b1}\u{1d157}\u{1d165}".chars().collect::<Vec<_>>()
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn texts_are_as_the_crates_say(text in prop::collection::vec(character(), 0..24)) {
        let text = || text.iter().copied();
        prop_assert!(decomposed(text()).into_iter().eq(text().nfkd()));
        prop_assert!(composed(text()).into_iter().eq(text().nfkc()));
        let left = || text().nfkd().default_case_fold();
        prop_assert!(composed(left()).into_iter().eq(left().nfc()));
    }

    #[test]
    fn what_may_not_compose_does_not(parts in prop::collection::vec(prop::collection::vec(character(), 0..4), 0..6)) {
        let parts: Vec<char> = parts.into_iter().flat_map(|part| composed(part.into_iter())).collect();
        if !may_compose(parts.iter().copied()) {
            prop_assert_eq!(composed(parts.iter().copied()), parts);
        }
    }
}
