//! One pass over a stream: entries in, decisions out, everything counted and timed on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cortexkg::{
    AllocationEngine, AllocationResult, Decision, EngineConfig, Explanation, Fact, FactError, OperationError,
    StateHash,
};
use cortexkg_scalable::adaptive::{AdaptationEvent, AdaptiveConfigManager};
use cortexkg_scalable::{Clock, LatencyHistogram, ScalabilityConfig, ScalableAllocationEngine, SystemClock};
use cortexkg_store::Sync;
use serde::Serialize;

use crate::durable::DurableGraph;
use crate::failure::Failure;
use crate::input::{Entry, Rejection};
use crate::monitoring::Monitoring;

/// Facts that are given to the engine at once when it has threads.
pub const BATCH_FACTS: usize = 256;

/// What has been decided so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Facts taken in.
    pub records: u64,
    /// Mentions allocated: one per record or text, two per triple.
    pub mentions: u64,
    /// Mentions that belong to a node that was there before.
    pub existing: u64,
    /// Mentions that needed a new node.
    pub new: u64,
    /// Mentions too close to call.
    pub possible: u64,
    /// Facts that were in the graph already; nothing was decided on them.
    pub repeated: u64,
}

impl Counts {
    /// Counts one more fact.
    pub fn count(&mut self, result: &AllocationResult) {
        if result.repeated {
            self.repeated += 1;
            return;
        }
        self.records += 1;
        for mention in result.mentions() {
            self.mentions += 1;
            *match mention.decision {
                Decision::Existing => &mut self.existing,
                Decision::New => &mut self.new,
                Decision::Possible => &mut self.possible,
            } += 1;
        }
    }
}

/// How fast one stretch of the stream went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RateRow {
    /// Records taken in by the end of the stretch.
    pub records: u64,
    /// Nodes by the end of the stretch.
    pub nodes: usize,
    /// Mentions decided per second of wall time, reading and writing included.
    pub decisions_per_s: f64,
    /// Time inside the engine per mention, in microseconds.
    pub engine_mean_us: f64,
}

/// What a latency is the time of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timed {
    /// One decision.
    Decision,
    /// The mean of a batch, its commit included where there is one.
    BatchMean,
    /// One decision with its commit.
    Commit,
}

/// One fact's way through the engine.
#[derive(Debug)]
pub struct Allocated {
    /// The source under which the engine knows the fact.
    pub source: Option<String>,
    /// Where it went, or why it was refused.
    pub outcome: Result<AllocationResult, Rejection>,
}

/// Where the facts go.
enum Backing {
    /// A graph that ends with the process.
    Memory(Box<ScalableAllocationEngine>),
    /// A graph in a directory.
    Durable(Box<DurableGraph>),
}

/// What became of one fact of a batch.
type Outcome = Result<AllocationResult, FactError>;

/// The engine with its stopwatch.
pub struct Allocator {
    backing: Backing,
    pool: Option<rayon::ThreadPool>,
    counts: Counts,
    latency: LatencyHistogram,
    started: Instant,
    rate_every: u64,
    rates: Vec<RateRow>,
    /// Time, mentions and engine time at the end of the last stretch.
    mark: (Instant, u64, Duration),
    in_engine: Duration,
    monitoring: Option<Monitoring>,
}

impl Allocator {
    /// An empty graph under a configuration, with layers around it. With more than one thread, facts go to the engine in batches. `rate_every` is the length in
    /// records of the stretches whose rate is kept; 0 keeps none.
    ///
    /// # Errors
    /// Where the threads cannot be started.
    pub fn new(
        config: EngineConfig,
        layers: ScalabilityConfig,
        threads: usize,
        rate_every: u64,
    ) -> Result<Self, Failure> {
        let engine = Box::new(ScalableAllocationEngine::new(config, layers));
        Self::over(Backing::Memory(engine), threads, rate_every)
    }

    /// As [`new`](Self::new), into a graph that is there.
    ///
    /// # Errors
    /// Where the threads cannot be started.
    pub(crate) fn durable(graph: DurableGraph, threads: usize, rate_every: u64) -> Result<Self, Failure> {
        Self::over(Backing::Durable(Box::new(graph)), threads, rate_every)
    }

    fn over(backing: Backing, threads: usize, rate_every: u64) -> Result<Self, Failure> {
        let pool = match threads {
            0 | 1 => None,
            _ => Some(rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
                Failure::Run(format!("cannot start {threads} threads: {error}; try fewer with --threads"))
            })?),
        };
        let started = Instant::now();
        Ok(Self {
            backing,
            pool,
            counts: Counts::default(),
            latency: LatencyHistogram::default(),
            started,
            rate_every,
            rates: Vec::new(),
            mark: (started, 0, Duration::ZERO),
            in_engine: Duration::ZERO,
            monitoring: None,
        })
    }

    /// Allocates entries in their order. In a durable graph they are one commit; when this returns they are as safe as its
    /// durability promises.
    ///
    /// # Errors
    /// Where the store fails; then nothing of the batch is acknowledged.
    pub fn allocate(&mut self, entries: Vec<Entry>) -> Result<Vec<Allocated>, Failure> {
        let places: Vec<_> = entries
            .iter()
            .map(|entry| (entry.line, entry.record_id().to_owned(), entry.fact.source.clone()))
            .collect();
        let facts: Vec<Fact> = entries.into_iter().map(|entry| entry.fact).collect();
        let before = Instant::now();
        let results = match (&mut self.backing, &self.pool) {
            (Backing::Memory(engine), None) => {
                let (latency, in_engine) = (&mut self.latency, &mut self.in_engine);
                let timed = |fact| timed(engine, fact, latency, in_engine);
                facts.into_iter().map(timed).collect::<Result<_, _>>()?
            }
            (Backing::Memory(engine), Some(pool)) => engine.allocate_batch_in(pool, facts, Sync::Lazy)?,
            (Backing::Durable(graph), pool) => graph.allocate(pool.as_ref(), facts)?,
        };
        let took = before.elapsed();
        if self.timed() != Timed::Decision {
            self.time_batch(&results, took);
        }
        if let Backing::Durable(graph) = &mut self.backing {
            graph.look_after()?;
        }
        self.monitor(&results, before, took);
        let allocated = std::iter::zip(places, results)
            .map(|((line, record, source), result)| Allocated {
                source,
                outcome: result.map_err(|error| Rejection::refused(line, &record, &error)),
            })
            .collect::<Vec<_>>();
        for result in allocated.iter().filter_map(|allocated| allocated.outcome.as_ref().ok()) {
            self.counts.count(result);
        }
        self.mark_rate();
        Ok(allocated)
    }

    /// Lets the layers set themselves from now on, but for fields that are given, in so many bytes of memory if there is a bound.
    pub(crate) fn adapt(&mut self, given: &[&str], memory_bytes_max: Option<u64>) {
        match &mut self.backing {
            Backing::Memory(engine) => adapt(engine, given, memory_bytes_max),
            Backing::Durable(graph) => adapt(graph.engine_mut(), given, memory_bytes_max),
        }
    }

    /// What layers that set themselves have done, oldest first.
    pub fn adaptations(&self) -> Vec<AdaptationEvent> {
        let adaptation = match &self.backing {
            Backing::Memory(engine) => engine.adaptation(),
            Backing::Durable(graph) => graph.engine().adaptation(),
        };
        adaptation.map_or_else(Vec::new, |adaptation| adaptation.events().cloned().collect())
    }

    /// Has the run watched over from now on.
    pub(crate) fn set_monitoring(&mut self, monitoring: Option<Monitoring>) {
        if monitoring.is_none() {
            return;
        }
        let (clock, metrics) = (system_clock(), monitoring.as_ref().map(Monitoring::collector));
        match &mut self.backing {
            Backing::Memory(engine) => {
                engine.set_clock(Some(clock));
                engine.set_metrics(metrics);
            }
            Backing::Durable(graph) => {
                graph.engine_mut().set_clock(Some(clock));
                graph.engine_mut().set_metrics(metrics);
            }
        }
        self.monitoring = monitoring;
    }

    /// What watches over the run, if anything does.
    pub(crate) fn monitoring(&mut self) -> Option<&mut Monitoring> {
        self.monitoring.as_mut()
    }

    /// Ends watching over the run with a last look.
    pub(crate) fn end_monitoring(&mut self) -> Option<Monitoring> {
        let mut monitoring = self.monitoring.take()?;
        match &self.backing {
            Backing::Memory(engine) => monitoring.end(engine),
            Backing::Durable(graph) => monitoring.end(graph.engine()),
        }
        Some(monitoring)
    }

    /// Tells what watches over the run what became of a batch that began `before` and took so long.
    fn monitor(&mut self, results: &[Outcome], before: Instant, took: Duration) {
        let Some(monitoring) = &mut self.monitoring else { return };
        monitoring.record(results, took);
        match &self.backing {
            Backing::Memory(engine) => monitoring.look(before + took, engine),
            Backing::Durable(graph) => monitoring.look(before + took, graph.engine()),
        }
    }

    /// Spreads the time of a batch over what was decided in it.
    fn time_batch(&mut self, results: &[Outcome], took: Duration) {
        let decided = results.iter().flatten().filter(|result| !result.repeated);
        let mentions: u64 = decided.map(mentions_of).sum();
        if mentions > 0 {
            self.in_engine += took;
            self.latency.record(took / u32::try_from(mentions).unwrap_or(u32::MAX), mentions);
        }
    }

    fn mark_rate(&mut self) {
        let records_marked = self.rates.last().map_or(0, |row| row.records);
        if self.rate_every == 0
            || self.counts.records < (records_marked / self.rate_every + 1) * self.rate_every
        {
            return;
        }
        let (then, mentions_then, engine_then) = self.mark;
        let now = Instant::now();
        let mentions = self.counts.mentions - mentions_then;
        self.rates.push(RateRow {
            records: self.counts.records,
            nodes: self.ask(AllocationEngine::node_count),
            decisions_per_s: per_second(mentions, now - then),
            engine_mean_us: mean_us(self.in_engine - engine_then, mentions),
        });
        self.mark = (now, self.counts.mentions, self.in_engine);
    }

    /// Asks the engine about the state of the graph.
    pub fn ask<T>(&self, question: impl FnOnce(&AllocationEngine) -> T) -> T {
        match &self.backing {
            Backing::Memory(engine) => question(&engine.engine()),
            Backing::Durable(graph) => question(&graph.engine().engine()),
        }
    }

    /// Hash of the state of the graph.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn state_hash(&self) -> Result<StateHash, Failure> {
        match &self.backing {
            Backing::Memory(engine) => Ok(engine.state_hash()),
            Backing::Durable(graph) => Ok(graph.engine().core().state_hash()?),
        }
    }

    /// Why a mention went where it went, if that is known.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub fn explain(&self, source: Option<&str>, mention: &str) -> Result<Option<Explanation>, Failure> {
        match &self.backing {
            Backing::Memory(engine) => Ok(engine.engine().explain(source, mention)),
            Backing::Durable(graph) => Ok(Some(graph.engine().core().why(source, mention)?)),
        }
    }

    /// The durable graph and what was done to it, if the facts went to one.
    pub(crate) fn into_durable(self) -> Option<DurableGraph> {
        match self.backing {
            Backing::Memory(_) => None,
            Backing::Durable(graph) => Some(*graph),
        }
    }

    /// What has been decided so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Time per decision. With threads: the mean of its batch.
    pub fn latency(&self) -> &LatencyHistogram {
        &self.latency
    }

    /// Whether the facts go to a graph that stays.
    pub fn is_durable(&self) -> bool {
        matches!(self.backing, Backing::Durable(_))
    }

    /// Facts to give at once: one where each is timed, explained or committed by itself.
    pub fn batch_facts(&self) -> usize {
        match (&self.backing, &self.pool) {
            (Backing::Memory(_), None) => 1,
            (Backing::Memory(_), Some(_)) => BATCH_FACTS,
            (Backing::Durable(graph), _) => graph.batch_facts(),
        }
    }

    /// What [`Self::latency`] is the time of.
    pub fn timed(&self) -> Timed {
        match &self.backing {
            _ if self.batch_facts() > 1 => Timed::BatchMean,
            Backing::Memory(_) => Timed::Decision,
            Backing::Durable(_) => Timed::Commit,
        }
    }

    /// The stretches so far.
    pub fn rates(&self) -> &[RateRow] {
        &self.rates
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn adapt<E: cortexkg_scalable::Backing>(
    engine: &mut ScalableAllocationEngine<E>,
    given: &[&str],
    memory_bytes_max: Option<u64>,
) {
    engine.set_clock(Some(system_clock()));
    let mut manager = AdaptiveConfigManager::new(engine.config().clone(), memory_bytes_max);
    manager.hold(given.iter().copied());
    engine.set_adaptation(Some(manager));
}

/// Allocates one fact and times it.
fn timed(
    engine: &mut ScalableAllocationEngine,
    fact: Fact,
    latency: &mut LatencyHistogram,
    in_engine: &mut Duration,
) -> Result<Outcome, Failure> {
    let before = Instant::now();
    let result = match engine.allocate_fact(fact) {
        Ok(result) => Ok(result),
        Err(OperationError::Fact(error)) => Err(error),
        Err(error) => return Err(error.into()),
    };
    let took = before.elapsed();
    if let Ok(result) = &result {
        let mentions = mentions_of(result);
        *in_engine += took;
        latency.record(took / u32::try_from(mentions).unwrap_or(1), mentions);
    }
    Ok(result)
}

fn mentions_of(result: &AllocationResult) -> u64 {
    1 + u64::from(result.object.is_some())
}

/// Events per second; 0 where no time has passed.
#[allow(clippy::cast_precision_loss)]
pub fn per_second(events: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { events as f64 / time.as_secs_f64() }
}

#[allow(clippy::cast_precision_loss)]
fn mean_us(time: Duration, events: u64) -> f64 {
    if events == 0 { 0.0 } else { time.as_secs_f64() * 1e6 / events as f64 }
}
