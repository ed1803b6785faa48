//! `cargo xtask lint`: what can be said about the code without running it.

use anyhow::{Result, bail};

use crate::step::{self, Steps, cargo};
use crate::tidy;

/// Runs every check.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    code(&mut steps)?;
    documentation(&mut steps)?;
    steps.summarise();
    Ok(())
}

/// Workspaces of their own that take crates of this one.
const ALONE: [&str; 2] = ["fuzz/Cargo.toml", "bench-compare/vectors/Cargo.toml"];

/// Fails where a crate here has got a dependency that a lock beside does not have.
fn lock_is_current(manifest: &str) -> Result<()> {
    let mut update = cargo(["update", "--workspace", "--locked", "--quiet", "--manifest-path", manifest]);
    if step::succeeds(&mut update) {
        return Ok(());
    }
    bail!(
        "the lock beside {manifest} is out of date, or the registry cannot be asked; `cargo update --workspace --manifest-path {manifest}` mends it"
    )
}

/// Formatting, tidiness, clippy.
pub(crate) fn code(steps: &mut Steps) -> Result<()> {
    component("fmt", "rustfmt")?;
    component("clippy", "clippy")?;
    steps.run("formatting", || step::run(&mut cargo(["fmt", "--all", "--check"])))?;
    steps.run("tidiness", tidy::check)?;
    steps.run("locks of the workspaces beside", || {
        ALONE.iter().try_for_each(|manifest| lock_is_current(manifest))
    })?;
    steps.run("clippy", || {
        step::run(&mut cargo(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
    })
}

/// The documentation builds without a warning.
pub(crate) fn documentation(steps: &mut Steps) -> Result<()> {
    steps.run("documentation", || {
        step::run(cargo(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
    })
}

/// Fails, with the way out, if a component of the toolchain is not there.
fn component(subcommand: &str, component: &str) -> Result<()> {
    if step::succeeds(&mut cargo([subcommand, "--version"])) {
        return Ok(());
    }
    bail!(
        "`cargo {subcommand}` is missing. Install it with `rustup component add {component}`, \
         or with your system's packages (Debian: `apt-get install {}`)",
        if component == "clippy" { "rust-clippy" } else { "rustfmt" }
    )
}
