//! `hnsw_rs`, with the kernels of its feature `simdeez_f`.

use anyhow::Result;
use hnsw_rs::prelude::{DistDot, Hnsw};

use super::{CONNECTIONS, Concurrent, EF_CONSTRUCTION, Effort, System};
use crate::truth::K;

/// Layers at most; the number that its examples use.
const LAYERS: usize = 16;

pub struct Peer {
    index: Hnsw<'static, f32, DistDot>,
    ef: usize,
}

impl Peer {
    pub fn new(count: usize) -> Self {
        Self { index: Hnsw::new(CONNECTIONS, count, LAYERS, EF_CONSTRUCTION, DistDot), ef: EF_CONSTRUCTION }
    }
}

impl System for Peer {
    fn set_effort(&mut self, effort: Effort) -> Result<()> {
        self.ef = effort.ef;
        Ok(())
    }

    fn add(&mut self, id: u64, vector: &[f32]) -> Result<()> {
        Concurrent::add(self, id, vector)
    }

    fn search(&self, vector: &[f32], found: &mut Vec<u64>) -> Result<()> {
        found.extend(self.index.search(vector, K, self.ef).iter().map(|hit| hit.d_id as u64));
        Ok(())
    }

    fn concurrent(&self) -> Option<&dyn Concurrent> {
        Some(self)
    }

    fn reported_bytes(&self) -> Option<usize> {
        None
    }

    fn hardware(&self) -> String {
        if is_x86_avx2() { "avx2" } else { "what the compiler makes" }.to_owned()
    }
}

impl Concurrent for Peer {
    fn add(&self, id: u64, vector: &[f32]) -> Result<()> {
        self.index.insert_slice((vector, id as usize));
        Ok(())
    }
}

fn is_x86_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}
