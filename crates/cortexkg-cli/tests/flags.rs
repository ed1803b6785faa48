//! Features turned on and off, of a graph that lies still and of one that is being written.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Graph, Stream};

const ROWS: &str = "id,name,city\na,Citrus Grill,Los Angeles\nb,Art's Delicatessen,Studio City\nc,citrus grill,los angeles\n";

fn row(at: usize) -> String {
    format!("r{at},Somebody {at},Anywhere\n")
}

#[test]
fn flags_of_a_graph_that_lies_still() {
    let graph = Graph::of(ROWS);
    assert_eq!(graph.json(&["flags"])["flags"]["hnsw_indexing"], "on");
    let told = graph.json(&["flags", "hnsw_indexing=30%,adaptive_quantization=on"]);
    assert_eq!((&told["flags"]["hnsw_indexing"], &told["is_online"]), (&"30%".into(), &false.into()));
    let layers = &graph.json(&["stats"])["layers"];
    assert_eq!(
        (&layers["hnsw"]["percent_of_facts"], &layers["quantization"]["finest"]),
        (&30.into(), &"q8".into())
    );
    let log = graph.run(&["log"]);
    assert!(
        log.out.contains("percent_of_facts 100 → 30, quantization on: set by `cortexkg flags`"),
        "{}",
        log.out
    );
    // Another run leaves them as they are, and so does one that sets something else.
    graph.with_input(
        &["allocate", "-", "--source", "t", "--set", "hnsw_config.ef_search=77"],
        b"id,name\nz,Zoe\n",
    );
    let layers = &graph.json(&["stats"])["layers"];
    assert_eq!((&layers["hnsw"]["percent_of_facts"], &layers["hnsw"]["ef_search"]), (&30.into(), &77.into()));
    let said = graph.run(&["flags"]);
    assert!(said.out.contains("hnsw_indexing") && !said.out.contains("multi_tier"), "{}", said.out);
    for (flags, parts) in [
        ("hnsw=on", &["no feature", "hnsw_indexing"][..]),
        ("hnsw_indexing=200%", &["200%", "0% to 100%"]),
        ("adaptive_quantization=5%", &["cannot be on for 5%"]),
        ("multi_tier_cache=off", &["running process", "--set enable_multi_tier_cache"]),
        ("on", &["is no flag"]),
    ] {
        let said = graph.run(&["flags", flags]);
        assert_eq!(said.code, 2, "{flags}: {}", said.err);
        said.tells(parts);
    }
    assert_eq!(graph.run(&["verify"]).code, 0);
}

#[test]
fn flags_of_a_graph_that_is_being_written() {
    let graph = Graph::none();
    let mut stream = Stream::begin(&graph.directory(), &["--source", "t", "--durability", "each"]);
    stream.write(ROWS);
    stream.wait_for_rows(3);
    let child = Command::new(env!("CARGO_BIN_EXE_cortexkg"))
        .args(["flags", "hnsw_indexing=off,multi_tier_cache=off", "--json", "--data", &graph.directory()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let requests = Path::new(&graph.directory()).join("requests");
    while std::fs::read_dir(&requests).map_or(0, Iterator::count) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    (0..4).for_each(|at| stream.write(&row(at)));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["flags"]["hnsw_indexing"], &told["is_online"]), (&"off".into(), &true.into()));
    assert_eq!(told["flags"]["multi_tier_cache"], "off");
    assert_eq!(stream.end().0, Some(0));
    assert!(!requests.exists(), "nothing is left behind");
    assert!(graph.json(&["stats"])["layers"]["hnsw"].is_null());
    assert_eq!(graph.run(&["verify"]).code, 0);
    let log = graph.run(&["log"]);
    assert!(log.out.contains("index off: asked by `cortexkg flags`"), "{}", log.out);
}

#[test]
fn nobody_who_writes_is_waited_for_in_vain() {
    let graph = Graph::none();
    let mut stream = Stream::begin(&graph.directory(), &["--source", "t", "--durability", "each"]);
    stream.write(ROWS);
    stream.wait_for_rows(3);
    let said = graph.run(&["flags", "hnsw_indexing=off", "--wait", "0"]);
    assert_eq!(said.code, 1);
    said.tells(&["did not answer", "--wait"]);
    // Should it end meanwhile, it is done all the same.
    let child = Command::new(env!("CARGO_BIN_EXE_cortexkg"))
        .args(["flags", "hnsw_indexing=off", "--json", "--data", &graph.directory()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(stream.end().0, Some(0));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(graph.json(&["stats"])["layers"]["hnsw"].is_null());
}
