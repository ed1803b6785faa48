//! Hit rates beside what no policy can beat, and nanoseconds of a hit beside simpler maps, as one JSON object.
//!
//! `cargo xtask bench tiers` runs this and prints tables. `--trace FILE` (may be given more than once) adds a trace of accesses: key
//! numbers as little-endian `u32`, one per access.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and stops on errors"
)]

mod hits;
mod loads;
mod speed;

use std::path::PathBuf;

use loads::Load;
use serde_json::{Value, json};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut traces = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--trace" => traces.push(PathBuf::from(arguments.next().expect("--trace needs a file"))),
            // Cargo adds it.
            "--bench" => (),
            other => panic!("{other}: no such option; there is --trace FILE"),
        }
    }
    let mut runs: Vec<Value> = Vec::new();
    let mut measure = |load: &Load, shares: &[f64]| {
        for &share in shares {
            eprintln!("{}, room for {:.0} %: running", load.name, share * 100.0);
            runs.push(hits::of_one_size(load, share));
        }
    };
    measure(&loads::zipf(), &[0.1, 0.01]);
    measure(&loads::zipf_with_scan(), &[0.1, 0.01]);
    for path in &traces {
        measure(&loads::read(path).unwrap(), &[0.5, 0.25, 0.1, 0.05]);
    }
    let zipf = loads::zipf();
    runs.extend([0.1, 0.01].map(|share| hits::of_many_sizes(&zipf, share)));
    println!("{}", json!({ "hits": runs, "speed": speed::measure() }));
}
