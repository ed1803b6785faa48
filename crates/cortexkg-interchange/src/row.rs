//! The fields of one record of a table.

use csv_core::ReadRecordResult;

/// One parsed row; its buffers are used again for the next.
pub struct Row {
    parser: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Row {
    /// For tables with this delimiter.
    pub fn new(delimiter: u8) -> Self {
        let parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { parser, text: Vec::new(), ends: vec![0; 32], count: 0 }
    }

    /// Parses one record, which holds no line end outside quotes.
    pub fn parse(&mut self, record: &[u8]) {
        self.parser.reset();
        self.count = 0;
        if self.text.len() < record.len() {
            self.text.resize(record.len().next_power_of_two(), 0);
        }
        let mut input = record;
        let mut written = 0;
        loop {
            let output = self.text.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(self.count..).unwrap_or_default();
            let (result, read, wrote, ended) = self.parser.read_record(input, output, ends);
            input = input.get(read..).unwrap_or_default();
            written += wrote;
            self.count += ended;
            match result {
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2 + 16, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                // An empty input tells the parser that the record is at its end.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        debug_assert!(input.is_empty(), "the splitter and the parser disagree on where a record ends");
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes of a field; empty beyond the last.
    pub fn field(&self, index: usize) -> &[u8] {
        if index >= self.count {
            return &[];
        }
        let start = match index {
            0 => 0,
            _ => self.ends.get(index - 1).copied().unwrap_or_default(),
        };
        self.ends.get(index).and_then(|&end| self.text.get(start..end)).unwrap_or_default()
    }
}
