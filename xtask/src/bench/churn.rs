//! `cargo xtask bench churn`: whether a vector index stays as good as new while vectors come and go.

use anyhow::Result;

use super::first_light::{number, table};
use crate::program::json;
use crate::step::cargo;

/// Options of `cargo xtask bench churn`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Additions, removals and searches in all.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    steps: u64,
    /// Vectors alive.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    live: usize,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut bench =
        cargo(["bench", "--quiet", "--locked", "--package", "cortexkg-index", "--bench", "churn", "--"]);
    bench.args(["--steps", &args.steps.to_string(), "--live", &args.live.to_string()]);
    let measured = json(&mut bench)?;
    if args.json {
        println!("{measured}");
        return Ok(());
    }
    let columns = [
        ("steps", 0),
        ("live", 0),
        ("added", 0),
        ("removed", 0),
        ("searched", 0),
        ("seconds", 0),
        ("unreachable_or_broken", 0),
        ("recall_after_churn", 4),
        ("recall_of_a_fresh_build", 4),
        ("bytes_per_vector", 0),
    ];
    let names = columns.map(|(name, _)| name.replace('_', " "));
    let mut table = table(&names.each_ref().map(String::as_str));
    table.add_row(columns.map(|(name, places)| number(measured[name].as_f64(), places)));
    println!("{table}");
    Ok(())
}
