//! `cargo xtask bench leaks`: what the scalable engine never gives back, by memcheck.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::layers::{MISSING, has_valgrind};
use crate::step::{self, cargo, command};

/// The tests that have facts come and go.
const TEST: &str = "leaks";

/// Runs the tests under valgrind; fails if anything is lost, or read or written where it must not be.
pub(crate) fn run() -> Result<()> {
    if !has_valgrind() {
        eprintln!("{MISSING}");
        return Ok(());
    }
    let mut build = cargo(["test", "--no-run", "--locked", "--message-format", "json-render-diagnostics"]);
    let messages = step::output(build.args(["--package", "cortexkg-scalable", "--test", TEST]))?;
    let program = String::from_utf8_lossy(&messages).lines().find_map(executable);
    let program = program.context("cargo named no program of the tests")?;
    let mut valgrind = command("valgrind");
    valgrind.args(["--leak-check=full", "--show-leak-kinds=definite,indirect", "--error-exitcode=9"]);
    valgrind.args(["--errors-for-leak-kinds=definite,indirect"]);
    valgrind.args([&program, "--test-threads=1", "--nocapture"]).env("CORTEXKG_LEAKS", "valgrind");
    match valgrind.status().context("valgrind did not start")?.code() {
        Some(0) => Ok(()),
        Some(9) => bail!("valgrind found errors, or memory that was lost"),
        _ => bail!("the tests failed under valgrind"),
    }
}

/// The program that a message of cargo names, if it is that of the tests.
fn executable(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_it = message["target"]["name"] == TEST;
    message["executable"].as_str().filter(|_| is_it).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_messages() {
        let named =
            r#"{"reason":"compiler-artifact","target":{"name":"leaks"},"executable":"target/leaks-1"}"#;
        assert_eq!(executable(named).as_deref(), Some("target/leaks-1"));
        for other in
            ["", "{}", r#"{"target":{"name":"layers"},"executable":"x"}"#, r#"{"target":{"name":"leaks"}}"#]
        {
            assert_eq!(executable(other), None, "{other}");
        }
    }
}
