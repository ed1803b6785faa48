//! A graph as JSON Lines.

use std::io::Write;

use cortexkg::{Fact, FactContent, Field, FieldValue, GraphEdge, NodeId, Term};
use serde::Serialize;

use super::{END_KEY, HEADER_KEY, JsonlCounts, VERSION, is_plain_record};
use crate::error::InterchangeError;
use crate::export::{Exporter, Result};
use crate::model::{ExportedFact, ExportedNode};

pub(crate) struct JsonlExporter<W> {
    out: W,
    line: Vec<u8>,
    counts: JsonlCounts,
}

impl<W: Write> JsonlExporter<W> {
    pub(crate) fn new(mut out: W) -> Result<Self> {
        writeln!(out, "{{\"{HEADER_KEY}\":{VERSION}}}").map_err(InterchangeError::Write)?;
        Ok(Self { out, line: Vec::new(), counts: JsonlCounts::default() })
    }

    /// Writes the object that `fill` puts together.
    fn line(&mut self, fill: impl FnOnce(&mut Object<'_>)) -> Result<()> {
        self.line.clear();
        object(&mut self.line, fill);
        self.line.push(b'\n');
        self.out.write_all(&self.line).map_err(InterchangeError::Write)
    }
}

impl<W: Write> Exporter for JsonlExporter<W> {
    fn node(&mut self, node: &ExportedNode) -> Result<()> {
        self.counts.nodes += 1;
        self.line(|line| {
            object(line.key("node"), |inner| {
                inner.text("id", &node.id.to_string());
                if !node.label.is_empty() {
                    inner.text("label", &node.label);
                }
                if !node.properties.is_empty() {
                    let properties = node.properties.iter();
                    let rows: Vec<_> = properties
                        .map(|property| (&property.field, &property.value, property.count))
                        .collect();
                    json(inner.key("properties"), &rows);
                }
                if !node.aliases.is_empty() {
                    json(inner.key("aliases"), &node.aliases);
                }
                if !node.redirects.is_empty() {
                    ids(inner.key("redirects"), node.redirects.iter());
                }
            });
        })
    }

    fn fact(&mut self, fact: &ExportedFact) -> Result<()> {
        self.counts.facts += 1;
        let ExportedFact { position, fact, mentions, recorded_s } = fact;
        self.line(|line| {
            let is_record = matches!(fact.content, FactContent::Record(_));
            object(line.key("fact"), |inner| content(inner, fact));
            if let FactContent::Record(fields) = &fact.content
                && !is_plain_record(fields)
            {
                let pairs: Vec<_> = fields.iter().map(|field| (&field.name, &field.value)).collect();
                json(line.key("fields"), &pairs);
            }
            line.number("position", *position);
            ids(line.key("nodes"), mentions.iter().map(|(_, node)| node));
            if is_record {
                envelope(line, fact);
            }
            if let Some(recorded_s) = recorded_s {
                line.number("recorded", recorded_s);
            }
        })
    }

    fn edge(&mut self, edge: &GraphEdge) -> Result<()> {
        self.counts.edges += 1;
        self.line(|line| {
            object(line.key("edge"), |inner| {
                inner.text("from", &edge.from.to_string());
                inner.text("predicate", &edge.predicate);
                inner.text("to", &edge.to.to_string());
            });
        })
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let counts = self.counts;
        self.line(|line| json(line.key(END_KEY), &counts))?;
        self.out.flush().map_err(InterchangeError::Write)
    }
}

/// The fact as `cortexkg allocate` takes it, as far as that shape goes.
fn content(inner: &mut Object<'_>, fact: &Fact) {
    if let Some(id) = &fact.record_id {
        inner.text("record_id", id);
    }
    match &fact.content {
        FactContent::Record(fields) if is_plain_record(fields) => {
            for Field { name, value } in fields {
                match value {
                    FieldValue::Text(text) => inner.text(name, text),
                    FieldValue::List(items) => json(inner.key(name), items),
                }
            }
        }
        FactContent::Record(_) => {}
        FactContent::Triple { subject, predicate, object } => {
            for (key, term) in [("subject", subject), ("object", object)] {
                match term {
                    Term::Name(name) => inner.text(key, name),
                    term => json(inner.key(key), term),
                }
            }
            inner.text("predicate", predicate);
            envelope(inner, fact);
        }
        FactContent::Text(text) => {
            inner.text("text", text);
            envelope(inner, fact);
        }
    }
    if let Some(embedding) = &fact.embedding {
        let out = inner.key("embedding");
        out.push(b'[');
        for (position, value) in embedding.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(number(*value).as_bytes());
        }
        out.push(b']');
    }
}

fn envelope(object: &mut Object<'_>, fact: &Fact) {
    if let Some(source) = &fact.source {
        object.text("source", source);
    }
    if let Some(time_s) = fact.time_s {
        object.number("time", time_s);
    }
    if let Some(confidence) = fact.confidence {
        object.number("confidence", number(confidence));
    }
}

/// The shortest number that is read as this very value, also by readers that go through 64 bits, and also where those are off
/// by one unit in the last place, as serde_json's may be.
fn number(value: f32) -> String {
    let shortest = format!("{value:?}");
    let wide: f64 = shortest.parse().unwrap_or(f64::NAN);
    #[allow(clippy::cast_possible_truncation)]
    let is_safe = [wide.next_down(), wide, wide.next_up()]
        .iter()
        .all(|&read| (read as f32).to_bits() == value.to_bits() || (value == 0.0 && read as f32 == 0.0));
    if is_safe { shortest } else { format!("{:?}", f64::from(value)) }
}

/// An object in the making.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, is_empty: true });
    out.push(b'}');
}

impl Object<'_> {
    /// Begins a member; its value is to be appended.
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        json(self.out, key);
        self.out.push(b':');
        self.out
    }

    fn text(&mut self, key: &str, text: &str) {
        json(self.key(key), text);
    }

    fn number(&mut self, key: &str, number: impl std::fmt::Display) {
        self.key(key).extend_from_slice(number.to_string().as_bytes());
    }
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value)
        .expect("texts and lists of texts are JSON, and memory takes every byte");
}

fn ids<'a>(out: &mut Vec<u8>, ids: impl Iterator<Item = &'a NodeId>) {
    let ids: Vec<String> = ids.map(ToString::to_string).collect();
    json(out, &ids);
}

/// A list of texts as JSON.
pub(crate) fn text_list<T: Serialize>(texts: &[T]) -> String {
    let mut out = Vec::new();
    json(&mut out, texts);
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_readers_of_64_bits() {
        let seeds = (0..2_000_000u32).map(|at| f32::from_bits(at.wrapping_mul(2_654_435_761)));
        let edges = [
            0.0,
            -0.0,
            f32::MIN_POSITIVE,
            f32::MAX,
            f32::from_bits(1),
            f32::from_bits(0x007f_ffff),
            1.0,
            0.1,
        ];
        for value in seeds.chain(edges).filter(|value| value.is_finite()) {
            let text = number(value);
            let direct: f32 = text.parse().unwrap();
            assert_eq!(direct.to_bits(), value.to_bits(), "{text}");
            let through: f64 = serde_json::from_str(&text).unwrap();
            #[allow(clippy::cast_possible_truncation)]
            let through = through as f32;
            assert_eq!(through.to_bits(), value.to_bits(), "{text}");
        }
    }
}
