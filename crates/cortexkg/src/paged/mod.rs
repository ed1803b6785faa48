//! Tables that need not be in memory whole.
//!
//! A table lies in a snapshot, in memory, or partly in both. What is looked at is loaded and stays until memory is short; what is
//! changed stays until the next snapshot has it. Looking never fails on the spot: where the snapshot cannot be read, a record without
//! content is given and the failure noted, and whoever decides on records asks [`Failure::check`] before the decision counts.
//!
//! - [`Paged`]: records by number, in blocks of eight;
//! - [`PagedMap`]: values by hash, in buckets; [`IdMap`] finds numbers by hash.

mod map;
mod table;

pub(crate) use map::{IdMap, PagedMap};
pub(crate) use table::Paged;

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use cortexkg_store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::image::ImageReader;

/// What a table can hold.
pub(crate) trait Record: Debug + Default + Serialize + DeserializeOwned {
    /// Bytes that it holds beside itself.
    fn heap_bytes(&self) -> usize;
}

impl Record for u32 {
    fn heap_bytes(&self) -> usize {
        0
    }
}

/// What can be done with any table.
pub(crate) trait Table {
    /// Lies in a snapshot that has just been written from it; what is in memory stays and is as the snapshot has it.
    fn rebase(&mut self, name: &str, from: &ImageReader<'_>) -> Result<(), StoreError>;
    /// Lets go of about so many bytes of what the snapshot has, of those that nobody has looked at lately first (second chance).
    fn evict(&mut self, bytes: usize);
    /// Counts bytes anew, with what changes have made of the records.
    fn count_bytes(&mut self);
    /// Bytes in memory, as far as they are known.
    fn bytes(&self) -> usize;
    /// Bytes that cannot be let go of: only memory has them as they are.
    fn dirty_bytes(&self) -> usize;
}

/// Is called with each table of an engine and its name.
pub(crate) type EachTable<'a> = dyn FnMut(&'static str, &mut dyn Table) + 'a;

/// The first failure of any table to load what was looked at; shared by the tables of an engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<StoreError>>>);

impl Failure {
    /// Notes that something could not be loaded.
    pub(crate) fn note(&self, error: StoreError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// What went wrong first, if anything did. It stays: the record without content that was given instead stays, too, so nothing
    /// that is seen from then on can be trusted.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(StoreError::Io { place, source }) => {
                Err(StoreError::io(place, std::io::Error::new(source.kind(), source.to_string())))
            }
            Some(StoreError::Damaged { place, what }) => Err(StoreError::damaged(place, what)),
            Some(other) => Err(StoreError::damaged("the snapshot", other.to_string())),
        }
    }
}
