//! A fact as it is stored: what was received, in a form that does not name its fields.
//!
//! [`Fact`] is made for self-describing formats such as JSON; the store's format is not one, so the shapes are spelled out here.
//! They are part of the file format: change them only together with its version. Behind the fact may stand the vectors that a
//! model made of it; see `docs/format.md`.

use serde::{Deserialize, Serialize};

use crate::fact::{Fact, FactContent, Field, FieldValue, Term};

#[derive(Serialize, Deserialize)]
struct StoredFact {
    content: Content,
    record_id: Option<String>,
    source: Option<String>,
    time_s: Option<i64>,
    confidence: Option<f32>,
    embedding: Option<Vec<f32>>,
}

#[derive(Serialize, Deserialize)]
enum Content {
    Record(Vec<(String, Value)>),
    Triple(StoredTerm, String, StoredTerm),
    Text(String),
}

#[derive(Serialize, Deserialize)]
enum Value {
    Text(String),
    List(Vec<String>),
}

#[derive(Serialize, Deserialize)]
enum StoredTerm {
    Name(String),
    Iri(String),
    Blank(String),
    Literal(String, Option<String>, Option<String>),
}

/// The bytes of a fact, with what a model made of it, one vector per mention.
pub(crate) fn encode(fact: Fact, made: Option<&[&[f32]]>) -> Vec<u8> {
    let bytes = postcard::to_allocvec(&StoredFact::from(fact)).expect("plain data has an encoding");
    match made {
        Some(made) => postcard::to_extend(made, bytes).expect("plain data has an encoding"),
        None => bytes,
    }
}

/// A fact with what a model made of it: one vector per mention.
pub(crate) type FactAndVectors = (Fact, Option<Vec<Vec<f32>>>);

/// The fact in some bytes, with what a model made of it.
pub(crate) fn decode(bytes: &[u8]) -> Result<FactAndVectors, postcard::Error> {
    let (stored, rest) = postcard::take_from_bytes::<StoredFact>(bytes)?;
    let made = if rest.is_empty() { None } else { Some(postcard::from_bytes(rest)?) };
    Ok((stored.into(), made))
}

impl From<Fact> for StoredFact {
    fn from(fact: Fact) -> Self {
        let Fact { content, record_id, source, time_s, confidence, embedding } = fact;
        let value = |value| match value {
            FieldValue::Text(text) => Value::Text(text),
            FieldValue::List(items) => Value::List(items),
        };
        let content = match content {
            FactContent::Record(fields) => {
                Content::Record(fields.into_iter().map(|field| (field.name, value(field.value))).collect())
            }
            FactContent::Triple { subject, predicate, object } => {
                Content::Triple(subject.into(), predicate, object.into())
            }
            FactContent::Text(text) => Content::Text(text),
        };
        Self { content, record_id, source, time_s, confidence, embedding }
    }
}

impl From<StoredFact> for Fact {
    fn from(stored: StoredFact) -> Self {
        let StoredFact { content, record_id, source, time_s, confidence, embedding } = stored;
        let value = |value| match value {
            Value::Text(text) => FieldValue::Text(text),
            Value::List(items) => FieldValue::List(items),
        };
        let content = match content {
            Content::Record(fields) => FactContent::Record(
                fields.into_iter().map(|(name, held)| Field { name, value: value(held) }).collect(),
            ),
            Content::Triple(subject, predicate, object) => {
                FactContent::Triple { subject: subject.into(), predicate, object: object.into() }
            }
            Content::Text(text) => FactContent::Text(text),
        };
        Self { content, record_id, source, time_s, confidence, embedding }
    }
}

impl From<Term> for StoredTerm {
    fn from(term: Term) -> Self {
        match term {
            Term::Name(name) => Self::Name(name),
            Term::Iri(iri) => Self::Iri(iri),
            Term::Blank(label) => Self::Blank(label),
            Term::Literal { value, datatype, language } => Self::Literal(value, datatype, language),
        }
    }
}

impl From<StoredTerm> for Term {
    fn from(term: StoredTerm) -> Self {
        match term {
            StoredTerm::Name(name) => Self::Name(name),
            StoredTerm::Iri(iri) => Self::Iri(iri),
            StoredTerm::Blank(label) => Self::Blank(label),
            StoredTerm::Literal(value, datatype, language) => Self::Literal { value, datatype, language },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_comes_back() {
        let literal =
            Term::Literal { value: "chat".into(), datatype: Some("d".into()), language: Some("fr".into()) };
        for fact in [
            Fact::record([
                ("name", FieldValue::from("Ada")),
                ("tags", vec!["a".to_owned(), "b".into()].into()),
            ])
            .with_id("r1")
            .with_source("s")
            .with_time_s(-5)
            .with_confidence(0.25)
            .with_embedding(vec![1e-40, -0.0, 3.5]),
            Fact::text("a text"),
            Fact::triple(Term::Iri("http://x.org/a".into()), "knows", literal),
            Fact::triple(Term::Blank("b0".into()), "knows", "Charles"),
        ] {
            assert_eq!(decode(&encode(fact.clone(), None)), Ok((fact.clone(), None)));
            let made: [&[f32]; 2] = [&[0.6, -0.8], &[]];
            let bytes = encode(fact.clone(), Some(&made));
            assert_eq!(decode(&bytes), Ok((fact, Some(made.map(<[f32]>::to_vec).to_vec()))));
            assert!(decode(&bytes[..bytes.len() - 1]).is_err());
        }
        assert!(decode(&[9, 9, 9]).is_err());
    }
}
