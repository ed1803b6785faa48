//! `cargo xtask bench tiers`: hit rates of the tiers beside what no policy can beat, and the speed of a hit.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use comfy_table::Table;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::first_light::{Set, number, table};
use crate::program::json;
use crate::step::{self, cargo};

/// The set whose decisions make a trace.
const TRACED: &str = "patentsview";

/// Options of `cargo xtask bench tiers`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Trace of accesses: numbers of nodes as little-endian u32, one per access (may be given more than once) [default:
    /// the nodes looked at for patentsview, if it is there: the candidates of each record, and the node it went to].
    #[arg(long = "trace", value_name = "FILE")]
    traces: Vec<PathBuf>,
    /// Folder with one folder per set, looked into before data and data/cache.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut traces = args.traces.clone();
    if traces.is_empty() {
        match Set::find(TRACED, args.data.as_deref()) {
            Some(set) => traces.push(accesses(&set)?),
            None => {
                eprintln!(
                    "{TRACED}: not here, no trace; `cargo xtask data` fetches it, or give --trace FILE"
                );
            }
        }
    }
    let mut bench =
        cargo(["bench", "--quiet", "--locked", "--package", "cortexkg-tiers", "--bench", "tiers", "--"]);
    for trace in &traces {
        bench.arg("--trace").arg(fs::canonicalize(trace).with_context(|| trace.display().to_string())?);
    }
    let measured = json(&mut bench)?;
    if args.json {
        println!("{measured}");
    } else {
        println!("{}\n\n{}", hits(&measured), speed(&measured));
    }
    Ok(())
}

/// The nodes that decisions on a set look at, as a trace.
fn accesses(set: &Set) -> Result<PathBuf> {
    eprintln!("{TRACED}: allocating, for a trace");
    let scratch = step::target().join("bench");
    fs::create_dir_all(&scratch)?;
    let trace = scratch.join(format!("{TRACED}.accesses"));
    let records = plain(&set.records, &scratch.join(format!("{TRACED}.records.csv")))?;
    let mut example = cargo([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "cortexkg",
        "--example",
        "accesses",
        "--",
    ]);
    step::run(example.arg(records).arg(&trace))?;
    Ok(trace)
}

/// Records as the example reads them: themselves, or what gzip packed, at `unpacked`.
fn plain(records: &Path, unpacked: &Path) -> Result<PathBuf> {
    if records.extension().is_none_or(|extension| extension != "gz") {
        return Ok(records.to_path_buf());
    }
    let unpack = || io::copy(&mut MultiGzDecoder::new(File::open(records)?), &mut File::create(unpacked)?);
    unpack().with_context(|| format!("{}: cannot be unpacked", records.display()))?;
    Ok(unpacked.to_path_buf())
}

/// One row per load and room. All rates are shares of all accesses.
fn hits(measured: &Value) -> Table {
    let mut table = table(&[
        "load",
        "accesses",
        "keys",
        "room",
        "L1 + L2",
        "L1 %",
        "L2 %",
        "both %",
        "> 80 %",
        "one tier %",
        "optimum %",
        "of optimum %",
        "of knowing frequencies %",
    ]);
    for row in measured["hits"].as_array().into_iter().flatten() {
        let rate = |name: &str| row[name].as_f64();
        let percent = |value: Option<f64>| number(value.map(|value| value * 100.0), 1);
        let of = |name: &str| percent(rate("rate").zip(rate(name)).map(|(rate, most)| rate / most));
        let bound = if row["optimum_is"] == "exact" { "" } else { "≤ " };
        let text = |name: &str| row[name].as_str().unwrap_or("?").to_owned();
        table.add_row([
            text("load"),
            row["accesses"].to_string(),
            row["keys"].to_string(),
            percent(rate("share")) + " %",
            text("room"),
            percent(rate("l1_rate")),
            percent(rate("l2_rate")),
            percent(rate("rate")),
            if rate("rate").is_some_and(|rate| rate > 0.8) { "yes" } else { "NO" }.to_owned(),
            percent(rate("one_tier")),
            bound.to_owned() + &percent(rate("optimum")),
            of("optimum"),
            of("frequency"),
        ]);
    }
    table
}

/// One row per way to read.
fn speed(measured: &Value) -> Table {
    let mut table = table(&["a hit in", "threads", "ns", "million/s, all threads"]);
    for row in measured["speed"].as_array().into_iter().flatten() {
        let (ns, threads) = (row["ns"].as_f64(), row["threads"].as_f64());
        table.add_row([
            row["reader"].as_str().unwrap_or("?").to_owned(),
            row["threads"].to_string(),
            number(ns, 0),
            number(ns.zip(threads).map(|(ns, threads)| threads * 1_000.0 / ns), 1),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    #[test]
    fn packed_records_are_unpacked_and_plain_ones_left_alone() {
        let folder = step::target().join("bench").join("unpacking");
        fs::create_dir_all(&folder).unwrap();
        let (packed, unpacked) = (folder.join("records.csv.gz"), folder.join("records.csv"));
        // Two members, one after the other.
        let members: Vec<u8> = ["id,name\n", "1,Ada\n"]
            .into_iter()
            .flat_map(|text| {
                let mut member = GzEncoder::new(Vec::new(), Compression::fast());
                member.write_all(text.as_bytes()).unwrap();
                member.finish().unwrap()
            })
            .collect();
        fs::write(&packed, members).unwrap();
        assert_eq!(plain(&packed, &unpacked).unwrap(), unpacked);
        assert_eq!(fs::read_to_string(&unpacked).unwrap(), "id,name\n1,Ada\n");
        assert_eq!(plain(&unpacked, &packed).unwrap(), unpacked);
        fs::write(&packed, "no gzip").unwrap();
        let error = plain(&packed, &unpacked).unwrap_err();
        assert!(error.to_string().contains("records.csv.gz"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_row_shows_the_rate_beside_the_optimum() {
        let measured = json!({
            "hits": [{
                "load": "Zipf(1.0)", "accesses": 100, "keys": 10, "room": "1 + 4 entries", "share": 0.5, "l1_rate": 0.5,
                "l2_rate": 0.31, "rate": 0.81, "one_tier": 0.82, "optimum": 0.9, "optimum_is": "bound", "frequency": null,
            }],
            "speed": [{ "reader": "L1 hit", "threads": 2, "ns": 100.0 }],
        });
        let text = hits(&measured).to_string();
        for part in ["1 + 4 entries", "50.0 %", "81.0", "yes", "82.0", "≤ 90.0", "90.0", "n/a"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(speed(&measured).to_string().contains("20.0"));
    }
}
