//! How much of the graph is in memory.

use cortexkg_store::Store;

use crate::durable::DurableEngine;
use crate::operation_error::OperationError;
use crate::paged::{Swap, SwapFile};

/// Part of the budget, in 1/256, that is in use after room has been made: the rest is there to be filled again.
const FILLED: usize = 224;

impl<S: Store> DurableEngine<S> {
    /// Sets the most bytes that the engine's structures may take; none for as many as the graph has. What has not been looked at
    /// lately then lies in the snapshot only, and what was changed is written to a new snapshot before it is let go. Decisions do
    /// not depend on it.
    ///
    /// Some structures cannot be let go of (about 90 bytes per node, 7 per list of the index, 8 MiB in all beside): a budget below that
    /// is kept as well as can be. Caches of the store are not in it.
    pub fn set_memory_budget(&mut self, bytes_max: Option<usize>) {
        self.memory_bytes_max = bytes_max;
    }

    /// From now on, where memory is short, what was changed lately goes to this file, of which everything from a place on is free, and no
    /// snapshot is written for that: a snapshot costs as much as the graph is large, and a store that ends with the process has no other use
    /// for one.
    pub fn set_swap_file(&mut self, file: Box<dyn SwapFile>, from: u64) {
        self.swap = Some(Swap::new(file, from));
    }

    /// Up to where the swap file is in use; 0 without one.
    pub fn swap_end(&self) -> u64 {
        self.swap.as_ref().map_or(0, Swap::end)
    }

    /// Bytes that the engine's structures take.
    pub fn memory_bytes(&self) -> usize {
        self.engine.memory().iter().map(|(_, bytes)| bytes).sum()
    }

    pub(crate) fn is_memory_short(&self) -> bool {
        self.memory_bytes_max.is_some_and(|most| self.memory_bytes() > most)
    }

    /// Lets go of what has not been looked at lately; writes a snapshot first if too much of it is changed.
    pub(crate) fn make_room(&mut self) -> Result<(), OperationError> {
        let Some(most) = self.memory_bytes_max else { return Ok(()) };
        let (mut bytes, mut dirty) = (0, 0);
        self.engine.each_table(&mut |_, table| {
            bytes += table.bytes();
            dirty += table.dirty_bytes();
        });
        if self.memory_bytes() <= most {
            return Ok(());
        }
        let fixed = self.memory_bytes() - bytes;
        let room = most.saturating_sub(fixed) / 256 * FILLED;
        // A snapshot costs as much as the graph is large, so it is to free a good part of the budget.
        if self.swap.is_some() {
            dirty = 0;
        } else if dirty > room / 2 {
            self.checkpoint()?;
            dirty = 0;
        }
        // Each table gives of what it can let go of in the same proportion.
        let (excess, clean) = (bytes.saturating_sub(room) as u128, (bytes - dirty).max(1) as u128);
        let swap = self.swap.as_ref().map(|swap| swap.noting(&self.engine.failure));
        self.engine.each_table(&mut |_, table| {
            let dirty_here = if swap.is_some() { 0 } else { table.dirty_bytes() };
            let clean_here = table.bytes().saturating_sub(dirty_here) as u128;
            table.evict((excess * clean_here / clean) as usize, swap.as_ref());
        });
        Ok(())
    }
}
