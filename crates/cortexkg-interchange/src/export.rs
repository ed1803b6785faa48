//! Writing a graph: nodes, then facts, then edges.

use std::io::Write;

use cortexkg::{Fact, FactContent, FieldValue, GraphEdge, Term};

use crate::error::InterchangeError;
use crate::model::{ExportedFact, ExportedNode, Schema};
use crate::{DEFAULT_BASE, InterchangeFormat, csv_write, graphml, jsonl, rdf};

/// The result of an export's steps.
pub type Result<T> = std::result::Result<T, InterchangeError>;

/// How a graph is to be written.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// What stands before `n17` in the IRI of a node (RDF formats).
    pub base: String,
    /// Whether nodes say which sources their facts came from (RDF formats). Keeps 16 bytes per pair of node and source.
    pub provenance: bool,
    /// The names of all fields (CSV, Parquet, GraphML).
    pub schema: Schema,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { base: DEFAULT_BASE.to_owned(), provenance: true, schema: Schema::default() }
    }
}

/// Takes a graph piece by piece: all nodes, then all facts, then all edges. What a format has no place for is passed over.
pub trait Exporter {
    /// Writes a node.
    ///
    /// # Errors
    /// Where the output refuses, the order is another, or a text holds a NUL character.
    fn node(&mut self, node: &ExportedNode) -> Result<()>;

    /// Writes a fact.
    ///
    /// # Errors
    /// As [`node`](Self::node), and for numbers that are not finite.
    fn fact(&mut self, fact: &ExportedFact) -> Result<()>;

    /// Writes an edge.
    ///
    /// # Errors
    /// As [`node`](Self::node).
    fn edge(&mut self, edge: &GraphEdge) -> Result<()>;

    /// Ends the document and flushes the output.
    ///
    /// # Errors
    /// Where the output refuses.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// An exporter that writes to `out`. Give it a buffered writer.
///
/// # Errors
/// Where the base makes no IRIs, or the beginning cannot be written.
pub fn exporter<'a>(
    format: InterchangeFormat,
    options: &ExportOptions,
    out: impl Write + Send + 'a,
) -> Result<Box<dyn Exporter + 'a>> {
    let schema = &options.schema;
    let inner: Box<dyn Exporter + 'a> = match format {
        InterchangeFormat::Jsonl => Box::new(jsonl::JsonlExporter::new(out)?),
        InterchangeFormat::Csv(table) => Box::new(csv_write::CsvExporter::new(table, schema, out)?),
        #[cfg(feature = "parquet")]
        InterchangeFormat::Parquet(table) => {
            Box::new(crate::parquet_write::ParquetExporter::new(table, schema, out)?)
        }
        InterchangeFormat::NTriples | InterchangeFormat::Turtle | InterchangeFormat::JsonLd => {
            Box::new(rdf::RdfExporter::new(format, options, out)?)
        }
        InterchangeFormat::GraphMl => Box::new(graphml::GraphmlExporter::new(schema, out)?),
    };
    Ok(Box::new(Checked { inner, stage: Stage::Nodes }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Nodes,
    Facts,
    Edges,
}

/// Refuses what no format should have to deal with.
struct Checked<'a> {
    inner: Box<dyn Exporter + 'a>,
    stage: Stage,
}

impl Checked<'_> {
    fn enter(&mut self, stage: Stage, place: &dyn Fn() -> String) -> Result<()> {
        if stage < self.stage {
            return Err(InterchangeError::Order { place: place() });
        }
        self.stage = stage;
        Ok(())
    }
}

impl Exporter for Checked<'_> {
    fn node(&mut self, node: &ExportedNode) -> Result<()> {
        let place = || format!("node {}", node.id);
        self.enter(Stage::Nodes, &place)?;
        let properties = node.properties.iter().flat_map(|property| [&property.field, &property.value]);
        no_nul(&place, properties.chain(&node.aliases).chain([&node.label]))?;
        self.inner.node(node)
    }

    fn fact(&mut self, fact: &ExportedFact) -> Result<()> {
        let place = || fact_place(fact);
        self.enter(Stage::Facts, &place)?;
        no_nul(&place, texts(&fact.fact))?;
        let numbers = fact.fact.confidence.iter().chain(fact.fact.embedding.iter().flatten());
        if let Some(&value) = numbers.into_iter().find(|value| !value.is_finite()) {
            return Err(InterchangeError::NotFinite { place: place(), value });
        }
        self.inner.fact(fact)
    }

    fn edge(&mut self, edge: &GraphEdge) -> Result<()> {
        let place = || format!("edge from {} to {}", edge.from, edge.to);
        self.enter(Stage::Edges, &place)?;
        no_nul(&place, [&edge.predicate])?;
        self.inner.edge(edge)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.inner.finish()
    }
}

/// The name of a fact in messages.
pub(crate) fn fact_place(fact: &ExportedFact) -> String {
    match &fact.fact.record_id {
        Some(id) => format!("fact {} (record {})", fact.position, crate::printable(id)),
        None => format!("fact {}", fact.position),
    }
}

fn no_nul<'a>(place: &dyn Fn() -> String, texts: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let has_nul = texts.into_iter().any(|text| text.as_bytes().contains(&0));
    if has_nul { Err(InterchangeError::Nul { place: place() }) } else { Ok(()) }
}

fn texts(fact: &Fact) -> Vec<&String> {
    fn term<'a>(term: &'a Term, all: &mut Vec<&'a String>) {
        match term {
            Term::Name(text) | Term::Iri(text) | Term::Blank(text) => all.push(text),
            Term::Literal { value, datatype, language } => {
                all.push(value);
                all.extend(datatype);
                all.extend(language);
            }
        }
    }
    let mut all: Vec<&String> = fact.record_id.iter().chain(&fact.source).collect();
    match &fact.content {
        FactContent::Record(fields) => {
            for field in fields {
                all.push(&field.name);
                match &field.value {
                    FieldValue::Text(text) => all.push(text),
                    FieldValue::List(items) => all.extend(items),
                }
            }
        }
        FactContent::Triple { subject, predicate, object } => {
            term(subject, &mut all);
            all.push(predicate);
            term(object, &mut all);
        }
        FactContent::Text(text) => all.push(text),
    }
    all
}
