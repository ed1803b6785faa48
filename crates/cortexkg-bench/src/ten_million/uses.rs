//! Nodes in use, and how exactly each is kept for that: as the engine does it, by its own formulas.

use std::time::Instant;

use anyhow::Result;
use cortexkg::{ImportanceScorer, QuantizationLayer, QuantizationStrategy};
use cortexkg_bench::{Random, Zipf};
use cortexkg_index::{HnswAllocationIndex, Precision};
use serde::Serialize;

use super::rows::Rows;
use crate::progress::Progress;

/// What a use counts, in the unit of [`ImportanceScorer`].
const USE: u32 = 256;
/// Nodes that are looked at with each mention beside the one that it comes to.
const LOOKED_AT: u64 = 8;
/// Part of the seed.
const USES: u64 = 0x75;

/// What the engine keeps of the use of a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NodeUse {
    uses: u32,
    at: u32,
    edges: u32,
}

/// How it went.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Used {
    mentions: u32,
    half_life_mentions: u32,
    made_finer: u64,
    made_coarser: u64,
    reads: u64,
    seconds: f64,
}

/// Has mentions come to nodes by Zipf's law, and keeps each as exactly as its importance asks for, up to 32 bits.
pub(super) fn have_used(
    index: &mut HnswAllocationIndex,
    rows: &Rows,
    mentions: u32,
    seed: u64,
) -> Result<(Vec<NodeUse>, Used)> {
    let (start, reads) = (Instant::now(), rows.reads());
    let nodes = rows.count();
    let QuantizationLayer { thresholds, half_life_mentions, .. } = QuantizationLayer::default();
    let strategy = QuantizationStrategy { thresholds, finest: Precision::Full, pressure: 0 };
    let scorer = ImportanceScorer { half_life_mentions };
    let mut used =
        Used { mentions, half_life_mentions, made_finer: 0, made_coarser: 0, reads: 0, seconds: 0.0 };
    let mut uses = vec![NodeUse::default(); nodes as usize];
    let (zipf, mut random) = (Zipf::new(nodes), Random::new(seed, USES));
    let (mut bytes, mut values, mut turn) = (Vec::new(), Vec::new(), 0);
    let mut progress = Progress::new("mentions", 0, mentions.into());
    for now in 0..mentions {
        let node = zipf.draw(&mut random);
        let of = &mut uses[node as usize];
        of.uses = scorer.faded(of.uses, now - of.at).saturating_add(USE);
        of.at = now;
        for node in std::iter::once(node).chain((turn..turn + LOOKED_AT).map(|at| at % nodes)) {
            let NodeUse { uses, at, edges } = uses[node as usize];
            let wanted = strategy.precision(scorer.score(uses, now - at, edges));
            let is = index.precision(node).unwrap_or(Precision::One);
            if wanted > is {
                rows.read(node, 1, &mut bytes, &mut values)?;
                let vector = index.vector(&values)?;
                index.set_precision(node, wanted, Some(&vector))?;
                used.made_finer += 1;
            } else if wanted < is {
                index.set_precision(node, wanted, None)?;
                used.made_coarser += 1;
            }
        }
        turn = (turn + LOOKED_AT) % nodes;
        progress.at(u64::from(now));
    }
    Ok((uses, Used { reads: rows.reads() - reads, seconds: start.elapsed().as_secs_f64(), ..used }))
}

#[cfg(test)]
mod tests {
    use cortexkg_index::HnswConfig;

    use super::*;

    #[test]
    fn few_nodes_are_kept_finer_and_those_are_the_popular_ones() {
        let folder = tempfile::tempdir().unwrap();
        let mut rows = Rows::open(&folder.path().join("rows"), 8, 0).unwrap();
        let config = HnswConfig { precision: Precision::One, ..HnswConfig::new(8) };
        let mut index = HnswAllocationIndex::new(config).unwrap();
        let mut random = Random::new(1, 1);
        for id in 0..500 {
            let row: Vec<f32> = (0..8).map(|_| random.normal()).collect();
            rows.append(&row).unwrap();
            let vector = index.vector(&row).unwrap();
            index.add(id, &vector).unwrap();
        }
        let (uses, used) = have_used(&mut index, &rows, 2_000, 1).unwrap();
        let levels = index.precisions();
        assert!(levels.iter().all(|&level| level > 0), "{levels:?}");
        assert_eq!(levels.iter().sum::<usize>(), 500);
        assert_eq!(used.reads, used.made_finer);
        let most = (0..500_usize).max_by_key(|&node| uses[node].uses).unwrap();
        assert_eq!(index.precision(most as u64), Some(Precision::Full));
    }
}
