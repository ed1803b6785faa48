//! What can go wrong between the tiers.

use std::error::Error;

use thiserror::Error;

/// Why a value could not be read or written. `E` is the error of the store.
///
/// After an error of a write the changed keys are in no tier above the store, so the next read shows what the store made of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TierError<E: Error + 'static> {
    /// The store failed; what to do is for it to say.
    #[error(transparent)]
    Storage(E),
    /// The store holds bytes that are no value.
    #[error("node {key}: its bytes in the store cannot be decoded ({source}); restore it from a backup")]
    Decode {
        /// The key.
        key: u64,
        /// What the codec found.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A value has no bytes; nothing was written.
    #[error("node {key}: cannot be encoded ({source}); nothing was written")]
    Encode {
        /// The key.
        key: u64,
        /// What the codec found.
        source: Box<dyn Error + Send + Sync>,
    },
}
