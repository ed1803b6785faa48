//! Out and back in: real data and data made to break things.

#![allow(clippy::unwrap_used)]

mod common;

use common::{canonical, nasty, read, redirects, restaurants, write};
use cortexkg::{AllocationEngine, EngineConfig, GraphEdge, NodeId};
use cortexkg_interchange::{ImportedGraph, InterchangeFormat, TableKind};

const GRAPHS: [InterchangeFormat; 5] = [
    InterchangeFormat::Jsonl,
    InterchangeFormat::NTriples,
    InterchangeFormat::Turtle,
    InterchangeFormat::JsonLd,
    InterchangeFormat::GraphMl,
];

#[test]
fn jsonl_loses_nothing() {
    for graph in [restaurants(), nasty()] {
        let file = write(InterchangeFormat::Jsonl, &graph);
        let (back, rejections) = read(InterchangeFormat::Jsonl, &file);
        assert_eq!(rejections, []);
        assert_eq!(back.nodes, graph.nodes);
        assert_eq!(back.edges, graph.edges);
        assert_eq!(back.facts.len(), graph.facts.len());
        for (back, fact) in back.facts.iter().zip(&graph.facts) {
            assert_eq!(back, fact);
            let bits = |fact: &cortexkg::Fact| -> Vec<u32> {
                let numbers = fact.embedding.iter().flatten().chain(&fact.confidence);
                numbers.map(|number| number.to_bits()).collect()
            };
            assert_eq!(bits(&back.fact), bits(&fact.fact), "{fact:?}");
        }
        assert_eq!(write(InterchangeFormat::Jsonl, &back), file);
    }
}

#[test]
fn every_graph_format_keeps_nodes_and_edges() {
    for graph in [restaurants(), nasty()] {
        for format in GRAPHS {
            let file = write(format, &graph);
            let (back, rejections) = read(format, &file);
            assert_eq!(rejections, [], "{format}");
            let mut expected = canonical(&graph);
            if matches!(
                format,
                InterchangeFormat::NTriples | InterchangeFormat::Turtle | InterchangeFormat::JsonLd
            ) {
                // A set of triples holds each once only where it is read into a set; here they stay.
                assert_eq!(back.edges.len(), graph.edges.len(), "{format}");
            }
            let mut found = canonical(&back);
            for graph in [&mut expected, &mut found] {
                graph.nodes.iter_mut().for_each(|node| node.properties.retain(|field| field.name != "@text"));
            }
            for (found, expected) in found.nodes.iter().zip(&expected.nodes) {
                assert_eq!(found, expected, "{format}");
            }
            assert_eq!(found, expected, "{format}");
            assert_eq!(redirects(&back), redirects(&graph), "{format}");
            let labels = |graph: &ImportedGraph| -> Vec<String> {
                graph.nodes.iter().map(|node| node.label.clone()).collect()
            };
            assert_eq!(labels(&back), labels(&graph), "{format}");
        }
    }
}

#[test]
fn tables_keep_nodes_and_edges() {
    for graph in [restaurants(), nasty()] {
        let (mut back, rejections) = {
            let format = InterchangeFormat::Csv(TableKind::Nodes);
            read(format, &write(format, &graph))
        };
        assert_eq!(rejections, []);
        let format = InterchangeFormat::Csv(TableKind::Edges);
        let (edges, rejections) = read(format, &write(format, &graph));
        assert_eq!(rejections, []);
        back.append(edges);
        assert_eq!(canonical(&back), canonical(&graph));
        assert_eq!(redirects(&back), redirects(&graph));
    }
}

#[test]
fn tables_of_facts_have_every_field() {
    let graph = nasty();
    let file = write(InterchangeFormat::Csv(TableKind::Facts), &graph);
    let mut reader = csv::Reader::from_reader(file.as_slice());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), graph.facts.len());
    assert_eq!(&rows[0][column("name")], "x");
    assert_eq!(&rows[0][column("source")], "a field");
    assert_eq!(&rows[0][column("fact_source")], "s\u{1}\"");
    assert_eq!(&rows[0][column("fact_time_s")], i64::MIN.to_string());
    assert_eq!(&rows[0][column("fact_node")], "n4");
    let numbers: Vec<f32> = serde_json::from_str(&rows[0][column("fact_embedding")]).unwrap();
    assert_eq!(numbers.len(), 8);
    assert_eq!(&rows[2][column("text")], "[\"in a\",\"list\"]");
    assert_eq!(&rows[6][column("text")], "[\"[\\\"x\\\"]\"]");
    assert_eq!(&rows[9][column("fact_subject")], "<i <>");
    assert_eq!(&rows[9][column("fact_object_node")], "n1");
}

#[test]
fn what_was_read_can_be_loaded() {
    let graph = restaurants();
    for format in GRAPHS {
        let (mut back, _) = read(format, &write(format, &graph));
        let mut engine = AllocationEngine::new(EngineConfig::default());
        engine.load_graph(&back.to_knowledge_graph().0).unwrap();
        assert_eq!(engine.node_count(), graph.nodes.len(), "{format}");
        assert_eq!(engine.edge_count(), canonical(&graph).edges.len(), "{format}");
        // A second time beside the first.
        back.renumber(NodeId(graph.nodes.last().unwrap().id.0 + 1));
        engine.load_graph(&back.to_knowledge_graph().0).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(engine.node_count(), 2 * graph.nodes.len(), "{format}");
    }
}

#[test]
fn renumbering_follows_redirects() {
    let mut graph = nasty();
    graph.edges = vec![GraphEdge { from: NodeId(2), predicate: "p".into(), to: NodeId(4) }];
    graph.renumber(NodeId(100));
    assert_eq!(graph.edges, [GraphEdge { from: NodeId(100), predicate: "p".into(), to: NodeId(101) }]);
    assert_eq!(graph.facts[10].mentions[1].1, NodeId(100));
    assert!(redirects(&graph).is_empty());
}

#[test]
fn the_same_graph_gives_the_same_bytes() {
    let graph = nasty();
    for format in GRAPHS {
        assert_eq!(write(format, &graph), write(format, &nasty()), "{format}");
    }
}
