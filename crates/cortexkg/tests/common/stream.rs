//! A stream of made-up facts: records with slips of the pen, names, and triples between them.

use cortexkg::{Fact, Term};

use super::Sequence;

const GIVEN: [&str; 12] = [
    "ada",
    "charles",
    "grace",
    "alan",
    "edsger",
    "barbara",
    "donald",
    "frances",
    "john",
    "katherine",
    "niklaus",
    "radia",
];
const FAMILY: [&str; 14] = [
    "lovelace", "babbage", "hopper", "turing", "dijkstra", "liskov", "knuth", "allen", "backus", "johnson",
    "wirth", "perlman", "mccarthy", "hamilton",
];
const CITIES: [&str; 6] = ["london", "arlington", "manchester", "rotterdam", "los angeles", "milwaukee"];
const FIRMS: [&str; 7] = [
    "Analytical Engines Ltd",
    "Eckert-Mauchly Computer Corporation",
    "National Physical Laboratory",
    "Burroughs",
    "Massachusetts Institute of Technology",
    "Digital Equipment",
    "Langley Research Center",
];
const RELATIONS: [&str; 3] = ["works for", "founded", "knows"];
/// Who can have said it.
pub(crate) const SOURCES: [&str; 3] = ["payroll", "census", "letters"];

/// How many different people there are.
const PEOPLE: usize = 90;

/// A person's name.
fn name(person: usize) -> String {
    format!("{} {}", GIVEN[person % 12], FAMILY[person * 5 % 14])
}

/// Letters change places, or one is missing.
fn slip(text: &str, random: &mut Sequence) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.below(letters.len().max(2) - 1);
    match random.below(2) {
        0 if letters.len() > 3 => drop(letters.remove(at)),
        _ if letters.len() > 1 => letters.swap(at, at + 1),
        _ => {}
    }
    letters.into_iter().collect()
}

/// A record of somebody.
pub(crate) fn record(random: &mut Sequence) -> Fact {
    let person = random.below(PEOPLE);
    let mut name = name(person);
    if random.below(4) == 0 {
        name = slip(&name, random);
    }
    let phone = format!("{:03}/{:03}-{:04}", 200 + person % 7, 300 + person, person * 7919 % 10_000);
    let mut fields = vec![("name", name), ("city", CITIES[person % 6].to_owned())];
    if random.below(3) > 0 {
        fields.push(("phone", phone));
    }
    if random.below(3) == 0 {
        fields.push((
            "born",
            format!("19{:02}-{:02}-{:02}", person % 80 + 10, person % 12 + 1, person % 28 + 1),
        ));
    }
    if random.below(8) == 0 {
        fields.push(("languages", format!("{}; {}", CITIES[random.below(6)], FIRMS[random.below(7)])));
    }
    Fact::record(fields)
}

/// Any fact.
pub(crate) fn fact(random: &mut Sequence) -> Fact {
    let mut fact = match random.below(10) {
        0..6 => record(random),
        6 | 7 => {
            let name = name(random.below(PEOPLE));
            Fact::text(if random.below(3) == 0 { slip(&name, random) } else { name })
        }
        _ => {
            let object: Term = match random.below(4) {
                0 => Term::Iri(format!("http://example.org/firm/{}", random.below(7))),
                1 => name(random.below(PEOPLE)).as_str().into(),
                _ => FIRMS[random.below(7)].into(),
            };
            Fact::triple(name(random.below(PEOPLE)).as_str(), RELATIONS[random.below(3)], object)
        }
    };
    if random.below(4) > 0 {
        fact = fact.with_source(SOURCES[random.below(3)]);
    }
    if random.below(5) == 0 {
        fact = fact.with_time_s(random.below(1_000_000_000) as i64).with_confidence(0.5);
    }
    fact
}

/// So many facts, named `f0`, `f1` and so on; one in eight brings no name.
pub(crate) fn facts(seed: u64, count: usize) -> Vec<Fact> {
    let mut random = Sequence(seed);
    let one = |at: usize| {
        let fact = fact(&mut random);
        if at % 8 == 5 { fact } else { fact.with_id(format!("f{at}")) }
    };
    (0..count).map(one).collect()
}
