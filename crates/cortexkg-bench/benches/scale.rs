//! Builds a large graph over a real store within a bound of memory, opens it again, and asks it something.
//!
//! `cargo bench -p cortexkg-bench --bench scale -- --nodes 2000000 --memory-budget-mib 1024`
#![allow(clippy::print_stdout, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cortexkg::{DurableEngine, EngineConfig};
use cortexkg_bench::{Mentions, Recipe, machine};
use cortexkg_store::{RedbOptions, RedbStore, Sync};

const BATCH_FACTS: usize = 1024;
/// Parts of the budget, in 1/16, for the caches of the store; the engine's structures have most of the rest, and what the allocator
/// takes for itself the remainder.
const STORE_SHARE: usize = 1;
const ENGINE_SHARE: usize = 11;

struct Args {
    nodes: usize,
    memory_mib: Option<usize>,
    seed: u64,
    directory: Option<PathBuf>,
    sync: Sync,
}

fn args() -> Args {
    let mut args = Args { nodes: 20_000, memory_mib: None, seed: 1, directory: None, sync: Sync::Durable };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        match word.as_str() {
            "--nodes" => args.nodes = value().parse().unwrap(),
            "--memory-budget-mib" => args.memory_mib = Some(value().parse().unwrap()),
            "--seed" => args.seed = value().parse().unwrap(),
            "--directory" => args.directory = Some(value().into()),
            "--lazy" => args.sync = Sync::Lazy,
            _ => {}
        }
    }
    args
}

fn open(directory: &Path, args: &Args) -> DurableEngine<RedbStore> {
    let mut options = RedbOptions::default();
    let budget = args.memory_mib.map(|mib| mib << 20);
    if let Some(budget) = budget {
        options.cache_bytes = budget / 16 * STORE_SHARE;
        options.snapshot_cache_bytes = (budget / 16 * STORE_SHARE) as u64;
    }
    let store = RedbStore::open_with(directory, options).unwrap();
    let mut graph = DurableEngine::open(store, EngineConfig::default()).unwrap();
    graph.set_memory_budget(budget.map(|budget| budget / 16 * ENGINE_SHARE));
    graph
}

fn directory_mib(directory: &Path) -> u64 {
    let files = std::fs::read_dir(directory).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>() >> 20
}

fn main() {
    let args = args();
    let temporary = tempfile::tempdir().unwrap();
    let directory = args.directory.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut graph = open(&directory, &args);
    println!(
        "building {} nodes, memory budget {}",
        args.nodes,
        args.memory_mib.map_or("none".to_owned(), |mib| format!("{mib} MiB"))
    );
    println!(
        "     nodes      facts   facts/s   p50 µs   p99 µs  max ms  engine MiB  RSS MiB  peak MiB  disk MiB"
    );
    // More people than nodes: a few are taken for others.
    let things = args.nodes as u64 / 10 * 11 + 2 * BATCH_FACTS as u64;
    let recipe = Recipe { things, mentions: things / 10 * 13, dimension: 0, seed: args.seed };
    let mut people = Mentions::new(recipe).unwrap().map(|mention| mention.fact);
    let (mut facts, mut marked, mut since) = (0usize, 0usize, Instant::now());
    let mut batches: Vec<Duration> = Vec::new();
    let stretch = (args.nodes / 20).max(1);
    let mut next = stretch;
    let started = Instant::now();
    while graph.engine().node_count() < args.nodes {
        let batch: Vec<_> = people.by_ref().take(BATCH_FACTS).collect();
        let before = Instant::now();
        for result in graph.allocate_batch(batch, args.sync).unwrap() {
            result.unwrap();
        }
        batches.push(before.elapsed());
        facts += BATCH_FACTS;
        if graph.engine().node_count() >= next {
            let (rss, peak) = (machine::resident_bytes() >> 20, machine::peak_bytes() >> 20);
            batches.sort_unstable();
            let at = |share: usize| {
                batches[(batches.len() - 1) * share / 100].as_secs_f64() * 1e6 / BATCH_FACTS as f64
            };
            println!(
                "{:>10} {:>10} {:>9.0} {:>8.1} {:>8.1} {:>7.0} {:>11} {:>8} {:>9} {:>9}",
                graph.engine().node_count(),
                facts,
                (facts - marked) as f64 / since.elapsed().as_secs_f64(),
                at(50),
                at(99),
                batches.last().unwrap().as_secs_f64() * 1e3,
                graph.memory_bytes() >> 20,
                rss,
                peak,
                directory_mib(&directory),
            );
            batches.clear();
            (marked, since) = (facts, Instant::now());
            next += stretch;
        }
    }
    println!("built in {:.0} s", started.elapsed().as_secs_f64());
    println!(
        "(p50, p99: mean time per fact of the median and the slowest batch in a hundred; max: the slowest batch)"
    );
    let before = Instant::now();
    println!("state hash {} in {:.1} s", graph.state_hash().unwrap(), before.elapsed().as_secs_f64());
    let before = Instant::now();
    graph.checkpoint().unwrap();
    println!(
        "snapshot written in {:.1} s; peak {} MiB",
        before.elapsed().as_secs_f64(),
        machine::peak_bytes() >> 20
    );
    println!("memory {:?}", graph.engine().memory());
    graph.close().unwrap().close().unwrap();

    let before = Instant::now();
    let mut graph = open(&directory, &args);
    let opened = before.elapsed();
    let hits = graph.view(None).unwrap().search("winlin torsta", 3).unwrap();
    println!(
        "opened in {:.3} s, first search answered after {:.3} s: {}",
        opened.as_secs_f64(),
        before.elapsed().as_secs_f64(),
        hits.first().map_or("nothing", |hit| &hit.label)
    );
    let before = Instant::now();
    let batch: Vec<_> = people.by_ref().take(1).collect();
    graph.allocate_batch(batch, Sync::Durable).unwrap();
    println!("first decision after opening took {:.1} ms", before.elapsed().as_secs_f64() * 1e3);
}
