//! A table as Parquet: the columns of the CSV table with their types, Snappy inside.
//!
//! Fields and aliases are lists of texts, embeddings lists of floats, as three-level lists that every reader knows.

use std::io::Write;
use std::sync::Arc;

use cortexkg::GraphEdge;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::error::InterchangeError;
use crate::export::{Exporter, Result};
use crate::model::{ExportedFact, ExportedNode, Schema};
use crate::table::{Cell, ColumnKind, Table, TableKind};

/// About the most bytes that are gathered before they are written.
const GROUP_BYTES: usize = 32 << 20;

pub(crate) struct ParquetExporter<W: Write + Send> {
    table: Table,
    out: SerializedFileWriter<W>,
    columns: Vec<Gathered>,
    rows: usize,
    bytes: usize,
}

/// The values of a column with their levels, as Dremel has them.
struct Gathered {
    values: Values,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

enum Values {
    Texts(Vec<ByteArray>),
    Integers(Vec<i64>),
    Reals(Vec<f32>),
}

impl Gathered {
    fn new(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Text | ColumnKind::Texts => Values::Texts(Vec::new()),
            ColumnKind::Integer => Values::Integers(Vec::new()),
            ColumnKind::Real | ColumnKind::Reals => Values::Reals(Vec::new()),
        };
        Self { values, definitions: Vec::new(), repetitions: Vec::new() }
    }

    /// Levels of a cell: 0 for an absent one, 1 for an empty list, and that of a value otherwise.
    fn levels(&mut self, kind: ColumnKind, count: usize, is_absent: bool) {
        let is_list = matches!(kind, ColumnKind::Texts | ColumnKind::Reals);
        if count == 0 {
            self.definitions.push(i16::from(!is_absent));
            self.repetitions.push(0);
        }
        for position in 0..count {
            self.definitions.push(if is_list { 2 } else { 1 });
            self.repetitions.push(i16::from(position > 0));
        }
    }

    /// Takes a cell; says how many bytes that is.
    fn push(&mut self, kind: ColumnKind, cell: &Cell<'_>) -> usize {
        let count = match (&mut self.values, cell) {
            (Values::Texts(values), Cell::Text(text)) => {
                values.push(text.as_ref().into());
                1
            }
            (Values::Texts(values), Cell::Texts(texts)) => {
                values.extend(texts.iter().map(|text| ByteArray::from(text.as_ref())));
                texts.len()
            }
            (Values::Integers(values), Cell::Integer(number)) => {
                values.push(*number);
                1
            }
            (Values::Reals(values), Cell::Real(number)) => {
                values.push(*number);
                1
            }
            (Values::Reals(values), Cell::Reals(numbers)) => {
                values.extend_from_slice(numbers);
                numbers.len()
            }
            _ => 0,
        };
        self.levels(kind, count, matches!(cell, Cell::Absent));
        match cell {
            Cell::Text(text) => text.len(),
            Cell::Texts(texts) => texts.iter().map(|text| text.len() + 8).sum(),
            Cell::Reals(numbers) => size_of_val(*numbers),
            _ => 8,
        }
    }
}

impl<W: Write + Send> ParquetExporter<W> {
    pub(crate) fn new(kind: TableKind, schema: &Schema, out: W) -> Result<Self> {
        let table = Table::new(kind, schema);
        let schema = Arc::new(message(&table)?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let out = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
        let columns = table.columns.iter().map(|(_, kind)| Gathered::new(*kind)).collect();
        Ok(Self { table, out, columns, rows: 0, bytes: 0 })
    }

    fn gather(&mut self, row: &[Cell<'_>]) -> Result<()> {
        for ((column, (_, kind)), cell) in self.columns.iter_mut().zip(&self.table.columns).zip(row) {
            self.bytes += column.push(*kind, cell);
        }
        self.rows += 1;
        if self.bytes >= GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes what was gathered as a group of rows.
    fn flush(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.out.next_row_group()?;
        for (column, (_, kind)) in self.columns.iter_mut().zip(&self.table.columns) {
            let Gathered { values, definitions, repetitions } =
                std::mem::replace(column, Gathered::new(*kind));
            let mut writer = group.next_column()?.ok_or_else(|| mismatch("a column is missing"))?;
            let is_list = matches!(kind, ColumnKind::Texts | ColumnKind::Reals);
            let repetitions = is_list.then_some(&*repetitions);
            match (writer.untyped(), &values) {
                (ColumnWriter::ByteArrayColumnWriter(out), Values::Texts(values)) => {
                    out.write_batch(values, Some(&definitions), repetitions)?;
                }
                (ColumnWriter::Int64ColumnWriter(out), Values::Integers(values)) => {
                    out.write_batch(values, Some(&definitions), repetitions)?;
                }
                (ColumnWriter::FloatColumnWriter(out), Values::Reals(values)) => {
                    out.write_batch(values, Some(&definitions), repetitions)?;
                }
                _ => return Err(mismatch("a column has another type")),
            }
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn mismatch(what: &str) -> InterchangeError {
    ParquetError::General(format!("{what} than the schema says")).into()
}

fn message(table: &Table) -> Result<Type> {
    let columns = table.columns.iter().map(|(name, kind)| Ok(Arc::new(column(name, *kind)?)));
    let columns: std::result::Result<Vec<_>, ParquetError> = columns.collect();
    Ok(Type::group_type_builder(table.kind.name()).with_fields(columns?).build()?)
}

fn column(name: &str, kind: ColumnKind) -> std::result::Result<Type, ParquetError> {
    let (physical, logical) = match kind {
        ColumnKind::Text | ColumnKind::Texts => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Integer => (PhysicalType::INT64, None),
        ColumnKind::Real | ColumnKind::Reals => (PhysicalType::FLOAT, None),
    };
    let primitive = |name, repetition| {
        let builder = Type::primitive_type_builder(name, physical);
        builder.with_repetition(repetition).with_logical_type(logical.clone()).build()
    };
    if !matches!(kind, ColumnKind::Texts | ColumnKind::Reals) {
        return primitive(name, Repetition::OPTIONAL);
    }
    let element = Arc::new(primitive("element", Repetition::REQUIRED)?);
    let list =
        Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]);
    Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(list.build()?)])
        .build()
}

impl<W: Write + Send> Exporter for ParquetExporter<W> {
    fn node(&mut self, node: &ExportedNode) -> Result<()> {
        if self.table.kind != TableKind::Nodes {
            return Ok(());
        }
        let row = self.table.node(node)?;
        self.gather(&row)
    }

    fn fact(&mut self, fact: &ExportedFact) -> Result<()> {
        if self.table.kind != TableKind::Facts {
            return Ok(());
        }
        let row = self.table.fact(fact)?;
        self.gather(&row)
    }

    fn edge(&mut self, edge: &GraphEdge) -> Result<()> {
        if self.table.kind != TableKind::Edges {
            return Ok(());
        }
        let row = self.table.edge(edge);
        self.gather(&row)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.flush()?;
        self.out.into_inner()?.flush().map_err(InterchangeError::Write)
    }
}
