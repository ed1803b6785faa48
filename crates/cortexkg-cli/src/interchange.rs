//! Formats in which a graph leaves and enters, as the command line names them.

use std::path::Path;

use clap::ValueEnum;
use cortexkg_interchange::{InterchangeError, InterchangeFormat, TableKind};

use crate::failure::Failure;

/// A format in which a graph leaves or enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// The graph with its log, in one file: comes back bit for bit.
    Ckg,
    /// JSON Lines with nodes, facts and edges: everything but the log.
    Jsonl,
    /// A table of nodes, facts or edges.
    Csv,
    /// The same in columns.
    #[cfg(feature = "parquet")]
    Parquet,
    /// RDF, one triple per line.
    Ntriples,
    /// RDF for reading.
    Turtle,
    /// RDF as JSON.
    Jsonld,
    /// GraphML.
    Graphml,
}

/// Which part of a graph a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphTable {
    /// One row per node.
    Nodes,
    /// One row per fact.
    Facts,
    /// One row per edge.
    Edges,
}

impl From<GraphTable> for TableKind {
    fn from(table: GraphTable) -> Self {
        match table {
            GraphTable::Nodes => Self::Nodes,
            GraphTable::Facts => Self::Facts,
            GraphTable::Edges => Self::Edges,
        }
    }
}

impl GraphFormat {
    /// The format that was asked for, or that the name of the file tells.
    ///
    /// # Errors
    /// Where neither tells.
    pub(crate) fn choose(asked: Option<Self>, path: &Path) -> Result<Self, Failure> {
        if let Some(format) = asked {
            return Ok(format);
        }
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        let format = match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("ckg") => Some(Self::Ckg),
            Some("jsonl" | "ndjson") => Some(Self::Jsonl),
            Some("csv") => Some(Self::Csv),
            #[cfg(feature = "parquet")]
            Some("parquet") => Some(Self::Parquet),
            Some("nt") => Some(Self::Ntriples),
            Some("ttl") => Some(Self::Turtle),
            Some("jsonld") => Some(Self::Jsonld),
            Some("graphml") => Some(Self::Graphml),
            _ => None,
        };
        format.ok_or_else(|| {
            let parquet = if cfg!(feature = "parquet") {
                ""
            } else {
                " (Parquet needs a build with the feature parquet)"
            };
            Failure::Usage(format!(
                "the name {} tells no format; choose one with --format{parquet}",
                path.display()
            ))
        })
    }

    /// Whether a cell holds one text, so that several values must share one.
    pub(crate) fn has_flat_cells(self) -> bool {
        matches!(self, Self::Csv | Self::Graphml)
    }

    /// As the interchange crate names it; none for `.ckg`, which is not its business.
    pub(crate) fn interchange(self, table: GraphTable) -> Option<InterchangeFormat> {
        Some(match self {
            Self::Ckg => return None,
            Self::Jsonl => InterchangeFormat::Jsonl,
            Self::Csv => InterchangeFormat::Csv(table.into()),
            #[cfg(feature = "parquet")]
            Self::Parquet => InterchangeFormat::Parquet(table.into()),
            Self::Ntriples => InterchangeFormat::NTriples,
            Self::Turtle => InterchangeFormat::Turtle,
            Self::Jsonld => InterchangeFormat::JsonLd,
            Self::Graphml => InterchangeFormat::GraphMl,
        })
    }
}

/// A failure of an export to or an import from the file of that name.
pub(crate) fn failure(name: &str, error: InterchangeError) -> Failure {
    match error {
        InterchangeError::Write(error) => Failure::of_write(name, &error),
        InterchangeError::Base { .. } => Failure::Usage(error.to_string()),
        InterchangeError::Unreadable { .. }
        | InterchangeError::Syntax { .. }
        | InterchangeError::TooLarge { .. } => Failure::Usage(format!("{name}: {error}")),
        _ => Failure::Run(format!("{name}: {error}")),
    }
}
