//! The tiers together.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::MemoryConfig;
use crate::error::TierError;
use crate::gate::{Gate, Pass, Ticket};
use crate::memory::Memory;
use crate::shard::{Found, Fresh};
use crate::statistics::{Counters, MemoryStatistics};
use crate::storage::{Codec, PersistentStorage, Row};

/// Two counters and an address: what `Arc` adds to its content.
const ARC_BYTES: usize = 2 * size_of::<usize>();

/// Values by number, in tiers: decoded (L1), compact (L2), stored (L3).
///
/// See the [crate's documentation](crate) for an example and for what always holds. All methods take `&self`; share it between
/// threads by reference or `Arc`.
#[derive(Debug)]
pub struct MultiTierMemorySystem<S, C: Codec> {
    storage: S,
    codec: C,
    memory: Memory<Arc<C::Value>>,
    gate: Gate,
    counters: Counters,
}

/// A value that the tiers and their readers share.
type Shared<C> = Arc<<C as Codec>::Value>;

/// What comes of a call that may meet the store `S`.
type Outcome<S, T> = Result<T, TierError<<S as PersistentStorage>::Error>>;

/// New values, `None` where a row is to be deleted.
type Changes<C> = Vec<(u64, Option<Shared<C>>)>;

/// A key that no tier in memory has, with the ticket taken before the store is asked.
struct Missing {
    key: u64,
    ticket: Option<Ticket>,
}

impl<S: PersistentStorage, C: Codec> MultiTierMemorySystem<S, C> {
    /// Empty tiers over a store.
    pub fn new(storage: S, codec: C, config: MemoryConfig) -> Self {
        Self { storage, codec, memory: Memory::new(config), gate: Gate::new(), counters: Counters::default() }
    }

    /// The store. Whoever changes it past the tiers calls [`invalidate`](Self::invalidate) or uses
    /// [`write_with`](Self::write_with).
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Back to the store; the tiers are dropped.
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// The value of a key, from the highest tier that has it; `None` if the store has no such row.
    ///
    /// # Errors
    /// [`TierError::Storage`], [`TierError::Decode`].
    pub fn get(&self, key: u64) -> Outcome<S, Option<Shared<C>>> {
        match self.look(key)? {
            Ok(value) => Ok(Some(value)),
            Err(missing) => {
                let bytes = self.storage.read(key).map_err(TierError::Storage)?;
                self.counters.read(1, usize::from(bytes.is_none()), false);
                bytes.map(|bytes| self.admit(&missing, &bytes)).transpose()
            }
        }
    }

    /// The values of many keys, in their order. What no tier in memory has is read from the store in one call.
    ///
    /// # Errors
    /// As [`get`](Self::get); the first error ends it.
    pub fn get_many(&self, keys: &[u64]) -> Outcome<S, Vec<Option<Shared<C>>>> {
        let mut values = Vec::with_capacity(keys.len());
        let mut missing = Vec::new();
        for &key in keys {
            match self.look(key)? {
                Ok(value) => values.push(Some(value)),
                Err(miss) => {
                    values.push(None);
                    missing.push(miss);
                }
            }
        }
        if !missing.is_empty() {
            let found = self.read_missing(missing, false)?;
            for (value, key) in values.iter_mut().zip(keys).filter(|(value, _)| value.is_none()) {
                if let Ok(at) = found.binary_search_by_key(key, |(key, _)| *key) {
                    *value = Some(found[at].1.clone());
                }
            }
        }
        Ok(values)
    }

    /// Brings what will be needed soon into memory, in one read, and returns how many rows that read asked for. Keys that are in
    /// memory already are left where they are, and not counted as used.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn prefetch(&self, keys: &[u64]) -> Outcome<S, usize> {
        let missing = keys.iter().map(|&key| Missing { key, ticket: self.gate.ticket(key) });
        let missing: Vec<_> = missing.filter(|miss| !self.memory.contains(miss.key)).collect();
        if missing.is_empty() {
            return Ok(0);
        }
        let count = missing.iter().map(|miss| miss.key).collect::<BTreeSet<_>>().len();
        self.read_missing(missing, true)?;
        Ok(count)
    }

    /// Writes a value through to the store. When this returns, every read shows it or a later one.
    ///
    /// # Errors
    /// [`TierError::Encode`], [`TierError::Storage`].
    pub fn put(&self, key: u64, value: Shared<C>) -> Outcome<S, ()> {
        self.write(vec![(key, Some(value))])
    }

    /// Deletes a row from the store and every tier.
    ///
    /// # Errors
    /// [`TierError::Storage`].
    pub fn remove(&self, key: u64) -> Outcome<S, ()> {
        self.write(vec![(key, None)])
    }

    /// Writes and deletes (`None`) values in one call of the store. A reader may see some of the changes before others.
    ///
    /// # Errors
    /// [`TierError::Encode`], [`TierError::Storage`].
    pub fn write(&self, changes: Changes<C>) -> Outcome<S, ()> {
        self.write_with(changes, PersistentStorage::write)
    }

    /// [`write`](Self::write) for a caller with a transaction of its own, in which other things may change as well: `commit` is
    /// given the store and the encoded changes, in their order, and must have written them when it returns `Ok`.
    ///
    /// # Errors
    /// [`TierError::Encode`]; what `commit` returns, as [`TierError::Storage`].
    pub fn write_with<T>(
        &self,
        changes: Changes<C>,
        commit: impl FnOnce(&S, &[Row]) -> Result<T, S::Error>,
    ) -> Outcome<S, T> {
        let rows: Vec<Row> =
            changes.iter().map(|(key, value)| self.row(*key, value.as_deref())).collect::<Result<_, _>>()?;
        let writing = Writing::begin(self, rows.iter().map(|(key, _)| *key).collect());
        let written = commit(&self.storage, &rows).map_err(TierError::Storage)?;
        self.counters.wrote(rows.len());
        writing.end(changes, rows);
        Ok(written)
    }

    /// Forgets what the tiers know of keys whose rows were changed past them. No read that starts after this returns shows what
    /// was there before it was called.
    pub fn invalidate(&self, keys: &[u64]) {
        drop(Writing::begin(self, keys.to_vec()));
    }

    /// [`invalidate`](Self::invalidate) for every key: after the store was replaced or rewritten.
    pub fn clear(&self) {
        let passes: Vec<_> = Gate::stripes().map(|stripe| self.gate.enter(stripe)).collect();
        self.memory.clear();
        passes.into_iter().for_each(|pass| self.gate.leave(pass, |_| ()));
    }

    /// Sets the budget of L1, in bytes. What no longer fits is compact or gone when this returns.
    pub fn set_l1_bytes_max(&self, bytes_max: u64) {
        self.memory.resize_l1(bytes_max, &|value| self.compact(value));
    }

    /// Sets the budget of L2, in bytes. What no longer fits is gone when this returns.
    pub fn set_l2_bytes_max(&self, bytes_max: u64) {
        self.memory.resize_l2(bytes_max, &|value| self.compact(value));
    }

    /// What was counted so far.
    pub fn statistics(&self) -> MemoryStatistics {
        let [l1, l2] = self.memory.statistics();
        self.counters.statistics(l1, l2)
    }

    /// The value, if a tier in memory has it.
    fn look(&self, key: u64) -> Outcome<S, Result<Shared<C>, Missing>> {
        let (bytes, raise) = match self.memory.look(key) {
            Found::Decoded(value) => {
                self.counters.l1_hit(key);
                return Ok(Ok(value));
            }
            Found::Nothing => {
                self.counters.l1_miss(key);
                return Ok(Err(Missing { key, ticket: self.gate.ticket(key) }));
            }
            Found::Compact(bytes, raise) => {
                self.counters.l1_miss(key);
                self.counters.l2_hit(key);
                (bytes, raise)
            }
        };
        let (value, value_bytes) = self.decode(key, &bytes)?;
        if raise && self.memory.raise(key, &bytes, value.clone(), value_bytes, &|value| self.compact(value)) {
            self.counters.promoted();
        }
        Ok(Ok(value))
    }

    /// Reads rows in one call; gives those that exist by rising key.
    fn read_missing(&self, mut missing: Vec<Missing>, ahead: bool) -> Outcome<S, Vec<(u64, Shared<C>)>> {
        missing.sort_by_key(|miss| miss.key);
        // The first of a key's tickets is the oldest, and the sort is stable.
        missing.dedup_by_key(|miss| miss.key);
        let keys: Vec<u64> = missing.iter().map(|miss| miss.key).collect();
        let mut rows: Vec<(u64, Vec<u8>)> = Vec::with_capacity(keys.len());
        self.storage
            .read_many(&keys, &mut |key, bytes| rows.push((key, bytes)))
            .map_err(TierError::Storage)?;
        rows.sort_by_key(|(key, _)| *key);
        rows.dedup_by_key(|(key, _)| *key);
        let mut found = Vec::with_capacity(rows.len());
        for (key, bytes) in rows {
            // A row that nobody asked for has no ticket.
            if let Ok(at) = missing.binary_search_by_key(&key, |miss| miss.key) {
                found.push((key, self.admit(&missing[at], &bytes)?));
            }
        }
        self.counters.read(keys.len(), keys.len() - found.len(), ahead);
        Ok(found)
    }

    /// Decodes what the store gave and keeps it, unless it has been overwritten.
    fn admit(&self, missing: &Missing, bytes: &[u8]) -> Outcome<S, Shared<C>> {
        let key = missing.key;
        let (value, value_bytes) = self.decode(key, bytes)?;
        let compact: Arc<[u8]> = bytes.into();
        self.gate.keep(key, missing.ticket, || {
            let fresh = Fresh { value: value.clone(), value_bytes, compact };
            self.memory.keep(key, fresh, &|value| self.compact(value));
        });
        Ok(value)
    }

    /// The value of bytes, with what it weighs.
    fn decode(&self, key: u64, bytes: &[u8]) -> Outcome<S, (Shared<C>, usize)> {
        let value =
            self.codec.decode(bytes).map_err(|source| TierError::Decode { key, source: Box::new(source) })?;
        let value_bytes = self.value_bytes(&value);
        Ok((Arc::new(value), value_bytes))
    }

    fn value_bytes(&self, value: &C::Value) -> usize {
        ARC_BYTES.saturating_add(self.codec.memory_bytes(value))
    }

    /// The bytes of a value that leaves L1; one without bytes is forgotten.
    fn compact(&self, value: &Shared<C>) -> Option<Arc<[u8]>> {
        self.codec.encode(value).ok().map(Arc::from)
    }

    fn row(&self, key: u64, value: Option<&C::Value>) -> Outcome<S, Row> {
        let bytes = value.map(|value| self.codec.encode(value)).transpose();
        Ok((key, bytes.map_err(|source| TierError::Encode { key, source: Box::new(source) })?))
    }
}

/// A writer at work on some keys: withdrawn from the tiers until it ends. Dropped before its end (an error, a panic), it leaves the
/// keys out of the tiers.
struct Writing<'a, S: PersistentStorage, C: Codec> {
    system: &'a MultiTierMemorySystem<S, C>,
    keys: Vec<u64>,
    passes: Vec<Pass>,
}

impl<'a, S: PersistentStorage, C: Codec> Writing<'a, S, C> {
    fn begin(system: &'a MultiTierMemorySystem<S, C>, keys: Vec<u64>) -> Self {
        let stripes: BTreeSet<usize> = keys.iter().map(|&key| Gate::stripe(key)).collect();
        let passes = stripes.into_iter().map(|stripe| system.gate.enter(stripe)).collect();
        let writing = Self { system, keys, passes };
        for &key in &writing.keys {
            system.memory.withdraw(key);
        }
        writing
    }

    /// The store has the new values: leave them in the tiers where no other writer was near.
    fn end(mut self, changes: Changes<C>, rows: Vec<Row>) {
        let system = self.system;
        let mut fresh: Vec<_> = changes
            .into_iter()
            .zip(rows)
            .map(|((key, value), (_, bytes))| (Gate::stripe(key), key, value.zip(bytes)))
            .collect();
        // Stable: of several changes to one key the last is applied last.
        fresh.sort_by_key(|(stripe, ..)| *stripe);
        let mut fresh = fresh.as_slice();
        for pass in std::mem::take(&mut self.passes) {
            let count = fresh.iter().take_while(|(stripe, ..)| *stripe == pass.stripe()).count();
            let (of_stripe, rest) = fresh.split_at(count);
            fresh = rest;
            system.gate.leave(pass, |alone| {
                for (_, key, value) in of_stripe {
                    match value {
                        Some((value, bytes)) if alone => {
                            let value_bytes = system.value_bytes(value);
                            let compact = bytes.as_slice().into();
                            let fresh = Fresh { value: value.clone(), value_bytes, compact };
                            system.memory.put(*key, fresh, &|value| system.compact(value));
                        }
                        _ => system.forget(*key),
                    }
                }
            });
        }
        self.keys.clear();
    }
}

impl<S: PersistentStorage, C: Codec> Drop for Writing<'_, S, C> {
    fn drop(&mut self) {
        self.keys.iter().for_each(|&key| self.system.forget(key));
        self.passes.drain(..).for_each(|pass| self.system.gate.leave(pass, |_| ()));
    }
}

impl<S, C: Codec> MultiTierMemorySystem<S, C> {
    fn forget(&self, key: u64) {
        self.memory.remove(key);
    }
}
