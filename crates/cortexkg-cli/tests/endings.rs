//! How commands end when somebody else ends first: the reader of a pipe, or whoever sends a signal.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Graph, Said, data};

fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_cortexkg"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs a command of whose standard output a number of lines is read, as `head` does.
fn head(lines: usize, args: &[&str]) -> Said {
    let mut child = start(args);
    drop(child.stdin.take());
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut out = String::new();
    for _ in 0..lines {
        reader.read_line(&mut out).unwrap();
    }
    drop(reader);
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Said { code: child.wait().unwrap().code().unwrap_or(-1), out, err }
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

fn wait(mut child: Child) -> (Option<i32>, String) {
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().code(), err)
}

/// A stream of facts that stops because nobody reads its rows says how far it came.
#[test]
fn rows_that_nobody_reads_end_a_run_and_it_is_said() {
    let graph = Graph::none();
    let (directory, path) = (graph.directory(), data("febrl3/records.csv"));
    let args = ["allocate", &path, "--out", "-", "--quiet", "--data", &directory, "--batch", "64"];
    let said = head(1, &args);
    assert_eq!(said.code, 1, "{}", said.err);
    said.tells(&["facts of this run are committed", "run the same command again"]);
    let committed = graph.json(&["stats"])["facts"].as_u64().unwrap();
    let told: String = said.err.split("; ").nth(1).unwrap().chars().filter(char::is_ascii_digit).collect();
    assert_eq!(told, committed.to_string(), "{}", said.err);
    let said = graph.run(&["allocate", &path, "--out", &graph.path("all.csv"), "--json"]);
    assert_eq!((said.code, said.report()["repeated"].as_u64()), (0, Some(committed)));
    // Without a graph nothing is lost but what was not wanted.
    assert_eq!(head(1, &["allocate", &path, "--out", "-", "--quiet"]).code, 0);
    assert_eq!(head(1, &["assignments", "--data", &directory]).code, 0);
}

/// What is printed at the end, to nobody, does not hide that records were rejected.
#[test]
fn a_closed_pipe_does_not_hide_rejections() {
    let graph = Graph::of("id,name\na,Citrus\n");
    let (directory, file) = (graph.directory(), graph.path("g.jsonl"));
    graph.json(&["export", &file]);
    assert_eq!(head(0, &["import", &file, "--data", &directory]).code, 3);
    let bad = graph.path("bad.csv");
    std::fs::write(&bad, "id,name\nb,Spago\nc\n").unwrap();
    assert_eq!(head(0, &["allocate", &bad, "--data", &directory]).code, 3);
    assert_eq!(head(0, &["allocate", &bad, "--json"]).code, 3);
}

/// An import that is asked to end while it reads has taken nothing in.
#[test]
fn an_import_that_is_asked_to_end_says_what_is_in() {
    for (format, text) in [("jsonl", "{\"cortexkg_graph\":1}\n"), ("ckg", "cortexkg")] {
        let graph = Graph::none();
        let mut child = start(&["import", "-", "--format", format, "--data", &graph.directory()]);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        signal(&child, "-TERM");
        let (code, err) = wait(child);
        assert_eq!(code, Some(1), "{format}: {err}");
        assert!(err.contains("asked to end; nothing was taken in"), "{format}: {err}");
        assert!(!std::path::Path::new(&graph.directory()).exists(), "{format}");
        drop(stdin);
    }
}

/// Whenever the signal comes, before the command listens for it too: the graph is whole.
#[test]
fn signals_at_any_time_leave_a_whole_graph() {
    let graph = Graph::none();
    assert_eq!(graph.run(&["allocate", &data("febrl1/records.csv"), "--source", "t"]).code, 0);
    let file = graph.path("g.jsonl");
    graph.json(&["export", &file]);
    for delay_ms in [50, 100, 200, 400] {
        let copy = Graph::none();
        let child = start(&["import", &file, "--data", &copy.directory()]);
        std::thread::sleep(Duration::from_millis(delay_ms));
        signal(&child, "-TERM");
        let (code, err) = wait(child);
        assert!(code != Some(1) || err.contains("asked to end"), "{err}");
        if std::path::Path::new(&format!("{}/cortexkg.redb", copy.directory())).exists() {
            assert!(matches!(code, Some(0 | 1)), "{err}");
            assert_eq!(copy.run(&["verify"]).code, 0);
        }
    }
    graph.json(&["forget", "fact", "r000000"]);
    for delay_ms in [50, 200] {
        let child = start(&["compact", "--data", &graph.directory()]);
        std::thread::sleep(Duration::from_millis(delay_ms));
        signal(&child, "-TERM");
        let (code, err) = wait(child);
        assert!(code != Some(1) || err.contains("asked to end"), "{err}");
        assert_eq!(graph.run(&["verify"]).code, 0);
    }
}
