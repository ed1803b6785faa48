//! Tables of nodes and edges back to a graph. One bad row costs itself only.

use std::collections::HashSet;
use std::io::BufRead;

use cortexkg::{GraphEdge, NodeId};

use crate::builder::GraphBuilder;
use crate::csv_write::parse_list;
use crate::error::InterchangeError;
use crate::export::Result;
use crate::guard::read_error;
use crate::model::{ExportedNode, ImportedGraph, Property};
use crate::names::{column_field, parse_node_id};
use crate::records::{RecordSplitter, Split};
use crate::rejection::{Rejection, printable};
use crate::row::Row;
use crate::table::{EDGE_COLUMNS, NODE_COLUMNS, TableKind};

pub(crate) fn import(
    kind: TableKind,
    reader: impl BufRead,
    record_bytes_max: usize,
    mut builder: GraphBuilder<'_>,
) -> Result<ImportedGraph> {
    if kind == TableKind::Facts {
        return Err(InterchangeError::Unreadable { format: "a CSV table of facts".to_owned() });
    }
    let mut splitter = RecordSplitter::new(reader, b',', record_bytes_max);
    let mut row = Row::new(b',');
    let mut record = Vec::new();
    let header = header(&mut splitter, &mut row, &mut record, kind)?;
    splitter.expect_columns(header.columns.len());
    loop {
        let split = splitter.next_into(&mut record);
        let line = splitter.record_line();
        let message = match split {
            Ok(Split::Whole) => {
                row.parse(&record);
                if row.len() == header.columns.len() && !splitter.is_dubious() {
                    let read = match kind {
                        TableKind::Edges => header.edge(&row, line).map(|edge| builder.edge(line, edge)),
                        _ => header
                            .node(&row, line)
                            .map(|node| builder.node(line, &node.id.to_string(), node).map(drop)),
                    };
                    match read {
                        Ok(taken) => taken?,
                        Err(rejection) => builder.reject(rejection),
                    }
                    continue;
                }
                let end = splitter.next_line().saturating_sub(1);
                if splitter.resync(&record) {
                    format!(
                        "a quote opened here and closed on line {end} does not enclose a value; double it"
                    )
                } else {
                    let (found, expected) = (row.len(), header.columns.len());
                    format!(
                        "the row has {found} columns, the header has {expected}; quote values as RFC 4180 says"
                    )
                }
            }
            Ok(Split::TooLong(bytes)) => {
                let limit = splitter.limit();
                format!("the row has {bytes} bytes, at most {limit} are taken; raise the limit")
            }
            Ok(Split::Unclosed) => "a quote opened here is never closed; close it or double it".to_owned(),
            // Nodes and edges stand in tables of their own, so who is missing shows when they come together.
            Ok(Split::End) => return Ok(builder.finish_unlinked()),
            Err(source) => return Err(read_error(line, source)),
        };
        builder.reject(Rejection::at(line, message));
    }
}

struct Header {
    columns: Vec<String>,
    /// Positions of the columns that are no fields, in the order of the constants of `table.rs`.
    own: Vec<Option<usize>>,
}

fn header<R: BufRead>(
    splitter: &mut RecordSplitter<R>,
    row: &mut Row,
    record: &mut Vec<u8>,
    kind: TableKind,
) -> Result<Header> {
    let split = splitter.next_into(record);
    let line = splitter.record_line();
    let syntax = |message: String| InterchangeError::Syntax { line, message };
    match split {
        Ok(Split::Whole) => row.parse(record),
        Ok(Split::End) => return Err(syntax("the table is empty: not even a header".to_owned())),
        Ok(_) => return Err(syntax("the header is too long or has a quote that is never closed".to_owned())),
        Err(source) => return Err(read_error(line, source)),
    }
    let mut columns = Vec::with_capacity(row.len());
    let mut seen = HashSet::new();
    for position in 0..row.len() {
        let name = std::str::from_utf8(row.field(position));
        let name =
            name.map_err(|_| syntax(format!("the name of column {} is not valid UTF-8", position + 1)))?;
        if name.trim().is_empty() || !seen.insert(name.to_owned()) {
            let message = format!("column {} has no name, or that of another; name it", position + 1);
            return Err(syntax(message));
        }
        columns.push(name.to_owned());
    }
    let (names, required): (Vec<&str>, &[&str]) = match kind {
        TableKind::Edges => {
            (EDGE_COLUMNS.iter().map(|(name, _)| *name).collect(), &["from", "predicate", "to"])
        }
        _ => (NODE_COLUMNS.iter().map(|(name, _)| *name).collect(), &["node_id"]),
    };
    let own: Vec<_> = names.iter().map(|name| columns.iter().position(|column| column == name)).collect();
    for (name, position) in names.iter().zip(&own) {
        if position.is_none() && required.contains(name) {
            let found =
                columns.iter().take(20).map(|column| printable(column)).collect::<Vec<_>>().join(", ");
            return Err(syntax(format!(
                "a table of {} needs the column {name}; its columns are: {found}",
                kind.name()
            )));
        }
    }
    Ok(Header { columns, own })
}

impl Header {
    /// The text of one of the columns that are no fields; empty if it is not there.
    fn own<'r>(&self, row: &'r Row, column: usize, line: u64) -> std::result::Result<&'r str, Rejection> {
        match self.own.get(column).copied().flatten() {
            Some(position) => self.cell(row, position, line),
            None => Ok(""),
        }
    }

    fn cell<'r>(&self, row: &'r Row, position: usize, line: u64) -> std::result::Result<&'r str, Rejection> {
        std::str::from_utf8(row.field(position)).map_err(|error| {
            let at = error.valid_up_to();
            let message = format!(
                "not valid UTF-8 at byte {at} of the value; convert the file: iconv -f LATIN1 -t UTF-8"
            );
            Rejection::at(line, message).field(self.columns.get(position).map_or("", String::as_str))
        })
    }

    fn id(text: &str, column: &str, line: u64) -> std::result::Result<NodeId, Rejection> {
        parse_node_id(text.trim()).ok_or_else(|| {
            let message =
                format!("{} names no node; write it like n17, up to {}", printable(text), NodeId::MAX);
            Rejection::at(line, message).field(column)
        })
    }

    fn edge(&self, row: &Row, line: u64) -> std::result::Result<GraphEdge, Rejection> {
        Ok(GraphEdge {
            from: Self::id(self.own(row, 0, line)?, "from", line)?,
            predicate: self.own(row, 1, line)?.to_owned(),
            to: Self::id(self.own(row, 2, line)?, "to", line)?,
        })
    }

    fn node(&self, row: &Row, line: u64) -> std::result::Result<ExportedNode, Rejection> {
        let id = Self::id(self.own(row, 0, line)?, "node_id", line)?;
        let mut node = ExportedNode::new(id);
        self.own(row, 1, line)?.clone_into(&mut node.label);
        node.aliases = values(self.own(row, 2, line)?);
        for redirect in values(self.own(row, 3, line)?) {
            node.redirects.push(Self::id(&redirect, "node_redirects", line)?);
        }
        for (position, column) in self.columns.iter().enumerate() {
            if self.own.contains(&Some(position)) {
                continue;
            }
            let field = column_field(column);
            let cell = self
                .cell(row, position, line)
                .map_err(|rejection| rejection.record(Some(&id.to_string())))?;
            node.properties.extend(values(cell).into_iter().map(|value| Property::new(field, value)));
        }
        Ok(node)
    }
}

/// The values of a cell.
fn values(cell: &str) -> Vec<String> {
    match parse_list(cell) {
        Some(list) => list,
        None if cell.is_empty() => Vec::new(),
        None => vec![cell.to_owned()],
    }
}
