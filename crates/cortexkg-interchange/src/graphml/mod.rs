//! GraphML, for Gephi, networkx, yEd and their like.
//!
//! Nodes carry `label`, `aliases` and `redirects` (JSON arrays) and one value per field, the commonest; where that leaves
//! something out, `values` holds all of them as JSON, `[["city","Los Angeles",2],…]`. Edges carry `predicate`. Facts have no place.
//!
//! XML 1.0 forbids most control characters, even as references. They are written `\u001B`, and a backslash that happens to stand
//! before `u` and four digits is written `\u005C`. A file that says `cortexkg_graph` is read back the same way.

mod escape;
mod read;
mod write;

pub(crate) use self::read::import;
pub(crate) use self::write::GraphmlExporter;

/// Names of the data that are no fields: of the graph, of nodes, of edges.
const GRAPH_KEY: &str = "cortexkg_graph";
const LABEL_KEY: &str = "label";
const ALIASES_KEY: &str = "aliases";
const REDIRECTS_KEY: &str = "redirects";
const VALUES_KEY: &str = "values";
const PREDICATE_KEY: &str = "predicate";
const RESERVED: [&str; 5] = [LABEL_KEY, ALIASES_KEY, REDIRECTS_KEY, VALUES_KEY, "id"];
