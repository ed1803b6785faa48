//! The vector index of CortexKG beside others, in one interleaved run. See bench-compare/README.md, "Vector indexes".

mod adaptive;
mod data;
mod hold;
mod machine;
mod measure;
mod order;
mod rows;
mod systems;
mod table;
mod targets;
mod truth;
mod tune;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand};
use cortexkg_simd::Kernels;

use data::{Data, Source};
use truth::Truth;

#[derive(Parser)]
#[command(about = "Compares vector indexes; bench-compare/vectors/run sets up what it needs")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// All systems side by side
    Compare(Compare),
    /// Our index with the most used nodes kept at more
    Adaptive(Input),
    /// Holds one index and takes orders; for the program itself
    #[command(hide = true)]
    Hold { name: String, rows: PathBuf, dimension: usize, count: usize, threads: usize },
}

#[derive(Args)]
struct Input {
    /// wordnet, wordnet-static or clustered[:N]
    #[arg(long, default_value = "clustered")]
    data: Source,
    /// Index only so many of the vectors
    #[arg(long)]
    count: Option<usize>,
    /// Where data sets and exact neighbours are kept
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache"))]
    cache: PathBuf,
    /// Vectors set aside as queries
    #[arg(long, default_value_t = 1_000)]
    queries: usize,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Compare {
    #[command(flatten)]
    input: Input,
    /// Only this system; may be repeated
    #[arg(long = "system")]
    systems: Vec<String>,
    /// 1, or all: searches, and additions where a system allows it, on all cores
    #[arg(long, default_value = "1", value_parser = ["1", "all"])]
    threads: String,
    /// How often every system searches with all queries
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Hold { name, rows, dimension, count, threads } => {
            hold::serve(&name, &rows, dimension, count, threads)
        }
        Command::Adaptive(input) => {
            let found = adaptive::run(&prepare(&input)?, &input.cache)?;
            let text = if input.json { serde_json::to_string(&found)? } else { found.text() };
            println!("{text}");
            Ok(())
        }
        Command::Compare(options) => compare(&options),
    }
}

fn prepare(input: &Input) -> Result<Data> {
    ensure!(input.queries > 0, "at least one query is needed");
    std::fs::create_dir_all(&input.cache)?;
    let data = Data::prepare(&input.data, input.count, input.queries, &input.cache)?;
    ensure!(data.count >= truth::K, "at least {} vectors are needed", truth::K);
    Ok(data)
}

fn compare(options: &Compare) -> Result<()> {
    let data = prepare(&options.input)?;
    let queries = data.queries()?;
    let truth = |count| Truth::of(&data.rows, count, &queries, &options.input.cache);
    let threads = if options.threads == "all" { std::thread::available_parallelism()?.get() } else { 1 };
    let (all, left_out): (Vec<&str>, Vec<&str>) =
        systems::NAMES.into_iter().partition(|name| order::can_run(name));
    if options.systems.is_empty() && !left_out.is_empty() {
        eprintln!("left out, as there is no Python that has them: {}", left_out.join(", "));
    }
    let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    let names = if options.systems.is_empty() { &all } else { &options.systems };
    let run = measure::run(&data, truth, names, threads, options.rounds.max(1))?;
    if options.input.json {
        println!("{}", serde_json::to_string(&run)?);
        return Ok(());
    }
    println!(
        "{} vectors of {} ({} dimensions), {} queries, {} at a time; ratios (×) to {}\n",
        run.count,
        run.data,
        run.dimension,
        run.queries,
        if threads == 1 { "one".to_owned() } else { threads.to_string() },
        systems::BASELINE
    );
    println!("{}", table::table(&run));
    targets::lines(&run).iter().for_each(|line| println!("{line}"));
    println!(
        "\n{}, CortexKG on {}; usearch {} on {}, hnsw_rs {} on {}, faiss {}, diskannpy {}",
        machine::cpu_name(),
        format!("{:?}", Kernels::active().level()).to_lowercase(),
        usearch::version(),
        hardware(&run, "usearch"),
        HNSW_RS_VERSION,
        hardware(&run, "hnsw_rs"),
        hardware(&run, "faiss"),
        hardware(&run, "diskann"),
    );
    let machine = &run.machine;
    println!(
        "{:.0} s; all cores {:.0} % busy, {:.0} % with others; the systems waited for a core {:.0} % of their time; load {:.1} at the end",
        run.seconds,
        100.0 * machine.busy,
        100.0 * machine.others,
        100.0 * machine.waited,
        machine.load
    );
    Ok(())
}

/// As Cargo.lock has it; the crate does not tell.
const HNSW_RS_VERSION: &str = "0.3.5";

fn hardware(run: &measure::Run, system: &str) -> String {
    let mut all: Vec<&str> = run
        .figures
        .iter()
        .filter(|figures| figures.name.starts_with(system))
        .map(|figures| figures.hardware.as_str())
        .collect();
    all.dedup();
    if all.is_empty() { "nothing, as it was left out".to_owned() } else { all.join(", ") }
}
