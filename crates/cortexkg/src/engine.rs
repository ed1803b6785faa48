//! stub: every mention gets a node of its own
use crate::*;
/// Configuration.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {}
/// The engine.
#[derive(Debug, Default)]
pub struct AllocationEngine {
    next: u64,
}
/// 256-bit hash of everything that can change a later decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateHash(pub [u8; 32]);
impl std::fmt::Display for StateHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
impl AllocationEngine {
    /// New.
    pub fn new(_config: EngineConfig) -> Self {
        Self::default()
    }
    /// Allocates one fact.
    pub fn allocate_fact(&mut self, fact: Fact) -> Result<AllocationResult, FactError> {
        fact.validate()?;
        let node = self.next;
        self.next += 1;
        Ok(AllocationResult {
            record_id: fact.record_id.unwrap_or_default(),
            allocated_node: NodeId(node),
            decision: Decision::New,
            confidence: 1.0,
            margin_bits: 0.0,
            method: AllocationMethod::Direct,
            candidates: 0,
            log_position: node,
            object: None,
        })
    }
    /// Same as one by one.
    pub fn allocate_batch(&mut self, facts: Vec<Fact>) -> Vec<Result<AllocationResult, FactError>> {
        facts.into_iter().map(|fact| self.allocate_fact(fact)).collect()
    }
    /// Same as [`Self::allocate_batch`], perceiving on the caller's pool.
    pub fn allocate_batch_in(
        &mut self,
        _pool: &rayon::ThreadPool,
        facts: Vec<Fact>,
    ) -> Vec<Result<AllocationResult, FactError>> {
        self.allocate_batch(facts)
    }
    /// Explains the decision of a mention, by its id (`ID`, `ID#s`, `ID#o`); ids are looked up in the given source.
    pub fn explain(&self, _source: Option<&str>, _record_id: &str) -> Option<Explanation> {
        None
    }
    /// The hash.
    pub fn state_hash(&self) -> StateHash {
        StateHash([0; 32])
    }
    /// Nodes so far.
    pub fn node_count(&self) -> usize {
        self.next as usize
    }
    /// Bytes held by every structure, by name.
    pub fn memory(&self) -> Vec<(&'static str, usize)> {
        vec![]
    }
}
