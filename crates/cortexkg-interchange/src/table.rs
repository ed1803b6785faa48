//! Nodes, facts and edges as rows of a table; the same columns in CSV and in Parquet.

use std::borrow::Cow;
use std::collections::HashMap;

use cortexkg::{FactContent, FieldValue, GraphEdge, Term};

use crate::error::InterchangeError;
use crate::export::{Result, fact_place};
use crate::model::{ExportedFact, ExportedNode, Role, Schema};
use crate::names::column_name;

/// Which part of a graph a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// One row per node: `node_id`, `node_label`, `node_aliases`, `node_redirects`, and a column per field.
    Nodes,
    /// One row per fact: its position, identifier, source, times, confidence, the nodes it was allocated to, text or triple,
    /// embedding (columns that start with `fact_`), and a column per field of records.
    Facts,
    /// One row per edge: `from`, `predicate`, `to`.
    Edges,
}

impl TableKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Facts => "facts",
            Self::Edges => "edges",
        }
    }
}

/// What the cells of a column hold; any may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Text,
    Integer,
    Real,
    /// Texts; one is written as a text by formats without lists.
    Texts,
    Reals,
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Absent,
    Text(Cow<'a, str>),
    Integer(i64),
    Real(f32),
    Texts(Vec<Cow<'a, str>>),
    Reals(&'a [f32]),
}

pub(crate) const NODE_COLUMNS: [(&str, ColumnKind); 4] = [
    ("node_id", ColumnKind::Text),
    ("node_label", ColumnKind::Text),
    ("node_aliases", ColumnKind::Texts),
    ("node_redirects", ColumnKind::Texts),
];
const FACT_COLUMNS: [(&str, ColumnKind); 14] = [
    ("fact_position", ColumnKind::Integer),
    ("fact_id", ColumnKind::Text),
    ("fact_source", ColumnKind::Text),
    ("fact_time_s", ColumnKind::Integer),
    ("fact_confidence", ColumnKind::Real),
    ("fact_recorded_s", ColumnKind::Integer),
    ("fact_node", ColumnKind::Text),
    ("fact_subject_node", ColumnKind::Text),
    ("fact_object_node", ColumnKind::Text),
    ("fact_subject", ColumnKind::Text),
    ("fact_predicate", ColumnKind::Text),
    ("fact_object", ColumnKind::Text),
    ("fact_text", ColumnKind::Text),
    ("fact_embedding", ColumnKind::Reals),
];
pub(crate) const EDGE_COLUMNS: [(&str, ColumnKind); 3] =
    [("from", ColumnKind::Text), ("predicate", ColumnKind::Text), ("to", ColumnKind::Text)];

/// The columns of a table, and where each field goes.
pub(crate) struct Table {
    pub(crate) kind: TableKind,
    pub(crate) columns: Vec<(String, ColumnKind)>,
    /// Column of each field.
    fields: HashMap<String, usize>,
}

impl Table {
    pub(crate) fn new(kind: TableKind, schema: &Schema) -> Self {
        let (own, names): (&[(&str, ColumnKind)], &[String]) = match kind {
            TableKind::Nodes => (&NODE_COLUMNS, schema.node_fields()),
            TableKind::Facts => (&FACT_COLUMNS, schema.fact_fields()),
            TableKind::Edges => (&EDGE_COLUMNS, &[]),
        };
        let reserved: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
        let mut columns: Vec<_> = own.iter().map(|&(name, kind)| (name.to_owned(), kind)).collect();
        let mut fields = HashMap::new();
        for field in names {
            fields.insert(field.clone(), columns.len());
            columns.push((column_name(field, &reserved), ColumnKind::Texts));
        }
        Self { kind, columns, fields }
    }

    fn field<'r, 'a>(
        &self,
        row: &'r mut [Cell<'a>],
        field: &str,
        place: impl FnOnce() -> String,
    ) -> Result<&'r mut Cell<'a>> {
        let cell = self.fields.get(field).and_then(|&column| row.get_mut(column));
        cell.ok_or_else(|| InterchangeError::UndeclaredField {
            place: place(),
            field: crate::printable(field),
        })
    }

    fn blank<'a>(&self) -> Vec<Cell<'a>> {
        vec![Cell::Absent; self.columns.len()]
    }

    pub(crate) fn node<'a>(&self, node: &'a ExportedNode) -> Result<Vec<Cell<'a>>> {
        let mut row = self.blank();
        let own = [
            Cell::Text(node.id.to_string().into()),
            text(&node.label),
            texts(node.names().into_iter().map(Cow::Borrowed)),
            texts(node.redirects.iter().map(|id| Cow::Owned(id.to_string()))),
        ];
        row.splice(..own.len(), own);
        for (field, values) in node.fields() {
            let cell = self.field(&mut row, field, || format!("node {}", node.id))?;
            *cell = texts(values.into_iter().map(Cow::Borrowed));
        }
        Ok(row)
    }

    pub(crate) fn fact<'a>(&self, exported: &'a ExportedFact) -> Result<Vec<Cell<'a>>> {
        let ExportedFact { position, fact, recorded_s, .. } = exported;
        let mut row = self.blank();
        let node = |role| exported.node(role).map_or(Cell::Absent, |id| Cell::Text(id.to_string().into()));
        let optional =
            |text: &'a Option<String>| text.as_ref().map_or(Cell::Absent, |known| text_cell(known));
        let integer = |number: Option<i64>| number.map_or(Cell::Absent, Cell::Integer);
        let [subject, predicate, object] = match &fact.content {
            FactContent::Triple { subject, predicate, object } => {
                [Cell::Text(term(subject)), text_cell(predicate), Cell::Text(term(object))]
            }
            _ => [Cell::Absent, Cell::Absent, Cell::Absent],
        };
        let own = [
            // A position beyond what a signed integer holds is not reached.
            integer(i64::try_from(*position).ok()),
            optional(&fact.record_id),
            optional(&fact.source),
            integer(fact.time_s),
            fact.confidence.map_or(Cell::Absent, Cell::Real),
            integer(*recorded_s),
            node(Role::Whole),
            node(Role::Subject),
            node(Role::Object),
            subject,
            predicate,
            object,
            match &fact.content {
                FactContent::Text(said) => text_cell(said),
                _ => Cell::Absent,
            },
            fact.embedding.as_ref().map_or(Cell::Absent, |embedding| Cell::Reals(embedding)),
        ];
        row.splice(..own.len(), own);
        if let FactContent::Record(fields) = &fact.content {
            for field in fields {
                let cell = self.field(&mut row, &field.name, || fact_place(exported))?;
                *cell = match &field.value {
                    FieldValue::Text(value) => text_cell(value),
                    FieldValue::List(items) => {
                        Cell::Texts(items.iter().map(|item| item.as_str().into()).collect())
                    }
                };
            }
        }
        Ok(row)
    }

    pub(crate) fn edge<'a>(&self, edge: &'a GraphEdge) -> Vec<Cell<'a>> {
        vec![
            Cell::Text(edge.from.to_string().into()),
            text_cell(&edge.predicate),
            Cell::Text(edge.to.to_string().into()),
        ]
    }
}

fn text_cell(text: &str) -> Cell<'_> {
    Cell::Text(text.into())
}

fn text(text: &str) -> Cell<'_> {
    if text.is_empty() { Cell::Absent } else { text_cell(text) }
}

/// One text as such, several as a list.
fn texts<'a>(texts: impl Iterator<Item = Cow<'a, str>>) -> Cell<'a> {
    let mut all: Vec<_> = texts.collect();
    match all.len() {
        0 => Cell::Absent,
        1 => Cell::Text(all.remove(0)),
        _ => Cell::Texts(all),
    }
}

/// A term as N-Triples would show it, without escapes; a name as it is.
fn term(term: &Term) -> Cow<'_, str> {
    match term {
        Term::Name(name) => name.as_str().into(),
        Term::Iri(iri) => format!("<{iri}>").into(),
        Term::Blank(label) => format!("_:{label}").into(),
        Term::Literal { value, datatype, language } => {
            literal_key(value, datatype.as_deref(), language.as_deref()).into()
        }
    }
}

/// A literal as the value of the field `@literal`.
pub(crate) fn literal_key(value: &str, datatype: Option<&str>, language: Option<&str>) -> String {
    match (language, datatype) {
        (Some(language), _) => format!("\"{value}\"@{language}"),
        (None, Some(datatype)) => format!("\"{value}\"^^{datatype}"),
        (None, None) => format!("\"{value}\""),
    }
}
