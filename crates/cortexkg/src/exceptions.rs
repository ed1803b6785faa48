//! Contradictions that the graph keeps: conflicts that decisions were taken in spite of, and statements against what a class
//! says.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use cortexkg_store::Store;
use serde::{Deserialize, Serialize};

use crate::engine::AllocationEngine;
use crate::explain::shortened;
use crate::fact::FactContent;
use crate::graph::{Edge, Exception, NodeId, Tie};
use crate::inheritance::{
    ClassDefault, Contradiction, Counted, Inheritance, Statement, StatementTable, Statements, Subjects,
    inheritance, is_class_relation,
};
use crate::operation_error::OperationError;
use crate::perceive::{LITERAL_FIELD, TEXT_FIELD, local_name, readable};
use crate::view::View;

/// Most characters of a name in a reason.
const NAME_CHARS_MAX: usize = 48;

/// Why a contradiction is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// A mention joined a node in spite of a conflict with it.
    Overruled,
    /// A node states otherwise than a class that it belongs to.
    Inherited,
}

/// A contradiction that the graph keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptException {
    /// Why it is there.
    pub kind: ExceptionKind,
    /// The node.
    pub node: NodeId,
    /// The node in a few words.
    pub name: String,
    /// The field, or the predicate, in which they conflict.
    pub field: String,
    /// What the node held, or what its class says.
    pub held: String,
    /// What was stated.
    pub stated: String,
    /// Who stated it: a mention, or the fact; none for an edge that was loaded.
    pub record_id: Option<String>,
    /// Evidence against the decision, in bits, negative; none for what is stated against a class.
    pub bits: Option<f32>,
    /// The class whose statement is contradicted.
    pub class: Option<NodeId>,
    /// The same in words.
    pub reason: String,
}

/// Something that holds for a node because a class that it belongs to says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inherited {
    /// What the class says.
    pub predicate: String,
    /// Of what.
    pub object: NodeId,
    /// The object in a few words.
    pub object_name: String,
    /// The class that says so.
    pub class: NodeId,
    /// The class in a few words.
    pub class_name: String,
    /// How far the class is away, 1 or more: the longest way there.
    pub distance: u32,
    /// Whether another class, as near, says otherwise.
    pub is_contested: bool,
}

impl<S: Store> View<'_, S> {
    /// The contradictions that the graph kept, of one node or of all: first those that decisions were taken in spite of, in the order
    /// of the log, then what is stated against a class, in the order of the nodes. Of the past, what was forgotten since is missing
    /// from the former. Takes time in proportion to the graph.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn exceptions(&self, node: Option<NodeId>) -> Result<Vec<KeptException>, OperationError> {
        let is_wanted = |at: NodeId| node.is_none_or(|wanted| wanted == at);
        let mut kept = Vec::new();
        let engine = self.engine();
        for exception in engine.graph.exceptions.iter() {
            let there = self.node_at(exception.mention).filter(|&there| is_wanted(there));
            let Some(there) = there.filter(|_| engine.dictionary.is_in_use(exception.held)) else { continue };
            kept.push(self.overruled(exception, there));
        }
        if self.has_classes() {
            let statements = self.statements()?;
            for at in statements.table.members_of_classes().into_iter().filter(|&at| is_wanted(at)) {
                let found = inheritance(&statements, at).contradictions;
                kept.extend(found.iter().map(|found| self.contradicted(at, found)));
            }
        }
        self.sound(kept)
    }

    /// What held for a node because a class that it belonged to said so, in the order of the predicates. Redirects are not followed.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn inherited(&self, node: NodeId) -> Result<Vec<Inherited>, OperationError> {
        if !self.has_classes() {
            return Ok(Vec::new());
        }
        let engine = self.engine();
        let Inheritance { defaults, .. } = if self.is_present() {
            inheritance(&Present { engine, functional: RefCell::default() }, node)
        } else {
            inheritance(&self.statements()?, node)
        };
        let shown = defaults.into_iter().map(|default| Inherited {
            object_name: self.name_of(default.object),
            class_name: self.name_of(default.class.node),
            predicate: default.predicate,
            object: default.object,
            class: default.class.node,
            distance: default.class.distance,
            is_contested: default.is_contested,
        });
        self.sound(shown.collect())
    }

    fn overruled(&self, exception: &Exception, node: NodeId) -> KeptException {
        let engine = self.engine();
        let text = |value| engine.dictionary.surface(value).to_string();
        let field = engine.dictionary.field(exception.field).name.clone();
        let (held, stated) = (text(exception.held), text(exception.stated));
        let (record_id, bits) = (engine.mention_id(exception.mention), exception.bits.as_f32());
        let reason = format!(
            "{record_id} says {field} “{}” where {node} held “{}”, which spoke against by {:.1} bits; all else \
             outweighed it",
            shortened(&stated, NAME_CHARS_MAX),
            shortened(&held, NAME_CHARS_MAX),
            -bits
        );
        KeptException {
            kind: ExceptionKind::Overruled,
            node,
            name: self.name_of(node),
            field,
            held,
            stated,
            record_id: Some(record_id),
            bits: Some(bits),
            class: None,
            reason,
        }
    }

    fn contradicted(&self, node: NodeId, found: &Contradiction) -> KeptException {
        let Contradiction { stated, default: ClassDefault { predicate, object, class, .. } } = found;
        let [name, says, held, class_name] =
            [node, stated.object, *object, class.node].map(|node| self.name_of(node));
        let verb = relation_name(predicate);
        let way: Vec<_> = class.by_way_of.iter().map(|&node| self.name_of(node)).collect();
        let by = if way.is_empty() { String::new() } else { format!(" by way of {}", way.join(", ")) };
        KeptException {
            kind: ExceptionKind::Inherited,
            node,
            reason: format!(
                "{name} {verb} {says}, though {class_name}, which {name} is_a{by}, {verb} {held}"
            ),
            name,
            field: predicate.clone(),
            held,
            stated: says,
            record_id: stated.record_id.clone(),
            bits: None,
            class: Some(class.node),
        }
    }

    /// A node in a few words: its commonest name, or literal, or else the line that stands for it.
    fn name_of(&self, node: NodeId) -> String {
        let engine = self.engine();
        let values = self.value_counts(node);
        let commonest = |field: &str| {
            let of_field = values.iter().rev().filter(|value| engine.dictionary.field(value.0).name == field);
            of_field.max_by_key(|value| value.2).map(|value| engine.dictionary.surface(value.1))
        };
        let name = commonest(TEXT_FIELD).or_else(|| commonest(LITERAL_FIELD));
        let label = || engine.graph.index_of(node).map_or_else(String::new, |at| engine.label(at));
        let name = name.map_or_else(label, |name| shortened(name, NAME_CHARS_MAX));
        if name.is_empty() { node.to_string() } else { name }
    }

    /// Whether any edge ever tied a thing to a class: most graphs have none, and need not be read for them.
    fn has_classes(&self) -> bool {
        self.engine().graph.predicates.iter().any(|predicate| is_class_relation(predicate))
    }

    /// All that was stated by edges.
    fn statements(&self) -> Result<Counted, OperationError> {
        let engine = self.engine();
        let graph = &engine.graph;
        let mut table = StatementTable::default();
        if self.is_present() {
            graph.scan_shown_edges(|edge| {
                let statement = engine.statement(edge);
                table.add(graph.id(edge.from), statement.predicate, statement.object, statement.record_id);
            });
            return Ok(table.counted());
        }
        for fact in 0..graph.facts_ever() {
            let mentions = graph.mentions_of(fact);
            if mentions.len() < 2 {
                continue;
            }
            let (Some(from), Some(to)) = (self.node_at(mentions.start), self.node_at(mentions.start + 1))
            else {
                continue;
            };
            let content = self.fact_at(graph.position_of(fact))?.map(|fact| fact.content);
            if let Some(FactContent::Triple { predicate, .. }) = content {
                table.add(from, predicate, to, Some(graph.fact(fact).record_id.into()));
            }
        }
        for (from, predicate, to) in self.loaded_edges()? {
            table.add(from, predicate, to, None);
        }
        Ok(table.counted())
    }
}

/// What is stated now, read where it is needed.
struct Present<'a> {
    engine: &'a AllocationEngine,
    /// Predicates that were asked for.
    functional: RefCell<BTreeMap<String, bool>>,
}

impl Statements for Present<'_> {
    fn of(&self, node: NodeId) -> Vec<Statement> {
        let graph = &self.engine.graph;
        let Some(at) = graph.live_index_of(node) else { return Vec::new() };
        let edges = graph.node(at).edges.iter().map(|edge| graph.edge(edge));
        let leaving = edges.filter(|edge| edge.from == at && graph.is_shown(edge));
        let mut statements: Vec<_> = leaving.map(|edge| self.engine.statement(&edge)).collect();
        statements.sort();
        statements
    }

    fn is_functional(&self, predicate: &str) -> bool {
        if let Some(&known) = self.functional.borrow().get(predicate) {
            return known;
        }
        let graph = &self.engine.graph;
        let (mut once, mut several) = (BTreeSet::new(), BTreeSet::new());
        // The same triple is one edge: a second one of a subject leads elsewhere.
        graph.scan_shown_edges(|edge| {
            if graph.predicates[edge.predicate as usize] == predicate && !once.insert(edge.from) {
                several.insert(edge.from);
            }
        });
        let subjects = Subjects { all: once.len() as u64, several: several.len() as u64 };
        self.functional.borrow_mut().insert(predicate.to_owned(), subjects.have_one_object());
        subjects.have_one_object()
    }
}

impl AllocationEngine {
    fn statement(&self, edge: &Edge) -> Statement {
        let stated = edge.ties.iter().find_map(|tie| match *tie {
            Tie::Stated { fact } => Some(self.graph.fact(fact).record_id.into()),
            _ => None,
        });
        Statement {
            predicate: self.graph.predicates[edge.predicate as usize].clone(),
            object: self.graph.id(edge.to),
            record_id: stated,
        }
    }
}

/// The words of a predicate; one that is no IRI is left as it is written.
fn relation_name(predicate: &str) -> String {
    let is_iri = predicate.contains(':');
    let name = if is_iri { readable(local_name(predicate)).to_lowercase() } else { predicate.to_owned() };
    shortened(if name.is_empty() { predicate } else { &name }, NAME_CHARS_MAX)
}
