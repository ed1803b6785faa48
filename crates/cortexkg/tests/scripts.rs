//! Texts of every script, and those that have no letter at all.

mod common;

use common::{allocate, engine};
use cortexkg::{Decision, Fact};

#[test]
fn every_script_is_text() {
    let longest = "ß".repeat(32 * 1024);
    let texts = [
        "محمد علي كلاي",
        "שלום עליכם",
        "株式会社朝日新聞社",
        "김치찌개 전문점",
        "हिन्दी साहित्य",
        "🦀🎉",
        "👩‍👩‍👧‍👦",
        "e\u{301}cole normale",
        "\u{202e}reversed\u{202c} order",
        "ﬁne ﬂour",
        "Ⅷ · ⅨX",
        "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
        "∀x∈ℝ",
        "\u{feff}with a mark",
        &longest,
    ];
    for (at, text) in texts.iter().enumerate() {
        let mut engine = engine();
        let first = allocate(&mut engine, Fact::text(*text));
        let other = texts[(at + 1) % texts.len()];
        assert_eq!(allocate(&mut engine, Fact::text(other)).decision, Decision::New, "{at}");
        let again = allocate(&mut engine, Fact::text(*text));
        assert_eq!(
            (again.decision, again.allocated_node),
            (Decision::Existing, first.allocated_node),
            "{at}"
        );
    }
    let mut engine = engine();
    let nodes = texts.map(|text| allocate(&mut engine, Fact::text(text)).allocated_node);
    assert!(nodes.is_sorted_by(|earlier, later| earlier < later), "{nodes:?}");
}

#[test]
fn a_word_of_the_greatest_length_takes_no_longer_than_others() {
    // Two words of 64 KiB that differ everywhere cost seconds if they are compared letter by letter.
    let word = |from: &[char]| from.iter().cycle().take(64 * 1024).collect::<String>();
    let mut engine = engine();
    allocate(&mut engine, Fact::record([("name", word(&['a', 'b', 'c']))]));
    let start = std::time::Instant::now();
    for letters in [['c', 'b', 'a'], ['b', 'a', 'c'], ['a', 'c', 'b']] {
        allocate(&mut engine, Fact::record([("name", word(&letters))]));
    }
    println!("three words of 64 KiB: {:?}", start.elapsed());
}

#[test]
fn composed_and_decomposed_are_the_same() {
    for (one, other) in [
        ("école", "e\u{301}cole"),
        ("김치", "\u{1100}\u{1175}\u{11b7}\u{110e}\u{1175}"),
        ("ﬁn", "fin"),
        ("Ａ１", "a1"),
    ] {
        let mut engine = engine();
        let first = allocate(&mut engine, Fact::text(one)).allocated_node;
        assert_eq!(allocate(&mut engine, Fact::text(other)).allocated_node, first, "{one} and {other}");
    }
}

#[test]
fn what_cannot_be_seen_is_no_difference() {
    for (one, other) in [
        ("cooperate", "co\u{ad}operate"),
        ("zero width", "zero wi\u{200b}dth"),
        ("می\u{200c}خواهم", "می\u{200c}خواهم\u{200f}"),
        ("left to right", "left\u{200e} to right"),
        ("wordjoiner", "word\u{2060}joiner"),
    ] {
        let mut engine = engine();
        let first = allocate(&mut engine, Fact::text(one)).allocated_node;
        let again = allocate(&mut engine, Fact::text(other));
        assert_eq!(again.allocated_node, first, "{one:?} and {other:?}");
    }
}

#[test]
fn signs_alone_are_taken() {
    for text in ["???", "$$$", "+", "#", "@", "...", "—"] {
        let mut engine = engine();
        for text in [text, "!!", text] {
            allocate(&mut engine, Fact::text(text));
        }
        allocate(&mut engine, Fact::text("a word"));
    }
}

#[test]
fn signs_alone_are_a_name() {
    for text in ["???", "$$$", "+", "#", "@", "...", "—"] {
        let mut engine = engine();
        allocate(&mut engine, Fact::text("a word"));
        let first = allocate(&mut engine, Fact::text(text));
        let again = allocate(&mut engine, Fact::text(text));
        assert_eq!(again.allocated_node, first.allocated_node, "{text}");
    }
}
