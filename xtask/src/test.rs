//! `cargo xtask test`: the one command that says whether the project is well.

use anyhow::Result;
use cortexkg_simd::{LEVEL_VARIABLE, Level};

use crate::step::{self, Steps, cargo};
use crate::{deny, levels, lint, packages, torture, wasm, web};

/// Names of the tests that pin results which must not depend on the instruction set.
const LEVEL_TESTS: [&str; 2] = ["golden", "levels"];

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also what takes minutes to set up: install cargo-deny, check the fetcher of data sets, build the kernels for other
    /// machines, WebAssembly and the package for JavaScript. Installs packages of Debian that these need, where that asks nothing.
    /// Implied by CI=true.
    #[arg(long)]
    full: bool,
}

/// Runs every check and every test.
pub(crate) fn run(args: &Args) -> Result<()> {
    let full = args.full || std::env::var_os("CI").is_some_and(|value| value == "true");
    let mut steps = Steps::default();
    lint::code(&mut steps)?;
    steps.run("tests", || step::run(&mut cargo(["test", "--workspace", "--locked"])))?;
    steps.run("killed processes", torture::some_kills)?;
    steps.run("interleavings", interleavings)?;
    lint::documentation(&mut steps)?;
    for level in Level::ALL {
        let name = format!("SIMD level {level}");
        if level.is_supported() {
            steps.run(&name, || step::run(&mut levelled(level)))?;
        } else {
            steps.skip(&name, "this machine does not have it");
        }
    }
    if full {
        steps.run("programs from outside", || {
            packages::install(&packages::ALL);
            Ok(())
        })?;
    }
    levels::elsewhere(&mut steps, full)?;
    wasm::bindings(&mut steps, full)?;
    web::package(&mut steps, full)?;
    fetcher(&mut steps, full)?;
    models(&mut steps, full)?;
    if full || deny::program().is_some() {
        steps.run("dependencies", deny::check)?;
    } else {
        steps.skip("dependencies", "cargo-deny is not installed; `cargo xtask deny` installs it (minutes)");
    }
    steps.summarise();
    Ok(())
}

/// The tiers on a scheduler that tries many orders of steps. Behind a feature that replaces their locks, so nothing else runs with it.
fn interleavings() -> Result<()> {
    let tiers = ["--package", "cortexkg-tiers", "--features", "shuttle", "--locked"];
    step::run(cargo(["clippy"]).args(tiers).args(["--all-targets", "--", "-D", "warnings"]))?;
    step::run(cargo(["test"]).args(tiers).args(["--test", "interleavings"]))
}

/// The tests that pin results, with the kernels held at `level`.
fn levelled(level: Level) -> std::process::Command {
    // The whole workspace, so that nothing is built again; --tests leaves out the examples of the documentation.
    let mut command = cargo(["test", "--workspace", "--tests", "--locked", "--quiet", "--"]);
    command.args(LEVEL_TESTS).env(LEVEL_VARIABLE, level.to_string());
    command
}

/// The loaders of embedding models are behind features, so the workspace's own run passes them by.
fn models(steps: &mut Steps, full: bool) -> Result<()> {
    steps.run_if(full, "embedding models", "tokenizers and tensors", || {
        let program = ["--package", "cortexkg-cli", "--locked", "--features"];
        let both = "static-embedder,minilm-embedder";
        step::run(cargo(["clippy"]).args(program).args([both, "--all-targets", "--", "-D", "warnings"]))?;
        let one = ["static-embedder", "--test", "embedder"];
        step::run(cargo(["test", "--profile", "dev"]).args(program).args(one))
    })
}

/// The fetcher of data sets is behind a feature, so the workspace's own run passes it by.
fn fetcher(steps: &mut Steps, full: bool) -> Result<()> {
    steps.run_if(full, "fetcher of data sets", "a Parquet reader", || {
        let fetcher = ["--package", "xtask", "--features", "fetch", "--bin", "fetch", "--locked"];
        step::run(cargo(["clippy"]).args(fetcher).args(["--", "-D", "warnings"]))?;
        // The profile of development: its Parquet reader is the one that `cargo xtask data` uses.
        step::run(cargo(["test", "--profile", "dev"]).args(fetcher))
    })
}
