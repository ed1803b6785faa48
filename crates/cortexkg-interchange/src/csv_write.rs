//! A table as CSV: RFC 4180, in UTF-8, with a header.
//!
//! - An absent value is an empty cell.
//! - Several values are a JSON array of texts, `["a","b"]`. A single text that is empty or could be taken for such an array is
//!   written as one, too, so that every cell reads back as what it was.
//! - Values are not altered otherwise. A spreadsheet may take one that starts with `=`, `+`, `-` or `@` for a formula: who opens
//!   values from strangers imports these columns as text.

use std::borrow::Cow;
use std::io::Write;

use cortexkg::GraphEdge;

use crate::error::InterchangeError;
use crate::export::{Exporter, Result};
use crate::jsonl::text_list;
use crate::model::{ExportedFact, ExportedNode, Schema};
use crate::table::{Cell, ColumnKind, Table, TableKind};

pub(crate) struct CsvExporter<W: Write> {
    table: Table,
    out: csv::Writer<W>,
}

impl<W: Write> CsvExporter<W> {
    pub(crate) fn new(kind: TableKind, schema: &Schema, out: W) -> Result<Self> {
        let table = Table::new(kind, schema);
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        out.write_record(table.columns.iter().map(|(name, _)| name)).map_err(written)?;
        Ok(Self { table, out })
    }

    fn row(out: &mut csv::Writer<W>, columns: &[(String, ColumnKind)], row: &[Cell<'_>]) -> Result<()> {
        for ((_, kind), cell) in columns.iter().zip(row) {
            out.write_field(&*cell_text(*kind, cell)).map_err(written)?;
        }
        out.write_record(None::<&[u8]>).map_err(written)
    }
}

fn written(error: csv::Error) -> InterchangeError {
    InterchangeError::Write(error.into())
}

fn cell_text<'a>(kind: ColumnKind, cell: &'a Cell<'_>) -> Cow<'a, str> {
    match cell {
        Cell::Absent => "".into(),
        Cell::Text(text) if kind == ColumnKind::Texts && (text.is_empty() || parse_list(text).is_some()) => {
            text_list(&[text]).into()
        }
        Cell::Text(text) => text.as_ref().into(),
        Cell::Integer(number) => number.to_string().into(),
        Cell::Real(number) => format!("{number:?}").into(),
        Cell::Texts(texts) => text_list(texts).into(),
        Cell::Reals(numbers) => format!("{numbers:?}").replace(' ', "").into(),
    }
}

/// The texts of a cell that is a JSON array of texts.
pub(crate) fn parse_list(cell: &str) -> Option<Vec<String>> {
    if cell.starts_with('[') { serde_json::from_str(cell).ok() } else { None }
}

impl<W: Write> Exporter for CsvExporter<W> {
    fn node(&mut self, node: &ExportedNode) -> Result<()> {
        if self.table.kind == TableKind::Nodes {
            Self::row(&mut self.out, &self.table.columns, &self.table.node(node)?)?;
        }
        Ok(())
    }

    fn fact(&mut self, fact: &ExportedFact) -> Result<()> {
        if self.table.kind == TableKind::Facts {
            Self::row(&mut self.out, &self.table.columns, &self.table.fact(fact)?)?;
        }
        Ok(())
    }

    fn edge(&mut self, edge: &GraphEdge) -> Result<()> {
        if self.table.kind == TableKind::Edges {
            Self::row(&mut self.out, &self.table.columns, &self.table.edge(edge))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.out.flush().map_err(InterchangeError::Write)
    }
}
