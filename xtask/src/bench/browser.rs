//! What the package for JavaScript takes in a browser: a first answer, streams of people and of vectors, the columns.

use anyhow::{Result, bail};

use crate::packages::{self, BROWSER, NODE};
use crate::step::{self, root};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Vectors of the large graph.
    #[arg(long, default_value_t = 100_000)]
    vectors: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it on the package as it was built last.
pub(crate) fn run(args: &Args) -> Result<()> {
    packages::check(&[NODE, BROWSER]).map_err(anyhow::Error::msg)?;
    let web = root().join("web");
    if !web.join("dist").join("index.js").is_file() {
        bail!("the package is not built; `cargo xtask web` builds it");
    }
    let mut node = step::command("node");
    node.args(["bench/bench.mjs", "--vectors", &args.vectors.to_string()])
        .args(args.json.then_some("--json"));
    step::run(node.current_dir(&web).env("CHROMIUM", packages::browser()))
}
