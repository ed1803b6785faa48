//! The data sets, made ready for all systems: in an order of chance, of unit length, the last ones set aside as queries.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use cortexkg_bench::{Clustered, Random};
use cortexkg_simd::Kernels;

use crate::rows::Rows;

/// Vectors of the generator unless a number is given.
const CLUSTERED_DEFAULT: usize = 1_000_000;
/// Its vectors' dimensions, and its seed.
const CLUSTERED_DIMENSION: usize = 384;
const CLUSTERED_SEED: u64 = 0x636f_7274_6578;
const ORDER_SEED: u64 = 1;
/// Changes when what is written changes.
const VERSION: u32 = 1;

/// Where vectors come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file of the cache, made by `setup/wordnet.py`: a dimension of 32 bits, then `f32` rows.
    Embedded(String),
    /// The generator, this many.
    Clustered(usize),
}

impl FromStr for Source {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match name.split_once(':').unwrap_or((name, "")) {
            ("wordnet" | "wordnet-static", "") => Ok(Self::Embedded(name.to_owned())),
            ("clustered", "") => Ok(Self::Clustered(CLUSTERED_DEFAULT)),
            ("clustered", count) => {
                let count = count.parse().with_context(|| format!("{name}: how many?"))?;
                Ok(Self::Clustered(count))
            }
            _ => bail!("{name}: use wordnet, wordnet-static or clustered[:N]"),
        }
    }
}

/// Vectors for the indexes, and queries.
#[derive(Debug)]
pub struct Data {
    pub name: String,
    /// The first `count` are indexed, the others are queries.
    pub rows: Rows,
    pub count: usize,
    pub queries: usize,
}

impl Data {
    /// Finds the set in the cache or makes it; `count` limits what is indexed.
    pub fn prepare(source: &Source, count: Option<usize>, queries: usize, cache: &Path) -> Result<Self> {
        let (name, dimension, all) = match source {
            Source::Embedded(name) => {
                let rows = embedded(name, cache)?;
                ensure!(rows.count() > queries, "{name}: only {} vectors", rows.count());
                (name.as_str(), rows.dimension(), rows.count() - queries)
            }
            Source::Clustered(count) => ("clustered", CLUSTERED_DIMENSION, *count),
        };
        let count = count.unwrap_or(all).min(all);
        let path = cache.join(format!("{name}-{all}-{count}+{queries}-v{VERSION}.rows"));
        if !path.exists() {
            eprintln!("writing {}", path.display());
            // Under another name until it is whole.
            let part = path.with_extension("part");
            write(source, cache, count, queries, &part)?;
            std::fs::rename(&part, &path)?;
        }
        let rows = Rows::open(&path, dimension, 0)?;
        ensure!(rows.count() == count + queries, "{}: not whole, delete it", path.display());
        Ok(Self { name: name.to_owned(), rows, count, queries })
    }

    /// All queries, one after the other.
    pub fn queries(&self) -> Result<Vec<f32>> {
        self.rows.read(self.count, self.queries)
    }
}

fn embedded(name: &str, cache: &Path) -> Result<Rows> {
    let path: PathBuf = cache.join(format!("{name}.bin"));
    let head = std::fs::File::open(&path)
        .and_then(|mut file| {
            let mut head = [0; 4];
            std::io::Read::read_exact(&mut file, &mut head)?;
            Ok(u32::from_le_bytes(head))
        })
        .with_context(|| format!("{}: bench-compare/vectors/run makes it", path.display()))?;
    Rows::open(&path, head as usize, 4)
}

fn write(source: &Source, cache: &Path, count: usize, queries: usize, path: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
    let kernels = Kernels::active();
    let mut put = |row: &mut [f32]| -> Result<()> {
        ensure!(kernels.normalize_f32(row), "a vector has no direction");
        row.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
        Ok(())
    };
    match source {
        Source::Embedded(name) => {
            let rows = embedded(name, cache)?;
            let all = rows.read(0, rows.count())?;
            let mut order: Vec<usize> = (0..rows.count()).collect();
            let mut random = Random::new(ORDER_SEED, 0);
            (1..order.len()).rev().for_each(|last| order.swap(last, random.below(last as u64 + 1) as usize));
            // Queries first: they are the same for every count.
            let (queries, indexed) = order.split_at(queries);
            for &number in indexed.iter().take(count).chain(queries) {
                put(&mut all[number * rows.dimension()..][..rows.dimension()].to_vec())?;
            }
        }
        Source::Clustered(all) => {
            let clustered = Clustered::new(CLUSTERED_DIMENSION, CLUSTERED_SEED);
            let mut row = vec![0.0; CLUSTERED_DIMENSION];
            for number in (0..count).chain(*all..*all + queries) {
                clustered.row(number as u64, &mut row);
                put(&mut row)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}
