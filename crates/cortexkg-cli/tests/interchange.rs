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
    let edges_before = copy.json(&["stats"])["edges"].as_u64().unwrap();
    // The same facts from the same source are there already.
    let said = copy.run(&["import", &file, "--json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(said.report()["rejected"], 3);
    said.tells(&["record 1", "is already in the graph", "cortexkg forget fact"]);
    said.tells(&["nodes were left out"]);
    let stats = copy.json(&["stats"]);
    assert_eq!(
        (&stats["nodes"], &stats["edges"]),
        (&json!(before), &json!(edges_before)),
        "nothing is made for them"
    );
    assert_eq!(copy.run(&["search", "Ada"]).out.lines().count(), 2, "the header and one node");
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

/// Facts that are new come in, in nodes of their own, beside those that are there already.
#[test]
fn only_what_is_new_is_taken() {
    let (all, copy) = (Graph::of("id,name\na,Citrus\nb,Spago\n"), Graph::of("id,name\na,Citrus\n"));
    let file = all.path("all.jsonl");
    all.json(&["export", &file]);
    let said = copy.run(&["import", &file, "--json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!((&said.report()["facts"], &said.report()["nodes"]), (&json!(1), &json!(1)));
    assert_eq!(copy.json(&["stats"])["nodes"], 2);
    assert_eq!(copy.run(&["verify"]).code, 0);
}

const LISTS: &str = "\
{\"id\":\"a\",\"name\":[\"Ann Smith\",\"Ann Smyth\"],\"city\":\"Rome\"}
{\"id\":\"b\",\"name\":\"Bob\",\"city\":\"Paris\"}
";

/// A list is so many values, and where they share a cell it is said.
#[test]
fn lists_leave_as_values() {
    let graph = Graph::none();
    assert_eq!(graph.with_input(&["allocate", "-", "--format", "jsonl"], LISTS.as_bytes()).code, 0);
    for format in ["ntriples", "turtle", "jsonld"] {
        let out = graph.run(&["export", "-", "--format", format]).out;
        assert!(out.contains("\"Ann Smith\"") && out.contains("\"Ann Smyth\""), "{format}: {out}");
    }
    for (name, table) in [("g.graphml", "nodes"), ("g.csv", "nodes"), ("f.csv", "facts")] {
        let file = graph.path(name);
        let said = graph.run(&["export", &file, "--table", table, "--json"]);
        assert_eq!(said.report()["cells_of_several"], 1, "{name}: {}", said.err);
        said.tells(&["note: 1 ", "several values", "JSON list"]);
        let text = std::fs::read_to_string(&file).unwrap().replace("\"\"", "\"").replace("&quot;", "\"");
        let is_joined =
            ["<", "\"", ",\r\n"].iter().any(|end| text.contains(&format!("Ann Smith; Ann Smyth{end}")));
        assert!(text.contains("Ann Smith") && !is_joined, "{name}: {text}");
        if table == "nodes" {
            let copy = Graph::none();
            copy.json(&["import", &file]);
            let again = copy.run(&["export", "-", "--format", "ntriples"]).out;
            assert!(again.contains("\"Ann Smyth\""), "{name}: {again}");
        }
    }
}

/// Values are plain texts: what RDF says beside them is counted.
#[test]
fn languages_and_datatypes_are_said_to_be_left_out() {
    let graph = Graph::none();
    let file = graph.path("g.ttl");
    let text = "<http://e/a> <http://e/motto> \"chat\"@en, \"chat\"@fr, \"plain\"; <http://e/born> \"1815\"^^<http://e/year> .";
    std::fs::write(&file, text).unwrap();
    let said = graph.run(&["import", &file, "--json"]);
    assert_eq!((said.code, &said.report()["untagged"]), (0, &json!(3)), "{}", said.err);
    said.tells(&["note: 3 literals", "language"]);
    // An export of ours loses nothing by it.
    let (people, copy) = (people(), Graph::none());
    let file = people.path("g.nt");
    people.json(&["export", &file]);
    assert_eq!(copy.json(&["import", &file])["untagged"], 0);
}

/// An export that was cut off at the end of a line is no whole graph.
#[test]
fn a_part_of_an_export_is_noticed() {
    let graph = people();
    let file = graph.path("g.jsonl");
    graph.json(&["export", &file]);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for kept in [lines.len() - 1, lines.len() - 2] {
        std::fs::write(&file, lines[..kept].join("\n")).unwrap();
        let said = Graph::none().run(&["import", &file]);
        assert_eq!(said.code, 3, "{}", said.err);
        said.tells(&["rejected:", "cut off"]);
        let said = Graph::none().run(&["allocate", &file]);
        assert_eq!(said.code, 3, "{}", said.err);
        said.tells(&["rejected:", "cut off"]);
    }
    let without_one: Vec<&str> = lines.iter().copied().filter(|line| !line.contains("\"edge\"")).collect();
    std::fs::write(&file, without_one.join("\n")).unwrap();
    let said = Graph::none().run(&["import", &file]);
    assert_eq!(said.code, 3);
    said.tells(&["cortexkg_graph_end", "get the file again"]);
    // Lines that do not say that they are an export need not end like one.
    std::fs::write(&file, lines[1..lines.len() - 1].join("\n")).unwrap();
    assert_eq!(Graph::none().run(&["import", &file]).code, 0);
}

#[test]
fn an_empty_file_is_no_graph() {
    let none = Graph::none();
    for name in ["e.jsonl", "e.nt", "e.ttl", "e.jsonld", "e.csv", "e.graphml", "e.ckg"] {
        let file = none.path(name);
        std::fs::write(&file, if name == "e.nt" { "# nothing\n\n" } else { "" }).unwrap();
        let said = none.run(&["import", &file]);
        assert_ne!(said.code, 0, "{name}");
        assert!(!said.err.contains("backup"), "{name}: {}", said.err);
        assert!(!std::path::Path::new(&none.directory()).exists(), "{name}");
    }
    none.run(&["import", &none.path("e.jsonl")]).tells(&["e.jsonl", "nothing in it"]);
    none.run(&["import", &none.path("e.ckg")]).tells(&["e.ckg", "get the file again"]);
}

/// What a killed process has left is cleared, and a graph that was never finished is none.
#[test]
fn what_was_left_behind_is_in_nobodys_way() {
    let graph = restaurants();
    let file = graph.path("g.ckg");
    graph.json(&["export", &file]);
    let backup = graph.path("backup");
    let left_over = |directory: &str| {
        std::fs::create_dir_all(directory).unwrap();
        for name in ["cortexkg.lock", "cortexkg.redb.new", "cortexkg.snapshot.partial"] {
            std::fs::write(format!("{directory}/{name}"), "half").unwrap();
        }
    };
    left_over(&backup);
    graph.json(&["backup", &backup]);
    let (restored, imported) = (Graph::none(), Graph::none());
    left_over(&restored.directory());
    left_over(&imported.directory());
    restored.json(&["restore", &backup]);
    imported.json(&["import", &file]);
    for copy in [&restored, &imported] {
        assert_eq!(copy.state_hash(), graph.state_hash());
        assert!(!std::path::Path::new(&format!("{}/cortexkg.redb.new", copy.directory())).exists());
    }
    // Somebody's file is not ours to pass over, nor is a graph.
    let other = Graph::none();
    std::fs::create_dir(other.directory()).unwrap();
    std::fs::write(format!("{}/notes.txt", other.directory()), "mine").unwrap();
    for command in [["restore", &backup], ["import", &file]] {
        other.run(&command).tells(&["not empty"]);
        restored.run(&command).tells(&["not empty: it holds a graph", "cortexkg verify"]);
    }
}

#[test]
fn a_compressed_ckg_is_unpacked_and_standard_input_read() {
    let graph = restaurants();
    let ckg = graph.path("g.ckg");
    graph.json(&["export", &ckg]);
    let bytes = std::fs::read(&ckg).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &bytes).unwrap();
    let gzip = gzip.finish().unwrap();
    let (zipped, cut) = (graph.path("g.ckg.gz"), graph.path("cut.ckg.gz"));
    std::fs::write(&zipped, &gzip).unwrap();
    std::fs::write(&cut, &gzip[..gzip.len() / 2]).unwrap();
    let copy = Graph::none();
    assert_eq!(copy.json(&["import", &zipped])["state_hash"], graph.state_hash());
    let none = Graph::none();
    none.run(&["import", &cut]).tells(&["cut.ckg.gz", "get the file again"]);
    assert!(!std::path::Path::new(&none.directory()).exists());
    let piped = Graph::none();
    let said = piped.with_input(&["import", "-", "--format", "ckg", "--json"], &bytes);
    assert_eq!(said.report()["state_hash"], graph.state_hash());
    let jsonl = graph.run(&["export", "-", "--format", "jsonl"]).out;
    let piped = Graph::none();
    let said = piped.with_input(&["import", "-", "--format", "jsonl", "--json"], jsonl.as_bytes());
    assert_eq!((said.code, &said.report()["facts"]), (0, &json!(600)), "{}", said.err);
    Graph::none().with_input(&["import", "-"], b"x").tells(&["--format"]);
}

/// A fact that the graph refuses for another reason leaves no node either, and no edge to one.
#[test]
fn refused_facts_leave_no_nodes_that_count() {
    let fact = |id: &str, embedding: &str| {
        format!("{{\"id\":\"{id}\",\"name\":\"{id}\",\"embedding\":{embedding}}}")
    };
    let graph = Graph::none();
    assert_eq!(graph.with_input(&["allocate", "-"], fact("a", "[1,0]").as_bytes()).code, 0);
    let file = graph.path("g.jsonl");
    let line = |id: &str, node: u64| {
        format!(
            "{{\"fact\":{},\"position\":{node},\"nodes\":[\"n{node}\"]}}\n",
            fact(id, "[1,0,0]").replace("\"id\"", "\"record_id\"")
        )
    };
    let nodes =
        "{\"node\":{\"id\":\"n0\",\"aliases\":[\"b\"]}}\n{\"node\":{\"id\":\"n1\",\"aliases\":[\"one\"]}}\n";
    let edge = "{\"edge\":{\"from\":\"n1\",\"predicate\":\"p\",\"to\":\"n0\"}}\n";
    std::fs::write(&file, format!("{nodes}{}{edge}", line("b", 0))).unwrap();
    let said = graph.run(&["import", &file, "--json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    said.tells(&["record b, field embedding: 3 dimensions, expected 2"]);
    assert_eq!(
        (&said.report()["nodes"], &said.report()["edges"]),
        (&json!(1), &json!(0)),
        "only what is known of n1"
    );
    assert_eq!(graph.json(&["stats"])["edges"], 0);
    assert_eq!(graph.run(&["verify"]).code, 0);
}
