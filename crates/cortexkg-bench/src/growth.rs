//! What a decision costs as the graph grows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use cortexkg::{AllocationMethod, EngineConfig, Fact};
use cortexkg_bench::{Mentions, Recipe, machine};
use cortexkg_scalable::{Backing, BatchResults, ScalabilityConfig, ScalableAllocationEngine};
use cortexkg_store::{RedbStore, Sync};
use serde::Serialize;

use crate::latencies::{Latencies, Summary};
use crate::progress::Progress;
use crate::stages::StageTimes;

/// Facts that go together where they are not timed one by one, and over a store.
const BATCH: usize = 1_024;
/// The first size that is measured; every further one is √10 times as large.
const FIRST_NODES: u64 = 10_000;
/// More people than nodes are asked for: a few are taken for others.
const SPARE: f64 = 1.1;

/// Options of `growth`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes of the largest graph.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    nodes: u64,
    /// Values of the vector of each fact; 0: facts have words only.
    #[arg(long, value_name = "D", default_value_t = 384)]
    dimension: usize,
    /// Over a store, in batches of 1,024 facts, each on the disk before the next; else in memory, fact by fact.
    #[arg(long)]
    durable: bool,
    /// Where the store is made [default: a temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Facts that are measured at each size.
    #[arg(long, value_name = "N", default_value_t = 10_240)]
    window: usize,
    /// Another seed makes other facts.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// What came out.
#[derive(Serialize)]
struct Growth {
    dimension: usize,
    durable: bool,
    seconds: f64,
    peak_bytes: u64,
    state_hash: String,
    points: Vec<Point>,
}

/// The graph at one size.
#[derive(Serialize)]
struct Point {
    /// Before the facts that are measured.
    nodes: u64,
    facts: u64,
    decision: Summary,
    /// Mean microseconds of each stage.
    stages: Vec<(&'static str, f64)>,
    /// Share of the decisions for which an index found the near vectors.
    by_index: f64,
    resident_bytes: u64,
    memory: Vec<(&'static str, usize)>,
    /// Vectors at each precision, from 1 bit up; none without the index.
    levels: Option<[usize; 5]>,
}

/// Measures and prints JSON.
pub(crate) fn run(args: &Args) -> Result<()> {
    let config = ScalabilityConfig::production_optimized();
    let growth = if args.durable {
        let temporary = tempfile::tempdir()?;
        let directory = args.dir.as_deref().unwrap_or_else(|| temporary.path()).join("growth");
        let growth = over_a_store(&directory, config, args);
        // A graph is left behind only where something went wrong with it.
        if growth.is_ok() {
            std::fs::remove_dir_all(&directory)?;
        }
        growth?
    } else {
        grow(ScalableAllocationEngine::new(EngineConfig::default(), config), 1, args)?
    };
    println!("{}", serde_json::to_string(&growth)?);
    Ok(())
}

fn over_a_store(directory: &Path, config: ScalabilityConfig, args: &Args) -> Result<Growth> {
    std::fs::create_dir_all(directory)?;
    let store = RedbStore::open(directory).with_context(|| directory.display().to_string())?;
    grow(ScalableAllocationEngine::open(store, EngineConfig::default(), config)?, BATCH, args)
}

/// The sizes that are measured.
fn sizes(largest: u64) -> Vec<u64> {
    let first = if largest > FIRST_NODES { FIRST_NODES } else { (largest / 100).max(1) };
    let steps = (0..).map(|step: i32| (first as f64 * 10_f64.powf(f64::from(step) / 2.0)).round() as u64);
    steps.take_while(|&nodes| nodes < largest).chain([largest]).collect()
}

/// Lets a graph grow; what is measured goes `at_once` facts at a time.
fn grow<E: Backing>(mut engine: ScalableAllocationEngine<E>, at_once: usize, args: &Args) -> Result<Growth> {
    let things = (args.nodes as f64 * SPARE) as u64 + 2 * args.window as u64 * sizes(args.nodes).len() as u64;
    let recipe = Recipe { things, mentions: things / 10 * 13, dimension: args.dimension, seed: args.seed };
    let mut facts = Mentions::new(recipe)?.map(|mention| mention.fact);
    let kind = if args.dimension > 0 { "vectors" } else { "words" };
    let place = if args.durable { "a store" } else { "memory" };
    let mut progress = Progress::new(format!("{kind} in {place}, nodes"), 0, args.nodes);
    let (start, mut taken, mut points) = (Instant::now(), 0, Vec::new());
    for nodes in sizes(args.nodes) {
        while (engine.engine().node_count() as u64) < nodes {
            let batch: Vec<Fact> = facts.by_ref().take(BATCH.min(nodes as usize)).collect();
            anyhow::ensure!(!batch.is_empty(), "the stream ended before the graph had {nodes} nodes");
            taken += batch.len() as u64;
            whole(engine.allocate_batch(batch, Sync::Lazy)?)?;
            progress.at(engine.engine().node_count() as u64);
        }
        let window: Vec<Fact> = facts.by_ref().take(args.window).collect();
        let (reached, before) = (engine.engine().node_count() as u64, taken);
        taken += window.len() as u64;
        let stages = Arc::new(StageTimes::begin());
        engine.with_core_as_is(|core| core.set_stopwatch(Some(stages.clone())));
        let (decision, by_index) = measure(&mut engine, window, at_once)?;
        engine.with_core_as_is(|core| core.set_stopwatch(None));
        let of = engine.engine();
        let Summary { mean_us, p50_us, p99_us, cpu_us, .. } = decision;
        eprintln!(
            "{kind} in {place}, {reached} nodes: mean {mean_us:.0} µs, p50 {p50_us:.0}, p99 {p99_us:.0}, CPU {cpu_us:.0}"
        );
        points.push(Point {
            nodes: reached,
            facts: before,
            decision,
            stages: stages.each_us(args.window),
            by_index,
            resident_bytes: machine::resident_bytes(),
            memory: of.memory(),
            levels: of.vector_index().map(cortexkg_index::HnswAllocationIndex::precisions),
        });
    }
    Ok(Growth {
        dimension: args.dimension,
        durable: args.durable,
        seconds: start.elapsed().as_secs_f64(),
        peak_bytes: machine::peak_bytes(),
        state_hash: engine.state_hash().to_string(),
        points,
    })
}

/// Allocates facts, so many at once, each of these on the disk before the next where there is one.
fn measure<E: Backing>(
    engine: &mut ScalableAllocationEngine<E>,
    facts: Vec<Fact>,
    at_once: usize,
) -> Result<(Summary, f64)> {
    let count = facts.len();
    let mut facts = facts.into_iter();
    let (mut latencies, mut by_index) = (Latencies::begin(), 0);
    loop {
        let batch: Vec<Fact> = facts.by_ref().take(at_once).collect();
        if batch.is_empty() {
            break;
        }
        let results = latencies.time(batch.len(), || engine.allocate_batch(batch, Sync::Durable))?;
        by_index += whole(results)?;
    }
    Ok((latencies.end(), by_index as f64 / count.max(1) as f64))
}

/// Of decisions, none of them refused, how many were by the index.
fn whole(results: BatchResults) -> Result<usize> {
    let mut by_index = 0;
    for result in results {
        by_index += usize::from(result?.method == AllocationMethod::Hnsw);
    }
    Ok(by_index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_by_half_a_power_of_ten() {
        assert_eq!(sizes(1_000_000), [10_000, 31_623, 100_000, 316_228, 1_000_000]);
        assert_eq!(sizes(50_000), [10_000, 31_623, 50_000]);
        assert_eq!(sizes(2_000), [20, 63, 200, 632, 2_000]);
        assert_eq!(sizes(1), [1]);
    }
}
