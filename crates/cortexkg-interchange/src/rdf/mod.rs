//! RDF: N-Triples, Turtle and JSON-LD.
//!
//! | of a node | in RDF |
//! |---|---|
//! | identifier | the base and `n17`; where the node has an IRI of its own (`@iri`), that one, `owl:sameAs` the other |
//! | label, names | `rdfs:label`, `skos:altLabel` |
//! | property | `urn:cortexkg:field:NAME`, percent-encoded; a name that is an IRI is kept |
//! | literal (`@literal`) | `rdf:value`, with datatype or language |
//! | edge | a triple; its predicate if that is an IRI, else `urn:cortexkg:predicate:NAME`; where it ends in a literal, that literal |
//! | redirect | the old node `dcterms:isReplacedBy` the new |
//! | sources of its facts | `prov:wasDerivedFrom` `urn:cortexkg:source:NAME` |
//!
//! What is lost: how many members have a value, facts themselves, and the difference between literals that RDF takes for the same
//! (a plain one and one of `xsd:string`; `@EN` and `@en`).
//!
//! Reading takes any RDF. An IRI or blank node is a node (those without a label are numbered); a literal is a property, unless it is one that a node of its own
//! stands for. Properties and names are plain texts: languages and datatypes are left out, and counted in
//! [`ImportedGraph::untagged`](crate::ImportedGraph::untagged). Names come from `rdfs:label`, `skos:prefLabel`, `skos:altLabel`, `foaf:name` and `schema:name`. Of quads the
//! graph's name is not looked at. Contexts of JSON-LD are not fetched.

mod read;
mod resolve;
mod write;

use oxrdf::NamedNode;

pub(crate) use self::read::import;
pub(crate) use self::write::RdfExporter;
use crate::names::{percent_decode, percent_encode};

const OURS: &str = "urn:cortexkg:";
const FIELD: &str = "urn:cortexkg:field:";
const PREDICATE: &str = "urn:cortexkg:predicate:";
const SOURCE: &str = "urn:cortexkg:source:";

const LABEL: &str = "http://www.w3.org/2000/01/rdf-schema#label";
const ALT_LABEL: &str = "http://www.w3.org/2004/02/skos/core#altLabel";
const PREF_LABEL: &str = "http://www.w3.org/2004/02/skos/core#prefLabel";
const NAMES: [&str; 5] = [
    ALT_LABEL,
    PREF_LABEL,
    "http://xmlns.com/foaf/0.1/name",
    "http://schema.org/name",
    "https://schema.org/name",
];
const SAME_AS: &str = "http://www.w3.org/2002/07/owl#sameAs";
const VALUE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#value";
const REPLACED_BY: &str = "http://purl.org/dc/terms/isReplacedBy";
const DERIVED_FROM: &str = "http://www.w3.org/ns/prov#wasDerivedFrom";

/// A text that is an IRI and may stand for itself: with `://` or as a URN, and none of this program's own.
fn kept_iri(text: &str) -> Option<NamedNode> {
    let looks_like_one = text.contains("://") || text.starts_with("urn:");
    if looks_like_one && !text.starts_with(OURS) { NamedNode::new(text).ok() } else { None }
}

/// The predicate that stands for a field or a relation.
fn predicate(namespace: &str, name: &str) -> NamedNode {
    kept_iri(name).unwrap_or_else(|| NamedNode::new_unchecked(format!("{namespace}{}", percent_encode(name))))
}

/// The name of the field or relation that a predicate stands for.
fn name_of(namespace: &str, predicate: &str) -> String {
    predicate.strip_prefix(namespace).map_or_else(|| predicate.to_owned(), percent_decode)
}
