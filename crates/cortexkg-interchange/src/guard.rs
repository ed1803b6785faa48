//! A reader that keeps hostile input within bounds: bytes in all, bytes without a break, depth of JSON; and counts lines.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use crate::error::InterchangeError;

/// What is known of the reading while a parser holds the reader.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    line: Rc<Cell<u64>>,
    /// Bytes since the parser last gave something back.
    pending: Rc<Cell<u64>>,
}

impl Progress {
    /// The line that was read last, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line.get()
    }

    /// Says that what was read so far has been dealt with.
    pub(crate) fn settle(&self) {
        self.pending.set(0);
    }
}

/// A reader within bounds.
pub(crate) struct Guarded<R> {
    reader: R,
    progress: Progress,
    ends_line: bool,
    bytes: u64,
    limits: Limits,
    depth: usize,
    state: JsonState,
}

/// Bounds of an input.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// Bytes in all.
    pub(crate) bytes_max: u64,
    /// Bytes between two calls of [`Progress::settle`], and [`CHUNK_BYTES`] that a parser may have read ahead.
    pub(crate) pending_bytes_max: Option<u64>,
    /// Nesting of objects and arrays, if the input is JSON.
    pub(crate) json_depth_max: Option<usize>,
    /// Whether a read ends with a line, so that the line that is known is the line that is parsed. Not for a parser that
    /// clears its whole buffer at every read, or starts a long token over.
    pub(crate) is_by_line: bool,
}

/// Most bytes of a read that does not end with a line.
const CHUNK_BYTES: usize = 8 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonState {
    Outside,
    Text,
    Escape,
}

/// Why a guard stopped the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Bytes(u64),
    Pending(u64),
    Depth(usize),
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(limit) => write!(formatter, "more than {limit} bytes"),
            Self::Pending(limit) => {
                write!(formatter, "one element has more than {limit} bytes; shorten it, or raise the limit")
            }
            Self::Depth(limit) => {
                write!(formatter, "nested deeper than {limit} levels; flatten the document")
            }
        }
    }
}

impl std::error::Error for Stop {}

impl<R: BufRead> Guarded<R> {
    pub(crate) fn new(reader: R, limits: Limits) -> (Self, Progress) {
        let progress = Progress { line: Rc::new(Cell::new(1)), pending: Rc::new(Cell::new(0)) };
        let guarded = Self {
            reader,
            progress: progress.clone(),
            ends_line: false,
            bytes: 0,
            limits,
            depth: 0,
            state: JsonState::Outside,
        };
        (guarded, progress)
    }

    fn check(&self) -> Result<(), Stop> {
        if self.bytes > self.limits.bytes_max {
            return Err(Stop::Bytes(self.limits.bytes_max));
        }
        match self.limits {
            Limits { pending_bytes_max: Some(max), .. }
                if self.progress.pending.get() > max.saturating_add(CHUNK_BYTES as u64) =>
            {
                Err(Stop::Pending(max))
            }
            Limits { json_depth_max: Some(max), .. } if self.depth > max => Err(Stop::Depth(max)),
            _ => Ok(()),
        }
    }
}

/// A reader of at most so many bytes, for formats whose records are bounded elsewhere.
pub(crate) fn bounded<R: BufRead>(reader: R, bytes_max: u64) -> impl BufRead {
    let limits = Limits { bytes_max, ..Limits::default() };
    BufReader::new(Guarded::new(reader, limits).0)
}

/// Depth and state after `text`; stops where it gets too deep.
fn nest(text: &[u8], mut depth: usize, mut state: JsonState, max: usize) -> (usize, JsonState) {
    for &byte in text {
        state = match (state, byte) {
            (JsonState::Outside, b'{' | b'[') => {
                depth += 1;
                if depth > max {
                    return (depth, state);
                }
                state
            }
            (JsonState::Outside, b'}' | b']') => {
                depth = depth.saturating_sub(1);
                state
            }
            (JsonState::Outside, b'"') | (JsonState::Escape, _) => JsonState::Text,
            (JsonState::Text, b'"') => JsonState::Outside,
            (JsonState::Text, b'\\') => JsonState::Escape,
            _ => state,
        };
    }
    (depth, state)
}

impl<R: BufRead> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.reader.fill_buf()?;
        let text = chunk.get(..chunk.len().min(buffer.len()).min(CHUNK_BYTES)).unwrap_or_default();
        let line_end = if self.limits.is_by_line { memchr::memchr(b'\n', text) } else { None };
        let text = text.get(..line_end.map_or(text.len(), |end| end + 1)).unwrap_or_default();
        if let Some(max) = self.limits.json_depth_max {
            (self.depth, self.state) = nest(text, self.depth, self.state, max);
        }
        if let Some((last, before)) = text.split_last() {
            let breaks = memchr::memchr_iter(b'\n', before).count() + usize::from(self.ends_line);
            self.progress.line.set(self.progress.line.get() + breaks as u64);
            self.ends_line = *last == b'\n';
        }
        let count = text.len();
        if let Some(start) = buffer.get_mut(..count) {
            start.copy_from_slice(text);
        }
        self.reader.consume(count);
        self.bytes += count as u64;
        self.progress.pending.set(self.progress.pending.get() + count as u64);
        self.check().map_err(io::Error::other)?;
        Ok(count)
    }
}

/// The refusal of an input without anything.
pub(crate) fn nothing_in() -> InterchangeError {
    let message = "the file is empty: there is nothing in it; check that it was written to its end";
    InterchangeError::Syntax { line: 1, message: message.to_owned() }
}

/// What an error of a guarded reader means.
pub(crate) fn read_error(line: u64, error: io::Error) -> InterchangeError {
    let stop = error.get_ref().and_then(|inner| inner.downcast_ref::<Stop>()).copied();
    match stop {
        Some(Stop::Bytes(limit)) => InterchangeError::TooLarge { line, what: "the input", limit },
        Some(stop) => InterchangeError::Syntax { line, message: stop.to_string() },
        None => InterchangeError::Read { line, source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, limits: Limits) -> (Result<String, InterchangeError>, u64) {
        let (mut reader, progress) = Guarded::new(text.as_bytes(), limits);
        let mut out = String::new();
        let read = reader.read_to_string(&mut out);
        let line = progress.line();
        (read.map(|_| out).map_err(|error| read_error(line, error)), line)
    }

    const NONE: Limits =
        Limits { bytes_max: u64::MAX, pending_bytes_max: None, json_depth_max: None, is_by_line: true };

    #[test]
    fn bounds_hold() {
        let text = "{\"a\": \"[[[\\\"{\",\n\"b\": [1, {}]}\n";
        assert_eq!(read(text, NONE).0.unwrap(), text);
        assert_eq!(read(text, NONE).1, 2);
        assert_eq!(read(text, Limits { is_by_line: false, ..NONE }).1, 2);
        assert_eq!(read("a\n\n\nb", Limits { is_by_line: false, ..NONE }).1, 4);
        assert!(read(text, Limits { json_depth_max: Some(3), ..NONE }).0.is_ok());
        let error = read(text, Limits { json_depth_max: Some(2), ..NONE }).0.unwrap_err().to_string();
        assert!(error.starts_with("line 2: nested deeper than 2 levels"), "{error}");
        let error = read(text, Limits { bytes_max: 20, ..NONE }).0.unwrap_err().to_string();
        assert!(error.starts_with("line 2: the input has more than 20 bytes"), "{error}");
        let long = "x".repeat(CHUNK_BYTES + 21);
        assert!(read(&long, Limits { pending_bytes_max: Some(21), ..NONE }).0.is_ok());
        let error = read(&long, Limits { pending_bytes_max: Some(20), ..NONE }).0.unwrap_err().to_string();
        assert!(error.contains("one element has more than 20 bytes"), "{error}");
    }
}
