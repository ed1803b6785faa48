//! `cortexkg import`: a graph from elsewhere.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use cortexkg::{EngineConfig, Fact, GraphEdge, KnowledgeGraph, NodeId};
use cortexkg_interchange::{DEFAULT_BASE, ExportedFact, ImportOptions, ImportedGraph, import, printable};
use cortexkg_store::Sync;
use serde::Serialize;

use crate::clock;
use crate::config_file::ConfigArgs;
use crate::console::Console;
use crate::durable::COMMIT_FACTS;
use crate::failure::{Failure, Outcome};
use crate::graph::{Graph, check_unfilled, ckg, close, directory_of, notes_of, to_create};
use crate::input::{Rejection, decode};
use crate::interchange::{GraphFormat, GraphTable, failure};
use crate::outputs::OutputFile;
use crate::progress::Progress;
use crate::rejects::Rejects;
use crate::report::grouped;
use crate::stop::{NOTHING_IN, STDIN_BYTES, Stop, StoppableInput, StoppableStdin};

/// Options of `cortexkg import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nodes are taken as they are: nothing is decided. Into an empty directory they keep their identifiers; in a graph that is there
already they get new ones, and facts that it holds already (the same record of the same source) are rejected, with the nodes that
have no others. A .ckg goes into an empty directory only and gives the same graph bit for bit; one that is
compressed or comes through a pipe is unpacked in the directory for temporary files (TMPDIR) first. From JSONL come
the facts as well; other formats bring nodes and edges, and what a node says becomes a fact named graph:ID. An import that is
cut off leaves a part behind, except of a .ckg: import into a new directory then. Ctrl-C and SIGTERM end it after the
batch at hand. To have records decided on, use `allocate`.

Exit codes: as of `allocate`.

Example:
  cortexkg import graph.ckg --data graph
  cortexkg import nodes.csv --edges edges.csv --data graph
  cortexkg import dump.ttl.gz --data graph
  cortexkg export - --format jsonl --data old | cortexkg import - --format jsonl --data graph")]
pub struct Args {
    /// The file to read, or - for standard input, with --format. gzip and zstd are undone.
    pub file: PathBuf,
    /// A table of edges that belongs to a table of nodes.
    #[arg(long, value_name = "FILE")]
    pub edges: Option<PathBuf>,
    /// Format [default: by the name of the file].
    #[arg(long, value_enum)]
    pub format: Option<GraphFormat>,
    /// What stands before n17 in the IRI of a node that brings its identifier (RDF).
    #[arg(long, value_name = "IRI", default_value = DEFAULT_BASE)]
    pub base: String,
    /// Name of the source: blank nodes mean something only within it [default: the name of the file].
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// What to take for granted, for facts that come later; a .ckg brings its own.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Write every rejected record: one JSON object per line, with line, record, field and message.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Print one JSON object that tells how much was taken in.
    #[arg(long)]
    pub json: bool,
}

#[derive(Default, Serialize)]
struct Imported {
    nodes: u64,
    facts: u64,
    edges: u64,
    redirects: u64,
    rejected: u64,
    /// Values beyond what a node may hold.
    left_out: u64,
    /// Literals (RDF) that were taken without their language or datatype.
    untagged: u64,
    /// Position that the next operation gets.
    position: u64,
    state_hash: String,
}

/// Takes the graph in.
///
/// # Errors
/// Where the file cannot be used, or the graph not be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let directory = directory_of(data)?;
    let format = GraphFormat::choose(args.format, &args.file)?;
    let config = args.config.read()?;
    if let Some(option) = args.config.given().filter(|_| format == GraphFormat::Ckg) {
        return Err(Failure::Usage(format!(
            "a .ckg has the configuration of its graph in it; leave {option} out"
        )));
    }
    let mut imported = Imported::default();
    let stop = Stop::on_signals()?;
    let graph = if format == GraphFormat::Ckg {
        check_unfilled(directory, "--data")?;
        let piped = is_stdin(&args.file).then(|| stdin(console, &stop));
        let file = ckg::CkgFile::open(&args.file, piped, &name_of(&args.file));
        if stop.is_asked() {
            return Err(Failure::Run(NOTHING_IN.to_owned()));
        }
        let file = file?;
        let progress = Progress::of_rows(console.draws_progress, file.rows());
        let read = file.into_graph(directory, &stop, &progress);
        progress.finish();
        let graph = read?;
        let counts = graph.view(None)?.counts()?;
        (imported.nodes, imported.facts) = (counts.nodes, counts.facts);
        (imported.edges, imported.redirects) = (counts.edges.unwrap_or_default(), counts.redirects);
        graph
    } else {
        let mut rejects = Rejects::new(match &args.rejects {
            Some(path) => Some(OutputFile::create(path)?),
            None => None,
        });
        let read = read(args, format, &mut rejects, &stop, console);
        if stop.is_asked() {
            return Err(Failure::Run(NOTHING_IN.to_owned()));
        }
        let read = read?;
        let facts = read.facts.len() as u64;
        let of_engine = config.over(EngineConfig::default());
        let graph = to_create(directory, of_engine, None)?;
        config.check_bound(graph.inhibition())?;
        let notes = notes_of(&graph).into_iter().chain(config.note_on_silence(graph.fields_given()));
        notes.for_each(|note| console.tell(&note));
        let mut taking =
            Taking { graph, imported, filled: HashSet::new(), rejects: &mut rejects, stop: &stop, console };
        let progress = taking.take_in(read)?;
        let Taking { graph, imported: taken, .. } = taking;
        imported = taken;
        if progress == Extent::Part {
            close(graph)?.told(console);
            return Err(cut_off(&imported, facts, directory));
        }
        imported.rejected = rejects.count();
        config.notes(&graph.engine().model()).iter().for_each(|note| console.tell(note));
        rejects.finish()?.iter().for_each(|note| console.tell(note));
        graph
    };
    imported.position = graph.position();
    imported.state_hash = graph.state_hash()?.to_string();
    close(graph)?.told(console);
    if args.json {
        console.print_json(&imported)?;
    } else {
        console.print(&format!(
            "{} nodes, {} facts and {} edges are in {}\n state hash  {}\n",
            grouped(imported.nodes),
            grouped(imported.facts),
            grouped(imported.edges),
            directory.display(),
            console.out_palette.faint(&imported.state_hash)
        ))?;
    }
    if imported.left_out > 0 {
        console.tell(&format!(
            "note: {} values were left out; a node holds only so many of one field",
            grouped(imported.left_out)
        ));
    }
    if imported.untagged > 0 {
        console.tell(&format!(
            "note: {} literals were taken without their language tag or datatype; values in a graph are plain text",
            grouped(imported.untagged)
        ));
    }
    Ok(if imported.rejected > 0 { Outcome::WithRejections } else { Outcome::Complete })
}

/// Reads the files whole.
fn read(
    args: &Args,
    format: GraphFormat,
    rejects: &mut Rejects,
    stop: &Stop,
    console: &mut Console<'_>,
) -> Result<ImportedGraph, Failure> {
    let mut graph = read_file(args, &args.file, format, GraphTable::Nodes, rejects, stop, console)?;
    if let Some(edges) = &args.edges {
        if format != GraphFormat::Csv {
            return Err(Failure::Usage(
                "--edges goes with a CSV table of nodes; other formats hold their edges".into(),
            ));
        }
        graph.append(read_file(args, edges, format, GraphTable::Edges, rejects, stop, console)?);
    }
    Ok(graph)
}

fn read_file(
    args: &Args,
    path: &Path,
    format: GraphFormat,
    table: GraphTable,
    rejects: &mut Rejects,
    stop: &Stop,
    console: &mut Console<'_>,
) -> Result<ImportedGraph, Failure> {
    let name = name_of(path);
    let unusable = |error: std::io::Error| {
        Failure::Usage(format!("cannot read {name}: {error}; check the path and the permissions"))
    };
    let Some(format) = format.interchange(table) else {
        return Err(Failure::Usage(format!("{name}: a .ckg is imported by itself")));
    };
    let (input, file_name): (Box<dyn Read + '_>, String) = if is_stdin(path) {
        (stdin(console, stop), "stdin".to_owned())
    } else {
        let file_name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        (
            Box::new(StoppableInput { input: File::open(path).map_err(unusable)?, stop: stop.clone() }),
            file_name,
        )
    };
    let (_, reader) = decode(input).map_err(unusable)?;
    let options = ImportOptions {
        base: args.base.clone(),
        source: args.source.clone().unwrap_or(file_name),
        ..ImportOptions::default()
    };
    let mut failed = None;
    let read = import(format, reader, &options, &mut |rejection: Rejection| {
        let noted = note(rejects, &rejection, console);
        failed = failed.take().or(noted.err());
    });
    match failed {
        Some(failure) => Err(failure),
        None => read.map_err(|error| failure(&name, error)),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn name_of(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Standard input, which the console gives away: it can be read once.
fn stdin<'c>(console: &mut Console<'c>, stop: &Stop) -> Box<dyn Read + 'c> {
    let input = std::mem::replace(&mut console.input, Box::new(io::empty()));
    Box::new(BufReader::with_capacity(STDIN_BYTES, StoppableStdin { input, stop: stop.clone() }))
}

/// What there is of a graph when an import was asked to end.
fn cut_off(imported: &Imported, facts: u64, directory: &Path) -> Failure {
    Failure::Run(format!(
        "asked to end; {} of {} facts are in {}, whose nodes and edges are not complete: remove it, or leave it as it is, and \
         import the file again into a new directory",
        grouped(imported.facts),
        grouped(facts),
        directory.display()
    ))
}

fn note(rejects: &mut Rejects, rejection: &Rejection, console: &mut Console<'_>) -> Result<(), Failure> {
    if rejects.note(rejection)? {
        let word = console.err_palette.warning("rejected:");
        console.tell(&format!("{word} {rejection}"));
    }
    Ok(())
}

/// A fact with the nodes of its mentions, and when it was recorded.
type Placed = (Fact, Vec<NodeId>, Option<i64>);

/// How much of a graph was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// What was in when it was asked to end.
    Part,
}

struct Taking<'a, 'c> {
    graph: Graph,
    imported: Imported,
    /// Nodes that have got a fact.
    filled: HashSet<NodeId>,
    rejects: &'a mut Rejects,
    stop: &'a Stop,
    console: &'a mut Console<'c>,
}

impl Taking<'_, '_> {
    fn take_in(&mut self, mut read: ImportedGraph) -> Result<Extent, Failure> {
        self.leave_out_known(&mut read)?;
        if self.graph.position() > 0 {
            read.renumber(self.graph.engine().next_node_id());
        }
        read.nodes.sort_by_key(|node| node.id);
        let (known, left_out) = read.to_knowledge_graph();
        self.imported.left_out = left_out;
        self.imported.untagged = read.untagged;
        // Identifiers that lead to others are taken, too.
        let mut redirects: Vec<(NodeId, NodeId)> = read
            .nodes
            .iter()
            .flat_map(|node| node.redirects.iter().map(move |&from| (from, node.id)))
            .collect();
        let leads_to: HashMap<NodeId, NodeId> = redirects.iter().copied().collect();
        let mut ids: BTreeSet<NodeId> = redirects.iter().map(|&(from, _)| from).collect();
        ids.extend(read.nodes.iter().map(|node| node.id));
        if ids.is_empty() {
            return Ok(Extent::Whole);
        }
        self.graph.set_time(Some(clock::now_s()));
        self.graph.open_nodes(ids.into_iter().collect())?;
        let stated: BTreeSet<NodeId> =
            read.facts.iter().flat_map(|fact| fact.mentions.iter().map(|&(_, node)| node)).collect();
        let mut facts: Vec<Placed> = Vec::with_capacity(read.facts.len());
        read.facts.sort_by_key(|fact| fact.position);
        for fact in read.facts {
            let nodes = fact.mentions.iter().map(|&(_, node)| node).collect();
            facts.push((fact.fact, nodes, fact.recorded_s));
        }
        // What is said of a node without facts becomes one.
        for node in &known.nodes {
            if let Some(id) = node.id.filter(|id| !stated.contains(id)) {
                facts.extend(node.facts(id).into_iter().map(|fact| (fact, vec![id], None)));
            }
        }
        if self.place(&facts, &leads_to)? == Extent::Part {
            return Ok(Extent::Part);
        }
        // A node whose facts were all refused is empty: nothing leads to it.
        let is_filled = |node: NodeId| self.filled.contains(&leads_to.get(&node).copied().unwrap_or(node));
        read.edges.retain(|edge| is_filled(edge.from) && is_filled(edge.to));
        redirects.retain(|&(_, to)| is_filled(to));
        self.imported.nodes = self.filled.len() as u64;
        for (from, to) in redirects {
            self.graph.redirect(from, to)?;
            self.imported.redirects += 1;
        }
        self.tie(read.edges)?;
        Ok(Extent::Whole)
    }

    /// Rejects facts that are in the graph, or stand twice in the file, before anything is made for them: a node whose facts are all
    /// refused would be empty.
    fn leave_out_known(&mut self, read: &mut ImportedGraph) -> Result<(), Failure> {
        let mut seen = HashSet::new();
        let mut is_out = Vec::with_capacity(read.facts.len());
        for (number, ExportedFact { fact, .. }) in (1..).zip(&read.facts) {
            let source = fact.source.as_deref();
            let message = match fact.record_id.as_deref() {
                None => None,
                Some(id) if self.graph.find(source, id)?.is_some() => {
                    let of_source =
                        source.map_or_else(String::new, |source| format!(" --source {}", printable(source)));
                    Some(format!(
                        "is already in the graph, and stays as it is there; to take this one, \
                         `cortexkg forget fact {}{of_source}` first",
                        printable(id)
                    ))
                }
                Some(id) if !seen.insert((source, id)) => Some(
                    "stands twice in the file, the first stays; give each fact its own record_id".to_owned(),
                ),
                Some(_) => None,
            };
            if let Some(message) = &message {
                let rejection = Rejection::at(number, message).record(fact.record_id.as_deref());
                note(self.rejects, &rejection, self.console)?;
            }
            is_out.push(message.is_some());
        }
        drop(seen);
        let left_out = read.leave_out(&is_out);
        if left_out.nodes > 0 {
            self.console.tell(&format!(
                "note: {} nodes were left out, since none of their facts is new, and {} edges with them",
                grouped(left_out.nodes),
                grouped(left_out.edges)
            ));
        }
        Ok(())
    }

    /// Takes facts in, those recorded at one time together.
    fn place(&mut self, facts: &[Placed], leads_to: &HashMap<NodeId, NodeId>) -> Result<Extent, Failure> {
        let progress = Progress::of_rows(self.console.draws_progress, facts.len() as u64);
        let now = clock::now_s();
        let mut placed = 0;
        for part in facts.chunk_by(|a, b| a.2 == b.2).flat_map(|part| part.chunks(COMMIT_FACTS)) {
            if self.stop.is_asked() {
                progress.finish();
                return Ok(Extent::Part);
            }
            self.graph.set_time(part.first().and_then(|fact| fact.2).or(Some(now)));
            let batch = part.iter().map(|(fact, nodes, _)| (fact.clone(), nodes.clone())).collect();
            let results = self.graph.place_facts(batch, Sync::Lazy)?;
            for ((fact, nodes, _), result) in part.iter().zip(results) {
                placed += 1;
                match result {
                    Ok(_) => {
                        self.imported.facts += 1;
                        self.filled.extend(nodes.iter().map(|node| leads_to.get(node).unwrap_or(node)));
                    }
                    Err(error) => {
                        let id = fact.record_id.as_deref().unwrap_or_default();
                        let rejection = Rejection::refused(placed, id, &error);
                        progress.aside(|| note(self.rejects, &rejection, self.console))?;
                    }
                }
            }
            progress.rows(placed);
        }
        self.graph.set_time(Some(now));
        progress.finish();
        Ok(Extent::Whole)
    }

    /// Adds the edges that facts have not brought already.
    fn tie(&mut self, mut edges: Vec<GraphEdge>) -> Result<(), Failure> {
        edges.sort_by_key(|edge| edge.from);
        let mut missing = Vec::new();
        for of_one in edges.chunk_by(|a, b| a.from == b.from) {
            let from = of_one.first().map(|edge| edge.from);
            let there = from.and_then(|from| self.graph.engine().node(from)).map(|node| node.edges);
            let there: BTreeSet<_> = there.unwrap_or_default().into_iter().collect();
            let lacks = |edge: &&GraphEdge| !there.contains(&(edge.from, edge.predicate.clone(), edge.to));
            missing.extend(of_one.iter().filter(lacks).cloned());
        }
        self.imported.edges = edges.len() as u64;
        self.graph.load_graph(&KnowledgeGraph { nodes: Vec::new(), edges: missing })?;
        Ok(())
    }
}
