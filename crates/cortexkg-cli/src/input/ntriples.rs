//! N-Triples: one triple per line, so that one bad line costs one triple.

use std::io::BufRead;

use cortexkg_interchange::ntriple;

use super::entry::{Entry, Problem};
use super::lines::FactLines;

/// Facts of N-Triples. The line number is the identifier.
pub struct NtriplesFacts<R> {
    lines: FactLines<R>,
}

impl<R: BufRead> NtriplesFacts<R> {
    /// The triples of `reader`.
    pub fn new(reader: R, record_bytes_max: usize) -> Self {
        Self { lines: FactLines::new(reader, record_bytes_max) }
    }
}

impl<R: BufRead> Iterator for NtriplesFacts<R> {
    type Item = Result<Entry, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(read) = self.lines.next() {
            let (line, bytes) = match read {
                Ok(read) => read,
                Err(problem) => return Some(Err(problem)),
            };
            match ntriple(bytes, line) {
                Ok(Some(fact)) => return Some(Ok(Entry { line, fact: fact.with_id(line.to_string()) })),
                Ok(None) => {}
                Err(rejection) => return Some(Err(rejection.into())),
            }
        }
        None
    }
}
