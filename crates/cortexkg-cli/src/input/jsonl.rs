//! JSON Lines: one object per line; a record, a triple or a text, told by its keys.
//!
//! The lines of an exported graph are known by the first of them: there the facts are taken, with the identifiers and sources
//! that they had, and nodes and edges passed over.

use std::io::BufRead;

use serde_json::value::RawValue;

use cortexkg::{Fact, Term};
use cortexkg_interchange::json::{Kind, Members, kind, parse_object};
use cortexkg_interchange::{JsonlElement, WholeCheck, graph_element, is_graph_header};

use super::entry::{Entry, Problem, Rejection, printable};
use super::flatten::flatten;
use super::lines::FactLines;

/// Facts of JSON Lines.
pub struct JsonlFacts<R> {
    lines: FactLines<R>,
    id: Option<String>,
    /// Whether this is an exported graph; unknown until the first line.
    is_graph: Option<bool>,
    /// Whether the exported graph is all there; none once that is told.
    whole: Option<WholeCheck>,
    /// The line read last.
    line: u64,
}

impl<R: BufRead> JsonlFacts<R> {
    /// `id` names the key of identifiers; without it `record_id`, `id` or the line number serve.
    pub fn new(reader: R, record_bytes_max: usize, id: Option<&str>) -> Self {
        Self {
            lines: FactLines::new(reader, record_bytes_max),
            id: id.map(str::to_owned),
            is_graph: None,
            whole: Some(WholeCheck::default()),
            line: 0,
        }
    }
}

impl<R: BufRead> Iterator for JsonlFacts<R> {
    type Item = Result<Entry, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(read) = self.lines.next() {
            let (line, bytes) = match read {
                Ok(read) => read,
                Err(problem) => {
                    match &problem {
                        Problem::Rejected(_) => self.see_element(self.line + 1),
                        // The end is not reached, which is told already.
                        Problem::Broken { .. } => self.whole = None,
                    }
                    return Some(Err(problem));
                }
            };
            self.line = line;
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let fact = if *self.is_graph.get_or_insert_with(|| is_graph_header(bytes)) {
                let element = graph_element(bytes, line);
                match (&element, &mut self.whole) {
                    (Ok(JsonlElement::Header), _) | (_, None) => {}
                    (Ok(JsonlElement::End(counts)), Some(whole)) => whole.end(line, *counts),
                    (_, Some(whole)) => whole.element(line),
                }
                match element {
                    Ok(JsonlElement::Fact(exported)) => Ok(named(exported.fact, line)),
                    Ok(_) => continue,
                    Err(rejection) => Err(rejection),
                }
            } else {
                object(bytes, line, self.id.as_deref())
            };
            return Some(fact.map(|fact| Entry { line, fact }).map_err(Problem::Rejected));
        }
        let whole = self.whole.take().filter(|_| self.is_graph == Some(true))?;
        whole.finish(self.line).map(|rejection| Err(Problem::Rejected(rejection)))
    }
}

impl<R> JsonlFacts<R> {
    fn see_element(&mut self, line: u64) {
        self.line = line;
        if let Some(whole) = &mut self.whole {
            whole.element(line);
        }
    }
}

/// The fact with an identifier: that of its line if it brings none.
fn named(fact: Fact, line: u64) -> Fact {
    if fact.record_id.is_some() { fact } else { fact.with_id(line.to_string()) }
}

/// The fact that an object says.
fn object(bytes: &[u8], line: u64, id_key: Option<&str>) -> Result<Fact, Rejection> {
    let Members(mut members) = parse_object(bytes, line)?;
    for (position, (key, _)) in members.iter().enumerate() {
        if members.iter().take(position).any(|(earlier, _)| earlier == key) {
            let message = "the key stands twice in the object; give a list, or two names";
            return Err(Rejection::at(line, message).field(key));
        }
        // Keeps the search above short; a fact may have far fewer fields.
        if position == KEYS_MAX {
            return Err(Rejection::at(
                line,
                format!("the object has more than {KEYS_MAX} keys; split the record"),
            ));
        }
    }
    let id = identifier(&mut members, line, id_key)?;
    let place = Place { line, record: &id };
    let embedding = match take(&mut members, "embedding") {
        Some(value) => place.embedding(value)?,
        None => None,
    };
    let content: Vec<&str> =
        members.iter().map(|(key, _)| key.as_str()).filter(|key| !ENVELOPE.contains(key)).collect();
    let is_triple = content.len() == 3 && TRIPLE.iter().all(|key| content.contains(key));
    // Two of the three keys and nothing else are a triple that lacks an end, not a record.
    if content.len() == 2 && content.iter().all(|key| TRIPLE.contains(key)) {
        let missing = TRIPLE.iter().find(|key| !content.contains(key)).copied().unwrap_or_default();
        let message = "is missing; a triple has subject, predicate and object";
        return Err(place.rejection(message).field(missing));
    }
    let is_text = content == ["text"]
        && members.iter().any(|(key, value)| key == "text" && matches!(kind(value), Kind::Text | Kind::Null));
    let mut fact = if is_triple {
        let envelope = place.envelope(&mut members)?;
        let subject = place.term(&mut members, "subject")?;
        let predicate = place.text(&mut members, "predicate")?;
        let object = place.term(&mut members, "object")?;
        envelope.onto(Fact::triple(subject, predicate, object))
    } else if is_text {
        let envelope = place.envelope(&mut members)?;
        envelope.onto(Fact::text(place.text(&mut members, "text")?))
    } else {
        let fields = flatten(&members).map_err(|(field, message)| place.rejection(message).field(&field))?;
        Fact::record(fields)
    };
    fact.embedding = embedding;
    Ok(fact.with_id(id))
}

/// What may stand beside the content of a triple or a text. In a record only the embedding is set apart: `source` or
/// `time` may well describe the thing.
const ENVELOPE: [&str; 3] = ["source", "time", "confidence"];
const TRIPLE: [&str; 3] = ["subject", "predicate", "object"];
const KEYS_MAX: usize = 4096;

fn take<'a>(members: &mut Vec<(String, &'a RawValue)>, key: &str) -> Option<&'a RawValue> {
    let position = members.iter().position(|(member, _)| member == key)?;
    Some(members.remove(position).1)
}

fn identifier(
    members: &mut Vec<(String, &RawValue)>,
    line: u64,
    id_key: Option<&str>,
) -> Result<String, Rejection> {
    let found = match id_key {
        Some(key) => Some((key, take(members, key).ok_or_else(|| missing_id(members, line, key))?)),
        None => ["record_id", "id"].into_iter().find_map(|key| take(members, key).map(|value| (key, value))),
    };
    let Some((key, value)) = found else { return Ok(line.to_string()) };
    let bad = |message: &str| Rejection::at(line, message).field(key);
    let id = match kind(value) {
        Kind::Text => unquote(value).map_err(|message| bad(&message))?.trim().to_owned(),
        Kind::Scalar if !matches!(value.get(), "true" | "false") => value.get().to_owned(),
        Kind::Null => String::new(),
        _ => return Err(bad("the identifier must be a text or a number")),
    };
    if id.is_empty() {
        return Err(bad("the identifier is empty; fill it in, or name another key with --id"));
    }
    Ok(id)
}

fn missing_id(members: &[(String, &RawValue)], line: u64, key: &str) -> Rejection {
    let keys: Vec<_> = members.iter().take(20).map(|(key, _)| printable(key)).collect();
    let message =
        format!("the object has no such key to take its identifier from; its keys are: {}", keys.join(", "));
    Rejection::at(line, message).field(key)
}

fn unquote(value: &RawValue) -> Result<String, String> {
    serde_json::from_str(value.get()).map_err(|error| {
        let message = error.to_string();
        format!("not a valid text: {}", message.split(" at line ").next().unwrap_or_default())
    })
}

/// Where an object stands, for what is wrong in it.
struct Place<'a> {
    line: u64,
    record: &'a str,
}

impl Place<'_> {
    fn rejection(&self, message: impl Into<String>) -> Rejection {
        Rejection::at(self.line, message).record(Some(self.record))
    }

    fn embedding(&self, value: &RawValue) -> Result<Option<Vec<f32>>, Rejection> {
        let bad = |message: String| self.rejection(message).field("embedding");
        match kind(value) {
            Kind::Null => return Ok(None),
            Kind::Array => {}
            _ => return Err(bad("must be an array of numbers, or left out".to_owned())),
        }
        let numbers: Vec<&RawValue> = serde_json::from_str(value.get())
            .map_err(|_| bad("must be an array of numbers, or left out".to_owned()))?;
        let mut embedding = Vec::with_capacity(numbers.len());
        for (position, number) in numbers.into_iter().enumerate() {
            let parsed: Result<f64, _> = serde_json::from_str(number.get());
            match parsed {
                // Beyond the range of f32 it becomes infinite, which the engine refuses by name.
                #[allow(clippy::cast_possible_truncation)]
                Ok(parsed) => embedding.push(parsed as f32),
                Err(_) => {
                    let shown = printable(number.get());
                    return Err(bad(format!(
                        "value {position} is {shown}, which is no number; every value must be one"
                    )));
                }
            }
        }
        Ok(Some(embedding))
    }

    fn text(&self, members: &mut Vec<(String, &RawValue)>, key: &str) -> Result<String, Rejection> {
        let bad = |message: String| self.rejection(message).field(key);
        match take(members, key) {
            Some(value) => match kind(value) {
                Kind::Text => unquote(value).map_err(bad),
                Kind::Scalar => Ok(value.get().to_owned()),
                Kind::Null => Ok(String::new()),
                Kind::Array | Kind::Object => Err(bad("must be a text".to_owned())),
            },
            None => Err(bad("is missing".to_owned())),
        }
    }

    fn term(&self, members: &mut Vec<(String, &RawValue)>, key: &str) -> Result<Term, Rejection> {
        let value = members.iter().find(|(member, _)| member == key).map(|(_, value)| *value);
        match value {
            Some(value) if kind(value) == Kind::Object => {
                serde_json::from_str(value.get()).map_err(|error| {
                    let message = error.to_string();
                    let message = message.split(" at line ").next().unwrap_or_default();
                    let advice =
                        "write a text, or {\"iri\": …}, {\"blank\": …}, {\"literal\": {\"value\": …}}";
                    self.rejection(format!("{message}; {advice}")).field(key)
                })
            }
            _ => Ok(Term::Name(self.text(members, key)?)),
        }
    }

    fn envelope(&self, members: &mut Vec<(String, &RawValue)>) -> Result<Envelope, Rejection> {
        fn read<'a, T: serde::Deserialize<'a>>(
            place: &Place<'_>,
            members: &mut Vec<(String, &'a RawValue)>,
            key: &str,
            what: &str,
        ) -> Result<Option<T>, Rejection> {
            match take(members, key) {
                Some(value) => serde_json::from_str(value.get())
                    .map_err(|_| place.rejection(format!("must be {what}, or left out")).field(key)),
                None => Ok(None),
            }
        }
        Ok(Envelope {
            source: read(self, members, "source", "a text")?,
            time_s: read(self, members, "time", "whole seconds since 1970-01-01T00:00:00Z")?,
            confidence: read(self, members, "confidence", "a number between 0 and 1")?,
        })
    }
}

struct Envelope {
    source: Option<String>,
    time_s: Option<i64>,
    confidence: Option<f32>,
}

impl Envelope {
    fn onto(self, mut fact: Fact) -> Fact {
        fact.source = self.source;
        fact.time_s = self.time_s;
        fact.confidence = self.confidence;
        fact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Fact, String> {
        object(line.as_bytes(), 5, None).map_err(|rejection| rejection.to_string())
    }

    #[test]
    fn an_exported_graph_gives_its_facts() {
        let text = r#"
            {"cortexkg_graph":1}
            {"node":{"id":"n0","aliases":["Ada"]}}
            {"fact":{"record_id":"r","name":"Ada"},"position":0,"nodes":["n0"],"source":"s"}
            {"fact":{"text":"Ada"},"position":1,"nodes":["n0"]}
            {"name":"no part of it"}
            {"edge":{"from":"n0","predicate":"p","to":"n0"}}
            {"cortexkg_graph_end":{"nodes":1,"facts":3,"edges":1}}"#;
        let read: Vec<_> = JsonlFacts::new(text.as_bytes(), 1000, None).collect();
        let [Ok(record), Ok(said), Err(Problem::Rejected(rejection))] = read.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(record.fact, Fact::record([("name", "Ada")]).with_id("r").with_source("s"));
        assert_eq!(said.fact, Fact::text("Ada").with_id("5"));
        assert!(rejection.to_string().starts_with("line 6: the object has no key node"), "{rejection}");
    }

    #[test]
    fn a_triple_without_an_end_is_no_record() {
        let rejection = read(r#"{"subject": "a", "predicate": "b"}"#).unwrap_err();
        assert!(rejection.contains("object") && rejection.contains("missing"), "{rejection}");
    }

    #[test]
    fn records_flatten() {
        let fact = read(
            r#"{"id": 7, "name": "A", "n": 1.50, "ok": true, "gone": null,
            "at": {"city": "B", "geo": {"lat": 1}}, "tags": ["x", 2], "by": [{"n": "p"}, {"n": "q"}], "source": "s"}"#,
        );
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect::<Vec<_>>();
        let mut expected = Fact::record([
            ("name", "A"),
            ("n", "1.50"),
            ("ok", "true"),
            ("at.city", "B"),
            ("at.geo.lat", "1"),
        ])
        .with_id("7");
        let lists = Fact::record([("tags", list(&["x", "2"])), ("by.n", list(&["p", "q"]))]);
        if let (cortexkg::FactContent::Record(fields), cortexkg::FactContent::Record(more)) =
            (&mut expected.content, lists.content)
        {
            fields.extend(more);
            fields.push(cortexkg::Field { name: "source".into(), value: "s".into() });
        }
        assert_eq!(fact.unwrap(), expected);
    }

    #[test]
    fn triples_and_texts_are_told_by_their_keys() {
        let fact =
            read(r#"{"subject": "a", "predicate": "p", "object": {"iri": "http://x/"}, "time": 9}"#).unwrap();
        let expected = Fact::triple("a", "p", Term::Iri("http://x/".into())).with_id("5").with_time_s(9);
        assert_eq!(fact, expected);
        let fact = read(r#"{"text": "t", "record_id": "r", "confidence": 0.5, "source": "s"}"#).unwrap();
        assert_eq!(fact, Fact::text("t").with_id("r").with_confidence(0.5).with_source("s"));
        let fact = read(r#"{"text": "t", "name": "n"}"#).unwrap();
        assert_eq!(fact, Fact::record([("text", "t"), ("name", "n")]).with_id("5"));
    }

    #[test]
    fn embeddings_are_numbers() {
        assert_eq!(read(r#"{"a": "b", "embedding": [1, -0.5]}"#).unwrap().embedding, Some(vec![1.0, -0.5]));
        for (value, told) in [
            ("[1, \"x\"]", "value 1 is \"x\""),
            ("\"x\"", "must be an array"),
            ("[null]", "value 0 is null"),
            ("{}", "must be an array"),
        ] {
            let error = read(&format!(r#"{{"id": "r", "a": "b", "embedding": {value}}}"#)).unwrap_err();
            assert!(
                error.starts_with("line 5, record r, field embedding: ") && error.contains(told),
                "{error}"
            );
        }
        let error = read(r#"{"a": "b", "embedding": [1, NaN]}"#).unwrap_err();
        assert!(error.starts_with("line 5, field embedding: NaN is no JSON"), "{error}");
        let error = read(r#"{"a": "b", "embedding": [-Infinity]}"#).unwrap_err();
        assert!(error.starts_with("line 5, field embedding: Infinity is no JSON"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (line, told) in [
            ("[1]", "line 5: the line is no JSON object; an array"),
            ("3", "line 5: the line is no JSON object"),
            (r#"{"a": 1"#, "line 5, field a: the line is no valid JSON"),
            (r#"{"a": 1, "b": }"#, "line 5, field b: the line is no valid JSON"),
            (r#"{"a": 1, "a": 2}"#, "line 5, field a: the key stands twice"),
            (r#"{"id": ""}"#, "line 5, field id: the identifier is empty"),
            (r#"{"id": null}"#, "line 5, field id: the identifier is empty"),
            (r#"{"id": []}"#, "line 5, field id: the identifier must be"),
            (r#"{"text": "t", "time": "now"}"#, "line 5, record 5, field time: must be whole seconds"),
            (r#"{"a": "\ud800"}"#, "field a: "),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
        }
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
        assert!(read(&deep).unwrap_err().contains("field a"), "{:?}", read(&deep));
        let error = object(b"{\"x\": 1, \"y\": 2}", 5, Some("key")).unwrap_err().to_string();
        assert!(error.contains("field key") && error.contains("x, y"), "{error}");
        let error = object(b"{\"x\": \"\xff\"}", 5, None).unwrap_err().to_string();
        assert!(error.starts_with("line 5, field x: not valid UTF-8"), "{error}");
    }
}
