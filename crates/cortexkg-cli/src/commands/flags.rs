//! `cortexkg flags`: features on or off, also while facts stream in.

use std::path::Path;
use std::time::Duration;

use cortexkg_scalable::{Feature, FeatureFlags, ScalabilityConfig};
use cortexkg_store::StoreError;
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::flag_requests::ask;
use crate::graph::{Graph, close, existing, to_read, to_write};
use crate::tables::listing;

/// Options of `cortexkg flags`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
hnsw_indexing           an index finds near vectors; a share like 30% serves so many of the facts, by their identifiers
adaptive_quantization   each vector is kept as exactly as its node is important
multi_tier_cache        nodes that are read often are kept decoded; of a running process only
distributed_processing  other partitions are asked; of a running process only

While `allocate` writes the graph, it is asked to do it after its next commit, and goes on. What has a say in decisions stands in the log
as `configure`, and `undo` takes it back.

Examples:
  cortexkg flags --data graph
  cortexkg flags hnsw_indexing=30%,adaptive_quantization=off --data graph")]
pub struct Args {
    /// Flags to set, like hnsw_indexing=30%,adaptive_quantization=off; without them, what is on is shown.
    pub flags: Option<String>,
    /// Seconds to wait for the process that writes the graph.
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub wait: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Told {
    flags: FeatureFlags,
    /// Whether the process that writes the graph has set them.
    is_online: bool,
}

/// Shows or sets.
///
/// # Errors
/// Where there is no graph, the flags cannot be, or nobody answers.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let directory = existing(data)?;
    let told = match &args.flags {
        None => Told { flags: of_graph(&to_read(data, console)?), is_online: false },
        Some(flags) => {
            // What cannot be is told before anybody is asked.
            FeatureFlags::all_off().set_named(flags).map_err(|error| Failure::Usage(error.to_string()))?;
            let wait = Duration::from_secs(args.wait);
            let online = if is_in_use(directory) {
                ask(directory, flags, wait, || !is_in_use(directory))?
            } else {
                None
            };
            match online {
                Some(flags) => Told { flags, is_online: true },
                None => Told { flags: set(to_write(data, console)?, flags, console)?, is_online: false },
            }
        }
    };
    if args.json {
        console.print_json(&told)?;
    } else {
        let of_graph = |feature: &Feature| told.is_online || is_of_graph(*feature);
        let rows = Feature::ALL.into_iter().filter(of_graph);
        let rows = rows.map(|feature| [feature.to_string(), told.flags.rollout(feature).to_string()]);
        console.print(&listing(["feature", "is"], rows, &[], console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

fn is_in_use(directory: &Path) -> bool {
    matches!(cortexkg_store::RedbStore::open_read_only(directory), Err(StoreError::InUse { .. }))
}

/// Whether a feature belongs to a graph, and not only to a process.
fn is_of_graph(feature: Feature) -> bool {
    matches!(feature, Feature::HnswIndexing | Feature::AdaptiveQuantization)
}

fn config_of(graph: &Graph) -> ScalabilityConfig {
    ScalabilityConfig::plain().adopting(graph.engine().layers())
}

fn of_graph(graph: &Graph) -> FeatureFlags {
    FeatureFlags::of(&config_of(graph))
}

fn set(mut graph: Graph, text: &str, console: &mut Console<'_>) -> Result<FeatureFlags, Failure> {
    let flags = of_graph(&graph);
    let named = flags.set_named(text).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(feature) = named.into_iter().find(|&feature| !is_of_graph(feature)) {
        return Err(Failure::Usage(format!(
            "{feature} belongs to a running process, and none writes this graph; give --set enable_{feature}=… to the command that does"
        )));
    }
    let layers = flags.apply(&config_of(&graph)).layers();
    graph.set_layers(layers, "set by `cortexkg flags`")?;
    let flags = of_graph(&graph);
    close(graph)?.told(console);
    Ok(flags)
}
