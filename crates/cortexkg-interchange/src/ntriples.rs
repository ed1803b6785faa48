//! N-Triples line by line, so that one bad line costs one triple.

use cortexkg::{Fact, Term};
use oxrdf::{NamedOrBlankNode, Triple};
use oxttl::NTriplesParser;

use crate::rejection::Rejection;

/// The triple of a line; `None` if the line is blank or a comment.
pub fn ntriple(bytes: &[u8], line: u64) -> Result<Option<Fact>, Rejection> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let message =
            format!("not valid UTF-8 at byte {at} of the line; convert the file: iconv -f LATIN1 -t UTF-8");
        Rejection::at(line, message).field(term_at(bytes, at))
    })?;
    let mut triples = NTriplesParser::new().for_slice(text);
    let parsed = match triples.next() {
        None => return Ok(None),
        Some(Ok(parsed)) => parsed,
        Some(Err(error)) => {
            let start = error.location().start;
            let column = usize::try_from(start.column).unwrap_or(usize::MAX);
            let at = usize::try_from(start.offset).unwrap_or(usize::MAX);
            let message =
                format!("no valid N-Triples: {} (column {}); correct it there", error.message(), column + 1);
            return Err(Rejection::at(line, message).field(term_at(bytes, at)));
        }
    };
    if triples.next().is_some() {
        return Err(Rejection::at(line, "more than one triple on the line; put each on a line of its own"));
    }
    let (subject, predicate, object) = terms(parsed);
    Ok(Some(Fact::triple(subject, predicate, object)))
}

/// Subject, predicate and object as the engine has them.
pub(crate) fn terms(triple: Triple) -> (Term, String, Term) {
    let subject = match triple.subject {
        NamedOrBlankNode::NamedNode(node) => Term::Iri(node.into_string()),
        NamedOrBlankNode::BlankNode(node) => Term::Blank(node.into_string()),
    };
    let object = match triple.object {
        oxrdf::Term::NamedNode(node) => Term::Iri(node.into_string()),
        oxrdf::Term::BlankNode(node) => Term::Blank(node.into_string()),
        oxrdf::Term::Literal(literal) => {
            let (value, datatype, language) = literal.destruct();
            Term::Literal { value, datatype: datatype.map(oxrdf::NamedNode::into_string), language }
        }
    };
    (subject, triple.predicate.into_string(), object)
}

/// Which term of a triple byte `at` of its line belongs to.
fn term_at(line: &[u8], at: usize) -> &'static str {
    let mut terms = 0;
    let mut in_gap = true;
    let mut closing = None;
    let mut escaped = false;
    for &byte in line.iter().take(at.saturating_add(1)) {
        if let Some(end) = closing {
            if byte == end && !escaped {
                closing = None;
            }
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        let gap = byte.is_ascii_whitespace();
        terms += usize::from(in_gap && !gap);
        in_gap = gap;
        closing = match byte {
            b'<' => Some(b'>'),
            b'"' => Some(b'"'),
            _ => None,
        };
    }
    match terms {
        0 | 1 => "subject",
        2 => "predicate",
        _ => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Fact>, String> {
        ntriple(line.as_bytes(), 4).map_err(|rejection| rejection.to_string())
    }

    #[test]
    fn terms_keep_their_kind() {
        let subject = || Term::Iri("http://x/s".into());
        let fact = read("<http://x/s> <http://x/p> _:b .").unwrap();
        assert_eq!(fact, Some(Fact::triple(subject(), "http://x/p", Term::Blank("b".into()))));
        let literal = |value: &str, datatype: Option<&str>, language: Option<&str>| Term::Literal {
            value: value.into(),
            datatype: datatype.map(str::to_owned),
            language: language.map(str::to_owned),
        };
        for (text, expected) in [
            (r#""a \"b\"""#, literal("a \"b\"", None, None)),
            (r#""a"@en"#, literal("a", None, Some("en"))),
            (r#""1"^^<http://x/int>"#, literal("1", Some("http://x/int"), None)),
        ] {
            let fact = read(&format!("<http://x/s> <http://x/p> {text} . # why")).unwrap();
            assert_eq!(fact, Some(Fact::triple(subject(), "http://x/p", expected)));
        }
        assert_eq!(read("# a comment").unwrap(), None);
        assert_eq!(read("  ").unwrap(), None);
    }

    #[test]
    fn bad_lines_name_the_term() {
        for (line, told) in [
            ("<http://x/s> <http://x/p> \"open .", "line 4, field object: "),
            ("<http://x/s> <not an iri> <http://x/o> .", "line 4, field predicate: "),
            ("nonsense <http://x/p> <http://x/o> .", "line 4, field subject: "),
            ("<http://x/s> <http://x/p>", "line 4, field "),
            ("<http://x/s> <http://x/p> <http://x/o> . <http://x/s> <http://x/p> <http://x/o> .", "line 4"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.starts_with(told), "{line}: {error}");
        }
        let error = ntriple(b"<http://x/s> <http://x/p> \"\xff\" .", 4).unwrap_err().to_string();
        assert!(error.starts_with("line 4, field object: not valid UTF-8 at byte 27"), "{error}");
    }
}
