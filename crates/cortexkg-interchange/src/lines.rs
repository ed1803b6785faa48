//! Lines of bounded length: a longer one is counted and skipped, never held in memory.

use std::io::{self, BufRead};

/// What [`BoundedLines::next_into`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// A line, without its end.
    Whole,
    /// A line of so many bytes, more than the limit; it has been skipped.
    TooLong(u64),
    /// The input is at its end.
    End,
}

/// Reads lines up to a limit of bytes.
pub struct BoundedLines<R> {
    reader: R,
    limit: usize,
    number: u64,
}

impl<R: BufRead> BoundedLines<R> {
    /// Lines of `reader`, each of at most `limit` bytes.
    pub fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, number: 0 }
    }

    /// Most bytes of a line.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Number of the line read last, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line into `line`, replacing what was there.
    ///
    /// # Errors
    /// Those of the reader. What was read of the line is no line.
    pub fn next_into(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        self.number += 1;
        let mut length = 0u64;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() && length == 0 {
                return Ok(Line::End);
            }
            let end = memchr::memchr(b'\n', chunk);
            let text = end.map_or(chunk, |end| chunk.split_at(end).0);
            length += text.len() as u64;
            if length <= self.limit as u64 {
                line.extend_from_slice(text);
            }
            let at_end = end.is_some() || chunk.is_empty();
            let consumed = text.len() + usize::from(end.is_some());
            self.reader.consume(consumed);
            if at_end {
                break;
            }
        }
        if length > self.limit as u64 {
            line.clear();
            return Ok(Line::TooLong(length));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Line::Whole)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn long_lines_are_skipped_and_the_rest_goes_on() {
        let text = format!("one\r\n{}\n\nthree", "x".repeat(1000));
        let mut lines = BoundedLines::new(BufReader::with_capacity(16, text.as_bytes()), 10);
        let mut line = Vec::new();
        assert_eq!(lines.next_into(&mut line).unwrap(), Line::Whole);
        assert_eq!(line, b"one");
        assert_eq!(lines.next_into(&mut line).unwrap(), Line::TooLong(1000));
        assert_eq!(lines.next_into(&mut line).unwrap(), Line::Whole);
        assert_eq!(line, b"");
        assert_eq!(lines.next_into(&mut line).unwrap(), Line::Whole);
        assert_eq!((line.as_slice(), lines.number()), (&b"three"[..], 4));
        assert_eq!(lines.next_into(&mut line).unwrap(), Line::End);
    }
}
