//! Graphs that leave and come back.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Graph, data};
use serde_json::json;

const TRIPLES: &str = "\
<http://e/ada> <http://e/knows> <http://e/charles> .
<http://e/ada> <http://e/name> \"Ada Lovelace\" .
<http://e/charles> <http://e/name> \"Charles Babbage\" .
";

fn restaurants() -> Graph {
    let graph = Graph::none();
    assert_eq!(
        graph.run(&["allocate", &data("fodors-zagats/records.csv"), "--source", "t", "--limit", "600"]).code,
        0
    );
    graph.json(&["merge", "n7", "n3"]);
    graph
}

fn people() -> Graph {
    let graph = Graph::none();
    let said =
        graph.with_input(&["allocate", "-", "--format", "ntriples", "--source", "t"], TRIPLES.as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
    graph
}

/// Where mentions belong, without what the decision was.
fn places(graph: &Graph) -> Vec<(String, String)> {
    let text = graph.run(&["assignments"]).out;
    let rows = text.lines().map(|row| row.split(',').map(str::to_owned).collect::<Vec<_>>());
    rows.map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// Edges of every node.
fn edges(graph: &Graph) -> Vec<String> {
    let file = graph.path("edges.csv");
    assert_eq!(graph.run(&["export", &file, "--table", "edges"]).code, 0);
    let mut rows: Vec<_> = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn a_ckg_is_the_same_graph() {
    let (graph, copy) = (restaurants(), Graph::none());
    graph.json(&["forget", "fact", "r000010"]);
    let file = graph.path("graph.ckg");
    assert!(graph.json(&["export", &file])["rows"].as_u64().unwrap() > 1200);
    let imported = copy.json(&["import", &file]);
    assert_eq!(imported["state_hash"].as_str().unwrap(), graph.state_hash());
    assert_eq!(copy.json(&["log"]), graph.json(&["log"]), "the log comes with it");
    assert_eq!(copy.run(&["verify"]).code, 0);
    let said = copy.run(&["import", &file]);
    assert_eq!(said.code, 2);
    said.tells(&["not empty"]);
    // The log goes on: what was forgotten comes back.
    let forget = graph.json(&["stats"])["position"].to_string();
    assert_eq!(copy.run(&["undo", &forget]).code, 0);
    assert_eq!(copy.json(&["stats"])["facts"], 600);
}

#[test]
fn a_damaged_ckg_makes_no_graph() {
    let (graph, copy) = (restaurants(), Graph::none());
    let file = graph.path("graph.ckg");
    graph.json(&["export", &file]);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let said = copy.run(&["import", &file]);
    assert_eq!(said.code, 1);
    said.tells(&["graph.ckg", "damaged"]);
    assert!(!std::path::Path::new(&copy.directory()).exists());
    std::fs::write(&file, b"something else").unwrap();
    assert_ne!(copy.run(&["import", &file]).code, 0);
}

#[test]
fn jsonl_brings_nodes_facts_edges_and_redirects_back() {
    for graph in [restaurants(), people()] {
        let copy = Graph::none();
        let file = graph.path("graph.jsonl");
        let exported = graph.json(&["export", &file]);
        let imported = copy.json(&["import", &file]);
        for what in ["nodes", "facts", "edges"] {
            assert_eq!(imported[what], exported[what], "{what}");
            assert_eq!(imported[what], graph.json(&["stats"])[what], "{what}");
        }
        assert_eq!(imported["rejected"], 0);
        assert_eq!(places(&copy), places(&graph));
        assert_eq!(edges(&copy), edges(&graph));
        assert_eq!(copy.json(&["stats"])["redirects"], graph.json(&["stats"])["redirects"]);
        assert_eq!(
            copy.json(&["facts", "n0"])["facts"][0]["recorded_s"],
            graph.json(&["facts", "n0"])["facts"][0]["recorded_s"]
        );
        assert_eq!(copy.run(&["verify"]).code, 0);
    }
}

/// An edge that a fact brought goes with it, also after a way through a file.
#[test]
fn edges_of_facts_stay_theirs() {
    let (graph, copy) = (people(), Graph::none());
    let file = graph.path("graph.jsonl");
    graph.json(&["export", &file]);
    copy.json(&["import", &file]);
    for graph in [&graph, &copy] {
        graph.json(&["forget", "fact", "1"]);
    }
    assert_eq!(edges(&copy), edges(&graph));
}

#[test]
fn other_formats_bring_nodes_and_edges_back() {
    let graph = people();
    for (name, args) in [
        ("g.nt", &[][..]),
        ("g.ttl", &[]),
        ("g.jsonld", &[]),
        ("g.graphml", &[]),
        ("nodes.csv", &["--table", "nodes"]),
    ] {
        let (copy, file) = (Graph::none(), graph.path(name));
        let exported = graph.json(&[&["export", &file], args].concat());
        let edges_file = graph.path("e.csv");
        graph.json(&["export", &edges_file, "--table", "edges"]);
        let with_edges: &[&str] = if name == "nodes.csv" { &["--edges", &edges_file] } else { &[] };
        let said = copy.run(&[&["import", &file, "--json"], with_edges].concat());
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        assert_eq!(said.report()["nodes"], exported["nodes"], "{name}");
        let edges = &graph.json(&["stats"])["edges"];
        assert_eq!(exported["edges"], if name == "nodes.csv" { json!(0) } else { edges.clone() }, "{name}");
        assert_eq!(copy.json(&["stats"])["edges"], *edges, "{name}");
        assert_eq!(copy.run(&["verify"]).code, 0, "{name}");
    }
}

#[test]
fn a_graph_that_is_there_gives_new_identifiers() {
    let (graph, copy) = (people(), people());
    let file = graph.path("g.jsonl");
    graph.json(&["export", &file]);
    let before = copy.json(&["stats"])["nodes"].as_u64().unwrap();
    // The same facts from the same source are there already.
    let said = copy.run(&["import", &file, "--json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(said.report()["rejected"], 3);
    let other = restaurants();
    let restaurants = other.json(&["stats"])["nodes"].as_u64().unwrap();
    let file = other.path("g.jsonl");
    other.json(&["export", &file]);
    let said = copy.run(&["import", &file, "--json"]);
    assert_eq!((said.code, said.report()["facts"].as_u64()), (0, Some(600)), "{}", said.err);
    assert_eq!(copy.json(&["stats"])["nodes"].as_u64(), Some(before + restaurants));
    assert_eq!(copy.run(&["verify"]).code, 0);
}

#[test]
fn the_past_can_be_exported() {
    let graph = people();
    let file = graph.path("past.jsonl");
    let exported = graph.json(&["export", &file, "--as-of", "0"]);
    assert_eq!((exported["nodes"].as_u64(), exported["facts"].as_u64()), (Some(2), Some(1)));
    assert_eq!(graph.run(&["export", &graph.path("x.ckg"), "--as-of", "0"]).code, 2);
}

#[test]
fn standard_output_and_wrong_usage() {
    let graph = people();
    let said = graph.run(&["export", "-", "--format", "turtle"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("Ada Lovelace"), "{}", said.out);
    assert_eq!(graph.run(&["export", "-"]).code, 2);
    assert_eq!(graph.run(&["export", "-", "--format", "turtle", "--json"]).code, 2);
    let said = graph.run(&["export", "graph.xyz"]);
    assert_eq!(said.code, 2);
    said.tells(&["graph.xyz", "--format"]);
    assert_eq!(graph.run(&["export", &graph.path("g.jsonl.gz")]).code, 2);
    assert_eq!(graph.run(&["export", &graph.path("g.nt"), "--base", "no base"]).code, 2);
    let none = Graph::none();
    assert_eq!(none.run(&["import", "/nonexistent.jsonl"]).code, 2);
    let broken = graph.path("broken.graphml");
    std::fs::write(&broken, "<graphml><graph>").unwrap();
    let said = none.run(&["import", &broken]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(!std::path::Path::new(&none.directory()).exists());
}
