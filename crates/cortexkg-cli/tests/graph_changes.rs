//! Commands that change a graph, and taking back what they did.

#![allow(clippy::unwrap_used)]

mod common;

use common::Graph;
use serde_json::json;

const ROWS: &str = "\
id,name,city,phone
a,Arnie Morton's of Chicago,Los Angeles,310/246-1501
b,Art's Delicatessen,Studio City,818/762-1221
c,Hotel Bel-Air,Bel Air,310/472-1211
d,arnie mortons of chicago,los angeles,310-246-1501
";

/// Everything that a reader sees of the graph's membership.
fn assignments(graph: &Graph) -> String {
    graph.run(&["assignments"]).out
}

#[test]
fn a_pin_is_an_operation_like_others() {
    let graph = Graph::of(ROWS);
    let pin = graph.json(&["pin", "n1"]);
    assert_eq!((&pin["operation"], &pin["nodes"]), (&json!("pin"), &json!([1])));
    let said = graph.run(&["pin", "1"]);
    assert_eq!(said.code, 2);
    said.tells(&["n1 is pinned already"]);
    assert_eq!(graph.json(&["undo", &pin["position"].to_string()])["operation"], "unpin");
    graph.run(&["pin", "n1", "--off"]).tells(&["n1 is not pinned"]);
    assert_eq!(graph.run(&["pin", "n99"]).code, 2);
    assert_eq!(graph.run(&["verify"]).code, 0);
    assert_eq!(graph.json(&["stats"])["layers"]["hnsw"]["above_nodes"], 8192);
}

#[test]
fn a_merge_is_taken_back_by_unmerge_or_undo() {
    let graph = Graph::of(ROWS);
    let before = assignments(&graph);
    let merge = graph.json(&["merge", "n0", "n1"]);
    assert_eq!(
        (&merge["position"], &merge["operation"], &merge["nodes"]),
        (&json!(4), &json!("merge"), &json!([0, 1]))
    );
    assert_ne!(assignments(&graph), before);
    assert_eq!(graph.run(&["merge", "n0", "n1"]).code, 2, "one already");
    let unmerge = graph.json(&["unmerge", "n1"]);
    assert_eq!((&unmerge["operation"], &unmerge["undoes"]), (&json!("unmerge"), &json!(4)));
    assert_eq!(assignments(&graph), before);
    assert_eq!(graph.run(&["unmerge", "n1"]).code, 2);
    let said = graph.run(&["merge", "n1", "n2"]);
    assert!(said.out.contains("cortexkg undo 6"), "{}", said.out);
    assert_eq!(graph.json(&["undo", "6"])["undoes"], 6);
    assert_eq!(assignments(&graph), before);
    let said = graph.run(&["undo", "6"]);
    assert_eq!(said.code, 2);
    said.tells(&["taken back already", "7"]);
    assert_eq!(graph.run(&["undo", "99"]).code, 2);
    assert_eq!(graph.run(&["verify"]).code, 0);
}

#[test]
fn a_split_gives_a_new_node() {
    let graph = Graph::of(ROWS);
    let before = assignments(&graph);
    let split = graph.json(&["split", "n0", "d"]);
    assert_eq!((&split["new"], &split["operation"]), (&json!(3), &json!("split")));
    assert!(assignments(&graph).contains("\nd,n3,"));
    let said = graph.run(&["split", "n0", "b"]);
    assert_eq!(said.code, 2);
    said.tells(&["b", "no member of node n0"]);
    assert_eq!(graph.run(&["split", "n0", "a"]).code, 2, "nothing would stay");
    assert_eq!(graph.run(&["split", "n0"]).code, 2);
    graph.json(&["undo", "4"]);
    assert_eq!(assignments(&graph), before);
    assert_eq!(graph.run(&["verify"]).code, 0);
}

#[test]
fn what_is_said_of_two_records_holds_from_then_on() {
    let graph = Graph::of(ROWS);
    let before = assignments(&graph);
    let must = graph.json(&["must-link", "a", "c"]);
    assert_eq!(
        (&must["position"], &must["operation"], &must["repair"]),
        (&json!(5), &json!("must-link"), &json!(4))
    );
    assert!(assignments(&graph).contains("\nc,n0,"));
    let said = graph.run(&["unmerge", "n2"]);
    assert_eq!(said.code, 2);
    said.tells(&["must-link", "operation 5", "undo 5"]);
    assert_eq!(graph.run(&["cannot-link", "c", "a"]).code, 2);
    assert_eq!(graph.run(&["must-link", "a", "c"]).code, 2, "said before");
    let said = graph.run(&["undo", "5"]);
    assert!(said.out.contains("unlink"), "{}", said.out);
    assert_eq!(assignments(&graph), before);
    let cannot = graph.run(&["cannot-link", "d", "a", "--source", "t"]);
    assert!(cannot.out.contains("cannot-link") && cannot.out.contains("cortexkg undo"), "{}", cannot.out);
    assert!(assignments(&graph).contains("\nd,n3,"));
    let said = graph.run(&["merge", "n0", "n3"]);
    assert_eq!(said.code, 2);
    said.tells(&["cannot-link", "operation 9"]);
    let log = graph.run(&["log"]).out;
    for word in ["must-link", "cannot-link", "unlink", "split by operation 8"] {
        assert!(log.contains(word), "{word}: {log}");
    }
    let said = graph.run(&["must-link", "a", "nobody"]);
    assert_eq!(said.code, 2);
    said.tells(&["nobody"]);
    assert_eq!(graph.run(&["must-link", "a"]).code, 2);
    assert_eq!(graph.run(&["verify"]).code, 0);
}

#[test]
fn forgetting_can_be_undone_until_compaction() {
    let graph = Graph::of(ROWS);
    let before = assignments(&graph);
    let said = graph.run(&["forget", "fact", "b"]);
    assert!(
        said.out.contains("1 fact forgotten") && said.out.contains("until `cortexkg compact`"),
        "{}",
        said.out
    );
    assert!(!assignments(&graph).contains("\nb,"));
    graph.json(&["undo", "4"]);
    assert_eq!(assignments(&graph), before);
    assert_eq!(graph.json(&["forget", "node", "n0"])["facts"], 2);
    assert_eq!(graph.json(&["forget", "source", "t"])["facts"], 2);
    assert_eq!(graph.run(&["forget", "source", "t"]).code, 2, "nothing is left of it");
    assert_eq!(graph.run(&["forget", "fact"]).code, 2);
    assert_eq!(graph.run(&["forget"]).code, 2);
    graph.json(&["undo", "7"]);
    graph.json(&["undo", "6"]);
    assert_eq!(assignments(&graph), before);
}

/// After a compaction no byte of what was forgotten is in the directory.
#[test]
fn compaction_leaves_nothing_of_what_was_forgotten() {
    let rows = format!("{ROWS}e,Zyxwvut Quellenhof,Xanadu Springs,777/555-0199\n");
    let graph = Graph::of(&rows);
    // In the snapshot, too.
    graph.json(&["compact"]);
    let holds = |word: &str| {
        graph.bytes().to_ascii_lowercase().windows(word.len()).any(|part| part == word.as_bytes())
    };
    let words = ["zyxwvut", "quellenhof", "xanadu", "777/555"];
    assert!(words.iter().all(|word| holds(word)), "the words are there to begin with");
    graph.json(&["forget", "fact", "e"]);
    let compacted = graph.json(&["compact"]);
    assert_eq!(compacted["facts"], 1);
    for word in words {
        assert!(!holds(word), "{word}");
    }
    assert!(holds("delicatessen"));
    assert_eq!(graph.state_hash(), compacted["state_hash"].as_str().unwrap());
    let said = graph.run(&["undo", "6"]);
    assert_eq!(said.code, 2);
    said.tells(&["compacted away"]);
    assert_eq!(graph.run(&["verify"]).code, 0);
    // The graph goes on: the record may come again.
    let said = graph.with_input(&["allocate", "-", "--source", "t", "--json"], rows.as_bytes());
    assert_eq!((said.counts(), said.report()["repeated"].as_u64()), ((1, 0), Some(4)));
}

#[test]
fn compaction_tells_what_it_did() {
    let graph = Graph::of(ROWS);
    graph.json(&["forget", "source", "t"]);
    let said = graph.run(&["compact"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("facts gone") && said.out.contains('4'), "{}", said.out);
    assert_eq!(graph.json(&["stats"])["nodes"], 0);
}
