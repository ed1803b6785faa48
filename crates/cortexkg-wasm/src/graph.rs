//! The engine over a store in memory.

use cortexkg::{
    AllocationResult, DurableEngine, EngineConfig, Fact, FactError, Forget, OperationError, SearchHit,
};
use cortexkg_store::{MemoryStore, Snapshot, StoreError, Sync, read_portable, write_portable};
use thiserror::Error;

/// Bytes of blocks that are kept while a file is read, in order.
const CACHE_BYTES: u64 = 1 << 20;
const PLACE: &str = "the .ckg bytes";

/// What the engine or its store refused.
#[derive(Debug, Error)]
pub(crate) enum GraphError {
    #[error(transparent)]
    Fact(#[from] FactError),
    #[error(transparent)]
    Operation(#[from] OperationError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A graph that ends with the page, unless somebody keeps its bytes.
pub(crate) struct Graph(DurableEngine<MemoryStore>);

impl Graph {
    /// An empty graph.
    pub(crate) fn new() -> Result<Self, GraphError> {
        Self::over(MemoryStore::default())
    }

    /// The graph of `.ckg` bytes.
    pub(crate) fn import(bytes: Vec<u8>) -> Result<Self, GraphError> {
        let file = Snapshot::open(bytes, PLACE, CACHE_BYTES)?;
        let mut store = MemoryStore::default();
        read_portable(&file, PLACE, &mut store)?;
        Self::over(store)
    }

    fn over(store: MemoryStore) -> Result<Self, GraphError> {
        Ok(Self(DurableEngine::open(store, EngineConfig::default())?))
    }

    /// The graph as `.ckg` bytes.
    pub(crate) fn export(&self) -> Result<Vec<u8>, GraphError> {
        let mut bytes = Vec::new();
        write_portable(self.0.store(), &mut bytes, &mut |_| {})?;
        Ok(bytes)
    }

    /// One outcome per fact, in their order.
    pub(crate) fn allocate(
        &mut self,
        facts: Vec<Fact>,
    ) -> Result<Vec<Result<AllocationResult, FactError>>, GraphError> {
        Ok(self.0.allocate_batch(facts, Sync::Durable)?)
    }

    pub(crate) fn search(&self, text: &str, limit: usize) -> Result<Vec<SearchHit>, GraphError> {
        Ok(self.0.view(None)?.search(text, limit)?)
    }

    pub(crate) fn why(&self, source: Option<&str>, record: &str) -> Result<String, GraphError> {
        Ok(self.0.why(source, record)?.to_string())
    }

    /// The number of facts that were forgotten.
    pub(crate) fn forget(&mut self, source: Option<&str>, record_id: &str) -> Result<usize, GraphError> {
        Ok(self.0.forget(&Forget::Fact { source, record_id })?.1)
    }

    /// Facts and nodes.
    pub(crate) fn counts(&self) -> Result<(u64, u64), GraphError> {
        let counts = self.0.view(None)?.counts()?;
        Ok((counts.facts, counts.nodes))
    }

    pub(crate) fn state_hash(&self) -> Result<String, GraphError> {
        Ok(self.0.state_hash()?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let mut graph = Graph::new().unwrap();
        let facts = ["Ada Lovelace", "Charles Babbage", "ada lovelace"].map(Fact::text);
        let facts = facts.into_iter().zip(["a", "b", "c"]).map(|(fact, id)| fact.with_id(id)).collect();
        assert!(graph.allocate(facts).unwrap().iter().all(Result::is_ok));
        graph
    }

    #[test]
    fn what_is_exported_comes_back_with_the_same_hash() {
        let mut graph = graph();
        assert_eq!(graph.forget(None, "b").unwrap(), 1);
        let back = Graph::import(graph.export().unwrap()).unwrap();
        assert_eq!(back.state_hash().unwrap(), graph.state_hash().unwrap());
        assert_eq!(back.counts().unwrap(), (2, 1));
        assert_eq!(back.search("lovelace", 5).unwrap().len(), 1);
        assert!(back.why(None, "c").unwrap().contains("existing"));
    }

    /// What a native engine has written, and `tests/node/same_bits.test.mjs` reads and writes. `UPDATE_GOLDEN=1` writes it anew.
    #[test]
    fn the_file_that_node_reads_is_what_is_written_here() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("fixtures");
        let texts = std::fs::read_to_string(folder.join("texts.txt")).unwrap();
        let facts = (1..).zip(texts.lines()).map(|(line, text)| Fact::text(text).with_id(format!("{line}")));
        let mut graph = Graph::new().unwrap();
        assert!(graph.allocate(facts.collect()).unwrap().iter().all(Result::is_ok));
        graph.forget(None, "4").unwrap();
        let told = format!("{}\n", graph.state_hash().unwrap());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(folder.join("texts.ckg"), graph.export().unwrap()).unwrap();
            std::fs::write(folder.join("texts.hash"), &told).unwrap();
        }
        assert_eq!(told, std::fs::read_to_string(folder.join("texts.hash")).unwrap());
        let file = std::fs::read(folder.join("texts.ckg")).unwrap();
        assert!(graph.export().unwrap() == file, "texts.ckg is another");
    }

    #[test]
    fn what_is_no_graph_is_refused() {
        assert!(Graph::import(Vec::new()).is_err());
        assert!(Graph::import(vec![7; 4_096]).is_err());
        assert!(graph().why(None, "nobody").unwrap_err().to_string().contains("nobody"));
    }
}
