//! Opening and closing a graph: from its snapshot, from its base, by repeating its log.

use std::sync::Arc;

use cortexkg_store::{ChangeSet, Store, StoreError, Sync, Table};

use crate::config::EngineConfig;
use crate::consolidation::Steps;
use crate::durable::{DurableEngine, meta};
use crate::embed::AbsentModel;
use crate::engine::AllocationEngine;
use crate::error::FactError;
use crate::field_config::FieldConfigs;
use crate::inhibition::InhibitionConfig;
use crate::journal::{DecidedMention, LogEntry, Operation};
use crate::layers::Layers;
use crate::ledger::Ledger;
use crate::operation_error::OperationError;
use crate::paged::{Swap, SwapFile};

/// Operations after the last snapshot that a start may have to repeat: more than these, and closing writes a new snapshot.
const TAIL_MAX: u64 = 4096;

/// What opening a graph had to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// Operations that were repeated from the log.
    pub repeated: u64,
    /// Whether everything was built from the log, without a snapshot.
    pub is_rebuilt: bool,
    /// What was wrong with the snapshot, if it was there and could not be used.
    pub snapshot_damage: Option<String>,
    /// Whether a compaction was cut off and could not be finished now: what was forgotten is still in the file.
    pub is_compaction_pending: bool,
}

/// Sees to it that the configuration is that of the graph in the store.
fn settle_configuration(store: &impl Store, config: &mut EngineConfig) -> Result<(), OperationError> {
    let Some(found) = store.get(Table::Meta, meta::CONFIG)? else { return Ok(()) };
    let found = String::from_utf8_lossy(&found).into_owned();
    settle_layers(store, config)?;
    settle_fields(store, config)?;
    settle_bound(store, config)?;
    let wanted = config.fingerprint();
    if found == wanted {
        return Ok(());
    }
    let identity = found.strip_prefix(&config.rules()).and_then(|rest| rest.strip_prefix(' '));
    let Some(identity) = identity.map(str::to_owned) else {
        return Err(OperationError::Config { found, wanted });
    };
    let model = store.get(Table::Meta, meta::MODEL_DIMENSION)?;
    match model {
        Some(dimension) if config.embedder.is_lexical() => {
            let place = || format!("meta, row {}", meta::MODEL_DIMENSION);
            let dimension =
                dimension.try_into().map_err(|_| StoreError::damaged(place(), "is no dimension"))?;
            let dimension = u32::from_le_bytes(dimension) as usize;
            config.embedder = Arc::new(AbsentModel { identity, dimension });
            Ok(())
        }
        _ => Err(OperationError::Embedder { found: identity, wanted: config.embedder.identity() }),
    }
}

/// Takes over the layers that the log starts from.
fn settle_layers(store: &impl Store, config: &mut EngineConfig) -> Result<(), OperationError> {
    config.layers = match store.get(Table::Meta, meta::LAYERS)? {
        Some(bytes) => Layers::decode(&bytes)
            .map_err(|what| StoreError::damaged(format!("meta, row {}", meta::LAYERS), what))?,
        None => Layers::of_old(),
    };
    Ok(())
}

/// Takes over what was said of fields when the graph was begun, unless the same is said again.
fn settle_fields(store: &impl Store, config: &mut EngineConfig) -> Result<(), OperationError> {
    let found = match store.get(Table::Meta, meta::FIELDS)? {
        Some(bytes) => FieldConfigs::decode(&bytes)
            .map_err(|what| StoreError::damaged(format!("meta, row {}", meta::FIELDS), what))?,
        None => FieldConfigs::default(),
    };
    if config.fields.is_empty() {
        config.fields = found;
    } else if let Some((field, [found, wanted])) = found.difference(&config.fields) {
        return Err(OperationError::Fields { field, found, wanted });
    }
    Ok(())
}

/// Takes over how sure a link must be, unless the same is said again.
fn settle_bound(store: &impl Store, config: &mut EngineConfig) -> Result<(), OperationError> {
    let usual = InhibitionConfig::default().existing_probability_min;
    let found = match store.get(Table::Meta, meta::EXISTING_PROBABILITY)? {
        Some(bytes) => {
            let place = || format!("meta, row {}", meta::EXISTING_PROBABILITY);
            let bytes = bytes.try_into().map_err(|_| StoreError::damaged(place(), "is no probability"))?;
            f32::from_le_bytes(bytes)
        }
        None => usual,
    };
    let wanted = &mut config.inhibition.existing_probability_min;
    if *wanted == usual {
        *wanted = found;
    } else if *wanted != found {
        let wanted = config.inhibition.max_false_merge();
        let found = InhibitionConfig { existing_probability_min: found, ..config.inhibition };
        return Err(OperationError::FalseMerges { found: found.max_false_merge(), wanted });
    }
    Ok(())
}

impl<S: Store> DurableEngine<S> {
    /// Opens the graph in a store; an empty store is an empty graph. A snapshot that turns out to be damaged is passed over, and the
    /// graph built from the log ([`Opening::snapshot_damage`]). Not all of a snapshot is read at once: damage that is found
    /// later is an error then, [`OperationError::Snapshot`], and healed by closing the graph and opening it again.
    ///
    /// A graph that was made with a model can be opened without it, that is, with the built-in lexical embedder: everything
    /// works but taking in facts that bring no vector ([`FactError::NotEmbedded`](crate::FactError::NotEmbedded)).
    ///
    /// What the user said of fields, and of how many links may be wrong, when the graph was begun stays; it need not be said again.
    ///
    /// # Errors
    /// [`OperationError::Config`], [`OperationError::Fields`] or [`OperationError::Embedder`] if the graph was made under another configuration;
    /// [`OperationError::Store`].
    pub fn open(store: S, config: EngineConfig) -> Result<Self, OperationError> {
        Self::open_within(store, config, None, None)
    }

    /// As [`open`](Self::open), with a [budget of memory](Self::set_memory_budget) from the beginning.
    ///
    /// With a swap file and the place from which on it is free, what was changed lately goes there where memory is short, also while the
    /// log is repeated, and no snapshot is written for that: a snapshot costs as much as the graph is large, and a store that ends with the
    /// process has no other use for one.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_within(
        store: S,
        mut config: EngineConfig,
        bytes_max: Option<usize>,
        swap: Option<(Box<dyn SwapFile>, u64)>,
    ) -> Result<Self, OperationError> {
        // Ballots stand in the log.
        config.ballots_kept = 0;
        settle_configuration(&store, &mut config)?;
        let mut durable = Self {
            engine: AllocationEngine::new(config.clone()),
            store,
            ledger: Ledger::default(),
            snapshot_position: 0,
            is_broken: false,
            is_snapshot_refused: false,
            memory_bytes_max: bytes_max,
            memory_short_above: bytes_max.unwrap_or(usize::MAX),
            swap: swap.map(|(file, from)| Swap::new(file, from)),
            recorded_s: None,
            steps: Steps::default(),
            opening: Opening::default(),
        };
        match durable.start_from_snapshot() {
            Ok(true) => return durable.opened(),
            Ok(false) => {}
            Err(OperationError::Snapshot { place, what }) => {
                durable.engine = AllocationEngine::new(config);
                durable.ledger = Ledger::default();
                durable.snapshot_position = 0;
                durable.opening = Opening {
                    snapshot_damage: Some(format!("{place}: is damaged ({what})")),
                    ..Opening::default()
                };
            }
            Err(error) => return Err(error),
        }
        durable.start_from_base()?;
        durable.repeat_log()?;
        durable.opened()
    }

    /// Finishes what a crash interrupted.
    fn opened(mut self) -> Result<Self, OperationError> {
        if self.store.get(Table::Meta, meta::COMPACTING)?.is_some() {
            match self.finish_compaction() {
                Ok(_) => {}
                // Where there is no room, or nothing may be written, the graph is right all the same; a later opening does it.
                Err(OperationError::Store(StoreError::Io { .. } | StoreError::ReadOnly)) => {
                    self.opening.is_compaction_pending = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self)
    }

    /// Starts from the snapshot and repeats what came after it. Says whether there was one to start from.
    ///
    /// # Errors
    /// [`OperationError::Snapshot`] if it cannot be used; [`OperationError::Store`].
    fn start_from_snapshot(&mut self) -> Result<bool, OperationError> {
        if !self.load_snapshot()? {
            return Ok(false);
        }
        self.snapshot_position = self.engine.position;
        let repeated = self.repeat_log();
        // Whatever else went wrong went wrong because of it.
        self.sound(())?;
        match repeated {
            // The log alone decides whether it is the log that is wrong.
            Err(OperationError::Diverged { position }) => {
                let what = format!("repeating operation {position} after it gives another graph");
                Err(OperationError::Snapshot { place: "the snapshot".to_owned(), what })
            }
            repeated => repeated.map(|()| true),
        }
    }

    pub(crate) fn start_from_base(&mut self) -> Result<(), OperationError> {
        self.opening.is_rebuilt = true;
        match self.store.get(Table::Meta, meta::BASE)? {
            Some(bytes) => self.build_from(&bytes),
            None => Ok(()),
        }
    }

    /// Repeats the operations that the log has beyond where the engine stands.
    pub(crate) fn repeat_log(&mut self) -> Result<(), OperationError> {
        let Some(last) = self.store.last_key(Table::Log)? else { return Ok(()) };
        while self.engine.position <= last {
            let position = self.engine.position;
            let Some(bytes) = self.store.get(Table::Log, position)? else {
                return Err(StoreError::damaged(format!("log, row {position}"), "it is missing").into());
            };
            let entry = self.decode(position, &bytes)?;
            self.repeat(position, &entry)?;
            if entry.chain != self.engine.chain[..16] {
                return Err(OperationError::Diverged { position });
            }
            self.ledger.note(position, &entry);
            self.opening.repeated += 1;
            if self.swap.is_some() {
                self.keep_to_budget()?;
                self.sound(())?;
            }
        }
        Ok(())
    }

    fn repeat(&mut self, position: u64, entry: &LogEntry) -> Result<(), OperationError> {
        match &entry.operation {
            Operation::Allocate { mentions } => {
                let perceived = self.perceived(position)?;
                let refused = |error: FactError| {
                    StoreError::damaged(format!("facts, row {position}"), error.to_string())
                };
                let fact = self.engine.begin(&perceived).map_err(refused)?;
                let mut results = Vec::with_capacity(mentions.len());
                for (at, DecidedMention { ballot, .. }) in mentions.iter().enumerate() {
                    self.engine.view(&perceived, at);
                    let mut ballot = self.engine.restored_ballot(ballot);
                    ballot.pattern = self.engine.encode(&perceived.mentions[at]);
                    results.push(self.engine.commit_mention(&perceived, at, fact, ballot));
                }
                self.engine.finish(&perceived, fact, results);
                Ok(())
            }
            operation => self.carry_out_noted(operation, &entry.notes),
        }
    }

    /// What opening had to do.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    pub(crate) fn set_opening(&mut self, opening: Opening) {
        self.opening = opening;
    }

    /// Closes the graph and gives its store back; writes a snapshot if one is [due](Self::checkpoint_if_due), and removes one that turned
    /// out to be damaged. A snapshot that there is no room for is left out: the next start takes longer, and that is all.
    ///
    /// # Errors
    /// [`OperationError::Store`]; the graph is safe all the same.
    pub fn close(mut self) -> Result<S, OperationError> {
        if !self.is_broken {
            // Whatever is wrong with the snapshot, the log must be whole.
            self.store.commit(ChangeSet::default(), Sync::Durable)?;
        }
        let saved = self.checkpoint_if_due();
        match (self.sound(()), saved) {
            (Err(OperationError::Snapshot { .. }), _) => self.store.remove_snapshot()?,
            (_, Err(OperationError::Store(StoreError::Io { .. }))) => {}
            (_, saved) => saved?,
        }
        Ok(self.store)
    }

    /// Writes a snapshot if the next start would have more than 4,096 operations to repeat, or the last one was damaged. Where that
    /// failed once, [`close`](Self::close) does not try it again.
    ///
    /// # Errors
    /// [`OperationError::Store`]; nothing is lost.
    pub fn checkpoint_if_due(&mut self) -> Result<(), OperationError> {
        let is_due = self.tail() > TAIL_MAX || self.opening.snapshot_damage.is_some();
        if !is_due || self.is_broken || self.is_snapshot_refused {
            return Ok(());
        }
        let saved = self.checkpoint();
        self.is_snapshot_refused = saved.is_err();
        saved
    }

    /// Writes a snapshot, so that the next start need repeat nothing.
    ///
    /// # Errors
    /// [`OperationError::Store`]; the graph is safe all the same.
    pub fn checkpoint(&mut self) -> Result<(), OperationError> {
        self.check_whole()?;
        // A snapshot that is ahead of the log after a loss of power would be of no use.
        self.commit(ChangeSet::default(), Sync::Durable)?;
        match self.save_snapshot() {
            // Found while what has not been looked at was copied.
            Err(OperationError::Store(damage @ StoreError::Damaged { .. })) => {
                self.engine.failure.note(damage);
            }
            saved => saved?,
        }
        self.sound(())?;
        self.snapshot_position = self.engine.position;
        Ok(())
    }

    /// Operations since the last snapshot: what a start after a crash has to repeat.
    pub fn tail(&self) -> u64 {
        self.engine.position - self.snapshot_position
    }
}
