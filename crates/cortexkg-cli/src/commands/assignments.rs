//! `cortexkg assignments`: where every mention belongs.

use std::io::Write;
use std::path::{Path, PathBuf};

use cortexkg::{Assignment, OperationError};
use cortexkg_store::StoreError;

use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::to_read;
use crate::sink::{AssignmentRows, Sink, json_line};

/// Options of `cortexkg assignments`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Node is where the mention belongs now, after every merge and split; decision, confidence and margin are those of the moment
when it came in. Forgotten facts are left out.

Example:
  cortexkg assignments --data graph --out nodes.csv
  cortexkg assignments --data graph --source crm --as-of 1200")]
pub struct Args {
    /// Write to this file, which takes its name at the end. - is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// Only mentions of this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// When.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Write one JSON object per line instead of CSV.
    #[arg(long)]
    pub json: bool,
}

enum Rows<'a> {
    Csv(AssignmentRows<'a>),
    Json(Sink<'a>),
}

/// Writes one row per mention, in the order of the log.
///
/// # Errors
/// Where the graph cannot be read, nothing came from the source, or the file not be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    // A source that nothing came from is a misspelt one: an empty list would hide that.
    if let Some(name) = &args.source
        && !view.counts()?.sources.iter().any(|(source, facts)| source == name && *facts > 0)
    {
        return Err(OperationError::UnknownSource { source_name: name.clone() }.into());
    }
    let mut stdout: Option<&mut dyn Write> = Some(&mut *console.out);
    let sink = Sink::open(&args.out, &mut stdout)?;
    let mut rows = if args.json { Rows::Json(sink) } else { Rows::Csv(AssignmentRows::new(sink)?) };
    let mut failed = None;
    let visited = view.assignments(&mut |assignment: &Assignment| {
        if args.source.as_ref().is_some_and(|source| *source != assignment.source) {
            return Ok(());
        }
        let written = match &mut rows {
            Rows::Csv(rows) => rows.assignment(assignment),
            Rows::Json(sink) => json_line(sink, assignment),
        };
        written.map_err(|failure| {
            failed = Some(failure);
            // Ends the visit; what is told is the failure.
            OperationError::Store(StoreError::io("output", std::io::ErrorKind::Other.into()))
        })
    });
    if let Some(failure) = failed {
        return Err(failure);
    }
    visited?;
    match rows {
        Rows::Csv(rows) => rows.finish()?,
        Rows::Json(sink) => sink.finish()?,
    }
    Ok(Outcome::Complete)
}
