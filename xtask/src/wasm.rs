//! `cargo xtask wasm`: the bindings for JavaScript, built with SIMD and without, and tested in Node, also against the hashes that are pinned
//! natively. Both end up in `target/wasm/simd128` and `target/wasm/scalar`, and are held to a budget of bytes.
//!
//! What is missing is named, and the step left out, as in `levels.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::levels::{cargo_for, rustup_has};
use crate::packages::{self, NODE};
use crate::step::{self, Steps, cargo, command, root, target};

const TARGET: &str = "wasm32-unknown-unknown";
/// Package, and folder of the build.
const BINDINGS: (&str, &str) = ("cortexkg-wasm", "wasm");
/// Profile of Cargo.toml.
const PROFILE: &str = "wasm";
/// What a profile cannot say: larger functions are inlined less often than is usual (225). It takes 6 % off, and about 6 % of the speed.
const FLAGS: &str = r#"target.wasm32-unknown-unknown.rustflags=["-Cllvm-args=-inline-threshold=75"]"#;
/// Where the standard library is built here, its sorts are small ones.
const STD_FEATURES: &str = r#"unstable.build-std-features=["optimize_for_size"]"#;
/// Bytes that module and JavaScript may have, gzipped: what they have now, and half a percent. They had 477,000 when this was first written; that memory
/// need not hold what was said, nor all tables, took 27,000 of what has come since.
const BUDGET_BYTES: usize = 526_000;

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
                let (folder, package_bytes) = generated(name)?;
                tested(&folder, name)?;
                within_budget(package_bytes)
            })?,
        }
    }
    Ok(())
}

/// Cargo about to build the module, or what is missing.
fn module(features: &[&str]) -> Result<Command, String> {
    packages::check(&[NODE])?;
    let arguments =
        [&["--config", FLAGS, "--config", STD_FEATURES, "build", "--profile", PROFILE], features].concat();
    cargo_for(TARGET, r#"["std","panic_abort"]"#, BINDINGS, &arguments)
}

/// Makes the JavaScript beside the module that was just built, and tells how large both are, gzipped and together.
fn generated(name: &str) -> Result<(PathBuf, usize)> {
    let built = target().join(BINDINGS.1);
    let module = built.join(TARGET).join(PROFILE).join("cortexkg_wasm.wasm");
    let folder = built.join(name);
    let mut bindgen = cargo(["run", "--quiet", "--locked", "--package", "xtask", "--features", "bindgen"]);
    step::run(bindgen.args(["--bin", "bindgen", "--"]).args([&module, &folder]))?;
    let mut package_bytes = 0;
    for file in ["cortexkg_wasm_bg.wasm", "cortexkg_wasm.js"] {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let small = gzipped(&bytes)?;
        println!("{file}: {} bytes, {small} gzipped", bytes.len());
        package_bytes += small;
    }
    Ok((folder, package_bytes))
}

/// Fails if the package has grown too large.
fn within_budget(package_bytes: usize) -> Result<()> {
    if rustup_has(TARGET) {
        println!("no budget is asked for: rustup's standard library is not built for size");
        return Ok(());
    }
    println!("package: {package_bytes} bytes gzipped, of {BUDGET_BYTES} that it may have");
    if package_bytes > BUDGET_BYTES {
        bail!(
            "the package has {package_bytes} bytes gzipped, {} more than its budget. Look at what was added last (a new generic type \
             in a map or a sort, a dependency, a table), or raise BUDGET_BYTES in xtask/src/wasm.rs and say why",
            package_bytes - BUDGET_BYTES
        );
    }
    Ok(())
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
