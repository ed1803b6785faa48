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
/// Settings whose searches find less than what adaptation aims at are none to compare it with.
const RECALL_MIN: f64 = 0.95;

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

/// An engine under one setting, and how it has fared.
struct Contestant {
    name: String,
    engine: ScalableAllocationEngine,
    /// Draws the nodes that are read: the same for all.
    state: u64,
    took: Duration,
    timed: usize,
}

impl Contestant {
    fn new(name: String, load: &Load, config: ScalabilityConfig) -> Self {
        let mut engine = ScalableAllocationEngine::new(EngineConfig::default(), config);
        engine.load_graph(&graph(load.loaded)).unwrap();
        Self { name, engine, state: 7, took: Duration::ZERO, timed: 0 }
    }

    fn take(&mut self, load: &Load, batch: Vec<Fact>, is_timed: bool) {
        let count = batch.len();
        let before = Instant::now();
        self.engine.allocate_batch(batch, Sync::Lazy).unwrap();
        let nodes = self.engine.engine().next_node_id().0;
        for _ in 0..count * READS {
            // Hot: the square of the share, twice.
            let share = random(&mut self.state) as f64 / 2_147_483_648.0;
            let share = if load.is_hot { share.powi(4) } else { share };
            self.engine.node(NodeId((share * nodes as f64) as u64)).unwrap();
        }
        if is_timed {
            self.took += before.elapsed();
            self.timed += count;
        }
    }

    fn rate(&self) -> f64 {
        self.timed as f64 / self.took.as_secs_f64()
    }

    fn recall(&self) -> Option<f64> {
        let engine = self.engine.engine();
        let index = engine.vector_index()?;
        Some(index.estimate_recall(16, index.config().ef_search, 200, 1).recall())
    }
}

fn grid() -> Vec<(String, ScalabilityConfig)> {
    let mut grid = vec![("scan".to_owned(), ScalabilityConfig::development_defaults())];
    for ef in [32, 64, 96, 128] {
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
        let fixed = grid().into_iter().map(|(name, config)| Contestant::new(name, &load, config));
        let mut all: Vec<Contestant> = fixed.collect();
        let mut adaptive =
            Contestant::new("adaptive".to_owned(), &load, ScalabilityConfig::development_defaults());
        adaptive.engine.set_clock(Some(Arc::new(SystemClock::new())));
        let manager = AdaptiveConfigManager::new(ScalabilityConfig::development_defaults(), None);
        adaptive.engine.set_adaptation(Some(manager));
        all.push(adaptive);
        // In turn, batch by batch, so that what disturbs one disturbs all.
        let timed_from = facts.len() - facts.len() / TIMED_LAST;
        for (at, batch) in facts.chunks(BATCH).enumerate() {
            for contestant in &mut all {
                contestant.take(&load, batch.to_vec(), at * BATCH >= timed_from);
            }
        }
        for one in &all {
            let recall = one.recall().map_or_else(|| "-".to_owned(), |recall| format!("{recall:.3}"));
            eprintln!("{:18} {:32} {:9.0} decisions/s, recall {recall}", load.name, one.name, one.rate());
        }
        let adaptive = all.pop().unwrap();
        let events: Vec<_> = adaptive.engine.adaptation().unwrap().events().cloned().collect();
        for event in &events {
            eprintln!("    {} {:?}: {}", event.rule, event.outcome, event.reason);
        }
        let good = all.iter().filter(|one| one.recall().is_none_or(|recall| recall >= RECALL_MIN));
        let best = good.max_by(|a, b| a.rate().total_cmp(&b.rate())).unwrap();
        let config = adaptive.engine.config();
        let ef = config.enable_hnsw_indexing.then_some(config.hnsw_config.ef_search);
        rows.push(format!(
            "{{\"load\":\"{}\",\"best\":\"{}\",\"best_decisions_per_s\":{:.0},\"adaptive_decisions_per_s\":{:.0},\
             \"share_of_best\":{:.3},\"recall\":{},\"ef_search\":{},\"changes\":{}}}",
            load.name,
            best.name,
            best.rate(),
            adaptive.rate(),
            adaptive.rate() / best.rate(),
            adaptive.recall().map_or_else(|| "null".to_owned(), |recall| format!("{recall:.3}")),
            ef.map_or_else(|| "null".to_owned(), |ef| ef.to_string()),
            events.len(),
        ));
    }
    println!("[{}]", rows.join(","));
}
