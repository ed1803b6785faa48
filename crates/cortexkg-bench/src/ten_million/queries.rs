//! What is near to mentions, by the index and exactly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use cortexkg_bench::{Random, Zipf, machine};
use cortexkg_index::{HnswAllocationIndex, SearchOptions};
use cortexkg_simd::Kernels;
use rayon::prelude::*;
use serde::Serialize;

use super::rows::Rows;
use crate::latencies::percentile_us;
use crate::progress::Progress;

/// Neighbours that are asked for.
const K: usize = 10;
/// Length of what is added to a node's vector, of length 1, to ask for what is near it.
const NOISE: f32 = 0.3;
/// Rows that are compared with every query before the next are read: they fit into the cache of a core.
const ROWS_AT_ONCE: u64 = 256;
/// As near as the last of the [`K`] within the error of a sum of `f32`: as good.
const TIE: f32 = 1e-6;
/// Kept of each query on the way; more ties than that are not told apart.
const KEPT: usize = 4 * K;
/// Part of the seed.
const QUERIES: u64 = 0x71;

/// Vectors to ask for, with what is truly near: the [`K`] nearest and those that are as near as the last of them.
pub(super) struct Questions {
    queries: Vec<Vec<f32>>,
    near: Vec<Vec<u64>>,
}

/// What came of them at one effort.
#[derive(Debug, Serialize)]
pub(super) struct Searched {
    ef: usize,
    rescored: usize,
    recall_at_10: f64,
    /// Share of the queries that found none of their nearest.
    lost: f64,
    /// Full vectors read for one query.
    reads: f64,
    /// After the system was made to forget the file, and once more right after.
    cold: Round,
    warm: Round,
}

/// All queries once.
#[derive(Debug, Serialize)]
struct Round {
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    /// Bytes that came from the disk for one query; the rest came from what the system keeps of the file.
    disk_bytes: f64,
}

/// What was found for a query, and in what time.
type Answer = (usize, Vec<u64>, Duration);

impl Questions {
    /// Nodes drawn as they are used, each with noise around it; and the truth, by comparing each with all vectors.
    pub(super) fn new(rows: &Rows, count: usize, seed: u64, pool: &rayon::ThreadPool) -> Result<Self> {
        let (zipf, mut random) = (Zipf::new(rows.count()), Random::new(seed, QUERIES));
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        let each = NOISE / (rows.dimension() as f32).sqrt();
        let mut queries = Vec::with_capacity(count);
        for _ in 0..count {
            rows.read(zipf.draw(&mut random), 1, &mut bytes, &mut values)?;
            values.iter_mut().for_each(|value| *value += each * random.normal());
            // With noise around it, it has a direction.
            let _ = Kernels::active().normalize_f32(&mut values);
            queries.push(values.clone());
        }
        let near = pool.install(|| nearest(rows, &queries))?;
        Ok(Self { queries, near })
    }

    /// Asks for all of them on some threads, twice.
    pub(super) fn ask(
        &self,
        index: &HnswAllocationIndex,
        rows: &Rows,
        ef: usize,
        rescored: usize,
        threads: usize,
    ) -> Result<Searched> {
        rows.evict()?;
        let reads = rows.reads();
        let (_, cold) = self.round(index, rows, (ef, rescored), threads)?;
        let reads = (rows.reads() - reads) as f64 / self.queries.len() as f64;
        let (answers, warm) = self.round(index, rows, (ef, rescored), threads)?;
        let hits = answers
            .iter()
            .map(|(query, found, _)| found.iter().filter(|id| self.near[*query].contains(id)).count().min(K));
        let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
        Ok(Searched {
            ef,
            rescored,
            recall_at_10: share(hits.clone().sum(), self.near.iter().map(|near| near.len().min(K)).sum()),
            lost: share(hits.filter(|&hits| hits == 0).count(), self.queries.len()),
            reads,
            cold,
            warm,
        })
    }

    fn round(
        &self,
        index: &HnswAllocationIndex,
        rows: &Rows,
        effort: (usize, usize),
        threads: usize,
    ) -> Result<(Vec<Answer>, Round)> {
        let (start, disk) = (Instant::now(), machine::disk_read_bytes());
        let next = AtomicUsize::new(0);
        let answers = std::thread::scope(|scope| -> Result<Vec<Answer>> {
            let workers: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| self.worker(index, rows, effort, &next))).collect();
            let mut answers = Vec::with_capacity(self.queries.len());
            for worker in workers {
                answers.extend(worker.join().ok().context("a thread of the search panicked")??);
            }
            Ok(answers)
        })?;
        let elapsed = start.elapsed().as_secs_f64();
        let mut each: Vec<Duration> = answers.iter().map(|&(.., took)| took).collect();
        let count = answers.len() as f64;
        let round = Round {
            per_second: count / elapsed,
            p50_us: percentile_us(&mut each, 0.5),
            p99_us: percentile_us(&mut each, 0.99),
            disk_bytes: (machine::disk_read_bytes() - disk) as f64 / count,
        };
        Ok((answers, round))
    }

    fn worker(
        &self,
        index: &HnswAllocationIndex,
        rows: &Rows,
        (ef, rescored): (usize, usize),
        next: &AtomicUsize,
    ) -> Result<Vec<Answer>> {
        let (mut answers, mut hits, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(query) = self.queries.get(at) else { return Ok(answers) };
            let start = Instant::now();
            let mut failed = None;
            let mut read = |id: u64, into: &mut Vec<f32>| {
                let done = rows.read(id, 1, &mut bytes, into);
                done.map_err(|error| failed = Some(error)).is_ok()
            };
            let mut options = SearchOptions {
                ef: Some(ef),
                rescored: Some(rescored),
                full: Some(&mut read),
                ..SearchOptions::default()
            };
            index.search_with(&index.vector(query)?, K, &mut options, &mut hits)?;
            answers.push((at, hits.iter().map(|hit| hit.id).collect(), start.elapsed()));
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }
}

/// Compares each query with every row, in one walk through the file.
fn nearest(rows: &Rows, queries: &[Vec<f32>]) -> Result<Vec<Vec<u64>>> {
    let (kernels, dimension) = (Kernels::active(), rows.dimension());
    let mut best: Vec<Vec<(f32, u64)>> = vec![Vec::with_capacity(2 * KEPT); queries.len()];
    let mut progress = Progress::new("comparing with all", 0, rows.count());
    let (mut bytes, mut block) = (Vec::new(), Vec::new());
    for first in (0..rows.count()).step_by(ROWS_AT_ONCE as usize) {
        rows.read(first, ROWS_AT_ONCE.min(rows.count() - first) as usize, &mut bytes, &mut block)?;
        queries.par_iter().zip(&mut best).for_each(|(query, best)| {
            let least = if best.len() < KEPT { f32::MIN } else { best[KEPT - 1].0 };
            for (row, id) in block.chunks_exact(dimension).zip(first..) {
                let dot = kernels.dot_f32(query, row);
                if dot > least {
                    best.push((dot, id));
                }
            }
            best.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            best.truncate(KEPT);
        });
        progress.at(first);
    }
    let near = |best: Vec<(f32, u64)>| {
        let last = best.get(K.min(best.len()).saturating_sub(1)).map_or(f32::MIN, |last| last.0 - TIE);
        best.into_iter().take_while(|&(dot, _)| dot >= last).map(|(_, id)| id).collect()
    };
    Ok(best.into_iter().map(near).collect())
}
