//! Runs the real program and keeps what it said.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The report of `--json`.
    pub fn report(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    /// Records taken in and records rejected, by the report of `--json`.
    pub fn counts(&self) -> (u64, u64) {
        let report = self.report();
        (report["records"].as_u64().unwrap(), report["rejected"].as_u64().unwrap())
    }

    /// Every one of `parts` is said on one and the same line of standard error.
    #[track_caller]
    pub fn tells(&self, parts: &[&str]) {
        let told = self.err.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(told, "no line with {parts:?} in:\n{}", self.err);
    }
}

pub fn cortexkg(args: &[&str]) -> Said {
    with_input(args, b"")
}

pub fn with_input(args: &[&str], input: &[u8]) -> Said {
    with_writer(args, |stdin| drop(stdin.write_all(input)))
}

/// Runs the program while `write` feeds its standard input.
pub fn with_writer(args: &[&str], write: impl FnOnce(&mut dyn Write) + Send) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cortexkg"))
        .args(args)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || write(&mut stdin));
        child.wait_with_output().unwrap()
    });
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Feeds `input` in a format and returns the `--json` report.
pub fn allocate(format: &str, input: &[u8]) -> Said {
    with_input(&["allocate", "-", "--format", format, "--json"], input)
}

/// The identifiers in an `--out` file, in order.
pub fn ids(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("record_id,node_id,decision,confidence,margin,method"));
    lines.map(|line| line.split(',').next().unwrap().to_owned()).collect()
}
