//! Graphs that stay: many runs are one run, and what was acknowledged is there.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Graph, Stream, cortexkg, data, hash_in_memory};

/// A table cut into pieces, each with the header.
fn pieces(path: &str, count: usize) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let piece = |rows: &[&str]| format!("{header}\n{}\n", rows.join("\n"));
    rows.chunks(rows.len().div_ceil(count)).map(piece).collect()
}

#[test]
fn runs_that_continue_each_other_are_one_run() {
    for (name, count) in [("fodors-zagats", 3), ("febrl1", 2)] {
        let path = data(&format!("{name}/records.csv"));
        let graph = Graph::none();
        let mut records = 0;
        for piece in pieces(&path, count) {
            let said = graph.with_input(
                &["allocate", "-", "--source", "records.csv", "--batch", "100", "--json"],
                piece.as_bytes(),
            );
            assert_eq!(said.code, 0, "{}", said.err);
            let report = said.report();
            records += report["records"].as_u64().unwrap();
            assert_eq!(report["store"]["facts"].as_u64(), Some(records));
            assert_eq!(report["repeated"].as_u64(), Some(0));
        }
        assert_eq!(graph.state_hash(), hash_in_memory(&path), "{name}");
    }
}

#[test]
fn a_second_run_repeats_what_the_first_decided() {
    let (graph, path) = (Graph::none(), data("fodors-zagats/records.csv"));
    let [first, second, memory] = ["first.csv", "second.csv", "memory.csv"].map(|name| graph.path(name));
    assert_eq!(graph.run(&["allocate", &path, "--out", &first]).code, 0);
    let hash = graph.state_hash();
    let said = graph.run(&["allocate", &path, "--out", &second, "--threads", "2", "--json"]);
    let report = said.report();
    assert_eq!((said.counts(), report["repeated"].as_u64()), ((0, 0), Some(864)));
    assert_eq!(report["store"]["commits"].as_u64(), Some(0), "nothing is written");
    assert_eq!(common::cortexkg(&["allocate", &path, "--out", &memory]).code, 0);
    let [first, second, memory] = [first, second, memory].map(|path| std::fs::read(path).unwrap());
    assert!(first == second && first == memory);
    assert_eq!(graph.state_hash(), hash);
    // The same identifiers from another source are other records.
    let said = graph.run(&["allocate", &path, "--source", "again", "--limit", "10", "--json"]);
    assert_eq!((said.counts(), said.report()["repeated"].as_u64()), ((10, 0), Some(0)));
}

#[test]
fn every_durability_gives_the_same_graph() {
    let path = data("fodors-zagats/records.csv");
    let mut hashes = Vec::new();
    for (durability, commits) in [("each", 200), ("batch", 2), ("none", 3)] {
        let graph = Graph::none();
        let mut args = vec!["allocate", &path, "--limit", "200", "--json", "--durability", durability];
        if durability != "each" {
            args.extend(["--batch", "100"]);
        }
        let said = graph.run(&args);
        assert_eq!(said.code, 0, "{}", said.err);
        let report = said.report();
        let store = &report["store"];
        assert_eq!(store["durability"], durability);
        assert_eq!(store["commits"].as_u64(), Some(commits), "{durability}");
        assert!(store["disk_bytes_per_fact"].as_f64().unwrap() > 100.0);
        assert!(store["write_amplification"].as_f64().unwrap() >= 1.0);
        let timed = if durability == "each" { "commit" } else { "batch_mean" };
        assert_eq!(report["latency_us"]["of"], timed);
        assert_eq!(report["state_hash"].as_str().unwrap(), graph.state_hash());
        hashes.push(graph.state_hash());
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1);
}

#[test]
fn the_report_tells_of_the_store() {
    let graph = Graph::none();
    let said = graph.with_input(&["allocate", "-"], b"id,name\n1,Citrus Grill\n2,Art's Delicatessen\n");
    for word in
        ["repeated", "facts in the graph", "durability", "commits", "on disk per fact", "write amplification"]
    {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}

#[test]
fn explanations_come_from_the_log() {
    let graph = Graph::none();
    let why = graph.path("why.jsonl");
    let input = b"id,name\n1,Citrus Grill\n2,Citrus Grill\n";
    let said = graph.with_input(&["allocate", "-", "--explain", &why], input);
    assert_eq!(said.code, 0, "{}", said.err);
    let text = std::fs::read_to_string(&why).unwrap();
    let ids: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<cortexkg::Explanation>(line).unwrap().result.record_id)
        .collect();
    assert_eq!(ids, ["1", "2"]);
}

#[test]
fn options_of_a_graph_need_one() {
    let graph = Graph::none();
    let path = data("fodors-zagats/records.csv");
    for args in [&["--durability", "each"][..], &["--batch", "5"]] {
        let said = common::cortexkg(&[&["allocate", &path], args].concat());
        assert_eq!(said.code, 2);
        said.tells(&["--data"]);
    }
    let said = graph.run(&["allocate", &path, "--durability", "each", "--batch", "5"]);
    assert_eq!(said.code, 2);
    assert_eq!(graph.run(&["allocate", &path, "--batch", "0"]).code, 2);
    assert_eq!(graph.run(&["allocate", &path, "--durability", "sometimes"]).code, 2);
    // An input that cannot be used leaves no graph behind.
    assert_eq!(graph.run(&["allocate", "/nonexistent.csv"]).code, 2);
    assert_eq!(graph.run(&["allocate", "-"]).code, 2);
    assert!(!std::path::Path::new(&graph.directory()).exists());
    // A file is no directory.
    std::fs::write(graph.directory(), b"x").unwrap();
    let said = graph.run(&["allocate", &path]);
    assert_eq!(said.code, 2, "{}", said.err);
}

/// A run that is asked to end while it waits for more ends at once, having kept what it told of; running it again finishes it.
#[cfg(unix)]
#[test]
fn a_run_that_is_asked_to_end_is_finished_by_running_it_again() {
    for signal in ["-TERM", "-INT"] {
        let (graph, path) = (Graph::none(), data("fodors-zagats/records.csv"));
        let text = std::fs::read_to_string(&path).unwrap();
        let half = text.lines().take(401).collect::<Vec<_>>().join("\n");
        let mut stream = Stream::begin(&graph.directory(), &["--source", "records.csv", "--batch", "64"]);
        // The last line is cut in two: half a record must not be taken for a whole one.
        stream.write(&format!("{half}\nr000400,a new de"));
        stream.wait_for_rows(384);
        stream.signal(signal);
        let (code, err) = stream.wait();
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("asked to end") && err.contains("run the same command again"), "{err}");
        let facts = graph.json(&["stats"])["facts"].as_u64();
        assert!(facts.is_some_and(|facts| (384..=400).contains(&facts)), "{facts:?}");
        let said = graph.run(&["allocate", &path, "--json"]);
        assert_eq!(said.report()["repeated"].as_u64(), facts);
        assert_eq!(graph.state_hash(), hash_in_memory(&path));
    }
}

/// A run that is killed loses nothing that it told of.
#[cfg(unix)]
#[test]
fn a_run_that_is_killed_is_finished_by_running_it_again() {
    let (graph, path) = (Graph::none(), data("fodors-zagats/records.csv"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut stream = Stream::begin(&graph.directory(), &["--source", "records.csv", "--batch", "64"]);
    stream.write(&text.lines().take(500).collect::<Vec<_>>().join("\n"));
    stream.wait_for_rows(448);
    stream.signal("-KILL");
    stream.wait();
    let said = graph.run(&["stats", "--json"]);
    said.tells(&["note:", "cut off"]);
    assert_eq!(said.report()["facts"].as_u64(), Some(448));
    assert_eq!(graph.run(&["verify"]).code, 0);
    assert_eq!(graph.run(&["allocate", &path, "--json"]).counts(), (864 - 448, 0));
    assert_eq!(graph.state_hash(), hash_in_memory(&path));
}

#[test]
fn steps_that_are_no_number_say_what_they_may_be() {
    for every in ["0", "1.5", "99999999999999999999", ""] {
        let said = cortexkg(&["allocate", "any.csv", "--data", "any", "--consolidate-every", every]);
        assert_eq!(said.code, 2, "{every}: {}", said.err);
        said.tells(&["--consolidate-every", "a whole number of mentions from 1 up"]);
    }
}
