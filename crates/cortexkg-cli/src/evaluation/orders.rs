//! How far the order in which facts come in matters: the same facts in several orders.

use cortexkg::{DurableEngine, EngineConfig, Fact};
use cortexkg_store::{MemoryStore, Sync};
use serde::Serialize;

use super::stage::Stage;
use crate::failure::Failure;
use crate::scoring::{Grouping, Overlap, Random, Score, ScoreError, adjusted_rand_index};

/// Facts that are given to the engine at once.
const FACTS_AT_ONCE: usize = 1024;

/// The least, the mean and the greatest of a figure over all orders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The least.
    pub least: f64,
    /// The mean.
    pub mean: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let count = values.clone().count();
        (count > 0).then(|| Self {
            least: values.clone().fold(f64::INFINITY, f64::min),
            mean: values.clone().sum::<f64>() / count as f64,
            greatest: values.fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// What changes with the order, at one stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderStage {
    /// `online` or `consolidated`.
    pub stage: &'static str,
    /// Nodes.
    pub nodes: Option<Spread>,
    /// Adjusted Rand index of the allocations of every two orders: 1 where all orders give the same nodes.
    pub agreement: Option<Spread>,
    /// Pairwise F1, if there is a truth.
    pub pair_f1: Option<Spread>,
    /// B-cubed F1, if there is a truth.
    pub b_cubed_f1: Option<Spread>,
    /// Pairs of records that are put together and should not be, or the other way round.
    pub wrong_pairs: Option<Spread>,
}

/// The same facts in several orders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderFigures {
    /// How many orders.
    pub orders: usize,
    /// Before and after consolidation.
    pub stages: Vec<OrderStage>,
}

/// Decides facts in `orders` orders, drawn by seeds 1, 2, and so on.
pub(crate) fn in_orders(
    facts: &[Fact],
    orders: usize,
    config: &EngineConfig,
    truth: Option<&Grouping>,
    mut progress: impl FnMut(usize),
) -> Result<OrderFigures, Failure> {
    let mut stages: [Vec<Stage>; 2] = [Vec::new(), Vec::new()];
    for order in 0..orders {
        progress(order);
        let mut facts = facts.to_vec();
        let mut random = Random::new(order as u64 + 1);
        for at in (1..facts.len()).rev() {
            facts.swap(at, random.below(at + 1));
        }
        let mut graph = DurableEngine::open(MemoryStore::default(), config.clone())?;
        while !facts.is_empty() {
            let rest = facts.split_off(FACTS_AT_ONCE.min(facts.len()));
            // What is refused is refused in any order, and has been told of.
            graph.allocate_batch(std::mem::replace(&mut facts, rest), Sync::Lazy)?;
        }
        stages[0].push(Stage::of("online", &graph)?);
        graph.consolidate()?;
        stages[1].push(Stage::of("consolidated", &graph)?);
    }
    let stages = stages.iter().filter_map(|runs| stage(runs, truth).transpose()).collect::<Result<_, _>>();
    Ok(OrderFigures { orders, stages: stages.map_err(|error| Failure::Usage(error.to_string()))? })
}

fn stage(runs: &[Stage], truth: Option<&Grouping>) -> Result<Option<OrderStage>, ScoreError> {
    // Where there is nothing, there is nothing to compare.
    let Some(first) = runs.first().filter(|first| first.nodes.records().len() > 0) else { return Ok(None) };
    let mut agreement = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        for other in &runs[at + 1..] {
            agreement.push(adjusted_rand_index(&Overlap::of(&run.nodes, &other.nodes)?));
        }
    }
    let labelled = truth.map(|truth| truth.within(&first.nodes));
    let mut scores = Vec::new();
    if let Some(labelled) = &labelled {
        for run in runs {
            scores.push(Score::of(&run.nodes, labelled)?);
        }
    }
    let wrong = |score: &Score| {
        let cluster_pairs = labelled.as_ref().map_or(0.0, pairs_of);
        let right = score.pair_r * cluster_pairs;
        let put_together = if score.pair_p > 0.0 { right / score.pair_p } else { 0.0 };
        (put_together + cluster_pairs - 2.0 * right).round()
    };
    Ok(Some(OrderStage {
        stage: first.name,
        nodes: Spread::of(runs.iter().map(|run| run.nodes.group_count() as f64)),
        agreement: Spread::of(agreement.iter().copied()),
        pair_f1: Spread::of(scores.iter().map(|score| score.pair_f1)),
        b_cubed_f1: Spread::of(scores.iter().map(|score| score.b3_f1)),
        wrong_pairs: Spread::of(scores.iter().map(wrong)),
    }))
}

/// Pairs of records of one group.
fn pairs_of(groups: &Grouping) -> f64 {
    let mut sizes = vec![0_u64; groups.group_count()];
    for group in groups.records().filter_map(|record| groups.group(record)) {
        sizes[group] += 1;
    }
    sizes.iter().map(|&size| (size * size.saturating_sub(1) / 2) as f64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_depend_on_the_order_does_not_change_with_it() {
        let facts: Vec<Fact> = ["a polar bear", "Kiyoshi Kato", "a polar bear", "tin can"]
            .iter()
            .enumerate()
            .map(|(at, text)| Fact::text(*text).with_id(format!("{at}")))
            .collect();
        let mut truth = Grouping::default();
        for (record, cluster) in [("0", "bear"), ("1", "kato"), ("2", "bear"), ("3", "can")] {
            truth.insert(record, cluster);
        }
        let figures =
            in_orders(&facts, 3, &EngineConfig::default(), Some(&truth), |_| {}).expect("good facts");
        let [_, consolidated] = &figures.stages[..] else { panic!("{figures:?}") };
        let is = |spread: Option<Spread>, value: f64| {
            spread.is_some_and(|spread| spread.least == value && spread.greatest == value)
        };
        assert!(is(consolidated.agreement, 1.0) && is(consolidated.nodes, 3.0), "{consolidated:?}");
        assert!(is(consolidated.pair_f1, 1.0) && is(consolidated.wrong_pairs, 0.0), "{consolidated:?}");
    }
}
