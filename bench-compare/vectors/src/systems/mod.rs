//! The indexes that are compared, behind one trait.

mod cortexkg;
mod hnsw_rs;
mod usearch;

use std::path::Path;

use anyhow::{Result, bail};
use cortexkg_index::Precision;
use serde::{Deserialize, Serialize};

use crate::rows::Rows;

pub use cortexkg::{CortexKg, Kept};

/// Neighbours of a node on the upper layers, twice as many on the lowest: all three count so.
pub const CONNECTIONS: usize = 16;
/// Nodes that the search for the place of a new one holds on to.
pub const EF_CONSTRUCTION: usize = 64;

/// All of them, in the order of the table.
pub const NAMES: [&str; 14] = [
    BASELINE,
    "usearch i8",
    "hnsw_rs f32",
    "faiss f32",
    "faiss sq8",
    "diskann f32",
    "cortexkg f32",
    "cortexkg f16",
    "cortexkg q8",
    "cortexkg q4",
    "cortexkg b1",
    "cortexkg q4+disk",
    "cortexkg b1+q8",
    "cortexkg b1+disk",
];

/// Systems that are packages of Python.
const PACKAGES: [&str; 2] = ["faiss", "diskann"];

/// The package of Python that a system is, if it is one, and the kind of its vectors.
pub fn package(name: &str) -> Option<(&str, &str)> {
    name.split_once(' ').filter(|(package, _)| PACKAGES.contains(package))
}

/// What the others are compared with.
pub const BASELINE: &str = "usearch f32";

/// How hard a search tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Effort {
    /// Nodes to hold on to.
    pub ef: usize,
    /// How many of them are ranked again by something better than the code that the walk looks at.
    pub rescored: Option<usize>,
}

/// An index under test. Vectors have length 1; `found` takes ids, the nearest first.
pub trait System: Sync {
    /// From now on, searches try this hard.
    fn set_effort(&mut self, effort: Effort) -> Result<()>;

    fn add(&mut self, id: u64, vector: &[f32]) -> Result<()>;

    /// The nearest of all.
    fn search(&self, vector: &[f32], found: &mut Vec<u64>) -> Result<()>;

    /// Searches for the nearest and adds the vector: what an engine does with a fact that turns out to be new.
    fn allocate(&mut self, id: u64, vector: &[f32], found: &mut Vec<u64>) -> Result<()> {
        self.search(vector, found)?;
        self.add(id, vector)
    }

    /// What [`allocate`](Self::allocate) finds, without adding anything.
    fn find(&self, vector: &[f32], found: &mut Vec<u64>) -> Result<()> {
        self.search(vector, found)
    }

    /// Adding from several threads, for those that can.
    fn concurrent(&self) -> Option<&dyn Concurrent> {
        None
    }

    /// Adds vectors, the first under the id `first`, in batches whose places are sought on several threads, if it can do that.
    fn add_batches(&mut self, first: u64, vectors: &[f32], threads: usize) -> Option<Result<()>> {
        let _ = (first, vectors, threads);
        None
    }

    /// Searches for the nearest of each vector, those before it included, and adds it, as [`add_batches`](Self::add_batches) does.
    fn allocate_batches(&mut self, first: u64, vectors: &[f32], threads: usize) -> Option<Result<()>> {
        let _ = (first, vectors, threads);
        None
    }

    /// The memory that the system says it uses.
    fn reported_bytes(&self) -> Option<usize>;

    /// Full vectors read from the file so far.
    fn reads(&self) -> u64 {
        0
    }

    /// What it says it runs on.
    fn hardware(&self) -> String;
}

/// An index that several threads may add to at once.
pub trait Concurrent: Sync {
    fn add(&self, id: u64, vector: &[f32]) -> Result<()>;
}

/// Whether searches of a system can rank again.
pub fn rescores(name: &str) -> bool {
    name.contains('+')
}

/// An empty index for `count` vectors; `rows` is the file that full vectors are read from.
pub fn create(
    name: &str,
    dimension: usize,
    count: usize,
    rows: &Path,
    threads: usize,
) -> Result<Box<dyn System>> {
    Ok(match name.split_once(' ') {
        Some(("usearch", kind)) => Box::new(usearch::Peer::new(kind, dimension, count, threads)?),
        Some(("hnsw_rs", "f32")) => Box::new(hnsw_rs::Peer::new(count)),
        Some(("cortexkg", kind)) => {
            let (walked, kept) = kind.split_once('+').unwrap_or((kind, ""));
            let kept = match kept {
                "" => Kept::Codes,
                "disk" => Kept::Disk(Rows::open(rows, dimension, 0)?),
                finer => Kept::Finer(finer.parse()?),
            };
            Box::new(CortexKg::new(dimension, walked.parse::<Precision>()?, kept)?)
        }
        _ => bail!("{name}: use one of {}", NAMES.join(", ")),
    })
}
