//! A graph as RDF.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use cortexkg::{GraphEdge, NodeId};
use oxjsonld::{JsonLdSerializer, WriterJsonLdSerializer};
use oxrdf::{GraphNameRef, Literal, NamedNode, NamedNodeRef, QuadRef, TermRef, TripleRef};
use oxttl::ntriples::WriterNTriplesSerializer;
use oxttl::turtle::WriterTurtleSerializer;
use oxttl::{NTriplesSerializer, TurtleSerializer};

use super::{
    ALT_LABEL, DERIVED_FROM, FIELD, LABEL, NAMES, PREDICATE, REPLACED_BY, SAME_AS, SOURCE, VALUE, kept_iri,
    predicate,
};
use crate::InterchangeFormat;
use crate::error::InterchangeError;
use crate::export::{ExportOptions, Exporter, Result};
use crate::model::{ExportedFact, ExportedNode, IRI_FIELD, LITERAL_FIELD};
use crate::names::percent_encode;

pub(crate) struct RdfExporter<W: Write> {
    out: Serializer<W>,
    base: String,
    /// Nodes with an IRI of their own, and those that were merged into another.
    iris: BTreeMap<NodeId, NamedNode>,
    /// Nodes that stand for a literal.
    literals: BTreeMap<NodeId, Literal>,
    /// IRIs and literals that stand for a node already.
    taken: HashSet<String>,
    provenance: Option<Provenance>,
}

#[derive(Default)]
struct Provenance {
    sources: HashMap<String, u32>,
    told: HashSet<(NodeId, u32)>,
}

enum Serializer<W: Write> {
    NTriples(WriterNTriplesSerializer<W>),
    Turtle(Box<WriterTurtleSerializer<W>>),
    JsonLd(Box<WriterJsonLdSerializer<W>>),
}

impl<W: Write> Serializer<W> {
    fn write(&mut self, subject: &NamedNode, predicate: &NamedNode, object: TermRef<'_>) -> Result<()> {
        let triple = TripleRef::new(subject, predicate, object);
        let written = match self {
            Self::NTriples(out) => out.serialize_triple(triple),
            Self::Turtle(out) => out.serialize_triple(triple),
            Self::JsonLd(out) => {
                out.serialize_quad(QuadRef::new(subject, predicate, object, GraphNameRef::DefaultGraph))
            }
        };
        written.map_err(InterchangeError::Write)
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::NTriples(out) => out.finish(),
            Self::Turtle(out) => out.finish()?,
            Self::JsonLd(out) => out.finish()?,
        }
        .flush()
    }
}

impl<W: Write> RdfExporter<W> {
    pub(crate) fn new(format: InterchangeFormat, options: &ExportOptions, out: W) -> Result<Self> {
        let base = options.base.clone();
        let bad_base =
            |message: String| InterchangeError::Base { base: crate::printable(&options.base), message };
        NamedNode::new(format!("{base}n0")).map_err(|error| bad_base(error.to_string()))?;
        let prefixes = [
            ("node", base.as_str()),
            ("field", FIELD),
            ("predicate", PREDICATE),
            ("source", SOURCE),
            ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
            ("skos", "http://www.w3.org/2004/02/skos/core#"),
            ("owl", "http://www.w3.org/2002/07/owl#"),
            ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
            ("dcterms", "http://purl.org/dc/terms/"),
            ("prov", "http://www.w3.org/ns/prov#"),
        ];
        let out = match format {
            InterchangeFormat::Turtle => {
                let mut turtle = TurtleSerializer::new();
                for (name, iri) in prefixes {
                    turtle = turtle.with_prefix(name, iri).map_err(|error| bad_base(error.to_string()))?;
                }
                Serializer::Turtle(Box::new(turtle.for_writer(out)))
            }
            InterchangeFormat::JsonLd => {
                // Without prefixes: a processor may take them for the schemes of IRIs.
                Serializer::JsonLd(Box::new(JsonLdSerializer::new().for_writer(out)))
            }
            _ => Serializer::NTriples(NTriplesSerializer::new().for_writer(out)),
        };
        Ok(Self {
            out,
            base,
            iris: BTreeMap::new(),
            literals: BTreeMap::new(),
            taken: HashSet::new(),
            provenance: options.provenance.then(Provenance::default),
        })
    }

    /// The base and `n17`.
    fn own_iri(&self, id: NodeId) -> NamedNode {
        NamedNode::new_unchecked(format!("{}{id}", self.base))
    }

    fn subject(&self, id: NodeId) -> NamedNode {
        self.iris.get(&id).cloned().unwrap_or_else(|| self.own_iri(id))
    }

    fn text(&mut self, subject: &NamedNode, predicate: &NamedNode, text: &str) -> Result<()> {
        self.out.write(subject, predicate, oxrdf::LiteralRef::new_simple_literal(text).into())
    }

    /// The IRI that a value of `@iri` is, unless it cannot stand for itself or stands for another node.
    fn take_iri(&mut self, value: &str) -> Option<NamedNode> {
        let iri = kept_iri(value).filter(|iri| !iri.as_str().starts_with(&self.base))?;
        self.taken.insert(format!("<{value}>")).then_some(iri)
    }

    fn take_literal(&mut self, key: &str) -> Option<Literal> {
        let literal = parse_literal(key)?;
        self.taken.insert(literal.to_string()).then_some(literal)
    }
}

fn known(iri: &'static str) -> NamedNode {
    NamedNodeRef::new_unchecked(iri).into_owned()
}

/// The literal that a value of `@literal` shows, if RDF can say it.
fn parse_literal(key: &str) -> Option<Literal> {
    let (value, kind) = key.strip_prefix('"')?.rsplit_once('"')?;
    if kind.is_empty() {
        Some(Literal::new_simple_literal(value))
    } else if let Some(language) = kind.strip_prefix('@') {
        Literal::new_language_tagged_literal(value, language).ok()
    } else {
        let datatype = NamedNode::new(kind.strip_prefix("^^")?).ok()?;
        Some(Literal::new_typed_literal(value, datatype))
    }
}

impl<W: Write> Exporter for RdfExporter<W> {
    fn node(&mut self, node: &ExportedNode) -> Result<()> {
        let fields = node.fields();
        let own = self.own_iri(node.id);
        let mut iris = Vec::new();
        let mut literal = None;
        let mut rest = Vec::new();
        for (field, values) in &fields {
            for value in values {
                match *field {
                    IRI_FIELD => match self.take_iri(value) {
                        Some(iri) => iris.push(iri),
                        None => rest.push((*field, *value)),
                    },
                    LITERAL_FIELD if literal.is_none() => match self.take_literal(value) {
                        Some(found) => literal = Some(found),
                        None => rest.push((*field, *value)),
                    },
                    _ => rest.push((*field, *value)),
                }
            }
        }
        let subject = iris.first().cloned().unwrap_or_else(|| own.clone());
        if subject != own {
            self.out.write(&subject, &known(SAME_AS), own.as_ref().into())?;
            self.iris.insert(node.id, subject.clone());
        }
        for iri in iris.iter().skip(1) {
            self.out.write(&subject, &known(SAME_AS), iri.as_ref().into())?;
        }
        if !node.label.is_empty() {
            self.text(&subject, &known(LABEL), &node.label)?;
        }
        for name in node.names() {
            self.text(&subject, &known(ALT_LABEL), name)?;
        }
        if let Some(literal) = literal {
            self.out.write(&subject, &known(VALUE), literal.as_ref().into())?;
            self.literals.insert(node.id, literal);
        }
        for (field, value) in rest {
            self.text(&subject, &predicate(FIELD, field), value)?;
        }
        for old in &node.redirects {
            self.out.write(&self.own_iri(*old), &known(REPLACED_BY), subject.as_ref().into())?;
            self.iris.insert(*old, subject.clone());
        }
        Ok(())
    }

    fn fact(&mut self, fact: &ExportedFact) -> Result<()> {
        let (Some(provenance), Some(source)) = (&mut self.provenance, &fact.fact.source) else {
            return Ok(());
        };
        let next = u32::try_from(provenance.sources.len()).unwrap_or(u32::MAX);
        let number = match provenance.sources.get(source) {
            Some(number) => *number,
            None => *provenance.sources.entry(source.clone()).or_insert(next),
        };
        let untold: Vec<NodeId> = fact
            .mentions
            .iter()
            .map(|(_, node)| *node)
            .filter(|node| provenance.told.insert((*node, number)))
            .collect();
        let source = NamedNode::new_unchecked(format!("{SOURCE}{}", percent_encode(source)));
        for node in untold {
            self.out.write(&self.subject(node), &known(DERIVED_FROM), source.as_ref().into())?;
        }
        Ok(())
    }

    fn edge(&mut self, edge: &GraphEdge) -> Result<()> {
        let (from, to) = (self.subject(edge.from), self.subject(edge.to));
        let predicate = predicate(PREDICATE, &edge.predicate);
        // As a literal these would be read as a name, or as what a node stands for: the node is named, too.
        let is_name = predicate == known(LABEL) || NAMES.contains(&predicate.as_str());
        let is_value = predicate == known(VALUE);
        match self.literals.get(&edge.to).filter(|_| !is_value) {
            Some(literal) => {
                self.out.write(&from, &predicate, literal.as_ref().into())?;
                if is_name { self.out.write(&from, &predicate, to.as_ref().into()) } else { Ok(()) }
            }
            None => self.out.write(&from, &predicate, to.as_ref().into()),
        }
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.out.finish().map_err(InterchangeError::Write)
    }
}
