//! A knowledge graph out and back in.

pub mod json;
mod lines;
mod ntriples;
mod records;
mod rejection;
mod row;

pub use lines::{BoundedLines, Line};
pub use ntriples::ntriple;
pub use records::{RecordSplitter, Split};
pub use rejection::{Rejection, printable};
pub use row::Row;
