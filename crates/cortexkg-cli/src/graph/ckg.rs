//! `.ckg`: a graph in one file, its log included.
//!
//! The container is that of snapshots (`docs/format.md`). The section `graph` has one record, the version of the layout as `u32`;
//! then come the sections `meta`, `log` and `facts`, one record per row of the table of that name: its key as `u64`, then its
//! value. Numbers are little-endian. Every block is verified when it is read.

use std::io::Write;
use std::path::Path;

use cortexkg::{DurableEngine, EngineConfig};
use cortexkg_store::snapshot::FileSource;
use cortexkg_store::{ChangeSet, RedbStore, Snapshot, SnapshotWriter, Store, StoreError, Sync, Table};

use super::Graph;
use crate::failure::Failure;
use crate::progress::Progress;

/// Version of the layout of the sections.
const VERSION: u32 = 1;
const HEAD: &str = "graph";
/// Bytes of a key.
const KEY_BYTES: usize = 8;
/// Bytes of values that are committed together.
const COMMIT_BYTES: usize = 8 << 20;
/// Bytes of blocks that are kept; the file is read in order.
const CACHE_BYTES: u64 = 1 << 20;

/// Writes a graph; gives the number of rows.
///
/// # Errors
/// Where the graph cannot be read or the output not be written.
pub(crate) fn write(graph: &Graph, out: &mut dyn Write, progress: &Progress) -> Result<u64, Failure> {
    let mut writer = SnapshotWriter::new(out)?;
    writer.section(HEAD)?;
    writer.record(&VERSION.to_le_bytes())?;
    let mut rows = 0;
    let mut record = Vec::new();
    for table in Table::ALL {
        writer.section(table.name())?;
        graph.store().scan(table, 0..u64::MAX, &mut |key, value| {
            record.clear();
            record.extend_from_slice(&key.to_le_bytes());
            record.extend_from_slice(value);
            rows += 1;
            progress.rows(rows);
            writer.record(&record)
        })?;
    }
    writer.finish()?;
    Ok(rows)
}

/// Makes a graph of a file, in a directory that is empty. Everything becomes durable at once, at the end.
///
/// # Errors
/// Where the file is none of these, is damaged, or the directory cannot be written.
pub(crate) fn read(path: &Path, directory: &Path, progress: &Progress) -> Result<Graph, Failure> {
    let place = path.display().to_string();
    let unusable = |what: &str| Failure::Usage(format!("{place}: {what}"));
    let source = FileSource::open(path).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
    let container = Snapshot::open(source, &place, CACHE_BYTES)?;
    let no_graph = || unusable("is no graph that `cortexkg export` has written as .ckg");
    let head = container.section(HEAD).ok_or_else(no_graph)?;
    let mut version = Vec::new();
    head.read(0, &mut version)?;
    if version != VERSION.to_le_bytes() {
        return Err(unusable("was written by another version of cortexkg; export it again with this one"));
    }
    // Damage must be found before anything is made.
    container.check()?;
    let mut store = RedbStore::open(directory)?;
    let mut done = 0;
    for table in Table::ALL {
        let section = container.section(table.name()).ok_or_else(no_graph)?;
        let (mut changes, mut bytes) = (ChangeSet::default(), 0);
        section.scan(&mut |_, record| {
            let Some((key, value)) = record.split_first_chunk::<KEY_BYTES>() else {
                return Err(StoreError::damaged(&place, format!("section {}", table.name())));
            };
            changes.put(table, u64::from_le_bytes(*key), value.to_vec());
            bytes += record.len();
            done += 1;
            progress.rows(done);
            if bytes >= COMMIT_BYTES {
                bytes = 0;
                store.commit(std::mem::take(&mut changes), Sync::Lazy)?;
            }
            Ok(())
        })?;
        store.commit(changes, Sync::Lazy)?;
    }
    store.commit(ChangeSet::default(), Sync::Durable)?;
    progress.step("opening the graph");
    Ok(DurableEngine::open(store, EngineConfig::default())?)
}

/// Rows that a file holds, to show how far reading it is.
pub(crate) fn rows_of(path: &Path) -> u64 {
    let Ok(source) = FileSource::open(path) else { return 0 };
    let Ok(container) = Snapshot::open(source, &path.display().to_string(), CACHE_BYTES) else { return 0 };
    Table::ALL.iter().filter_map(|table| container.section(table.name())).map(|section| section.len()).sum()
}
