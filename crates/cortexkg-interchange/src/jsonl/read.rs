//! JSON Lines back to a graph, one line at a time.

use std::io::BufRead;

use cortexkg::{Fact, FactContent, Field, FieldValue, GraphEdge, NodeId, Term};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{END_KEY, HEADER_KEY, JsonlCounts, Shape, VERSION, WholeCheck, shape};
use crate::builder::GraphBuilder;
use crate::error::InterchangeError;
use crate::export::Result;
use crate::guard::{nothing_in, read_error};
use crate::json::{Kind, Members, kind, parse_object};
use crate::lines::{BoundedLines, Line};
use crate::model::{ExportedFact, ExportedNode, ImportedGraph, Property, Role};
use crate::names::parse_node_id;
use crate::rejection::{Rejection, printable};

/// A line of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonlElement {
    /// The first line, which says that this is a graph.
    Header,
    /// A node.
    Node(ExportedNode),
    /// A fact.
    Fact(Box<ExportedFact>),
    /// An edge.
    Edge(GraphEdge),
    /// The last line, which says how much there is.
    End(JsonlCounts),
}

/// Whether a line is the first one of an exported graph, in whatever version of the format.
pub fn is_graph_header(line: &[u8]) -> bool {
    matches!(element(line, 1), Ok(JsonlElement::Header) | Err(Problem::Version(_)))
}

/// What a line of an exported graph says. Bounds of facts are not checked here: the engine does.
///
/// # Errors
/// What is wrong with the line, and where.
pub fn graph_element(line: &[u8], number: u64) -> std::result::Result<JsonlElement, Rejection> {
    element(line, number).map_err(|problem| match problem {
        Problem::Rejected(rejection) => rejection,
        Problem::Version(version) => Rejection::at(number, newer(version)),
    })
}

fn newer(version: u64) -> String {
    format!(
        "the graph was written in version {version} of the format, this program reads {VERSION}; use a newer program"
    )
}

/// The elements of a graph, one line in memory at a time. Bounds of facts are not checked here: the engine does.
pub struct JsonlGraph<R> {
    lines: BoundedLines<R>,
    line: Vec<u8>,
    done: bool,
}

impl<R: BufRead> JsonlGraph<R> {
    /// Lines of `reader`, each of at most `record_bytes_max` bytes.
    pub fn new(reader: R, record_bytes_max: usize) -> Self {
        Self { lines: BoundedLines::new(reader, record_bytes_max), line: Vec::new(), done: false }
    }

    /// Number of the line read last, counted from 1.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }
}

impl<R: BufRead> Iterator for JsonlGraph<R> {
    /// An element, or a line that is refused; or an error after which nothing comes.
    type Item = Result<std::result::Result<JsonlElement, Rejection>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let read = self.lines.next_into(&mut self.line);
            let number = self.lines.number();
            match read {
                Ok(Line::Whole) if self.line.trim_ascii().is_empty() => {}
                Ok(Line::Whole) => {
                    return Some(match element(&self.line, number) {
                        Ok(element) => Ok(Ok(element)),
                        Err(Problem::Rejected(rejection)) => Ok(Err(rejection)),
                        Err(Problem::Version(version)) => {
                            self.done = true;
                            Err(InterchangeError::Syntax { line: number, message: newer(version) })
                        }
                    });
                }
                Ok(Line::TooLong(bytes)) => {
                    let limit = self.lines.limit();
                    let message =
                        format!("the line has {bytes} bytes, at most {limit} are taken; raise the limit");
                    return Some(Ok(Err(Rejection::at(number, message))));
                }
                Ok(Line::End) => self.done = true,
                Err(source) => {
                    self.done = true;
                    return Some(Err(read_error(number, source)));
                }
            }
        }
        None
    }
}

pub(crate) fn import(
    reader: impl BufRead,
    record_bytes_max: usize,
    mut builder: GraphBuilder<'_>,
) -> Result<ImportedGraph> {
    let mut elements = JsonlGraph::new(reader, record_bytes_max);
    // A file that does not say at its beginning that it is an export need not end like one.
    let mut whole: Option<WholeCheck> = None;
    let mut last = 0;
    while let Some(element) = elements.next() {
        let line = elements.line();
        last = line;
        let element = element?;
        match (&element, &mut whole) {
            (Ok(JsonlElement::Header), whole) => *whole = Some(WholeCheck::default()),
            (Ok(JsonlElement::End(counts)), Some(whole)) => whole.end(line, *counts),
            (_, Some(whole)) => whole.element(line),
            (_, None) => {}
        }
        match element {
            Ok(JsonlElement::Header | JsonlElement::End(_)) => {}
            Ok(JsonlElement::Node(node)) => drop(builder.node(line, &node.id.to_string(), node)?),
            Ok(JsonlElement::Fact(fact)) => builder.fact(line, *fact, elements.line.len())?,
            Ok(JsonlElement::Edge(edge)) => builder.edge(line, edge)?,
            Err(rejection) => builder.reject(rejection),
        }
    }
    if last == 0 {
        return Err(nothing_in());
    }
    if let Some(rejection) = whole.and_then(|whole| whole.finish(last)) {
        builder.reject(rejection);
    }
    Ok(builder.finish())
}

enum Problem {
    Rejected(Rejection),
    Version(u64),
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

type Found<T> = std::result::Result<T, Rejection>;

fn element(bytes: &[u8], line: u64) -> std::result::Result<JsonlElement, Problem> {
    let Members(members) = parse_object(bytes, line)?;
    let mut line_members = LineMembers { members, line };
    if let Some(value) = line_members.take(HEADER_KEY) {
        let version: u64 = line_members.read(HEADER_KEY, value, "the version of the format, a number")?;
        return if version == VERSION { Ok(JsonlElement::Header) } else { Err(Problem::Version(version)) };
    }
    let element = if let Some(value) = line_members.take(END_KEY) {
        JsonlElement::End(line_members.read(END_KEY, value, "an object with nodes, facts and edges")?)
    } else if let Some(value) = line_members.take("node") {
        JsonlElement::Node(node(&line_members, value)?)
    } else if let Some(value) = line_members.take("fact") {
        JsonlElement::Fact(Box::new(fact(&mut line_members, value)?))
    } else if let Some(value) = line_members.take("edge") {
        JsonlElement::Edge(edge(&line_members, value)?)
    } else {
        let message = "the object has no key node, fact or edge; this line is no part of an exported graph";
        return Err(Rejection::at(line, message).into());
    };
    if let Some((key, _)) = line_members.members.first() {
        let message = "the key is unknown or stands twice here; remove it";
        return Err(Rejection::at(line, message).field(key).into());
    }
    Ok(element)
}

/// The members of an object that are still to be read.
struct LineMembers<'a> {
    members: Vec<(String, &'a RawValue)>,
    line: u64,
}

impl<'a> LineMembers<'a> {
    fn take(&mut self, key: &str) -> Option<&'a RawValue> {
        let position = self.members.iter().position(|(member, _)| member == key)?;
        Some(self.members.remove(position).1)
    }

    fn read<T: DeserializeOwned>(&self, key: &str, value: &RawValue, what: &str) -> Found<T> {
        serde_json::from_str(value.get()).map_err(|error| {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Rejection::at(self.line, format!("{message}; must be {what}")).field(key)
        })
    }

    fn take_read<T: DeserializeOwned>(&mut self, key: &str, what: &str) -> Found<Option<T>> {
        match self.take(key) {
            Some(value) if kind(value) == Kind::Null => Ok(None),
            Some(value) => self.read(key, value, what).map(Some),
            None => Ok(None),
        }
    }

    fn node_id(&self, key: &str, text: &str) -> Found<NodeId> {
        parse_node_id(text).ok_or_else(|| {
            let message =
                format!("{} names no node; write it like n17, up to {}", printable(text), NodeId::MAX);
            Rejection::at(self.line, message).field(key)
        })
    }

    fn node_ids(&self, key: &str, texts: &[String]) -> Found<Vec<NodeId>> {
        texts.iter().map(|text| self.node_id(key, text)).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeLine {
    id: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    properties: Vec<(String, String, u32)>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    redirects: Vec<String>,
}

fn node(line: &LineMembers<'_>, value: &RawValue) -> Found<ExportedNode> {
    let what = "an object with id, label, properties, aliases and redirects";
    let NodeLine { id, label, properties, aliases, redirects } = line.read("node", value, what)?;
    Ok(ExportedNode {
        id: line.node_id("id", &id)?,
        label,
        properties: properties
            .into_iter()
            .map(|(field, value, count)| Property { field, value, count: count.max(1) })
            .collect(),
        aliases,
        redirects: line.node_ids("redirects", &redirects)?,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeLine {
    from: String,
    predicate: String,
    to: String,
}

fn edge(line: &LineMembers<'_>, value: &RawValue) -> Found<GraphEdge> {
    let EdgeLine { from, predicate, to } =
        line.read("edge", value, "an object with from, predicate and to")?;
    Ok(GraphEdge { from: line.node_id("from", &from)?, predicate, to: line.node_id("to", &to)? })
}

fn fact<'a>(line: &mut LineMembers<'a>, value: &'a RawValue) -> Found<ExportedFact> {
    let Members(members) = line.read_members(value)?;
    let mut inner = LineMembers { members, line: line.line };
    let record_id: Option<String> = inner.take_read("record_id", "a text")?;
    let refuse = |rejection: Rejection| match &record_id {
        Some(id) => rejection.record(Some(id)),
        None => rejection,
    };
    let mut read = || -> Found<ExportedFact> {
        let embedding = match inner.take("embedding") {
            Some(value) => Some(embedding(&inner, value)?),
            None => None,
        };
        let pairs: Option<Vec<(String, FieldValue)>> =
            line.take_read("fields", "a list of pairs of name and value")?;
        let mut fact = match pairs {
            Some(pairs) => Fact::record(pairs),
            None => content(&mut inner)?,
        };
        let is_record = matches!(fact.content, FactContent::Record(_));
        envelope(if is_record { &mut *line } else { &mut inner }, &mut fact)?;
        if let Some((key, _)) = inner.members.first() {
            let message = "the key is unknown or stands twice here; remove it";
            return Err(Rejection::at(line.line, message).field(key));
        }
        fact.embedding = embedding;
        fact.record_id.clone_from(&record_id);
        let nodes: Vec<String> = line
            .take_read("nodes", "a list of nodes, like [\"n17\"]")?
            .ok_or_else(|| missing(line.line, "nodes", "the nodes of its mentions, like [\"n17\"]"))?;
        let nodes = line.node_ids("nodes", &nodes)?;
        let roles: &[Role] = match fact.content {
            FactContent::Triple { .. } => &[Role::Subject, Role::Object],
            _ => &[Role::Whole],
        };
        if nodes.len() != roles.len() {
            let message =
                format!("{} nodes for {} mentions; give each mention one", nodes.len(), roles.len());
            return Err(Rejection::at(line.line, message).field("nodes"));
        }
        Ok(ExportedFact {
            position: line
                .take_read("position", "a whole number")?
                .ok_or_else(|| missing(line.line, "position", "its position in the log, a number"))?,
            fact,
            mentions: roles.iter().copied().zip(nodes).collect(),
            recorded_s: line.take_read("recorded", "whole seconds since 1970-01-01T00:00:00Z")?,
        })
    };
    read().map_err(refuse)
}

fn missing(line: u64, key: &str, what: &str) -> Rejection {
    Rejection::at(line, format!("is missing; give {what}")).field(key)
}

impl LineMembers<'_> {
    fn read_members<'b>(&self, value: &'b RawValue) -> Found<Members<'b>> {
        serde_json::from_str(value.get()).map_err(|_| {
            Rejection::at(self.line, "must be an object, as cortexkg allocate takes it").field("fact")
        })
    }
}

fn content(inner: &mut LineMembers<'_>) -> Found<Fact> {
    let text_is_single = inner
        .members
        .iter()
        .any(|(key, value)| key == "text" && matches!(kind(value), Kind::Text | Kind::Null));
    match shape(inner.members.iter().map(|(key, _)| key.as_str()), text_is_single) {
        Some(Shape::Triple) => {
            let subject = term(inner, "subject")?;
            let predicate: String = inner.take_read("predicate", "a text")?.unwrap_or_default();
            Ok(Fact::triple(subject, predicate, term(inner, "object")?))
        }
        Some(Shape::Text) => Ok(Fact::text(inner.take_read::<String>("text", "a text")?.unwrap_or_default())),
        Some(Shape::Record) => {
            let mut fields = Vec::with_capacity(inner.members.len());
            for (name, value) in std::mem::take(&mut inner.members) {
                let value = match kind(value) {
                    Kind::Null => continue,
                    Kind::Scalar => FieldValue::Text(value.get().to_owned()),
                    _ => inner.read(&name, value, "a text or a list of texts")?,
                };
                fields.push(Field { name, value });
            }
            Ok(Fact::record(fields.into_iter().map(|Field { name, value }| (name, value))))
        }
        None => Err(Rejection::at(inner.line, "the triple lacks an end; give subject, predicate and object")),
    }
}

fn term(inner: &mut LineMembers<'_>, key: &str) -> Found<Term> {
    match inner.take(key) {
        Some(value) if kind(value) == Kind::Object => {
            inner.read(key, value, "a text, or {\"iri\": …}, {\"blank\": …}, {\"literal\": {\"value\": …}}")
        }
        Some(value) => Ok(Term::Name(inner.read(key, value, "a text or an object")?)),
        None => Err(missing(inner.line, key, "both ends of the triple")),
    }
}

fn envelope(place: &mut LineMembers<'_>, fact: &mut Fact) -> Found<()> {
    fact.source = place.take_read("source", "a text")?;
    fact.time_s = place.take_read("time", "whole seconds since 1970-01-01T00:00:00Z")?;
    if let Some(value) = place.take("confidence") {
        let confidence = value
            .get()
            .parse()
            .map_err(|_| Rejection::at(place.line, "must be a number between 0 and 1").field("confidence"))?;
        fact.confidence = Some(confidence);
    }
    Ok(())
}

/// Numbers are read as 32 bits from their text: through 64 bits they could be rounded twice.
fn embedding(inner: &LineMembers<'_>, value: &RawValue) -> Found<Vec<f32>> {
    let bad = |message: String| Rejection::at(inner.line, message).field("embedding");
    let text = value.get().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let text = text.ok_or_else(|| bad("must be an array of numbers, or left out".to_owned()))?.trim_ascii();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = text.split(',').enumerate();
    numbers
        .map(|(position, number)| {
            number.trim_ascii().parse().map_err(|_| {
                bad(format!(
                    "value {position} is {}, which is no number; every value must be one",
                    printable(number)
                ))
            })
        })
        .collect()
}
