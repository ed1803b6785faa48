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

/// The data that comes with the project.
pub fn data(path: &str) -> String {
    format!("{}/../../data/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// A graph in a directory of its own.
pub struct Graph {
    pub folder: tempfile::TempDir,
}

impl Graph {
    /// None yet.
    pub fn none() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// One of these rows, from the source `t`.
    pub fn of(csv: &str) -> Self {
        let graph = Self::none();
        let said = graph.with_input(&["allocate", "-", "--source", "t"], csv.as_bytes());
        assert_eq!(said.code, 0, "{}", said.err);
        graph
    }

    pub fn directory(&self) -> String {
        self.path("graph")
    }

    /// A path beside the graph.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn run(&self, args: &[&str]) -> Said {
        self.with_input(args, b"")
    }

    pub fn with_input(&self, args: &[&str], input: &[u8]) -> Said {
        let directory = self.directory();
        let args: Vec<&str> = args.iter().copied().chain(["--data", &directory]).collect();
        with_input(&args, input)
    }

    /// The JSON that a command prints; it must end well.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let said = self.run(&args);
        assert_eq!(said.code, 0, "{args:?}: {}{}", said.out, said.err);
        said.report()
    }

    #[track_caller]
    pub fn state_hash(&self) -> String {
        self.json(&["stats"])["state_hash"].as_str().unwrap().to_owned()
    }

    /// All bytes of all files in the directory.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.directory()).unwrap() {
            bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        bytes
    }
}

/// The state hash of a run that keeps nothing.
pub fn hash_in_memory(path: &str) -> String {
    let said = cortexkg(&["allocate", path, "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    said.report()["state_hash"].as_str().unwrap().to_owned()
}

/// A program that takes facts from its standard input while the test goes on.
pub struct Stream {
    pub child: std::process::Child,
    pub stdin: Option<std::process::ChildStdin>,
    rows: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
    pub rows_seen: usize,
}

impl Stream {
    /// Begins to allocate CSV from standard input, rows to standard output.
    pub fn begin(directory: &str, args: &[&str]) -> Self {
        use std::io::BufRead;
        let mut child = Command::new(env!("CARGO_BIN_EXE_cortexkg"))
            .args(["allocate", "-", "--format", "csv", "--out", "-", "--data", directory])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let rows = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, rows, rows_seen: 0 }
    }

    pub fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Waits for as many rows, the header not counted.
    pub fn wait_for_rows(&mut self, rows: usize) {
        while self.rows_seen < rows {
            let line = self.rows.next().expect("more rows").unwrap();
            self.rows_seen += usize::from(!line.starts_with("record_id,"));
        }
    }

    /// Ends the input and waits; gives the exit code and standard error.
    pub fn end(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        self.wait()
    }

    /// Waits, the input still open.
    pub fn wait(mut self) -> (Option<i32>, String) {
        use std::io::Read;
        self.rows_seen += self.rows.by_ref().count();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code(), err)
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}
