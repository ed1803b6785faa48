//! What goes out and comes in: plain values, without any state of an engine.

use std::collections::{BTreeMap, HashSet};

use cortexkg::fact::limits;
use cortexkg::{
    Fact, FactContent, Field, FieldValue, GraphEdge, GraphNode, KnowledgeGraph, NodeId, NodeView,
};

/// Field that holds texts and the names at the ends of triples.
pub(crate) const TEXT_FIELD: &str = "@text";
/// Field that holds the IRI of a node.
pub(crate) const IRI_FIELD: &str = "@iri";
/// Field that holds a blank node, with its source.
pub(crate) const BLANK_FIELD: &str = "@blank";
/// Field that holds a literal, with datatype and language.
pub(crate) const LITERAL_FIELD: &str = "@literal";

/// A node as it leaves or enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedNode {
    /// Its identifier.
    pub id: NodeId,
    /// It in one line; may be empty.
    pub label: String,
    /// What its members say, by field.
    pub properties: Vec<Property>,
    /// Its names.
    pub aliases: Vec<String>,
    /// Nodes that were merged into it: their identifiers lead here.
    pub redirects: Vec<NodeId>,
}

/// A value that members of a node have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Name of the field.
    pub field: String,
    /// The value, as first written.
    pub value: String,
    /// How many members have it; at least 1.
    pub count: u32,
}

impl Property {
    /// A value that one member has.
    pub fn new(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self { field: field.into(), value: value.into(), count: 1 }
    }
}

impl ExportedNode {
    /// A node of which nothing is known yet.
    pub fn new(id: NodeId) -> Self {
        Self { id, label: String::new(), properties: Vec::new(), aliases: Vec::new(), redirects: Vec::new() }
    }

    /// The values of each field, the commonest first, fields in order of appearance; names are left out, since they are
    /// aliases.
    pub(crate) fn fields(&self) -> Vec<(&str, Vec<&str>)> {
        let mut order = Vec::new();
        let mut values: BTreeMap<&str, Vec<&Property>> = BTreeMap::new();
        for property in self.properties.iter().filter(|property| property.field != TEXT_FIELD) {
            let known = values.entry(&property.field).or_default();
            if known.is_empty() {
                order.push(property.field.as_str());
            }
            known.push(property);
        }
        let mut fields = Vec::with_capacity(order.len());
        for field in order {
            let mut known = values.remove(field).unwrap_or_default();
            known.sort_by_key(|property| std::cmp::Reverse(property.count));
            fields.push((field, known.into_iter().map(|property| property.value.as_str()).collect()));
        }
        fields
    }

    /// Its names: aliases, and texts that are properties only.
    pub(crate) fn names(&self) -> Vec<&str> {
        let texts = self.properties.iter().filter(|property| property.field == TEXT_FIELD);
        let mut seen = HashSet::new();
        let all = self.aliases.iter().map(String::as_str).chain(texts.map(|text| text.value.as_str()));
        all.filter(|name| seen.insert(*name)).collect()
    }

    /// How many cells of a table with a column for each field, and one for the names, would have to hold several values.
    pub fn cells_of_several(&self) -> u64 {
        let fields = self.fields();
        let lengths = fields.iter().map(|(_, values)| values.len()).chain([self.names().len()]);
        lengths.filter(|&values| values > 1).count() as u64
    }
}

impl From<NodeView> for ExportedNode {
    fn from(view: NodeView) -> Self {
        let properties = view.properties.into_iter();
        Self {
            id: view.id,
            label: view.label,
            properties: properties.map(|(field, value, count)| Property { field, value, count }).collect(),
            aliases: view.aliases,
            redirects: Vec::new(),
        }
    }
}

/// What of a fact a mention is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// All of it: a record or a text.
    Whole,
    /// The subject of a triple.
    Subject,
    /// The object of a triple.
    Object,
}

/// A fact with the nodes that it was allocated to.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedFact {
    /// Its position in the log.
    pub position: u64,
    /// The fact, as received.
    pub fact: Fact,
    /// The node of each mention: one for a record or a text, two for a triple.
    pub mentions: Vec<(Role, NodeId)>,
    /// When it was taken in, in seconds since 1970-01-01T00:00:00Z, if that is known.
    pub recorded_s: Option<i64>,
}

impl ExportedFact {
    /// The node of a mention.
    pub fn node(&self, role: Role) -> Option<NodeId> {
        self.mentions.iter().find(|(known, _)| *known == role).map(|&(_, node)| node)
    }
}

/// The names of fields, which formats with columns need to know beforehand: see [`Schema::see_node`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    node_fields: Fields,
    fact_fields: Fields,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fields {
    names: Vec<String>,
    known: HashSet<String>,
}

impl Fields {
    fn see(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.names.push(name.to_owned());
        }
    }
}

impl Schema {
    /// Notes the fields of a node.
    pub fn see_node(&mut self, node: &ExportedNode) {
        node.properties.iter().for_each(|property| self.see_node_field(&property.field));
    }

    /// Notes the fields of a fact.
    pub fn see_fact(&mut self, fact: &Fact) {
        if let FactContent::Record(fields) = &fact.content {
            fields.iter().for_each(|field| self.see_fact_field(&field.name));
        }
    }

    /// Notes a field that nodes have.
    pub fn see_node_field(&mut self, name: &str) {
        if name != TEXT_FIELD {
            self.node_fields.see(name);
        }
    }

    /// Notes a field that records have.
    pub fn see_fact_field(&mut self, name: &str) {
        self.fact_fields.see(name);
    }

    /// Fields of nodes, in order of appearance; without `@text`, whose values are aliases.
    pub fn node_fields(&self) -> &[String] {
        &self.node_fields.names
    }

    /// Fields of records, in order of appearance.
    pub fn fact_fields(&self) -> &[String] {
        &self.fact_fields.names
    }
}

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportedGraph {
    /// The nodes, in the order of the file. Those that brought no identifier have numbers above all that did.
    pub nodes: Vec<ExportedNode>,
    /// The facts; JSONL alone brings them.
    pub facts: Vec<ExportedFact>,
    /// The edges.
    pub edges: Vec<GraphEdge>,
    /// Literals (RDF) that were taken without their language or datatype, since values are plain texts.
    pub untagged: u64,
}

impl ImportedGraph {
    /// Adds what another file held, such as the edges to a table of nodes. Identifiers are taken to mean the same nodes.
    pub fn append(&mut self, mut other: Self) {
        self.nodes.append(&mut other.nodes);
        self.facts.append(&mut other.facts);
        self.edges.append(&mut other.edges);
        self.untagged += other.untagged;
    }

    /// Numbers the nodes anew, in their order, from `first` on, for a graph in which their numbers are taken. Redirects are
    /// dropped; edges and mentions that named a redirect name the node it led to. Edges that name no node of this graph keep
    /// their ends, and numbers end at [`NodeId::MAX`].
    pub fn renumber(&mut self, first: NodeId) {
        let mut new = BTreeMap::new();
        for (node, id) in self.nodes.iter_mut().zip(first.0..=NodeId::MAX.0) {
            for old in node.redirects.drain(..) {
                new.entry(old).or_insert(NodeId(id));
            }
            new.insert(node.id, NodeId(id));
            node.id = NodeId(id);
        }
        let ends = self.edges.iter_mut().flat_map(|edge| [&mut edge.from, &mut edge.to]);
        let mentions = self.facts.iter_mut().flat_map(|fact| &mut fact.mentions).map(|(_, node)| node);
        for id in ends.chain(mentions) {
            *id = new.get(id).copied().unwrap_or(*id);
        }
    }

    /// Nodes and edges as `AllocationEngine::load_graph` takes them, by rising identifier, and how many values had to be left
    /// out.
    ///
    /// Several values of a field become a list, the commonest first. A field that is a key (`@iri`, `@blank`, `@literal`) has
    /// one value there, so all but the first are left out, as is what goes beyond the
    /// [bounds of a record](cortexkg::fact::limits). A node that has nothing but a label takes it as its name.
    pub fn to_knowledge_graph(&self) -> (KnowledgeGraph, u64) {
        let mut left_out = 0;
        let mut nodes: Vec<GraphNode> =
            self.nodes.iter().map(|node| graph_node(node, &mut left_out)).collect();
        nodes.sort_by_key(|node| node.id);
        (KnowledgeGraph { nodes, edges: self.edges.clone() }, left_out)
    }
}

fn graph_node(node: &ExportedNode, left_out: &mut u64) -> GraphNode {
    let mut properties = Vec::new();
    for (field, values) in node.fields() {
        let is_key = matches!(field, IRI_FIELD | BLANK_FIELD | LITERAL_FIELD);
        let most = if is_key { 1 } else { limits::LIST_ITEMS_MAX };
        let mut kept: Vec<String> = Vec::new();
        let mut bytes = 0;
        for value in &values {
            if kept.len() < most && bytes + value.len() <= limits::VALUE_BYTES_MAX {
                bytes += value.len();
                kept.push((*value).to_owned());
            }
        }
        if properties.len() == limits::FIELDS_MAX {
            kept.clear();
        }
        *left_out += (values.len() - kept.len()) as u64;
        let value = match kept.len() {
            0 => continue,
            1 => FieldValue::Text(kept.remove(0)),
            _ => FieldValue::List(kept),
        };
        properties.push(Field { name: field.to_owned(), value });
    }
    let mut aliases: Vec<String> = node.names().into_iter().map(str::to_owned).collect();
    if aliases.is_empty() && properties.is_empty() && !node.label.is_empty() {
        aliases.push(node.label.clone());
    }
    GraphNode { id: Some(node.id), properties, aliases, embedding: None }
}
