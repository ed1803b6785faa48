//! Tables as Parquet, read by the library that others use, too.

#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod common;

use common::{nasty, restaurants, write};
use cortexkg_interchange::{InterchangeFormat, TableKind};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use parquet::record::{Field, Row};

fn rows(file: Vec<u8>) -> Vec<Row> {
    let reader =
        SerializedFileReader::new_with_options(bytes::Bytes::from(file), ReadOptionsBuilder::new().build());
    reader.unwrap().get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn field(row: &Row, name: &str) -> Field {
    row.get_column_iter().find(|(column, _)| *column == name).unwrap().1.clone()
}

/// A cell that is a list, as texts.
fn texts(row: &Row, name: &str) -> Vec<String> {
    match field(row, name) {
        Field::ListInternal(list) => list
            .elements()
            .iter()
            .map(|item| match item {
                Field::Str(text) => text.clone(),
                other => panic!("{name} holds {other}"),
            })
            .collect(),
        Field::Null => Vec::new(),
        other => panic!("{name} is {other}"),
    }
}

#[test]
fn tables_hold_every_value() {
    for graph in [restaurants(), nasty()] {
        let nodes = rows(write(InterchangeFormat::Parquet(TableKind::Nodes), &graph));
        assert_eq!(nodes.len(), graph.nodes.len());
        for (row, node) in nodes.iter().zip(&graph.nodes) {
            assert_eq!(field(row, "node_id"), Field::Str(node.id.to_string()));
            assert_eq!(texts(row, "node_aliases"), node.aliases);
            let redirects: Vec<_> = node.redirects.iter().map(ToString::to_string).collect();
            assert_eq!(texts(row, "node_redirects"), redirects);
            for property in node.properties.iter().filter(|property| !property.field.starts_with("field:")) {
                let column =
                    if property.field == "node_label" { "field:node_label" } else { &property.field };
                assert!(texts(row, column).contains(&property.value), "{property:?}");
            }
        }
        let edges = rows(write(InterchangeFormat::Parquet(TableKind::Edges), &graph));
        assert_eq!(edges.len(), graph.edges.len());
        for (row, edge) in edges.iter().zip(&graph.edges) {
            assert_eq!(field(row, "predicate"), Field::Str(edge.predicate.clone()));
            assert_eq!(field(row, "to"), Field::Str(edge.to.to_string()));
        }
    }
}

#[test]
fn facts_keep_their_types() {
    let graph = nasty();
    let facts = rows(write(InterchangeFormat::Parquet(TableKind::Facts), &graph));
    assert_eq!(facts.len(), graph.facts.len());
    assert_eq!(field(&facts[0], "fact_time_s"), Field::Long(i64::MIN));
    assert_eq!(field(&facts[0], "fact_confidence"), Field::Float(0.1));
    assert_eq!(field(&facts[1], "fact_confidence"), Field::Null);
    let Field::ListInternal(numbers) = field(&facts[0], "fact_embedding") else { panic!("a list") };
    let given = graph.facts[0].fact.embedding.as_ref().unwrap();
    for (number, given) in numbers.elements().iter().zip(given) {
        let Field::Float(number) = number else { panic!("a float") };
        assert_eq!(number.to_bits(), given.to_bits());
    }
    assert_eq!(texts(&facts[2], "text"), ["in a", "list"]);
    assert_eq!(texts(&facts[6], "empty list"), Vec::<String>::new());
    assert_ne!(field(&facts[6], "empty list"), Field::Null);
    assert_eq!(field(&facts[0], "empty list"), Field::Null);
    assert_eq!(field(&facts[9], "fact_subject_node"), Field::Str("n3".into()));
}
