//! What the tiers ask of the outside: a store below them, and a codec between bytes and values.

use std::error::Error;

/// A row of the store: its key, and its bytes or `None` where it is to be deleted.
pub type Row = (u64, Option<Vec<u8>>);

/// The third tier: where everything is, whether it fits into memory or not.
///
/// Reads and writes must be atomic towards each other (a read shows all of a write or nothing of it) and a read that starts after a
/// write returned must show it.
pub trait PersistentStorage {
    /// Why the store failed.
    type Error: Error + 'static;

    /// The bytes of one row, `None` if there is no such row.
    ///
    /// # Errors
    /// Whatever the store meets.
    fn read(&self, key: u64) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Reads many rows at once and hands over those that exist, in any order. The keys rise and differ.
    ///
    /// # Errors
    /// Whatever the store meets; rows that were handed over before stay valid.
    fn read_many(&self, keys: &[u64], found: &mut dyn FnMut(u64, Vec<u8>)) -> Result<(), Self::Error>;

    /// Carries out changes in their order, all or none.
    ///
    /// # Errors
    /// Whatever the store meets.
    fn write(&self, rows: &[Row]) -> Result<(), Self::Error>;
}

/// Turns values into bytes and back, and weighs them.
///
/// It must not call the tiers: values are encoded under a lock when they leave L1.
pub trait Codec {
    /// A decoded value.
    type Value;
    /// Why bytes are no value, or a value has none.
    type Error: Error + Send + Sync + 'static;

    /// The compact bytes of a value.
    ///
    /// # Errors
    /// If the value cannot be written down.
    fn encode(&self, value: &Self::Value) -> Result<Vec<u8>, Self::Error>;

    /// The value of compact bytes. What [`encode`](Self::encode) gave must come back.
    ///
    /// # Errors
    /// If the bytes are not of its making.
    fn decode(&self, bytes: &[u8]) -> Result<Self::Value, Self::Error>;

    /// Bytes that the decoded value takes: its own size and everything on the heap that it owns alone.
    fn memory_bytes(&self, value: &Self::Value) -> usize;
}
