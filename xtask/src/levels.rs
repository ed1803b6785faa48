//! `cargo xtask levels`: the kernels' tests on the levels that this machine does not have: NEON in QEMU, WebAssembly in Node.
//!
//! A standard library for the target comes from rustup, if the target is installed there, else it is built from the sources
//! that Debian has beside its compiler (a minute or two, once). What is missing is named, and the step left out.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::packages;
use crate::step::{self, Steps, cargo, command, root, succeeds, target};

/// Where Debian's compiler has the sources of the standard library.
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library";
/// Where Debian's `wasi-libc` is.
const DEBIAN_WASI: &str = "/usr/lib/wasm32-wasi";

const NEON: &str = "aarch64-unknown-linux-gnu";
const WASM: &str = "wasm32-wasip1";

/// What is tested on other levels, and in which folder of the build.
const KERNELS: (&str, &str) = ("cortexkg-simd", "levels");
/// What is run on each.
const TESTS: [&str; 4] = ["test", "--lib", "--test", "bits"];

/// Runs all, as a chore of its own.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    elsewhere(&mut steps, true)?;
    steps.summarise();
    Ok(())
}

/// One step per level. Without `full` none is run, since each may build a standard library.
pub(crate) fn elsewhere(steps: &mut Steps, full: bool) -> Result<()> {
    let levels = [
        ("SIMD level neon in QEMU", neon(&TESTS), &[][..]),
        ("SIMD level simd128 in Node", wasm(&TESTS), &["--features", "simd128"]),
        ("WebAssembly without SIMD in Node", wasm(&TESTS), &[]),
    ];
    for (name, tests, features) in levels {
        match tests {
            _ if !full => {
                steps.skip(name, "it may build a standard library; `cargo xtask levels` runs it");
            }
            Err(missing) => steps.skip(name, &missing),
            Ok(mut tests) => steps.run(name, || step::run(tests.args(features)))?,
        }
    }
    Ok(())
}

/// Cargo about to do something with the kernels on 64-bit ARM, or what is missing for it.
fn neon(arguments: &[&str]) -> Result<Command, String> {
    if cfg!(target_arch = "aarch64") {
        return Err("the other tests run on it".to_owned());
    }
    let (linker, runner) = ("aarch64-linux-gnu-gcc", "qemu-aarch64");
    for (program, package) in [(linker, "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"), (runner, "qemu-user")]
    {
        if !succeeds(command(program).arg("--version")) {
            return Err(format!("{program} is missing (Debian: `apt-get install {package}`)"));
        }
    }
    let mut tests = cargo_for(NEON, r#"["std","panic_unwind","test"]"#, KERNELS, arguments)?;
    tests.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", linker);
    // Where the loader and the C library for that machine are.
    tests.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", format!("{runner} -L /usr/aarch64-linux-gnu"));
    Ok(tests)
}

/// Cargo about to do something with the kernels as a WebAssembly program, or what is missing for it.
pub(crate) fn wasm(arguments: &[&str]) -> Result<Command, String> {
    if !succeeds(command("node").arg("--version")) {
        return Err("Node is missing".to_owned());
    }
    let mut tests = cargo_for(WASM, r#"["std","panic_abort","test"]"#, KERNELS, arguments)?;
    let runner = root().join("xtask").join("src").join("wasi.mjs");
    tests.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", format!("node --no-warnings {}", runner.display()));
    if rustup_has(WASM) {
        return Ok(tests);
    }
    let Some(linker) =
        ["wasm-ld-22", "wasm-ld"].into_iter().find(|name| succeeds(command(name).arg("--version")))
    else {
        return Err("wasm-ld is missing (Debian: `apt-get install lld-22`)".to_owned());
    };
    if !Path::new(DEBIAN_WASI).is_dir() {
        return Err("a C library for WASI is missing (Debian: `apt-get install wasi-libc`)".to_owned());
    }
    tests.env("CARGO_TARGET_WASM32_WASIP1_LINKER", linker);
    // The C library is older than the compiler and has no threads; neither have the tests.
    tests.env(
        "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS",
        format!(
            "-Clink-self-contained=no -Clink-arg={DEBIAN_WASI}/crt1-command.o -Clink-arg=-L{DEBIAN_WASI} \
             -Clink-arg=--unresolved-symbols=ignore-all"
        ),
    );
    Ok(tests)
}

/// Cargo with a compiler for the target, about to do something with a package in a folder of the build, or what is missing.
pub(crate) fn cargo_for(
    triple: &str,
    build_std: &str,
    (package, folder): (&str, &str),
    arguments: &[&str],
) -> Result<Command, String> {
    let mut tests = if rustup_has(triple) {
        cargo([])
    } else if debian_has_sources() {
        let mut debian = command("/usr/bin/cargo");
        debian.args(["--config", r#"build.rustc="/usr/bin/rustc""#]);
        debian.args(["--config", r#"build.rustdoc="/usr/bin/rustdoc""#]);
        debian.args(["--config", &format!("unstable.build-std={build_std}")]);
        debian.env("RUSTC_BOOTSTRAP", "1");
        debian
    } else {
        return Err(format!(
            "no standard library for {triple} (`rustup target add {triple}`, or Debian: `apt-get install {}`)",
            packages::DEBIAN_COMPILER
        ));
    };
    // What is set for this machine is not meant for the other.
    for variable in ["RUSTC", "RUSTDOC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        tests.env_remove(variable);
    }
    tests.args(arguments).args(["--locked", "--package", package, "--target", triple]);
    tests.arg("--target-dir").arg(target().join(folder));
    Ok(tests)
}

/// Whether something can be compiled for the target.
pub(crate) fn has_compiler(triple: &str) -> bool {
    rustup_has(triple) || debian_has_sources()
}

fn debian_has_sources() -> bool {
    Path::new(DEBIAN_SOURCES).is_dir() && succeeds(command("/usr/bin/cargo").arg("--version"))
}

/// Whether the compiler that runs here has a standard library for the target.
pub(crate) fn rustup_has(triple: &str) -> bool {
    let found = Command::new("rustc").args(["--print", "target-libdir", "--target", triple]).output();
    found.is_ok_and(|found| Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir())
}
