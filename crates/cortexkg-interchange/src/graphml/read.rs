//! GraphML back to a graph. A node or edge that cannot be taken costs itself; broken XML ends the reading.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};

use cortexkg::{GraphEdge, NodeId};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::escape::unescape;
use super::{ALIASES_KEY, GRAPH_KEY, LABEL_KEY, PREDICATE_KEY, REDIRECTS_KEY, RESERVED, VALUES_KEY};
use crate::builder::{GraphBuilder, missing_node};
use crate::csv_write::parse_list;
use crate::error::InterchangeError;
use crate::export::Result;
use crate::guard::{Guarded, Limits, Progress, read_error};
use crate::import::ImportOptions;
use crate::model::{ExportedNode, ImportedGraph, Property};
use crate::names::{column_field, parse_node_id};
use crate::rejection::{Rejection, printable};

/// Deepest nesting of elements: graphs may stand in nodes, and drawings in data.
const DEPTH_MAX: usize = 64;
/// What an edge says that says nothing.
const RELATED: &str = "related";

pub(crate) fn import(
    reader: impl BufRead,
    options: &ImportOptions,
    builder: GraphBuilder<'_>,
) -> Result<ImportedGraph> {
    let pending_bytes_max = Some(options.record_bytes_max as u64);
    let limits =
        Limits { bytes_max: options.bytes_max, pending_bytes_max, is_by_line: true, ..Limits::default() };
    let (guarded, progress) = Guarded::new(reader, limits);
    let mut xml = quick_xml::Reader::from_reader(BufReader::new(guarded));
    let mut document = Document::new(builder, progress, options.record_bytes_max);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = xml.read_event_into(&mut buffer).map_err(|error| document.broken(error))?;
        document.progress.settle();
        match event {
            Event::Start(start) => document.start(&start)?,
            Event::Empty(start) => {
                document.start(&start)?;
                document.end()?;
            }
            Event::End(_) => document.end()?,
            Event::Text(text) => document.text(&text.xml10_content())?,
            Event::CData(text) => document.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => document.reference(&reference)?,
            Event::DocType(_) => {
                let message =
                    "a document type is not read, since entities could be anything; remove <!DOCTYPE …>";
                return Err(document.syntax(message.to_owned()));
            }
            Event::Eof => return document.finish(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// An element that is open.
enum Open {
    Node(usize),
    Edge(PendingEdge),
    /// Its text is gathered in [`Document::data`], as the value of this key.
    Data(String),
    /// Text of a drawing, such as yEd's label of a node.
    DrawnLabel,
    Other,
}

struct PendingNode {
    name: String,
    line: u64,
    data: Vec<(String, String)>,
}

struct PendingEdge {
    source: String,
    target: String,
    line: u64,
    data: Vec<(String, String)>,
}

struct Document<'a> {
    builder: GraphBuilder<'a>,
    progress: Progress,
    text_bytes_max: usize,
    open: Vec<Open>,
    /// What the data of each key are called.
    keys: HashMap<String, String>,
    nodes: Vec<PendingNode>,
    edges: Vec<PendingEdge>,
    data: String,
    is_ours: bool,
    has_root: bool,
}

impl<'a> Document<'a> {
    fn new(builder: GraphBuilder<'a>, progress: Progress, text_bytes_max: usize) -> Self {
        Self {
            builder,
            progress,
            text_bytes_max,
            open: Vec::new(),
            keys: HashMap::new(),
            nodes: Vec::new(),
            edges: Vec::new(),
            data: String::new(),
            is_ours: false,
            has_root: false,
        }
    }

    fn syntax(&self, message: String) -> InterchangeError {
        InterchangeError::Syntax { line: self.progress.line(), message }
    }

    fn broken(&self, error: quick_xml::Error) -> InterchangeError {
        match error {
            quick_xml::Error::Io(error) => {
                let error = std::sync::Arc::try_unwrap(error);
                let line = self.progress.line();
                match error {
                    Ok(error) => read_error(line, error),
                    Err(shared) => InterchangeError::Read { line, source: std::io::Error::other(shared) },
                }
            }
            error => self.syntax(format!("no valid XML: {error}; correct it there")),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<()> {
        if self.open.len() == DEPTH_MAX {
            return Err(
                self.syntax(format!("elements are nested deeper than {DEPTH_MAX} levels; flatten them"))
            );
        }
        let line = self.progress.line();
        let local_name = start.local_name();
        let name: &str = local_name.as_ref();
        if !self.has_root && name != "graphml" {
            return Err(
                self.syntax(format!("the document is no GraphML: it begins with <{}>", printable(name)))
            );
        }
        self.has_root = true;
        let in_data = self.open.iter().any(|open| matches!(open, Open::Data(_)));
        let open = match name {
            "NodeLabel" | "EdgeLabel" if in_data => Open::DrawnLabel,
            _ if in_data => Open::Other,
            "key" => {
                if let Some(id) = self.attribute(start, "id")? {
                    let called = self.attribute(start, "attr.name")?.unwrap_or_else(|| id.clone());
                    self.builder.charge(line, id.len() + called.len())?;
                    self.keys.insert(id, called);
                }
                Open::Other
            }
            "node" => {
                let name = self.required(start, "id")?;
                self.builder.charge(line, name.len())?;
                self.nodes.push(PendingNode { name, line, data: Vec::new() });
                Open::Node(self.nodes.len() - 1)
            }
            "edge" => {
                let (source, target) = (self.required(start, "source")?, self.required(start, "target")?);
                self.builder.charge(line, source.len() + target.len())?;
                Open::Edge(PendingEdge { source, target, line, data: Vec::new() })
            }
            "hyperedge" => {
                let message = "an edge of more than two ends has no place in the graph; split it";
                self.builder.reject(Rejection::at(line, message).field("hyperedge"));
                Open::Other
            }
            "data" => {
                self.data.clear();
                Open::Data(self.required(start, "key")?)
            }
            _ => Open::Other,
        };
        self.open.push(open);
        Ok(())
    }

    fn attribute(&self, start: &BytesStart<'_>, name: &str) -> Result<Option<String>> {
        for attribute in start.attributes() {
            let attribute =
                attribute.map_err(|error| self.syntax(format!("no valid XML: {error}; correct it there")))?;
            if attribute.key.as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                let value =
                    value.map_err(|error| self.syntax(format!("no valid XML: {error}; correct it there")))?;
                return Ok(Some(value.into_owned()));
            }
        }
        Ok(None)
    }

    fn required(&self, start: &BytesStart<'_>, name: &str) -> Result<String> {
        self.attribute(start, name)?.ok_or_else(|| {
            let element = start.local_name();
            let element: &str = element.as_ref();
            self.syntax(format!("<{}> lacks the attribute {name}; add it", printable(element)))
        })
    }

    fn text(&mut self, text: &str) -> Result<()> {
        if !matches!(self.open.last(), Some(Open::Data(_) | Open::DrawnLabel)) {
            return Ok(());
        }
        if self.data.len() + text.len() > self.text_bytes_max {
            let limit = self.text_bytes_max;
            return Err(
                self.syntax(format!("the data has more than {limit} bytes; shorten it, or raise the limit"))
            );
        }
        self.data.push_str(text);
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<()> {
        let character = reference.resolve_char_ref().map_err(|error| self.broken(error))?;
        let name: &str = reference;
        let text = match (character, name) {
            (Some(character), _) => character.to_string(),
            (None, "amp") => "&".to_owned(),
            (None, "lt") => "<".to_owned(),
            (None, "gt") => ">".to_owned(),
            (None, "quot") => "\"".to_owned(),
            (None, "apos") => "'".to_owned(),
            (None, other) => {
                let message =
                    format!("the entity &{}; is not read; write its text instead", printable(other));
                return Err(self.syntax(message));
            }
        };
        self.text(&text)
    }

    fn end(&mut self) -> Result<()> {
        match self.open.pop() {
            Some(Open::Edge(edge)) => self.edges.push(edge),
            Some(Open::Data(key)) => self.end_data(&key)?,
            _ => {}
        }
        Ok(())
    }

    /// Gives the text that was gathered to the node or edge around it.
    fn end_data(&mut self, key: &str) -> Result<()> {
        let value = std::mem::take(&mut self.data);
        let called = self.keys.get(key).cloned().unwrap_or_else(|| key.to_owned());
        let line = self.progress.line();
        match self.open.last_mut() {
            Some(Open::Node(position)) => {
                self.builder.charge(line, called.len() + value.len())?;
                if let Some(node) = self.nodes.get_mut(*position) {
                    node.data.push((called, value));
                }
            }
            Some(Open::Edge(edge)) => {
                self.builder.charge(line, called.len() + value.len())?;
                edge.data.push((called, value));
            }
            _ if called == GRAPH_KEY => self.is_ours = true,
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<ImportedGraph> {
        if !self.open.is_empty() || !self.has_root {
            return Err(self.syntax("the document ends too early; get the file again".to_owned()));
        }
        let Self { mut builder, nodes, edges, is_ours, .. } = self;
        let text = |text: String| if is_ours { unescape(&text) } else { text };
        let mut ids = number(&nodes, &mut builder);
        let mut taken = HashSet::new();
        for node in nodes {
            let Some(&id) = ids.get(&node.name) else { continue };
            let mut filled = ExportedNode::new(id);
            let mut problem = None;
            // What holds all values makes the commonest of each field superfluous.
            let has_values = is_ours && node.data.iter().any(|(called, _)| called == VALUES_KEY);
            for (called, value) in node.data {
                if has_values && !RESERVED.contains(&&*called) {
                    continue;
                }
                let value = text(value);
                if let Err(message) = fill(&mut filled, &text(called.clone()), value, is_ours) {
                    problem = Some(Rejection::at(node.line, message).record(Some(&node.name)).field(&called));
                }
            }
            if filled.label.is_empty() && filled.properties.is_empty() && filled.aliases.is_empty() {
                filled.label.clone_from(&node.name);
            }
            let name = node.name;
            let is_taken = match problem {
                Some(rejection) => {
                    builder.reject(rejection);
                    false
                }
                None => builder.node(node.line, &name, filled)?,
            };
            if !is_taken && !taken.contains(&id) {
                ids.remove(&name);
            }
            if is_taken {
                taken.insert(id);
            }
        }
        for edge in edges {
            let ends = [("source", &edge.source), ("target", &edge.target)];
            if let Some((field, missing)) = ends.into_iter().find(|(_, end)| !ids.contains_key(*end)) {
                builder.reject(missing_node(edge.line, printable(missing)).field(field));
                continue;
            }
            let data = |name: &str| {
                edge.data.iter().find(|(called, value)| called == name && !value.trim().is_empty())
            };
            let said = data(PREDICATE_KEY).or_else(|| data(LABEL_KEY)).or_else(|| data("EdgeLabel"));
            let predicate = said.map_or_else(|| RELATED.to_owned(), |(_, value)| text(value.clone()));
            if let (Some(&from), Some(&to)) = (ids.get(&edge.source), ids.get(&edge.target)) {
                builder.edge(edge.line, GraphEdge { from, predicate, to })?;
            }
        }
        Ok(builder.finish())
    }
}

/// Puts a value where it belongs.
fn fill(
    node: &mut ExportedNode,
    called: &str,
    value: String,
    is_ours: bool,
) -> std::result::Result<(), String> {
    match called {
        _ if value.trim().is_empty() => {}
        LABEL_KEY => {
            // Elsewhere a label is a name; ours is made of the values.
            if !is_ours {
                node.aliases.push(value.clone());
            }
            node.label = value;
        }
        ALIASES_KEY if is_ours => node.aliases = parse_list(&value).ok_or("must be a JSON array of texts")?,
        REDIRECTS_KEY if is_ours => {
            let redirects = parse_list(&value).ok_or("must be a JSON array of texts")?;
            let redirects: Option<Vec<NodeId>> = redirects.iter().map(|text| parse_node_id(text)).collect();
            node.redirects = redirects.ok_or("must name nodes, like [\"n17\"]")?;
        }
        VALUES_KEY if is_ours => {
            let rows: Vec<(String, String, u32)> =
                serde_json::from_str(&value).map_err(|_| "must be a JSON array of [field, value, count]")?;
            let all =
                rows.into_iter().map(|(field, value, count)| Property { field, value, count: count.max(1) });
            node.properties = all.collect();
        }
        _ => {
            let field = if is_ours { column_field(called) } else { called };
            node.properties.push(Property::new(field, value));
        }
    }
    Ok(())
}

/// The identifiers of nodes: what they are called, if that is like `n17`; numbers above those for the others.
fn number(nodes: &[PendingNode], builder: &mut GraphBuilder<'_>) -> HashMap<String, NodeId> {
    let mut ids = HashMap::with_capacity(nodes.len());
    let mut next =
        nodes.iter().filter_map(|node| parse_node_id(&node.name)).map(|id| id.0 + 1).max().unwrap_or(0);
    for node in nodes {
        if ids.contains_key(&node.name) {
            continue;
        }
        let id = parse_node_id(&node.name).unwrap_or_else(|| {
            next += 1;
            NodeId(next - 1)
        });
        if id > NodeId::MAX {
            let message = format!("no identifier is left below {}; number the nodes lower", NodeId::MAX);
            builder.reject(Rejection::at(node.line, message).record(Some(&node.name)));
            continue;
        }
        ids.insert(node.name.clone(), id);
    }
    ids
}
