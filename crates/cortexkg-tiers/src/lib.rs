//! [`MultiTierMemorySystem`]: a graph larger than memory, read as if it were in memory.
//!
//! | tier | holds | costs a reader |
//! |---|---|---|
//! | L1 | decoded values, ready for use | a lookup |
//! | L2 | compact bytes, several times as many in the same memory | a lookup and decoding |
//! | L3 | everything: a [`PersistentStorage`] | whatever the store costs |
//!
//! A read goes down until it finds the key. Nothing is held twice: what comes from the store is kept decoded while L1 has room, and
//! compact from then on; at its second use as bytes it is decoded to stay, and what L1 has no room for any more becomes compact again,
//! which costs encoding it. Each tier has a budget in bytes, but one policy decides for both what gives way, so that
//! two tiers find as much as one of their size would. It resists scans: what is read once passes through a small queue and does not
//! drive out what is read again and again.
//!
//! A writer goes through the tiers to the store ([`put`](MultiTierMemorySystem::put),
//! [`write_with`](MultiTierMemorySystem::write_with)), or tells them afterwards
//! ([`invalidate`](MultiTierMemorySystem::invalidate)).
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::convert::Infallible;
//! use std::string::FromUtf8Error;
//! use std::sync::{Arc, Mutex, PoisonError};
//!
//! use cortexkg_tiers::{Codec, MemoryConfig, MultiTierMemorySystem, PersistentStorage, Row};
//!
//! #[derive(Default)]
//! struct Rows(Mutex<BTreeMap<u64, Vec<u8>>>);
//!
//! impl PersistentStorage for Rows {
//!     type Error = Infallible;
//!     fn read(&self, key: u64) -> Result<Option<Vec<u8>>, Infallible> {
//!         Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned())
//!     }
//!     fn read_many(&self, keys: &[u64], found: &mut dyn FnMut(u64, Vec<u8>)) -> Result<(), Infallible> {
//!         let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
//!         keys.iter().for_each(|key| if let Some(bytes) = rows.get(key) { found(*key, bytes.clone()) });
//!         Ok(())
//!     }
//!     fn write(&self, changes: &[Row]) -> Result<(), Infallible> {
//!         let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
//!         for (key, bytes) in changes {
//!             match bytes {
//!                 Some(bytes) => rows.insert(*key, bytes.clone()),
//!                 None => rows.remove(key),
//!             };
//!         }
//!         Ok(())
//!     }
//! }
//!
//! struct Text;
//!
//! impl Codec for Text {
//!     type Value = String;
//!     type Error = FromUtf8Error;
//!     fn encode(&self, value: &String) -> Result<Vec<u8>, FromUtf8Error> {
//!         Ok(value.as_bytes().to_vec())
//!     }
//!     fn decode(&self, bytes: &[u8]) -> Result<String, FromUtf8Error> {
//!         String::from_utf8(bytes.to_vec())
//!     }
//!     fn memory_bytes(&self, value: &String) -> usize {
//!         size_of::<String>() + value.capacity()
//!     }
//! }
//!
//! let tiers = MultiTierMemorySystem::new(Rows::default(), Text, MemoryConfig::default());
//! tiers.put(7, Arc::new("Ada Lovelace".to_owned()))?;
//! assert_eq!(tiers.get(7)?.as_deref().map(String::as_str), Some("Ada Lovelace"));
//! assert_eq!(tiers.get(8)?, None);
//!
//! // The candidates of a mention, in one read.
//! let nodes = tiers.get_many(&[7, 8, 9])?;
//! assert_eq!(nodes.iter().flatten().count(), 1);
//! assert_eq!(tiers.statistics().l1.hits, 2);
//! # Ok::<(), cortexkg_tiers::TierError<Infallible>>(())
//! ```
//!
//! # Invariants
//!
//! * **No read is stale.** A read that starts after a write returned shows that write or a later one; reads of one key never go
//!   back. `gate.rs` says why.
//! * A tier never holds more bytes than its budget, keeping books included, and a smaller budget acts at once.
//! * A value is in one tier of memory at most.
//! * No clock, no threads of its own, no randomness. Which entries are kept depends on the order of calls; what is read does not.
//!
//! # Bounds
//!
//! Keys that the store does not have are not remembered: each read of one asks the store. Two readers that miss the same key at the
//! same time both ask it. An L2 that is smaller than L1 leaves part of L1 empty at times: a scan then takes decoded values along.
//!
//! # Where to start reading
//!
//! `system.rs` for the path of reads and writes, `gate.rs` for what keeps them apart, `shard.rs` for what gives way,
//! [`optimum`] for what no policy can beat.

mod config;
mod error;
mod gate;
mod list;
mod memory;
pub mod optimum;
mod shard;
mod statistics;
mod storage;
mod sync;
mod system;

pub use config::{MemoryConfig, TierConfig};
pub use error::TierError;
pub use statistics::{MemoryStatistics, StorageStatistics, TierStatistics};
pub use storage::{Codec, PersistentStorage, Row};
pub use system::MultiTierMemorySystem;
