//! RDF to statements. A bad line of N-Triples costs itself; in Turtle the parser finds its way again; what is no JSON ends it.

use std::collections::HashMap;
use std::io::BufRead;
use std::rc::Rc;

use cortexkg::{FactContent, Term};
use oxjsonld::{JsonLdParseError, JsonLdParser};
use oxttl::{TurtleParseError, TurtleParser};

use super::resolve::resolve;
use crate::InterchangeFormat;
use crate::builder::GraphBuilder;
use crate::error::InterchangeError;
use crate::export::Result;
use crate::guard::{Guarded, Limits, bounded, nothing_in, read_error};
use crate::import::ImportOptions;
use crate::lines::{BoundedLines, Line};
use crate::model::ImportedGraph;
use crate::ntriples::{ntriple, terms};
use crate::rejection::Rejection;
use crate::table::literal_key;

/// Deepest nesting of JSON-LD: each level may carry a context, and each context copies the one around it.
const JSON_DEPTH_MAX: usize = 64;

pub(crate) fn import(
    format: InterchangeFormat,
    reader: impl BufRead,
    options: &ImportOptions,
    mut builder: GraphBuilder<'_>,
) -> Result<ImportedGraph> {
    let mut statements = Statements::default();
    match format {
        InterchangeFormat::JsonLd => jsonld(reader, options, &mut statements, &mut builder)?,
        InterchangeFormat::Turtle => turtle(reader, options, &mut statements, &mut builder)?,
        _ => ntriples(reader, options, &mut statements, &mut builder)?,
    }
    if statements.subjects.is_empty() && !builder.has_rejected() {
        return Err(nothing_in());
    }
    resolve(&statements, options, builder)
}

fn ntriples(
    reader: impl BufRead,
    options: &ImportOptions,
    statements: &mut Statements,
    builder: &mut GraphBuilder<'_>,
) -> Result<()> {
    let mut lines = BoundedLines::new(bounded(reader, options.bytes_max), options.record_bytes_max);
    let mut text = Vec::new();
    loop {
        let read = lines.next_into(&mut text);
        let line = lines.number();
        match read {
            Ok(Line::Whole) => match ntriple(&text, line) {
                Ok(Some(fact)) => {
                    if let FactContent::Triple { subject, predicate, object } = fact.content {
                        statements.add(line, subject, &predicate, object, options, builder)?;
                    }
                }
                Ok(None) => {}
                Err(rejection) => builder.reject(rejection),
            },
            Ok(Line::TooLong(bytes)) => {
                let limit = lines.limit();
                let message =
                    format!("the line has {bytes} bytes, at most {limit} are taken; raise the limit");
                builder.reject(Rejection::at(line, message));
            }
            Ok(Line::End) => return Ok(()),
            Err(source) => return Err(read_error(line, source)),
        }
    }
}

fn turtle(
    reader: impl BufRead,
    options: &ImportOptions,
    statements: &mut Statements,
    builder: &mut GraphBuilder<'_>,
) -> Result<()> {
    let pending_bytes_max = Some(options.record_bytes_max as u64);
    let limits = Limits { bytes_max: options.bytes_max, pending_bytes_max, ..Limits::default() };
    let (reader, progress) = Guarded::new(reader, limits);
    for read in TurtleParser::new().for_reader(reader) {
        progress.settle();
        match read {
            Ok(triple) => {
                let (subject, predicate, object) = terms(triple);
                statements.add(progress.line(), subject, &predicate, object, options, builder)?;
            }
            Err(TurtleParseError::Io(error)) => return Err(read_error(progress.line(), error)),
            Err(TurtleParseError::Syntax(error)) => {
                let message = format!("no valid Turtle: {}; correct it there", error.message());
                builder.reject(Rejection::at(error.location().start.line + 1, message));
            }
        }
    }
    Ok(())
}

fn jsonld(
    reader: impl BufRead,
    options: &ImportOptions,
    statements: &mut Statements,
    builder: &mut GraphBuilder<'_>,
) -> Result<()> {
    let limits = Limits {
        bytes_max: options.bytes_max,
        json_depth_max: Some(JSON_DEPTH_MAX),
        is_by_line: true,
        ..Limits::default()
    };
    let (reader, progress) = Guarded::new(reader, limits);
    for read in JsonLdParser::new().for_reader(reader) {
        match read {
            Ok(quad) => {
                let (subject, predicate, object) = terms(quad.into());
                statements.add(progress.line(), subject, &predicate, object, options, builder)?;
            }
            Err(JsonLdParseError::Io(error)) => return Err(read_error(progress.line(), error)),
            Err(JsonLdParseError::Syntax(error)) => match error.location() {
                // No JSON: nothing that follows could be understood.
                Some(location) => {
                    let message = format!("no valid JSON: {error}; correct it there");
                    return Err(InterchangeError::Syntax { line: location.start.line + 1, message });
                }
                None => builder.reject(Rejection::at(
                    progress.line(),
                    format!("no valid JSON-LD: {error}; correct it there"),
                )),
            },
        }
    }
    Ok(())
}

/// Whether a label is one that the parsers draw at random for blank nodes that have none: about 32 hexadecimal digits, the first a
/// letter. Nobody could rely on it, and the same file shall give the same graph.
fn is_drawn(label: &str) -> bool {
    label.len() >= 24
        && label.starts_with(|first: char| first.is_ascii_lowercase())
        && label.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Everything that was said, by what it was said of.
#[derive(Default)]
pub(super) struct Statements {
    pub(super) subjects: Vec<Subject>,
    index: HashMap<Rc<str>, usize>,
    /// Numbers of blank nodes without a label, in order of appearance.
    unlabelled: HashMap<String, usize>,
    predicates: HashMap<Rc<str>, ()>,
}

/// An IRI or a blank node.
pub(super) struct Subject {
    /// The IRI; a blank node as `@blank` has it.
    pub(super) key: Rc<str>,
    pub(super) is_blank: bool,
    /// The line on which it was first met.
    pub(super) line: u64,
    pub(super) literals: Vec<LiteralStatement>,
    pub(super) links: Vec<Link>,
}

pub(super) struct LiteralStatement {
    pub(super) predicate: Rc<str>,
    pub(super) value: String,
    /// The literal as `@literal` has it, with datatype and language.
    pub(super) key: String,
    pub(super) line: u64,
}

impl LiteralStatement {
    /// Whether it says more than its value: a language, or a datatype other than that of plain ones.
    pub(super) fn is_tagged(&self) -> bool {
        self.key.len() > self.value.len() + "\"\"".len()
    }
}

pub(super) struct Link {
    pub(super) predicate: Rc<str>,
    /// Position in [`Statements::subjects`].
    pub(super) object: usize,
    pub(super) line: u64,
}

impl Statements {
    fn add(
        &mut self,
        line: u64,
        subject: Term,
        predicate: &str,
        object: Term,
        options: &ImportOptions,
        builder: &mut GraphBuilder<'_>,
    ) -> Result<()> {
        let subject = self.position(line, subject, options, builder)?;
        let predicate = match self.predicates.get_key_value(predicate) {
            Some((known, ())) => Rc::clone(known),
            None => {
                builder.charge(line, predicate.len())?;
                let new: Rc<str> = predicate.into();
                self.predicates.insert(Rc::clone(&new), ());
                new
            }
        };
        builder.charge(line, 0)?;
        if let Term::Literal { value, datatype, language } = object {
            let key = literal_key(&value, datatype.as_deref(), language.as_deref());
            builder.charge(line, value.len() + key.len())?;
            if let Some(subject) = self.subjects.get_mut(subject) {
                subject.literals.push(LiteralStatement { predicate, value, key, line });
            }
        } else {
            let object = self.position(line, object, options, builder)?;
            if let Some(subject) = self.subjects.get_mut(subject) {
                subject.links.push(Link { predicate, object, line });
            }
        }
        Ok(())
    }

    fn position(
        &mut self,
        line: u64,
        term: Term,
        options: &ImportOptions,
        builder: &mut GraphBuilder<'_>,
    ) -> Result<usize> {
        let (key, is_blank) = match term {
            // As the engine has it for blank nodes of a source.
            Term::Blank(label) if !is_drawn(&label) => (format!("_:{label} {}", options.source), true),
            Term::Blank(label) => {
                let number = self.unlabelled.len() + 1;
                let number = *self.unlabelled.entry(label).or_insert(number);
                (format!("_:[{number}] {}", options.source), true)
            }
            Term::Iri(text) | Term::Name(text) | Term::Literal { value: text, .. } => (text, false),
        };
        if let Some(known) = self.index.get(key.as_str()) {
            return Ok(*known);
        }
        builder.charge(line, key.len())?;
        let key: Rc<str> = key.into();
        let position = self.subjects.len();
        self.index.insert(Rc::clone(&key), position);
        self.subjects.push(Subject { key, is_blank, line, literals: Vec::new(), links: Vec::new() });
        Ok(position)
    }
}
