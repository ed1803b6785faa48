//! `cargo xtask bench kernels`: the kernels of every level beside the definition of their results, built as plain code.

use anyhow::{Result, anyhow};

use crate::levels;
use crate::step::{self, cargo, target};

/// Options of `cargo xtask bench kernels`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// As WebAssembly in Node: the level simd128 beside the scalar one, in one module.
    #[arg(long)]
    wasm: bool,
}

/// Keeps the compiler from spreading loops over wide registers by itself.
const NO_VECTORS: &str = "-Cno-vectorize-loops -Cno-vectorize-slp";

/// Builds the bench of the kernels without automatic vectors and runs its tables.
///
/// The wide levels name their instructions, so the flags leave them as they are, but for what they have from plain loops
/// (scaling, nibbles in and out, the wide steps of the transform): these are faster in an ordinary build.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.wasm {
        let ratios = ["run", "--release", "--quiet", "--example", "ratios", "--features", "simd128"];
        let mut ratios = levels::wasm(&ratios).map_err(|missing| anyhow!(missing))?;
        return step::run(&mut ratios);
    }
    let mut bench =
        cargo(["bench", "--locked", "--package", "cortexkg-simd", "--bench", "kernels", "--target-dir"]);
    // A folder of its own: other flags would have everything built anew each time.
    bench.arg(target().join("no-vectors")).args(["--", "--table"]);
    step::run(bench.env("RUSTFLAGS", NO_VECTORS).env_remove("CARGO_ENCODED_RUSTFLAGS"))
}
