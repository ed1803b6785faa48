//! Building the index, in steps that can be gone on with.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use cortexkg_bench::Clustered;
use cortexkg_index::{HnswAllocationIndex, HnswConfig, Precision, Vector};
use cortexkg_simd::Kernels;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::rows::Rows;
use crate::progress::Progress;

/// Vectors whose places are sought together.
const BATCH: u64 = 256;

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recipe {
    pub(super) nodes: u64,
    pub(super) dimension: usize,
    pub(super) seed: u64,
}

/// Vectors with their numbers, as the index takes them.
type Batch = Vec<(u64, Vector)>;

/// How the building went.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Built {
    /// Vectors that were there already.
    resumed_at: u64,
    /// Vectors added by this process, and how fast, saving left out.
    added: u64,
    per_second: f64,
    /// The last tenth of them.
    per_second_at_the_end: f64,
    seconds: f64,
    save_seconds: f64,
}

/// The folder of a run: `recipe.json`, `vectors.f32`, and `index.ckgi`, which alone says how far it is.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    recipe: Recipe,
}

impl Folder {
    /// A new run, or the one that is there if it is to be resumed.
    pub(super) fn open(path: &Path, recipe: Recipe, resume: bool) -> Result<Self> {
        fs::create_dir_all(path)?;
        let folder = Self { path: path.to_owned(), recipe };
        let noted = folder.file("recipe.json");
        match (fs::read(&noted), resume) {
            (Ok(_), false) => bail!("a run is there already: --resume continues it; or remove it"),
            (Ok(bytes), true) => {
                let is: Recipe = serde_json::from_slice(&bytes).context("recipe.json")?;
                // A larger one begins with the vectors of a smaller one.
                let is_the_start = Recipe { nodes: recipe.nodes, ..is } == recipe && is.nodes <= recipe.nodes;
                anyhow::ensure!(is_the_start, "another run is there: {is:?}");
            }
            (Err(_), _) => {}
        }
        fs::write(&noted, serde_json::to_vec(&recipe)?)?;
        Ok(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What there is of index and vectors.
    pub(super) fn load(&self) -> Result<(HnswAllocationIndex, Rows)> {
        let saved = self.file("index.ckgi");
        let index = if saved.exists() {
            HnswAllocationIndex::open(fs::read(&saved)?.into()).context("index.ckgi")?
        } else {
            let precision = Precision::One;
            HnswAllocationIndex::new(HnswConfig { precision, ..HnswConfig::new(self.recipe.dimension) })?
        };
        let rows = Rows::open(&self.file("vectors.f32"), self.recipe.dimension, index.len() as u64);
        Ok((index, rows.context("vectors.f32")?))
    }

    /// Adds the vectors that are missing. Everything is saved after every `save_every` and at the end.
    pub(super) fn fill(
        &self,
        index: &mut HnswAllocationIndex,
        rows: &mut Rows,
        clustered: &Clustered,
        save_every: u64,
        pool: &rayon::ThreadPool,
    ) -> Result<Built> {
        let (nodes, began) = (self.recipe.nodes, Instant::now());
        let resumed_at = rows.count();
        let mut progress = Progress::new("adding", resumed_at, nodes);
        let (mut seconds, mut save_seconds, mut ends) = (0.0, 0.0, (0, 0.0));
        while rows.count() < nodes {
            let first = rows.count();
            let count = BATCH.min(nodes - first).min(save_every - first % save_every);
            let start = Instant::now();
            let (values, made) = made(index, clustered, first, count, pool)?;
            rows.append(&values)?;
            index.add_batch_in(pool, &made).map_err(|(_, error)| error)?;
            let took = start.elapsed().as_secs_f64();
            seconds += took;
            if first + count > nodes - (nodes - resumed_at) / 10 {
                ends = (ends.0 + count, ends.1 + took);
            }
            progress.at(rows.count());
            if rows.count().is_multiple_of(save_every) || rows.count() == nodes {
                let start = Instant::now();
                self.save(index, rows)?;
                save_seconds += start.elapsed().as_secs_f64();
            }
        }
        let rate = |count: u64, seconds: f64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let added = nodes - resumed_at;
        Ok(Built {
            resumed_at,
            added,
            per_second: rate(added, seconds),
            per_second_at_the_end: rate(ends.0, ends.1),
            seconds: began.elapsed().as_secs_f64(),
            save_seconds,
        })
    }

    /// Vectors first, then the index in one piece: whatever is interrupted, it never has one whose vector is missing.
    fn save(&self, index: &HnswAllocationIndex, rows: &Rows) -> Result<()> {
        rows.sync()?;
        let (unfinished, saved) = (self.file("index.ckgi.part"), self.file("index.ckgi"));
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
        index.save(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&unfinished, &saved)?;
        Ok(File::open(&self.path)?.sync_all()?)
    }
}

/// Vectors of length 1, side by side, and as the index takes them.
fn made(
    index: &HnswAllocationIndex,
    clustered: &Clustered,
    first: u64,
    count: u64,
    pool: &rayon::ThreadPool,
) -> Result<(Vec<f32>, Batch)> {
    let dimension = clustered.dimension();
    let mut values = vec![0.0; count as usize * dimension];
    let made: Result<Vec<_>, _> = pool.install(|| {
        let rows = values.par_chunks_exact_mut(dimension).enumerate();
        let one = |(at, row): (usize, &mut [f32])| {
            let number = first + at as u64;
            clustered.row(number, row);
            // Far from the origin, every one has a direction.
            let _ = Kernels::active().normalize_f32(row);
            index.vector(row).map(|vector| (number, vector))
        };
        rows.map(one).collect()
    });
    Ok((values, made?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is added until the process ends at `stop`, and again after that up to the end.
    #[test]
    fn a_run_that_was_killed_goes_on_where_it_was_saved() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let recipe = Recipe { nodes: 700, dimension: 16, seed: 1 };
        let clustered = Clustered::new(16, 1);
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let saved = |folder: &Path| fs::read(folder.join("index.ckgi")).unwrap();
        let run = |path: &Path, nodes: u64, resume| {
            let folder = Folder::open(path, Recipe { nodes, ..recipe }, resume).unwrap();
            let (mut index, mut rows) = folder.load().unwrap();
            folder.fill(&mut index, &mut rows, &clustered, 300, &pool).unwrap()
        };
        assert_eq!(run(whole.path(), 700, false).resumed_at, 0);
        run(broken.path(), 600, false);
        // Killed while more was being written.
        let mut rest = fs::OpenOptions::new().append(true).open(broken.path().join("vectors.f32")).unwrap();
        rest.write_all(&[7; 1_000]).unwrap();
        fs::write(broken.path().join("index.ckgi.part"), "half").unwrap();
        assert_eq!(run(broken.path(), 700, true).resumed_at, 600);
        assert_eq!(saved(whole.path()), saved(broken.path()));
        assert!(Folder::open(whole.path(), recipe, false).is_err(), "never over a run that is there");
        let other = Recipe { seed: 2, ..recipe };
        assert!(Folder::open(whole.path(), other, true).unwrap_err().to_string().contains("another run"));
    }
}
