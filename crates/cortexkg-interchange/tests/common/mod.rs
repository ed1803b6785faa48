//! Graphs to send there and back.

use std::collections::BTreeMap;
use std::path::Path;

use cortexkg::{AllocationEngine, EngineConfig, Fact, FieldValue, GraphEdge, KnowledgeGraph, NodeId, Term};
use cortexkg_interchange::{
    ExportOptions, ExportedFact, ExportedNode, ImportOptions, ImportedGraph, InterchangeFormat, Property,
    Rejection, Role, exporter, import,
};

/// The restaurants, allocated; every fact with its node, some edges.
pub(crate) fn restaurants() -> ImportedGraph {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/fodors-zagats/records.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let mut engine = AllocationEngine::new(EngineConfig::default());
    let mut graph = ImportedGraph::default();
    for (position, row) in reader.records().enumerate() {
        let row = row.unwrap();
        let fields = header.iter().zip(&row).skip(1).filter(|(_, value)| !value.trim().is_empty());
        let fact = Fact::record(fields).with_id(&row[0]).with_source("fodors zagats");
        let node = engine.allocate_fact(fact.clone()).unwrap().allocated_node;
        let mentions = vec![(Role::Whole, node)];
        graph.facts.push(ExportedFact { position: position as u64, fact, mentions, recorded_s: None });
    }
    for id in engine.node_ids() {
        let view = engine.node(id).unwrap();
        graph.edges.extend(
            view.edges.iter().filter(|(from, _, _)| *from == id).map(|(from, predicate, to)| GraphEdge {
                from: *from,
                predicate: predicate.clone(),
                to: *to,
            }),
        );
        graph.nodes.push(view.into());
    }
    for pair in graph.nodes.windows(2).step_by(7) {
        graph.edges.push(GraphEdge { from: pair[0].id, predicate: "near to".into(), to: pair[1].id });
    }
    graph
}

/// Everything that formats stumble over.
pub(crate) fn nasty() -> ImportedGraph {
    let node = |id: u64, properties: &[(&str, &str, u32)], aliases: &[&str]| ExportedNode {
        id: NodeId(id),
        label: format!("label of {id} \u{1}\\u0001 <&>\"'\r\n\t{{}}"),
        properties: properties
            .iter()
            .map(|&(field, value, count)| Property { field: field.into(), value: value.into(), count })
            .collect(),
        aliases: aliases.iter().map(|&alias| alias.into()).collect(),
        redirects: Vec::new(),
    };
    let long = "lang ü ".repeat(7000);
    let mut first = node(
        3,
        &[
            ("name", "Zoë \"the\" <O'Neill> & co; a, b", 2),
            ("name", "two\r\nlines\ttabbed \r x \n", 1),
            ("name", "\u{1}\u{8}\u{b}\u{1f}\u{7f}\u{85}\u{2028}\u{fffe}\u{ffff}\u{feff}", 1),
            ("a field: with <signs> & \"quotes\", 100%", "=1+1", 1),
            ("field:odd", "@SUM(A1)", 1),
            ("node_label", "[\"looks like\",\"a list\"]", 1),
            ("label", " kept blanks ", 1),
            ("id", "[]", 1),
            ("http://xmlns.com/foaf/0.1/age", "-5", 1),
            ("long", &long, 3),
            ("\u{1}ctrl\u{b}", "\\u0041 \\ \\\\ \\user", 1),
        ],
        &["مرحبا", "𝄞 clef", "é", "e\u{301}", "<script>"],
    );
    first.redirects = vec![NodeId(1), NodeId(2)];
    let nodes = vec![
        first,
        node(4, &[("@iri", "http://x.org/a#b?c=d&e=%20ü", 2), ("@iri", "urn:isbn:0", 1)], &["a b"]),
        node(5, &[("@iri", "not an <iri>", 1)], &["not an iri"]),
        node(6, &[("@blank", "_:b0 file.nt", 1)], &[]),
        node(7, &[("@literal", "\"x \\ \"y\"\n\"@en-gb", 1)], &[]),
        node(8, &[("@literal", "\"5\"^^http://www.w3.org/2001/XMLSchema#integer", 1)], &[]),
        node(9, &[("@literal", "\"\"", 1)], &[]),
        node(10, &[("@literal", "\"broken\"@not a language", 1)], &[]),
        node(20, &[("@iri", "urn:cortexkg:node:n3", 1)], &["posing as another"]),
        node(NodeId::MAX.0, &[], &["the last one"]),
    ];
    let edge = |from: u64, predicate: &str, to: u64| GraphEdge {
        from: NodeId(from),
        predicate: predicate.into(),
        to: NodeId(to),
    };
    let edges = vec![
        edge(3, "possibly_same", 4),
        edge(3, "possibly_same", 4),
        edge(4, "http://x.org/knows", 3),
        edge(4, "http://x.org/says", 7),
        edge(4, "urn:cortexkg:field:trap", 8),
        edge(4, "http://www.w3.org/1999/02/22-rdf-syntax-ns#value", 8),
        edge(4, "http://www.w3.org/2002/07/owl#sameAs", 6),
        edge(8, "after", 9),
        edge(3, "a <b> & \"c\"\r\n\u{1}", 10),
        edge(NodeId::MAX.0, "self", NodeId::MAX.0),
        edge(5, "http://not a.valid/iri", 20),
    ];
    let floats =
        vec![f32::from_bits(1), -f32::MIN_POSITIVE, 0.1, -0.0, f32::MAX, f32::MIN, 1.0 / 3.0, 16_777_217.0];
    let facts = [
        Fact::record([("name", "x"), ("source", "a field"), ("time", "noon")])
            .with_id(" r1 ")
            .with_source("s\u{1}\"")
            .with_time_s(i64::MIN)
            .with_confidence(0.1)
            .with_embedding(floats),
        Fact::record([("text", "alone")]),
        Fact::record([("text", FieldValue::List(vec!["in a".into(), "list".into()]))]),
        Fact::record([("subject", "a"), ("predicate", "b"), ("object", "c"), ("source", "d")]).with_id("r2"),
        Fact::record([("subject", "a"), ("predicate", "b")]),
        Fact::record([("id", "x"), ("record_id", "y"), ("embedding", "z"), ("fact", "f")])
            .with_confidence(0.0),
        Fact::record([
            ("empty list", FieldValue::List(Vec::new())),
            ("one", FieldValue::List(vec!["[\"x\"]".into()])),
            ("text", "[\"x\"]".into()),
        ]),
        Fact::text(" \u{b}text ").with_source("s").with_time_s(5).with_confidence(1.0).with_id("t"),
        Fact::triple(
            Term::Literal { value: String::new(), datatype: Some("d".into()), language: None },
            "\u{1}p",
            Term::Literal { value: "v\"".into(), datatype: None, language: Some("en".into()) },
        ),
        Fact::triple(Term::Iri("i <".into()), "p", Term::Blank("b \"".into())).with_embedding(vec![1e-40]),
        Fact::triple("{\"iri\":\"x\"}", "p", "y").with_source("s"),
    ];
    let mut exported = Vec::new();
    for (position, fact) in facts.into_iter().enumerate() {
        let mentions = match fact.content {
            cortexkg::FactContent::Triple { .. } => {
                vec![(Role::Subject, NodeId(3)), (Role::Object, NodeId(1))]
            }
            _ => vec![(Role::Whole, NodeId(4))],
        };
        let recorded_s = (position % 2 == 0).then_some(-1);
        exported.push(ExportedFact { position: position as u64, fact, mentions, recorded_s });
    }
    ImportedGraph { nodes, facts: exported, edges, ..ImportedGraph::default() }
}

/// The graph in a format.
pub(crate) fn write(format: InterchangeFormat, graph: &ImportedGraph) -> Vec<u8> {
    let mut options = ExportOptions::default();
    graph.nodes.iter().for_each(|node| options.schema.see_node(node));
    graph.facts.iter().for_each(|fact| options.schema.see_fact(&fact.fact));
    let mut file = Vec::new();
    let mut out = exporter(format, &options, &mut file).unwrap();
    graph.nodes.iter().for_each(|node| out.node(node).unwrap());
    graph.facts.iter().for_each(|fact| out.fact(fact).unwrap());
    graph.edges.iter().for_each(|edge| out.edge(edge).unwrap());
    out.finish().unwrap();
    file
}

/// The graph in a file, and what was refused.
pub(crate) fn read(format: InterchangeFormat, file: &[u8]) -> (ImportedGraph, Vec<Rejection>) {
    let mut rejections = Vec::new();
    let mut note = |rejection| rejections.push(rejection);
    let graph = import(format, file, &ImportOptions::default(), &mut note).unwrap();
    (graph, rejections)
}

/// Nodes and edges in a form that does not depend on orders without meaning.
pub(crate) fn canonical(graph: &ImportedGraph) -> KnowledgeGraph {
    let (mut graph, left_out) = graph.to_knowledge_graph();
    assert!(left_out <= 1, "the second IRI of a node alone has no place");
    for node in &mut graph.nodes {
        node.properties.sort_by(|one, other| one.name.cmp(&other.name));
        for property in &mut node.properties {
            if let FieldValue::List(items) = &mut property.value {
                items.sort();
            }
        }
        node.aliases.sort();
    }
    graph.edges.sort_by(|one, other| {
        (one.from, &one.predicate, one.to).cmp(&(other.from, &other.predicate, other.to))
    });
    graph
}

/// Redirects by node.
pub(crate) fn redirects(graph: &ImportedGraph) -> BTreeMap<NodeId, Vec<NodeId>> {
    graph
        .nodes
        .iter()
        .filter(|node| !node.redirects.is_empty())
        .map(|node| (node.id, node.redirects.clone()))
        .collect()
}
