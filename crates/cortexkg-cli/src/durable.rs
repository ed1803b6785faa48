//! A graph in a directory that facts stream into: commits in groups, checkpoints, requests from other processes.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use cortexkg::{AllocationResult, Fact, FactError, OperationError};
use cortexkg_scalable::ScalableAllocationEngine;
use cortexkg_store::directory::SNAPSHOT_FILE;
use cortexkg_store::{StoreError, Sync};
use serde::Serialize;

use crate::clock;
use crate::failure::Failure;
use crate::graph::flag_requests::answer_requests;
use crate::graph::requests::Answering;
use crate::graph::{Closed, Graph, close};

/// Facts that are committed together unless another number is asked for.
pub const COMMIT_FACTS: usize = 1024;
/// Operations since the last snapshot before a new one is written: at least these, and an eighth of the log, so that all
/// snapshots of a long run together cost no more than eight times the last, and a start after a crash repeats at most so many.
const CHECKPOINT_MIN: u64 = 32_768;
const CHECKPOINT_SHARE: u64 = 8;

/// When what was decided is safe on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// After every fact. Costs one sync of the disk per fact; nothing that was told can be lost.
    Each,
    /// After every --batch facts, which are told of then. Costs one sync per batch; nothing that was told can be lost, and what was
    /// not yet told is taken in by running again.
    Batch,
    /// At the end of the run. Costs next to nothing; acknowledges nothing: a loss of power may lose everything since the run began
    /// (or since its last snapshot), though never a part of a batch.
    None,
}

impl Durability {
    /// As the option spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::Batch => "batch",
            Self::None => "none",
        }
    }
}

/// What the store did in a run.
#[derive(Debug, Clone, Serialize)]
pub struct StoreReport {
    /// When commits were made safe.
    pub durability: Durability,
    /// Facts in the graph that are not forgotten, from this run and before.
    pub facts: usize,
    /// Commits.
    pub commits: u64,
    /// How often the store file was synced.
    pub syncs: u64,
    /// Snapshots written on the way.
    pub checkpoints: u64,
    /// Bytes of the store file and the snapshot.
    pub disk_bytes: u64,
    /// These per fact.
    pub disk_bytes_per_fact: Option<f64>,
    /// Bytes written to the store file per byte that was committed.
    pub write_amplification: Option<f64>,
}

/// A durable graph that facts stream into.
pub(crate) struct DurableGraph {
    graph: ScalableAllocationEngine<Graph>,
    directory: PathBuf,
    durability: Durability,
    batch_facts: usize,
    answering: Answering,
    checkpoints: u64,
    /// Whether a snapshot could be written so far.
    has_room: bool,
}

impl DurableGraph {
    pub(crate) fn new(
        graph: ScalableAllocationEngine<Graph>,
        directory: &Path,
        durability: Durability,
        batch_facts: usize,
    ) -> Self {
        let batch_facts = if durability == Durability::Each { 1 } else { batch_facts };
        let answering = Answering::new(directory);
        let directory = directory.to_owned();
        Self { graph, directory, durability, batch_facts, answering, checkpoints: 0, has_room: true }
    }

    /// The graph with its layers.
    pub(crate) fn engine(&self) -> &ScalableAllocationEngine<Graph> {
        &self.graph
    }

    /// The same, to set it.
    pub(crate) fn engine_mut(&mut self) -> &mut ScalableAllocationEngine<Graph> {
        &mut self.graph
    }

    /// Facts to give at once.
    pub(crate) fn batch_facts(&self) -> usize {
        self.batch_facts
    }

    /// Allocates facts and commits them together.
    pub(crate) fn allocate(
        &mut self,
        pool: Option<&rayon::ThreadPool>,
        facts: Vec<Fact>,
    ) -> Result<Vec<Result<AllocationResult, FactError>>, Failure> {
        let sync = if self.durability == Durability::None { Sync::Lazy } else { Sync::Durable };
        self.graph.with_core_as_is(|graph| graph.set_time(Some(clock::now_s())));
        let results = match pool {
            Some(pool) => self.graph.allocate_batch_in(pool, facts, sync),
            None => self.graph.allocate_batch(facts, sync),
        };
        Ok(results?)
    }

    /// What is due between two batches: requests, and now and then a snapshot.
    pub(crate) fn look_after(&mut self) -> Result<(), Failure> {
        answer_requests(&self.directory, &mut self.graph)?;
        let graph = self.graph.core();
        self.answering.look(&graph);
        let is_due = graph.tail() > CHECKPOINT_MIN.max(graph.position() / CHECKPOINT_SHARE);
        drop(graph);
        if self.has_room && is_due {
            match self.graph.with_core_as_is(Graph::checkpoint) {
                Ok(()) => self.checkpoints += 1,
                // Closing says so, if there is no room by then.
                Err(OperationError::Store(StoreError::Io { .. })) => self.has_room = false,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Ends the run: everything is durable when this returns. Gives what is to be said, too.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn close(self) -> Result<(StoreReport, Option<String>), Failure> {
        let Self { graph, directory, durability, answering, checkpoints, .. } = self;
        let Ok(graph) = graph.into_core() else { unreachable!("nobody else reads the graph of a run") };
        let facts = graph.engine().fact_count();
        answering.finish();
        let Closed { figures, note } = close(graph)?;
        let snapshot_bytes = std::fs::metadata(directory.join(SNAPSHOT_FILE)).map_or(0, |file| file.len());
        let disk_bytes = figures.file_bytes + snapshot_bytes;
        let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let report = StoreReport {
            durability,
            facts,
            commits: figures.commits,
            syncs: figures.syncs,
            checkpoints,
            disk_bytes,
            disk_bytes_per_fact: ratio(disk_bytes, facts as u64),
            write_amplification: ratio(figures.written_bytes, figures.committed_bytes),
        };
        Ok((report, note))
    }
}
