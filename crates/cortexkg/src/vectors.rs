//! One vector per node.
use crate::graph::NodeIndex;
use crate::error::FactError;
use crate::perceive::Perceived;
/// stub
#[derive(Debug, Clone)]
pub(crate) struct Code;
#[derive(Debug, Clone, Default)]
pub(crate) struct Vectors;
impl Vectors {
    pub(crate) fn similarity(&self, _code: &Code, _node: NodeIndex) -> Option<i32> { None }
    pub(crate) fn encode(&self, _e: &[f32]) -> Option<Code> { None }
    pub(crate) fn nearest(&self, _c: &Code, _n: usize) -> Vec<NodeIndex> { vec![] }
    pub(crate) fn add(&mut self, _n: NodeIndex, _new: bool, _c: &Code) {}
    pub(crate) fn check(&mut self, _r: &str, _p: &Perceived) -> Result<(), FactError> { Ok(()) }
}
