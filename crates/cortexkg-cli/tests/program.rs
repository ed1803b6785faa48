//! The program as a stranger meets it: help, completions, the demonstration, pipes.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{cortexkg, with_input};

#[test]
fn help_tells_what_to_do() {
    let said = cortexkg(&["--help"]);
    assert_eq!(said.code, 0);
    for word in ["allocate", "score", "demo", "completions", "Exit codes", "NO_COLOR"] {
        assert!(said.out.contains(word), "{word}");
    }
    let said = cortexkg(&["allocate", "--help"]);
    for word in ["Examples:", "Exit codes:", "N-Triples", "--explain", "record_id", ".partial"] {
        assert!(said.out.contains(word), "{word}");
    }
    for command in ["score", "demo", "completions"] {
        let said = cortexkg(&[command, "--help"]);
        assert!(said.code == 0 && said.out.contains("Usage: cortexkg"), "{command}");
    }
    assert!(!cortexkg(&["--help"]).out.contains('\u{1b}'), "no colours where nobody looks");
}

#[test]
fn wrong_usage_exits_with_2() {
    assert_eq!(cortexkg(&[]).code, 2);
    assert_eq!(cortexkg(&["allocate"]).code, 2);
    assert_eq!(cortexkg(&["allocate", "x", "--threads", "0"]).code, 2);
    assert_eq!(cortexkg(&["allocate", "x", "--delimiter", "ab"]).code, 2);
    assert_eq!(cortexkg(&["nonsense"]).code, 2);
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = cortexkg(&["completions", shell]);
        assert_eq!(said.code, 0);
        assert!(said.out.contains("allocate") && said.out.contains("progress-every"), "{shell}");
    }
}

#[test]
fn the_demonstration_runs_anywhere() {
    let said = cortexkg(&["demo"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for word in ["864", "pairwise", "B-cubed", "state hash"] {
        assert!(said.out.contains(word), "{word}");
    }
    let said = cortexkg(&["demo", "--json"]);
    let report = said.report();
    assert_eq!(report["report"]["records"], 864);
    assert!(report["score"]["pair_f1"].is_number());
}

/// Colours are for people who look at a terminal or ask for them; JSON is for programs.
#[test]
fn colours_come_only_where_they_are_wanted() {
    let demo = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cortexkg"));
        command.arg("demo").args(args).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let forced = ("CLICOLOR_FORCE", "1");
    assert!(demo(&[], &[forced]).contains('\u{1b}'));
    for plain in [demo(&[], &[]), demo(&[], &[forced, ("NO_COLOR", "1")]), demo(&["--json"], &[forced])] {
        assert!(!plain.contains('\u{1b}'), "{plain}");
    }
}

#[test]
fn the_report_is_a_table_and_rows_may_go_to_standard_output() {
    let input = b"id,name\n1,a\n\"2,\"\"x\",b\n";
    let said = with_input(&["allocate", "-"], input);
    assert_eq!(said.code, 0);
    for word in ["records", "rejected", "existing", "possible", "p99", "peak memory", "state hash"] {
        assert!(said.out.contains(word), "{word}");
    }
    let said = with_input(&["allocate", "-", "--out", "-"], input);
    let rows: Vec<_> = said.out.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].starts_with("record_id,node_id") && rows[2].starts_with("\"2,\"\"x\","), "{rows:?}");
    assert!(said.err.contains("state hash"));
    let said = with_input(&["allocate", "-", "--quiet"], input);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
}

#[test]
fn every_mention_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("why.jsonl");
    let input = b"id,name\n1,Citrus Grill\n2,Citrus Grill\n";
    let said = with_input(&["allocate", "-", "--json", "--explain", path.to_str().unwrap()], input);
    assert_eq!(said.code, 0);
    let text = std::fs::read_to_string(&path).unwrap();
    let ids: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<cortexkg::Explanation>(line).unwrap().result.record_id)
        .collect();
    assert_eq!(ids, ["1", "2"]);
}

/// `cortexkg … | head -1`: no panic, no complaint.
#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.csv");
    let rows: String = (0..50_000).map(|n| format!("{n},name\n")).collect();
    std::fs::write(&path, format!("id,x{}\n{rows}", "y".repeat(100))).unwrap();
    for args in [
        &["allocate", path.to_str().unwrap(), "--limit", "3000", "--out", "-"][..],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cortexkg"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut reader = BufReader::with_capacity(64, child.stdout.take().unwrap());
        reader.read_line(&mut first).unwrap();
        drop(reader);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked") && !err.contains("error:"), "{args:?}: {err}");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}
