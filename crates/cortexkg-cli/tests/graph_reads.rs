//! Commands that read a graph: what they print, for people and for programs.

#![allow(clippy::unwrap_used)]

mod common;

use common::Graph;
use serde_json::json;

const ROWS: &str = "\
id,name,address,city,phone
a,Arnie Morton's of Chicago,435 S. La Cienega Blvd.,Los Angeles,310/246-1501
b,Art's Delicatessen,12224 Ventura Blvd.,Studio City,818/762-1221
c,Hotel Bel-Air,701 Stone Canyon Rd.,Bel Air,310/472-1211
d,arnie mortons of chicago,435 s la cienega blvd,los angeles,310-246-1501
";

/// `a` and `d` are one node.
fn restaurants() -> Graph {
    let graph = Graph::of(ROWS);
    assert_eq!(graph.json(&["stats"])["nodes"], 3);
    graph
}

#[test]
fn get_shows_a_node() {
    let graph = restaurants();
    let node = graph.json(&["get", "n0"]);
    assert_eq!((&node["asked"], &node["id"], &node["position"]), (&json!(0), &json!(0), &json!(3)));
    assert_eq!(node["members"][1]["record_id"], "d");
    assert_eq!(node["members"][1]["source"], "t");
    assert!(node["label"].as_str().unwrap().contains("310"));
    assert!(node["properties"].as_array().unwrap().iter().any(|field| field[0] == "phone" && field[2] == 2));
    assert_eq!(graph.json(&["get", "0"]), node);
    let said = graph.run(&["get", "n0"]);
    for word in ["field", "members", "phone", "2", "member", "d"] {
        assert!(said.out.contains(word), "{word}");
    }
}

#[test]
fn facts_are_as_they_were_received() {
    let graph = restaurants();
    let facts = graph.json(&["facts", "n0"]);
    assert_eq!((&facts["asked"], &facts["node"]), (&json!(0), &json!(0)));
    let fact = &facts["facts"][1];
    assert_eq!((&fact["mention"], &fact["position"]), (&json!("d"), &json!(3)));
    assert!(fact["recorded_s"].as_i64().unwrap() > 1_600_000_000, "the clock is read");
    assert_eq!(fact["fact"]["content"]["record"][0]["value"], "arnie mortons of chicago");
    let said = graph.run(&["facts", "n0"]);
    assert!(said.out.contains("phone: 310-246-1501") && said.out.contains('Z'), "{}", said.out);
}

#[test]
fn neighbours_come_from_triples() {
    let graph = Graph::none();
    let triples = b"<http://e/ada> <http://e/knows> <http://e/charles> .\n";
    assert_eq!(
        graph.with_input(&["allocate", "-", "--format", "ntriples", "--source", "t"], triples).code,
        0
    );
    let found = graph.json(&["neighbours", "n0"]);
    let edge = &found["neighbours"][0];
    assert_eq!((&edge["from"], &edge["to"]), (&json!(0), &json!(1)));
    assert!(edge["predicate"].as_str().unwrap().contains("knows"));
    assert!(edge["label"].as_str().unwrap().contains("charles"));
    assert!(graph.run(&["neighbours", "n1"]).out.contains("n0"));
    // The two ends of a triple are explained each by itself.
    assert_eq!(graph.json(&["why", "1#o"])["result"]["allocated_node"], 1);
    assert_eq!(graph.json(&["why", "1#s"])["result"]["allocated_node"], 0);
    // An end is forgotten with its fact.
    assert_eq!(graph.json(&["forget", "fact", "1#o"])["facts"], 1);
    let said = restaurants().run(&["neighbours", "n0"]);
    assert_eq!(said.code, 0);
    said.tells(&["no edges"]);
}

#[test]
fn search_finds_nodes_by_what_they_say() {
    let graph = restaurants();
    let found = graph.json(&["search", "arnie morton", "--limit", "2"]);
    let best = &found["hits"][0];
    assert_eq!(best["node"], 0);
    assert!(best["score_bits"].as_f64().unwrap() > 0.0 && !best["matched"].as_array().unwrap().is_empty());
    assert!(graph.run(&["search", "delicatessen"]).out.contains("n1"));
    let said = graph.run(&["search", "xyzzy"]);
    assert_eq!(said.code, 0);
    said.tells(&["nothing was found"]);
    assert_eq!(graph.run(&["search", ""]).code, 2);
}

#[test]
fn decisions_are_explained() {
    let graph = restaurants();
    let why = graph.json(&["why", "d"]);
    assert_eq!((&why["source"], &why["result"]["decision"]), (&json!("t"), &json!("existing")));
    assert!(!why["candidates"][0]["votes"].as_array().unwrap().is_empty());
    let said = graph.run(&["why", "d"]);
    assert!(said.out.contains("existing → node n0") && said.out.contains("phone"), "{}", said.out);
    let not = graph.json(&["why-not", "d", "n1"]);
    assert_eq!((&not["asked"], &not["node"]), (&json!(1), &json!(1)));
    assert!(not["today"]["evidence_bits"].as_f64().unwrap() < 0.0);
    assert_eq!(graph.json(&["why-not", "d", "n0"])["verdict"], "belongs");
    assert_eq!(graph.json(&["why-not", "a", "n1"])["verdict"], "younger");
    let said = graph.run(&["why-not", "d", "n1"]);
    assert!(said.out.contains("What was decided") && said.out.contains("today"), "{}", said.out);
    let how = graph.json(&["how", "n0"]);
    let positions: Vec<_> =
        how["operations"].as_array().unwrap().iter().map(|o| o["position"].clone()).collect();
    assert_eq!(positions, [0, 3]);
    assert_eq!(how["leads_to"], 0);
}

#[test]
fn a_record_that_two_sources_have_must_be_told_apart() {
    let graph = restaurants();
    let other = b"id,name\na,Lion's Head\nz,Zorba\n";
    assert_eq!(graph.with_input(&["allocate", "-", "--source", "u"], other).code, 0);
    let said = graph.run(&["why", "a"]);
    assert_eq!(said.code, 2);
    said.tells(&["--source", "t, u"]);
    assert_eq!(graph.json(&["why", "a", "--source", "u"])["source"], "u");
    assert_eq!(graph.json(&["why", "z"])["source"], "u");
    let said = graph.run(&["why", "nobody"]);
    assert_eq!(said.code, 2);
    said.tells(&["no fact nobody"]);
    assert_eq!(graph.run(&["forget", "fact", "a"]).code, 2);
    assert_eq!(graph.json(&["forget", "fact", "a", "--source", "u"])["facts"], 1);
    assert_eq!(graph.json(&["why", "a"])["source"], "t");
    assert_eq!(graph.run(&["forget", "fact", "z"]).code, 0);
    assert_eq!(graph.run(&["forget", "fact", "z"]).code, 2);
}

#[test]
fn assignments_are_listed_as_they_stand() {
    let graph = restaurants();
    let said = graph.run(&["assignments"]);
    let rows: Vec<_> = said.out.lines().collect();
    assert_eq!(rows[0], "record_id,node_id,decision,confidence,margin,method,source");
    assert!(rows[4].starts_with("d,n0,existing,") && rows[4].ends_with(",t"), "{rows:?}");
    assert_eq!(rows.len(), 5);
    graph.json(&["merge", "n1", "n0"]);
    assert!(graph.run(&["assignments"]).out.contains("\nd,n1,existing,"), "through redirects");
    assert!(graph.run(&["assignments", "--as-of", "3"]).out.contains("\nd,n0,existing,"));
    let json = graph.run(&["assignments", "--json"]);
    let first: serde_json::Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["record_id"], &first["node"], &first["source"]),
        (&json!("a"), &json!(1), &json!("t"))
    );
    let path = graph.path("out.csv");
    assert_eq!(graph.run(&["assignments", "--out", &path]).code, 0);
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 5);
}

#[test]
fn stats_count_and_measure() {
    let graph = restaurants();
    let stats = graph.json(&["stats"]);
    for (name, count) in
        [("facts", 4), ("mentions", 4), ("nodes", 3), ("redirects", 0), ("forgotten", 0), ("position", 3)]
    {
        assert_eq!(stats[name], count, "{name}");
    }
    assert_eq!(stats["sources"], json!([["t", 4]]));
    assert_eq!(stats["state_hash"].as_str().unwrap().len(), 64);
    assert!(
        stats["config"].as_str().unwrap().contains("prior") || !stats["config"].as_str().unwrap().is_empty()
    );
    assert!(stats["memory_bytes"]["graph"].as_u64().unwrap() > 0);
    assert_eq!(stats["store"]["fact_rows"], 4);
    assert!(stats["store"]["file_bytes"].as_u64().unwrap() > 0);
    assert_eq!(stats["opening"]["repeated"], 4);
    assert!(stats["fields"].as_array().unwrap().iter().any(|field| field["name"] == "phone"));
    let then = graph.json(&["stats", "--as-of", "1"]);
    assert_eq!((&then["facts"], &then["nodes"], &then["position"]), (&json!(2), &json!(2), &json!(1)));
    assert!(then.get("state_hash").is_none(), "of the present only");
    let said = graph.run(&["stats"]);
    for word in ["facts", "nodes", "redirects", "state hash", "source"] {
        assert!(said.out.contains(word), "{word}");
    }
}

#[test]
fn the_log_can_be_read_in_parts() {
    let graph = restaurants();
    let log = graph.json(&["log"]);
    assert_eq!(log["end"], 4);
    assert_eq!(log["operations"].as_array().unwrap().len(), 4);
    assert_eq!(log["operations"][0]["operation"], "allocate");
    let positions = |args: &[&str]| -> Vec<u64> {
        let log = graph.json(&[&["log"], args].concat());
        log["operations"].as_array().unwrap().iter().map(|one| one["position"].as_u64().unwrap()).collect()
    };
    assert_eq!(positions(&["--last", "2"]), [2, 3]);
    assert_eq!(positions(&["--from", "1", "--to", "2"]), [1, 2]);
    assert_eq!(positions(&["--from", "1", "--last", "1"]), [3]);
    assert_eq!(positions(&["--to", "1"]), [0, 1]);
    assert_eq!(graph.run(&["log", "--from", "9"]).code, 2);
    assert_eq!(graph.run(&["log", "--last", "0"]).code, 2);
    assert!(graph.run(&["log"]).out.contains("d → existing n0"));
}

#[test]
fn the_past_can_be_read() {
    let graph = restaurants();
    graph.json(&["merge", "n1", "n2"]);
    graph.json(&["forget", "fact", "d"]);
    let members = |args: &[&str]| graph.json(args)["members"].as_array().unwrap().len();
    assert_eq!(members(&["get", "n1"]), 2);
    assert_eq!(members(&["get", "n1", "--as-of", "3"]), 1);
    assert_eq!(members(&["get", "n2", "--as-of", "3"]), 1);
    assert_eq!(members(&["get", "n0"]), 1);
    assert_eq!(members(&["get", "n0", "--as-of", "4"]), 2);
    assert_eq!(graph.json(&["facts", "n0", "--as-of", "2"])["facts"].as_array().unwrap().len(), 1);
    let then = graph.json(&["search", "bel-air", "--as-of", "3"]);
    assert!(then["hits"].as_array().unwrap().iter().any(|hit| hit["node"] == 2), "{then}");
    assert_eq!(graph.json(&["search", "bel-air"])["hits"][0]["node"], 1);
    assert_eq!(graph.json(&["neighbours", "n0", "--as-of", "3"])["position"], 3);
    let said = graph.run(&["get", "n2", "--as-of", "1"]);
    assert_eq!(said.code, 2);
    said.tells(&["n2", "operation 1"]);
    let said = graph.run(&["get", "n0", "--as-of", "99"]);
    assert_eq!(said.code, 2);
    said.tells(&["99"]);
}

#[test]
fn a_merged_node_leads_on_and_says_so() {
    let graph = restaurants();
    graph.json(&["merge", "n0", "n2"]);
    for command in ["get", "facts", "neighbours", "how"] {
        graph.run(&[command, "n2"]).tells(&["n2 leads to n0"]);
    }
    let node = graph.json(&["get", "n2"]);
    assert_eq!((&node["asked"], &node["id"], &node["merged"]), (&json!(2), &json!(0), &json!([2])));
}

#[test]
fn what_is_not_there_is_said() {
    let graph = restaurants();
    for (args, word) in [
        (&["get", "n99"][..], "no node n99"),
        (&["get", "x1"], "n17"),
        (&["facts", "99"], "no node n99"),
        (&["how", "n99"], "no node n99"),
        (&["why-not", "a", "n99"], "no node n99"),
    ] {
        let said = graph.run(args);
        assert_eq!(said.code, 2, "{args:?}");
        assert!(said.err.contains(word), "{args:?}: {}", said.err);
    }
    graph.json(&["forget", "node", "n1"]);
    let said = graph.run(&["get", "n1"]);
    assert_eq!(said.code, 2);
    said.tells(&["n1", "forgotten"]);
    let said = graph.run(&["why", "b"]);
    assert_eq!(said.code, 2);
    said.tells(&["b", "forgotten"]);
}

#[test]
fn reading_commands_need_a_graph() {
    let none = Graph::none();
    let empty = Graph::none();
    std::fs::create_dir(empty.directory()).unwrap();
    for args in [
        &["get", "n0"][..],
        &["facts", "n0"],
        &["neighbours", "n0"],
        &["search", "a"],
        &["assignments"],
        &["why", "a"],
        &["why-not", "a", "n0"],
        &["how", "n0"],
        &["stats"],
        &["log"],
        &["verify"],
        &["compact"],
        &["merge", "0", "1"],
        &["unmerge", "0"],
        &["split", "0", "a"],
        &["must-link", "a", "b"],
        &["cannot-link", "a", "b"],
        &["forget", "source", "t"],
        &["undo", "0"],
        &["backup", "/nonexistent/b"],
    ] {
        let said = common::cortexkg(args);
        assert_eq!(said.code, 2, "{args:?}");
        said.tells(&["--data DIR"]);
        for graph in [&none, &empty] {
            let said = graph.run(args);
            assert_eq!(said.code, 2, "{args:?}: {}", said.err);
            said.tells(&[&graph.directory(), "no"]);
        }
    }
    assert!(!std::path::Path::new(&none.directory()).exists());
    assert_eq!(std::fs::read_dir(empty.directory()).unwrap().count(), 0);
    for args in [&["demo"][..], &["completions", "bash"], &["score", "a", "b"]] {
        let said = none.run(args);
        assert_eq!(said.code, 2, "{args:?}");
        said.tells(&["--data"]);
    }
}

#[test]
fn every_command_helps_with_an_example() {
    for command in [
        "assignments",
        "backup",
        "cannot-link",
        "compact",
        "export",
        "facts",
        "forget",
        "get",
        "how",
        "import",
        "log",
        "merge",
        "must-link",
        "neighbours",
        "restore",
        "search",
        "split",
        "stats",
        "undo",
        "unmerge",
        "verify",
        "why",
        "why-not",
    ] {
        let said = common::cortexkg(&[command, "--help"]);
        assert_eq!(said.code, 0);
        for word in ["Example:", "--data", "--json", "cortexkg "] {
            assert!(said.out.contains(word), "{command}: {word}");
        }
    }
    let said = common::cortexkg(&["allocate", "--help"]);
    for word in ["--durability", "each", "batch", "none", "sync", "acknowledges nothing"] {
        assert!(said.out.contains(word), "{word}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let graph = Graph::of("id,name\na,Citrus\n");
    assert_eq!(graph.run(&["assignments", "--source", "t"]).out.lines().count(), 2);
    let said = graph.run(&["assignments", "--source", "nope"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    said.tells(&["nope", "`stats` lists the sources"]);
    let said = graph.run(&["search", "citrus", "--limit", "0"]);
    assert_eq!(said.code, 2);
    said.tells(&["--limit", "from 1 on"]);
}

/// Characters that turn the direction of a line are no way to show another node than there is.
#[test]
fn names_cannot_turn_a_line_around() {
    let graph = Graph::of("id,name\na,Citrus\u{202e}sutirC\n");
    for args in [
        &["search", "citrus"][..],
        &["get", "n0"],
        &["facts", "n0"],
        &["neighbours", "n0"],
        &["why", "a"],
        &["log"],
    ] {
        let said = graph.run(args);
        assert_eq!(said.code, 0, "{args:?}: {}", said.err);
        assert!(!said.out.contains('\u{202e}'), "{args:?}: {}", said.out);
    }
}
