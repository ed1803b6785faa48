//! Where rows go: a file that appears when it is finished, or standard output.

use std::io::{self, Write};
use std::path::Path;

use cortexkg::{AllocationResult, Assignment};

use crate::failure::Failure;
use crate::outputs::OutputFile;

/// A stream of rows.
pub(crate) enum Sink<'a> {
    Stdout(&'a mut (dyn Write + 'a)),
    File(OutputFile),
}

impl<'a> Sink<'a> {
    /// The file at `path`, or standard output for `-`.
    pub(crate) fn open(path: &Path, out: &mut Option<&'a mut (dyn Write + 'a)>) -> Result<Self, Failure> {
        if path.as_os_str() != "-" {
            return Ok(Self::File(OutputFile::create(path)?));
        }
        out.take().map(Self::Stdout).ok_or_else(|| {
            Failure::Usage(
                "only one of --json, --out, --explain and --rejects can go to standard output; name files"
                    .into(),
            )
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::Stdout(_) => "standard output",
            Self::File(file) => file.name(),
        }
    }

    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        Failure::of_write(self.name(), error)
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(out) => out.flush().map_err(|error| Failure::of_output(&error)),
            Self::File(file) => file.finish(),
        }
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

/// Rows of a CSV table.
pub(crate) struct CsvRows<'a> {
    sink: Sink<'a>,
    row: Vec<u8>,
}

impl<'a> CsvRows<'a> {
    /// Writes the header.
    pub(crate) fn new(sink: Sink<'a>, header: &[&str]) -> Result<Self, Failure> {
        let mut rows = Self { sink, row: Vec::new() };
        rows.write(header)?;
        Ok(rows)
    }

    pub(crate) fn write(&mut self, cells: &[&str]) -> Result<(), Failure> {
        self.row.clear();
        for (position, cell) in cells.iter().enumerate() {
            if position > 0 {
                self.row.push(b',');
            }
            // An identifier may hold anything; the other cells never need quotes.
            if cell.contains([',', '"', '\n', '\r']) || cell.starts_with('\u{feff}') {
                self.row.push(b'"');
                self.row.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
                self.row.push(b'"');
            } else {
                self.row.extend_from_slice(cell.as_bytes());
            }
        }
        self.row.push(b'\n');
        self.sink.write_all(&self.row).map_err(|error| self.sink.failure(&error))
    }

    /// Lets everything written so far be seen.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.sink.flush().map_err(|error| self.sink.failure(&error))
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.sink.finish()
    }
}

/// Columns that speak of a decision.
const DECISION_COLUMNS: [&str; 6] = ["record_id", "node_id", "decision", "confidence", "margin", "method"];

/// Decisions as CSV, one row per mention.
pub(crate) struct DecisionRows<'a>(CsvRows<'a>);

impl<'a> DecisionRows<'a> {
    /// Writes the header.
    pub(crate) fn new(sink: Sink<'a>) -> Result<Self, Failure> {
        Ok(Self(CsvRows::new(sink, &DECISION_COLUMNS)?))
    }

    pub(crate) fn mention(&mut self, mention: &AllocationResult) -> Result<(), Failure> {
        self.0.write(&[
            &mention.record_id,
            &mention.allocated_node.to_string(),
            &mention.decision.to_string(),
            &format!("{:.6}", mention.confidence),
            &format!("{:.3}", mention.margin_bits),
            &mention.method.to_string(),
        ])
    }

    /// Lets everything written so far be seen.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush()
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.0.finish()
    }
}

/// Assignments as they stand in a graph: the same columns, and the source.
pub(crate) struct AssignmentRows<'a>(CsvRows<'a>);

impl<'a> AssignmentRows<'a> {
    /// Writes the header.
    pub(crate) fn new(sink: Sink<'a>) -> Result<Self, Failure> {
        let mut columns = DECISION_COLUMNS.to_vec();
        columns.push("source");
        Ok(Self(CsvRows::new(sink, &columns)?))
    }

    pub(crate) fn assignment(&mut self, assignment: &Assignment) -> Result<(), Failure> {
        self.0.write(&[
            &assignment.record_id,
            &assignment.node.to_string(),
            &assignment.decision.to_string(),
            &format!("{:.6}", assignment.confidence),
            &format!("{:.3}", assignment.margin_bits),
            &assignment.method.to_string(),
            &assignment.source,
        ])
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.0.finish()
    }
}

/// Writes a value as one line of JSON.
pub(crate) fn json_line(sink: &mut Sink<'_>, value: &impl serde::Serialize) -> Result<(), Failure> {
    let written = serde_json::to_writer(&mut *sink, value).map_err(io::Error::from);
    written.and_then(|()| sink.write_all(b"\n")).map_err(|error| sink.failure(&error))
}
