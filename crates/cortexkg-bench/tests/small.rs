//! Every bench once, as small as can be: that they run and say what they are to say.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use serde_json::Value;

fn run(arguments: &[&str]) -> (bool, Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cortexkg-bench")).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.success(), said, errors)
}

fn measured(arguments: &[&str]) -> Value {
    let (is_done, said, errors) = run(arguments);
    assert!(is_done, "{arguments:?}: {errors}");
    said
}

#[test]
fn a_graph_grows_alike_in_memory_and_over_a_store() {
    let arguments = ["growth", "--nodes", "400", "--dimension", "16", "--window", "20"];
    let memory = measured(&arguments);
    let store = measured(&[&arguments[..], &["--durable"]].concat());
    assert_eq!(memory["state_hash"], store["state_hash"]);
    let sizes = memory["points"].as_array().unwrap();
    assert_eq!(sizes.len(), 5);
    assert!(sizes.iter().all(|point| point["decision"]["count"] == 20), "{memory}");
    assert!(sizes.iter().all(|point| point["stages"][2][1].as_f64().unwrap() > 0.0), "{memory}");
    assert!(sizes[4]["nodes"].as_u64().unwrap() >= 400);
}

#[cfg(unix)]
#[test]
fn many_vectors_are_found_again_after_a_break() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let of = |nodes, rest: &[&str]| {
        let start = ["ten-million", "--dimension", "64", "--queries", "50", "--mentions", "3000"];
        run(&[&start[..], &["--dir", folder, "--nodes", nodes], rest].concat())
    };
    assert!(of("1000", &[]).0);
    let (is_done, _, errors) = of("1500", &[]);
    assert!(!is_done && errors.contains("--resume"), "{errors}");
    let (is_done, said, errors) = of("1500", &["--resume"]);
    assert!(is_done, "{errors}");
    assert_eq!(said["build"]["resumed_at"], 1_000);
    let best = said["searches"][4]["recall_at_10"].as_f64().unwrap();
    assert!(best > 0.95, "{said}");
    let levels = said["levels"].as_array().unwrap();
    assert_eq!(levels.iter().map(|level| level[1].as_u64().unwrap()).sum::<u64>(), 1_500);
}

#[test]
fn engines_allocate_the_same() {
    let of = |engine| measured(&["layers", "--nodes", "100", "--dimension", "8", "--engine", engine]);
    let core = of("core");
    assert_eq!(core["facts"], 130);
    for engine in ["plain", "development", "production"] {
        assert_eq!(of(engine), core, "{engine}");
    }
}

#[test]
fn facts_come_with_their_truth() {
    let folder = tempfile::tempdir().unwrap();
    let lines = |name: &str| {
        let text = String::from_utf8(match name.strip_suffix(".zst") {
            Some(_) => zstd::decode_all(std::fs::File::open(folder.path().join(name)).unwrap()).unwrap(),
            None => std::fs::read(folder.path().join(name)).unwrap(),
        });
        text.unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for name in ["some.jsonl", "packed.jsonl.zst"] {
        let out = folder.path().join(name);
        let arguments = ["generate", "--nodes", "40", "--mentions", "60", "--dimension", "4", "--out"];
        measured(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    }
    assert_eq!(lines("some.jsonl"), lines("packed.jsonl.zst"));
    let facts: Vec<Value> =
        lines("some.jsonl").iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let truth = lines("some.truth.csv");
    assert_eq!((facts.len(), truth.len(), truth[0].as_str()), (60, 61, "record_id,cluster_id"));
    assert_eq!(facts[59]["id"], "59");
    assert_eq!(facts[0]["embedding"].as_array().unwrap().len(), 4);
    assert!(truth[60].starts_with("59,"));
    let (is_done, _, errors) = run(&["generate", "--nodes", "2", "--mentions", "1", "--out", "x.jsonl"]);
    assert!(!is_done && errors.contains("a mention of each"), "{errors}");
}
