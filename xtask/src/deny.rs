//! `cargo xtask deny`: duplicates, licences and sources of the dependencies, by cargo-deny.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::step::{self, cargo, command};

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// The installed cargo-deny: the project's own first, then the user's.
pub(crate) fn program() -> Option<PathBuf> {
    [own(), "cargo-deny".into()]
        .into_iter()
        .find(|program| step::succeeds(Command::new(program).arg("--version")))
}

/// Runs cargo-deny, installed first if need be. The advisories are left out: their database lives outside the package registry.
pub(crate) fn check() -> Result<()> {
    let program = match program() {
        Some(program) => program,
        None => install()?,
    };
    step::run(command(program).args(["--workspace", "--locked", "check", "bans", "licenses", "sources"]))
}

fn install() -> Result<PathBuf> {
    println!("installing cargo-deny {VERSION} into target/tools (two to five minutes, once)");
    // Built beside the tools, small, and the rest thrown away: the system's temporary folder may be too small for it.
    let building = tools().join("building");
    let built = step::run(
        cargo(["install", "cargo-deny", "--locked", "--version", VERSION, "--root"])
            .arg(tools())
            .arg("--target-dir")
            .arg(&building)
            .envs([("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_DEBUG", "0")]),
    );
    if building.exists() {
        std::fs::remove_dir_all(&building).with_context(|| format!("removing {}", building.display()))?;
    }
    built?;
    Ok(own())
}

fn tools() -> PathBuf {
    step::target().join("tools")
}

fn own() -> PathBuf {
    tools().join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX))
}
