//! Cuts CSV into records of bounded size before the csv parser sees them.
//!
//! A table's record may hold line breaks inside quotes, so a record ends where its quotes say. That makes two kinds of
//! damage dangerous: a field of 100 MB, and a quote that nobody closes, which swallows the rest of the file. So a
//! record is held up to a limit of bytes and skipped beyond; and where a record that spans several lines turns out
//! to be wrong, only its first line is given up and reading starts again at the second ([`RecordSplitter::resync`]),
//! provided the second line looks like a row of its own.

use std::io::{self, BufRead};

/// What [`RecordSplitter::next_into`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// A record, without its line end.
    Whole,
    /// A record of so many bytes, more than the limit; it has been skipped.
    TooLong(u64),
    /// A quote that is never closed, or not within the limit. Its line was given up; the next one follows.
    Unclosed,
    /// The input is at its end.
    End,
}

/// Where in a record the scan stands; the same rules as csv-core's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    QuoteInQuoted,
}

impl State {
    fn after(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::QuoteInQuoted,
            (Self::Quoted, _) | (Self::FieldStart | Self::QuoteInQuoted, b'"') => Self::Quoted,
            (_, byte) if byte == delimiter => Self::FieldStart,
            _ => Self::Bare,
        }
    }
}

/// Counts lines that end in LF, CRLF or CR.
#[derive(Debug, Clone, Copy)]
struct LineCount {
    line: u64,
    after_cr: bool,
}

impl LineCount {
    fn see(&mut self, byte: u8) {
        if byte == b'\r' || (byte == b'\n' && !self.after_cr) {
            self.line += 1;
        }
        self.after_cr = byte == b'\r';
    }
}

/// Cuts a table into records.
pub struct RecordSplitter<R> {
    reader: R,
    /// Bytes to read before the reader's, after a resync.
    pending: Vec<u8>,
    pending_at: usize,
    delimiter: u8,
    limit: usize,
    /// Columns of the header; 0 until it is known.
    columns: usize,
    lines: LineCount,
    record_line: u64,
    /// The line end that closed the record read last; `None` at the end of the input or within a record.
    terminator: Option<u8>,
    /// Whether text follows a closing quote in the record read last, as after a quote that was not meant as one.
    dubious: bool,
    read_bytes: u64,
    reread_bytes: u64,
}

/// Bytes that resyncs may read again, per byte of input: damage made on purpose costs linear time too.
const REREAD_FACTOR: u64 = 16;

impl<R: BufRead> RecordSplitter<R> {
    /// Records of `reader`, each of at most `limit` bytes.
    pub fn new(reader: R, delimiter: u8, limit: usize) -> Self {
        Self {
            reader,
            pending: Vec::new(),
            pending_at: 0,
            delimiter,
            limit,
            columns: 0,
            lines: LineCount { line: 1, after_cr: false },
            record_line: 1,
            terminator: None,
            dubious: false,
            read_bytes: 0,
            reread_bytes: 0,
        }
    }

    /// Says how many columns a row has, by which a row is recognised after damage.
    pub fn expect_columns(&mut self, columns: usize) {
        self.columns = columns;
    }

    /// The line on which the record read last starts, counted from 1.
    pub fn record_line(&self) -> u64 {
        self.record_line
    }

    /// The line that is read next, counted from 1.
    pub fn next_line(&self) -> u64 {
        self.lines.line
    }

    /// Whether the record read last uses quotes as no table should: `"a"b`.
    pub fn is_dubious(&self) -> bool {
        self.dubious
    }

    /// Most bytes of a record.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Reads the next record that is not blank into `record`, replacing what was there.
    ///
    /// # Errors
    /// Those of the reader. What was read of the record is no record.
    pub fn next_into(&mut self, record: &mut Vec<u8>) -> io::Result<Split> {
        record.clear();
        self.record_line = self.lines.line;
        self.terminator = None;
        self.dubious = false;
        let limit = self.limit as u64;
        let mut state = State::FieldStart;
        let mut length = 0u64;
        loop {
            let chunk = match self.pending.get(self.pending_at..) {
                Some(rest) if !rest.is_empty() => rest,
                _ => match self.reader.fill_buf() {
                    Ok(chunk) => chunk,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                },
            };
            if chunk.is_empty() {
                break;
            }
            let mut consumed = 0;
            let mut overflows = false;
            for &byte in chunk {
                consumed += 1;
                self.lines.see(byte);
                if state != State::Quoted && (byte == b'\n' || byte == b'\r') {
                    if length == 0 {
                        self.record_line = self.lines.line;
                        continue;
                    }
                    self.terminator = Some(byte);
                    break;
                }
                let before = state;
                state = before.after(byte, self.delimiter);
                self.dubious |= before == State::QuoteInQuoted && state == State::Bare;
                length += 1;
                if length <= limit + 1 {
                    record.push(byte);
                    overflows = length > limit;
                    if overflows {
                        break;
                    }
                }
            }
            self.consume(consumed);
            if self.terminator.is_some() {
                break;
            }
            // A huge field, or a quote that nobody closes? The latter if the next line looks like a row.
            if overflows && state == State::Quoted && self.columns > 1 && self.resync(record) {
                return Ok(Split::Unclosed);
            }
        }
        if length > limit {
            record.clear();
            return Ok(Split::TooLong(length));
        }
        if state == State::Quoted {
            self.resync(record);
            return Ok(Split::Unclosed);
        }
        Ok(if length == 0 { Split::End } else { Split::Whole })
    }

    /// Gives up the first line of `record`, which was read last, and goes back to its second line, if that is a
    /// row of the expected number of columns. Says whether it did.
    pub fn resync(&mut self, record: &[u8]) -> bool {
        let Some(break_at) = memchr::memchr2(b'\n', b'\r', record) else { return false };
        let (_, rest) = record.split_at(break_at);
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.split_first().map(|(_, rest)| rest));
        let Some(rest) = rest.filter(|rest| self.starts_with_row(rest)) else { return false };
        let again = self.reread_bytes + rest.len() as u64;
        if again > REREAD_FACTOR * self.read_bytes {
            return false;
        }
        self.reread_bytes = again;
        let mut pending = Vec::with_capacity(rest.len() + 1);
        pending.extend_from_slice(rest);
        pending.extend(self.terminator);
        pending.extend_from_slice(self.pending.get(self.pending_at..).unwrap_or_default());
        self.pending = pending;
        self.pending_at = 0;
        self.lines = LineCount { line: self.record_line + 1, after_cr: false };
        true
    }

    /// Whether the first line of `text` is a row of its own with the expected number of columns.
    fn starts_with_row(&self, text: &[u8]) -> bool {
        let mut state = State::FieldStart;
        let mut columns = 1;
        for &byte in text {
            if byte == b'\n' || byte == b'\r' {
                break;
            }
            columns += usize::from(state != State::Quoted && byte == self.delimiter);
            state = state.after(byte, self.delimiter);
        }
        state != State::Quoted && columns == self.columns
    }

    fn consume(&mut self, count: usize) {
        if self.pending_at < self.pending.len() {
            self.pending_at += count;
            if self.pending_at >= self.pending.len() {
                self.pending = Vec::new();
                self.pending_at = 0;
            }
        } else {
            self.reader.consume(count);
            self.read_bytes += count as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// Every record with its line, read through a small buffer.
    fn split(text: &str, columns: usize, limit: usize) -> Vec<(u64, Split, String)> {
        let mut splitter = RecordSplitter::new(BufReader::with_capacity(7, text.as_bytes()), b',', limit);
        splitter.expect_columns(columns);
        let mut record = Vec::new();
        let mut all = Vec::new();
        loop {
            match splitter.next_into(&mut record).unwrap() {
                Split::End => return all,
                Split::Whole => all.push((
                    splitter.record_line(),
                    Split::Whole,
                    String::from_utf8(record.clone()).unwrap(),
                )),
                other => all.push((splitter.record_line(), other, String::new())),
            }
        }
    }

    fn whole(line: u64, text: &str) -> (u64, Split, String) {
        (line, Split::Whole, text.to_owned())
    }

    #[test]
    fn quotes_hold_line_breaks() {
        let records = split("a,b\r\n\r\n1,\"x\n\"\"y\"\n2,z\"\r3,w", 2, 100);
        assert_eq!(
            records,
            [whole(1, "a,b"), whole(3, "1,\"x\n\"\"y\""), whole(5, "2,z\""), whole(6, "3,w")]
        );
    }

    #[test]
    fn huge_fields_are_skipped() {
        let huge = format!("1,\"{}\"\n2,b\n3,{}\n4,d\n", "x\n\"\"".repeat(500), "y".repeat(500));
        let records = split(&huge, 2, 50);
        assert_eq!(
            records,
            [
                (1, Split::TooLong(2004), String::new()),
                whole(502, "2,b"),
                (503, Split::TooLong(502), String::new()),
                whole(504, "4,d")
            ]
        );
    }

    #[test]
    fn an_open_quote_costs_one_line() {
        let rows = "2,b\n".repeat(40);
        let records = split(&format!("1,\"a\n{rows}"), 2, 50);
        assert_eq!(records.len(), 41);
        assert_eq!(records[0], (1, Split::Unclosed, String::new()));
        assert_eq!(records[40], whole(41, "2,b"));
        let records = split("1,\"a\n2,b\n3,c", 2, 50);
        assert_eq!(records, [(1, Split::Unclosed, String::new()), whole(2, "2,b"), whole(3, "3,c")]);
        assert_eq!(split("1,\"a", 2, 50), [(1, Split::Unclosed, String::new())]);
    }

    #[test]
    fn damage_made_on_purpose_takes_linear_time() {
        let records = split(&"a\"b,\"c\nx,y\n".repeat(50_000), 2, 1 << 20);
        assert!(!records.is_empty());
    }
}
