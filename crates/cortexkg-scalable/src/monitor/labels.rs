//! What metrics are told apart by: fixed sets of words, so that no input can make their number grow.

use cortexkg::{AllocationMethod, Decision};

use crate::adaptive::AdaptationOutcome;

/// Ways of finding candidates, in the words of [`AllocationMethod`].
pub(crate) const METHODS: [&str; 4] = ["direct", "recalled", "hnsw", "distributed"];

/// Position in [`METHODS`].
pub(crate) fn method_at(method: AllocationMethod) -> usize {
    match method {
        AllocationMethod::Direct => 0,
        AllocationMethod::Recalled => 1,
        AllocationMethod::Hnsw => 2,
        AllocationMethod::Distributed => 3,
    }
}

/// Outcomes of a decision, in the words of [`Decision`].
pub(crate) const DECISIONS: [&str; 3] = ["existing", "new", "possible"];

/// Position in [`DECISIONS`].
pub(crate) fn decision_at(decision: Decision) -> usize {
    match decision {
        Decision::Existing => 0,
        Decision::New => 1,
        Decision::Possible => 2,
    }
}

/// The word for what became of a change that the engine made to its own settings.
pub(crate) fn outcome_name(outcome: AdaptationOutcome) -> &'static str {
    match outcome {
        AdaptationOutcome::Applied => "applied",
        AdaptationOutcome::Kept => "kept",
        AdaptationOutcome::RolledBack => "rolled_back",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_engine() {
        for method in [
            AllocationMethod::Direct,
            AllocationMethod::Recalled,
            AllocationMethod::Hnsw,
            AllocationMethod::Distributed,
        ] {
            assert_eq!(METHODS[method_at(method)], method.to_string());
        }
        for decision in [Decision::Existing, Decision::New, Decision::Possible] {
            assert_eq!(DECISIONS[decision_at(decision)], decision.to_string());
        }
        for outcome in [AdaptationOutcome::Applied, AdaptationOutcome::Kept, AdaptationOutcome::RolledBack] {
            assert_eq!(serde_json::to_string(&outcome).unwrap(), format!("\"{}\"", outcome_name(outcome)));
        }
    }
}
