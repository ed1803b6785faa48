//! The gate between reading below and keeping above: what makes a stale read impossible.
//!
//! A reader that finds nothing in a tier reads below and wants to keep what it found. Between the two a writer may have come and
//! gone; the reader would then install what was overwritten, and every later read would be stale. So keys are spread over stripes,
//! and each stripe has an epoch that every writer moves on:
//!
//! 1. Before it looks below, a reader takes a [`Ticket`]: the epoch of the stripe. It gets none while a writer is at work there.
//! 2. A writer moves the epoch on, *then* withdraws its keys from the tiers, then writes to the store, then leaves.
//! 3. A reader keeps what it found only if it has a ticket and the epoch is still that of the ticket. Both the check and the keeping
//!    happen under the lock of the stripe, under which the writer moved the epoch: what was kept before that is withdrawn
//!    in step 2, and nothing is kept after it.
//!
//! While a writer is at work, reads of its keys go to the store, which shows the old value or the new one but never goes back; so
//! reads of one key are linearizable as those of the store are. A writer that met no other one in its stripe leaves the new value
//! behind in the tiers; where writers overlap, nobody here can tell which of them the store took last, and nothing is left behind.
//!
//! Stripes are shared by unrelated keys: their writers make a reader keep less than it could, never anything wrong.

use std::sync::PoisonError;

use crate::sync::Mutex;

const STRIPES: usize = 256;

/// The epoch in which a reader began to look below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

#[derive(Debug, Default)]
struct Stripe {
    /// Writers that ever came.
    epoch: u64,
    /// Writers at work.
    writers: u32,
}

/// The stripes.
#[derive(Debug)]
pub(crate) struct Gate {
    stripes: Box<[Mutex<Stripe>]>,
}

/// A writer's presence in one stripe. It ends with [`Gate::leave`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    stripe: usize,
    /// The epoch that it opened.
    epoch: u64,
    /// Whether no other writer was there when it came.
    alone: bool,
}

impl Pass {
    /// The stripe that it is for.
    pub(crate) fn stripe(self) -> usize {
        self.stripe
    }
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Mutex::default()).collect() }
    }

    /// The stripe of a key.
    pub(crate) fn stripe(key: u64) -> usize {
        // Fibonacci hashing: neighbours in number are spread.
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % STRIPES
    }

    /// All stripes.
    pub(crate) fn stripes() -> impl Iterator<Item = usize> {
        0..STRIPES
    }

    fn with<T>(&self, stripe: usize, act: impl FnOnce(&mut Stripe) -> T) -> T {
        // A panic in here (of a value that is dropped) leaves the stripe as it was.
        act(&mut self.stripes[stripe].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A reader's ticket, to be taken before it looks below; none while a writer is at work.
    pub(crate) fn ticket(&self, key: u64) -> Option<Ticket> {
        self.with(Self::stripe(key), |stripe| (stripe.writers == 0).then_some(Ticket(stripe.epoch)))
    }

    /// Lets a reader keep what it found, unless a writer came since it took its ticket.
    pub(crate) fn keep(&self, key: u64, ticket: Option<Ticket>, keep: impl FnOnce()) {
        let Some(Ticket(epoch)) = ticket else { return };
        self.with(Self::stripe(key), |stripe| {
            if stripe.epoch == epoch {
                keep();
            }
        });
    }

    /// A writer comes.
    pub(crate) fn enter(&self, stripe: usize) -> Pass {
        self.with(stripe, |state| {
            let alone = state.writers == 0;
            state.writers += 1;
            state.epoch += 1;
            Pass { stripe, epoch: state.epoch, alone }
        })
    }

    /// A writer goes. `last` is told whether it was alone all the time, and runs before any reader may keep anything.
    pub(crate) fn leave(&self, pass: Pass, last: impl FnOnce(bool)) {
        self.with(pass.stripe, |state| {
            state.writers -= 1;
            last(pass.alone && state.epoch == pass.epoch);
        });
    }
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use super::*;

    fn kept(gate: &Gate, ticket: Option<Ticket>) -> bool {
        let mut kept = false;
        gate.keep(7, ticket, || kept = true);
        kept
    }

    #[test]
    fn a_reader_keeps_what_no_writer_touched() {
        let gate = Gate::new();
        let ticket = gate.ticket(7);
        assert!(kept(&gate, ticket));
        let pass = gate.enter(Gate::stripe(7));
        assert!(!kept(&gate, ticket), "the writer is at work");
        assert_eq!(gate.ticket(7), None);
        gate.leave(pass, |alone| assert!(alone));
        assert!(!kept(&gate, ticket), "a writer came and went");
        assert!(kept(&gate, gate.ticket(7)));
        assert!(!kept(&gate, None));
    }

    #[test]
    fn writers_that_meet_are_not_alone() {
        let gate = Gate::new();
        let stripe = Gate::stripe(7);
        let (first, second) = (gate.enter(stripe), gate.enter(stripe));
        gate.leave(first, |alone| assert!(!alone, "another came"));
        assert_eq!(gate.ticket(7), None);
        gate.leave(second, |alone| assert!(!alone, "another was there"));
        assert!(kept(&gate, gate.ticket(7)));
    }

    #[test]
    fn neighbours_are_spread_over_the_stripes() {
        let used: std::collections::BTreeSet<_> = (0..4096).map(Gate::stripe).collect();
        assert_eq!(used.len(), STRIPES);
    }
}
