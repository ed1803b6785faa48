//! People that never were, and how they are spoken of.

use crate::random::Random;

const SYLLABLES: [&str; 20] = [
    "ba", "del", "fin", "gor", "hal", "jen", "ka", "lin", "mor", "na", "o", "per", "qui", "ras", "sta",
    "tor", "u", "vel", "win", "zan",
];
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";

/// One name of a field and what is in it.
pub(crate) type Written = (&'static str, String);

/// Which of the fields may be written otherwise: all but the date of birth.
const CARELESS: [&str; 3] = ["name", "city", "phone"];

/// What is true of a person.
pub(crate) fn person(number: u64, seed: u64) -> Vec<Written> {
    let mut draw = Random::new(seed, number);
    let name = format!("{} {}", word(20 + skewed(&mut draw, 8_000)), word(420 + skewed(&mut draw, 260_000)));
    let kind = draw.one_of(&["hill", "bridge", "on sea", "green"]);
    let city = format!("{} {kind}", word(skewed(&mut draw, 20_000)));
    let phone = format!("0{:09}", draw.below(1_000_000_000));
    let birth = format!("19{:02}-{:02}-{:02}", draw.below(90) + 10, draw.below(12) + 1, draw.below(28) + 1);
    vec![("name", name), ("city", city), ("phone", phone), ("birth", birth)]
}

/// What becomes of it when the person is spoken of again: one field is missing or has one slip, and in one case of four a second one.
pub(crate) fn spoken_of_again(fields: &mut Vec<Written>, draw: &mut Random) {
    let times = if draw.below(4) == 0 { 2 } else { 1 };
    for _ in 0..times {
        let careless: Vec<usize> = (0..fields.len()).filter(|&at| CARELESS.contains(&fields[at].0)).collect();
        let at = *draw.one_of(&careless);
        if draw.below(2) == 0 {
            fields.remove(at);
        } else {
            slip(&mut fields[at].1, draw);
        }
    }
}

/// One slip of the pen in a text of ASCII: a letter left out, twice, in the place of its neighbour, or another one for it.
fn slip(text: &mut String, draw: &mut Random) {
    if text.len() < 2 {
        return;
    }
    let at = draw.below(text.len() as u64 - 1) as usize;
    let mut bytes = std::mem::take(text).into_bytes();
    match draw.below(4) {
        0 => drop(bytes.remove(at)),
        1 => bytes.insert(at, bytes[at]),
        2 => bytes.swap(at, at + 1),
        _ => {
            let others = if bytes[at].is_ascii_digit() { DIGITS } else { LETTERS };
            bytes[at] = *draw.one_of(others);
        }
    }
    text.extend(bytes.into_iter().map(char::from));
}

/// Small numbers more often than large ones.
fn skewed(draw: &mut Random, bound: u64) -> u64 {
    let limit = 1 + draw.below(bound);
    draw.below(limit)
}

/// A word of its own for every number.
fn word(mut number: u64) -> String {
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[(number % 20) as usize]);
        number /= 20;
        if number == 0 {
            return word;
        }
        number -= 1;
    }
}
