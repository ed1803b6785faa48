//! Several processes at one graph, damage, backups.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Graph, Stream, data, hash_in_memory};

const ROWS: &str = "id,name,city\na,Citrus Grill,Los Angeles\nb,Art's Delicatessen,Studio City\nc,citrus grill,los angeles\n";

#[test]
fn one_process_writes_and_others_are_told() {
    let graph = Graph::none();
    let mut stream = Stream::begin(&graph.directory(), &["--source", "t", "--durability", "each"]);
    stream.write(ROWS);
    stream.wait_for_rows(3);
    for args in [&["stats"][..], &["get", "n0"], &["merge", "0", "1"], &["verify"], &["compact"]] {
        let said = graph.run(args);
        assert_eq!(said.code, 2, "{args:?}: {}", said.err);
        said.tells(&["in use by another process", "backup"]);
    }
    let said = graph.with_input(&["allocate", "-"], ROWS.as_bytes());
    assert_eq!(said.code, 2);
    said.tells(&["in use by another process"]);
    let (code, err) = stream.end();
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(graph.json(&["stats"])["facts"], 3);
    assert_eq!(graph.run(&["verify"]).code, 0);
}

#[test]
fn many_may_read_at_once() {
    let graph = Graph::of(ROWS);
    let directory = graph.directory();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_cortexkg"))
                .args(["stats", "--json", "--data", &directory])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for reader in readers {
        let output = reader.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn damage(path: &str, at: impl Fn(usize) -> std::ops::Range<usize>) {
    let mut bytes = std::fs::read(path).unwrap();
    let range = at(bytes.len());
    bytes[range].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_snapshot_heals() {
    let graph = Graph::of(ROWS);
    graph.json(&["compact"]);
    let hash = graph.state_hash();
    let snapshot = format!("{}/cortexkg.snapshot", graph.directory());
    damage(&snapshot, |length| length - 64..length);
    let said = graph.run(&["stats", "--json"]);
    said.tells(&["note:", "cortexkg.snapshot", "nothing is lost"]);
    assert_eq!(said.code, 0);
    assert_eq!(said.report()["state_hash"].as_str().unwrap(), hash);
    assert!(said.report()["opening"]["snapshot_damage"].is_string());
    // The next command that changes the graph writes a new one.
    graph.json(&["forget", "fact", "b"]);
    graph.json(&["undo", "4"]);
    let said = graph.run(&["stats"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(graph.run(&["verify"]).code, 0);
}

#[test]
fn verify_tells_a_damaged_snapshot_from_a_damaged_store() {
    let graph = Graph::of(ROWS);
    graph.json(&["compact"]);
    let hash = graph.state_hash();
    let snapshot = format!("{}/cortexkg.snapshot", graph.directory());
    damage(&snapshot, |length| length / 2..length / 2 + 1);
    let said = graph.run(&["verify", "--json"]);
    assert_eq!(said.code, 1);
    said.tells(&["only the snapshot is damaged", "nothing is lost", "removed"]);
    let report = said.report();
    assert_eq!((&report["is_store_whole"], &report["faults_found"]), (&true.into(), &1.into()));
    assert!(report["faults"][0].as_str().unwrap().contains("cortexkg.snapshot"));
    assert_eq!(report["state_hash"].as_str().unwrap(), hash);
    assert_eq!(graph.run(&["verify"]).code, 0);
}

#[test]
fn damage_that_is_found_on_the_way_is_healed_by_running_again() {
    let graph = Graph::none();
    assert_eq!(graph.run(&["allocate", &data("febrl1/records.csv")]).code, 0);
    graph.json(&["compact"]);
    let hash = graph.state_hash();
    let snapshot = format!("{}/cortexkg.snapshot", graph.directory());
    let whole = std::fs::read(&snapshot).unwrap();
    let export = || graph.run(&["export", "-", "--format", "jsonl"]);
    // Some parts are read at the opening already, others not even by an export.
    let found = (1..64).find_map(|part| {
        std::fs::write(&snapshot, &whole).unwrap();
        damage(&snapshot, |length| length / 64 * part..length / 64 * part + 1);
        Some(export()).filter(|said| said.code != 0)
    });
    let said = found.expect("an export reads most of it");
    assert_eq!(said.code, 1, "{}", said.err);
    said.tells(&["error:", "cortexkg.snapshot", "nothing is lost", "removed", "run the command again"]);
    assert_eq!(export().code, 0);
    assert_eq!(graph.state_hash(), hash);
}

#[test]
fn a_damaged_store_is_named() {
    let graph = Graph::none();
    assert_eq!(graph.run(&["allocate", &data("fodors-zagats/records.csv")]).code, 0);
    let store = format!("{}/cortexkg.redb", graph.directory());
    damage(&store, |length| length / 8..length / 2);
    let said = graph.run(&["stats"]);
    assert_eq!(said.code, 1, "{}", said.err);
    said.tells(&["error:", "damaged", "backup"]);
    assert!(!said.err.contains("panicked at"), "{}", said.err);
    let said = graph.run(&["verify", "--json"]);
    assert_eq!(said.code, 1);
    let report = said.report();
    assert_eq!(report["is_clean"], false);
    assert!(!report["faults"].as_array().unwrap().is_empty());
}

#[test]
fn verify_tells_what_it_looked_at() {
    let graph = Graph::of(ROWS);
    let quick = graph.json(&["verify", "--quick"]);
    let full = graph.json(&["verify"]);
    assert!(quick["checks"].as_array().unwrap().len() < full["checks"].as_array().unwrap().len());
    assert_eq!((&full["is_clean"], &full["faults_found"]), (&true.into(), &0.into()));
    assert_eq!(full["state_hash"].as_str().unwrap(), graph.state_hash());
    assert!(graph.run(&["verify"]).out.contains("all is well"));
}

#[test]
fn a_backup_is_a_graph_and_can_be_restored() {
    let graph = Graph::of(ROWS);
    let (backup, restored) = (graph.path("backup"), graph.path("restored"));
    let made = graph.json(&["backup", &backup]);
    assert_eq!((&made["position"], &made["is_online"]), (&3.into(), &false.into()));
    let hash = graph.state_hash();
    let said = common::cortexkg(&["stats", "--json", "--data", &backup]);
    assert_eq!(said.report()["state_hash"].as_str().unwrap(), hash);
    // Neither is ever overwritten.
    assert_eq!(graph.run(&["backup", &backup]).code, 2);
    let said = graph.run(&["restore", &backup]);
    assert_eq!(said.code, 2);
    said.tells(&[&graph.directory(), "not empty"]);
    let said = common::cortexkg(&["restore", &backup, "--data", &restored, "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.report()["state_hash"].as_str().unwrap(), hash);
    assert_eq!(said.report()["facts"], 3);
    let said = common::cortexkg(&["restore", &graph.path("nothing"), "--data", &graph.path("r2")]);
    assert_eq!(said.code, 2);
    assert!(!std::path::Path::new(&graph.path("r2")).exists());
}

/// A backup taken while facts stream in holds the graph as of a commit, and can be continued to what the stream gave.
#[test]
fn a_backup_is_taken_in_mid_stream() {
    let (graph, path) = (Graph::none(), data("febrl1/records.csv"));
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let batch = 16;
    let mut stream = Stream::begin(&graph.directory(), &["--source", "records.csv", "--batch", "16"]);
    stream.write(&format!("{}\n", lines[..=batch * 10].join("\n")));
    stream.wait_for_rows(batch * 10);
    let target = graph.path("backup");
    let mut backup = Command::new(env!("CARGO_BIN_EXE_cortexkg"))
        .args(["backup", &target, "--json", "--wait", "60", "--data", &graph.directory()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The request is taken up after a commit, so facts must go on coming in.
    let mut rest = lines[batch * 10 + 1..].chunks(batch);
    let mut written = batch * 10;
    while backup.try_wait().unwrap().is_none() {
        if let Some(part) = rest.next().filter(|_| written < 900) {
            stream.write(&format!("{}\n", part.join("\n")));
            written += part.len();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = backup.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["is_online"], true, "the writer is still there");
    for part in rest {
        stream.write(&format!("{}\n", part.join("\n")));
    }
    let (code, err) = stream.end();
    assert_eq!(code, Some(0), "{err}");
    let whole = hash_in_memory(&path);
    assert_eq!(graph.state_hash(), whole);
    assert!(!std::path::Path::new(&graph.directory()).join("requests").exists(), "nothing is left behind");

    let position = made["position"].as_u64().unwrap();
    assert!((160..1000).contains(&position) && position.is_multiple_of(16), "{position}");
    assert_eq!(common::cortexkg(&["verify", "--data", &target]).code, 0);
    let said = common::cortexkg(&["allocate", &path, "--data", &target, "--json"]);
    assert_eq!(said.report()["repeated"].as_u64(), Some(position));
    assert_eq!(said.report()["state_hash"].as_str().unwrap(), whole);
}

/// A writer that does not answer is waited for only so long, and the request is taken back.
#[test]
fn a_backup_does_not_wait_for_ever() {
    let graph = Graph::none();
    let mut stream = Stream::begin(&graph.directory(), &["--source", "t", "--durability", "each"]);
    stream.write(ROWS);
    stream.wait_for_rows(3);
    let said = graph.run(&["backup", &graph.path("backup"), "--wait", "1"]);
    assert_eq!(said.code, 1);
    said.tells(&["did not take the request up", "--wait"]);
    assert!(!std::path::Path::new(&graph.directory()).join("requests").exists());
    assert_eq!(stream.end().0, Some(0));
}

/// Should the writer end meanwhile, the backup is made all the same.
#[test]
fn a_backup_does_without_a_writer_that_has_ended() {
    let graph = Graph::none();
    let mut stream = Stream::begin(&graph.directory(), &["--source", "t", "--durability", "each"]);
    stream.write(ROWS);
    stream.wait_for_rows(3);
    let backup = Command::new(env!("CARGO_BIN_EXE_cortexkg"))
        .args(["backup", &graph.path("backup"), "--json", "--data", &graph.directory()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(stream.end().0, Some(0));
    let output = backup.wait_with_output().unwrap();
    assert!(output.status.success());
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["position"], 3);
}
