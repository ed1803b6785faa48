//! The engine over a store: what it acknowledges survives.

use cortexkg_store::{ChangeSet, Store, StoreError, Sync, Table};

use crate::ballot::Ballot;
use crate::candidates::Candidates;
use crate::consolidation::Steps;
use crate::decision::AllocationResult;
use crate::engine::AllocationEngine;
use crate::error::FactError;
use crate::fact::Fact;
use crate::feedback::Note;
use crate::field_config::FieldConfigs;
use crate::graph::NodeId;
use crate::inhibition::InhibitionConfig;
use crate::journal::{DecidedMention, LogEntry, Operation};
use crate::ledger::Ledger;
use crate::opening::Opening;
use crate::operation_error::OperationError;
use crate::paged::Swap;
use crate::perceive::Perceived;
use crate::reading::{ReadFact, perceive_at, stored_at};
use crate::stopwatch::Stage;
use crate::stored_fact;

/// Is shown what each mention could choose from, and its ballot.
type Observe<'a> = dyn FnMut(&Candidates, &Ballot) + 'a;

/// Rows of [`Table::Meta`].
pub(crate) mod meta {
    /// The configuration that the graph was made with.
    pub(crate) const CONFIG: u64 = 1;
    /// What the log starts from; see [`Base`](crate::base::Base).
    pub(crate) const BASE: u64 = 2;
    /// Position that the operation after the base got: snapshots from before it are of no use.
    pub(crate) const BASE_POSITION: u64 = 3;
    /// There while a compaction has its base but the store still has what is to go.
    pub(crate) const COMPACTING: u64 = 4;
    /// Version of the base's encoding; missing for the first.
    pub(crate) const BASE_VERSION: u64 = 5;
    /// Dimensions of the model that the graph was made with, `u32`; not there if there was none.
    pub(crate) const MODEL_DIMENSION: u64 = 6;
    /// What the user said of fields; not there if that was nothing.
    pub(crate) const FIELDS: u64 = 7;
    /// Least probability of a link, `f32`; not there if it is the usual.
    pub(crate) const EXISTING_PROBABILITY: u64 = 8;
    /// The layers that the log starts from; not there in graphs that were begun when they could not be chosen.
    pub(crate) const LAYERS: u64 = 9;
}

/// An [`AllocationEngine`] whose graph lives in a [`Store`].
///
/// A call returns when what it did is in the store, as safe as its [`Sync`] asks for. The graph is what the log says: after a crash,
/// opening repeats the operations that came after the last snapshot, and the graph is bit for bit what it was.
///
/// ```
/// use cortexkg::{DurableEngine, EngineConfig, Fact};
/// use cortexkg_store::{MemoryStore, Sync};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = DurableEngine::open(MemoryStore::default(), EngineConfig::default())?;
/// let facts = vec![
///     Fact::record([("name", "Citrus Grill"), ("phone", "213/857-0034")]).with_id("a"),
///     Fact::record([("name", "Art's Delicatessen"), ("phone", "818/762-1221")]).with_id("b"),
/// ];
/// let results = graph.allocate_batch(facts, Sync::Durable)?;
/// let [a, b] = [0, 1].map(|at| results[at].as_ref().expect("a good fact").allocated_node);
///
/// let merge = graph.merge(a, b)?;
/// assert_eq!(graph.engine().resolve(b), a);
/// graph.undo(merge)?;
/// assert_eq!(graph.engine().resolve(b), b);
/// # Ok(())
/// # }
/// ```
pub struct DurableEngine<S> {
    pub(crate) engine: AllocationEngine,
    pub(crate) store: S,
    pub(crate) ledger: Ledger,
    /// Position up to which the snapshot goes.
    pub(crate) snapshot_position: u64,
    /// Set once memory and store may differ.
    pub(crate) is_broken: bool,
    /// Set once a snapshot could not be written.
    pub(crate) is_snapshot_refused: bool,
    /// Most bytes that the engine's structures may take.
    pub(crate) memory_bytes_max: Option<usize>,
    /// Bytes above which room is made: as many, or more where what cannot be let go of leaves too little.
    pub(crate) memory_short_above: usize,
    /// Where what is changed goes if that is too little.
    pub(crate) swap: Option<Swap>,
    /// What the caller says the time is.
    pub(crate) recorded_s: Option<i64>,
    /// When to consolidate while facts come in.
    pub(crate) steps: Steps,
    pub(crate) opening: Opening,
}

impl<S: Store> DurableEngine<S> {
    pub(crate) fn decode(&self, position: u64, bytes: &[u8]) -> Result<LogEntry, OperationError> {
        LogEntry::decode(bytes)
            .map_err(|error| StoreError::damaged(format!("log, row {position}"), error.to_string()).into())
    }

    /// An entry of the log; none if it was compacted away or never there.
    pub(crate) fn entry(&self, position: u64) -> Result<Option<LogEntry>, OperationError> {
        match self.store.get(Table::Log, position)? {
            Some(bytes) => self.decode(position, &bytes).map(Some),
            None => self.check_gone(Table::Log, position).map(|()| None),
        }
    }

    /// Tells a row that is gone for good from one that is lost: a damaged key leads past its row, which no checksum of a row tells.
    fn check_gone(&self, table: Table, position: u64) -> Result<(), OperationError> {
        if self.store.last_key(Table::Log)?.is_none_or(|last| position > last) {
            return Ok(());
        }
        let graph = &self.engine.graph;
        let is_since_compaction = position >= self.base_position()?;
        let is_lost = match (graph.fact_at(position), table) {
            (Some(fact), _) => is_since_compaction || !graph.fact(fact).is_forgotten,
            (None, Table::Log) => {
                is_since_compaction || self.ledger.operations.binary_search(&position).is_ok()
            }
            (None, _) => false,
        };
        if is_lost {
            return Err(StoreError::damaged(table.row(position), "it is missing").into());
        }
        Ok(())
    }

    /// What a fact said, as received; none if it was compacted away or never there.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn fact_at(&self, position: u64) -> Result<Option<Fact>, OperationError> {
        let stored = stored_at(&self.store, position)?;
        if stored.is_none() {
            self.check_gone(Table::Facts, position)?;
        }
        Ok(stored.map(|(fact, _)| fact))
    }

    /// The perceived fact that the log took in at a position. Runs no model.
    pub(crate) fn perceived(&self, position: u64) -> Result<Perceived, OperationError> {
        perceive_at(&self.store, &self.engine, position)
    }

    /// The row of a fact that is taken in.
    pub(crate) fn fact_row(&self, fact: Fact, perceived: &Perceived) -> Vec<u8> {
        // What the words say is made again in no time.
        let made = if self.engine.config.embedder.is_lexical() { None } else { perceived.made_vectors() };
        stored_fact::encode(fact, made.as_deref())
    }

    /// Says what time it is, in seconds since 1970: what is recorded from now on carries it. It has no say in any decision.
    pub fn set_time(&mut self, recorded_s: Option<i64>) {
        self.recorded_s = recorded_s;
    }

    /// Allocates one fact, as one transaction that is on the disk when this returns.
    ///
    /// # Errors
    /// As [`allocate_batch`](Self::allocate_batch); [`OperationError::Fact`] if the fact cannot be taken in.
    pub fn allocate_fact(&mut self, fact: Fact) -> Result<AllocationResult, OperationError> {
        let mut results = self.allocate_batch(vec![fact], Sync::Durable)?;
        Ok(results.pop().expect("one result per fact")?)
    }

    /// Allocates facts one after the other and commits them together (group commit): all of them, or none, survive a crash. One
    /// result per fact, in their order. A fact whose source has given its identifier before is passed over and its assignment
    /// repeated, as it stands now. Where memory is short ([`set_memory_budget`](Self::set_memory_budget)), or a step of consolidation is
    /// due ([`consolidate_every`](Self::consolidate_every)), the first part of a batch is committed before the rest.
    ///
    /// # Errors
    /// [`OperationError::Store`]: nothing of the batch is acknowledged; close the graph and open it again.
    pub fn allocate_batch(
        &mut self,
        facts: Vec<Fact>,
        sync: Sync,
    ) -> Result<Vec<Result<AllocationResult, FactError>>, OperationError> {
        let seen = facts.into_iter().map(|fact| Self::read(&self.engine, fact)).collect();
        self.allocate_read(seen, sync, &mut |_, _| {})
    }

    /// [`allocate_batch`](Self::allocate_batch), perceiving on the threads of `pool`. The result is the same.
    ///
    /// # Errors
    /// As [`allocate_batch`](Self::allocate_batch).
    #[cfg(feature = "parallel")]
    pub fn allocate_batch_in(
        &mut self,
        pool: &rayon::ThreadPool,
        facts: Vec<Fact>,
        sync: Sync,
    ) -> Result<Vec<Result<AllocationResult, FactError>>, OperationError> {
        use rayon::prelude::*;
        let facts: Vec<_> = facts.into_iter().map(|fact| (self.engine.is_known(&fact), fact)).collect();
        let perceiver = &self.engine.perceiver;
        let read = |(is_known, fact)| ReadFact::of(perceiver, fact, is_known);
        let seen = pool.install(|| facts.into_par_iter().map(read).collect());
        self.allocate_read(seen, sync, &mut |_, _| {})
    }

    /// Allocates one fact and shows what it was decided on: for each of its mentions what was recalled and the ballot, before the
    /// mention is committed. A fact that was there before is not decided on, and nothing is shown. What is shown has no say in
    /// anything; this is for whoever measures.
    ///
    /// # Errors
    /// As [`allocate_batch`](Self::allocate_batch).
    pub fn allocate_observed(
        &mut self,
        fact: Fact,
        sync: Sync,
        mut observe: impl FnMut(&Candidates, &Ballot),
    ) -> Result<Result<AllocationResult, FactError>, OperationError> {
        let seen = vec![Self::read(&self.engine, fact)];
        let mut results = self.allocate_read(seen, sync, &mut observe)?;
        Ok(results.pop().expect("one result per fact"))
    }

    /// Lets candidates compete for one mention of a perceived fact, as [`AllocationEngine::decide`] does. Changes nothing that a later
    /// decision could see.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    ///
    /// # Panics
    /// If `mention` is not below [`Perceived::mention_count`].
    pub fn decide(
        &mut self,
        perceived: &Perceived,
        mention: usize,
        candidates: &Candidates,
    ) -> Result<Ballot, OperationError> {
        let ballot = self.engine.decide(perceived, mention, candidates);
        self.sound(ballot)
    }

    fn read(engine: &AllocationEngine, fact: Fact) -> Result<ReadFact, FactError> {
        let is_known = engine.is_known(&fact);
        let mut laps = engine.laps();
        let read = ReadFact::of(&engine.perceiver, fact, is_known);
        laps.lap(Stage::Perceive);
        read
    }

    fn allocate_read(
        &mut self,
        facts: Vec<Result<ReadFact, FactError>>,
        sync: Sync,
        observe: &mut Observe<'_>,
    ) -> Result<Vec<Result<AllocationResult, FactError>>, OperationError> {
        self.check_whole()?;
        let mut changes = ChangeSet::default();
        let mut results = Vec::with_capacity(facts.len());
        for fact in facts {
            self.step_if_due(&mut changes, sync)?;
            let result = match fact {
                Err(error) => Ok(Err(error)),
                Ok(fact) => match self.known(&fact, &changes) {
                    Ok(Some(known)) => Ok(Ok(known)),
                    Ok(None) => Ok(self.allocate_one(fact, &mut changes, observe)),
                    Err(error) => Err(error),
                },
            };
            // What came before it in the batch is in memory and will not be in the store.
            self.is_broken |= result.is_err() && !changes.is_empty();
            results.push(result?);
            if self.is_memory_short() {
                self.commit(std::mem::take(&mut changes), Sync::Durable)?;
                self.keep_to_budget()?;
            }
        }
        self.step_if_due(&mut changes, sync)?;
        self.commit(changes, sync)?;
        Ok(results)
    }

    /// The standing assignment of a fact that its source has given before.
    fn known(
        &self,
        fact: &ReadFact,
        pending: &ChangeSet,
    ) -> Result<Option<AllocationResult>, OperationError> {
        let Some(id) = &fact.perceived.record_id else { return Ok(None) };
        let source = fact.perceived.source.as_deref().unwrap_or_default();
        match self.engine.fact_named(source, id) {
            Some(known) => self.assignment(known, pending).map(Some),
            None => Ok(None),
        }
    }

    /// Where the mentions of a fact belong now, with the decision that was taken on them then. Its entry may still be `pending`.
    fn assignment(&self, fact: u32, pending: &ChangeSet) -> Result<AllocationResult, OperationError> {
        let position = self.engine.graph.position_of(fact);
        let entry = match pending.value(Table::Log, position) {
            Some(bytes) => Some(self.decode(position, bytes)?),
            None => self.entry(position)?,
        };
        let mentions = match entry.map(|entry| entry.operation) {
            Some(Operation::Allocate { mentions }) => mentions,
            _ => Vec::new(),
        };
        let mut results = self.engine.graph.mentions_of(fact).enumerate().map(|(at, mention)| {
            let ballot = match mentions.get(at) {
                Some(decided) => self.engine.restored_ballot(&decided.ballot),
                None => self.engine.foregone_ballot(true),
            };
            AllocationResult { repeated: true, ..self.engine.result(mention, &ballot) }
        });
        let mut result = results.next().expect("a fact has a mention");
        result.object = results.next().map(Box::new);
        Ok(result)
    }

    fn allocate_one(
        &mut self,
        fact: ReadFact,
        changes: &mut ChangeSet,
        observe: &mut Observe<'_>,
    ) -> Result<AllocationResult, FactError> {
        let position = self.engine.position;
        let mut ballots = Vec::with_capacity(2);
        let result = self.engine.allocate_noting(&fact.perceived, |engine, candidates, ballot| {
            observe(candidates, ballot);
            ballots.push(engine.stored_ballot(ballot));
        })?;
        let nodes = result.mentions().map(|mention| mention.allocated_node);
        let mentions: Vec<_> =
            nodes.zip(ballots).map(|(node, ballot)| DecidedMention { node, ballot }).collect();
        let ReadFact { mut fact, perceived } = fact;
        if fact.record_id.is_none() {
            // The identifier that it has been given.
            let suffix = if perceived.mentions.len() == 2 { "#s" } else { "" };
            fact.record_id = result.record_id.strip_suffix(suffix).map(str::to_owned);
        }
        changes.put(Table::Facts, position, self.fact_row(fact, &perceived));
        self.log(position, Operation::Allocate { mentions }, None, changes);
        Ok(result)
    }

    /// Writes an operation that has been carried out into a change set.
    pub(crate) fn log(
        &mut self,
        position: u64,
        operation: Operation,
        undoes: Option<u64>,
        changes: &mut ChangeSet,
    ) {
        self.log_noted(position, operation, undoes, Vec::new(), changes);
    }

    /// The same for an operation that says something of links.
    pub(crate) fn log_noted(
        &mut self,
        position: u64,
        operation: Operation,
        undoes: Option<u64>,
        notes: Vec<Note>,
        changes: &mut ChangeSet,
    ) {
        let mut chain = [0; 16];
        chain.copy_from_slice(&self.engine.chain[..16]);
        let entry = LogEntry { operation, undoes, recorded_s: self.recorded_s, chain, notes };
        changes.put(Table::Log, position, entry.encode());
        self.ledger.note(position, &entry);
    }

    /// Commits what has been carried out in memory.
    pub(crate) fn commit(&mut self, changes: ChangeSet, sync: Sync) -> Result<(), OperationError> {
        let committed = self.try_to_commit(changes, sync);
        self.is_broken |= committed.is_err();
        committed
    }

    fn try_to_commit(&mut self, mut changes: ChangeSet, sync: Sync) -> Result<(), OperationError> {
        self.sound(())?;
        if !changes.is_empty() && self.store.get(Table::Meta, meta::CONFIG)?.is_none() {
            changes.put(Table::Meta, meta::CONFIG, self.engine.config.fingerprint().into_bytes());
            changes.put(Table::Meta, meta::LAYERS, self.engine.config.layers.encode());
            let fields = &self.engine.config.fields;
            if !fields.is_empty() {
                changes.put(Table::Meta, meta::FIELDS, fields.encode());
            }
            let least = self.engine.config.inhibition.existing_probability_min;
            if least != InhibitionConfig::default().existing_probability_min {
                changes.put(Table::Meta, meta::EXISTING_PROBABILITY, least.to_le_bytes().to_vec());
            }
            let embedder = &self.engine.config.embedder;
            if !embedder.is_lexical() {
                let dimension = embedder.dimension() as u32;
                changes.put(Table::Meta, meta::MODEL_DIMENSION, dimension.to_le_bytes().to_vec());
            }
        }
        let mut laps = self.engine.laps();
        // Also without changes: what was committed lazily may have to become durable.
        self.store.commit(changes, sync)?;
        laps.lap(Stage::Store);
        Ok(())
    }

    /// Refuses to go on where memory is ahead of the store, or not to be trusted.
    pub(crate) fn check_whole(&self) -> Result<(), OperationError> {
        self.sound(())?;
        if self.is_broken { Err(OperationError::Broken) } else { Ok(()) }
    }

    /// Marks memory and store as different.
    pub(crate) fn break_off(&mut self) {
        self.is_broken = true;
    }

    /// Where an identifier of a record leads now: its result, as [`allocate_batch`](Self::allocate_batch) would repeat it. None if
    /// there is no such fact, or it is forgotten.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn find(
        &self,
        source: Option<&str>,
        record_id: &str,
    ) -> Result<Option<AllocationResult>, OperationError> {
        let found = match self.engine.fact_named(source.unwrap_or_default(), record_id) {
            Some(fact) => Some(self.assignment(fact, &ChangeSet::default())?),
            None => None,
        };
        self.sound(found)
    }

    /// What has been read, unless the snapshot could not be read on the way.
    pub(crate) fn sound<T>(&self, read: T) -> Result<T, OperationError> {
        self.engine.failure.check().map_err(OperationError::of_snapshot)?;
        Ok(read)
    }

    /// Hash of the state; see [`StateHash`](crate::StateHash). Takes time in proportion to the graph.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn state_hash(&self) -> Result<crate::StateHash, OperationError> {
        self.sound(self.engine.state_hash())
    }

    /// The engine, to look at. Its [`explain`](AllocationEngine::explain) knows nothing here: ballots stand in the log; ask
    /// [`why`](Self::why).
    pub fn engine(&self) -> &AllocationEngine {
        &self.engine
    }

    /// The store, to look at.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The store, to have it checked. Whoever commits to it past the engine parts the two.
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// All of the configuration that has a say in decisions, as text. Graphs under equal texts can be continued by each other's
    /// engines.
    pub fn configuration(&self) -> String {
        self.engine.config.fingerprint()
    }

    /// What the user said of fields when the graph was begun.
    pub fn fields_given(&self) -> &FieldConfigs {
        &self.engine.config.fields
    }

    /// How sure a decision must be, as it was said when the graph was begun.
    pub fn inhibition(&self) -> InhibitionConfig {
        self.engine.config.inhibition
    }

    /// Position in the log that the next operation gets.
    pub fn position(&self) -> u64 {
        self.engine.position
    }

    /// Nodes of a fact's mentions.
    pub(crate) fn nodes_of(&self, fact: u32) -> Vec<NodeId> {
        let graph = &self.engine.graph;
        graph.mentions_of(fact).map(|mention| graph.id(graph.mentions[mention as usize].node)).collect()
    }
}
