//! Tables (CSV, TSV): a header, then one record per row.

use std::collections::HashMap;
use std::io::{self, BufRead};

use cortexkg::Fact;
use cortexkg_interchange::{RecordSplitter, Row, Split};

use super::entry::{Entry, Problem, Rejection, printable};
use super::error::InputError;
use super::lines::too_long;

/// Facts of a table, one per row.
pub struct CsvFacts<R> {
    splitter: RecordSplitter<R>,
    row: Row,
    columns: Vec<String>,
    id_column: Option<usize>,
    record: Vec<u8>,
    done: bool,
}

impl<R: BufRead> CsvFacts<R> {
    /// Reads the header. `id` names the column of identifiers; without it `record_id`, `id` or the line number serve.
    ///
    /// # Errors
    /// Where there is no usable header.
    pub fn new(
        reader: R,
        delimiter: u8,
        record_bytes_max: usize,
        id: Option<&str>,
        name: &str,
    ) -> Result<Self, InputError> {
        let mut splitter = RecordSplitter::new(reader, delimiter, record_bytes_max);
        let mut row = Row::new(delimiter);
        let mut record = Vec::new();
        let split = splitter.next_into(&mut record);
        let line = splitter.record_line();
        match split {
            Ok(Split::Whole) => {}
            Ok(Split::End) => return Err(InputError::Empty { name: name.to_owned() }),
            Ok(Split::TooLong(_)) => return Err(InputError::HeaderTooLong { limit: splitter.limit() }),
            Ok(Split::Unclosed) => return Err(InputError::HeaderUnclosed { line }),
            Err(source) => return Err(broken_header(line, source)),
        }
        row.parse(&record);
        let columns = header(&row, line, delimiter)?;
        splitter.expect_columns(columns.len());
        let find = |wanted: &str| columns.iter().position(|column| column == wanted);
        let id_column = match id {
            None => find("record_id").or_else(|| find("id")),
            Some(wanted) => Some(find(wanted).ok_or_else(|| InputError::MissingIdColumn {
                wanted: printable(wanted),
                columns: columns.iter().map(|column| printable(column)).collect::<Vec<_>>().join(", "),
            })?),
        };
        Ok(Self { splitter, row, columns, id_column, record, done: false })
    }

    /// The columns that become fields: all but that of the identifiers.
    pub fn fields(&self) -> Vec<String> {
        let is_field = |(at, _): &(usize, &String)| Some(*at) != self.id_column;
        self.columns.iter().enumerate().filter(is_field).map(|(_, column)| column.clone()).collect()
    }

    /// The fact of the row that stands in `self.row`.
    fn fact(&self, line: u64) -> Result<Fact, Rejection> {
        let id = self.id_column.and_then(|column| std::str::from_utf8(self.row.field(column)).ok());
        let id = id.map(str::trim).filter(|id| !id.is_empty());
        if self.row.len() != self.columns.len() {
            return Err(Rejection::at(
                line,
                format!(
                    "the row has {} columns, the header has {}; quote values that hold the delimiter or a quote",
                    self.row.len(),
                    self.columns.len()
                ),
            )
            .record(id));
        }
        let mut fields = Vec::with_capacity(self.columns.len());
        for (position, column) in self.columns.iter().enumerate() {
            let value = std::str::from_utf8(self.row.field(position)).map_err(|error| {
                let message = format!(
                    "not valid UTF-8 at byte {} of the value; convert the file: iconv -f LATIN1 -t UTF-8",
                    error.valid_up_to()
                );
                Rejection::at(line, message).record(id).field(column)
            })?;
            if self.id_column != Some(position) && !value.trim().is_empty() {
                fields.push((column.as_str(), value));
            }
        }
        let id = match (self.id_column, id) {
            (None, _) => line.to_string(),
            (Some(_), Some(id)) => id.to_owned(),
            (Some(column), None) => {
                let column = self.columns.get(column).map_or("", String::as_str);
                let message = "the identifier is empty; fill it in, or name another column with --id";
                return Err(Rejection::at(line, message).field(column));
            }
        };
        Ok(Fact::record(fields).with_id(id))
    }
}

impl<R: BufRead> Iterator for CsvFacts<R> {
    type Item = Result<Entry, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let split = self.splitter.next_into(&mut self.record);
        let line = self.splitter.record_line();
        let message = match split {
            Ok(Split::Whole) => {
                self.row.parse(&self.record);
                let end = self.splitter.next_line() - 1;
                let is_wrong = self.row.len() != self.columns.len() || self.splitter.is_dubious();
                if is_wrong && self.splitter.resync(&self.record) {
                    format!(
                        "a quote opened here and closed on line {end} does not enclose a value; close it on its own line, \
                         or double it"
                    )
                } else {
                    let fact = self.fact(line);
                    return Some(fact.map(|fact| Entry { line, fact }).map_err(Problem::Rejected));
                }
            }
            Ok(Split::TooLong(bytes)) => too_long("row", bytes, self.splitter.limit()),
            Ok(Split::Unclosed) => "a quote opened here is never closed; close it or double it".to_owned(),
            Ok(Split::End) => {
                self.done = true;
                return None;
            }
            Err(source) => {
                self.done = true;
                return Some(Err(Problem::Broken { line, source }));
            }
        };
        Some(Err(Rejection::at(line, message).into()))
    }
}

fn broken_header(line: u64, source: io::Error) -> InputError {
    InputError::Read { line, entries: 0, compression: super::decode::Compression::None, source }
}

fn header(row: &Row, line: u64, delimiter: u8) -> Result<Vec<String>, InputError> {
    let mut columns = Vec::with_capacity(row.len());
    let mut seen = HashMap::new();
    for index in 0..row.len() {
        let position = index + 1;
        let name = std::str::from_utf8(row.field(index))
            .map_err(|_| InputError::HeaderUtf8 { line, position })?
            .trim();
        if name.is_empty() {
            return Err(InputError::UnnamedColumn { line, position });
        }
        if let Some(first) = seen.insert(name, position) {
            return Err(InputError::RepeatedColumn { line, name: printable(name), first, second: position });
        }
        columns.push(name.to_owned());
    }
    if let [only] = columns.as_slice() {
        let others = [
            (b';', "a semicolon", "--delimiter ';'"),
            (b'\t', "a tab", "--format tsv"),
            (b'|', "a bar", "--delimiter '|'"),
            (b',', "a comma", "--format csv"),
        ];
        for (other, found, advice) in others {
            if other != delimiter && only.as_bytes().contains(&other) {
                return Err(InputError::WrongDelimiter { line, name: printable(only), found, advice });
            }
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], id: Option<&str>) -> Vec<Result<Entry, String>> {
        let facts = CsvFacts::new(text, b',', 1 << 20, id, "test").unwrap();
        facts
            .map(|item| {
                item.map_err(|problem| match problem {
                    Problem::Rejected(rejection) => rejection.to_string(),
                    Problem::Broken { .. } => unreachable!("a slice does not break"),
                })
            })
            .collect()
    }

    #[test]
    fn rows_become_records() {
        let entries = read(b"id, name ,city\n7,\"Arnie \"\"M\"\"\",\n8,Art's,\"Studio, City\"\n", None);
        let expected = [
            Entry { line: 2, fact: Fact::record([("name", "Arnie \"M\"")]).with_id("7") },
            Entry { line: 3, fact: Fact::record([("name", "Art's"), ("city", "Studio, City")]).with_id("8") },
        ];
        assert_eq!(entries.into_iter().collect::<Result<Vec<_>, _>>().unwrap(), expected);
    }

    #[test]
    fn identifiers_come_from_where_they_should() {
        let id = |text: &[u8], id| read(text, id)[0].as_ref().unwrap().record_id().to_owned();
        assert_eq!(id(b"id,record_id,x\n1,2,3\n", None), "2");
        assert_eq!(id(b"id,x\n1,3\n", None), "1");
        assert_eq!(id(b"y,x\n1,3\n", None), "2");
        assert_eq!(id(b"id,x\n1,3\n", Some("x")), "3");
        let error = CsvFacts::new(&b"a,b\n"[..], b',', 1 << 20, Some("key"), "test").err().unwrap();
        assert!(error.to_string().contains("no column key") && error.to_string().contains("a, b"), "{error}");
    }

    #[test]
    fn bad_headers_are_told() {
        let error = |text: &[u8]| CsvFacts::new(text, b',', 64, None, "t").err().unwrap().to_string();
        assert!(error(b"").contains("is empty"));
        assert!(error(b"a,,b\n").contains("column 2: has no name"));
        assert!(error(b"a,b,a\n").contains("columns 1 and 3 are both named a"));
        assert!(error(b"a;b\n1;2\n").contains("--delimiter ';'"));
        assert!(error(b"a,\xff\n").contains("column 2"));
        assert!(error("a".repeat(100).as_bytes()).contains("64 bytes"));
        assert!(error(b"\"a,b\n1,2\n").contains("never closed"));
    }

    #[test]
    fn a_bad_row_costs_itself_only() {
        let entries = read(b"id,name,city\n1,a\n2,b,c,d\n3,\xff,x\n,e,f\n4,\"g,h\n5,i,j\n6,k\",l\n", None);
        let told: Vec<_> = entries.iter().map(|entry| entry.as_ref().map(Entry::record_id)).collect();
        assert!(
            told[0].unwrap_err().starts_with("line 2, record 1: the row has 2 columns, the header has 3")
        );
        assert!(
            told[1].unwrap_err().starts_with("line 3, record 2: the row has 4 columns, the header has 3")
        );
        assert!(told[2].unwrap_err().starts_with("line 4, record 3, field name: not valid UTF-8 at byte 0"));
        assert!(told[3].unwrap_err().starts_with("line 5, field id: the identifier is empty"));
        assert_eq!(told[4], Ok("4"), "a quoted field over three lines, closed where the columns fit");
        assert_eq!(told.len(), 5);
    }

    #[test]
    fn a_stray_quote_costs_its_line_only() {
        let entries = read(b"id,name,city\n1,\"a,b\n2,c,d\n3,\"e\",f\n4,g,h\n", None);
        let told: Vec<_> = entries.iter().map(|entry| entry.as_ref().map(Entry::record_id)).collect();
        assert!(told[0].unwrap_err().starts_with("line 2: a quote opened here"), "{told:?}");
        assert_eq!(told[1..].iter().map(|told| told.unwrap()).collect::<Vec<_>>(), ["2", "3", "4"]);
    }
}
