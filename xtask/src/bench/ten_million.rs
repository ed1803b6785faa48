//! `cargo xtask bench ten-million`: ten million vectors in little memory.

use std::path::PathBuf;

use anyhow::Result;
use comfy_table::Table;
use serde_json::Value;

use super::first_light::{number, table};
use super::made_up::MadeUp;
use crate::program::json;
use crate::step;

/// Vectors that are to fit, and into how many bytes.
const NODES: f64 = 10_000_000.0;
const BYTES_MAX: f64 = 3.0 * 1_073_741_824.0;

/// Options of `cargo xtask bench ten-million`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Vectors.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    nodes: u64,
    /// Values of each.
    #[arg(long, value_name = "D", default_value_t = 384)]
    dimension: usize,
    /// Where vectors and index are kept; 15 GB and 3 GB as it stands [default: bench/ten-million in the target folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Go on where an earlier run was when it was last saved, also with more vectors.
    #[arg(long)]
    resume: bool,
    /// Vectors after which all is saved.
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    save_every: u64,
    /// Queries.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    queries: usize,
    /// Threads.
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let dir = match &args.dir {
        Some(dir) => std::path::absolute(dir)?,
        None => step::target().join("bench").join("ten-million"),
    };
    let mut bench = MadeUp::build()?.command("ten-million");
    bench.args(["--nodes", &args.nodes.to_string(), "--dimension", &args.dimension.to_string()]);
    bench.args(["--save-every", &args.save_every.to_string(), "--queries", &args.queries.to_string()]);
    bench.args(["--threads", &args.threads.to_string()]).arg("--dir").arg(&dir);
    if args.resume {
        bench.arg("--resume");
    }
    let measured = json(&mut bench)?;
    if args.json {
        println!("{measured}");
    } else {
        println!("{}\n\n{}\n\n{}", summary(&measured), levels(&measured), searches(&measured));
    }
    eprintln!("{} holds the run; remove it, or resume it with more vectors", dir.display());
    Ok(())
}

/// What it took, one row for each figure.
fn summary(measured: &Value) -> Table {
    let mut table = table(&["what", "in all", "for each vector"]);
    let nodes = measured["nodes"].as_f64();
    let mut bytes = |what: &str, bytes: Option<f64>| {
        let each = bytes.zip(nodes).map(|(bytes, nodes)| bytes / nodes);
        let mib = number(bytes.map(|bytes| bytes / f64::from(1 << 20)), 0);
        table.add_row([what.to_owned(), format!("{mib} MiB"), format!("{} bytes", number(each, 1))]);
    };
    let resident = measured["resident_bytes"].as_f64();
    bytes("index, by its own count", measured["index_bytes"].as_f64());
    bytes("use of nodes", measured["uses_bytes"].as_f64());
    bytes("resident", resident);
    bytes("resident at the peak, with what makes vectors", measured["peak_bytes"].as_f64());
    let whole = resident.zip(nodes).map(|(resident, nodes)| resident / nodes * NODES);
    let verdict = if whole.is_some_and(|whole| whole <= BYTES_MAX) { "yes" } else { "NO" };
    let what = if nodes == Some(NODES) { "10 M vectors" } else { "10 M vectors, at as much for each" };
    let whole = number(whole.map(|whole| whole / BYTES_MAX * 3.0), 2);
    table.add_row([what.to_owned(), format!("{whole} GiB"), format!("≤ 3 GiB {verdict}")]);
    let build = &measured["build"];
    let of = |part: &Value, name: &str, places| number(part[name].as_f64(), places);
    for (what, value) in [
        ("vectors that were there", of(build, "resumed_at", 0)),
        ("vectors added", of(build, "added", 0)),
        ("added/s, all threads", of(build, "per_second", 0)),
        ("added/s, last tenth", of(build, "per_second_at_the_end", 0)),
        ("seconds of adding", of(build, "seconds", 0)),
        ("of these, of saving", of(build, "save_seconds", 0)),
        ("mentions that used nodes", of(&measured["uses"], "mentions", 0)),
        ("made finer", of(&measured["uses"], "made_finer", 0)),
        ("made coarser", of(&measured["uses"], "made_coarser", 0)),
        ("full vectors read for that", of(&measured["uses"], "reads", 0)),
        ("seconds of that", of(&measured["uses"], "seconds", 0)),
        ("seconds in all", of(measured, "seconds", 0)),
    ] {
        table.add_row([what.to_owned(), value, String::new()]);
    }
    table
}

/// How many are kept how.
fn levels(measured: &Value) -> Table {
    let mut table = table(&["precision", "vectors", "share %"]);
    for level in measured["levels"].as_array().into_iter().flatten() {
        let count = level[1].as_f64();
        let share = count.zip(measured["nodes"].as_f64()).map(|(count, nodes)| 100.0 * count / nodes);
        table.add_row([level[0].as_str().unwrap_or("?").to_owned(), number(count, 0), number(share, 3)]);
    }
    table
}

/// One row for each effort.
fn searches(measured: &Value) -> Table {
    let mut table = table(&[
        "ef, ranked again",
        "recall@10",
        "none found %",
        "reads",
        "queries/s",
        "p50 µs",
        "p99 µs",
        "cold: KiB of disk",
        "queries/s",
        "p50 µs",
        "p99 µs",
    ]);
    for row in measured["searches"].as_array().into_iter().flatten() {
        let of = |of: &Value, name: &str, times: f64, places| {
            number(of[name].as_f64().map(|value| value * times), places)
        };
        let (cold, warm) = (&row["cold"], &row["warm"]);
        table.add_row([
            format!("{}, {}", row["ef"], row["rescored"]),
            of(row, "recall_at_10", 1.0, 4),
            of(row, "lost", 100.0, 1),
            of(row, "reads", 1.0, 0),
            of(warm, "per_second", 1.0, 0),
            of(warm, "p50_us", 1.0, 0),
            of(warm, "p99_us", 1.0, 0),
            of(cold, "disk_bytes", 1.0 / 1024.0, 0),
            of(cold, "per_second", 1.0, 0),
            of(cold, "p50_us", 1.0, 0),
            of(cold, "p99_us", 1.0, 0),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_said_of_ten_million() {
        let round = json!({ "per_second": 800.0, "p50_us": 900.0, "p99_us": 1_900.0, "disk_bytes": 4_096.0 });
        let made = |resident: u64| {
            json!({
                "nodes": 1_000_000, "resident_bytes": resident, "index_bytes": 1 << 20, "peak_bytes": 2 << 20,
                "levels": [["b1", 990_000], ["q4", 10_000]], "build": { "added": 1_000_000, "per_second": 4_000.4 },
                "searches": [{ "ef": 64, "rescored": 48, "recall_at_10": 0.95, "lost": 0.01, "reads": 47.6, "cold": round, "warm": round }],
            })
        };
        let fits = summary(&made(322_000_000)).to_string();
        assert!(
            fits.contains("≤ 3 GiB yes") && fits.contains("322.0 bytes") && fits.contains("4000"),
            "{fits}"
        );
        assert!(summary(&made(323_000_000)).to_string().contains("≤ 3 GiB NO"));
        assert!(levels(&made(1)).to_string().contains("99.000"));
        let searches = searches(&made(1)).to_string();
        assert!(
            searches.contains("64, 48") && searches.contains("0.9500") && searches.contains(" 48 "),
            "{searches}"
        );
    }
}
