//! How much memory the tiers may take.

use serde::{Deserialize, Serialize};

/// Bounds of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TierConfig {
    /// Most bytes, keeping books included. 0 turns the tier off.
    pub bytes_max: u64,
    /// Bytes of a usual entry, keeping books included. It decides for how many keys the tier remembers, after eviction, that they
    /// were there: one for two usual entries, at 40 bytes each, which are part of the budget. An error of a factor of
    /// ten does little harm. Taken to be 192 at least.
    pub entry_bytes_usual: u32,
}

/// Bounds of both tiers above the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MemoryConfig {
    /// Decoded values.
    pub l1: TierConfig,
    /// Compact bytes.
    pub l2: TierConfig,
    /// Most parts that the tiers are split into, so that threads get in each other's way less. Rounded up to a power of two, and
    /// less where the parts of a tier would be smaller than 64 KiB or 64 entries. A value that is larger than its part of the budget is never kept.
    pub shards_max: u32,
}

impl Default for MemoryConfig {
    /// 64 MiB of decoded values and 192 MiB of compact bytes, in at most 16 shards.
    fn default() -> Self {
        Self {
            l1: TierConfig { bytes_max: 64 << 20, entry_bytes_usual: 1024 },
            l2: TierConfig { bytes_max: 192 << 20, entry_bytes_usual: 384 },
            shards_max: 16,
        }
    }
}
