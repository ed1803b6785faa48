//! The `cortexkg` program as a chore sees it: a process that is given files and prints JSON.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use cortexkg_simd::{LEVEL_VARIABLE, Level};
use serde_json::Value;

use crate::step::{self, cargo, command};

/// The release build of `cortexkg`.
pub(crate) struct Program {
    path: PathBuf,
    /// Folder for what it writes, and for what chores make of that.
    scratch: PathBuf,
}

/// How to run it.
#[derive(Default, Clone, Copy)]
pub(crate) struct Setting {
    /// Instruction set of the kernels; the best of the CPU by default.
    pub level: Option<Level>,
    /// Threads; the program's default if not given.
    pub threads: Option<usize>,
}

impl Program {
    /// Builds it for release.
    pub(crate) fn build() -> Result<Self> {
        Self::build_as("release", "release")
    }

    /// Builds it as the tests have it.
    pub(crate) fn build_for_tests() -> Result<Self> {
        Self::build_as("test", "debug")
    }

    fn build_as(profile: &str, folder: &str) -> Result<Self> {
        let build = ["build", "--quiet", "--profile", profile, "--locked", "--package", "cortexkg-cli"];
        step::run(&mut cargo(build))?;
        let target = step::target();
        let scratch = target.join("bench");
        std::fs::create_dir_all(&scratch)?;
        let path = target.join(folder).join(format!("cortexkg{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { path, scratch })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Folder for what it writes.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Allocates a set; gives the report and the file of decisions.
    pub(crate) fn allocate(&self, set: &str, records: &Path, setting: Setting) -> Result<(Value, PathBuf)> {
        let out = self.scratch.join(format!("{set}.nodes.csv"));
        let mut allocate = command(&self.path);
        allocate.arg("allocate").arg(records).arg("--out").arg(&out).arg("--json");
        if let Some(threads) = setting.threads {
            allocate.arg("--threads").arg(threads.to_string());
        }
        match setting.level {
            Some(level) => allocate.env(LEVEL_VARIABLE, level.to_string()),
            None => allocate.env_remove(LEVEL_VARIABLE),
        };
        Ok((json(&mut allocate)?, out))
    }

    /// Scores decisions against the truth.
    pub(crate) fn score(&self, assignments: &Path, clusters: &Path) -> Result<Value> {
        json(command(&self.path).arg("score").arg(assignments).arg(clusters).arg("--json"))
    }
}

pub(crate) fn json(command: &mut Command) -> Result<Value> {
    serde_json::from_slice(&step::output(command)?).context("the program printed no JSON")
}
