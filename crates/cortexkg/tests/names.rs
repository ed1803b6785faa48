//! Names with nothing beside them but perhaps a category: no flood of nodes, no collapse.

use std::collections::BTreeMap;

use cortexkg::{Assignment, DurableEngine, EngineConfig, Fact, NodeId};
use cortexkg_store::{MemoryStore, Sync};

/// A choice that looks random and is not.
fn choice(seed: u64, of: usize) -> usize {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)) >> 33) % of as u64) as usize
}

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

/// Allocates records in batches and consolidates. Gives the node of each.
fn allocate(records: &[Meant]) -> Vec<NodeId> {
    let mut graph = DurableEngine::open(MemoryStore::default(), EngineConfig::default()).expect("opens");
    for batch in records.chunks(256) {
        let facts = batch.iter().map(|(_, fields)| Fact::record(fields.clone())).collect();
        let results = graph.allocate_batch(facts, Sync::Durable).expect("stored");
        assert!(results.iter().all(Result::is_ok));
    }
    graph.consolidate().expect("consolidated");
    let mut nodes = Vec::with_capacity(records.len());
    let mut note = |assignment: &Assignment| {
        nodes.push(assignment.node);
        Ok(())
    };
    graph.view(None).expect("now").assignments(&mut note).expect("there");
    nodes
}

/// Share of those in the same node that mean the same, and of those that mean the same that are in the same node, averaged over mentions.
fn b_cubed(records: &[Meant], nodes: &[NodeId]) -> (f64, f64) {
    let (mut by_node, mut by_meaning, mut by_both) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for ((meaning, _), node) in records.iter().zip(nodes) {
        *by_node.entry(node).or_insert(0.0) += 1.0;
        *by_meaning.entry(meaning).or_insert(0.0) += 1.0;
        *by_both.entry((node, meaning)).or_insert(0.0) += 1.0;
    }
    let (mut precision, mut recall) = (0.0, 0.0);
    for ((node, meaning), both) in by_both {
        let both: f64 = both;
        precision += both * both / by_node[node];
        recall += both * both / by_meaning[meaning];
    }
    (precision / records.len() as f64, recall / records.len() as f64)
}

fn distinct(nodes: &[NodeId]) -> usize {
    nodes.iter().collect::<std::collections::BTreeSet<_>>().len()
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
        let (precision, recall) = b_cubed(&records, &allocate(&records));
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
    let records: Vec<Meant> = (0..6000)
        .map(|at| {
            let meant = choice(at, all.len());
            (meant, vec![("name", all[meant].to_owned())])
        })
        .collect();
    let (precision, recall) = b_cubed(&records, &allocate(&records));
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
    let (precision, recall) = b_cubed(&records, &allocate(&records));
    assert!(precision > 0.999 && recall > 0.999, "{precision} {recall}");
}

#[test]
fn names_that_come_once_are_things_of_their_own() {
    let records: Vec<Meant> = (0..3000).map(|at| (at as usize, vec![("name", name(at))])).collect();
    let nodes = allocate(&records);
    assert!(distinct(&nodes) > 2980, "{}", distinct(&nodes));
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
    let (precision, recall) = b_cubed(&records, &allocate(&records));
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
        at.map(|at| nodes[at]).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(of(true).intersection(&of(false)).count(), 0);
}

#[test]
fn a_stream_of_a_few_near_names_ends_as_so_many_things() {
    for names in [&["maria", "mario"][..], &["maria", "mario", "marie", "marina", "mariah"]] {
        let records: Vec<Meant> = (0..2000)
            .map(|at| {
                let meant = choice(at, names.len());
                (meant, vec![("name", names[meant].to_owned())])
            })
            .collect();
        let (precision, recall) = b_cubed(&records, &allocate(&records));
        assert!(precision > 0.99 && recall > 0.99, "{names:?}: {precision} {recall}");
    }
}
