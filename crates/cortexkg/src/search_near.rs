//! Search by a vector: which nodes lie nearest to it?

use serde::{Deserialize, Serialize};

use crate::engine::AllocationEngine;
use crate::error::FactError;
use crate::fact::Fact;
use crate::graph::NodeId;

/// What a message calls a vector that is searched for, and that is nobody's record.
const ASKED: &str = "(the vector searched for)";

/// A node whose vector is near.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearHit {
    /// The node.
    pub node: NodeId,
    /// It in one line.
    pub label: String,
    /// Cosine between the vector and the node's, which is the mean of its members'; −1 to 1.
    pub cosine: f32,
}

impl AllocationEngine {
    /// The nodes whose vectors lie nearest to one, nearest first, of equals the oldest; at most `limit`, and none where facts bring no vectors. Exact in
    /// small graphs; in large ones by the index, as decisions find them.
    ///
    /// ```
    /// use cortexkg::{AllocationEngine, EngineConfig, Fact};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut engine = AllocationEngine::new(EngineConfig::default());
    /// engine.allocate_fact(Fact::text("a polar bear").with_embedding(vec![1.0, 0.0]))?;
    /// engine.allocate_fact(Fact::text("Kiyoshi Kato").with_embedding(vec![0.0, 1.0]))?;
    /// let hits = engine.search_near(&[0.9, 0.1], 1)?;
    /// assert_eq!(hits[0].label, "a polar bear");
    /// assert!(hits[0].cosine > 0.99);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FactError::EmbeddingDimension`] if it is of another dimension than those of the graph, [`FactError::EmbeddingZero`] and
    /// [`FactError::EmbeddingNotFinite`] if it has no direction.
    pub fn search_near(&self, vector: &[f32], limit: usize) -> Result<Vec<NearHit>, FactError> {
        let asked = Fact::text("?").with_id(ASKED).with_embedding(vector.to_vec());
        let perceived = self.perceive(asked)?;
        let Some(dimension) = self.vectors.expected_dimension() else { return Ok(Vec::new()) };
        if dimension != vector.len() {
            let (record, expected) = (ASKED.to_owned(), dimension.to_string());
            return Err(FactError::EmbeddingDimension { record, found: vector.len(), expected });
        }
        let Some(code) = self.code(&perceived, 0) else { return Ok(Vec::new()) };
        let finder = self.vectors.finder(self.graph.live_nodes(), 0);
        let (near, _) = self.vectors.nearest(&code, limit, finder);
        let mut hits: Vec<(i32, NearHit)> = near
            .into_iter()
            .filter_map(|node| {
                let cosine = self.vectors.similarity(&code, node)?;
                let (id, label) = (self.graph.id(node), self.label(node));
                Some((cosine, NearHit { node: id, label, cosine: cosine as f32 / 65_536.0 }))
            })
            .collect();
        hits.sort_by_key(|(cosine, hit)| (std::cmp::Reverse(*cosine), hit.node));
        Ok(hits.into_iter().map(|(_, hit)| hit).collect())
    }
}
