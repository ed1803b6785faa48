//! Calls of a pool in any order.

use cortexkg_columns::Spread;
use proptest::prelude::*;

/// One call; `Reload` is that of `encode` and `decode`.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Allocate(u64, Vec<(u64, u32)>),
    Deallocate(u64),
    Activate(u64, f32),
    Defragment,
    Rebalance,
    /// By so many columns.
    Grow(u32),
    Spread(Spread),
    Reload,
}

/// Some calls, on few concepts, so that most meet one that is there.
pub(crate) fn calls() -> impl Strategy<Value = Vec<Call>> {
    let concept = 0_u64..60;
    let call = prop_oneof![
        12 => (concept.clone(), prop::collection::vec((concept.clone(), 0_u32..4), 0..5))
            .prop_map(|(concept, related)| Call::Allocate(concept, related)),
        6 => concept.clone().prop_map(Call::Deallocate),
        6 => (concept, 0.0_f32..=1.0).prop_map(|(concept, level)| Call::Activate(concept, level)),
        1 => Just(Call::Defragment),
        1 => Just(Call::Rebalance),
        1 => (0_u32..60).prop_map(Call::Grow),
        1 => prop::sample::select(vec![Spread::Compact, Spread::Roomy]).prop_map(Call::Spread),
        1 => Just(Call::Reload),
    ];
    prop::collection::vec(call, 0..120)
}
