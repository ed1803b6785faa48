//! The last line of an exported graph: whether everything before it is there.

use serde::{Deserialize, Serialize};

use super::END_KEY;
use crate::rejection::Rejection;

/// Lines of an exported graph, by what they hold.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonlCounts {
    /// Nodes.
    pub nodes: u64,
    /// Facts.
    pub facts: u64,
    /// Edges.
    pub edges: u64,
}

/// Compares an exported graph with what its last line says, line by line.
#[derive(Debug, Default, Clone)]
pub struct WholeCheck {
    /// Lines with an element, refused ones included: those are told of by themselves.
    lines: u64,
    end: Option<(u64, JsonlCounts)>,
    /// The first line behind the end.
    behind: Option<u64>,
}

impl WholeCheck {
    /// Notes a line that holds a node, a fact or an edge, or was refused.
    pub fn element(&mut self, line: u64) {
        if self.end.is_some() {
            self.behind.get_or_insert(line);
        }
        self.lines += 1;
    }

    /// Notes the last line.
    pub fn end(&mut self, line: u64, counts: JsonlCounts) {
        self.end = Some((line, counts));
    }

    /// What is wrong with the graph as a whole, once its `line`s are all read.
    pub fn finish(&self, line: u64) -> Option<Rejection> {
        let Some((end, JsonlCounts { nodes, facts, edges })) = self.end else {
            let message = format!(
                "the file ends without the line {END_KEY} that an export ends with: it was cut off; get it again, or export the \
                 graph again"
            );
            return Some(Rejection::at(line.max(1), message));
        };
        if let Some(behind) = self.behind {
            let message =
                format!("stands behind the line {END_KEY}, which is the last; export the graph again");
            return Some(Rejection::at(behind, message));
        }
        let expected = nodes.saturating_add(facts).saturating_add(edges);
        (expected != self.lines).then(|| {
            let message = format!(
                "the export had {nodes} nodes, {facts} facts and {edges} edges, {expected} lines; here are {}: some are missing or \
                 stand twice; get the file again, or export the graph again",
                self.lines
            );
            Rejection::at(end, message).field(END_KEY)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_not_taken_for_the_whole() {
        let mut check = WholeCheck::default();
        check.element(2);
        check.element(3);
        assert!(check.finish(3).unwrap().to_string().starts_with("line 3: the file ends without"));
        check.end(4, JsonlCounts { nodes: 1, facts: 1, edges: 0 });
        assert_eq!(check.finish(4), None);
        let mut more = check.clone();
        more.end(4, JsonlCounts { nodes: 1, facts: 2, edges: 0 });
        assert!(more.finish(4).unwrap().message.contains("2 facts"));
        check.element(5);
        assert_eq!(check.finish(5).unwrap().line, 5);
    }
}
