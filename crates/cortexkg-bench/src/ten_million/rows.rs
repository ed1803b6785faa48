//! Vectors in a file: `f32` rows of length 1, little-endian, without a head.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};

/// Bytes of one value.
const VALUE: usize = 4;

/// Rows that are read when they are asked for.
#[derive(Debug)]
pub(super) struct Rows {
    file: File,
    dimension: usize,
    count: u64,
    reads: AtomicU64,
}

impl Rows {
    /// The first `count` rows of a file, which loses what comes after them; makes it if there is none and none is asked for.
    pub(super) fn open(path: &Path, dimension: usize, count: u64) -> Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(count == 0).open(path)?;
        let (is, bytes) = (file.metadata()?.len(), count * (VALUE * dimension) as u64);
        anyhow::ensure!(is >= bytes, "it has {is} bytes, and {count} vectors take {bytes}");
        file.set_len(bytes)?;
        Ok(Self { file, dimension, count, reads: AtomicU64::new(0) })
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Adds rows, one after the other in `values`.
    pub(super) fn append(&mut self, values: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.file.write_all(&bytes)?;
        self.count += (values.len() / self.dimension) as u64;
        Ok(())
    }

    /// Brings everything to the disk.
    pub(super) fn sync(&self) -> Result<()> {
        Ok(self.file.sync_data()?)
    }

    /// Has the system forget what it keeps of the file in memory, so that reads reach the disk. Only Linux can be told.
    pub(super) fn evict(&self) -> Result<()> {
        self.sync()?;
        #[cfg(target_os = "linux")]
        rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed)?;
        Ok(())
    }

    /// Reads `count` rows from `first` on into `values`, by way of `bytes`.
    pub(super) fn read(
        &self,
        first: u64,
        count: usize,
        bytes: &mut Vec<u8>,
        values: &mut Vec<f32>,
    ) -> Result<()> {
        let row = VALUE * self.dimension;
        bytes.resize(count * row, 0);
        self.file
            .read_exact_at(bytes, first * row as u64)
            .with_context(|| format!("reading {count} vectors from {first} on"))?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        values.clear();
        values.extend(bytes.as_chunks::<VALUE>().0.iter().map(|&value| f32::from_le_bytes(value)));
        Ok(())
    }

    /// How often it has been read from.
    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_the_last_may_be_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        assert!(Rows::open(&path, 2, 1).is_err(), "there is none");
        let mut rows = Rows::open(&path, 2, 0).unwrap();
        rows.append(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        rows.append(&[5.0, 6.0]).unwrap();
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        rows.read(1, 2, &mut bytes, &mut values).unwrap();
        assert_eq!((values.as_slice(), rows.reads(), rows.count()), ([3.0, 4.0, 5.0, 6.0].as_slice(), 1, 3));
        drop(rows);
        let rows = Rows::open(&path, 2, 2).unwrap();
        rows.evict().unwrap();
        assert!(rows.read(2, 1, &mut bytes, &mut values).is_err(), "cut off");
        assert!(Rows::open(&path, 2, 3).unwrap_err().to_string().contains("3 vectors take 24"));
    }
}
