//! `cargo xtask wasm`: the bindings for JavaScript, built with SIMD and without, and tested in Node, also against the hashes that are pinned
//! natively. Both end up in `target/wasm/simd128` and `target/wasm/scalar`.
//!
//! What is missing is named, and the step left out, as in `levels.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::levels::cargo_for;
use crate::step::{self, Steps, cargo, command, root, target};

const TARGET: &str = "wasm32-unknown-unknown";
/// Package, and folder of the build.
const BINDINGS: (&str, &str) = ("cortexkg-wasm", "wasm");
/// Oldest Node that the bindings are for.
const NODE_MIN: u32 = 20;

/// Runs all, as a chore of its own.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    bindings(&mut steps, true)?;
    steps.summarise();
    Ok(())
}

/// Builds and tests both modules. Without `full` nothing is run, since it may build a standard library.
pub(crate) fn bindings(steps: &mut Steps, full: bool) -> Result<()> {
    for (name, features) in [("simd128", &["--features", "simd128"][..]), ("scalar", &[])] {
        let step = format!("bindings in Node, {name}");
        if !full {
            steps.skip(&step, "it may build a standard library; `cargo xtask wasm` runs it");
            continue;
        }
        match module(features) {
            Err(missing) => steps.skip(&step, &missing),
            Ok(mut module) => steps.run(&step, || {
                step::run(&mut module)?;
                tested(&generated(name)?, name)
            })?,
        }
    }
    Ok(())
}

/// Cargo about to build the module, or what is missing.
fn module(features: &[&str]) -> Result<Command, String> {
    let version = step::output(command("node").arg("--version")).unwrap_or_default();
    let version = String::from_utf8_lossy(&version);
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MIN) {
        return Err(format!("Node {NODE_MIN} or newer is missing"));
    }
    let arguments = [&["build", "--release"], features].concat();
    cargo_for(TARGET, r#"["std","panic_abort"]"#, BINDINGS, &arguments)
}

/// Makes the JavaScript beside the module that was just built, and tells how large both are.
fn generated(name: &str) -> Result<PathBuf> {
    let built = target().join(BINDINGS.1);
    let module = built.join(TARGET).join("release").join("cortexkg_wasm.wasm");
    let folder = built.join(name);
    let mut bindgen = cargo(["run", "--quiet", "--locked", "--package", "xtask", "--features", "bindgen"]);
    step::run(bindgen.args(["--bin", "bindgen", "--"]).args([&module, &folder]))?;
    for file in ["cortexkg_wasm_bg.wasm", "cortexkg_wasm.js"] {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        println!("{file}: {} bytes, {} gzipped", bytes.len(), gzipped(&bytes)?);
    }
    Ok(folder)
}

/// How many bytes are left once they are compressed.
fn gzipped(bytes: &[u8]) -> Result<usize> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// Runs the tests on a generated folder.
fn tested(folder: &Path, level: &str) -> Result<()> {
    let tests = root().join("crates").join(BINDINGS.0).join("tests").join("node");
    let mut files: Vec<PathBuf> =
        tests.read_dir()?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    let mut node = command("node");
    node.arg("--test").args(files).env("CORTEXKG_WASM", folder).env("CORTEXKG_WASM_LEVEL", level);
    step::run(&mut node)
}
