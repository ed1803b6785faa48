//! `cortexkg stats`: how much there is.

use std::collections::BTreeMap;
use std::path::Path;

use cortexkg::{Counts, FieldModel, Layers, Origin, QuantizationReport};
use cortexkg_index::HnswAllocationIndex;
use cortexkg_store::directory::SNAPSHOT_FILE;
use serde::Serialize;

use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{Graph, directory_of, to_read};
use crate::palette::Palette;
use crate::report::{grouped, mib};
use crate::tables::{CELL_CHARS_MAX, listing, one_line, pairs};

/// Options of `cortexkg stats`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The state hash is the same for the same facts in the same order, on every machine. With --as-of only the counts are told.

Example:
  cortexkg stats --data graph
  cortexkg stats --data graph --json | jq -r .state_hash")]
pub struct Args {
    /// When.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print one JSON object; it also holds memory, the store's figures and what has been learned of each field.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Stats {
    /// Position of the last operation that counts.
    position: Option<u64>,
    #[serde(flatten)]
    counts: Counts,
    #[serde(flatten)]
    present: Option<Present>,
}

/// What is known of the present only.
#[derive(Serialize)]
struct Present {
    state_hash: String,
    config: String,
    /// What finds near vectors, and how exactly they are kept.
    layers: Layers,
    /// Vectors at 1, 4, 8, 16 and 32 bits, if there is an index.
    vectors: Option<[usize; 5]>,
    /// Vectors that an index which is growing has, and will have.
    growing_index: Option<(usize, usize)>,
    quantization: Option<QuantizationReport>,
    memory_bytes: BTreeMap<&'static str, usize>,
    store: StoreStats,
    opening: OpeningStats,
    fields: Vec<FieldModel>,
}

#[derive(Serialize)]
struct StoreStats {
    file_bytes: u64,
    live_bytes: u64,
    snapshot_bytes: Option<u64>,
    meta_rows: u64,
    log_rows: u64,
    fact_rows: u64,
}

#[derive(Serialize)]
struct OpeningStats {
    /// Operations that were repeated from the log.
    repeated: u64,
    /// Whether there was no snapshot to use.
    is_rebuilt: bool,
    snapshot_damage: Option<String>,
}

/// Prints the figures.
///
/// # Errors
/// Where the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    let present = match args.as_of.position {
        None => Some(present(&graph, directory_of(data)?)?),
        Some(_) => None,
    };
    let stats = Stats { position: view.position(), counts: view.counts()?, present };
    if args.json {
        console.print_json(&stats)?;
    } else {
        console.print(&in_words(&stats, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

fn present(graph: &Graph, directory: &Path) -> Result<Present, Failure> {
    let (figures, opening) = (graph.store().figures()?, graph.opening());
    let [meta_rows, log_rows, fact_rows] = figures.rows;
    Ok(Present {
        state_hash: graph.state_hash()?.to_string(),
        config: graph.configuration(),
        layers: *graph.engine().layers(),
        vectors: graph.engine().vector_index().map(HnswAllocationIndex::precisions),
        growing_index: graph.engine().growing_index(),
        quantization: graph.engine().quantization(),
        memory_bytes: graph.engine().memory().into_iter().collect(),
        store: StoreStats {
            file_bytes: figures.file_bytes,
            live_bytes: figures.live_bytes,
            snapshot_bytes: std::fs::metadata(directory.join(SNAPSHOT_FILE)).ok().map(|file| file.len()),
            meta_rows,
            log_rows,
            fact_rows,
        },
        opening: OpeningStats {
            repeated: opening.repeated,
            is_rebuilt: opening.is_rebuilt,
            snapshot_damage: opening.snapshot_damage.clone(),
        },
        fields: graph.engine().model(),
    })
}

fn in_words(stats: &Stats, palette: Palette) -> String {
    let counts = &stats.counts;
    let mut rows = vec![
        ("facts", grouped(counts.facts)),
        ("mentions", grouped(counts.mentions)),
        ("nodes", grouped(counts.nodes)),
    ];
    rows.extend(counts.edges.map(|edges| ("edges", grouped(edges))));
    rows.push(("redirects", grouped(counts.redirects)));
    rows.push(("forgotten facts", grouped(counts.forgotten)));
    rows.extend(counts.exceptions.map(|exceptions| ("exceptions", grouped(exceptions))));
    rows.extend(stats.position.map(|position| ("last operation", grouped(position))));
    if let Some(present) = &stats.present {
        let memory: usize = present.memory_bytes.values().sum();
        rows.push(("memory", format!("{:.1} MiB", mib(memory as u64))));
        rows.push(("store", format!("{:.1} MiB", mib(present.store.file_bytes))));
        rows.extend(present.store.snapshot_bytes.map(|bytes| ("snapshot", format!("{:.1} MiB", mib(bytes)))));
        let given = |field: &&FieldModel| {
            [field.kind_from, field.comparator_from].contains(&Origin::Given) || field.ignored
        };
        let given = present.fields.iter().filter(given).count();
        rows.extend((given > 0).then(|| ("fields given", grouped(given as u64))));
        let at_bits = |counts: [usize; 5]| {
            let parts = ["1", "4", "8", "16", "32"].into_iter().zip(counts).filter(|(_, count)| *count > 0);
            parts
                .map(|(bits, count)| format!("{} at {bits} bits", grouped(count as u64)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        rows.extend(present.vectors.map(|counts| ("vectors in the index", at_bits(counts))));
        let growing = |(of, all)| format!("{} of {} vectors", grouped(of as u64), grouped(all as u64));
        rows.extend(present.growing_index.map(|index| ("index growing", growing(index))));
        rows.push(("repeated at opening", grouped(present.opening.repeated)));
    }
    let mut text = pairs(rows.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if let Some(present) = &stats.present {
        text.push_str(&format!(" state hash  {}\n", palette.faint(&present.state_hash)));
    }
    let sources =
        counts.sources.iter().map(|(name, facts)| [one_line(name, CELL_CHARS_MAX), grouped(*facts)]);
    text.push_str(&format!("\n{}", listing(["source", "facts"], sources, &[1], palette)));
    text
}
