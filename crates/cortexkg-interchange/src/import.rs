//! Reading a graph.

use std::io::{self, BufRead, BufReader, Read};

use cortexkg::NodeId;

use crate::builder::GraphBuilder;
use crate::error::InterchangeError;
use crate::export::Result;
use crate::guard::bounded;
use crate::model::ImportedGraph;
use crate::rejection::Rejection;
use crate::{DEFAULT_BASE, InterchangeFormat, csv_read, graphml, jsonl, rdf};

/// How a file is to be read, and how much of it.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// What stands before `n17` in the IRI of a node that brings its identifier (RDF formats).
    pub base: String,
    /// Name of the source: blank nodes mean something only within it.
    pub source: String,
    /// Most bytes of one line, row or element.
    pub record_bytes_max: usize,
    /// Most bytes of the input, and of the graph in memory, counted with 64 bytes for each value, node and edge.
    pub bytes_max: u64,
}

impl Default for ImportOptions {
    /// 4 MiB for a record, 4 GiB in all.
    fn default() -> Self {
        Self {
            base: DEFAULT_BASE.to_owned(),
            source: String::new(),
            record_bytes_max: 4 << 20,
            bytes_max: 4 << 30,
        }
    }
}

const BUFFER_BYTES: usize = 64 * 1024;

/// Reads a graph. `reject` hears of every record that is refused; the others are read all the same.
///
/// # Errors
/// Where the input cannot be read or understood any further, or is too large; nothing of it is returned then.
pub fn import<'a>(
    format: InterchangeFormat,
    input: impl Read,
    options: &ImportOptions,
    reject: &'a mut (dyn FnMut(Rejection) + 'a),
) -> Result<ImportedGraph> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, input);
    let broken = |source: io::Error| InterchangeError::Read { line: 1, source };
    let head = reader.fill_buf().map_err(broken)?;
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        let message = "the input is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 INPUT > OUTPUT";
        return Err(InterchangeError::Syntax { line: 1, message: message.to_owned() });
    }
    if head.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    let builder = GraphBuilder::new(options.bytes_max, reject);
    let limit = options.record_bytes_max;
    match format {
        InterchangeFormat::NTriples | InterchangeFormat::Turtle | InterchangeFormat::JsonLd => {
            rdf::import(format, reader, options, builder)
        }
        InterchangeFormat::GraphMl => graphml::import(reader, options, builder),
        InterchangeFormat::Jsonl => jsonl::import(bounded(reader, options.bytes_max), limit, builder),
        InterchangeFormat::Csv(table) => {
            csv_read::import(table, bounded(reader, options.bytes_max), limit, builder)
        }
        #[cfg(feature = "parquet")]
        InterchangeFormat::Parquet(_) => Err(InterchangeError::Unreadable { format: "Parquet".to_owned() }),
    }
}

/// What an input held.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Nodes, facts and edges.
    pub elements: u64,
    /// Records refused.
    pub rejections: u64,
    /// Whether the input could not be read to its end.
    pub broken: bool,
}

/// Reads everything in `data` within narrow bounds and counts. This is what the fuzz targets call: whatever the bytes, it
/// returns.
pub fn drain(data: &[u8], format: InterchangeFormat) -> Tally {
    let options = ImportOptions { record_bytes_max: 4096, bytes_max: 1 << 20, ..ImportOptions::default() };
    let mut rejections = 0;
    let mut reject = |rejection: Rejection| {
        assert!(rejection.line > 0 && !rejection.message.is_empty(), "every rejection says where and why");
        rejections += 1;
    };
    let read = import(format, data, &options, &mut reject);
    let Ok(mut graph) = read else { return Tally { rejections, broken: true, elements: 0 } };
    let elements = graph.nodes.len() + graph.facts.len() + graph.edges.len();
    let loadable = graph.to_knowledge_graph().0;
    assert_eq!(loadable.nodes.len(), graph.nodes.len(), "every node can be loaded");
    graph.renumber(NodeId(1));
    Tally { elements: elements as u64, rejections, broken: false }
}
