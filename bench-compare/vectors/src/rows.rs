//! Vectors in a file: `f32` rows, little-endian, without a head.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Bytes of one value.
const VALUE: usize = 4;

/// Rows of unit length that are read when they are asked for, so that no process holds more of them than it needs.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    file: File,
    dimension: usize,
    /// Bytes before the first row.
    head: usize,
    count: usize,
}

impl Rows {
    pub fn open(path: &Path, dimension: usize, head: usize) -> Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let count = (file.metadata()?.len() as usize - head) / (VALUE * dimension);
        Ok(Self { path: path.to_owned(), file, dimension, head, count })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn dimension(&self) -> usize {
        self.dimension
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Reads `count` rows from number `first` on, one after the other.
    pub fn read(&self, first: usize, count: usize) -> Result<Vec<f32>> {
        let mut values = Vec::new();
        self.read_into(first, count, &mut Vec::new(), &mut values)?;
        Ok(values)
    }

    /// The same into memory that is there; `bytes` is used on the way.
    pub fn read_into(
        &self,
        first: usize,
        count: usize,
        bytes: &mut Vec<u8>,
        values: &mut Vec<f32>,
    ) -> Result<()> {
        let row = VALUE * self.dimension;
        bytes.resize(count * row, 0);
        self.file
            .read_exact_at(bytes, (self.head + first * row) as u64)
            .with_context(|| format!("{}: rows {first} to {}", self.path.display(), first + count))?;
        values.clear();
        values.extend(bytes.as_chunks::<VALUE>().0.iter().map(|&value| f32::from_le_bytes(value)));
        Ok(())
    }
}
