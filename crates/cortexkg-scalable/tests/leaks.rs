//! What was allocated is given back: by facts that come and go, layers that go on and off, tiers that fill and empty.
//!
//! `cargo xtask bench leaks` runs these tests under valgrind as well.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it measured"
)]

mod common;

use allocation_counter::measure;
use common::mentions;
use cortexkg::{AllocationEngine, DurableEngine, EngineConfig, Fact, Forget, NodeId};
use cortexkg_scalable::{ScalabilityConfig, ScalableAllocationEngine};
use cortexkg_store::{MemoryStore, Sync};

/// Under valgrind everything takes fifty times as long.
fn is_watched() -> bool {
    std::env::var_os("CORTEXKG_LEAKS").is_some_and(|value| value == "valgrind")
}

/// Facts of one round.
fn facts_per_round() -> usize {
    if is_watched() { 60 } else { 400 }
}

fn rounds() -> u64 {
    if is_watched() { 4 } else { 16 }
}

/// Entries of the log that stay of one round: four times other layers, a pin and its end; a compaction.
const LOGGED: u64 = 4 * 3 + 1;

/// The layers in turn, small enough to be in use in a graph of a few nodes.
fn configs() -> [ScalabilityConfig; 4] {
    let mut production = ScalabilityConfig::production_optimized();
    production.hnsw_config.above_nodes = 20;
    let mut tight = production.clone();
    tight.quantization_config.vector_budget = Some(20_000);
    tight.cache_config.l1_size = 4_096;
    tight.hnsw_config.ef_search = 20;
    [production, ScalabilityConfig::plain(), tight, ScalabilityConfig::development_defaults()]
}

/// The same facts for every round but for their names, so that every round needs as much.
fn facts(round: u64) -> Vec<Fact> {
    let mentions = mentions(facts_per_round() as u64 / 2, facts_per_round(), 7).into_iter().enumerate();
    mentions.map(|(at, (_, fact))| fact.with_id(format!("{round:04} {at:04}"))).collect()
}

type Engine = ScalableAllocationEngine<DurableEngine<MemoryStore>>;

fn opened() -> Engine {
    let [production, ..] = configs();
    ScalableAllocationEngine::open(MemoryStore::default(), EngineConfig::default(), production).unwrap()
}

/// Facts come in under one set of layers after the other, are read through the tiers, and go for good.
fn churn(engine: &mut Engine, round: u64) {
    let facts = facts(round);
    let ids: Vec<String> = facts.iter().map(|fact| fact.record_id.clone().unwrap()).collect();
    let mut nodes: Vec<NodeId> = Vec::new();
    for (part, config) in facts.chunks(facts_per_round() / 4).zip(configs()) {
        engine.set_config(config, "in turn").unwrap();
        let results = engine.allocate_batch(part.to_vec(), Sync::Lazy).unwrap();
        nodes.extend(results.into_iter().map(|result| result.unwrap().allocated_node));
        for &node in nodes.iter().chain(&nodes) {
            assert!(engine.node(node).unwrap().is_some());
        }
        engine.pin(nodes[0], true).unwrap();
        engine.pin(nodes[0], false).unwrap();
    }
    for record_id in &ids {
        engine.with_core(|core| core.forget(&Forget::Fact { source: None, record_id })).unwrap();
    }
    engine.with_core(DurableEngine::compact).unwrap();
    assert_eq!(engine.engine().node_count(), 0);
}

#[test]
fn rounds_of_facts_that_come_and_go_keep_nothing() {
    let mut engine = opened();
    // What is made once and stays: tables at their final size, the first pages of everything.
    (0..4).for_each(|round| churn(&mut engine, round));
    let mut kept = Vec::new();
    for round in 4..4 + rounds() {
        let allocated = measure(|| churn(&mut engine, round));
        println!(
            "round {round}: {} bytes allocated, {} kept",
            allocated.bytes_total, allocated.bytes_current
        );
        kept.push(allocated.bytes_current);
    }
    // The log goes on for ever: what was set and pinned stands in it. Of facts nothing is left, however many there were.
    let each = kept.iter().sum::<i64>() / (rounds() * LOGGED) as i64;
    println!("{each} bytes kept for each entry of the log");
    assert!(each <= 192, "{each} bytes for each entry of the log: {kept:?}");
}

#[test]
fn an_engine_that_goes_takes_all_with_it() {
    // What a process has once, kernels for one, is there before the count begins.
    churn(&mut opened(), 0);
    let allocated = measure(|| {
        let mut engine = opened();
        (0..2).for_each(|round| churn(&mut engine, round));
        let results = engine.allocate_batch(facts(9), Sync::Lazy).unwrap();
        assert!(results.iter().all(Result::is_ok));
        let reader = engine.reader();
        assert!(reader.node(results[0].as_ref().unwrap().allocated_node).unwrap().is_some());
        drop((reader, engine));
        // In memory, too.
        let [production, ..] = configs();
        let mut engine =
            ScalableAllocationEngine::<AllocationEngine>::new(EngineConfig::default(), production);
        for (part, config) in facts(1).chunks(facts_per_round() / 4).zip(configs()) {
            engine.set_config(config, "in turn").unwrap();
            engine.allocate_batch(part.to_vec(), Sync::Lazy).unwrap();
        }
    });
    println!("{} bytes allocated, {} kept", allocated.bytes_total, allocated.bytes_current);
    assert_eq!((allocated.count_current, allocated.bytes_current), (0, 0), "{allocated:?}");
}
