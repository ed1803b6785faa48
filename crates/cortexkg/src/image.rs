//! The engine's memory as records of a snapshot, and back.
//!
//! A snapshot is a consequence of the log, kept so that a start need not repeat it. Its sections hold one record per node, value,
//! word, mention, list of the index and so on, each in postcard's encoding; what a process can compute faster than read is left
//! out.

use cortexkg_simd::PartVec;
use cortexkg_store::{Section, Snapshot, SnapshotWriter, Store, StoreError, Table};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::consolidation::Doubts;
use crate::durable::DurableEngine;
use crate::engine::AllocationEngine;
use crate::feedback::Links;
use crate::graph::NodeId;
use crate::ledger::Ledger;
use crate::operation_error::OperationError;
use crate::paged::{EachTable, Failure, IdMap};

/// Version of what the records mean; another one is passed over and the graph built from the log.
const IMAGE_VERSION: u32 = 9;

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
        self.begin(name)?;
        records.into_iter().try_for_each(|record| self.record(&record))
    }

    /// Begins a section.
    pub(crate) fn begin(&mut self, name: &str) -> Result<(), StoreError> {
        self.out.section(name)
    }

    /// Writes a record of the section that was begun last.
    pub(crate) fn record<T: Serialize>(&mut self, record: &T) -> Result<(), StoreError> {
        self.buffer.clear();
        let buffer = std::mem::take(&mut self.buffer);
        self.buffer = postcard::to_extend(record, buffer).expect("plain data has an encoding");
        self.out.record(&self.buffer)
    }

    /// Writes a record that is encoded already.
    pub(crate) fn raw_record(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.out.record(bytes)
    }

    /// Copies a record of another snapshot.
    pub(crate) fn copy(&mut self, from: &Section, at: u64) -> Result<(), StoreError> {
        from.read(at, &mut self.buffer)?;
        self.out.record(&self.buffer)
    }
}

/// Reads what [`ImageWriter`] wrote.
pub(crate) struct ImageReader<'a> {
    snapshot: &'a Snapshot,
    failure: Failure,
}

impl ImageReader<'_> {
    /// Where tables note that they could not load what was looked at.
    pub(crate) fn failure(&self) -> &Failure {
        &self.failure
    }

    /// A section to read from later.
    pub(crate) fn raw(&self, name: &str) -> Result<Section, StoreError> {
        let section = self.snapshot.section(name);
        section.ok_or_else(|| StoreError::damaged("the snapshot", format!("no section {name}")))
    }

    /// The first record of a section.
    pub(crate) fn first<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        let mut bytes = Vec::new();
        self.raw(name)?.read(0, &mut bytes)?;
        postcard::from_bytes(&bytes)
            .map_err(|error| StoreError::damaged(format!("snapshot, {name} 0"), error.to_string()))
    }

    /// Visits the records of a section in order.
    pub(crate) fn section<T: DeserializeOwned>(
        &self,
        name: &str,
        mut visit: impl FnMut(T),
    ) -> Result<(), StoreError> {
        self.raw(name)?.scan(&mut |at, bytes| {
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

    /// What the records of a section hold, one after the other.
    pub(crate) fn chunks<T: DeserializeOwned + Copy>(&self, name: &str) -> Result<PartVec<T>, StoreError> {
        let mut all = PartVec::default();
        self.section(name, |part: Vec<T>| all.extend(part))?;
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
        self.store.write_snapshot(&mut |out| {
            save(engine, ledger, out)?;
            // What could not be read from the snapshot before must not be missing from this one.
            engine.failure.check()
        })?;
        let Some(snapshot) = self.store.snapshot()? else { return Ok(()) };
        let reader = ImageReader { snapshot: &snapshot, failure: self.engine.failure.clone() };
        let mut rebased = Ok(());
        self.engine.each_table(&mut |name, table| {
            if rebased.is_ok() {
                rebased = table.rebase(name, &reader);
            }
        });
        Ok(rebased?)
    }

    /// Takes the snapshot over, if there is one that belongs to this log.
    ///
    /// # Errors
    /// [`OperationError::Snapshot`] if it cannot be used; [`OperationError::Store`].
    pub(crate) fn load_snapshot(&mut self) -> Result<bool, OperationError> {
        let Some(snapshot) = self.store.snapshot().map_err(OperationError::of_snapshot)? else {
            return Ok(false);
        };
        let reader = ImageReader { snapshot: &snapshot, failure: self.engine.failure.clone() };
        let head: Head = reader.one("head").map_err(OperationError::of_snapshot)?;
        if head.version != IMAGE_VERSION || !self.belongs(&head)? {
            return Ok(false);
        }
        self.engine.load_image(&reader).map_err(OperationError::of_snapshot)?;
        self.engine.position = head.position;
        self.engine.chain = head.chain;
        self.ledger = head.ledger;
        Ok(true)
    }

    /// Whether the log went through the state of a snapshot, and still starts from it or from before it. Another graph's does not
    /// belong, nor does one from before a compaction.
    fn belongs(&self, head: &Head) -> Result<bool, OperationError> {
        let Some(last) = head.position.checked_sub(1) else { return Ok(true) };
        let end = self.store.last_key(Table::Log)?.map_or(0, |last| last + 1);
        if end < head.position {
            let what = format!(
                "it stands for {} operations, the log has {end}; what came then is lost",
                head.position
            );
            return Err(OperationError::Snapshot { place: "the end of the log".to_owned(), what });
        }
        let is_on_the_way = self.entry(last)?.is_some_and(|entry| entry.chain == head.chain[..16]);
        Ok(is_on_the_way && head.position >= self.base_position()?)
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
    engine.doubts.save(&mut writer)?;
    engine.links.save(&mut writer)?;
    engine.dictionary.save(&mut writer)?;
    engine.graph.save(&mut writer)?;
    engine.index.save(&mut writer)?;
    engine.vectors.save(&mut writer)?;
    writer.section("pins", [engine.pins.ids().collect::<Vec<_>>()])?;
    engine.fact_ids.map().save("fact ids", &mut writer)
}

impl AllocationEngine {
    fn load_image(&mut self, reader: &ImageReader<'_>) -> Result<(), StoreError> {
        self.learner = reader.one("learner")?;
        self.weights = reader.one("weights")?;
        self.weights.note_names(|field| self.learner.knows_names(field));
        self.doubts = Doubts::load(reader)?;
        self.links = Links::load(reader)?;
        self.dictionary.load(reader)?;
        self.graph.load(reader)?;
        self.index.load(reader)?;
        self.vectors.load(reader)?;
        self.set_pins(reader.one::<Vec<NodeId>>("pins")?);
        self.fact_ids = IdMap::open("fact ids", reader)?;
        Ok(())
    }

    /// Calls for every table that need not be in memory whole.
    pub(crate) fn each_table(&mut self, visit: &mut EachTable<'_>) {
        self.dictionary.each_table(visit);
        self.graph.each_table(visit);
        self.index.each_table(visit);
        self.vectors.each_table(visit);
        visit("fact ids", self.fact_ids.blocks());
    }
}
