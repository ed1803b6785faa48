//! Which facts to read, and how: the options that `allocate` and `evaluate` share.

use std::io::Read;
use std::path::PathBuf;

use crate::input::{FactInput, Format, InputError, InputOptions, RECORD_BYTES_MAX};

/// An input of facts.
#[derive(Debug, clap::Args)]
pub struct InputArgs {
    /// The file to read, or - for standard input. gzip and zstd are undone.
    #[arg(value_name = "INPUT")]
    pub path: PathBuf,
    /// Column or key that identifies a record. It names the record and is never evidence.
    ///
    /// Without it: record_id, then id, else the line number. Identifiers are unique within an input; the first
    /// record stays.
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Name of the source that the facts come from [default: the name of the file, or stdin].
    ///
    /// In a graph, a record is known by its source and its identifier.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub source: Option<String>,
    /// Format of the input [default: by the name of the file, else by its first bytes].
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Character between the columns of a table [default: a comma, in TSV a tab].
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// Stop after N records, rejected ones included.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Most bytes that one record may have in the input; a longer one is rejected without being held in memory.
    #[arg(long, value_name = "N", default_value_t = RECORD_BYTES_MAX, value_parser = record_bytes)]
    pub record_bytes_max: usize,
    /// Write every rejected record: one JSON object per line, with line, record, field and message.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

impl InputArgs {
    /// Opens the input; `stdin` is read where that is asked for.
    ///
    /// # Errors
    /// Where it cannot be opened, or has no usable beginning.
    pub fn open<'a>(&self, stdin: &'a mut (dyn Read + 'a)) -> Result<FactInput<'a>, InputError> {
        let options = InputOptions {
            format: self.format,
            id: self.id.clone(),
            source: self.source.clone(),
            delimiter: self.delimiter,
            record_bytes_max: self.record_bytes_max,
        };
        if self.path.as_os_str() == "-" {
            FactInput::from_reader(stdin, "stdin", &options)
        } else {
            FactInput::open(&self.path, &options)
        }
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [b'"' | b'\n' | b'\r'] => Err("a quote or a line end separates no columns".into()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ if text == "\\t" => Ok(b'\t'),
        _ => Err("one ASCII character, like ';' or '\\t'".into()),
    }
}

fn record_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes) if (64..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err("a number from 64 to 1073741824".into()),
    }
}
