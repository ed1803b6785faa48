//! The snapshot of a directory.

use std::io::{self, BufWriter, Write};

use crate::directory::{Directory, OpenFile, OpenMode, SNAPSHOT_FILE, SNAPSHOT_PARTIAL_FILE};
use crate::error::StoreError;
use crate::snapshot::{Snapshot, SnapshotWriter};
use crate::store::WriteSnapshot;

/// Bytes that are written at once.
const WRITE_BYTES: usize = 1 << 18;

/// A file, written from front to back.
struct Appended<'a> {
    file: &'a OpenFile,
    at: u64,
}

impl Write for Appended<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(self.at, bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a snapshot, which takes its name when it is whole and durable.
pub(super) fn write(directory: &dyn Directory, write: &mut WriteSnapshot<'_>) -> Result<(), StoreError> {
    let written = write_partial(directory, write);
    if written.is_err() {
        // If it cannot be removed now, the next opening of the directory does it.
        let _ = directory.remove(SNAPSHOT_PARTIAL_FILE);
    }
    written
}

fn write_partial(directory: &dyn Directory, write: &mut WriteSnapshot<'_>) -> Result<(), StoreError> {
    let path = directory.path().join(SNAPSHOT_PARTIAL_FILE);
    let io = |error| StoreError::io(path.display().to_string(), error);
    let file = directory.open(SNAPSHOT_PARTIAL_FILE, OpenMode::Create).map_err(io)?;
    let mut out = BufWriter::with_capacity(WRITE_BYTES, Appended { file: &file, at: 0 });
    let mut writer = SnapshotWriter::new(&mut out)?;
    write(&mut writer)?;
    writer.finish()?;
    drop(out);
    file.sync_data().map_err(io)?;
    file.close().map_err(io)?;
    directory.rename(SNAPSHOT_PARTIAL_FILE, SNAPSHOT_FILE).map_err(io)?;
    directory.sync().map_err(io)
}

/// Opens the snapshot, if there is one of this version.
pub(super) fn open(directory: &dyn Directory, cache_bytes: u64) -> Result<Option<Snapshot>, StoreError> {
    let path = directory.path().join(SNAPSHOT_FILE).display().to_string();
    match directory.open(SNAPSHOT_FILE, OpenMode::Read) {
        Ok(file) => Snapshot::open(file, &path, cache_bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(path, error)),
    }
}

/// Removes the snapshot, durably.
pub(super) fn remove(directory: &dyn Directory) -> Result<(), StoreError> {
    let io = |error| StoreError::io(directory.path().join(SNAPSHOT_FILE).display().to_string(), error);
    if directory.remove(SNAPSHOT_FILE).map_err(io)? {
        directory.sync().map_err(io)?;
    }
    Ok(())
}
