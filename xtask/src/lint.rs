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

/// Formatting, tidiness, clippy.
pub(crate) fn code(steps: &mut Steps) -> Result<()> {
    component("fmt", "rustfmt")?;
    component("clippy", "clippy")?;
    steps.run("formatting", || step::run(&mut cargo(["fmt", "--all", "--check"])))?;
    steps.run("tidiness", tidy::check)?;
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
