//! Facts read back from the store, and read before they go there.

use cortexkg_store::{Store, StoreError, Table};

use crate::engine::AllocationEngine;
use crate::error::FactError;
use crate::fact::Fact;
use crate::operation_error::OperationError;
use crate::perceive::{Perceived, Perceiver};
use crate::stored_fact;

/// What a fact said, and what a model made of it.
pub(crate) fn stored_at<S: Store>(
    store: &S,
    position: u64,
) -> Result<Option<stored_fact::FactAndVectors>, OperationError> {
    let Some(bytes) = store.get(Table::Facts, position)? else { return Ok(None) };
    let stored = stored_fact::decode(&bytes);
    stored
        .map(Some)
        .map_err(|error| StoreError::damaged(format!("facts, row {position}"), error.to_string()).into())
}

/// The perceived fact that the log took in at a position. Runs no model.
pub(crate) fn perceive_at<S: Store>(
    store: &S,
    engine: &AllocationEngine,
    position: u64,
) -> Result<Perceived, OperationError> {
    let damaged = |what: String| StoreError::damaged(format!("facts, row {position}"), what);
    let (fact, made) = stored_at(store, position)?.ok_or_else(|| damaged("it is missing".to_owned()))?;
    let perceived = engine.perceiver.perceive_again(fact, made);
    Ok(perceived.map_err(|error| damaged(error.to_string()))?)
}

/// A fact in both forms: as it is stored, and as it is decided on.
pub(crate) struct ReadFact {
    pub(crate) fact: Fact,
    pub(crate) perceived: Perceived,
}

impl ReadFact {
    /// Nothing is decided on a fact that is known, so nobody runs a model for it.
    pub(crate) fn of(perceiver: &Perceiver, fact: Fact, is_known: bool) -> Result<Self, FactError> {
        let made = is_known.then(Vec::new);
        Ok(Self { perceived: perceiver.perceive_again(fact.clone(), made)?, fact })
    }
}
