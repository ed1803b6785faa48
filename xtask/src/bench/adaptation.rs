//! `cargo xtask bench adaptation`: whether an engine that sets itself comes near the best fixed setting.

use anyhow::Result;

use super::first_light::{number, table};
use crate::program::json;
use crate::step::cargo;

/// Options of `cargo xtask bench adaptation`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Facts of each load; the last third is timed.
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    facts: usize,
    /// Nodes of the large loads; the small one has a sixteenth.
    #[arg(long, value_name = "N", default_value_t = 30_000)]
    nodes: usize,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut bench = cargo([
        "bench",
        "--quiet",
        "--locked",
        "--package",
        "cortexkg-scalable",
        "--bench",
        "adaptation",
        "--",
    ]);
    bench.args(["--facts", &args.facts.to_string(), "--nodes", &args.nodes.to_string()]);
    let measured = json(&mut bench)?;
    if args.json {
        println!("{measured}");
        return Ok(());
    }
    let columns = [
        ("best_decisions_per_s", 0),
        ("adaptive_decisions_per_s", 0),
        ("share_of_best", 2),
        ("recall", 3),
        ("ef_search", 0),
        ("changes", 0),
    ];
    let names = columns.map(|(name, _)| name.replace('_', " "));
    let heads: Vec<&str> =
        ["load", "best fixed setting"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let mut table = table(&heads);
    for load in measured.as_array().into_iter().flatten() {
        let words = ["load", "best"].map(|name| load[name].as_str().unwrap_or_default().to_owned());
        let figures = columns.map(|(name, places)| number(load[name].as_f64(), places));
        table.add_row(words.into_iter().chain(figures));
    }
    println!("{table}\naim: a share of 0.9 of the best on each load");
    Ok(())
}
