//! Names with nothing beside them but perhaps a category: no flood of nodes, no collapse.

mod common;

use std::collections::BTreeSet;

use common::choice;
use common::score::{Score, consolidated};
use cortexkg::{Fact, NodeId};

/// A name of two words.
fn name(seed: u64) -> String {
    let word = |salt: u64, syllables: u64| -> String {
        let syllable = |at| {
            let letter = |kind: &[u8], salt| kind[choice(seed * 64 + salt + 2 * at, kind.len())] as char;
            [letter(b"bdfgklmnprstvz", salt), letter(b"aeiou", salt + 1)]
        };
        (0..syllables).flat_map(syllable).collect()
    };
    format!("{} {}", word(0, 3), word(16, 4))
}

/// A name with a letter left out, mistaken or swapped with the next.
fn slip(name: &str, seed: u64) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = 1 + choice(seed, letters.len() - 2);
    match choice(seed ^ 0x5117, 3) {
        0 => drop(letters.remove(at)),
        1 => letters[at] = (b'a' + choice(seed ^ 0x1e77e5, 26) as u8) as char,
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}

/// What a record means, and its fields.
type Meant = (usize, Vec<(&'static str, String)>);

/// Mentions of names by nothing else, each as often as any.
fn mentions_of(names: &[&str], count: u64) -> Vec<Meant> {
    let mention = |at| {
        let meant = choice(at, names.len());
        (meant, vec![("name", names[meant].to_owned())])
    };
    (0..count).map(mention).collect()
}

/// Allocates records and consolidates. Gives the node of each.
fn allocate(records: &[Meant]) -> Vec<NodeId> {
    let fact = |(at, (_, fields)): (usize, &Meant)| Fact::record(fields.clone()).with_id(at.to_string());
    consolidated(records.iter().enumerate().map(fact).collect())
}

/// B-cubed precision and recall of what comes of records.
fn b_cubed(records: &[Meant]) -> (f64, f64) {
    let meant: Vec<String> = records.iter().map(|(meant, _)| meant.to_string()).collect();
    let meant: Vec<&str> = meant.iter().map(|meant| &**meant).collect();
    let [precision, recall, _] = Score::of(&allocate(records), &meant).b_cubed;
    (precision, recall)
}

#[test]
fn slips_of_names_that_come_often_go_with_them() {
    for with_category in [false, true] {
        let names: Vec<String> = (0..60).map(name).collect();
        let records: Vec<Meant> = (0..3000)
            .map(|at| {
                let meant = choice(at, names.len());
                let is_right = choice(at ^ 0x5_1195, 2) == 0;
                let text = if is_right { names[meant].clone() } else { slip(&names[meant], at) };
                let mut fields = vec![("name", text)];
                if with_category {
                    fields.push(("kind", ["new", "old", "used"][choice(at ^ 0xca7, 3)].to_owned()));
                }
                (meant, fields)
            })
            .collect();
        let (precision, recall) = b_cubed(&records);
        assert!(precision > 0.99 && recall > 0.8, "{with_category}: {precision} {recall}");
    }
}

#[test]
fn names_that_are_near_and_come_often_stay_apart() {
    // Each differs from the next by a letter.
    let names = [
        "ann", "anna", "hanna", "hannah", "johan", "johann", "marta", "martha", "carl", "karl", "carla",
        "karla",
    ];
    let others: Vec<String> =
        (0..200).map(|at| name(at).split(' ').next_back().unwrap_or_default().to_owned()).collect();
    let all: Vec<&str> = names.iter().copied().chain(others.iter().map(|name| &**name)).collect();
    let (precision, recall) = b_cubed(&mentions_of(&all, 6000));
    assert!(precision > 0.97 && recall > 0.999, "{precision} {recall}");
}

#[test]
fn codes_are_one_thing_where_they_are_the_same() {
    let records: Vec<Meant> = (0..4000)
        .map(|at| {
            let meant = choice(at, 600);
            (meant, vec![("code", format!("A{}", 1000 + 3 * meant))])
        })
        .collect();
    let (precision, recall) = b_cubed(&records);
    assert!(precision > 0.999 && recall > 0.999, "{precision} {recall}");
}

#[test]
fn names_that_come_once_are_things_of_their_own() {
    let records: Vec<Meant> = (0..3000).map(|at| (at as usize, vec![("name", name(at))])).collect();
    let nodes: BTreeSet<NodeId> = allocate(&records).into_iter().collect();
    assert!(nodes.len() > 2980, "{}", nodes.len());
}

#[test]
fn where_all_fields_are_categories_the_finest_names_things() {
    let records: Vec<Meant> = (0..2000)
        .map(|at| {
            let meant = choice(at, 12);
            let state = ["on", "off", "failed"][choice(at ^ 0x57a7e, 3)].to_owned();
            (meant, vec![("sensor", format!("sensor {}", meant + 1)), ("state", state)])
        })
        .collect();
    let (precision, recall) = b_cubed(&records);
    assert!(precision > 0.98 && recall > 0.98, "{precision} {recall}");
}

#[test]
fn a_record_of_which_little_is_known_joins_no_one_who_has_more() {
    let city = |seed| ["Berlin", "Hamburg", "Paris", "Rome", "Oslo"][choice(seed, 5)].to_owned();
    // Every tenth record has nothing but the city.
    let records: Vec<Meant> = (0..3000)
        .map(|at| {
            let meant = choice(at, 400);
            if at % 10 == 0 {
                return (400 + meant, vec![("city", city(meant as u64))]);
            }
            let phone = format!("{:08}", meant * 7_919 % 100_000_000);
            (meant, vec![("name", name(meant as u64)), ("city", city(meant as u64)), ("phone", phone)])
        })
        .collect();
    let nodes = allocate(&records);
    let of = |is_bare: bool| {
        let at = (0..records.len()).filter(move |at| (at % 10 == 0) == is_bare);
        at.map(|at| nodes[at]).collect::<BTreeSet<_>>()
    };
    assert_eq!(of(true).intersection(&of(false)).count(), 0);
}

#[test]
fn a_stream_of_a_few_near_names_ends_as_so_many_things() {
    for names in [&["maria", "mario"][..], &["maria", "mario", "marie", "marina", "mariah"]] {
        let (precision, recall) = b_cubed(&mentions_of(names, 2000));
        assert!(precision > 0.99 && recall > 0.99, "{names:?}: {precision} {recall}");
    }
}
