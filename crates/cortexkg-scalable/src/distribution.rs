//! The seam where a cluster reaches in.

use cortexkg::{AllocationResult, Fact};

/// A fact that the other partitions could not be asked about, and why: it is allocated here.
#[derive(Debug)]
pub struct NotDistributed {
    /// The fact as it was given.
    pub fact: Fact,
    /// What stood in the way, in a few words: a label of the count of fallbacks.
    pub reason: &'static str,
}

/// Allocates facts over the partitions of a cluster, of which the engine at hand is one.
pub trait Distribution<E>: Send + Sync {
    /// Gathers candidates, lets all of them compete, and commits the fact where the winner is.
    ///
    /// # Errors
    /// [`NotDistributed`] with the fact, if nothing has been committed anywhere.
    fn allocate_fact(&mut self, local: &mut E, fact: Fact) -> Result<AllocationResult, Box<NotDistributed>>;
}
