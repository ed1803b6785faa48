//! Any graph comes back; any bytes are read to an end.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod common;

use common::{canonical, nasty, read, redirects, write};
use cortexkg::{Fact, FactContent, FieldValue, GraphEdge, NodeId, Term};
use cortexkg_interchange::{
    ExportedFact, ExportedNode, ImportedGraph, InterchangeFormat, JsonlGraph, Property, Role, TableKind,
    drain,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

const READABLE: [InterchangeFormat; 7] = [
    InterchangeFormat::Jsonl,
    InterchangeFormat::Csv(TableKind::Nodes),
    InterchangeFormat::Csv(TableKind::Edges),
    InterchangeFormat::NTriples,
    InterchangeFormat::Turtle,
    InterchangeFormat::JsonLd,
    InterchangeFormat::GraphMl,
];

/// Texts with what formats have a meaning for.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,4}",
        "[\\[\\]{}<>&\"'\\\\,;:@#^%_. \t\r\n-]{1,3}",
        "\\PC{1,3}",
        "[\u{1}-\u{1f}\u{7f}-\u{9f}\u{fffe}\u{ffff}\u{feff}\u{2028}]",
        Just("\\u0041".to_owned()),
        Just("http://x.org/".to_owned()),
        Just("urn:cortexkg:node:n1".to_owned()),
    ];
    // Values of blanks alone are none.
    (vec(piece, 0..5), "[a-z]").prop_map(|(pieces, last)| pieces.concat() + &last)
}

/// Names that formats have a meaning for.
const OWN: &[&str] = &[
    "label",
    "aliases",
    "values",
    "id",
    "text",
    "source",
    "time",
    "subject",
    "predicate",
    "object",
    "embedding",
];

const OTHERS: &[&str] = &["node_id", "from", "field:x", "record_id", "@iri", "@literal"];

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => text(),
        1 => proptest::sample::select(OWN).prop_map(str::to_owned),
        1 => proptest::sample::select(OTHERS)
            .prop_map(str::to_owned),
    ]
}

fn node() -> impl Strategy<Value = ExportedNode> {
    let properties = btree_map((field(), text()), 1..5u32, 0..5);
    (properties, vec(text(), 0..3), text()).prop_map(|(properties, mut aliases, label)| {
        aliases.sort();
        aliases.dedup();
        // One value for each key field; without any, a node would have nothing to load.
        let mut seen = Vec::new();
        let properties: Vec<_> = properties
            .into_iter()
            .filter(|((field, _), _)| {
                let is_new = !seen.contains(field);
                seen.push(field.clone());
                is_new || !field.starts_with('@')
            })
            .map(|((field, value), count)| Property { field, value, count })
            .collect();
        if properties.is_empty() && aliases.is_empty() {
            aliases.push("a".to_owned());
        }
        ExportedNode { id: NodeId(0), label, properties, aliases, redirects: Vec::new() }
    })
}

fn term() -> impl Strategy<Value = Term> {
    prop_oneof![
        text().prop_map(Term::Name),
        text().prop_map(Term::Iri),
        text().prop_map(Term::Blank),
        (text(), option::of(text()), option::of(text()))
            .prop_map(|(value, datatype, language)| Term::Literal { value, datatype, language }),
    ]
}

fn content() -> impl Strategy<Value = FactContent> {
    let value = prop_oneof![text().prop_map(FieldValue::Text), vec(text(), 0..3).prop_map(FieldValue::List)];
    prop_oneof![
        btree_map(field(), value, 1..4)
            .prop_filter("a value at least", |fields| fields
                .values()
                .any(|value| *value != FieldValue::List(vec![])))
            .prop_map(|fields| Fact::record(fields).content),
        (term(), text(), term())
            .prop_map(|(subject, predicate, object)| Fact::triple(subject, predicate, object).content),
        text().prop_map(FactContent::Text),
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    let number = any::<f32>().prop_filter("finite", |number| number.is_finite() && *number != 0.0);
    (
        content(),
        option::of(text()),
        option::of(text()),
        option::of(any::<i64>()),
        option::of(0.0..=1.0f32),
        option::of(vec(number, 1..4)),
    )
        .prop_map(|(content, record_id, source, time_s, confidence, embedding)| Fact {
            content,
            record_id,
            source,
            time_s,
            confidence,
            embedding,
        })
}

prop_compose! {
    fn graph()(
        nodes in vec((node(), 0..3u64, 1..4u64), 1..5),
        facts in vec((fact(), any::<u64>(), option::of(any::<i64>()), any::<prop::sample::Index>()), 0..4),
        edges in vec((any::<prop::sample::Index>(), text(), any::<prop::sample::Index>()), 0..5),
    ) -> ImportedGraph {
        let mut graph = ImportedGraph::default();
        let mut next = 0;
        for (mut node, redirects, gap) in nodes {
            node.redirects = (next..next + redirects).map(NodeId).collect();
            node.id = NodeId(next + redirects);
            next += redirects + gap;
            graph.nodes.push(node);
        }
        for (fact, position, recorded_s, at) in facts {
            let node = graph.nodes[at.index(graph.nodes.len())].id;
            let mentions = match fact.content {
                FactContent::Triple { .. } => vec![(Role::Subject, node), (Role::Object, node)],
                _ => vec![(Role::Whole, node)],
            };
            graph.facts.push(ExportedFact { position, fact, mentions, recorded_s });
        }
        for (from, predicate, to) in edges {
            let [from, to] = [from, to].map(|at| graph.nodes[at.index(graph.nodes.len())].id);
            graph.edges.push(GraphEdge { from, predicate, to });
        }
        graph
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn jsonl_loses_nothing(graph in graph()) {
        let (back, rejections) = read(InterchangeFormat::Jsonl, &write(InterchangeFormat::Jsonl, &graph));
        prop_assert_eq!(rejections, vec![]);
        prop_assert_eq!(back, graph);
    }

    #[test]
    fn graphs_come_back(graph in graph()) {
        for format in [InterchangeFormat::GraphMl, InterchangeFormat::NTriples, InterchangeFormat::Turtle, InterchangeFormat::JsonLd] {
            let (back, rejections) = read(format, &write(format, &graph));
            prop_assert_eq!(&rejections, &vec![], "{}", format);
            prop_assert_eq!(canonical(&back), canonical(&graph), "{}", format);
            prop_assert_eq!(redirects(&back), redirects(&graph), "{}", format);
        }
    }

    #[test]
    fn tables_come_back(graph in graph()) {
        let nodes = InterchangeFormat::Csv(TableKind::Nodes);
        let (mut back, rejections) = read(nodes, &write(nodes, &graph));
        prop_assert_eq!(rejections, vec![]);
        let edges = InterchangeFormat::Csv(TableKind::Edges);
        let (edges, rejections) = read(edges, &write(edges, &graph));
        prop_assert_eq!(rejections, vec![]);
        back.append(edges);
        prop_assert_eq!(canonical(&back), canonical(&graph));
        prop_assert_eq!(redirects(&back), redirects(&graph));
    }

    #[test]
    fn any_bytes_end(bytes in vec(any::<u8>(), 0..300)) {
        for format in READABLE {
            drain(&bytes, format);
        }
    }

    #[test]
    fn any_tokens_end(tokens in vec(prop_oneof![
        Just("<graphml>"), Just("<node id=\"a\">"), Just("</node>"), Just("<data key=\"values\">"), Just("</data>"),
        Just("<edge source=\"a\" target=\"a\"/>"), Just("<!DOCTYPE x [<!ENTITY a \"b\">]>"), Just("&a;"), Just("&#0;"),
        Just("&#x110000;"), Just("<![CDATA["), Just("]]>"), Just("<?xml version=\"1.0\" encoding=\"latin1\"?>"),
        Just("{\"@context\":"), Just("{"), Just("}"), Just("["), Just("]"), Just("\"@id\":"), Just("\"a\""), Just(","),
        Just(":"), Just("\"@type\":\"@id\""), Just("@prefix a: <http://a/> ."), Just("a:b"), Just("<http://x>"), Just("."),
        Just("\"\"\""), Just("'x'@en"), Just("^^"), Just("("), Just(")"), Just("_:b"), Just(";"), Just("\\uD800"), Just("\n"),
        Just("{\"node\":{\"id\":\"n1\"}}"), Just("\"fact\":"), Just("\"nodes\":[\"n1\"]"), Just("node_id,a,"), Just("n1,"),
        Just("from,predicate,to"), Just("\u{feff}"), Just("\"@graph\":"), Just("\"@vocab\":\"#\""), Just("\"@base\":\"\""),
    ], 0..40)) {
        let text = tokens.concat();
        for format in READABLE {
            drain(text.as_bytes(), format);
        }
    }

    #[test]
    fn damaged_files_end(graph in graph(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        for format in READABLE {
            let mut file = write(format, &graph);
            let at = at.index(file.len());
            if cut { file.truncate(at) } else { file[at] = byte }
            drain(&file, format);
        }
    }
}

#[test]
fn every_cut_of_a_nasty_file_ends() {
    for format in READABLE {
        let mut graph = nasty();
        graph.nodes[0].properties.retain(|property| property.field != "long");
        let file = write(format, &graph);
        for end in (0..file.len()).step_by(1 + file.len() / 400) {
            drain(&file[..end], format);
        }
        assert!(!drain(&file, format).broken, "{format}");
    }
}

#[test]
fn elements_stream() {
    let graph = nasty();
    let file = write(InterchangeFormat::Jsonl, &graph);
    let elements = JsonlGraph::new(file.as_slice(), 1 << 20).map(|element| element.unwrap().unwrap());
    // With the first line and the last.
    assert_eq!(elements.count(), 2 + graph.nodes.len() + graph.facts.len() + graph.edges.len());
}
