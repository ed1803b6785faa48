//! The formats.

use std::fmt;

use crate::table::TableKind;

/// A format in which a graph leaves or enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InterchangeFormat {
    /// JSON Lines that hold everything.
    Jsonl,
    /// A table, comma-separated as RFC 4180 says.
    Csv(TableKind),
    /// A table in columns.
    #[cfg(feature = "parquet")]
    Parquet(TableKind),
    /// RDF, one triple per line.
    NTriples,
    /// RDF for reading.
    Turtle,
    /// RDF as JSON.
    JsonLd,
    /// GraphML.
    GraphMl,
}

impl InterchangeFormat {
    /// What files of this format end in, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv(_) => "csv",
            #[cfg(feature = "parquet")]
            Self::Parquet(_) => "parquet",
            Self::NTriples => "nt",
            Self::Turtle => "ttl",
            Self::JsonLd => "jsonld",
            Self::GraphMl => "graphml",
        }
    }

    /// The format that files with this ending have, if it is not a table's.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "nt" => Some(Self::NTriples),
            "ttl" => Some(Self::Turtle),
            "jsonld" => Some(Self::JsonLd),
            "graphml" => Some(Self::GraphMl),
            _ => None,
        }
    }
}

impl fmt::Display for InterchangeFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jsonl => formatter.write_str("JSONL"),
            Self::Csv(table) => write!(formatter, "CSV ({})", table.name()),
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => write!(formatter, "Parquet ({})", table.name()),
            Self::NTriples => formatter.write_str("N-Triples"),
            Self::Turtle => formatter.write_str("Turtle"),
            Self::JsonLd => formatter.write_str("JSON-LD"),
            Self::GraphMl => formatter.write_str("GraphML"),
        }
    }
}
