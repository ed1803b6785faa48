//! Tables that need not be in memory whole.
//!
//! A table lies in a snapshot, in memory, or partly in both. What is looked at is loaded and stays until memory is short; what is
//! changed stays until the next snapshot has it, or goes to a swap file where there is one. Looking never fails on the spot: where the snapshot cannot be read, a record without
//! content is given and the failure noted, and whoever decides on records asks [`Failure::check`] before the decision counts.
//!
//! - [`Paged`]: records by number, in blocks of eight;
//! - [`PagedMap`]: values by hash, in buckets; [`IdMap`] finds numbers by hash.
//!
//! A block is one piece of memory with the bytes that the snapshot has, too. Records are read where they lie, through views; nothing is
//! decoded when a block is loaded, and a graph takes no more memory than its snapshot takes on disk.

mod blocks;
mod list;
mod map;
mod packed;
mod swap;
mod table;

pub(crate) use blocks::Blocks;
pub(crate) use list::{Fixed, List, u16_at, u32_at, u64_at, write_all};
pub(crate) use map::{IdMap, PagedMap};
pub(crate) use swap::Swap;
pub use swap::SwapFile;
pub(crate) use table::Paged;

use std::sync::{Arc, Mutex, PoisonError};

use cortexkg_store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a table can hold.
pub(crate) trait Record {
    /// How it is read where it lies.
    type View<'a>;
    /// What is written.
    type Content<'c>: ?Sized;
    /// Most records that a bucket of a [`PagedMap`] holds on average. A search goes through several of a bucket and a change writes all of it, which
    /// takes the longer the longer they are; a bucket takes some 45 bytes of its own.
    const TOGETHER_MAX: usize = 24;
    /// The encoding of a record without content.
    const EMPTY: &'static [u8];
    /// Reads an encoding that is sound.
    fn view(bytes: &[u8]) -> Self::View<'_>;
    /// Whether bytes can be read.
    fn is_sound(bytes: &[u8]) -> bool;
    /// Appends the encoding.
    fn encode(content: &Self::Content<'_>, into: &mut Vec<u8>);
}

/// What is seldom read may be read whole.
pub(crate) trait Plain: Default + Serialize + DeserializeOwned {}

impl<T: Plain> Record for T {
    type View<'a> = T;
    type Content<'c> = T;
    const EMPTY: &'static [u8] = &[];

    fn view(bytes: &[u8]) -> T {
        postcard::from_bytes(bytes).unwrap_or_default()
    }

    fn is_sound(bytes: &[u8]) -> bool {
        postcard::from_bytes::<T>(bytes).is_ok()
    }

    fn encode(content: &T, into: &mut Vec<u8>) {
        *into = postcard::to_extend(content, std::mem::take(into)).expect("plain data has an encoding");
    }
}

impl Plain for u32 {}

impl<T: Fixed + 'static> Record for List<'static, T> {
    type View<'a> = List<'a, T>;
    type Content<'c> = [T];
    const EMPTY: &'static [u8] = &[];

    fn view(bytes: &[u8]) -> List<'_, T> {
        List::new(bytes)
    }

    fn is_sound(bytes: &[u8]) -> bool {
        bytes.len().is_multiple_of(T::BYTES)
    }

    fn encode(content: &[T], into: &mut Vec<u8>) {
        write_all(content.iter().copied(), into);
    }
}

/// A record as it lies in a block. That of no bytes stands for one without content.
#[inline]
fn shown<T: Record>(bytes: &[u8]) -> T::View<'_> {
    T::view(if bytes.is_empty() { T::EMPTY } else { bytes })
}

/// Is called with the blocks of each table of an engine and its name.
pub(crate) type EachTable<'a> = dyn FnMut(&'static str, &mut Blocks) + 'a;

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
