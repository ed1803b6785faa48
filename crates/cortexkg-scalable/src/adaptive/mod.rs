//! Layers that set themselves: what is measured proposes, what is measured afterwards decides whether it stays.
//!
//! Between two looks so many mentions pass that a look can tell something. A [rule](AdaptationRule) that proposes the same twice in a
//! row is followed: the change is a logged event with its reason, and a *trial*. Once it is in effect (an index is whole), the next
//! looks are compared with those before: what made things worse is taken back, and its rule is silent for a while, twice as long each
//! time. So nothing swings to and fro.
//!
//! Timing has a say here, so the same facts may be served by other layers from run to run. The log says which, and repeating it gives
//! the same graph.

mod looking;
mod manager;
mod observed;
mod rules;

pub(crate) use looking::{LastLook, sampling};
pub use manager::{AdaptationEvent, AdaptationOutcome, AdaptiveConfigManager, Change};
pub use observed::{IndexState, Observed, TierReads};
pub use rules::{
    AdaptationRule, IndexWhenScansAreSlow, Measure, PrecisionByMemory, SearchToRecallTarget, Suggestion,
    TiersByMarginalHits, default_rules,
};
