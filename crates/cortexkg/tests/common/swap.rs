//! A swap file in memory, which can be made to fail. Unit tests of this crate and of `cortexkg-wasm` have it as well.
#![allow(dead_code, reason = "each test program uses its part")]

use std::io;
use std::sync::{Arc, Mutex};

use cortexkg::{DurableEngine, EngineConfig, SwapFile};
use cortexkg_store::Store;

/// Opens a graph within a budget of memory, with a swap file or without.
pub(crate) fn open_within<S: Store>(
    store: S,
    bytes_max: Option<usize>,
    disk: Option<&Disk>,
) -> DurableEngine<S> {
    // What is in front belongs to somebody else.
    let swap = disk.map(|disk| (Box::new(disk.clone()) as Box<dyn SwapFile>, 100));
    DurableEngine::open_within(store, EngineConfig::default(), bytes_max, swap).expect("an open graph")
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    pub(crate) bytes: Arc<Mutex<Vec<u8>>>,
    /// Whether it takes no more.
    pub(crate) is_full: Arc<Mutex<bool>>,
}

impl SwapFile for Disk {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.lock().expect("nobody panicked");
        let found = bytes.get(at as usize..at as usize + into.len());
        into.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&mut self, at: u64, written: &[u8]) -> io::Result<()> {
        if *self.is_full.lock().expect("nobody panicked") {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut bytes = self.bytes.lock().expect("nobody panicked");
        let end = at as usize + written.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[at as usize..end].copy_from_slice(written);
        Ok(())
    }
}
