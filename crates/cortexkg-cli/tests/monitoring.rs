//! Metrics while facts stream in, alerts, and `cortexkg top`.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Graph, Stream, cortexkg, data, with_input};

/// Waits until a file says something.
fn wait_for(path: &str, parts: &[&str]) -> String {
    let begin = Instant::now();
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if parts.iter().all(|part| text.contains(part)) {
            return text;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no {parts:?} in:\n{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_graph_is_watched_over_while_facts_stream_in() {
    let graph = Graph::none();
    let mut stream = Stream::begin(&graph.directory(), &["--durability", "each"]);
    let file = format!("{}/metrics.prom", graph.directory());
    stream.write("name\nAda Lovelace\n");
    stream.wait_for_rows(1);
    wait_for(&file, &["cortexkg_run_ended 0", "# EOF"]);
    std::thread::sleep(Duration::from_millis(1100));
    stream.write("Charles Babbage\n");
    stream.wait_for_rows(2);
    let text = wait_for(&file, &["cortexkg_facts_total{outcome=\"allocated\"} 2"]);
    assert!(text.ends_with("# EOF\n"), "whole, and at once");
    assert!(text.contains("cortexkg_window_decisions_per_second "));
    let top = graph.json(&["top", "--once"]);
    assert_eq!((&top["state"], &top["graph"][0][1]), (&"running".into(), &2.into()));
    let (code, err) = stream.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(!err.contains("note:"), "{err}");
    let top = graph.json(&["top", "--once"]);
    assert_eq!(top["state"], "ended");
    assert_eq!(top["methods"][0]["count"], 2, "{top}");
    let left = std::fs::read_dir(graph.directory()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_str().unwrap().contains("partial")));
}

#[test]
fn a_run_in_memory_is_watched_over_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let said =
        cortexkg(&["allocate", &data("fodors-zagats/records.csv"), "--metrics", &path("m.prom"), "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let report = said.report();
    let said = cortexkg(&["top", &path("m.prom"), "--json", "--once"]);
    let top = said.report();
    assert_eq!(top["state"], "ended");
    for (at, decision) in ["existing", "new", "possible"].iter().enumerate() {
        assert_eq!(top["decisions"][at][0], **decision);
        assert_eq!(top["decisions"][at][1], report["decisions"][decision]);
    }
    let nodes = &top["graph"][0];
    assert_eq!((&nodes[0], &nodes[1]), (&"nodes".into(), &report["nodes"]));
    // p50 is that of the report, as exactly as a coarse bucket tells: that of the method by which nine in ten decisions were taken.
    let methods = top["methods"].as_array().unwrap();
    let most = methods.iter().max_by_key(|method| method["count"].as_u64()).unwrap();
    let (p50, reported) = (&most["p50_us"], &report["latency_us"]["p50"]);
    let ratio = p50.as_f64().unwrap() / reported.as_f64().unwrap();
    assert!((0.5..2.0).contains(&ratio), "{p50} {reported}");
    assert!(top["bytes"].as_array().unwrap().len() > 5);
    // The same bits as without anybody watching.
    assert_eq!(report["state_hash"], common::hash_in_memory(&data("fodors-zagats/records.csv")));
}

#[test]
fn what_is_refused_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.prom").to_str().unwrap().to_owned();
    let said = with_input(
        &["allocate", "-", "--format", "jsonl", "--metrics", &file, "--quiet"],
        b"{\"name\": \"Ada\"}\nnonsense\n{\"name\": \"Charles\", \"confidence\": 1}\n",
    );
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(std::fs::read_to_string(&file).unwrap().contains("cortexkg_facts_total{outcome=\"refused\"} 1"));
}

#[test]
fn files_that_cannot_be_are_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rules = |text: &str| {
        std::fs::write(path("rules.toml"), text).unwrap();
        with_input(&["allocate", "-", "--format", "csv", "--alerts", &path("rules.toml")], b"name\nAda\n")
    };
    let said =
        with_input(&["allocate", "-", "--format", "csv", "--metrics", &path("no/m.prom")], b"name\nAda\n");
    assert_eq!(said.code, 2);
    said.tells(&["cannot write", "no/m.prom"]);
    let said = with_input(
        &["allocate", "-", "--format", "csv", "--metrics", &path("x"), "--out", &path("x")],
        b"name\nAda\n",
    );
    assert_eq!(said.code, 2);
    said.tells(&["--metrics and --out are the same file"]);
    // What is written anew every second cannot be a pipe: without a reader the run would wait for ever.
    let mut pipes = vec!["-".to_owned()];
    if cfg!(unix) {
        std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        pipes.push(path("pipe"));
    }
    for pipe in pipes {
        let said = with_input(&["allocate", "-", "--format", "csv", "--metrics", &pipe], b"name\nAda\n");
        assert_eq!(said.code, 2, "{}", said.err);
        said.tells(&["--metrics", "an ordinary file"]);
    }
    // A part of the rules is not the rules.
    let rule = "[[rules]]\nname = \"x\"\nmetric = \"memory_bytes\"\nabove = 1\nlevel = \"critical\"\n";
    let said = rules(&format!("{rule}{}", " ".repeat(1 << 20)));
    assert_eq!(said.code, 2, "{}", said.err);
    said.tells(&["more than 1048576 bytes"]);
    let said =
        rules("[[rules]]\nname = \"x\"\nmetric = \"memory_bytes\"\nabove = -1\nlevel = \"critical\"\n");
    assert_eq!(said.code, 2);
    said.tells(&["rules.toml", "rule \"x\": above is -1; it must be a number from 0 up"]);
    let said = rules("[[rules]]\nname = \"x\"\nmetrics = \"memory_bytes\"\n");
    assert_eq!(said.code, 2);
    said.tells(&["rules.toml, line 3", "unknown field `metrics`"]);
    let said = with_input(
        &["allocate", "-", "--format", "csv", "--alerts", &path("rules.toml"), "--data", &path("g")],
        b"name\nAda\n",
    );
    assert_eq!((said.code, Path::new(&path("g")).exists()), (2, false), "no empty graph is left behind");
    let said =
        with_input(&["allocate", "-", "--format", "csv", "--alert-webhook", "nowhere"], b"name\nAda\n");
    assert_eq!(said.code, 2);
    said.tells(&["--alert-webhook nowhere", "http://localhost:9093"]);
}

#[test]
fn an_alert_is_told_on_standard_error_in_the_file_and_by_webhook() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rule = "[[rules]]\nname = \"AnyMemory\"\nmetric = \"memory_bytes\"\nabove = 1\nlevel = \"critical\"\nsummary = \"it is a test\"\n";
    std::fs::write(path("rules.toml"), rule).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let posts = (0..2).map(|_| {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut length = 0;
            let lines = reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
            for line in lines {
                if let Some(given) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = given.parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            serde_json::from_slice::<serde_json::Value>(&body).unwrap()
        });
        posts.collect::<Vec<_>>()
    });
    let graph = Graph::none();
    let mut stream = Stream::begin(
        &graph.directory(),
        &["--durability", "each", "--alerts", &path("rules.toml"), "--alert-webhook", &url],
    );
    stream.write("name\nAda Lovelace\n");
    stream.wait_for_rows(1);
    std::thread::sleep(Duration::from_millis(1100));
    stream.write("Charles Babbage\n");
    stream.wait_for_rows(2);
    let file = format!("{}/metrics.prom", graph.directory());
    wait_for(&file, &["cortexkg_alert_firing{alert=\"AnyMemory\",level=\"critical\"} 1"]);
    let top = graph.run(&["top", "--once"]);
    assert!(top.out.contains("AnyMemory (critical)"), "{}", top.out);
    let (code, err) = stream.end();
    assert_eq!(code, Some(0), "{err}");
    let told: Vec<_> = err.lines().filter(|line| line.contains("AnyMemory")).collect();
    assert_eq!(told.len(), 2, "{err}");
    assert!(
        told[0].starts_with("critical: AnyMemory: memory is ") && told[0].ends_with("it is a test"),
        "{err}"
    );
    assert!(told[1].starts_with("critical ended with the run: AnyMemory: memory is "), "{err}");
    let posts = served.join().unwrap();
    let labels = &posts[0][0]["labels"];
    assert_eq!((&labels["alertname"], &labels["graph"]), (&"AnyMemory".into(), &graph.directory().into()));
    assert_eq!(posts[1][0]["labels"], posts[0][0]["labels"], "the same alert, over");
}

#[test]
fn a_webhook_that_nobody_serves_fails_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    let rule = "[[rules]]\nname = \"AnyMemory\"\nmetric = \"memory_bytes\"\nabove = 1\nlevel = \"warning\"\n";
    std::fs::write(&rules, rule).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let graph = Graph::none();
    let url = format!("http://{address}");
    let args = ["--durability", "each", "--alerts", rules.to_str().unwrap(), "--alert-webhook", &url];
    let mut stream = Stream::begin(&graph.directory(), &args);
    stream.write("name\nAda Lovelace\n");
    stream.wait_for_rows(1);
    std::thread::sleep(Duration::from_millis(1100));
    stream.write("Charles Babbage\n");
    stream.wait_for_rows(2);
    let (code, err) = stream.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains(&format!("alerts did not reach {url}")), "{err}");
}

#[test]
fn a_run_that_may_not_begin_leaves_the_metrics_of_the_other_alone() {
    let graph = Graph::none();
    let mut stream = Stream::begin(&graph.directory(), &["--durability", "each"]);
    stream.write("name\nAda Lovelace\n");
    stream.wait_for_rows(1);
    let file = format!("{}/metrics.prom", graph.directory());
    let before = std::fs::read_to_string(&file).unwrap();
    let said = graph.with_input(&["allocate", "-", "--format", "csv"], b"name\nAda\n");
    assert_eq!(said.code, 2, "{}", said.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    assert_eq!(stream.end().0, Some(0));
}

/// What a run of a moment ago wrote, with figures that stay the same.
fn written(folder: &Path) -> String {
    let path = folder.join("m.prom");
    let mut text = String::from("cortexkg_build_info{version=\"0.1.0\"} 1\ncortexkg_run_ended 1\n");
    text.push_str(include_str!("top_cases/run.prom"));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn top_shows_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let said = cortexkg(&["top", &written(folder.path()), "--once"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, include_str!("top_cases/run.expected.txt"));
    // Standard output is no terminal: as with --once.
    let without = cortexkg(&["top", &written(folder.path())]);
    assert_eq!(without.out, said.out);
}

#[test]
fn top_prints_json_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let said = cortexkg(&["top", &written(folder.path()), "--json"]);
    assert_eq!(said.out.lines().count(), 1, "the run has ended, and with it what there is to tell");
    let top = said.report();
    assert_eq!(top["fallbacks"][0], serde_json::json!(["hnsw_indexing", "missing", 3]));
    assert_eq!(top["tiers"][1], serde_json::json!({"name": "l2", "reads": 1000, "hit_rate": 0.4}));
    assert_eq!(top["alerts"][1]["is_firing"], true);
}

#[test]
fn top_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x").to_str().unwrap().to_owned();
    let said = cortexkg(&["top", &path, "--once"]);
    assert_eq!(said.code, 2);
    said.tells(&["there are no metrics at", "--data DIR or --metrics FILE"]);
    std::fs::write(&path, "node_load1 0.5\n").unwrap();
    cortexkg(&["top", &path, "--once"]).tells(&["holds no metrics of cortexkg"]);
    cortexkg(&["top"]).tells(&["--data DIR"]);
    assert_eq!(cortexkg(&["top", &path, "--data", "x"]).code, 2);
    assert_eq!(cortexkg(&["top", &path, "--interval", "0"]).code, 2);
}

#[test]
fn no_output_takes_the_place_of_the_graph() {
    let graph = Graph::of("name\nAda Lovelace\n");
    let hash = graph.state_hash();
    let rows = graph.path("graph/cortexkg.redb");
    for option in ["--metrics", "--out", "--explain", "--rejects"] {
        let said = graph
            .with_input(&["allocate", "-", "--format", "csv", option, &rows], b"name\nCharles Babbage\n");
        assert_eq!(said.code, 2, "{option}: {}", said.err);
        said.tells(&["a file of a graph"]);
        assert_eq!(graph.state_hash(), hash, "{option}");
    }
}
