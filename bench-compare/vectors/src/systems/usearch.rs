//! USearch, told as much as ours: the same connectivity, the same expansion, room for all vectors from the start.

use anyhow::{Result, anyhow, bail};
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::{CONNECTIONS, Concurrent, EF_CONSTRUCTION, Effort, System};
use crate::truth::K;

pub struct Peer(Index);

impl Peer {
    pub fn new(kind: &str, dimension: usize, count: usize, threads: usize) -> Result<Self> {
        let quantization = match kind {
            "f32" => ScalarKind::F32,
            "f16" => ScalarKind::F16,
            "i8" => ScalarKind::I8,
            _ => bail!("usearch {kind}: unknown"),
        };
        let options = IndexOptions {
            dimensions: dimension,
            // Vectors have length 1.
            metric: MetricKind::IP,
            quantization,
            connectivity: CONNECTIONS,
            expansion_add: EF_CONSTRUCTION,
            expansion_search: EF_CONSTRUCTION,
            multi: false,
        };
        let index = Index::new(&options)?;
        index.reserve_capacity_and_threads(count, threads)?;
        Ok(Self(index))
    }
}

impl System for Peer {
    fn set_effort(&mut self, effort: Effort) -> Result<()> {
        self.0.change_expansion_search(effort.ef);
        Ok(())
    }

    fn add(&mut self, id: u64, vector: &[f32]) -> Result<()> {
        Concurrent::add(self, id, vector)
    }

    fn search(&self, vector: &[f32], found: &mut Vec<u64>) -> Result<()> {
        found.extend(self.0.search(vector, K).map_err(|error| anyhow!("{error}"))?.keys);
        Ok(())
    }

    fn concurrent(&self) -> Option<&dyn Concurrent> {
        Some(self)
    }

    fn reported_bytes(&self) -> Option<usize> {
        Some(self.0.memory_usage())
    }

    fn hardware(&self) -> String {
        self.0.hardware_acceleration()
    }
}

impl Concurrent for Peer {
    fn add(&self, id: u64, vector: &[f32]) -> Result<()> {
        Ok(self.0.add(id, vector)?)
    }
}
