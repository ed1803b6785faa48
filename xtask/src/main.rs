//! The project's chores. `cargo xtask --help` lists them; each file of this folder is one of them.
//!
//! **Invariant:** a chore never installs a toolchain component. It says what is missing and how to get it.

// A program for the terminal: standard output is its product.
#![allow(clippy::print_stdout)]

mod ablate;
mod bench;
mod data;
mod deny;
mod fuzz;
mod generate;
mod levels;
mod lint;
mod packages;
mod picture;
mod program;
mod step;
mod test;
mod tidy;
mod torture;
mod wasm;
mod web;

use clap::{Parser, Subcommand};

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run every check and every test, stopping at the first that fails.
    Test(test::Args),
    /// Run the checks that need no test to run: formatting, clippy, documentation, tidiness.
    Lint,
    /// Check dependencies: duplicates, licences, sources. Installs cargo-deny into target/tools if need be.
    Deny,
    /// Run the tests of the kernels on the levels of other machines: NEON in QEMU, WebAssembly in Node.
    Levels,
    /// Build the bindings for JavaScript, with SIMD and without, and test both in Node.
    Wasm,
    /// Build the package for JavaScript, and test it in Node and in Chromium.
    Web(web::Args),
    /// Fuzz the parsers and the kernels.
    Fuzz(fuzz::Args),
    /// Fetch the larger public data sets into data/cache.
    Data(data::Args),
    /// Break graphs: failing disks, turned bits, killed processes, random operations, long streams.
    Torture(torture::Args),
    /// Make up facts, as many as wanted, and the truth about them.
    Generate(generate::Args),
    /// Measure on real data, and at scale on made-up data.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Measure what each part of the engine is worth, by leaving it out.
    Ablate(ablate::Args),
    /// Record the coloured output of the demo as docs/demo.svg.
    Picture(picture::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().chore {
        Chore::Test(args) => test::run(&args),
        Chore::Lint => lint::run(),
        Chore::Deny => deny::check(),
        Chore::Levels => levels::run(),
        Chore::Wasm => wasm::run(),
        Chore::Web(args) => web::run(&args),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Data(args) => data::run(&args),
        Chore::Torture(args) => torture::run(&args),
        Chore::Generate(args) => generate::run(&args),
        Chore::Bench(bench) => bench::run(&bench),
        Chore::Ablate(args) => ablate::run(&args),
        Chore::Picture(args) => picture::run(&args),
    }
}
