//! Close calls, kept for a second look.

use std::collections::VecDeque;

use cortexkg_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::ballot::Ballot;
use crate::engine::AllocationEngine;
use crate::evidence::Bits;
use crate::graph::{MentionIndex, NodeIndex};
use crate::image::{ImageReader, ImageWriter};

/// Most close calls that are kept; the oldest give way.
const DOUBTS_MAX: usize = 1 << 18;
/// Least evidence for a node that a mention did not go to, for it to be worth a second look.
const EVIDENCE_MIN: Bits = Bits::whole(-14);
/// Close calls in one record of a snapshot.
const DOUBTS_AT_ONCE: usize = 1024;

/// A node that a mention may belong to and did not go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doubt {
    pub(crate) mention: MentionIndex,
    pub(crate) node: NodeIndex,
}

/// The newest close calls, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Doubts {
    queue: VecDeque<Doubt>,
}

impl Doubts {
    pub(crate) fn push(&mut self, doubt: Doubt) {
        if self.queue.len() == DOUBTS_MAX {
            self.queue.pop_front();
        }
        self.queue.push_back(doubt);
    }

    /// Takes all of them out.
    pub(crate) fn take(&mut self) -> Vec<Doubt> {
        std::mem::take(&mut self.queue).into()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Doubt> + '_ {
        self.queue.iter().copied()
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        let all: Vec<Doubt> = self.iter().collect();
        to.section("doubts", all.chunks(DOUBTS_AT_ONCE))
    }

    pub(crate) fn load(from: &ImageReader<'_>) -> Result<Self, StoreError> {
        Ok(Self { queue: from.chunks("doubts")?.iter().copied().collect() })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.queue.capacity() * size_of::<Doubt>()
    }
}

impl AllocationEngine {
    /// Notes the nodes that the next mention might have gone to beside the one it goes to.
    pub(crate) fn note_doubts(&mut self, ballot: &Ballot, node: NodeIndex) {
        let mention = self.graph.mentions.len() as MentionIndex;
        for competitor in ballot.competitors.iter().filter(|one| one.evidence >= EVIDENCE_MIN) {
            if let Some(other) = self.graph.index_of(competitor.node).filter(|&other| other != node) {
                self.doubts.push(Doubt { mention, node: other });
            }
        }
    }
}
