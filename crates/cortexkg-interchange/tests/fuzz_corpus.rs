//! Every input in `fuzz/corpus` goes through the function that its fuzz target calls.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use cortexkg_interchange::{InterchangeFormat, TableKind, drain};

fn replay(target: &str, format: InterchangeFormat) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut elements = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        let first = drain(&data, format);
        assert_eq!(first, drain(&data, format), "{}", path.display());
        elements += first.elements;
    }
    assert!(elements > 0, "no graph in {}", folder.display());
}

#[test]
fn jsonl() {
    replay("import_jsonl", InterchangeFormat::Jsonl);
}

#[test]
fn nodes() {
    replay("import_nodes", InterchangeFormat::Csv(TableKind::Nodes));
}

#[test]
fn edges() {
    replay("import_edges", InterchangeFormat::Csv(TableKind::Edges));
}

#[test]
fn ntriples() {
    replay("import_ntriples", InterchangeFormat::NTriples);
}

#[test]
fn turtle() {
    replay("import_turtle", InterchangeFormat::Turtle);
}

#[test]
fn jsonld() {
    replay("import_jsonld", InterchangeFormat::JsonLd);
}

#[test]
fn graphml() {
    replay("import_graphml", InterchangeFormat::GraphMl);
}
