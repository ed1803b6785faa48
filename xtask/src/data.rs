//! `cargo xtask data`: the larger public data sets. The work is done by the program `fetch` (`src/fetch`), which is
//! built only when it is wanted.

use anyhow::Result;

use crate::step::{self, cargo};

/// Options of `cargo xtask data`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Sets to fetch [default: each one].
    sets: Vec<String>,
    /// Show the sets with source and licence; fetch nothing.
    #[arg(long)]
    list: bool,
    /// Print the sets with rows and SHA-256 of their files as JSON.
    #[arg(long)]
    json: bool,
}

/// Builds the fetcher and hands over.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut fetch = cargo([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "xtask",
        "--features",
        "fetch",
        "--bin",
        "fetch",
        "--",
    ]);
    fetch.args(&args.sets);
    for (given, flag) in [(args.list, "--list"), (args.json, "--json")] {
        if given {
            fetch.arg(flag);
        }
    }
    step::run(&mut fetch)
}
