//! Layers that set themselves: what is proposed comes true, what does harm is taken back, and the log says all of it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{graph, mentions};
use cortexkg::{AllocationMethod, AllocationResult, DurableEngine, EngineConfig, Fact};
use cortexkg_scalable::adaptive::{
    AdaptationOutcome, AdaptationRule, AdaptiveConfigManager, IndexWhenScansAreSlow, Measure, Observed,
    Suggestion,
};
use cortexkg_scalable::{Clock, ScalabilityConfig, ScalableAllocationEngine};
use cortexkg_store::{MemoryStore, Store, Sync};

type Engine = ScalableAllocationEngine<DurableEngine<MemoryStore>>;

/// Every look at it takes so many microseconds.
#[derive(Debug)]
struct Ticking {
    now_us: AtomicU64,
    step_us: AtomicU64,
}

impl Ticking {
    fn new() -> Arc<Self> {
        Arc::new(Self { now_us: AtomicU64::new(0), step_us: AtomicU64::new(10) })
    }
}

impl Clock for Ticking {
    fn now(&self) -> Duration {
        let step = self.step_us.load(Ordering::Relaxed);
        Duration::from_micros(self.now_us.fetch_add(step, Ordering::Relaxed))
    }
}

fn engine(config: ScalabilityConfig) -> Engine {
    ScalableAllocationEngine::open(MemoryStore::default(), EngineConfig::default(), config).unwrap()
}

fn allocate(engine: &mut Engine, facts: &[Fact]) -> Vec<AllocationResult> {
    let batches =
        facts.chunks(128).flat_map(|batch| engine.allocate_batch(batch.to_vec(), Sync::Lazy).unwrap());
    batches.map(Result::unwrap).collect()
}

fn things(count: u64, facts: usize, seed: u64) -> Vec<Fact> {
    mentions(count, facts, seed).into_iter().map(|(_, fact)| fact).collect()
}

fn outcomes(engine: &Engine) -> Vec<(&'static str, AdaptationOutcome)> {
    engine.adaptation().unwrap().events().map(|event| (event.rule, event.outcome)).collect()
}

#[test]
fn an_index_comes_when_it_is_needed_and_the_log_repeats_it() {
    let mut engine = engine(ScalabilityConfig::development_defaults());
    engine.load_graph(&graph(9_000)).unwrap();
    engine.set_clock(Some(Ticking::new()));
    // A scan takes two fifths of the time, as this clock has it.
    let rules: Vec<Box<dyn AdaptationRule>> = vec![Box::new(IndexWhenScansAreSlow {
        recall_share_min: 0.15,
        walks_per_decision: 3,
        dimension_counted: common::DIMENSION,
    })];
    let manager = AdaptiveConfigManager::with_rules(ScalabilityConfig::default(), rules);
    engine.set_adaptation(Some(manager));
    assert!(
        !engine.adaptation().unwrap().config().enable_hnsw_indexing,
        "it begins with what the engine has"
    );
    let results = allocate(&mut engine, &things(9_000, 9_000, 1));
    let switched = results.iter().position(|result| result.method == AllocationMethod::Hnsw).unwrap();
    println!("switched at {switched}");
    assert!((4_000..5_500).contains(&switched), "2 looks, and 9,000 vectors at 4 a time: {switched}");
    assert!(results[switched..].iter().all(|result| result.method == AllocationMethod::Hnsw));
    let rule = "index_when_scans_are_slow";
    assert_eq!(outcomes(&engine), [(rule, AdaptationOutcome::Applied), (rule, AdaptationOutcome::Kept)]);
    assert!(engine.config().enable_hnsw_indexing);
    let hash = engine.state_hash();
    let Ok(core) = engine.into_core() else { panic!("nobody reads") };
    let log = core.log_entries(0, u64::MAX).unwrap();
    let told = log.iter().find(|entry| entry.operation == "configure").unwrap();
    assert!(told.what.contains("index on") && told.what.contains("% of the time"), "{}", told.what);
    let mut store = core.close().unwrap();
    store.remove_snapshot().unwrap();
    // No clock, no manager, no configuration: the log alone.
    let again = DurableEngine::open(store, EngineConfig::default()).unwrap();
    assert!(again.opening().is_rebuilt);
    assert_eq!(again.state_hash().unwrap(), hash);
}

/// Wants fewer vectors held on to, whatever is measured.
struct LessEffort;

impl AdaptationRule for LessEffort {
    fn name(&self) -> &'static str {
        "less_effort"
    }

    fn layer(&self) -> &'static str {
        "hnsw_indexing"
    }

    fn suggest_adaptation(&self, _: &Observed, config: &ScalabilityConfig) -> Option<Suggestion> {
        let mut to = config.clone();
        to.hnsw_config.ef_search /= 2;
        let (measure, gain_min) = (Measure::DecisionsPerSecond, 0.0);
        Some(Suggestion {
            config: to,
            reason: "a bad idea".to_owned(),
            measure,
            gain_min,
            growing_share: 0.0,
        })
    }
}

#[test]
fn what_does_harm_is_taken_back_and_told() {
    let clock = Ticking::new();
    let mut config = ScalabilityConfig::default();
    config.hnsw_config.above_nodes = 500;
    let mut engine = engine(config.clone());
    engine.set_clock(Some(clock.clone()));
    let manager = AdaptiveConfigManager::with_rules(config.clone(), vec![Box::new(LessEffort)]);
    engine.set_adaptation(Some(manager));
    let facts = things(300, 8 * 1024, 2);
    allocate(&mut engine, &facts[..2 * 1024]);
    assert_eq!(engine.config().hnsw_config.ef_search, 32);
    // Everything takes twice as long since.
    clock.step_us.store(20, Ordering::Relaxed);
    allocate(&mut engine, &facts[2 * 1024..]);
    assert_eq!(
        outcomes(&engine)[..2],
        [("less_effort", AdaptationOutcome::Applied), ("less_effort", AdaptationOutcome::RolledBack)]
    );
    let event = engine.adaptation().unwrap().events().nth(1).unwrap();
    assert!(event.after.unwrap() < event.before.unwrap() * 0.6, "{event:?}");
    assert_eq!(engine.config().hnsw_config.ef_search, 64);
    assert_eq!(engine.core().engine().layers().hnsw.unwrap().ef_search, 64);
    let Ok(core) = engine.into_core() else { panic!("nobody reads") };
    let told: Vec<String> = core
        .log_entries(0, u64::MAX)
        .unwrap()
        .into_iter()
        .filter(|entry| entry.operation == "configure")
        .map(|entry| entry.what)
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "ef_search 64 → 32: a bad idea");
    assert!(told[1].starts_with("ef_search 32 → 64: less_effort taken back: "), "{told:?}");
}

#[test]
fn effort_is_tuned_to_a_target_of_recall() {
    let mut config = ScalabilityConfig::default();
    config.hnsw_config.above_nodes = 1_000;
    config.hnsw_config.ef_search = 16;
    config.hnsw_config.max_connections = 10;
    config.hnsw_config.ef_construction = 40;
    config.hnsw_config.recall_target = 0.95;
    let mut engine = engine(config.clone());
    engine.load_graph(&graph(4_000)).unwrap();
    engine.set_clock(Some(Ticking::new()));
    engine.set_adaptation(Some(AdaptiveConfigManager::new(config, None)));
    allocate(&mut engine, &things(4_000, 20 * 1024, 5));
    let recall = engine.engine().vector_index().unwrap().running_recall();
    let events: Vec<_> = engine.adaptation().unwrap().events().cloned().collect();
    println!("{events:#?} {recall:?}");
    let ef = engine.config().hnsw_config.ef_search;
    assert!(ef > 16 && recall.recall() >= 0.93, "ef {ef}, {recall:?}");
    assert!(events.iter().all(|event| event.rule == "search_to_recall_target"), "{events:?}");
}

/// Proposes nothing, and keeps how many decisions each look was at.
struct Looks(Arc<std::sync::Mutex<Vec<u64>>>);

impl AdaptationRule for Looks {
    fn name(&self) -> &'static str {
        "looks"
    }

    fn layer(&self) -> &'static str {
        "hnsw_indexing"
    }

    fn suggest_adaptation(&self, observed: &Observed, _: &ScalabilityConfig) -> Option<Suggestion> {
        self.0.lock().unwrap().push(observed.decisions);
        None
    }
}

#[test]
fn a_clock_that_comes_late_times_nothing_from_before() {
    let looks = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut engine = engine(ScalabilityConfig::development_defaults());
    allocate(&mut engine, &things(500, 900, 1));
    let rules: Vec<Box<dyn AdaptationRule>> = vec![Box::new(Looks(looks.clone()))];
    engine.set_adaptation(Some(AdaptiveConfigManager::with_rules(ScalabilityConfig::default(), rules)));
    engine.set_clock(Some(Ticking::new()));
    allocate(&mut engine, &things(500, 1_000, 2));
    assert!(looks.lock().unwrap().is_empty(), "1,000 decisions are no look");
    allocate(&mut engine, &things(500, 128, 3));
    assert_eq!(*looks.lock().unwrap(), [1_128]);
}
