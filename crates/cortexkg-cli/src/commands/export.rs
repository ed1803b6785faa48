//! `cortexkg export`: the graph in a format that others read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

use cortexkg::{Assignment, Fact, FactContent, FieldValue, GraphEdge, NodeId, OperationError};
use cortexkg_interchange::{
    DEFAULT_BASE, ExportOptions, ExportedFact, ExportedNode, Exporter, InterchangeFormat, Lists, Role,
    exporter,
};
use cortexkg_store::StoreError;
use serde::Serialize;

use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{Graph, GraphView, ckg, to_read};
use crate::interchange::{GraphFormat, GraphTable, failure};
use crate::outputs::OutputFile;
use crate::progress::Progress;
use crate::report::grouped;

/// Options of `cortexkg export`.
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub struct Args {
    /// The file to write, which takes its name at the end. - is standard output.
    pub file: PathBuf,
    /// Format [default: by the name of the file].
    #[arg(long, value_enum)]
    pub format: Option<GraphFormat>,
    /// What a table holds.
    #[arg(long, value_enum, default_value = "nodes")]
    pub table: GraphTable,
    /// What stands before n17 in the IRI of a node (RDF).
    #[arg(long, value_name = "IRI", default_value = DEFAULT_BASE)]
    pub base: String,
    /// When; a .ckg holds all that ever was.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print one JSON object that tells how much was written.
    #[arg(long)]
    pub json: bool,
}

fn after_help() -> String {
    let parquet = if cfg!(feature = "parquet") {
        "\n  parquet                      the same tables in columns"
    } else {
        ""
    };
    format!(
        "\
Formats:
  ckg                          the graph with its log; `import` gives the same graph bit for bit
  jsonl                        nodes, facts with their nodes, edges; embeddings bit by bit
  csv                          a table: --table nodes, facts or edges; several values of a field are a JSON list{parquet}
  ntriples, turtle, jsonld     RDF: nodes, edges, and the sources that nodes were spoken of by; one literal for each value
  graphml                      nodes and edges; several values of a field are a JSON list

Example:
  cortexkg export graph.ckg --data graph
  cortexkg export nodes.csv --table nodes --data graph
  cortexkg export - --format turtle --data graph --as-of 1200"
    )
}

#[derive(Default, Serialize)]
struct Exported {
    nodes: u64,
    facts: u64,
    edges: u64,
    /// Cells that hold several values, as a JSON list; in tables and GraphML only.
    #[serde(skip_serializing_if = "Option::is_none")]
    cells_of_several: Option<u64>,
    /// Rows of the store; in a .ckg only.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

enum Out {
    File(OutputFile),
    Stdout(BufWriter<Stdout>),
}

impl Out {
    fn open(path: &Path, console: &mut Console<'_>) -> Result<Self, Failure> {
        if path.as_os_str() != "-" {
            return OutputFile::create(path).map(Self::File);
        }
        console.flush()?;
        Ok(Self::Stdout(BufWriter::new(io::stdout())))
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.finish(),
            Self::Stdout(mut out) => out.flush().map_err(|error| Failure::of_output(&error)),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(out) => out.flush(),
        }
    }
}

/// Writes the graph.
///
/// # Errors
/// Where the format is unknown, the graph cannot be read, or the file not be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let format = GraphFormat::choose(args.format, &args.file)?;
    if args.file.extension().is_some_and(|extension| extension == "gz" || extension == "zst") {
        return Err(Failure::Usage(
            "files are written plain; for a compressed one: cortexkg export - … | gzip".into(),
        ));
    }
    let is_stdout = args.file.as_os_str() == "-";
    if args.json && is_stdout {
        return Err(Failure::Usage(
            "the graph and --json cannot both go to standard output; name a file".into(),
        ));
    }
    if format == GraphFormat::Ckg && args.as_of.position.is_some() {
        return Err(Failure::Usage("a .ckg holds the whole log; leave --as-of out".into()));
    }
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    let name = if is_stdout { "standard output".to_owned() } else { args.file.display().to_string() };
    let progress = Progress::new(console.draws_progress, None);
    progress.step("reading the graph");
    let mut out = Out::open(&args.file, console)?;
    let exported = match format.interchange(args.table) {
        None => {
            let rows = ckg::write(&graph, &mut out, &progress)?;
            Exported { rows: Some(rows), ..Exported::default() }
        }
        Some(format) => {
            let mut export = Export {
                view: &view,
                graph: &graph,
                parts: args.parts()?,
                lists: Lists::default(),
                nodes: nodes_of(&graph, &view)?,
                merged: merged(&graph, &view, args.as_of.position.is_none()),
                name: &name,
                progress: &progress,
            };
            let mut options =
                ExportOptions { base: args.base.clone(), provenance: true, ..ExportOptions::default() };
            if format != InterchangeFormat::Jsonl {
                export.look_ahead(&mut options)?;
            }
            let out = exporter(format, &options, &mut out).map_err(|error| failure(&name, error))?;
            export.write(out)?
        }
    };
    out.finish()?;
    progress.finish();
    if args.json {
        console.print_json(&exported)?;
    } else if !is_stdout {
        let what = match exported.rows {
            Some(rows) => format!("{} rows", grouped(rows)),
            None => format!(
                "{} nodes, {} facts, {} edges",
                grouped(exported.nodes),
                grouped(exported.facts),
                grouped(exported.edges)
            ),
        };
        console.print(&format!("{what} went to {name}\n"))?;
    }
    if let Some(cells) = exported.cells_of_several.filter(|&cells| cells > 0 && format.has_flat_cells()) {
        console.tell(&match format {
            GraphFormat::Graphml => format!(
                "note: {} fields of nodes have several values: the first stands under the field, all of them as a JSON list under \
                 `values`, names under `aliases`",
                grouped(cells)
            ),
            _ => format!("note: {} cells hold several values, as a JSON list like [\"a\",\"b\"]", grouped(cells)),
        });
    }
    Ok(Outcome::Complete)
}

/// The nodes that had members, in order.
fn nodes_of(graph: &Graph, view: &GraphView<'_>) -> Result<Vec<NodeId>, Failure> {
    if view.position().is_none_or(|position| position + 1 == graph.position()) {
        return Ok(graph.engine().node_ids().collect());
    }
    let mut nodes = BTreeSet::new();
    view.assignments(&mut |assignment| {
        nodes.insert(assignment.node);
        Ok(())
    })?;
    Ok(nodes.into_iter().collect())
}

/// Identifiers that lead to a node, by that node.
fn merged(graph: &Graph, view: &GraphView<'_>, is_present: bool) -> BTreeMap<NodeId, Vec<NodeId>> {
    let mut merged: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    if is_present {
        for (from, to) in graph.engine().redirects() {
            merged.entry(to).or_default().push(from);
        }
        return merged;
    }
    // Whatever was merged then is known now: merged still, or a node again.
    let known: BTreeSet<NodeId> =
        graph.engine().redirects().map(|(from, _)| from).chain(graph.engine().node_ids()).collect();
    for from in known {
        let to = view.resolve(from);
        if to != from {
            merged.entry(to).or_default().push(from);
        }
    }
    merged
}

/// Which parts of a graph a file holds.
#[derive(Debug, Clone, Copy)]
struct Parts {
    nodes: bool,
    facts: bool,
    edges: bool,
    /// Whether the fields must be known beforehand, and a field has one cell for all of its values.
    has_columns: bool,
}

impl Args {
    fn parts(&self) -> Result<Parts, Failure> {
        let all = Parts { nodes: true, facts: true, edges: true, has_columns: false };
        let of_table = |table| Parts {
            nodes: table == GraphTable::Nodes,
            facts: table == GraphTable::Facts,
            edges: table == GraphTable::Edges,
            has_columns: true,
        };
        Ok(match GraphFormat::choose(self.format, &self.file)? {
            GraphFormat::Csv => of_table(self.table),
            #[cfg(feature = "parquet")]
            GraphFormat::Parquet => of_table(self.table),
            GraphFormat::Graphml => Parts { facts: false, has_columns: true, ..all },
            // RDF is told of facts, too: they say from which sources a node is known.
            _ => all,
        })
    }
}

struct Export<'a> {
    parts: Parts,
    lists: Lists,
    view: &'a GraphView<'a>,
    graph: &'a Graph,
    nodes: Vec<NodeId>,
    merged: BTreeMap<NodeId, Vec<NodeId>>,
    name: &'a str,
    progress: &'a Progress,
}

impl Export<'_> {
    /// Formats with columns must know them beforehand, and all but JSONL what is a list.
    fn look_ahead(&mut self, options: &mut ExportOptions) -> Result<(), Failure> {
        self.progress.step("looking at the fields");
        let Parts { nodes, facts, has_columns, .. } = self.parts;
        if has_columns && nodes {
            for &id in &self.nodes {
                if let Some(node) = self.view.node(id)? {
                    node.properties.iter().for_each(|(field, ..)| options.schema.see_node_field(field));
                }
            }
        }
        if !nodes && !facts {
            return Ok(());
        }
        let mut lists = Lists::default();
        self.each_fact(&mut |fact| {
            if nodes {
                lists.see_fact(&fact.fact);
            }
            if has_columns && facts {
                options.schema.see_fact(&fact.fact);
            }
            Ok(())
        })?;
        self.lists = lists;
        Ok(())
    }

    fn write(&mut self, mut out: Box<dyn Exporter + '_>) -> Result<Exported, Failure> {
        let mut exported = Exported::default();
        let mut cells_of_several = 0;
        let failed = |error| failure(self.name, error);
        self.progress.step("writing nodes");
        let nodes = if self.parts.nodes { &self.nodes[..] } else { &[] };
        for &id in nodes {
            let Some(view) = self.view.node(id)? else { continue };
            let mut node = ExportedNode::from(view);
            node.redirects = self.merged.remove(&id).unwrap_or_default();
            self.lists.part(&mut node);
            cells_of_several += node.cells_of_several();
            out.node(&node).map_err(failed)?;
            exported.nodes += 1;
        }
        self.progress.step("writing facts");
        if self.parts.facts {
            self.each_fact(&mut |fact| {
                exported.facts += 1;
                cells_of_several += lists_of(&fact.fact);
                out.fact(fact).map_err(failed)
            })?;
        }
        self.progress.step("writing edges");
        let nodes = if self.parts.edges { &self.nodes[..] } else { &[] };
        for &id in nodes {
            let Some(view) = self.view.node(id)? else { continue };
            for (from, predicate, to) in view.edges {
                // Those that come from elsewhere are written there.
                if from == id {
                    out.edge(&GraphEdge { from, predicate, to }).map_err(failed)?;
                    exported.edges += 1;
                }
            }
        }
        out.finish().map_err(failed)?;
        exported.cells_of_several = self.parts.has_columns.then_some(cells_of_several);
        Ok(exported)
    }

    /// Visits the facts with their nodes, in the order of the log.
    fn each_fact(&self, visit: &mut dyn FnMut(&ExportedFact) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut pending: Vec<Assignment> = Vec::new();
        let mut stopped = None;
        let visited = self.view.assignments(&mut |assignment| {
            if pending.first().is_some_and(|first| first.log_position != assignment.log_position) {
                self.fact_of(&pending).and_then(|fact| fact.map_or(Ok(()), |fact| visit(&fact))).map_err(
                    |failure| {
                        stopped = Some(failure);
                        // Ends the visit; what is told is the failure.
                        OperationError::Store(StoreError::io("export", io::ErrorKind::Other.into()))
                    },
                )?;
                pending.clear();
            }
            pending.push(assignment.clone());
            Ok(())
        });
        if let Some(failure) = stopped {
            return Err(failure);
        }
        visited?;
        self.fact_of(&pending)?.map_or(Ok(()), |fact| visit(&fact))
    }

    /// The fact that some assignments, all of the same position, speak of.
    fn fact_of(&self, assignments: &[Assignment]) -> Result<Option<ExportedFact>, Failure> {
        let Some(first) = assignments.first() else { return Ok(None) };
        let Some(fact) = self.graph.fact_at(first.log_position)? else { return Ok(None) };
        let is_triple = matches!(fact.content, FactContent::Triple { .. });
        let roles = if is_triple { [Role::Subject, Role::Object] } else { [Role::Whole; 2] };
        let mentions = roles.into_iter().zip(assignments.iter().map(|assignment| assignment.node)).collect();
        Ok(Some(ExportedFact { position: first.log_position, fact, mentions, recorded_s: first.recorded_s }))
    }
}

/// Fields of a record that are lists of several values.
fn lists_of(fact: &Fact) -> u64 {
    let FactContent::Record(fields) = &fact.content else { return 0 };
    fields.iter().filter(|field| matches!(&field.value, FieldValue::List(items) if items.len() > 1)).count()
        as u64
}
