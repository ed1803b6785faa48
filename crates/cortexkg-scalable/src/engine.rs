//! [`ScalableAllocationEngine`]: the engine with its layers.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cortexkg::{
    AllocationEngine, AllocationMethod, AllocationResult, DurableEngine, EngineConfig, Fact, FactError,
    KnowledgeGraph, NodeId, NodeView, OperationError, StateHash, Stopwatch,
};
use cortexkg_store::{Store, Sync};
use cortexkg_tiers::MemoryStatistics;

use crate::adaptive::{AdaptiveConfigManager, LastLook, sampling};
use crate::backing::{Backing, BatchResults};
use crate::config::ScalabilityConfig;
use crate::distribution::Distribution;
use crate::flags::FeatureFlags;
use crate::monitor::MetricsCollector;
use crate::nodes::{self, NodeReadError, NodeReader, NodeTiers};
use crate::strategy::{AllocationStrategy, Fallback, Fallbacks, is_in_share};
use crate::timing::{Clock, Timing};

/// The engine with layers around it, each on or off by itself, also while it runs.
///
/// Without layers every decision is the plain engine's, and so is the state hash. What decides is always the core; layers find
/// candidates for it, keep what it needs, and read what it has made.
///
/// ```
/// use cortexkg::{AllocationMethod, EngineConfig, Fact};
/// use cortexkg_scalable::{ScalabilityConfig, ScalableAllocationEngine};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ScalabilityConfig::production_optimized();
/// let mut engine = ScalableAllocationEngine::new(EngineConfig::default(), config);
/// let first = engine.allocate_fact(Fact::record([("name", "Citrus Grill"), ("phone", "213/857-0034")]))?;
/// let again = engine.allocate_fact(Fact::record([("name", "citrus grill"), ("phone", "213-857-0034")]))?;
/// assert_eq!(again.allocated_node, first.allocated_node);
/// assert_eq!(again.method, AllocationMethod::Direct, "a graph this small needs no index");
///
/// let node = engine.node(first.allocated_node)?.expect("it has two members");
/// assert_eq!(node.members.len(), 2);
/// # Ok(())
/// # }
/// ```
pub struct ScalableAllocationEngine<E: Backing = AllocationEngine> {
    core: Arc<RwLock<E>>,
    config: ScalabilityConfig,
    tiers: Option<Arc<NodeTiers<E>>>,
    distribution: Option<Box<dyn Distribution<E>>>,
    fallbacks: Fallbacks,
    timing: Option<Arc<Timing>>,
    metrics: Option<MetricsCollector>,
    adaptive: Option<AdaptiveConfigManager>,
    /// Mentions decided here so far.
    decisions: u64,
    last_look: LastLook,
    /// Whether there was an index then.
    had_index: bool,
}

impl ScalableAllocationEngine {
    /// An engine in memory with an empty graph. Layers that `engine` names give way to those of `config`; values of it that are out of
    /// range count as the nearest in it.
    #[must_use]
    pub fn new(engine: EngineConfig, config: ScalabilityConfig) -> Self {
        let engine = EngineConfig { layers: config.layers(), ..engine };
        Self::around(AllocationEngine::new(engine), config)
    }
}

impl<S: Store> ScalableAllocationEngine<DurableEngine<S>> {
    /// Opens the graph in a store, or begins one. The layers of a graph that is there change to those of `config`, which is an operation
    /// of its log, if they are others.
    ///
    /// # Errors
    /// As [`DurableEngine::open`] and [`DurableEngine::set_layers`].
    pub fn open(store: S, engine: EngineConfig, config: ScalabilityConfig) -> Result<Self, OperationError> {
        let engine = EngineConfig { layers: config.layers(), ..engine };
        let core = DurableEngine::open(store, engine)?;
        let mut opened = Self::around(core, config.clone());
        opened.set_config(config, "as configured at opening")?;
        Ok(opened)
    }
}

impl<E: Backing> ScalableAllocationEngine<E> {
    /// Puts layers around an engine, whose own are left as they are until [`set_config`](Self::set_config).
    #[must_use]
    pub fn around(mut core: E, config: ScalabilityConfig) -> Self {
        core.track_changes(config.enable_multi_tier_cache);
        let core = Arc::new(RwLock::new(core));
        let tiers = config
            .enable_multi_tier_cache
            .then(|| Arc::new(nodes::tiers(core.clone(), &config.cache_config)));
        Self {
            core,
            config,
            tiers,
            distribution: None,
            fallbacks: Fallbacks::new(),
            timing: None,
            metrics: None,
            adaptive: None,
            decisions: 0,
            last_look: LastLook::default(),
            had_index: false,
        }
    }

    /// Which layers are on, and how they are set.
    pub fn config(&self) -> &ScalabilityConfig {
        &self.config
    }

    /// Switches layers on or off, or sets them otherwise, from here on; `reason` stands in the log where that has a say in decisions.
    /// An index that must be built grows beside what there is. To scan again after an index, all vectors are laid out at once, which takes
    /// a look at each.
    ///
    /// # Errors
    /// [`OperationError::Store`]; then the layers are what they were.
    pub fn set_config(&mut self, config: ScalabilityConfig, reason: &str) -> Result<(), OperationError> {
        self.put_config(config.clone(), reason)?;
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.set_config(config);
        }
        Ok(())
    }

    /// Switches features on or off, or on for a share of the facts, from here on, as [`set_config`](Self::set_config) does.
    ///
    /// # Errors
    /// As [`set_config`](Self::set_config).
    pub fn set_flags(&mut self, flags: &FeatureFlags, reason: &str) -> Result<(), OperationError> {
        self.set_config(flags.apply(&self.config), reason)
    }

    fn put_config(&mut self, config: ScalabilityConfig, reason: &str) -> Result<(), OperationError> {
        self.core_write().set_layers(config.layers(), reason)?;
        match (&self.tiers, config.enable_multi_tier_cache) {
            (Some(tiers), true) => {
                tiers.set_l1_bytes_max(config.cache_config.l1_size);
                tiers.set_l2_bytes_max(config.cache_config.l2_size);
            }
            (None, true) => {
                self.core_write().track_changes(true);
                self.tiers = Some(Arc::new(nodes::tiers(self.core.clone(), &config.cache_config)));
            }
            (Some(tiers), false) => {
                // Readers that were given out go on, and must not keep what is not told of changes any more.
                tiers.set_l1_bytes_max(0);
                tiers.set_l2_bytes_max(0);
                self.core_write().track_changes(false);
                self.tiers = None;
            }
            (None, false) => {}
        }
        self.config = config;
        Ok(())
    }

    /// Has the time of every stage counted there from now on, and measures what searches in the index find; none: no longer. Needs a
    /// [clock](Self::set_clock). What else there is to count, the collector [observes](MetricsCollector::observe) when it is told to.
    pub fn set_metrics(&mut self, metrics: Option<MetricsCollector>) {
        self.metrics = metrics;
        self.sample_recall();
        let clock = self.timing.as_ref().map(|timing| timing.clock().clone());
        self.set_clock(clock);
    }

    /// Measures from now on where the time goes, by this clock; none: no longer.
    pub fn set_clock(&mut self, clock: Option<Arc<dyn Clock>>) {
        self.timing = clock.map(|clock| Arc::new(Timing::new(clock, self.metrics.clone())));
        let stopwatch = self.timing.clone().map(|timing| timing as Arc<dyn Stopwatch>);
        self.core_write().set_stopwatch(stopwatch);
        // What was decided before is none of what this clock times.
        self.last_look.begin_anew(self.decisions);
    }

    /// Lets the layers set themselves from now on, beginning with what they are set to; none: no longer. Looks every 1,024 decisions,
    /// and sees no more of time than [`set_clock`](Self::set_clock) shows it.
    pub fn set_adaptation(&mut self, manager: Option<AdaptiveConfigManager>) {
        self.adaptive = manager;
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.set_config(self.config.clone());
        }
        self.sample_recall();
    }

    /// What sets the layers, if they set themselves.
    pub fn adaptation(&self) -> Option<&AdaptiveConfigManager> {
        self.adaptive.as_ref()
    }

    fn sample_recall(&mut self) {
        let is_wanted = self.adaptive.is_some() || self.metrics.is_some();
        let every = if is_wanted { sampling(self.engine().vector_count()) } else { 0 };
        self.core_write().set_recall_sampling(every);
    }

    /// Looks at what was measured, if it is time, and sets the layers as comes of it.
    fn adapt(&mut self) -> Result<(), OperationError> {
        if !self.last_look.is_due(self.decisions) {
            return Ok(());
        }
        let has_index = self.engine().vector_index().is_some();
        let is_new = std::mem::replace(&mut self.had_index, has_index) != has_index;
        let Some(adaptive) = &mut self.adaptive else {
            self.last_look.pass(self.decisions);
            if is_new {
                self.sample_recall();
            }
            return Ok(());
        };
        let core = self.core.read().unwrap_or_else(PoisonError::into_inner);
        let (engine, tiers) = (core.engine(), self.tiers.as_ref().map(|tiers| tiers.statistics()));
        let observed = self.last_look.look(self.decisions, engine, self.timing.as_deref(), tiers);
        let position = engine.position();
        drop(core);
        let change = adaptive.optimize_configuration(&observed, position);
        let is_changed = change.is_some();
        if let Some(change) = change {
            self.put_config(change.config, &change.reason)?;
        }
        if is_changed || is_new {
            self.sample_recall();
        }
        Ok(())
    }

    /// What allocates over the partitions of a cluster, from now on; none: nothing does.
    pub fn set_distribution(&mut self, distribution: Option<Box<dyn Distribution<E>>>) {
        self.distribution = distribution;
    }

    /// Allocates one fact; over a store it is on the disk when this returns.
    ///
    /// # Errors
    /// [`OperationError::Fact`] if the fact breaks a bound; [`OperationError::Store`].
    pub fn allocate_fact(&mut self, fact: Fact) -> Result<AllocationResult, OperationError> {
        let mut results = self.allocate_batch(vec![fact], Sync::Durable)?;
        Ok(results.pop().expect("one result per fact")?)
    }

    /// Allocates facts one after the other and commits them together; one result per fact, in their order. In memory there is
    /// nothing to sync.
    ///
    /// # Errors
    /// [`OperationError::Store`]: nothing of the batch is acknowledged.
    pub fn allocate_batch(&mut self, facts: Vec<Fact>, sync: Sync) -> Result<BatchResults, OperationError> {
        self.allocate_by(facts, |core, facts| core.allocate_batch(facts, sync))
    }

    /// [`allocate_batch`](Self::allocate_batch), perceiving on the threads of `pool`. The result is the same.
    ///
    /// # Errors
    /// As [`allocate_batch`](Self::allocate_batch).
    pub fn allocate_batch_in(
        &mut self,
        pool: &rayon::ThreadPool,
        facts: Vec<Fact>,
        sync: Sync,
    ) -> Result<BatchResults, OperationError> {
        self.allocate_by(facts, |core, facts| core.allocate_batch_in(pool, facts, sync))
    }

    fn allocate_by(
        &mut self,
        facts: Vec<Fact>,
        mut allocate: impl FnMut(&mut E, Vec<Fact>) -> Result<BatchResults, OperationError>,
    ) -> Result<BatchResults, OperationError> {
        let served = self.served_by_index(&facts);
        let results = if self.config.enable_distributed_processing {
            self.allocate_distributed(facts, &mut allocate)
        } else {
            allocate(&mut *self.core_write(), facts)
        };
        self.count_missing_index(results.iter().flatten(), &served);
        self.publish();
        let decided = results.iter().flatten().flatten().filter(|result| !result.repeated);
        self.decisions += decided.map(|result| result.mentions().count() as u64).sum::<u64>();
        let results = results?;
        // What is committed is told, whatever becomes of the layers; a store that fails now will fail again.
        let _ = self.adapt();
        Ok(results)
    }

    /// Facts that the cluster is to be asked about go there one by one; those between them stay together.
    fn allocate_distributed(
        &mut self,
        facts: Vec<Fact>,
        allocate: &mut impl FnMut(&mut E, Vec<Fact>) -> Result<BatchResults, OperationError>,
    ) -> Result<BatchResults, OperationError> {
        let mut results = Vec::with_capacity(facts.len());
        let mut here = Vec::new();
        for fact in facts {
            if self.determine_allocation_strategy(&fact) != AllocationStrategy::Distributed {
                here.push(fact);
                continue;
            }
            let Some(distribution) = &mut self.distribution else {
                *self.fallbacks.entry(Fallback::NO_CLUSTER).or_default() += 1;
                here.push(fact);
                continue;
            };
            let mut core = self.core.write().unwrap_or_else(PoisonError::into_inner);
            results.extend(allocate(&mut *core, std::mem::take(&mut here))?);
            match distribution.allocate_fact(&mut *core, fact) {
                Ok(result) => results.push(Ok(result)),
                Err(failed) => {
                    let fallback = Fallback { layer: "distribution", reason: failed.reason };
                    *self.fallbacks.entry(fallback).or_default() += 1;
                    here.push(failed.fact);
                }
            }
        }
        let rest = allocate(&mut *self.core_write(), here)?;
        results.extend(rest);
        Ok(results)
    }

    /// Which way a fact goes, by the size of the graph and the configuration.
    pub fn determine_allocation_strategy(&self, fact: &Fact) -> AllocationStrategy {
        let engine = self.engine();
        let (nodes, position) = (engine.node_count(), engine.position());
        drop(engine);
        let ScalabilityConfig { distribution_config, hnsw_config, .. } = &self.config;
        let asks_others =
            self.config.enable_distributed_processing && nodes >= distribution_config.above_nodes as usize;
        if asks_others && is_in_share(fact, position, distribution_config.percent_of_facts) {
            AllocationStrategy::Distributed
        } else if self.indexes(nodes) && is_in_share(fact, position, hnsw_config.percent_of_facts) {
            AllocationStrategy::Hierarchical
        } else {
            AllocationStrategy::Direct
        }
    }

    /// Whether a graph of so many nodes is to have an index.
    fn indexes(&self, nodes: usize) -> bool {
        self.config.enable_hnsw_indexing && nodes >= self.config.hnsw_config.above_nodes as usize
    }

    /// Which facts the index is to serve; empty if none.
    fn served_by_index(&self, facts: &[Fact]) -> Vec<bool> {
        let engine = self.engine();
        if !self.indexes(engine.node_count()) {
            return Vec::new();
        }
        let positions = engine.position()..;
        let percent = self.config.hnsw_config.percent_of_facts;
        facts.iter().zip(positions).map(|(fact, position)| is_in_share(fact, position, percent)).collect()
    }

    /// Counts mentions that a scan served instead of the index, because that is not whole yet.
    fn count_missing_index<'a>(
        &mut self,
        results: impl Iterator<Item = &'a Result<AllocationResult, FactError>>,
        served: &[bool],
    ) {
        let served = results.zip(served).filter(|(_, is_served)| **is_served);
        let allocated =
            served.filter_map(|(result, _)| result.as_ref().ok()).filter(|result| !result.repeated);
        let scanned = allocated.flat_map(AllocationResult::mentions);
        let scanned = scanned.filter(|mention| mention.method == AllocationMethod::Direct).count() as u64;
        if scanned > 0 {
            *self.fallbacks.entry(Fallback::INDEX_GROWS).or_default() += scanned;
        }
    }

    /// Tells the tiers what has changed.
    fn publish(&self) {
        let Some(tiers) = &self.tiers else { return };
        let changed = self.core_write().take_changed().unwrap_or_default();
        if !changed.is_empty() {
            tiers.invalidate(&changed.iter().map(|id| id.0).collect::<Vec<_>>());
        }
    }

    /// Takes in a graph that is there already; gives the node of each of its nodes.
    ///
    /// # Errors
    /// [`OperationError::Load`], [`OperationError::Store`].
    pub fn load_graph(&mut self, graph: &KnowledgeGraph) -> Result<Vec<NodeId>, OperationError> {
        let loaded = self.core_write().load_graph(graph);
        self.publish();
        loaded
    }

    /// A node as it stands, through the tiers. Redirects are not followed.
    ///
    /// # Errors
    /// As [`NodeReader::node`].
    pub fn node(&self, id: NodeId) -> Result<Option<Arc<NodeView>>, NodeReadError> {
        self.reader().node(id)
    }

    /// What reads nodes from other threads while this one allocates.
    pub fn reader(&self) -> NodeReader<E> {
        NodeReader { core: self.core.clone(), tiers: self.tiers.clone() }
    }

    /// Keeps the vector of a node as exactly as can be, or no longer.
    ///
    /// # Errors
    /// [`OperationError::UnknownNode`], [`OperationError::Store`].
    pub fn pin(&mut self, node: NodeId, is_pinned: bool) -> Result<(), OperationError> {
        self.core_write().pin(node, is_pinned)
    }

    /// How often a layer was to be used and was not, and why.
    pub fn fallbacks(&self) -> &Fallbacks {
        &self.fallbacks
    }

    /// What the tiers have counted; none if they are off.
    pub fn tier_statistics(&self) -> Option<MemoryStatistics> {
        self.tiers.as_ref().map(|tiers| tiers.statistics())
    }

    /// Hash of the state of the graph.
    pub fn state_hash(&self) -> StateHash {
        self.engine().state_hash()
    }

    /// The graph, its model and all else that the plain engine can say, to look at. Allocations wait while it is held.
    pub fn engine(&self) -> EngineGuard<'_, E> {
        EngineGuard(self.core_read())
    }

    /// What the layers are around, to look at. Allocations wait while it is held.
    pub fn core(&self) -> RwLockReadGuard<'_, E> {
        self.core_read()
    }

    /// Does something to the engine beneath; the tiers forget what they hold.
    pub fn with_core<T>(&mut self, act: impl FnOnce(&mut E) -> T) -> T {
        let done = act(&mut *self.core_write());
        if let Some(tiers) = &self.tiers {
            self.core_write().take_changed();
            tiers.clear();
        }
        done
    }

    /// The same for what changes no node: a snapshot, the time, a setting.
    pub fn with_core_as_is<T>(&mut self, act: impl FnOnce(&mut E) -> T) -> T {
        act(&mut *self.core_write())
    }

    /// The engine beneath, without its layers.
    ///
    /// # Errors
    /// Gives itself back while a [`reader`](Self::reader) is in use.
    pub fn into_core(self) -> Result<E, Box<Self>> {
        // The tiers hold on to the engine as well, and readers to the tiers.
        let held_by_tiers = usize::from(self.tiers.is_some());
        let is_read = self.tiers.as_ref().is_some_and(|tiers| Arc::strong_count(tiers) > 1);
        if is_read || Arc::strong_count(&self.core) > 1 + held_by_tiers {
            return Err(Box::new(self));
        }
        let Self { core, tiers, .. } = self;
        drop(tiers);
        let core = Arc::into_inner(core).expect("nobody else holds it");
        Ok(core.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn core_read(&self) -> RwLockReadGuard<'_, E> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn core_write(&self) -> RwLockWriteGuard<'_, E> {
        self.core.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An engine in memory with those layers on that flags turn on, and otherwise as [`production_optimized`](ScalabilityConfig::production_optimized).
#[must_use]
pub fn create_production_engine(flags: &FeatureFlags) -> ScalableAllocationEngine {
    ScalableAllocationEngine::new(EngineConfig::default(), ScalabilityConfig::of_flags(flags))
}

/// Lends the plain engine out to be looked at; allocations wait while it is held.
pub struct EngineGuard<'a, E>(RwLockReadGuard<'a, E>);

impl<E: Backing> std::ops::Deref for EngineGuard<'_, E> {
    type Target = AllocationEngine;

    fn deref(&self) -> &AllocationEngine {
        self.0.engine()
    }
}
