//! The exact neighbours of every query.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};
use cortexkg_simd::Kernels;

use crate::rows::Rows;

/// Neighbours that are asked for.
pub const K: usize = 10;
/// Rows that are compared with every query before the next are read: they fit into the cache of a core.
const ROWS_AT_ONCE: usize = 256;
/// As near as the last of the [`K`] within the error of a sum of `f32`: as good.
const TIE: f32 = 1e-6;
/// Kept of each query on the way; more ties than that are not told apart.
const KEPT: usize = 4 * K;

/// Of each query the ids of the [`K`] nearest and of those that are as near as the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth(Vec<Vec<u32>>);

impl Truth {
    /// By comparing each query with the first `count` rows. Kept in the cache under a hash of the queries and of what was compared.
    pub fn of(rows: &Rows, count: usize, queries: &[f32], cache: &Path) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        (rows.path(), count, rows.dimension()).hash(&mut hasher);
        queries.iter().for_each(|value| value.to_bits().hash(&mut hasher));
        let path = cache.join(format!("truth-{:016x}.json", hasher.finish()));
        if let Ok(text) = std::fs::read(&path) {
            return Ok(Self(serde_json::from_slice(&text).with_context(|| path.display().to_string())?));
        }
        eprintln!("comparing {} queries with {count} vectors", queries.len() / rows.dimension());
        let truth = scan(rows, count, queries)?;
        std::fs::write(&path, serde_json::to_vec(&truth)?)?;
        Ok(Self(truth))
    }

    /// The share of the nearest that are among the first [`K`] found.
    pub fn recall(&self, found: &[Vec<u64>]) -> f64 {
        self.hits(found).sum::<usize>() as f64 / (self.0.len() * K) as f64
    }

    /// The share of the queries that found none of their nearest: walks that never came near.
    pub fn lost(&self, found: &[Vec<u64>]) -> f64 {
        self.hits(found).filter(|&hits| hits == 0).count() as f64 / self.0.len() as f64
    }

    fn hits(&self, found: &[Vec<u64>]) -> impl Iterator<Item = usize> {
        let is_near = |near: &[u32], id: u64| near.iter().any(|&one| u64::from(one) == id);
        found
            .iter()
            .zip(&self.0)
            .map(move |(found, near)| found.iter().take(K).filter(|&&id| is_near(near, id)).count().min(K))
    }
}

fn scan(rows: &Rows, count: usize, queries: &[f32]) -> Result<Vec<Vec<u32>>> {
    let (kernels, dimension) = (Kernels::active(), rows.dimension());
    let queries = queries.chunks_exact(dimension);
    let mut best: Vec<Vec<(f32, u32)>> = vec![Vec::with_capacity(2 * KEPT); queries.len()];
    for first in (0..count).step_by(ROWS_AT_ONCE) {
        let block = rows.read(first, ROWS_AT_ONCE.min(count - first))?;
        for (query, best) in queries.clone().zip(&mut best) {
            let least = if best.len() < KEPT { f32::MIN } else { best[KEPT - 1].0 };
            for (row, id) in block.chunks_exact(dimension).zip(first as u32..) {
                let dot = kernels.dot_f32(query, row);
                if dot > least {
                    best.push((dot, id));
                }
            }
            best.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            best.truncate(KEPT);
        }
    }
    let near = |best: Vec<(f32, u32)>| {
        let last = best[K.min(best.len()) - 1].0 - TIE;
        best.into_iter().take_while(|&(dot, _)| dot >= last).map(|(_, id)| id).collect()
    };
    Ok(best.into_iter().map(near).collect())
}
