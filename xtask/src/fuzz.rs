//! `cargo xtask fuzz`: the parsers against hostile input, the kernels against each other, by cargo-fuzz on nightly Rust.

use anyhow::{Context as _, Result, bail, ensure};

use crate::step::{self, command, root};

/// Options of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fuzz target [default: each one].
    target: Option<String>,
    /// Seconds per target.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
}

/// Fuzzes one target or all.
pub(crate) fn run(args: &Args) -> Result<()> {
    let targets = targets()?;
    let chosen: Vec<&String> = match &args.target {
        None => targets.iter().collect(),
        Some(name) => targets.iter().filter(|target| *target == name).collect(),
    };
    ensure!(!chosen.is_empty(), "no such fuzz target; there are: {}", targets.join(", "));
    if !step::succeeds(command("cargo").args(["+nightly", "--version"])) {
        bail!("fuzzing needs nightly Rust: `rustup toolchain install nightly`");
    }
    if !step::succeeds(command("cargo").args(["+nightly", "fuzz", "--version"])) {
        bail!("fuzzing needs cargo-fuzz: `cargo install cargo-fuzz --locked`");
    }
    for target in chosen {
        println!("=== {target} for {} s", args.seconds);
        let mut fuzz = command("cargo");
        fuzz.args(["+nightly", "fuzz", "run", target, "--", &format!("-max_total_time={}", args.seconds)]);
        // What `cargo xtask` was started with would hold the compiler at stable.
        fuzz.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
        step::run(&mut fuzz)?;
    }
    Ok(())
}

/// The files of `fuzz/fuzz_targets`, by name.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz").join("fuzz_targets");
    let entries = folder.read_dir().context("fuzz/fuzz_targets cannot be read: no fuzz targets yet?")?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
