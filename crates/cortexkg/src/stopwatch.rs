//! Where the time of a fact goes, for whoever brings a clock: the engine reads none by itself.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A part of the path of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Validated, brought into normal form, embedded.
    Perceive,
    /// Candidates found.
    Recall,
    /// Candidates weighed.
    Decide,
    /// Made part of the graph, and learned from.
    Commit,
    /// Written to the store.
    Store,
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Perceive, Self::Recall, Self::Decide, Self::Commit, Self::Store];

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Perceive => "perceive",
            Self::Recall => "recall",
            Self::Decide => "decide",
            Self::Commit => "commit",
            Self::Store => "store",
        }
    }
}

/// A clock that an engine may look at, and hears how long each stage took. What it says has no say in any decision.
pub trait Stopwatch: Debug + Send + Sync {
    /// Time since any fixed moment; never goes back.
    fn now(&self) -> Duration;

    /// A stage of one mention, or of one commit to the store, took so long.
    fn took(&self, stage: Stage, time: Duration);
}

/// Times one stage after the other, if there is a stopwatch.
#[derive(Debug, Clone)]
pub(crate) struct Laps {
    stopwatch: Option<Arc<dyn Stopwatch>>,
    since: Duration,
}

impl Laps {
    pub(crate) fn start(stopwatch: Option<&Arc<dyn Stopwatch>>) -> Self {
        let since = stopwatch.map_or(Duration::ZERO, |stopwatch| stopwatch.now());
        Self { stopwatch: stopwatch.cloned(), since }
    }

    /// Ends a stage; the next begins.
    pub(crate) fn lap(&mut self, stage: Stage) {
        if let Some(stopwatch) = &self.stopwatch {
            let now = stopwatch.now();
            stopwatch.took(stage, now.saturating_sub(self.since));
            self.since = now;
        }
    }

    /// Begins anew: what was done since counts for nothing.
    pub(crate) fn skip(&mut self) {
        if let Some(stopwatch) = &self.stopwatch {
            self.since = stopwatch.now();
        }
    }
}
