//! `cargo xtask bench growth`: what a decision costs as the graph grows, in memory and over a store.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use comfy_table::Table;
use serde_json::Value;

use super::chart::{Chart, Line};
use super::first_light::{number, table};
use super::made_up::MadeUp;
use crate::program::json;
use crate::step;

/// What is to be reached at the end: microseconds, decisions per second, of those in memory, times the cost at the first size.
const P99_US: f64 = 5_000.0;
const PER_SECOND: f64 = 5_000.0;
const DURABLE_SHARE: f64 = 0.8;
const GROWTH: f64 = 3.0;

/// Options of `cargo xtask bench growth`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes of the largest graph.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    nodes: u64,
    /// Values of the vectors; the same without vectors is measured beside.
    #[arg(long, value_name = "D", default_value_t = 384)]
    dimension: usize,
    /// Facts that are measured at each size.
    #[arg(long, value_name = "N", default_value_t = 10_240)]
    window: usize,
    /// Also over a store, in batches of 1,024 facts that are on the disk before the next.
    #[arg(long)]
    durable: bool,
    /// Only facts with vectors, or without.
    #[arg(long, value_enum)]
    only: Option<Kind>,
    /// Where stores are made [default: the system's temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where the curve is drawn [default: bench/growth.svg in the target folder].
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
    /// Measure nothing: show what --json printed before (may be given more than once).
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
    /// Print one JSON array instead of tables.
    #[arg(long)]
    json: bool,
}

/// Whether facts bring vectors.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// They have words only.
    Words,
    /// Each brings one.
    Vectors,
}

/// Measures, prints and draws.
pub(crate) fn run(args: &Args) -> Result<()> {
    let runs = if args.from.is_empty() { measure(args)? } else { read(&args.from)? };
    let default = step::target().join("bench").join("growth.svg");
    let picture = args.picture.as_ref().unwrap_or(&default);
    picture.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(picture, curve(&runs)).with_context(|| picture.display().to_string())?;
    if args.json {
        println!("{}", Value::from(&*runs));
    } else {
        for run in &runs {
            println!(
                "{}, peak {} MiB, {} s\n{}\n",
                name(run),
                mib(&run["peak_bytes"]),
                number(run["seconds"].as_f64(), 0),
                sizes(run)
            );
            println!("{}\n\n{}\n", stages(run), bytes(run));
        }
        println!("{}", verdicts(&runs));
    }
    eprintln!("curve: {}", picture.display());
    same_graphs(&runs)
}

/// One run after the other.
fn measure(args: &Args) -> Result<Vec<Value>> {
    let program = MadeUp::build()?;
    let mut runs = Vec::new();
    for (kind, dimension) in [(Kind::Words, 0), (Kind::Vectors, args.dimension)] {
        for is_durable in [false, true] {
            if args.only.is_some_and(|only| only != kind) || (is_durable && !args.durable) {
                continue;
            }
            let mut growth = program.command("growth");
            growth.args(["--nodes", &args.nodes.to_string(), "--dimension", &dimension.to_string()]);
            growth.args(["--window", &args.window.to_string()]);
            if is_durable {
                growth.arg("--durable");
                if let Some(dir) = &args.dir {
                    growth.arg("--dir").arg(std::path::absolute(dir)?);
                }
            }
            runs.push(json(&mut growth)?);
        }
    }
    Ok(runs)
}

/// Runs of before, each in an array or by itself.
fn read(files: &[PathBuf]) -> Result<Vec<Value>> {
    let mut runs = Vec::new();
    for file in files {
        let text = std::fs::read(file).with_context(|| file.display().to_string())?;
        match serde_json::from_slice(&text).with_context(|| file.display().to_string())? {
            Value::Array(several) => runs.extend(several),
            one => runs.push(one),
        }
    }
    Ok(runs)
}

/// Words or vectors, and where they are kept.
fn name(run: &Value) -> String {
    let kind = match run["dimension"].as_u64() {
        Some(0) => "words".to_owned(),
        dimension => format!("vectors of {}", dimension.unwrap_or_default()),
    };
    format!("{kind} {}", if run["durable"] == true { "over a store" } else { "in memory" })
}

fn mib(bytes: &Value) -> String {
    number(bytes.as_f64().map(|bytes| bytes / f64::from(1 << 20)), 0)
}

fn points(run: &Value) -> &[Value] {
    run["points"].as_array().map_or(&[], Vec::as_slice)
}

/// One row per size.
fn sizes(run: &Value) -> Table {
    let mut table = table(&[
        "nodes",
        "facts",
        "decisions/s",
        "mean µs",
        "p50 µs",
        "p99 µs",
        "max µs",
        "CPU µs",
        "waited %",
        "by index %",
        "RSS MiB",
    ]);
    for point in points(run) {
        let of = |name: &str, places| number(point["decision"][name].as_f64(), places);
        let percent = |share: &Value| number(share.as_f64().map(|share| share * 100.0), 0);
        table.add_row([
            point["nodes"].to_string(),
            point["facts"].to_string(),
            of("per_second", 0),
            of("mean_us", 1),
            of("p50_us", 1),
            of("p99_us", 1),
            of("max_us", 0),
            of("cpu_us", 1),
            percent(&point["decision"]["waited"]),
            percent(&point["by_index"]),
            mib(&point["resident_bytes"]),
        ]);
    }
    table
}

/// Mean microseconds of every stage, one row per size.
fn stages(run: &Value) -> Table {
    let stages = |point: &Value| point["stages"].as_array().cloned().unwrap_or_default();
    let names = points(run).last().map(stages).unwrap_or_default();
    let names: Vec<String> =
        names.iter().map(|stage| stage[0].as_str().unwrap_or("?").to_owned() + " µs").collect();
    let mut table =
        table(&std::iter::once("nodes").chain(names.iter().map(String::as_str)).collect::<Vec<_>>());
    for point in points(run) {
        let times = stages(point);
        let times = times.iter().map(|stage| number(stage[1].as_f64(), 1));
        table.add_row(std::iter::once(point["nodes"].to_string()).chain(times));
    }
    table
}

/// MiB of every structure, one row per size.
fn bytes(run: &Value) -> Table {
    let structures = |point: &Value| point["memory"].as_array().cloned().unwrap_or_default();
    let names: Vec<String> = points(run)
        .last()
        .map(structures)
        .unwrap_or_default()
        .iter()
        .map(|structure| structure[0].as_str().unwrap_or("?").to_owned() + " MiB")
        .collect();
    let header: Vec<&str> = std::iter::once("nodes").chain(names.iter().map(String::as_str)).collect();
    let mut table = table(&[&header[..], &["vectors at 1, 4, 8, 16, 32 bits"]].concat());
    for point in points(run) {
        let mut row = vec![point["nodes"].to_string()];
        row.extend(structures(point).iter().map(|structure| mib(&structure[1])));
        row.push(point["levels"].as_array().map_or_else(
            || "no index".to_owned(),
            |levels| levels.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
        ));
        table.add_row(row);
    }
    table
}

/// What was to be reached beside what was.
fn verdicts(runs: &[Value]) -> Table {
    let mut table = table(&["at the end", "reached", "aim", ""]);
    let mut row = |what: String, reached: Option<f64>, places, aim: String, is_met: bool| {
        table.add_row([what, number(reached, places), aim, if is_met { "yes" } else { "NO" }.to_owned()]);
    };
    for run in runs {
        let (Some(first), Some(last)) = (points(run).first(), points(run).last()) else { continue };
        let of = |point: &Value, figure: &str| point["decision"][figure].as_f64();
        let growth = of(last, "cpu_us").zip(of(first, "cpu_us")).map(|(last, first)| last / first);
        let met = |reached: Option<f64>, aim: f64| reached.is_some_and(|reached| reached <= aim);
        let at = |what: &str| format!("{}: {what}", name(run));
        row(
            at("CPU time, times that at the first size"),
            growth,
            2,
            format!("≤ {GROWTH}"),
            met(growth, GROWTH),
        );
        let rate = of(last, "per_second");
        if run["durable"] == true {
            let memory = in_memory(run, runs).and_then(|run| of(points(run).last()?, "per_second"));
            let share = rate.zip(memory).map(|(rate, memory)| rate / memory);
            row(
                at("rate, of that in memory"),
                share,
                2,
                format!("≥ {DURABLE_SHARE}"),
                share.is_some_and(|share| share >= DURABLE_SHARE),
            );
        } else {
            row(at("p99 µs"), of(last, "p99_us"), 0, format!("≤ {P99_US}"), met(of(last, "p99_us"), P99_US));
            row(
                at("decisions/s"),
                rate,
                0,
                format!("≥ {PER_SECOND}"),
                rate.is_some_and(|rate| rate >= PER_SECOND),
            );
        }
    }
    table
}

/// The run over the same facts in memory.
fn in_memory<'a>(run: &Value, runs: &'a [Value]) -> Option<&'a Value> {
    let facts = |run: &Value| points(run).last().map(|point| point["facts"].clone());
    let same = |other: &&Value| other["dimension"] == run["dimension"] && facts(other) == facts(run);
    runs.iter().filter(same).find(|other| other["durable"] == false)
}

/// The same facts must give the same graph wherever it is kept.
fn same_graphs(runs: &[Value]) -> Result<()> {
    for run in runs {
        if in_memory(run, runs).is_some_and(|other| other["state_hash"] != run["state_hash"]) {
            bail!("{}: the graph is another one than in memory", name(run));
        }
    }
    Ok(())
}

/// Mean time of a decision by size of the graph.
fn curve(runs: &[Value]) -> String {
    let line = |run: &Value| Line {
        name: name(run),
        points: points(run)
            .iter()
            .filter_map(|point| point["nodes"].as_f64().zip(point["decision"]["mean_us"].as_f64()))
            .collect(),
    };
    let title = "What a decision costs as the graph grows";
    Chart { title, x: "nodes", y: "µs per decision, mean", lines: runs.iter().map(line).collect() }.svg()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(durable: bool, hash: &str) -> Value {
        let point = |nodes: u64, per_second: f64, cpu: f64| {
            json!({
                "nodes": nodes, "facts": nodes * 2, "by_index": 0.5, "resident_bytes": 3 << 20,
                "memory": [["graph", 2 << 20]], "levels": [5, 4, 3, 2, 1], "stages": [["perceive", 1.25], ["recall", 7.5]],
                "decision": { "per_second": per_second, "mean_us": cpu, "p50_us": 2.5, "p99_us": 6_000.0, "max_us": 7_000.0,
                              "cpu_us": cpu, "waited": 0.1 },
            })
        };
        let (slow, per_second) = if durable { (25.0, 4_500.0) } else { (35.0, 6_000.0) };
        json!({ "dimension": 16, "durable": durable, "seconds": 1.0, "peak_bytes": 4 << 20, "state_hash": hash,
                "points": [point(10, 9_000.0, 10.0), point(100, per_second, slow)] })
    }

    #[test]
    fn aims_are_judged_at_the_end() {
        let runs = [made(false, "a"), made(true, "a")];
        assert!(same_graphs(&runs).is_ok());
        assert!(same_graphs(&[made(false, "a"), made(true, "b")]).is_err());
        let mut larger = made(true, "b");
        larger["points"][1]["facts"] = 300.into();
        assert!(same_graphs(&[made(false, "a"), larger]).is_ok(), "not the same facts");
        let verdicts = verdicts(&runs).to_string();
        let line = |part: &str| verdicts.lines().find(|line| line.contains(part)).unwrap().to_owned();
        assert!(line("in memory: CPU time").contains("3.50"), "{verdicts}");
        assert!(line("in memory: CPU time").trim_end().ends_with("NO"));
        assert!(line("over a store: CPU time").trim_end().ends_with("yes"));
        assert!(line("p99").contains("6000") && line("p99").trim_end().ends_with("NO"));
        assert!(line("rate, of that").contains("0.75") && line("rate, of that").trim_end().ends_with("NO"));
        assert!(line("decisions/s").trim_end().ends_with("yes"));
        let table = sizes(&runs[0]).to_string();
        assert!(table.contains("50") && table.contains("6000.0"), "{table}");
        assert!(bytes(&runs[0]).to_string().contains("5, 4, 3, 2, 1"));
        let stages = stages(&runs[0]).to_string();
        assert!(stages.contains("recall µs") && stages.contains("7.5"), "{stages}");
        assert!(curve(&runs).contains("vectors of 16 over a store"));
    }
}
