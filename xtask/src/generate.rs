//! `cargo xtask generate`: made-up facts with the truth about them.

use std::path::PathBuf;

use anyhow::Result;

use crate::bench::MadeUp;
use crate::step;

/// Options of `cargo xtask generate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes: people that are spoken of.
    #[arg(long, value_name = "N")]
    nodes: u64,
    /// Mentions of them, at least as many [default: 13 for every 10 nodes].
    #[arg(long, value_name = "M")]
    mentions: Option<u64>,
    /// Values of the vector of each mention; 0 for none.
    #[arg(long, value_name = "D", default_value_t = 0)]
    dimension: usize,
    /// Another seed makes others.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where the facts go, as JSONL; packed if the name ends in .zst. The truth goes beside it: NAME.truth.csv.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Has the files written.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut generate = MadeUp::build()?.command("generate");
    generate.args(["--nodes", &args.nodes.to_string(), "--dimension", &args.dimension.to_string()]);
    generate.args(["--seed", &args.seed.to_string()]);
    if let Some(mentions) = args.mentions {
        generate.args(["--mentions", &mentions.to_string()]);
    }
    // As the caller's folder has it, not that of the workspace.
    step::run(generate.arg("--out").arg(std::path::absolute(&args.out)?))
}
