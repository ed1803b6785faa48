//! `cortexkg score`: how right an allocation is.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::input::decode;
use crate::palette::Palette;
use crate::report::{grouped, plain, right_align};
use crate::scoring::{Grouping, Score};

/// Options of `cortexkg score`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Pairwise: of all pairs put together, how many belong together (precision); of all that belong together, how many
were put together (recall). B-cubed: the same asked for each record, then averaged. Records that CLUSTERS does not
name are unlabelled: pairs of two of them are not counted; one put together with a labelled record is an error.

Example:
  cortexkg allocate people.csv --out nodes.csv
  cortexkg score nodes.csv truth.csv

Exit codes: 0 scored; 2 a file cannot be used, or labelled records have no assignment.")]
pub struct Args {
    /// CSV with the columns record_id,node_id, one row per record: what `allocate --out` writes.
    pub assignments: PathBuf,
    /// CSV with the columns record_id,cluster_id: the truth.
    pub clusters: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Prints the score.
///
/// # Errors
/// Where a file cannot be used, or labelled records have no assignment.
pub fn run(args: &Args, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let nodes = read(&args.assignments, "node_id")?;
    let truth = read(&args.clusters, "cluster_id")?;
    let score = Score::of(&nodes, &truth).map_err(|error| Failure::Usage(error.to_string()))?;
    if args.json {
        let json = serde_json::to_string(&score).map_err(|error| Failure::Run(error.to_string()))?;
        console.print(&format!("{json}\n"))?;
    } else {
        console.print(&table(&score, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

/// The score as aligned text.
pub fn table(score: &Score, palette: Palette) -> String {
    let mut table = plain();
    table.set_header(["", "precision", "recall", "F1"]);
    for (name, figures) in [
        ("pairwise", [score.pair_p, score.pair_r, score.pair_f1]),
        ("B-cubed", [score.b3_p, score.b3_r, score.b3_f1]),
    ] {
        let mut row = vec![name.to_owned()];
        row.extend(figures.map(|figure| format!("{figure:.4}")));
        table.add_row(row);
    }
    (1..4).for_each(|column| right_align(&mut table, column));
    let [records, labelled, nodes, clusters] =
        [score.records, score.labelled, score.nodes, score.true_clusters].map(|count| grouped(count as u64));
    let table = table.trim_fmt();
    let (header, rows) = table.split_once('\n').unwrap_or(("", &table));
    format!(
        "{}\n{rows}\n {records} records in {nodes} nodes; {labelled} labelled, {clusters} true clusters\n",
        palette.heading(header)
    )
}

/// Reads a table of records and groups, compressed or not.
pub(crate) fn read(path: &Path, column: &'static str) -> Result<Grouping, Failure> {
    let name = path.display().to_string();
    let unusable = |error: std::io::Error| {
        Failure::Usage(format!("cannot read {name}: {error}; check the path and the permissions"))
    };
    let (_, reader) = decode(File::open(path).map_err(unusable)?).map_err(unusable)?;
    Grouping::read(reader, &name, column).map_err(|error| Failure::Usage(error.to_string()))
}
