//! The engine's memory as records of a snapshot, and back.
//!
//! A snapshot is a consequence of the log, kept so that a start need not repeat it. Its sections hold one record per node, value,
//! word, mention, list of the index and so on, each in postcard's encoding; what a process can compute faster than read is left
//! out.

use cortexkg_store::{Snapshot, SnapshotWriter, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::durable::DurableEngine;
use crate::engine::{AllocationEngine, fact_key};
use crate::ledger::Ledger;
use crate::operation_error::OperationError;

/// Version of what the records mean; another one is passed over and the graph built from the log.
const IMAGE_VERSION: u32 = 1;

/// What a snapshot says of the whole.
#[derive(Serialize, serde::Deserialize)]
struct Head {
    version: u32,
    position: u64,
    chain: [u8; 32],
    ledger: Ledger,
}

/// Writes records one by one.
pub(crate) struct ImageWriter<'a, 'w> {
    out: &'a mut SnapshotWriter<'w>,
    buffer: Vec<u8>,
}

impl ImageWriter<'_, '_> {
    /// Writes a section of many records.
    pub(crate) fn section<T: Serialize>(
        &mut self,
        name: &str,
        records: impl IntoIterator<Item = T>,
    ) -> Result<(), StoreError> {
        self.out.section(name)?;
        for record in records {
            self.buffer.clear();
            let buffer = std::mem::take(&mut self.buffer);
            self.buffer = postcard::to_extend(&record, buffer).expect("plain data has an encoding");
            self.out.record(&self.buffer)?;
        }
        Ok(())
    }
}

/// Reads what [`ImageWriter`] wrote.
pub(crate) struct ImageReader<'a> {
    snapshot: &'a Snapshot,
}

impl ImageReader<'_> {
    /// Visits the records of a section in order.
    pub(crate) fn section<T: DeserializeOwned>(
        &self,
        name: &str,
        mut visit: impl FnMut(T),
    ) -> Result<(), StoreError> {
        let section = self.snapshot.section(name);
        let section =
            section.ok_or_else(|| StoreError::damaged("the snapshot", format!("no section {name}")))?;
        section.scan(&mut |at, bytes| {
            let record = postcard::from_bytes(bytes);
            let damaged = |error: postcard::Error| {
                StoreError::damaged(format!("snapshot, {name} {at}"), error.to_string())
            };
            visit(record.map_err(damaged)?);
            Ok(())
        })
    }

    /// The records of a section.
    pub(crate) fn all<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::with_capacity(self.len(name));
        self.section(name, |record| all.push(record))?;
        Ok(all)
    }

    /// The only record of a section.
    pub(crate) fn one<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        self.all(name)?
            .pop()
            .ok_or_else(|| StoreError::damaged("the snapshot", format!("section {name} is empty")))
    }

    /// Number of records in a section.
    pub(crate) fn len(&self, name: &str) -> usize {
        self.snapshot.section(name).map_or(0, |section| section.len() as usize)
    }
}

impl<S: Store> DurableEngine<S> {
    pub(crate) fn save_snapshot(&mut self) -> Result<(), OperationError> {
        let (engine, ledger) = (&self.engine, &self.ledger);
        Ok(self.store.write_snapshot(&mut |out| save(engine, ledger, out))?)
    }

    /// Takes the snapshot over, if there is one that belongs to this log.
    pub(crate) fn load_snapshot(&mut self) -> Result<bool, OperationError> {
        let Some(snapshot) = self.store.snapshot()? else { return Ok(false) };
        let reader = ImageReader { snapshot: &snapshot };
        let head: Head = reader.one("head")?;
        if head.version != IMAGE_VERSION || !self.belongs(&head)? {
            return Ok(false);
        }
        self.engine.load_image(&reader)?;
        self.engine.position = head.position;
        self.engine.chain = head.chain;
        self.ledger = head.ledger;
        Ok(true)
    }

    /// Whether the log went through the state of a snapshot: another graph's, or one that is ahead of a log which lost its end, does not
    /// belong.
    fn belongs(&self, head: &Head) -> Result<bool, OperationError> {
        match head.position.checked_sub(1) {
            None => Ok(true),
            Some(last) => Ok(self.entry(last)?.is_some_and(|entry| entry.chain == head.chain[..16])),
        }
    }
}

fn save(engine: &AllocationEngine, ledger: &Ledger, out: &mut SnapshotWriter<'_>) -> Result<(), StoreError> {
    let mut writer = ImageWriter { out, buffer: Vec::new() };
    let head = Head {
        version: IMAGE_VERSION,
        position: engine.position,
        chain: engine.chain,
        ledger: ledger.clone(),
    };
    writer.section("head", [head])?;
    writer.section("learner", [&engine.learner])?;
    writer.section("weights", [&engine.weights])?;
    engine.dictionary.save(&mut writer)?;
    engine.graph.save(&mut writer)?;
    engine.index.save(&mut writer)?;
    engine.vectors.save(&mut writer)
}

impl AllocationEngine {
    fn load_image(&mut self, reader: &ImageReader<'_>) -> Result<(), StoreError> {
        self.learner = reader.one("learner")?;
        self.weights = reader.one("weights")?;
        self.dictionary.load(reader)?;
        self.graph.load(reader)?;
        self.index.load(reader)?;
        self.vectors.load(reader)?;
        self.fact_by_id.reserve(self.graph.facts.len());
        for (at, fact) in (0..).zip(&self.graph.facts) {
            if !fact.is_forgotten {
                let source = self.graph.sources.get_index(fact.source as usize);
                let source =
                    source.ok_or_else(|| StoreError::damaged("the snapshot", "a fact of no source"))?;
                self.fact_by_id.insert(fact_key(source, &fact.record_id), at);
            }
        }
        Ok(())
    }
}
