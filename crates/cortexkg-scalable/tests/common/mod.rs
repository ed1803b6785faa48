//! Facts for the tests.
#![allow(dead_code, reason = "each test program uses its part")]

use std::path::Path;

use cortexkg::{Fact, FieldValue, GraphNode, KnowledgeGraph};

pub(crate) const DIMENSION: usize = 48;

pub(crate) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn unit(state: &mut u64) -> f32 {
    random(state) as f32 / 2_147_483_648.0 - 0.5
}

/// The direction of a thing, with a little noise.
pub(crate) fn embedding(thing: u64, noise: f32, state: &mut u64) -> Vec<f32> {
    let mut direction = thing.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 77;
    (0..DIMENSION).map(|_| unit(&mut direction) + noise * unit(state)).collect()
}

/// What people call a thing: two words of which few have both.
pub(crate) fn name(thing: u64) -> String {
    let mut state = thing.wrapping_mul(0xd134_2543_de82_ef95) ^ 5;
    let mut word = || -> String {
        (0..3 + random(&mut state) % 4)
            .map(|at| {
                let letters: &[u8] = if at % 2 == 0 { b"bcdfghklmnprst" } else { b"aeiou" };
                char::from(letters[random(&mut state) as usize % letters.len()])
            })
            .collect()
    };
    format!("{} {} {}", word(), word(), word())
}

/// A graph of so many things, each with a name and a vector.
pub(crate) fn graph(things: u64) -> KnowledgeGraph {
    let mut state = 11;
    let node = |thing| GraphNode {
        aliases: vec![name(thing)],
        embedding: Some(embedding(thing, 0.0, &mut state)),
        ..GraphNode::default()
    };
    KnowledgeGraph { nodes: (0..things).map(node).collect(), edges: Vec::new() }
}

/// Mentions of `things` things by their names, each with a vector near to that of its thing.
pub(crate) fn mentions(things: u64, count: usize, seed: u64) -> Vec<(u64, Fact)> {
    let mut state = seed;
    let mention = |at| {
        let thing = random(&mut state) % things;
        let vector = embedding(thing, 0.3, &mut state);
        (thing, Fact::text(name(thing)).with_id(format!("{seed} {at}")).with_embedding(vector))
    };
    (0..count).map(mention).collect()
}

/// The records of a data set that ships with the repository.
pub(crate) fn records(set: &str) -> Vec<Fact> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(set).join("records.csv");
    let mut reader = csv::Reader::from_path(&path).expect("the data ships with the repository");
    let header = reader.headers().expect("a header").clone();
    reader
        .records()
        .map(|row| {
            let row = row.expect("a row");
            let cells = header.iter().zip(&row).skip(1).filter(|(_, value)| !value.is_empty());
            let cells = cells.map(|(name, value)| (name, FieldValue::Text(value.to_owned())));
            Fact::record(cells).with_id(&row[0])
        })
        .collect()
}
