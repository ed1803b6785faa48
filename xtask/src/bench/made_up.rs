//! The program `cortexkg-bench`: made-up facts, and the benches that need many of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::step::{self, cargo, command};

/// A release build of it.
pub(crate) struct MadeUp(PathBuf);

impl MadeUp {
    /// Builds it.
    pub(crate) fn build() -> Result<Self> {
        let build = ["build", "--quiet", "--release", "--locked", "--package", "cortexkg-bench"];
        step::run(&mut cargo(build))?;
        let program = format!("cortexkg-bench{}", std::env::consts::EXE_SUFFIX);
        Ok(Self(step::target().join("release").join(program)))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// One of its subcommands.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = command(&self.0);
        command.arg(subcommand);
        command
    }
}
