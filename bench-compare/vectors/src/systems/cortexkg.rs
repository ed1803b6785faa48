//! Our own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use cortexkg_index::{
    HnswAllocationIndex, HnswConfig, IndexError, Neighbour, Place, Precision, SearchOptions, Vector,
};
use cortexkg_simd::Kernels;
use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSlice as _;

use super::{CONNECTIONS, EF_CONSTRUCTION, Effort, System};
use crate::rows::Rows;
use crate::truth::K;

/// Vectors whose places are sought together.
const BATCH: usize = 256;

/// What is kept of a vector beside the code that walks look at.
#[derive(Debug)]
pub enum Kept {
    Codes,
    /// A finer code of every vector, in memory.
    Finer(Precision),
    /// All of it, in a file.
    Disk(Rows),
}

pub struct CortexKg {
    pub index: HnswAllocationIndex,
    kept: Kept,
    effort: Effort,
    reads: AtomicU64,
    /// Made when it is first asked for.
    pool: Option<Arc<ThreadPool>>,
}

impl CortexKg {
    pub fn new(dimension: usize, precision: Precision, kept: Kept) -> Result<Self> {
        let config = HnswConfig {
            max_connections: CONNECTIONS,
            ef_construction: EF_CONSTRUCTION,
            precision,
            ..HnswConfig::new(dimension)
        };
        let effort = Effort { ef: config.ef_search, rescored: None };
        let (index, reads) = (HnswAllocationIndex::new(config)?, AtomicU64::new(0));
        Ok(Self { index, kept, effort, reads, pool: None })
    }

    fn add_on(&mut self, first: u64, vectors: &[f32], threads: usize) -> Result<()> {
        let pool = self.pool(threads)?;
        let length = BATCH * self.index.config().dimension;
        for (first, vectors) in (first..).step_by(BATCH).zip(vectors.chunks(length)) {
            let batch: Vec<(u64, Vector)> = (first..).zip(self.made(&pool, vectors)?).collect();
            self.index.add_batch_in(&pool, &batch).map_err(in_batch)?;
            batch.iter().try_for_each(|(id, vector)| self.keep_finer(*id, vector))?;
        }
        Ok(())
    }

    fn allocate_on(&mut self, first: u64, vectors: &[f32], threads: usize) -> Result<()> {
        let pool = self.pool(threads)?;
        let dimension = self.index.config().dimension;
        let full = |id: u64| &vectors[(id - first) as usize * dimension..][..dimension];
        for (first, vectors) in (first..).step_by(BATCH).zip(vectors.chunks(BATCH * dimension)) {
            let made = self.made(&pool, vectors)?;
            let places = self.index.find_batch_in(&pool, &made, self.asked()).map_err(in_batch)?;
            // What the file says of those that were there before the batch.
            let read = pool.install(|| {
                let read = vectors.par_chunks_exact(dimension).zip(&places);
                read.map(|(vector, place)| self.read(vector, &place.hits)).collect::<Result<Vec<_>>>()
            })?;
            let ids = first..;
            for (((id, vector), mut place), mut ranked) in ids.zip(&made).zip(places).zip(read) {
                self.index.renew(vector, &mut place)?;
                if matches!(self.kept, Kept::Disk(_)) {
                    let newer = place.hits.iter().filter(|hit| hit.id >= first);
                    ranked.extend(newer.map(|hit| ranked_by(full(id), full(hit.id), hit.id)));
                    best(&mut ranked, &mut Vec::new());
                }
                self.index.insert(id, vector, &place)?;
                self.keep_finer(id, vector)?;
            }
        }
        Ok(())
    }

    fn pool(&mut self, threads: usize) -> Result<Arc<ThreadPool>> {
        if let Some(pool) = &self.pool {
            return Ok(Arc::clone(pool));
        }
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?);
        Ok(Arc::clone(self.pool.insert(pool)))
    }

    fn made(&self, pool: &ThreadPool, vectors: &[f32]) -> Result<Vec<Vector>> {
        let rows = vectors.par_chunks_exact(self.index.config().dimension);
        Ok(pool.install(|| rows.map(|row| self.index.vector(row)).collect::<Result<_, _>>())?)
    }

    fn keep_finer(&mut self, id: u64, vector: &Vector) -> Result<()> {
        if let Kept::Finer(precision) = self.kept {
            self.index.set_precision(id, precision, Some(vector))?;
        }
        Ok(())
    }

    /// How many are asked for to find the nearest [`K`]. Where only codes are in memory, `find` ranks by them; so there are some to spare,
    /// and they are ranked by what the file says: the work of the caller.
    fn asked(&self) -> usize {
        match self.kept {
            Kept::Disk(_) => self.effort.rescored.unwrap_or(self.effort.ef),
            _ => K,
        }
    }

    /// The place of a vector and its nearest.
    fn place(&self, vector: &[f32], made: &Vector, found: &mut Vec<u64>) -> Result<Place> {
        let place = self.index.find(made, self.asked())?;
        match self.kept {
            Kept::Disk(_) => best(&mut self.read(vector, &place.hits)?, found),
            _ => found.extend(place.hits.iter().map(|hit| hit.id)),
        }
        Ok(place)
    }

    /// How near these are by what the file says; nothing where there is no file.
    fn read(&self, vector: &[f32], hits: &[Neighbour]) -> Result<Vec<Ranked>> {
        let Kept::Disk(rows) = &self.kept else { return Ok(Vec::new()) };
        let (mut bytes, mut full) = (Vec::new(), Vec::new());
        let mut read = |hit: &Neighbour| {
            rows.read_into(hit.id as usize, 1, &mut bytes, &mut full)?;
            Ok(ranked_by(vector, &full, hit.id))
        };
        self.reads.fetch_add(hits.len() as u64, Ordering::Relaxed);
        hits.iter().map(&mut read).collect()
    }
}

/// How near a vector is, and its id.
type Ranked = (f32, u64);

fn ranked_by(vector: &[f32], full: &[f32], id: u64) -> Ranked {
    (Kernels::active().dot_f32(vector, full), id)
}

/// The best [`K`] of these.
fn best(ranked: &mut [Ranked], found: &mut Vec<u64>) {
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.extend(ranked.iter().take(K).map(|&(_, id)| id));
}

fn in_batch((at, error): (usize, IndexError)) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("vector {at} of a batch"))
}

impl System for CortexKg {
    fn set_effort(&mut self, effort: Effort) -> Result<()> {
        self.effort = effort;
        Ok(self.index.set_ef_search(effort.ef)?)
    }

    fn add(&mut self, id: u64, vector: &[f32]) -> Result<()> {
        let made = self.index.vector(vector)?;
        self.index.add(id, &made)?;
        self.keep_finer(id, &made)
    }

    fn search(&self, vector: &[f32], found: &mut Vec<u64>) -> Result<()> {
        let made = self.index.vector(vector)?;
        let (mut hits, mut bytes, mut reads) = (Vec::with_capacity(self.effort.ef), Vec::new(), 0);
        let mut read = |id: u64, full: &mut Vec<f32>| match &self.kept {
            Kept::Disk(rows) => {
                reads += 1;
                rows.read_into(id as usize, 1, &mut bytes, full).is_ok()
            }
            _ => false,
        };
        let mut options = SearchOptions { rescored: self.effort.rescored, ..SearchOptions::default() };
        if matches!(self.kept, Kept::Disk(_)) {
            options.full = Some(&mut read);
        }
        self.index.search_with(&made, K, &mut options, &mut hits)?;
        self.reads.fetch_add(reads, Ordering::Relaxed);
        found.extend(hits.iter().map(|hit| hit.id));
        Ok(())
    }

    fn allocate(&mut self, id: u64, vector: &[f32], found: &mut Vec<u64>) -> Result<()> {
        let made = self.index.vector(vector)?;
        let place = self.place(vector, &made, found)?;
        self.index.insert(id, &made, &place)?;
        self.keep_finer(id, &made)
    }

    fn find(&self, vector: &[f32], found: &mut Vec<u64>) -> Result<()> {
        self.place(vector, &self.index.vector(vector)?, found)?;
        Ok(())
    }

    fn add_batches(&mut self, first: u64, vectors: &[f32], threads: usize) -> Option<Result<()>> {
        Some(self.add_on(first, vectors, threads))
    }

    fn allocate_batches(&mut self, first: u64, vectors: &[f32], threads: usize) -> Option<Result<()>> {
        Some(self.allocate_on(first, vectors, threads))
    }

    fn reported_bytes(&self) -> Option<usize> {
        Some(self.index.bytes())
    }

    fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn hardware(&self) -> String {
        format!("{:?}", Kernels::active().level()).to_lowercase()
    }
}
