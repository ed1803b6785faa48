//! `cargo xtask bench first-light`: one configuration, one pass, no labels, over every set.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use comfy_table::{CellAlignment, Table, presets};
use cortexkg_simd::Level;
use serde_json::{Value, json};

use crate::program::{Program, Setting};
use crate::step::root;

/// A set with what it is to reach: pairwise F1, the same of a batch linker configured by hand for the set (at a
/// threshold chosen blindly, and at the best one), decisions per second.
struct Aim {
    set: &'static str,
    pair_f1: Option<f64>,
    peer: &'static str,
    decisions_per_s: Option<f64>,
}

const AIMS: [Aim; 5] = [
    Aim { set: "febrl1", pair_f1: Some(0.99), peer: "0.993 / 0.999", decisions_per_s: None },
    Aim { set: "febrl3", pair_f1: Some(0.99), peer: "0.995 / 0.998", decisions_per_s: None },
    Aim { set: "fodors-zagats", pair_f1: Some(0.85), peer: "0.744 / 0.912", decisions_per_s: None },
    Aim { set: "patentsview", pair_f1: Some(0.80), peer: "0.778 / 0.913", decisions_per_s: Some(2_000.0) },
    Aim { set: "hpo", pair_f1: None, peer: "B3 0.654", decisions_per_s: None },
];

/// The set that is repeated on every level and thread count.
const REPEATED: &str = "febrl3";

/// Options of `cargo xtask bench first-light`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder with one folder per set, looked into before data and data/cache.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only these sets (may be given more than once).
    #[arg(long = "set", value_name = "SET")]
    sets: Vec<String>,
    /// Also repeat febrl3 on every SIMD level of this CPU and with 1 and 2 threads: the hashes must be equal.
    #[arg(long)]
    levels: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(unknown) = args.sets.iter().find(|name| AIMS.iter().all(|aim| aim.set != **name)) {
        bail!("{unknown}: no such set; there are: {}", AIMS.map(|aim| aim.set).join(", "));
    }
    let program = Program::build()?;
    let mut runs = Vec::new();
    for aim in AIMS.iter().filter(|aim| args.sets.is_empty() || args.sets.iter().any(|name| name == aim.set))
    {
        let Some(set) = Set::find(aim.set, args.data.as_deref()) else {
            eprintln!("{}: not here, skipped; `cargo xtask data` fetches the larger sets", aim.set);
            continue;
        };
        eprintln!("{}: running", aim.set);
        let (allocated, out) = program.allocate(aim.set, &set.records, Setting::default())?;
        runs.push((aim, allocated, program.score(&out, &set.clusters)?));
    }
    let repeats = if args.levels { repeat(&program, args.data.as_deref())? } else { Vec::new() };
    if args.json {
        let runs: Vec<Value> = runs
            .iter()
            .map(|(aim, allocated, score)| json!({ "set": aim.set, "allocate": allocated, "score": score }))
            .collect();
        let repeats: Vec<Value> = repeats
            .iter()
            .map(|(setting, hash)| json!({ "set": REPEATED, "setting": setting, "state_hash": hash }))
            .collect();
        println!("{}", json!({ "runs": runs, "repeats": repeats }));
    } else {
        println!("{}", summary(&runs));
        for (aim, allocated, _) in &runs {
            if let Some(rates) = rates(allocated) {
                println!("\n{}: rate as the graph grows\n{rates}", aim.set);
            }
        }
        for (setting, hash) in &repeats {
            println!("{REPEATED}  {setting:<24}  {hash}");
        }
    }
    if let Some(((first, hash), rest)) = repeats.split_first()
        && let Some((other, _)) = rest.iter().find(|(_, other)| other != hash)
    {
        bail!("{REPEATED}: the state hash of \"{other}\" is not that of \"{first}\" ({hash})");
    }
    Ok(())
}

/// Files of a set.
pub(crate) struct Set {
    pub(crate) records: PathBuf,
    pub(crate) clusters: PathBuf,
}

impl Set {
    pub(crate) fn find(name: &str, data: Option<&Path>) -> Option<Self> {
        let folders =
            data.map(Path::to_path_buf).into_iter().chain([root().join("data"), root().join("data/cache")]);
        folders.into_iter().map(|folder| folder.join(name)).find_map(|folder| {
            let records = ["records.csv", "records.csv.gz"]
                .map(|file| folder.join(file))
                .into_iter()
                .find(|file| file.exists())?;
            let clusters = folder.join("clusters.csv");
            clusters.exists().then_some(Self { records, clusters })
        })
    }
}

/// The state hash of the repeated set under each setting.
fn repeat(program: &Program, data: Option<&Path>) -> Result<Vec<(String, String)>> {
    let set = Set::find(REPEATED, data).with_context(|| format!("{REPEATED} is not in data"))?;
    let mut settings = Vec::new();
    for level in Level::ALL {
        if level.is_supported() {
            let setting = Setting { level: Some(level), threads: None };
            settings.push((format!("SIMD {level}"), setting));
        } else {
            eprintln!("SIMD {level}: this CPU does not have it, skipped");
        }
    }
    for threads in [1, 2] {
        let setting = Setting { level: None, threads: Some(threads) };
        settings.push((format!("{threads} thread{}", if threads == 1 { "" } else { "s" }), setting));
    }
    let mut hashes = Vec::new();
    for (name, setting) in settings {
        eprintln!("{REPEATED}: running with {name}");
        let (allocated, _) = program.allocate(REPEATED, &set.records, setting)?;
        let hash = allocated["state_hash"].as_str().context("no state_hash in the report")?;
        hashes.push((name, hash.to_owned()));
    }
    Ok(hashes)
}

/// One row per set, the aims beside what was reached.
fn summary(runs: &[(&Aim, Value, Value)]) -> Table {
    let mut table = table(&[
        "set",
        "records",
        "nodes",
        "pair P",
        "pair R",
        "pair F1",
        "aim",
        "peer blind / best",
        "B3 P",
        "B3 R",
        "B3 F1",
        "decisions/s",
        "aim",
        "p50 µs",
        "p99 µs",
        "peak MiB",
        "state hash",
    ]);
    for (aim, allocated, score) in runs {
        let figure =
            |name: &str| score[name].as_f64().map_or_else(|| "?".to_owned(), |value| format!("{value:.4}"));
        let (rate, f1) = (allocated["decisions_per_s"].as_f64(), score["pair_f1"].as_f64());
        let latency = |name| number(allocated["latency_us"][name].as_f64(), 1);
        #[allow(clippy::cast_precision_loss)]
        let mib = allocated["memory_peak_bytes"].as_u64().map(|bytes| bytes as f64 / f64::from(1 << 20));
        let hash: String = allocated["state_hash"].as_str().unwrap_or("?").chars().take(12).collect();
        table.add_row([
            aim.set.to_owned(),
            allocated["records"].to_string(),
            allocated["nodes"].to_string(),
            figure("pair_p"),
            figure("pair_r"),
            figure("pair_f1"),
            verdict(f1, aim.pair_f1, 2),
            aim.peer.to_owned(),
            figure("b3_p"),
            figure("b3_r"),
            figure("b3_f1"),
            number(rate, 0),
            verdict(rate, aim.decisions_per_s, 0),
            latency("p50"),
            latency("p99"),
            number(mib, 1),
            hash,
        ]);
    }
    table
}

/// The aim, and whether it is reached.
fn verdict(reached: Option<f64>, aim: Option<f64>, digits: usize) -> String {
    match (reached, aim) {
        (_, None) => "-".to_owned(),
        (Some(reached), Some(aim)) if reached >= aim => format!("≥ {aim:.digits$} yes"),
        (_, Some(aim)) => format!("≥ {aim:.digits$} NO"),
    }
}

/// The rate of each stretch of records.
fn rates(allocated: &Value) -> Option<Table> {
    let rows = allocated["rates"].as_array().filter(|rows| rows.len() > 1)?;
    let mut table = table(&["records", "nodes", "decisions/s"]);
    for row in rows {
        table.add_row([
            row["records"].to_string(),
            row["nodes"].to_string(),
            number(row["decisions_per_s"].as_f64(), 0),
        ]);
    }
    Some(table)
}

pub(crate) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.digits$}"))
}

/// A table without lines, its figures aligned to the right.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_what_was_reached_and_what_was_to_be() {
        let allocated = json!({
            "records": 1000, "nodes": 501, "decisions_per_s": 12345.6, "memory_peak_bytes": 10 << 20,
            "latency_us": { "p50": 30.04, "p99": null }, "state_hash": "0123456789abcdef",
            "rates": [{ "records": 1000, "nodes": 501, "decisions_per_s": 12345.6 }],
        });
        let score = json!({ "pair_p": 1.0, "pair_r": 0.98, "pair_f1": 0.9899, "b3_p": 1.0, "b3_r": 0.99, "b3_f1": 0.995 });
        assert!(rates(&allocated).is_none(), "one stretch shows no growth");
        let text = summary(&[(&AIMS[0], allocated, score)]).to_string();
        for part in ["febrl1", "0.9899", "≥ 0.99 NO", "12346", "30.0", "n/a", "10.0", "0123456789ab"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn aims_are_judged() {
        assert_eq!(verdict(Some(0.9), Some(0.85), 2), "≥ 0.85 yes");
        assert_eq!(verdict(Some(0.8), Some(0.85), 2), "≥ 0.85 NO");
        assert_eq!(verdict(Some(0.8), None, 2), "-");
    }
}
