//! A graph as GraphML.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;

use cortexkg::GraphEdge;

use super::escape::escape;
use super::{ALIASES_KEY, GRAPH_KEY, LABEL_KEY, PREDICATE_KEY, REDIRECTS_KEY, RESERVED, VALUES_KEY};
use crate::error::InterchangeError;
use crate::export::{Exporter, Result};
use crate::jsonl::text_list;
use crate::model::{ExportedFact, ExportedNode, Schema, TEXT_FIELD};
use crate::names::column_name;

pub(crate) struct GraphmlExporter<W> {
    out: W,
    text: String,
    /// Number of the key of each field.
    fields: HashMap<String, usize>,
    edges: u64,
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"#;

impl<W: Write> GraphmlExporter<W> {
    pub(crate) fn new(schema: &Schema, out: W) -> Result<Self> {
        let mut text = HEAD.to_owned();
        declare(&mut text, GRAPH_KEY, "graph", GRAPH_KEY);
        for name in [LABEL_KEY, ALIASES_KEY, REDIRECTS_KEY, VALUES_KEY] {
            declare(&mut text, name, "node", name);
        }
        let mut fields = HashMap::new();
        for (number, field) in schema.node_fields().iter().enumerate() {
            declare(&mut text, &format!("f{number}"), "node", &column_name(field, &RESERVED));
            fields.insert(field.clone(), number);
        }
        declare(&mut text, PREDICATE_KEY, "edge", PREDICATE_KEY);
        text.push_str("<graph id=\"graph\" edgedefault=\"directed\">\n");
        data(&mut text, GRAPH_KEY, "1");
        text.push('\n');
        let mut exporter = Self { out, text, fields, edges: 0 };
        exporter.flush()?;
        Ok(exporter)
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(self.text.as_bytes()).map_err(InterchangeError::Write)?;
        self.text.clear();
        Ok(())
    }
}

fn declare(text: &mut String, id: &str, domain: &str, name: &str) {
    text.push_str("<key id=\"");
    escape(text, id);
    text.push_str("\" for=\"");
    text.push_str(domain);
    text.push_str("\" attr.name=\"");
    escape(text, name);
    text.push_str("\" attr.type=\"string\"/>\n");
}

fn data(text: &mut String, key: &str, value: &str) {
    text.push_str("<data key=\"");
    text.push_str(key);
    text.push_str("\">");
    escape(text, value);
    text.push_str("</data>");
}

impl<W: Write> Exporter for GraphmlExporter<W> {
    fn node(&mut self, node: &ExportedNode) -> Result<()> {
        let text = &mut self.text;
        write!(text, "<node id=\"{}\">", node.id).expect("memory takes every text");
        if !node.label.is_empty() {
            data(text, LABEL_KEY, &node.label);
        }
        let names = node.names();
        if !names.is_empty() {
            data(text, ALIASES_KEY, &text_list(&names));
        }
        if !node.redirects.is_empty() {
            let redirects: Vec<String> = node.redirects.iter().map(ToString::to_string).collect();
            data(text, REDIRECTS_KEY, &text_list(&redirects));
        }
        let properties: Vec<_> = node.properties.iter().filter(|known| known.field != TEXT_FIELD).collect();
        let fields = node.fields();
        if fields.len() != properties.len() || properties.iter().any(|property| property.count != 1) {
            let rows: Vec<_> = properties
                .iter()
                .map(|property| (&property.field, &property.value, property.count))
                .collect();
            data(text, VALUES_KEY, &text_list(&rows));
        }
        for (field, values) in fields {
            let Some(number) = self.fields.get(field) else {
                self.text.clear();
                let place = format!("node {}", node.id);
                return Err(InterchangeError::UndeclaredField { place, field: crate::printable(field) });
            };
            if let Some(value) = values.first() {
                data(text, &format!("f{number}"), value);
            }
        }
        text.push_str("</node>\n");
        self.flush()
    }

    fn fact(&mut self, _: &ExportedFact) -> Result<()> {
        Ok(())
    }

    fn edge(&mut self, edge: &GraphEdge) -> Result<()> {
        let text = &mut self.text;
        let number = self.edges;
        self.edges += 1;
        write!(text, "<edge id=\"e{number}\" source=\"{}\" target=\"{}\">", edge.from, edge.to)
            .expect("memory takes every text");
        data(text, PREDICATE_KEY, &edge.predicate);
        text.push_str("</edge>\n");
        self.flush()
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.text.push_str("</graph>\n</graphml>\n");
        self.flush()?;
        self.out.flush().map_err(InterchangeError::Write)
    }
}
