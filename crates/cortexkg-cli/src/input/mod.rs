//! From bytes to facts, one at a time: whatever the format, the compression and the damage.
//!
//! Readers hold one record, of bounded size, at a time. A record that cannot be taken is a [`Rejection`] with line and
//! field, and the stream goes on after it; only an input that cannot be read any further ends it early.

mod csv;
mod decode;
mod entry;
mod error;
mod flatten;
mod format;
mod ids;
mod jsonl;
mod lines;
mod ntriples;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::csv::CsvFacts;
pub use self::decode::{Compression, decode};
pub use self::entry::{Entry, Problem, Rejection};
pub use self::error::InputError;
pub use self::format::Format;
pub use self::jsonl::JsonlFacts;
pub use self::lines::{BoundedLines, Line};
pub use self::ntriples::NtriplesFacts;

use self::decode::Peeked;
use self::ids::SeenIds;

/// How an input is to be read.
#[derive(Debug, Clone)]
pub struct InputOptions {
    /// The format; told by the name or the first bytes if absent.
    pub format: Option<Format>,
    /// Column or key of the identifiers.
    pub id: Option<String>,
    /// Name of the source; the file's name if absent.
    pub source: Option<String>,
    /// Delimiter of a table, if not the format's own.
    pub delimiter: Option<u8>,
    /// Most bytes that one record may have in the input.
    pub record_bytes_max: usize,
}

/// Default of [`InputOptions::record_bytes_max`]: 1 MiB.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

impl Default for InputOptions {
    fn default() -> Self {
        Self { format: None, id: None, source: None, delimiter: None, record_bytes_max: RECORD_BYTES_MAX }
    }
}

type Facts<'a> = Box<dyn Iterator<Item = Result<Entry, Problem>> + 'a>;

/// The facts of one input, with duplicates of identifiers refused and the source filled in.
pub struct FactInput<'a> {
    facts: Facts<'a>,
    format: Format,
    columns: Option<Vec<String>>,
    compression: Compression,
    source: String,
    seen: SeenIds,
    entries: u64,
    bytes_read: Arc<AtomicU64>,
    bytes_total: Option<u64>,
}

impl<'a> FactInput<'a> {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// Where the file cannot be opened, or has no usable beginning.
    pub fn open(path: &Path, options: &InputOptions) -> Result<Self, InputError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| InputError::Open { name: name.clone(), source })?;
        let metadata = file.metadata().map_err(|source| InputError::Open { name: name.clone(), source })?;
        if metadata.is_dir() {
            return Err(InputError::Directory { name });
        }
        let mut input = Self::from_reader(file, &name, options)?;
        input.bytes_total = Some(metadata.len()).filter(|_| metadata.is_file());
        Ok(input)
    }

    /// Reads from any reader. `name` is that of the file, or `stdin`.
    ///
    /// # Errors
    /// Where the input has no usable beginning.
    pub fn from_reader(
        reader: impl Read + 'a,
        name: &str,
        options: &InputOptions,
    ) -> Result<Self, InputError> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let counted = Counted { reader, bytes: Arc::clone(&bytes_read) };
        let broken = |compression, source| InputError::Read { line: 1, entries: 0, compression, source };
        let (compression, decoded) = decode(counted).map_err(|source| broken(Compression::None, source))?;
        let mut decoded = Peeked::first_line(decoded, SNIFF_BYTES);
        decoded.check().map_err(|source| broken(compression, source))?;
        let head = decoded.head();
        if head.is_empty() {
            return Err(InputError::Empty { name: name.to_owned() });
        }
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(InputError::Utf16);
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            decoded.skip(3);
        }
        let format =
            options.format.or_else(|| Format::by_name(name)).unwrap_or_else(|| Format::sniff(decoded.head()));
        let reader: Box<dyn BufRead + 'a> = Box::new(BufReader::with_capacity(SNIFF_BYTES, decoded));
        let id = options.id.as_deref();
        let limit = options.record_bytes_max;
        let mut columns = None;
        let facts: Facts<'a> = match format {
            Format::Csv | Format::Tsv => {
                let delimiter = options.delimiter.or_else(|| format.delimiter()).unwrap_or(b',');
                let facts = CsvFacts::new(reader, delimiter, limit, id, name);
                let facts = facts.map_err(|error| with_compression(error, compression))?;
                columns = Some(facts.fields());
                Box::new(facts)
            }
            Format::Jsonl => Box::new(JsonlFacts::new(reader, limit, id)),
            Format::Ntriples => match id {
                Some(wanted) => return Err(InputError::IdOfTriples { wanted: wanted.to_owned() }),
                None => Box::new(NtriplesFacts::new(reader, limit)),
            },
        };
        let file_name = Path::new(name).file_name().map_or(name.into(), |file| file.to_string_lossy());
        Ok(Self {
            facts,
            format,
            columns,
            compression,
            source: options.source.clone().unwrap_or_else(|| file_name.into_owned()),
            seen: SeenIds::default(),
            entries: 0,
            bytes_read,
            bytes_total: None,
        })
    }

    /// The format in which the input is read.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The fields that a table has; none for a format in which every record brings its own.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// The source that facts are said to come from, unless they name one themselves.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Bytes taken from the file so far, before decompression.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Bytes of the file, if it is one.
    pub fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }
}

const SNIFF_BYTES: usize = 64 * 1024;

/// What [`FactInput`] yields: an entry, a rejection after which it goes on, or an error after which it ends.
pub type Item = Result<Entry, Refusal>;

/// Why [`FactInput`] has no entry to give.
#[derive(Debug)]
pub enum Refusal {
    /// This record is refused; the stream goes on.
    Rejected(Rejection),
    /// The input cannot be read any further.
    Broken(InputError),
}

impl Iterator for FactInput<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Self::Item> {
        let mut entry = match self.facts.next()? {
            Ok(entry) => entry,
            Err(Problem::Rejected(rejection)) => return Some(Err(Refusal::Rejected(rejection))),
            Err(Problem::Broken { line, source }) => {
                let Self { entries, compression, .. } = *self;
                return Some(Err(Refusal::Broken(InputError::Read { line, entries, compression, source })));
            }
        };
        if !self.seen.insert(entry.record_id()) {
            let message =
                "the identifier stands earlier in this input, that record stays; give each record its own";
            let rejection = Rejection::at(entry.line, message).record(Some(entry.record_id()));
            return Some(Err(Refusal::Rejected(rejection.field("record_id"))));
        }
        self.entries += 1;
        if entry.fact.source.is_none() {
            entry.fact.source = Some(self.source.clone());
        }
        Some(Ok(entry))
    }
}

fn with_compression(error: InputError, compression: Compression) -> InputError {
    match error {
        InputError::Read { line, entries, source, .. } => {
            InputError::Read { line, entries, compression, source }
        }
        other => other,
    }
}

/// Counts the bytes that go through it.
struct Counted<R> {
    reader: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// What an input held.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Facts.
    pub entries: u64,
    /// Records refused.
    pub rejections: u64,
    /// Whether the input ended early, or could not be read at all.
    pub broken: bool,
}

/// Reads everything in `data` as `format` (or as what it looks like) and counts. This is what the fuzz targets call:
/// whatever the bytes, it returns.
pub fn drain(data: &[u8], format: Option<Format>) -> Tally {
    let options = InputOptions { format, record_bytes_max: 4096, ..InputOptions::default() };
    let mut tally = Tally::default();
    let Ok(input) = FactInput::from_reader(data, "fuzz", &options) else {
        return Tally { broken: true, ..tally };
    };
    for item in input {
        match item {
            Ok(entry) => {
                assert!(!entry.record_id().is_empty(), "every fact has an identifier");
                tally.entries += 1;
            }
            Err(Refusal::Rejected(rejection)) => {
                assert!(
                    rejection.line > 0 && !rejection.message.is_empty(),
                    "every rejection says where and why"
                );
                tally.rejections += 1;
            }
            Err(Refusal::Broken(_)) => tally.broken = true,
        }
    }
    tally
}
