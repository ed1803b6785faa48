//! The locks and counters in use: those of the standard library, or of the scheduler that tests interleavings.

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Mutex, RwLock, atomic};

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Mutex, RwLock, atomic};
