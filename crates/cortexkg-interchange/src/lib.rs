//! A knowledge graph out and back in, and what readers of such formats share.
//!
//! # Writing
//!
//! [`exporter`] takes nodes, then facts, then edges, one at a time, and holds nothing but what a format needs:
//!
//! ```
//! use cortexkg::{AllocationEngine, EngineConfig, Fact};
//! use cortexkg_interchange::{ExportOptions, ExportedNode, InterchangeFormat, exporter};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut engine = AllocationEngine::new(EngineConfig::default());
//! engine.allocate_fact(Fact::record([("name", "Citrus"), ("city", "Los Angeles")]))?;
//! let nodes: Vec<ExportedNode> = engine.node_ids().filter_map(|id| engine.node(id)).map(Into::into).collect();
//!
//! let mut options = ExportOptions::default();
//! nodes.iter().for_each(|node| options.schema.see_node(node));
//! let mut file = Vec::new();
//! let mut out = exporter(InterchangeFormat::Turtle, &options, &mut file)?;
//! for node in &nodes {
//!     out.node(node)?;
//! }
//! out.finish()?;
//! assert!(String::from_utf8(file)?.contains("field:city \"Los Angeles\""));
//! # Ok(())
//! # }
//! ```
//!
//! | format | holds | reads back |
//! |---|---|---|
//! | [`Jsonl`](InterchangeFormat::Jsonl) | everything, embeddings bit by bit | everything |
//! | [`Csv`](InterchangeFormat::Csv) | nodes, facts or edges | nodes, edges |
//! | `Parquet`, with the feature `parquet` | nodes, facts or edges | no |
//! | [`NTriples`](InterchangeFormat::NTriples), [`Turtle`](InterchangeFormat::Turtle), [`JsonLd`](InterchangeFormat::JsonLd) | nodes, edges, sources | nodes, edges |
//! | [`GraphMl`](InterchangeFormat::GraphMl) | nodes, edges | nodes, edges |
//!
//! CSV, Parquet and GraphML have to know the names of all fields at their beginning: let [`ExportOptions::schema`] see every node
//! (for a table of facts, every fact) first, or name them.
//!
//! # Reading
//!
//! [`import()`] gathers an [`ImportedGraph`]: what a graph that stands elsewhere said of its nodes.
//! [`ImportedGraph::to_knowledge_graph`] makes of it what `AllocationEngine::load_graph` takes. A record that cannot be taken is a
//! [`Rejection`] with line and field, and the others are read all the same; where the input cannot be understood any further, an
//! [`InterchangeError`] says why. [`JsonlGraph`] reads the lossless format one line at a time.
//!
//! Files from strangers are taken: lines, elements, nesting and the graph itself are bounded by [`ImportOptions`] and
//! [`cortexkg::fact::limits`], entities and document types of XML are refused, and nothing is fetched from anywhere.

mod builder;
mod csv_read;
mod csv_write;
mod error;
mod export;
mod format;
mod graphml;
mod guard;
mod import;
pub mod json;
mod jsonl;
mod leave_out;
mod lines;
mod lists;
mod model;
mod names;
mod ntriples;
#[cfg(feature = "parquet")]
mod parquet_write;
mod rdf;
mod records;
mod rejection;
mod row;
mod table;

pub use error::InterchangeError;
pub use export::{ExportOptions, Exporter, Result, exporter};
pub use format::InterchangeFormat;
pub use import::{ImportOptions, Tally, drain, import};
pub use jsonl::{JsonlCounts, JsonlElement, JsonlGraph, WholeCheck, graph_element, is_graph_header};
pub use leave_out::LeftOut;
pub use lines::{BoundedLines, Line};
pub use lists::Lists;
pub use model::{ExportedFact, ExportedNode, ImportedGraph, Property, Role, Schema};
pub use ntriples::ntriple;
pub use records::{RecordSplitter, Split};
pub use rejection::{Rejection, printable, steers_terminal};
pub use row::Row;
pub use table::TableKind;

/// What stands before `n17` in the IRI of a node, if nothing else is said.
pub const DEFAULT_BASE: &str = "urn:cortexkg:node:";
