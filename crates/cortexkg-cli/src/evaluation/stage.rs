//! The allocation at one stage, scored.

use cortexkg::{Assignment, OperationError};
use serde::Serialize;

use super::Graph;
use crate::failure::Failure;
use crate::scoring::{Bootstrap, Grouping, Interval, Overlap, Score, ScoreError, adjusted_rand_index};

/// Where every mention belongs at a stage that has a name.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) nodes: Grouping,
}

impl Stage {
    /// The graph as it stands.
    pub(crate) fn of(name: &'static str, graph: &Graph) -> Result<Self, Failure> {
        let mut nodes = Grouping::default();
        graph.view(None)?.assignments(&mut |assignment: &Assignment| {
            nodes.insert(&assignment.record_id, &assignment.node.to_string());
            Ok::<_, OperationError>(())
        })?;
        Ok(Self { name, nodes })
    }

    /// The stage against the truth, as far as that speaks of records that were decided.
    pub(crate) fn score(&self, truth: &Grouping) -> Result<StageScore, ScoreError> {
        let overlap = Overlap::of(&self.nodes, truth)?;
        let score = Score::from(&overlap);
        let intervals = Bootstrap::of(&overlap);
        Ok(StageScore {
            stage: self.name,
            nodes: score.nodes,
            pairwise: Figures::of([score.pair_p, score.pair_r, score.pair_f1], intervals.pairwise),
            b_cubed: Figures::of([score.b3_p, score.b3_r, score.b3_f1], intervals.b_cubed),
            adjusted_rand_index: adjusted_rand_index(&overlap),
        })
    }
}

/// How right an allocation is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StageScore {
    /// `online`: as decided, one by one.
    pub stage: &'static str,
    /// Nodes.
    pub nodes: usize,
    /// Over pairs of records.
    pub pairwise: Figures,
    /// Over records.
    pub b_cubed: Figures,
    /// Over labelled records; 1 is perfect, 0 is chance.
    pub adjusted_rand_index: f64,
}

/// Three figures, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Of what was put together, the part that belongs together.
    pub precision: Estimate,
    /// Of what belongs together, the part that was put together.
    pub recall: Estimate,
    /// Their harmonic mean.
    pub f1: Estimate,
}

/// A figure and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Where it would be with other clusters of the same kind.
    #[serde(flatten)]
    pub interval: Interval,
}

impl Figures {
    fn of(values: [f64; 3], intervals: [Interval; 3]) -> Self {
        let [precision, recall, f1] =
            [0, 1, 2].map(|at| Estimate { value: values[at], interval: intervals[at] });
        Self { precision, recall, f1 }
    }
}
