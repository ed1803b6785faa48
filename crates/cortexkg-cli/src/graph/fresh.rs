//! A directory in which a graph is to be made.

use std::fs;
use std::io;
use std::path::Path;

use cortexkg_store::directory::{LOCK_FILE, ROWS_FILE, ROWS_PARTIAL_FILE, SNAPSHOT_PARTIAL_FILE};
use cortexkg_store::{RedbStore, Store, StoreError, Table};

use super::holds_a_graph;
use crate::failure::Failure;

/// What a process that was killed while it made a graph may leave behind. Whoever opens the directory for writing next clears it
/// away, under the lock.
const LEFT_OVER: [&str; 3] = [LOCK_FILE, ROWS_PARTIAL_FILE, SNAPSHOT_PARTIAL_FILE];

/// A directory that must not hold anything yet, but what somebody who was killed while making a graph there has left.
///
/// # Errors
/// Where it does hold something, or is no directory.
pub(crate) fn check_empty(directory: &Path, name: &str) -> Result<(), Failure> {
    check(directory, name, &LEFT_OVER)
}

/// As [`check_empty`], but there may also be a store; that it is empty is for [`fresh_store`] to find out.
///
/// # Errors
/// As [`check_empty`].
pub(crate) fn check_unfilled(directory: &Path, name: &str) -> Result<(), Failure> {
    let [lock, rows_partial, snapshot_partial] = LEFT_OVER;
    check(directory, name, &[lock, rows_partial, snapshot_partial, ROWS_FILE])
}

fn check(directory: &Path, name: &str, may_hold: &[&str]) -> Result<(), Failure> {
    let path = directory.display();
    let unusable =
        |error: io::Error| Failure::Usage(format!("{path}: {error}; name another directory for {name}"));
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(unusable)?,
    };
    for entry in entries {
        let entry = entry.map_err(unusable)?;
        if !may_hold.iter().any(|may| entry.file_name() == *may) {
            return Err(not_empty(directory, name));
        }
    }
    Ok(())
}

fn not_empty(directory: &Path, name: &str) -> Failure {
    let path = directory.display();
    // Who is killed while the new graph is opened, at the very end, leaves all of it.
    let graph = if holds_a_graph(directory) {
        ": it holds a graph, a whole one even if the restore or import that made it was cut off (`cortexkg verify` checks it)"
    } else {
        ""
    };
    Failure::Usage(format!("{path} is not empty{graph}; name another directory for {name}"))
}

/// Opens a store that holds nothing: a new one, or that of somebody who was killed before anything became durable.
///
/// # Errors
/// Where there is something in it, somebody has it open, or the disk fails.
pub(crate) fn fresh_store(directory: &Path, name: &str) -> Result<RedbStore, Failure> {
    let store = RedbStore::open(directory)?;
    let holds = |table: &Table| store.last_key(*table).map(|last| last.is_some());
    let filled: Result<Vec<bool>, StoreError> = Table::ALL.iter().map(holds).collect();
    if filled?.contains(&true) {
        return Err(not_empty(directory, name));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_leaves_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("graph");
        check_empty(&directory, "--data").unwrap();
        fs::create_dir(&directory).unwrap();
        for name in LEFT_OVER {
            fs::write(directory.join(name), b"x").unwrap();
        }
        check_empty(&directory, "--data").unwrap();
        fresh_store(&directory, "--data").unwrap().close().unwrap();
        assert!(check_empty(&directory, "--data").is_err(), "a store is something");
        check_unfilled(&directory, "--data").unwrap();
        fs::write(directory.join("notes.txt"), b"x").unwrap();
        assert!(check_unfilled(&directory, "--data").is_err());
    }
}
