//! Layers on and off: what they must not change, and what they must.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};

use common::{graph, mentions, records};
use cortexkg::{
    AllocationEngine, AllocationMethod, AllocationResult, Decision, DurableEngine, EngineConfig, Fact, NodeId,
};
use cortexkg_scalable::{
    AllocationStrategy, Backing, Distribution, Fallback, MetricsCollector, NotDistributed, ScalabilityConfig,
    ScalableAllocationEngine,
};
use cortexkg_store::{MemoryStore, Sync};

fn scalable(config: ScalabilityConfig) -> ScalableAllocationEngine {
    ScalableAllocationEngine::new(EngineConfig::default(), config)
}

fn allocate<E: Backing>(engine: &mut ScalableAllocationEngine<E>, facts: Vec<Fact>) -> Vec<AllocationResult> {
    let results = engine.allocate_batch(facts, Sync::Lazy).unwrap();
    results.into_iter().map(Result::unwrap).collect()
}

#[test]
fn without_layers_it_is_the_plain_engine() {
    for set in ["febrl1", "febrl3", "fodors-zagats"] {
        let facts = records(set);
        let mut plain = AllocationEngine::new(EngineConfig::default());
        let expected: Vec<_> = plain.allocate_batch(facts.clone()).into_iter().map(Result::unwrap).collect();
        for config in [ScalabilityConfig::plain(), ScalabilityConfig::development_defaults()] {
            let mut engine = scalable(config);
            assert_eq!(allocate(&mut engine, facts.clone()), expected, "{set}");
            assert_eq!(engine.state_hash(), plain.state_hash(), "{set}");
            assert!(engine.fallbacks().is_empty());
        }
        // Over a store, too; and layers that a small graph has no use for change nothing either.
        let config = ScalabilityConfig::production_optimized();
        let mut engine =
            ScalableAllocationEngine::open(MemoryStore::default(), EngineConfig::default(), config).unwrap();
        assert_eq!(allocate(&mut engine, facts), expected, "{set}");
        assert_eq!(engine.state_hash(), plain.state_hash(), "{set}");
    }
}

/// The first sketch's `test_fallback_compatibility`.
#[test]
fn a_clear_match_is_sure_with_development_defaults() {
    let mut engine = scalable(ScalabilityConfig::development_defaults());
    let facts = records("fodors-zagats");
    allocate(&mut engine, facts.clone());
    let again = facts[3].clone().with_id("again");
    let result = engine.allocate_fact(again).unwrap();
    assert_eq!(result.decision, Decision::Existing);
    assert!(result.confidence > 0.8, "{result:?}");
}

/// The first sketch's `test_hnsw_integration`.
#[test]
fn ten_thousand_nodes_are_searched_by_the_index() {
    let config =
        ScalabilityConfig { enable_hnsw_indexing: true, ..ScalabilityConfig::development_defaults() };
    let mut engine = scalable(config);
    engine.load_graph(&graph(10_000)).unwrap();
    let (things, facts): (Vec<u64>, Vec<Fact>) = mentions(10_000, 500, 3).into_iter().unzip();
    assert_eq!(engine.determine_allocation_strategy(&facts[0]), AllocationStrategy::Hierarchical);
    let results = allocate(&mut engine, facts);
    assert!(results.iter().all(|result| result.method == AllocationMethod::Hnsw));
    let right =
        results.iter().zip(things).filter(|(result, thing)| result.allocated_node == NodeId(*thing)).count();
    let confidence = results.iter().map(|result| result.confidence).sum::<f32>() / results.len() as f32;
    println!("{right} of 500 right, mean confidence {confidence}");
    assert!(right >= 495 && confidence > 0.7, "{right} of 500 right, mean confidence {confidence}");
    assert!(engine.fallbacks().is_empty(), "{:?}", engine.fallbacks());
}

/// The first sketch's `test_performance_regression`, in what does not depend on the machine: the same decisions.
#[test]
fn a_thousand_facts_with_everything_on() {
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(700, 1_000, 9).into_iter().unzip();
    let mut plain = AllocationEngine::new(EngineConfig::default());
    let expected: Vec<_> = plain.allocate_batch(facts.clone()).into_iter().map(Result::unwrap).collect();
    let mut engine = scalable(ScalabilityConfig::production_optimized());
    assert_eq!(allocate(&mut engine, facts), expected);
    assert_eq!(engine.state_hash(), plain.state_hash());
}

#[test]
fn what_is_switched_on_late_grows_beside_what_there_is_and_is_counted() {
    let mut engine = scalable(ScalabilityConfig::development_defaults());
    engine.load_graph(&graph(2_000)).unwrap();
    let mut config = ScalabilityConfig::production_optimized();
    config.hnsw_config.above_nodes = 1_000;
    engine.set_config(config.clone(), "a test").unwrap();
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(2_000, 900, 4).into_iter().unzip();
    let results = allocate(&mut engine, facts);
    let grew = results.iter().position(|result| result.method == AllocationMethod::Hnsw).unwrap();
    assert!((400..=600).contains(&grew), "{grew}");
    assert!(results[grew..].iter().all(|result| result.method == AllocationMethod::Hnsw));
    assert_eq!(engine.fallbacks()[&Fallback::INDEX_GROWS], grew as u64);
    let report = engine.engine().quantization().unwrap();
    assert_eq!(report.vectors.iter().sum::<usize>(), engine.engine().node_count());
    // A cluster is wanted and none is there: said for each fact, and decided here.
    config.distribution_config.above_nodes = 10;
    engine.set_config(config, "a cluster").unwrap();
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(2_000, 50, 5).into_iter().unzip();
    assert_eq!(allocate(&mut engine, facts).len(), 50);
    assert_eq!(engine.fallbacks()[&Fallback::NO_CLUSTER], 50);
}

#[test]
fn facts_that_an_index_is_to_serve_and_cannot_yet_are_counted() {
    let mut engine = scalable(ScalabilityConfig::development_defaults());
    engine.load_graph(&graph(2_000)).unwrap();
    let mut config = ScalabilityConfig::default();
    config.hnsw_config.above_nodes = 1_000;
    config.hnsw_config.percent_of_facts = 40;
    engine.set_config(config, "for some").unwrap();
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(2_000, 300, 14).into_iter().unzip();
    let served = facts
        .iter()
        .filter(|fact| engine.determine_allocation_strategy(fact) == AllocationStrategy::Hierarchical);
    let served = served.count() as u64;
    assert!((80..160).contains(&served), "{served}");
    allocate(&mut engine, facts);
    assert_eq!(engine.fallbacks()[&Fallback::INDEX_GROWS], served);
}

/// Two partitions in one process: the facts of things with odd numbers are the other's.
struct TwoPartitions {
    other: AllocationEngine,
    is_reachable: bool,
}

impl Distribution<AllocationEngine> for TwoPartitions {
    fn allocate_fact(
        &mut self,
        local: &mut AllocationEngine,
        fact: Fact,
    ) -> Result<AllocationResult, Box<NotDistributed>> {
        if !self.is_reachable {
            return Err(Box::new(NotDistributed { fact, reason: "partition is not reachable" }));
        }
        // Both weigh it; the surer one commits.
        let mut best = [f32::MIN; 2];
        for (engine, best) in [&mut *local, &mut self.other].into_iter().zip(&mut best) {
            let perceived = engine.perceive(fact.clone()).unwrap();
            let candidates = engine.recall(&perceived, 0);
            let ballot = engine.decide(&perceived, 0, &candidates);
            *best = if ballot.decision == Decision::Existing { ballot.confidence() } else { -1.0 };
        }
        let winner = if best[1] > best[0] { &mut self.other } else { local };
        let result = winner.allocate_fact(fact).unwrap();
        Ok(AllocationResult { method: AllocationMethod::Distributed, ..result })
    }
}

#[test]
fn a_cluster_reaches_in_and_its_failure_is_no_loss() {
    let mut config = ScalabilityConfig::production_optimized();
    config.distribution_config.above_nodes = 0;
    config.distribution_config.percent_of_facts = 60;
    let mut engine = scalable(config);
    let mut other = AllocationEngine::new(EngineConfig::default());
    other.load_graph(&graph(300)).unwrap();
    engine.set_distribution(Some(Box::new(TwoPartitions { other, is_reachable: true })));
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(300, 200, 6).into_iter().unzip();
    let strategies: Vec<_> = facts.iter().map(|fact| engine.determine_allocation_strategy(fact)).collect();
    let ids: Vec<_> = facts.iter().map(|fact| fact.record_id.clone().unwrap()).collect();
    let results = allocate(&mut engine, facts);
    // In their order, each by the way that was foretold.
    assert_eq!(
        results.iter().map(|result| &result.record_id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
    let distributed = strategies.iter().filter(|&&way| way == AllocationStrategy::Distributed).count();
    assert!((90..150).contains(&distributed), "{distributed}");
    for (result, strategy) in results.iter().zip(strategies) {
        assert_eq!(
            result.method == AllocationMethod::Distributed,
            strategy == AllocationStrategy::Distributed,
            "{result:?}"
        );
    }
    let other = AllocationEngine::new(EngineConfig::default());
    engine.set_distribution(Some(Box::new(TwoPartitions { other, is_reachable: false })));
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(300, 200, 7).into_iter().unzip();
    assert_eq!(allocate(&mut engine, facts).len(), 200);
    let unreachable = Fallback { layer: "distribution", reason: "partition is not reachable" };
    assert!((90..150).contains(&engine.fallbacks()[&unreachable]), "{:?}", engine.fallbacks());
}

#[test]
fn no_read_is_stale_while_facts_come_in() {
    let store = MemoryStore::default();
    let mut engine =
        ScalableAllocationEngine::open(store, EngineConfig::default(), ScalabilityConfig::default()).unwrap();
    let facts = records("febrl1");
    let is_over = AtomicBool::new(false);
    let reader = engine.reader();
    std::thread::scope(|scope| {
        let reads = scope.spawn(|| {
            let mut reads = 0u64;
            while !is_over.load(Ordering::Relaxed) {
                for id in 0..600 {
                    if let Some(node) = reader.node(NodeId(id)).unwrap() {
                        assert_eq!(node.id, NodeId(id));
                        reads += 1;
                    }
                }
            }
            reads
        });
        for fact in facts.clone() {
            let result = engine.allocate_fact(fact).unwrap();
            let node = engine.node(result.allocated_node).unwrap().unwrap();
            let expected = engine.engine().node(result.allocated_node).unwrap();
            assert_eq!(*node, expected);
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(reads.join().unwrap() > 0);
    });
    drop(reader);
    // What is changed past the layers, and what a name is taken from, is seen at once.
    let ids: Vec<NodeId> = (0..engine.engine().next_node_id().0).map(NodeId).collect();
    engine.with_core(|core| core.merge(ids[0], ids[1])).unwrap();
    engine.with_core(DurableEngine::consolidate).unwrap();
    for &id in &ids {
        let node = engine.node(id).unwrap();
        assert_eq!(node.as_deref(), engine.engine().node(id).as_ref(), "{id}");
    }
    let before = engine.tier_statistics().unwrap();
    engine.reader().nodes(&ids).unwrap();
    let after = engine.tier_statistics().unwrap();
    assert!(after.l1.hits > before.l1.hits, "{after:?}");
    // Off, and on again.
    engine.set_config(ScalabilityConfig::plain(), "off").unwrap();
    assert!(engine.tier_statistics().is_none());
    assert!(engine.node(ids[2]).unwrap().is_some());
    engine.set_config(ScalabilityConfig::default(), "on").unwrap();
    for fact in &facts[..50] {
        let result = engine.allocate_fact(fact.clone().with_id(format!("{:?}", fact.record_id))).unwrap();
        let node = engine.node(result.allocated_node).unwrap();
        assert_eq!(node.as_deref(), engine.engine().node(result.allocated_node).as_ref());
    }
    let reader = engine.reader();
    let Err(engine) = engine.into_core() else { panic!("a reader is in use") };
    drop(reader);
    assert!(engine.into_core().is_ok());
}

#[test]
fn a_graph_keeps_its_layers_and_is_told_of_others() {
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(300, 400, 8).into_iter().unzip();
    let mut config = ScalabilityConfig::default();
    config.hnsw_config.above_nodes = 100;
    let open = |store, config: &ScalabilityConfig| {
        ScalableAllocationEngine::open(store, EngineConfig::default(), config.clone()).unwrap()
    };
    let mut engine = open(MemoryStore::default(), &config);
    allocate(&mut engine, facts[..300].to_vec());
    let position = engine.engine().position();
    let store = engine.into_core().ok().unwrap().close().unwrap();
    let engine = open(store, &config);
    assert_eq!(engine.engine().position(), position, "nothing new, nothing logged");
    let store = engine.into_core().ok().unwrap().close().unwrap();
    config.hnsw_config.ef_search = 200;
    let mut engine = open(store, &config);
    assert_eq!(engine.engine().position(), position + 1);
    allocate(&mut engine, facts[300..].to_vec());
    let hash = engine.state_hash();
    // Whoever opens it without layers of their own goes on with these.
    let store = engine.into_core().ok().unwrap().close().unwrap();
    let plain = DurableEngine::open(store, EngineConfig::default()).unwrap();
    assert_eq!(plain.state_hash().unwrap(), hash);
    assert_eq!(plain.engine().layers().hnsw.unwrap().ef_search, 200);
}

#[test]
fn no_read_is_stale_after_a_compaction() {
    let store = MemoryStore::default();
    let mut engine =
        ScalableAllocationEngine::open(store, EngineConfig::default(), ScalabilityConfig::default()).unwrap();
    let fact = |id: &str| Fact::record([("name", "Citrus Grill"), ("phone", "213/857-0034")]).with_id(id);
    let first = engine.allocate_fact(fact("a")).unwrap().allocated_node;
    engine.with_core(DurableEngine::compact).unwrap();
    assert_eq!(engine.node(first).unwrap().unwrap().members.len(), 1);
    assert_eq!(engine.allocate_fact(fact("b")).unwrap().allocated_node, first);
    assert_eq!(engine.node(first).unwrap().as_deref(), engine.engine().node(first).as_ref());
}

#[test]
fn nothing_is_told_of_layers_that_are_off_again() {
    let mut config = ScalabilityConfig::production_optimized();
    config.hnsw_config.above_nodes = 10;
    let mut engine = scalable(config);
    engine.with_core(|core| core.set_recall_sampling(1));
    let (_, facts): (Vec<u64>, Vec<Fact>) = mentions(300, 400, 3).into_iter().unzip();
    allocate(&mut engine, facts);
    let collector = MetricsCollector::new();
    collector.observe(&engine);
    let metrics = collector.collect();
    assert!(metrics.index_recall.is_some() && metrics.tiers.is_some() && !metrics.vectors.is_empty());
    engine.set_config(ScalabilityConfig::plain(), "off").unwrap();
    collector.observe(&engine);
    let metrics = collector.collect();
    assert_eq!((metrics.index_recall, metrics.tiers.is_some()), (None, false));
    assert!(metrics.vectors.is_empty(), "{:?}", metrics.vectors);
}

#[test]
fn no_read_of_any_node_is_stale_while_consolidation_goes_on_within_batches() {
    let store = MemoryStore::default();
    let mut engine =
        ScalableAllocationEngine::open(store, EngineConfig::default(), ScalabilityConfig::default()).unwrap();
    engine.with_core(|core| core.consolidate_every(std::num::NonZeroU64::new(37)));
    let mut facts = records("fodors-zagats");
    for at in 0..100 {
        let triple = Fact::triple(format!("cook {}", at % 30), "works at", format!("house {}", at % 45));
        facts.insert(at * 9, triple.with_id(format!("t{at}")));
    }
    for batch in facts.chunks(40) {
        engine.allocate_batch(batch.to_vec(), Sync::Lazy).unwrap();
        for id in (0..engine.engine().next_node_id().0).map(NodeId) {
            assert_eq!(engine.node(id).unwrap().as_deref(), engine.engine().node(id).as_ref(), "{id}");
        }
    }
    let log = engine.core().log_entries(0, u64::MAX).unwrap();
    let repairs = log.iter().filter(|entry| ["merge", "split"].contains(&&*entry.operation)).count();
    assert!(repairs > 0, "nothing was merged or split");
}
