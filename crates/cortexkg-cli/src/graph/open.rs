//! Opening and closing the graph of `--data`.

use std::fs;
use std::path::Path;

use cortexkg::{DurableEngine, EngineConfig};
use cortexkg_store::directory::ROWS_FILE;
use cortexkg_store::{ChangeSet, RedbStore, Store, StoreError, Sync};

use super::{Graph, MemoryBudget, requests};
use crate::clock;
use crate::console::Console;
use crate::failure::Failure;

/// The directory that `--data` names.
///
/// # Errors
/// Where there is none.
pub(crate) fn directory_of(data: Option<&Path>) -> Result<&Path, Failure> {
    data.ok_or_else(|| {
        Failure::Usage("this command works on a graph; name its directory with --data DIR".to_owned())
    })
}

/// Whether a directory holds a graph.
pub(crate) fn holds_a_graph(directory: &Path) -> bool {
    directory.join(ROWS_FILE).exists()
}

/// The directory that `--data` names, which holds a graph.
///
/// # Errors
/// Where there is none.
pub(crate) fn existing(data: Option<&Path>) -> Result<&Path, Failure> {
    let directory = directory_of(data)?;
    if holds_a_graph(directory) {
        return Ok(directory);
    }
    let name = directory.display();
    let what = match fs::metadata(directory) {
        Err(_) => "there is no such directory",
        Ok(metadata) if !metadata.is_dir() => "is no directory",
        Ok(_) => "there is no graph in it",
    };
    Err(Failure::Usage(format!(
        "{name}: {what}; check --data, or begin a graph with `cortexkg allocate FILE --data {name}`"
    )))
}

/// Opens the graph to be read; several processes may do so at once.
///
/// # Errors
/// Where there is none, it is being written, or it is damaged.
pub(crate) fn to_read(data: Option<&Path>, console: &mut Console<'_>) -> Result<Graph, Failure> {
    let directory = existing(data)?;
    let store = match RedbStore::open_read_only(directory) {
        Err(StoreError::NotClosed { .. }) => {
            // Whoever wrote last was cut off. Once open for writing, everything is in order again.
            RedbStore::open(directory)?.close()?;
            console
                .tell("note: whoever wrote the graph last was cut off; what was acknowledged is all there");
            RedbStore::open_read_only(directory)
        }
        opened => opened,
    };
    over(store?, console)
}

/// Opens the graph to be changed; nobody else may have it open.
///
/// # Errors
/// Where there is none, somebody else has it open, or it is damaged.
pub(crate) fn to_write(data: Option<&Path>, console: &mut Console<'_>) -> Result<Graph, Failure> {
    let store = RedbStore::open(existing(data)?)?;
    let mut graph = over(store, console)?;
    graph.set_time(Some(clock::now_s()));
    Ok(graph)
}

/// Opens the graph to be continued, or begins it.
///
/// # Errors
/// Where the directory cannot be made, somebody else has it open, or it is damaged.
pub(crate) fn to_create(directory: &Path, memory: Option<MemoryBudget>) -> Result<Graph, Failure> {
    if fs::metadata(directory).is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(Failure::Usage(format!(
            "{} is no directory; name another with --data",
            directory.display()
        )));
    }
    let store =
        RedbStore::open_with(directory, memory.map_or_else(Default::default, MemoryBudget::of_store))?;
    requests::clear(directory);
    let mut graph = DurableEngine::open(store, EngineConfig::default())?;
    graph.set_memory_budget(memory.map(MemoryBudget::of_engine));
    Ok(graph)
}

fn over(store: RedbStore, console: &mut Console<'_>) -> Result<Graph, Failure> {
    let graph = DurableEngine::open(store, EngineConfig::default())?;
    if let Some(note) = note_of(&graph) {
        console.tell(&note);
    }
    Ok(graph)
}

/// What is to be said of how a graph was opened.
pub(crate) fn note_of(graph: &Graph) -> Option<String> {
    let damage = graph.opening().snapshot_damage.as_ref()?;
    // The advice that goes with damage is to restore a backup; here nothing is lost.
    let damage = damage.strip_suffix("; restore a backup").unwrap_or(damage);
    Some(format!(
        "note: {damage}; nothing is lost: the graph was built from its log, and the next command that changes it writes a new snapshot"
    ))
}

/// Makes everything durable and closes the graph; gives what the store moved while it was open.
///
/// # Errors
/// Where the disk fails.
pub(crate) fn close(mut graph: Graph) -> Result<cortexkg_store::Figures, Failure> {
    // A snapshot must not speak of what the log could still lose.
    graph.store_mut().commit(ChangeSet::default(), Sync::Durable)?;
    let store = graph.close()?;
    let figures = store.figures()?;
    store.close()?;
    Ok(figures)
}
