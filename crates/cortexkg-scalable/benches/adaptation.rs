//! Does an engine that sets itself come near the best fixed setting? Three loads, each under a grid of settings and under adaptation
//! that begins with the development defaults.
//!
//! `cargo bench -p cortexkg-scalable --bench adaptation -- --facts 60000` prints JSON; `cargo xtask bench adaptation` a table.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{graph, mentions, random};
use cortexkg::{EngineConfig, Fact, NodeId};
use cortexkg_scalable::adaptive::AdaptiveConfigManager;
use cortexkg_scalable::{ScalabilityConfig, ScalableAllocationEngine, SystemClock};
use cortexkg_store::Sync;

/// Facts that are taken in at once.
const BATCH: usize = 64;
/// Reads of nodes for each fact.
const READS: usize = 4;
/// Of the facts, those in the last part are timed: adaptation has had time for what it does.
const TIMED_LAST: usize = 3;
/// Settings whose searches find less than this of the nearest are not what anybody would choose.
const RECALL_MIN: f64 = 0.9;

struct Load {
    name: &'static str,
    /// Things that are there before.
    loaded: u64,
    /// Things that are spoken of.
    things: u64,
    /// Whether a few are read most often.
    is_hot: bool,
}

const fn loads(nodes: u64) -> [Load; 3] {
    [
        Load { name: "small and hot", loaded: nodes / 16, things: nodes / 16, is_hot: true },
        Load { name: "large and uniform", loaded: nodes, things: nodes, is_hot: false },
        Load { name: "growing", loaded: 0, things: nodes, is_hot: false },
    ]
}

struct Outcome {
    decisions_per_s: f64,
    recall: Option<f64>,
    config: ScalabilityConfig,
    events: Vec<String>,
}

fn run(load: &Load, facts: &[Fact], config: ScalabilityConfig, adapts: bool) -> Outcome {
    let mut engine = ScalableAllocationEngine::new(EngineConfig::default(), config.clone());
    engine.load_graph(&graph(load.loaded)).unwrap();
    if adapts {
        engine.set_clock(Some(Arc::new(SystemClock::new())));
        engine.set_adaptation(Some(AdaptiveConfigManager::new(config, None)));
    }
    let timed_from = facts.len() - facts.len() / TIMED_LAST;
    let (mut took, mut timed) = (Duration::ZERO, 0);
    let mut state = 7;
    for (at, batch) in facts.chunks(BATCH).enumerate() {
        let batch = batch.to_vec();
        let count = batch.len();
        let before = Instant::now();
        engine.allocate_batch(batch, Sync::Lazy).unwrap();
        let nodes = engine.engine().next_node_id().0;
        for _ in 0..count * READS {
            // Hot: the square of the share, twice.
            let share = random(&mut state) as f64 / 2_147_483_648.0;
            let share = if load.is_hot { share.powi(4) } else { share };
            engine.node(NodeId((share * nodes as f64) as u64)).unwrap();
        }
        if at * BATCH >= timed_from {
            took += before.elapsed();
            timed += count;
        }
    }
    let recall = engine
        .engine()
        .vector_index()
        .map(|index| index.estimate_recall(16, index.config().ef_search, 200, 1).recall());
    let events = engine.adaptation().map_or_else(Vec::new, |adaptation| {
        adaptation
            .events()
            .map(|event| format!("{} {:?}: {}", event.rule, event.outcome, event.reason))
            .collect()
    });
    Outcome {
        decisions_per_s: timed as f64 / took.as_secs_f64(),
        recall,
        config: engine.config().clone(),
        events,
    }
}

fn grid() -> Vec<(String, ScalabilityConfig)> {
    let mut grid = vec![("scan".to_owned(), ScalabilityConfig::development_defaults())];
    for ef in [32, 64, 128] {
        for size_mib in [4, 256] {
            let mut config =
                ScalabilityConfig { enable_hnsw_indexing: true, ..ScalabilityConfig::development_defaults() };
            config.hnsw_config.ef_search = ef;
            config.cache_config.l1_size = size_mib << 18;
            config.cache_config.l2_size = (size_mib << 20) - (size_mib << 18);
            grid.push((format!("index, ef {ef}, tiers of {size_mib} MiB"), config));
        }
    }
    grid
}

fn main() {
    let (mut facts, mut nodes) = (6_000, 8_000);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--facts" => facts = args.next().unwrap().parse().unwrap(),
            "--nodes" => nodes = args.next().unwrap().parse().unwrap(),
            _ => {}
        }
    }
    let mut rows = Vec::new();
    for load in loads(nodes) {
        let facts: Vec<Fact> = mentions(load.things, facts, 3).into_iter().map(|(_, fact)| fact).collect();
        let mut best: Option<(String, f64)> = None;
        let tell = |what: &str, outcome: &Outcome| {
            let recall = outcome.recall.map_or_else(|| "-".to_owned(), |recall| format!("{recall:.3}"));
            eprintln!(
                "{:18} {what:32} {:9.0} decisions/s, recall {recall}",
                load.name, outcome.decisions_per_s
            );
        };
        for (name, config) in grid() {
            let outcome = run(&load, &facts, config, false);
            tell(&name, &outcome);
            let is_good = outcome.recall.is_none_or(|recall| recall >= RECALL_MIN);
            if is_good && best.as_ref().is_none_or(|(_, rate)| outcome.decisions_per_s > *rate) {
                best = Some((name, outcome.decisions_per_s));
            }
        }
        let adapted = run(&load, &facts, ScalabilityConfig::development_defaults(), true);
        tell("adaptive", &adapted);
        adapted.events.iter().for_each(|event| eprintln!("    {event}"));
        let (name, rate) = best.unwrap();
        let share = adapted.decisions_per_s / rate;
        let ef = adapted.config.enable_hnsw_indexing.then_some(adapted.config.hnsw_config.ef_search);
        rows.push(format!(
            "{{\"load\":\"{}\",\"best\":\"{name}\",\"best_decisions_per_s\":{rate:.0},\"adaptive_decisions_per_s\":{:.0},\
             \"share_of_best\":{share:.3},\"recall\":{},\"ef_search\":{},\"events\":{}}}",
            load.name,
            adapted.decisions_per_s,
            adapted.recall.map_or_else(|| "null".to_owned(), |recall| format!("{recall:.3}")),
            ef.map_or_else(|| "null".to_owned(), |ef| ef.to_string()),
            adapted.events.len(),
        ));
    }
    println!("[{}]", rows.join(","));
}
