//! JSON Lines that hold everything: nodes, facts with their nodes, edges.
//!
//! ```text
//! {"cortexkg_graph":1}
//! {"node":{"id":"n0","label":"Citrus","properties":[["name","Citrus",2]],"aliases":[…],"redirects":["n7"]}}
//! {"fact":{"record_id":"r1","name":"Citrus","tags":["a","b"],"embedding":[0.5,1e-45]},"position":0,"nodes":["n0"],"source":"s"}
//! {"fact":{"subject":"Ada","predicate":"knows","object":{"iri":"http://x/"},"time":9},"position":1,"nodes":["n1","n2"]}
//! {"edge":{"from":"n1","predicate":"knows","to":"n2"}}
//! {"cortexkg_graph_end":{"nodes":3,"facts":2,"edges":1}}
//! ```
//!
//! The last line counts the lines before it, so that a file that was cut off, even at the end of a line, is noticed: one that begins
//! with `cortexkg_graph` and does not end so is not whole. Lines of other origin need neither.
//!
//! The object under `fact` is what `cortexkg allocate` takes as a line. What that shape cannot say stands beside it:
//! `source`, `time` and `confidence` of a record, where they would be fields, and as `fields`, a list of pairs, the fields of a
//! record that would be read as something else (one that has a field `id`, say, or `text` alone).

mod end;
mod read;
mod write;

use cortexkg::{Field, FieldValue};

pub use self::end::{JsonlCounts, WholeCheck};
pub(crate) use self::read::import;
pub use self::read::{JsonlElement, JsonlGraph, graph_element, is_graph_header};
pub(crate) use self::write::JsonlExporter;
pub(crate) use self::write::text_list;

/// Version of the format, in the first line.
const VERSION: u64 = 1;
const HEADER_KEY: &str = "cortexkg_graph";
const END_KEY: &str = "cortexkg_graph_end";

/// What may stand beside the content of a triple or a text.
const ENVELOPE: [&str; 3] = ["source", "time", "confidence"];
const TRIPLE: [&str; 3] = ["subject", "predicate", "object"];

/// What the keys of an object make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Record,
    Triple,
    Text,
}

/// The same rules as `cortexkg allocate` has. `None` for a triple that lacks an end.
fn shape<'a>(keys: impl Iterator<Item = &'a str>, text_is_single: bool) -> Option<Shape> {
    let content: Vec<&str> = keys.filter(|key| !ENVELOPE.contains(key)).collect();
    let ends = content.iter().filter(|key| TRIPLE.contains(key)).count();
    match (content.len(), ends) {
        (3, 3) => Some(Shape::Triple),
        (2, 2) => None,
        (1, _) if content == ["text"] && text_is_single => Some(Shape::Text),
        _ => Some(Shape::Record),
    }
}

/// Whether the fields of a record, as the members of an object, would be read as the same record.
fn is_plain_record(fields: &[Field]) -> bool {
    let is_taken = |field: &Field| {
        matches!(&*field.name, "record_id" | "id" | "embedding")
            || matches!(&field.value, FieldValue::List(items) if items.is_empty())
    };
    let text_is_single =
        fields.iter().any(|field| field.name == "text" && matches!(field.value, FieldValue::Text(_)));
    let keys = fields.iter().map(|field| field.name.as_str());
    !fields.iter().any(is_taken) && shape(keys, text_is_single) == Some(Shape::Record)
}
