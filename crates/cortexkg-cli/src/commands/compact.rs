//! `cortexkg compact`: what was forgotten goes for good.

use std::path::Path;

use cortexkg::OperationError;
use cortexkg_store::StoreError;
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{close, to_write};
use crate::progress::Progress;
use crate::report::{grouped, mib};
use crate::stop::Stop;
use crate::tables::pairs;

/// Options of `cortexkg compact`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes the graph anew without what was forgotten: its contents leave the directory and cannot come back. Identifiers, positions
in the log and redirects stay as they are. Needs room for a second copy meanwhile. Ctrl-C and
SIGTERM are heard before it begins; once begun, it is carried through. Backups that were taken before keep
what they hold.

Example:
  cortexkg forget source crm --data graph && cortexkg compact --data graph")]
pub struct Args {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Compacted {
    /// Position of the operation.
    position: u64,
    /// Facts that are gone for good.
    facts: u64,
    /// Entries of the log that went with them.
    entries: u64,
    bytes_before: u64,
    bytes_after: u64,
    state_hash: String,
}

/// Compacts, and prints what is gone.
///
/// # Errors
/// Where the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let stop = Stop::on_signals()?;
    let mut graph = to_write(data, console)?;
    if stop.is_asked() {
        close(graph)?.told(console);
        return Err(Failure::Run(
            "asked to end; nothing was compacted: run the same command again".to_owned(),
        ));
    }
    let bytes_before = graph.store().figures()?.file_bytes;
    let progress = Progress::new(console.draws_progress, None);
    progress.step("writing the graph anew");
    let position = graph.position();
    let compacted = graph.compact();
    progress.finish();
    let compacted = compacted.map_err(failure)?;
    let state_hash = graph.state_hash()?.to_string();
    let bytes_after = close(graph)?.told(console).file_bytes;
    if stop.is_asked() {
        console.tell("note: asked to end; the graph was compacted to the end first, and is closed");
    }
    let (facts, entries) = (compacted.facts, compacted.entries);
    let compacted = Compacted { position, facts, entries, bytes_before, bytes_after, state_hash };
    if args.json {
        console.print_json(&compacted)?;
        return Ok(Outcome::Complete);
    }
    let rows = [
        ("facts gone", grouped(compacted.facts)),
        ("entries of the log gone", grouped(compacted.entries)),
        ("store before", format!("{:.1} MiB", mib(compacted.bytes_before))),
        ("store after", format!("{:.1} MiB", mib(compacted.bytes_after))),
        ("operation", grouped(compacted.position)),
    ];
    console.print(&pairs(rows.map(|(name, value)| (name.to_owned(), value))))?;
    Ok(Outcome::Complete)
}

/// Where there was no room, what was to go is still there. Damage to the snapshot is another matter: without it all goes well.
fn failure(error: OperationError) -> Failure {
    match error {
        OperationError::Store(error @ StoreError::Io { .. }) => Failure::Run(format!(
            "{error}; what was forgotten is still in the file: make room, and run `cortexkg compact` again"
        )),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn want_of_room_is_told_from_damage() {
        let full = StoreError::io("g/cortexkg.redb.new", std::io::ErrorKind::StorageFull.into());
        assert!(failure(full.into()).to_string().contains("still in the file: make room"));
        let damaged = OperationError::Snapshot { place: "block 4".to_owned(), what: "checksum".to_owned() };
        assert!(matches!(failure(damaged), Failure::Snapshot(_)));
    }
}
