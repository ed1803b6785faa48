//! Our own.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use cortexkg_index::{HnswAllocationIndex, HnswConfig, Precision, SearchOptions, Vector};
use cortexkg_simd::Kernels;

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
        Ok(Self { index: HnswAllocationIndex::new(config)?, kept, effort, reads: AtomicU64::new(0) })
    }

    fn add_on(&mut self, first: u64, vectors: &[f32], threads: usize) -> Result<()> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let made =
            vectors.chunks_exact(self.index.config().dimension).map(|vector| self.index.vector(vector));
        let made: Vec<(u64, Vector)> = (first..).zip(made.collect::<Result<Vec<_>, _>>()?).collect();
        for batch in made.chunks(BATCH) {
            self.index.add_batch_in(&pool, batch).map_err(|(at, error)| {
                anyhow::Error::new(error).context(format!("vector {at} of a batch"))
            })?;
        }
        made.iter().try_for_each(|(id, vector)| self.keep_finer(*id, vector))
    }

    fn keep_finer(&mut self, id: u64, vector: &Vector) -> Result<()> {
        if let Kept::Finer(precision) = self.kept {
            self.index.set_precision(id, precision, Some(vector))?;
        }
        Ok(())
    }

    /// The place of a vector and its nearest. Where only codes are in memory, `find` ranks by them; so the nearest are asked for with
    /// some to spare, and ranked by what the file says: the work of the caller.
    fn place(&self, vector: &[f32], made: &Vector, found: &mut Vec<u64>) -> Result<cortexkg_index::Place> {
        let rescored = self.effort.rescored.unwrap_or(self.effort.ef);
        let Kept::Disk(rows) = &self.kept else {
            let place = self.index.find(made, K)?;
            found.extend(place.hits.iter().map(|hit| hit.id));
            return Ok(place);
        };
        let place = self.index.find(made, rescored)?;
        let (mut bytes, mut full, mut ranked) = (Vec::new(), Vec::new(), Vec::with_capacity(rescored));
        for hit in &place.hits {
            rows.read_into(hit.id as usize, 1, &mut bytes, &mut full)?;
            ranked.push((Kernels::active().dot_f32(vector, &full), hit.id));
        }
        self.reads.fetch_add(ranked.len() as u64, Ordering::Relaxed);
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.extend(ranked.iter().take(K).map(|&(_, id)| id));
        Ok(place)
    }
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
