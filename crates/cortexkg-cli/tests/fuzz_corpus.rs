//! Every input in `fuzz/corpus` goes through the function that its fuzz target calls.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use cortexkg_cli::drain_config;
use cortexkg_cli::input::{Format, drain};

fn replay(target: &str, format: Option<Format>) {
    replay_with(target, |data| drain(data, format));
}

/// What is read of an input is the same whenever it is read.
fn replay_with<Read: PartialEq + std::fmt::Debug>(target: &str, read: impl Fn(&[u8]) -> Read) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        assert_eq!(read(&data), read(&data), "{}", path.display());
        files += 1;
    }
    assert!(files > 0, "no corpus in {}", folder.display());
}

#[test]
fn csv() {
    replay("csv", Some(Format::Csv));
}

#[test]
fn jsonl() {
    replay("jsonl", Some(Format::Jsonl));
}

#[test]
fn ntriples() {
    replay("ntriples", Some(Format::Ntriples));
}

#[test]
fn config() {
    replay_with("config", drain_config);
}

#[test]
fn decode() {
    replay("decode", None);
}

#[test]
fn metrics() {
    replay_with("metrics", cortexkg_cli::monitoring::exposition::drain);
}
