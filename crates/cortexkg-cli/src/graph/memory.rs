//! How much memory a graph may take.

use cortexkg_scalable::bytes_of;
use cortexkg_store::RedbOptions;

/// Least budget: what cannot be let go of takes about as much already in a small graph.
const BYTES_MIN: u64 = 32 << 20;
/// The budget in sixteenths: for each of the store's two caches, and for the structures of the engine. What the allocator, the input
/// and the program itself take is the rest.
const PARTS: u64 = 16;
const CACHE_PARTS: u64 = 1;
const ENGINE_PARTS: u64 = 11;

/// How to write a budget.
const HOW: &str = "a whole number with K, M or G (also MB or MiB) behind it, 32M at least, like 512M or 1G";

/// Most bytes that the process is to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBudget(u64);

impl MemoryBudget {
    /// Reads `512M`, `1G` or a number of bytes, as [`bytes_of`] does.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match bytes_of(text) {
            Some(bytes) if bytes >= BYTES_MIN => Ok(Self(bytes)),
            Some(_) => Err("give at least 32M".into()),
            None => Err(HOW.into()),
        }
    }

    /// The caches of the store.
    pub(crate) fn of_store(self) -> RedbOptions {
        let cache_bytes = self.0 / PARTS * CACHE_PARTS;
        RedbOptions {
            cache_bytes: cache_bytes as usize,
            snapshot_cache_bytes: cache_bytes,
            ..RedbOptions::default()
        }
    }

    /// The structures of the engine.
    pub(crate) fn of_engine(self) -> usize {
        (self.0 / PARTS * ENGINE_PARTS) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(MemoryBudget::parse("1G"), Ok(MemoryBudget(1 << 30)));
        for mebibytes in ["512MiB", "512MB", "512mb", "512M"] {
            assert_eq!(MemoryBudget::parse(mebibytes), Ok(MemoryBudget(512 << 20)), "{mebibytes}");
        }
        assert_eq!(MemoryBudget::parse("1GB"), MemoryBudget::parse("1048576KB"));
        assert_eq!(MemoryBudget::parse("67108864"), Ok(MemoryBudget(64 << 20)));
        for wrong in ["", "G", "1T", "1.5G", "-1G", "1K", "99999999999999G", "é"] {
            assert!(MemoryBudget::parse(wrong).is_err(), "{wrong}");
        }
    }
}
