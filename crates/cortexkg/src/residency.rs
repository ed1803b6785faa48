//! How much of the graph is in memory.

use cortexkg_store::Store;

use crate::durable::DurableEngine;
use crate::operation_error::OperationError;
use crate::paged::Swap;

/// Part of the room for tables, in 1/256, that is in use after room has been made: the rest is there to be filled again.
const FILLED: usize = 224;
/// Part of the budget that tables have in any case. With less, a fact would find nothing of what the one before it has looked at.
const LEAST: usize = 8;

impl<S: Store> DurableEngine<S> {
    /// Sets the most bytes that the engine's structures may take; none for as many as the graph has. What has not been looked at
    /// lately then lies in the snapshot only, and what was changed is written to a new snapshot before it is let go. Decisions do
    /// not depend on it.
    ///
    /// Some structures cannot be let go of (about 90 bytes per node, 7 per list of the index, the index of vectors, 5 MiB in all beside): an
    /// eighth of the budget is there for the rest, and where that is too much it is exceeded by so much. Caches of the store are not in it.
    pub fn set_memory_budget(&mut self, bytes_max: Option<usize>) {
        (self.memory_bytes_max, self.memory_short_above) = (bytes_max, bytes_max.unwrap_or(usize::MAX));
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
        self.memory_bytes_max.is_some() && self.memory_bytes() > self.memory_short_above
    }

    /// Lets go of what has not been looked at lately, as far as the budget asks for it. Every change does so by itself; what is only
    /// looked at is loaded as well, and stays until then.
    ///
    /// # Errors
    /// [`OperationError::Store`]: without a swap file, a snapshot may have to be written first.
    pub fn keep_to_budget(&mut self) -> Result<(), OperationError> {
        let Some(most) = self.memory_bytes_max.filter(|_| self.is_memory_short()) else { return Ok(()) };
        let (mut bytes, mut dirty) = (0, 0);
        self.engine.each_table(&mut |_, table| {
            bytes += table.block_bytes();
            dirty += table.dirty_bytes();
        });
        let fixed = self.memory_bytes() - bytes;
        let whole = most.saturating_sub(fixed).max(most / LEAST);
        self.memory_short_above = most.max(fixed + whole);
        let room = whole / 256 * FILLED;
        // A snapshot costs as much as the graph is large, so it is to free a good part of the budget.
        if self.swap.is_some() {
            // It takes what is dirty, too.
            dirty = 0;
        } else if dirty > room / 2 {
            self.checkpoint()?;
            dirty = 0;
        }
        // Each table gives of what it can let go of in the same proportion.
        let (excess, clean) = (bytes.saturating_sub(room) as u128, (bytes - dirty).max(1) as u128);
        let swap = self.swap.as_ref().map(|swap| swap.noting(&self.engine.failure));
        let mut is_full = false;
        self.engine.each_table(&mut |_, table| {
            let dirty_here = if swap.is_some() { 0 } else { table.dirty_bytes() };
            let clean_here = table.block_bytes().saturating_sub(dirty_here) as u128;
            is_full |= !table.evict((excess * clean_here / clean) as usize, swap.as_ref());
        });
        if is_full {
            // Tried again when there is an eighth more, and not at every fact until then.
            let bytes = self.memory_bytes();
            self.memory_short_above = self.memory_short_above.max(bytes.saturating_add(bytes / 8));
        }
        Ok(())
    }
}
