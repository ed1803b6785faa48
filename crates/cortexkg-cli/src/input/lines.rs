//! The lines of a format that puts one fact on each.

use std::io::BufRead;

pub use cortexkg_interchange::{BoundedLines, Line};

use super::entry::{Problem, Rejection};

/// What to say of a line or record that is too long.
pub(super) fn too_long(what: &str, bytes: u64, limit: usize) -> String {
    format!(
        "the {what} has {bytes} bytes, at most {limit} are taken; shorten it, or raise --record-bytes-max"
    )
}

/// The lines of a format that puts one fact on each: what is too long, or cannot be read, is a problem of its own.
pub(super) struct FactLines<R> {
    lines: BoundedLines<R>,
    line: Vec<u8>,
    done: bool,
}

impl<R: BufRead> FactLines<R> {
    /// Lines of `reader`, each of at most `limit` bytes.
    pub(super) fn new(reader: R, limit: usize) -> Self {
        Self { lines: BoundedLines::new(reader, limit), line: Vec::new(), done: false }
    }

    /// The next line with its number, counted from 1.
    pub(super) fn next(&mut self) -> Option<Result<(u64, &[u8]), Problem>> {
        if self.done {
            return None;
        }
        let read = self.lines.next_into(&mut self.line);
        let number = self.lines.number();
        match read {
            Ok(Line::Whole) => Some(Ok((number, &self.line))),
            Ok(Line::TooLong(bytes)) => {
                Some(Err(Rejection::at(number, too_long("line", bytes, self.lines.limit())).into()))
            }
            Ok(Line::End) => {
                self.done = true;
                None
            }
            Err(source) => {
                self.done = true;
                Some(Err(Problem::Broken { line: number, source }))
            }
        }
    }
}
