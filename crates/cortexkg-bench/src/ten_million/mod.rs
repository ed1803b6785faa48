//! Very many vectors in little memory: 1 bit for each dimension, more for those of important nodes, the full vectors on disk.
//!
//! The index is built in batches; every so often it is saved. Whoever kills the process loses what came after. Then nodes are used as
//! Zipf's law says and each is kept as exactly as the engine would keep it ([`uses`]), and what is near to mentions of them is
//! sought ([`queries`]).

mod build;
mod queries;
mod rows;
mod uses;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};
use cortexkg_bench::{Clustered, machine};
use cortexkg_index::Precision;
use serde::Serialize;

use build::{Folder, Recipe};

/// Nodes held on to by a search, and how many of them are ranked again by their full vectors.
const EFFORTS: [(usize, usize); 5] = [(32, 24), (64, 48), (128, 96), (256, 192), (512, 384)];

/// Options of `ten-million`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Vectors.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    nodes: u64,
    /// Values of each.
    #[arg(long, value_name = "D", default_value_t = 384)]
    dimension: usize,
    /// Where vectors and index are kept; four bytes for each value and some 300 for each vector.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Go on where an earlier run was when it was last saved.
    #[arg(long)]
    resume: bool,
    /// Vectors after which all is saved.
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    save_every: u64,
    /// Queries.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    queries: usize,
    /// Mentions that use the nodes before anything is sought.
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    mentions: u32,
    /// Threads.
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// Another seed makes other vectors.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// What came out.
#[derive(Serialize)]
struct Report {
    nodes: u64,
    dimension: usize,
    threads: usize,
    build: build::Built,
    uses: uses::Used,
    /// Vectors at each precision, by its name.
    levels: Vec<(&'static str, usize)>,
    index_bytes: usize,
    uses_bytes: usize,
    /// What the process holds in memory once everything is there.
    resident_bytes: u64,
    /// The most that it ever held, what it was made with included.
    peak_bytes: u64,
    searches: Vec<queries::Searched>,
    seconds: f64,
}

/// Measures and prints JSON.
pub(crate) fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let recipe = Recipe { nodes: args.nodes, dimension: args.dimension, seed: args.seed };
    let folder = Folder::open(&args.dir, recipe, args.resume)
        .with_context(|| format!("{}: cannot be used", args.dir.display()))?;
    let (mut index, mut rows) = folder.load()?;
    let clustered = Clustered::new(args.dimension, args.seed);
    let built = folder.fill(&mut index, &mut rows, &clustered, args.save_every, &pool)?;
    // What it was made with is not part of it.
    drop(clustered);
    let (uses, used) = uses::have_used(&mut index, &rows, args.mentions, args.seed)?;
    let resident_bytes = machine::resident_bytes();
    let questions = queries::Questions::new(&rows, args.queries, args.seed, &pool)?;
    let searches = EFFORTS.map(|(ef, rescored)| questions.ask(&index, &rows, ef, rescored, args.threads));
    let report = Report {
        nodes: args.nodes,
        dimension: args.dimension,
        threads: args.threads,
        build: built,
        uses: used,
        levels: Precision::ALL.iter().map(|precision| precision.name()).zip(index.precisions()).collect(),
        index_bytes: index.bytes(),
        uses_bytes: size_of_val(&*uses),
        resident_bytes,
        peak_bytes: machine::peak_bytes(),
        searches: searches.into_iter().collect::<Result<_>>()?,
        seconds: start.elapsed().as_secs_f64(),
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
