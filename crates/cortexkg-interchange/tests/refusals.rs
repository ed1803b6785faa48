//! What cannot be taken is told with its place, and costs itself only.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod common;

use std::io::{self, Write};

use common::{nasty, read};
use cortexkg::{Fact, GraphEdge, NodeId};
use cortexkg_interchange::{
    ExportOptions, ExportedFact, ExportedNode, ImportOptions, ImportedGraph, InterchangeError,
    InterchangeFormat, Property, Role, TableKind, exporter, import,
};

const RDF: [InterchangeFormat; 3] =
    [InterchangeFormat::NTriples, InterchangeFormat::Turtle, InterchangeFormat::JsonLd];

fn named(id: u64, name: &str) -> ExportedNode {
    ExportedNode { aliases: vec![name.to_owned()], ..ExportedNode::new(NodeId(id)) }
}

fn told(format: InterchangeFormat, text: &str) -> (ImportedGraph, Vec<String>) {
    let (graph, rejections) = read(format, text.as_bytes());
    (graph, rejections.iter().map(ToString::to_string).collect())
}

fn error(format: InterchangeFormat, text: &[u8], options: &ImportOptions) -> String {
    import(format, text, options, &mut |_| {}).unwrap_err().to_string()
}

#[track_caller]
fn assert_told(told: &[String], expected: &[&str]) {
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\nshould start with\n{expected}");
    }
}

#[test]
fn lines_of_jsonl() {
    let text = r#"{"cortexkg_graph":1}
{"node":{"id":"n1","aliases":["one"]}}
{"node":{"id":"n1","aliases":["again"]}}
{"node":{"id":"17","aliases":["x"]}}
{"node":{"id":"n2"}}
{"node":{"id":"n3","aliases":["a\u0000b"]}}
{"node":{"id":"n4","aliases":["four"],"redirects":["n1"]}}
{"node":{"id":"n5","alias":["five"]}}
{"name":"a record"}
not json
{"fact":{"record_id":"r","name":"x"},"position":0,"nodes":["n1"]}
{"fact":{"record_id":"r","name":"x"},"position":1,"nodes":["n99"]}
{"fact":{"record_id":"r","subject":"a","predicate":"b","object":"c"},"position":1,"nodes":["n1"]}
{"fact":{"record_id":"r","name":"x"},"nodes":["n1"]}
{"fact":{"record_id":"r","name":"x"},"position":1,"nodes":["n1"],"where":"here"}
{"fact":{"record_id":"r","name":"x","embedding":[1,"2"]},"position":1,"nodes":["n1"]}
{"fact":{"record_id":"r","name":"x"},"confidence":2,"position":1,"nodes":["n1"]}
{"edge":{"from":"n1","predicate":"p","to":"n1"}}
{"edge":{"from":"n1","predicate":"p","to":"n4"}}
{"edge":{"from":"n1","predicate":" ","to":"n1"}}

{"node":{"id":"n6","aliases":["six"]}}
"#;
    let (graph, told) = told(InterchangeFormat::Jsonl, text);
    let refused = [
        "line 3, record n1, field id: n1 stands for a node already",
        "line 4, field id: 17 names no node",
        "line 5, record n2, field text: is empty",
        "line 6, record n3, field text: NUL character at byte 1",
        "line 7, record n4, field id: n1 stands for a node already",
        "line 8, field node: unknown field `alias`",
        "line 9: the object has no key node, fact or edge",
        "line 10: the line is no JSON object",
        "line 13, record r, field nodes: 1 nodes for 2 mentions",
        "line 14, record r, field position: is missing",
        "line 15, field where: the key is unknown",
        "line 16, record r, field embedding: value 1 is \"2\", which is no number",
        "line 17, record r, field confidence: 2 is not between 0 and 1",
        "line 20, field predicate: is empty",
        "line 22: the file ends without the line cortexkg_graph_end",
        "line 12, record r, field nodes: node n99 is not in this file",
        "line 19, field to: node n4 is not in this file",
    ];
    assert_told(&told, &refused);
    assert_eq!((graph.nodes.len(), graph.facts.len(), graph.edges.len()), (2, 1, 1));
    let newer = error(InterchangeFormat::Jsonl, b"{\"cortexkg_graph\":2}\n", &ImportOptions::default());
    assert!(newer.contains("use a newer program"), "{newer}");
}

#[test]
fn rows_of_tables() {
    let nodes =
        "node_id,node_aliases,city\nn1,one,Rome\nn2,two\nx,three,\nn4,\"[\"\"a\"\",\"\"b\"\"]\",\nn5,,\n";
    let (graph, refused) = told(InterchangeFormat::Csv(TableKind::Nodes), nodes);
    let expected = [
        "line 3: the row has 2 columns, the header has 3",
        "line 4, field node_id: x names no node",
        "line 6, record n5, field text: is empty",
    ];
    assert_told(&refused, &expected);
    assert_eq!(graph.nodes[0].properties, [Property::new("city", "Rome")]);
    assert_eq!(graph.nodes[1].aliases, ["a", "b"]);
    let edges = "to,from,predicate,since\nn1,n2,knows,2001\nn1,n2,,\nn1,2,knows,\n";
    let (graph, refused) = told(InterchangeFormat::Csv(TableKind::Edges), edges);
    assert_told(&refused, &["line 3, field predicate: is empty", "line 4, field from: 2 names no node"]);
    assert_eq!(graph.edges, [GraphEdge { from: NodeId(2), predicate: "knows".into(), to: NodeId(1) }]);
    let options = ImportOptions::default();
    for (kind, text, expected) in [
        (
            TableKind::Nodes,
            "name\nx\n",
            "line 1: a table of nodes needs the column node_id; its columns are: name",
        ),
        (TableKind::Edges, "from,to\n", "line 1: a table of edges needs the column predicate"),
        (TableKind::Edges, "", "line 1: the table is empty"),
        (TableKind::Edges, "a,a\n", "line 1: column 2 has no name, or that of another"),
        (TableKind::Facts, "a\n", "a CSV table of facts cannot be imported"),
    ] {
        let found = error(InterchangeFormat::Csv(kind), text.as_bytes(), &options);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn statements_of_rdf() {
    let text = "<http://x/a> <http://x/p> <http://x/b> .\nnonsense .\n<http://x/a> <http://x/q> \"\\u0000\" .\n\
                <http://x/b> <http://x/q> \"fine\" .\n";
    for (format, at) in [
        (InterchangeFormat::NTriples, "line 2, field subject: no valid N-Triples"),
        (InterchangeFormat::Turtle, "line 2: no valid Turtle"),
    ] {
        let (graph, refused) = told(format, text);
        let expected = [at, "line ", "line "];
        assert!(
            refused[2].contains("field http://x/p: node http://x/a is not in this file, or was refused"),
            "{refused:?}"
        );
        assert_told(&refused, &expected);
        assert!(
            refused[1].contains("record http://x/a, field http://x/q: NUL character at byte 0"),
            "{}",
            refused[1]
        );
        assert_eq!(graph.nodes.len(), 1);
        assert_eq!(graph.nodes[0].properties[1], Property::new("http://x/q", "fine"));
    }
    let found = error(
        InterchangeFormat::JsonLd,
        b"[{\"@id\": \"http://x/a\",\n \"http://x/p\": 1,}]",
        &ImportOptions::default(),
    );
    assert!(found.starts_with("line 2: no valid JSON"), "{found}");
    let remote = "{\"@context\": \"https://schema.org/\", \"@id\": \"http://x/a\", \"name\": \"A\"}";
    assert!(told(InterchangeFormat::JsonLd, remote).1[0].contains("no valid JSON-LD"));
}

#[test]
fn elements_of_graphml() {
    let text = "<graphml>\n<key id='d0' for='node' attr.name='city'/>\n<graph edgedefault='undirected'>\n\
        <node id='a'><data key='d0'>Rome &amp; &#x41;<![CDATA[<b>]]></data></node>\n\
        <node id='b'><graph id='b:'><node id='b::c'><data key='x'><y:ShapeNode><y:NodeLabel> yEd </y:NodeLabel></y:ShapeNode></data></node></graph></node>\n\
        <node id='n7'><data key='label'>seven</data></node>\n\
        <edge source='a' target='b'/>\n<edge source='a' target='gone'/>\n\
        <edge source='n7' target='b::c'><data key='predicate'>p</data></edge>\n\
        <hyperedge/>\n</graph>\n</graphml>";
    let (graph, refused) = told(InterchangeFormat::GraphMl, text);
    assert_told(
        &refused,
        &["line 10, field hyperedge: an edge of more", "line 8, field target: node gone is not in this file"],
    );
    let ids: Vec<_> = graph.nodes.iter().map(|node| node.id.0).collect();
    assert_eq!(ids, [8, 9, 10, 7]);
    assert_eq!(graph.nodes[0].properties, [Property::new("city", "Rome & A<b>")]);
    assert_eq!(graph.nodes[1].label, "b");
    assert_eq!(graph.nodes[2].properties, [Property::new("x", " yEd ")]);
    assert_eq!(graph.nodes[3].aliases, ["seven"]);
    let edges: Vec<_> = graph.edges.iter().map(|edge| (edge.from.0, &*edge.predicate, edge.to.0)).collect();
    assert_eq!(edges, [(8, "related", 9), (7, "p", 10)]);
    let options = ImportOptions::default();
    let deep = "<graphml>".to_owned() + &"<x>".repeat(100);
    let entity = "<!DOCTYPE a [<!ENTITY b \"b\">]><graphml>&b;</graphml>";
    for (text, expected) in [
        ("<html/>", "line 1: the document is no GraphML: it begins with <html>"),
        ("<graphml><graph>", "line 1: the document ends too early"),
        ("<graphml>\n</graph>", "line 2: no valid XML"),
        ("<graphml>\n<node/></graphml>", "line 2: <node> lacks the attribute id"),
        ("<graphml>\n<node id='a'>&b;</node></graphml>", "line 2: the entity &b; is not read"),
        (entity, "line 1: a document type is not read"),
        (&deep, "line 1: elements are nested deeper than 64 levels"),
        ("", "line 1: the document ends too early"),
    ] {
        let found = error(InterchangeFormat::GraphMl, text.as_bytes(), &options);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn rdf_of_others_becomes_a_graph() {
    let turtle = "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n\
        <http://x/ada> foaf:name \"Ada\" ; rdfs:label \"Ada L.\"@en ; foaf:age 36 ; foaf:knows _:cb ;\n\
        <http://www.w3.org/2002/07/owl#sameAs> <http://y/ada> .\n_:cb foaf:name \"Charles\" .\n";
    let options = ImportOptions { source: "a.ttl".into(), ..ImportOptions::default() };
    let graph =
        import(InterchangeFormat::Turtle, turtle.as_bytes(), &options, &mut |_| panic!("nothing is wrong"))
            .unwrap();
    assert_eq!(graph.nodes.len(), 2);
    assert_eq!(graph.nodes[0].aliases, ["Ada", "Ada L."]);
    let age = Property::new("http://xmlns.com/foaf/0.1/age", "36");
    assert_eq!(
        graph.nodes[0].properties,
        [Property::new("@iri", "http://x/ada"), Property::new("@iri", "http://y/ada"), age]
    );
    assert!(
        graph.nodes[1].properties[0].value.starts_with("_:")
            && graph.nodes[1].properties[0].value.ends_with(" a.ttl")
    );
    let knows =
        GraphEdge { from: NodeId(0), predicate: "http://xmlns.com/foaf/0.1/knows".into(), to: NodeId(1) };
    assert_eq!(graph.edges, [knows]);
}

#[test]
fn nodes_without_a_label_are_numbered() {
    let turtle =
        "<http://x/a> <http://x/p> [ <http://x/q> 1 ], [ <http://x/q> 2 ], _:b1 .\n_:b1 <http://x/q> 3 .\n";
    let json = r#"{"@id":"http://x/a","http://x/p":[{"http://x/q":1},{"http://x/q":2},{"@id":"_:b1","http://x/q":3}]}"#;
    for (format, text) in [(InterchangeFormat::Turtle, turtle), (InterchangeFormat::JsonLd, json)] {
        let (graph, refused) = told(format, text);
        assert_eq!(refused, Vec::<String>::new());
        let properties = graph.nodes.iter().flat_map(|node| &node.properties);
        let mut blanks: Vec<_> =
            properties.filter(|known| known.field == "@blank").map(|known| &*known.value).collect();
        blanks.sort_unstable();
        assert_eq!(blanks, ["_:[1] ", "_:[2] ", "_:b1 "], "{format}");
        assert_eq!(told(format, text).0, graph, "{format}");
    }
}

#[test]
fn names_that_edges_give_stay_literals() {
    let mut graph = ImportedGraph::default();
    graph.nodes.push(ExportedNode {
        properties: vec![Property::new("@iri", "http://x/ada")],
        ..ExportedNode::new(NodeId(0))
    });
    graph.nodes.push(ExportedNode {
        properties: vec![Property::new("@literal", "\"Ada\"@en")],
        ..ExportedNode::new(NodeId(1))
    });
    let label = "http://www.w3.org/2000/01/rdf-schema#label";
    graph.edges.push(GraphEdge { from: NodeId(0), predicate: label.into(), to: NodeId(1) });
    for format in RDF {
        let file = common::write(format, &graph);
        let (back, refused) = read(format, &file);
        assert!(refused.is_empty(), "{refused:?}");
        assert_eq!(back.edges, graph.edges, "{format}");
        assert_eq!(back.nodes[0].label, "Ada", "{format}");
    }
}

#[test]
fn hostile_inputs_stay_within_bounds() {
    let narrow = ImportOptions { record_bytes_max: 4096, bytes_max: 1 << 20, ..ImportOptions::default() };
    // A prefix of 3 KB that every statement repeats: the text is small, the graph would not be.
    let mut turtle = format!("@prefix a: <http://{}/> .\n", "x".repeat(3000));
    for number in 0..20_000 {
        turtle.push_str(&format!("a:{number} a:p a:q .\n"));
    }
    assert!(turtle.len() < 1 << 20);
    let found = error(InterchangeFormat::Turtle, turtle.as_bytes(), &narrow);
    assert!(found.contains("the graph has more than 1048576 bytes"), "{found}");
    let long = format!("<http://x/a> <http://x/p> \"\"\"{}\"\"\" .", "x\n".repeat(100_000));
    let found = error(InterchangeFormat::Turtle, long.as_bytes(), &narrow);
    assert!(found.contains("one element has more than 4096 bytes"), "{found}");
    let long = format!("<graphml><graph><node id='{}'/></graph></graphml>", "x".repeat(100_000));
    let found = error(InterchangeFormat::GraphMl, long.as_bytes(), &narrow);
    assert!(found.contains("one element has more than 4096 bytes"), "{found}");
    let long = format!(
        "<graphml><graph><node id='a'><data key='b'>{}</data></node></graph></graphml>",
        "&amp;".repeat(5000)
    );
    let found = error(InterchangeFormat::GraphMl, long.as_bytes(), &narrow);
    assert!(found.contains("the data has more than 4096 bytes"), "{found}");
    let deep = "{\"http://x/p\":[".repeat(5000);
    let found = error(InterchangeFormat::JsonLd, deep.as_bytes(), &narrow);
    assert!(found.contains("nested deeper than 64 levels"), "{found}");
    for format in
        [InterchangeFormat::Jsonl, InterchangeFormat::NTriples, InterchangeFormat::Csv(TableKind::Edges)]
    {
        let endless = "from,predicate,to\n".to_owned() + &"x".repeat(2 << 20);
        let found = error(format, endless.as_bytes(), &narrow);
        assert!(found.contains("the input has more than 1048576 bytes"), "{format}: {found}");
    }
    let found = error(InterchangeFormat::Turtle, b"\xff\xfea\0", &narrow);
    assert!(found.contains("UTF-16"), "{found}");
    assert!(
        read(InterchangeFormat::Jsonl, b"\xef\xbb\xbf{\"node\":{\"id\":\"n0\",\"label\":\"a\"}}")
            .1
            .is_empty()
    );
}

fn fact(fact: Fact) -> ExportedFact {
    ExportedFact { position: 7, fact, mentions: vec![(Role::Whole, NodeId(1))], recorded_s: None }
}

#[test]
fn exporters_refuse_what_no_file_should_hold() {
    let mut out = exporter(InterchangeFormat::Jsonl, &ExportOptions::default(), io::sink()).unwrap();
    let refused = |result: Result<(), InterchangeError>| result.unwrap_err().to_string();
    assert!(refused(out.node(&named(1, "a\0b"))).starts_with("node n1: holds a NUL"));
    out.node(&named(1, "one")).unwrap();
    let nul = Fact::triple("a", "b", "c\0").with_id("r");
    assert!(refused(out.fact(&fact(nul))).starts_with("fact 7 (record r): holds a NUL"));
    let infinite = Fact::text("t").with_embedding(vec![1.0, f32::INFINITY]);
    assert!(refused(out.fact(&fact(infinite))).starts_with("fact 7: inf is no finite number"));
    out.fact(&fact(Fact::text("t"))).unwrap();
    assert!(refused(out.node(&named(2, "two"))).starts_with("node n2: comes too late"));
    let node =
        ExportedNode { properties: vec![Property::new("city", "Rome")], ..ExportedNode::new(NodeId(1)) };
    for format in [InterchangeFormat::GraphMl, InterchangeFormat::Csv(TableKind::Nodes)] {
        let mut out = exporter(format, &ExportOptions::default(), io::sink()).unwrap();
        assert!(refused(out.node(&node)).starts_with("node n1: field city is not in the schema"), "{format}");
    }
    for base in ["no iri", "relative/", "http://x/<"] {
        let options = ExportOptions { base: base.into(), ..ExportOptions::default() };
        for format in RDF {
            let error = exporter(format, &options, io::sink()).err().unwrap().to_string();
            assert!(error.starts_with("the base "), "{error}");
        }
    }
}

#[test]
fn a_full_disk_is_told() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let graph = nasty();
    let mut options = ExportOptions::default();
    graph.nodes.iter().for_each(|node| options.schema.see_node(node));
    for format in [
        InterchangeFormat::Jsonl,
        InterchangeFormat::Csv(TableKind::Nodes),
        InterchangeFormat::GraphMl,
        InterchangeFormat::NTriples,
        InterchangeFormat::Turtle,
        InterchangeFormat::JsonLd,
    ] {
        let written = (|| {
            let mut out = exporter(format, &options, Full)?;
            graph.nodes.iter().try_for_each(|node| out.node(node))?;
            out.finish()
        })();
        assert!(written.unwrap_err().to_string().starts_with("cannot write: "), "{format}");
    }
}
