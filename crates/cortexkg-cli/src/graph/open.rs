//! Opening and closing the graph of `--data`.

use std::fs;
use std::path::Path;

use cortexkg::{DurableEngine, EngineConfig};
use cortexkg_store::directory::{ROWS_FILE, SNAPSHOT_FILE};
use cortexkg_store::{RedbStore, Store, StoreError};

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
    let (store, was_cut_off) = match RedbStore::open_read_only(directory) {
        Err(StoreError::NotClosed { .. }) => {
            // Whoever wrote last was cut off. Once open for writing, everything is in order again.
            RedbStore::open(directory)?.close()?;
            (RedbStore::open_read_only(directory), true)
        }
        opened => (opened, false),
    };
    let graph = over(store?, console)?;
    if was_cut_off {
        console.tell("note: whoever wrote the graph last was cut off; what was acknowledged is all there");
    }
    Ok(graph)
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
/// Where the directory cannot be made, somebody else has it open, it is damaged, or was made under another configuration.
pub(crate) fn to_create(
    directory: &Path,
    config: EngineConfig,
    memory: Option<MemoryBudget>,
) -> Result<Graph, Failure> {
    if fs::metadata(directory).is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(Failure::Usage(format!(
            "{} is no directory; name another with --data",
            directory.display()
        )));
    }
    let store =
        RedbStore::open_with(directory, memory.map_or_else(Default::default, MemoryBudget::of_store))?;
    requests::clear(directory);
    let mut graph = DurableEngine::open(store, config)?;
    graph.set_memory_budget(memory.map(MemoryBudget::of_engine));
    Ok(graph)
}

fn over(store: RedbStore, console: &mut Console<'_>) -> Result<Graph, Failure> {
    let graph = DurableEngine::open(store, EngineConfig::default())?;
    notes_of(&graph).iter().for_each(|note| console.tell(note));
    Ok(graph)
}

/// What is to be said of how a graph was opened.
pub(crate) fn notes_of(graph: &Graph) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(damage) = &graph.opening().snapshot_damage {
        notes.push(format!(
            "note: {damage}; nothing is lost: the graph was built from its log, and the next command that changes it writes a new snapshot"
        ));
    }
    if graph.opening().is_compaction_pending {
        notes.push(
            "note: a `compact` was cut off, and what was forgotten is still in the file; `cortexkg compact` finishes it".to_owned(),
        );
    }
    notes
}

/// Removes a snapshot that is damaged. Says what is to be done then.
pub(crate) fn without_snapshot(directory: &Path) -> String {
    let removed = RedbStore::open(directory).and_then(|mut store| {
        store.remove_snapshot()?;
        store.close()
    });
    match removed {
        Ok(()) => {
            "the snapshot is removed; run the command again, and the graph is built from its log".to_owned()
        }
        Err(error) => format!(
            "delete {} while nobody has the graph open, and run the command again ({error})",
            directory.join(SNAPSHOT_FILE).display()
        ),
    }
}

/// A graph that was closed.
pub(crate) struct Closed {
    /// What the store moved while it was open.
    pub(crate) figures: cortexkg_store::Figures,
    /// What is to be said of it.
    pub(crate) note: Option<String>,
}

impl Closed {
    /// Says what is to be said; gives what the store moved.
    pub(crate) fn told(self, console: &mut Console<'_>) -> cortexkg_store::Figures {
        self.note.iter().for_each(|note| console.tell(note));
        self.figures
    }
}

/// Makes everything durable and closes the graph.
///
/// # Errors
/// Where the disk fails.
pub(crate) fn close(mut graph: Graph) -> Result<Closed, Failure> {
    let note = graph.checkpoint_if_due().err().map(|error| {
        format!("note: no snapshot was written ({error}); everything is in the graph, the next start only takes longer")
    });
    let store = graph.close()?;
    let figures = store.figures()?;
    store.close()?;
    Ok(Closed { figures, note })
}
