//! Made-up facts, and the benches that need many of them. `cargo xtask generate` and `cargo xtask bench` start it; each prints one line
//! of JSON for them.

// A program for other programs: standard output is its product.
#![allow(clippy::print_stdout)]

mod generate;
mod growth;
mod latencies;
mod layers;
mod progress;
mod stages;
#[cfg(unix)]
mod ten_million;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cortexkg-bench", disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make up facts, and the truth about them.
    Generate(generate::Args),
    /// What a decision costs as the graph grows.
    Growth(growth::Args),
    /// Vectors of different precision in little memory, the full ones on disk.
    #[cfg(unix)]
    TenMillion(ten_million::Args),
    /// Allocate facts with one engine, to be looked at from outside.
    Layers(layers::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Generate(args) => generate::run(&args),
        Command::Growth(args) => growth::run(&args),
        #[cfg(unix)]
        Command::TenMillion(args) => ten_million::run(&args),
        Command::Layers(args) => layers::run(&args),
    }
}
