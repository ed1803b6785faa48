//! Nodes that are read often, in tiers above the engine: decoded, compact, and the engine itself.

use std::sync::{Arc, PoisonError, RwLock};

use cortexkg::{NodeId, NodeView};
use cortexkg_tiers::{
    Codec, MemoryConfig, MemoryStatistics, MultiTierMemorySystem, PersistentStorage, Row, TierConfig,
    TierError,
};

use crate::backing::Backing;
use crate::config::CacheConfig;

/// The lowest tier: the engine, which is changed past the tiers.
#[derive(Debug)]
pub(crate) struct EngineStorage<E>(Arc<RwLock<E>>);

/// What the engine as a tier can fail at.
#[derive(Debug, thiserror::Error)]
pub enum NodeStorageError {
    /// A node has no compact form.
    #[error("node {id} cannot be encoded: {what}")]
    Encode {
        /// The node.
        id: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Nodes are changed by allocating, not by writing to the tiers.
    #[error("nodes cannot be written; they are changed through the engine")]
    ReadOnly,
}

impl<E: Backing> PersistentStorage for EngineStorage<E> {
    type Error = NodeStorageError;

    fn read(&self, key: u64) -> Result<Option<Vec<u8>>, NodeStorageError> {
        let core = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let node = core.engine().node(NodeId(key));
        drop(core);
        node.map(|node| encoded(key, &node)).transpose()
    }

    fn read_many(&self, keys: &[u64], found: &mut dyn FnMut(u64, Vec<u8>)) -> Result<(), NodeStorageError> {
        // In one state: no writer comes in between.
        let core = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for &key in keys {
            if let Some(node) = core.engine().node(NodeId(key)) {
                found(key, encoded(key, &node)?);
            }
        }
        Ok(())
    }

    fn write(&self, _: &[Row]) -> Result<(), NodeStorageError> {
        Err(NodeStorageError::ReadOnly)
    }
}

fn encoded(id: u64, node: &NodeView) -> Result<Vec<u8>, NodeStorageError> {
    postcard::to_allocvec(node).map_err(|error| NodeStorageError::Encode { id, what: error.to_string() })
}

/// Nodes and their compact form.
#[derive(Debug)]
pub(crate) struct NodeCodec;

impl Codec for NodeCodec {
    type Value = NodeView;
    type Error = postcard::Error;

    fn encode(&self, node: &NodeView) -> postcard::Result<Vec<u8>> {
        postcard::to_allocvec(node)
    }

    fn decode(&self, bytes: &[u8]) -> postcard::Result<NodeView> {
        postcard::from_bytes(bytes)
    }

    fn memory_bytes(&self, node: &NodeView) -> usize {
        let of_strings = |strings: &mut dyn Iterator<Item = usize>| strings.sum::<usize>();
        size_of::<NodeView>()
            + node.label.capacity()
            + node.properties.capacity() * size_of::<(String, String, u32)>()
            + of_strings(
                &mut node.properties.iter().map(|(field, value, _)| field.capacity() + value.capacity()),
            )
            + node.aliases.capacity() * size_of::<String>()
            + of_strings(&mut node.aliases.iter().map(String::capacity))
            + node.members.capacity() * size_of_val(&node.members[..0]).max(size_of::<cortexkg::MemberView>())
            + of_strings(
                &mut node.members.iter().map(|member| member.record_id.capacity() + member.source.capacity()),
            )
            + node.edges.capacity() * size_of::<(NodeId, String, NodeId)>()
            + of_strings(&mut node.edges.iter().map(|(_, predicate, _)| predicate.capacity()))
    }
}

pub(crate) type NodeTiers<E> = MultiTierMemorySystem<EngineStorage<E>, NodeCodec>;

pub(crate) fn tiers<E: Backing>(core: Arc<RwLock<E>>, config: &CacheConfig) -> NodeTiers<E> {
    let usual = MemoryConfig::default();
    let tier = |bytes_max, usual: TierConfig| TierConfig { bytes_max, ..usual };
    let config =
        MemoryConfig { l1: tier(config.l1_size, usual.l1), l2: tier(config.l2_size, usual.l2), ..usual };
    MultiTierMemorySystem::new(EngineStorage(core), NodeCodec, config)
}

/// Why a node could not be read.
pub type NodeReadError = TierError<NodeStorageError>;

/// Reads nodes while another thread allocates: what has been read before comes from memory, without waiting for the engine. Clones
/// share it.
#[derive(Debug)]
pub struct NodeReader<E: Backing> {
    pub(crate) core: Arc<RwLock<E>>,
    pub(crate) tiers: Option<Arc<NodeTiers<E>>>,
}

impl<E: Backing> Clone for NodeReader<E> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), tiers: self.tiers.clone() }
    }
}

impl<E: Backing> NodeReader<E> {
    /// A node as it stands: a read that starts after an allocation returned shows it. Redirects are not followed.
    ///
    /// # Errors
    /// [`TierError`] if a tier holds what is no node.
    pub fn node(&self, id: NodeId) -> Result<Option<Arc<NodeView>>, NodeReadError> {
        match &self.tiers {
            Some(tiers) => tiers.get(id.0),
            None => {
                let core = self.core.read().unwrap_or_else(PoisonError::into_inner);
                Ok(core.engine().node(id).map(Arc::new))
            }
        }
    }

    /// Nodes in the order of their identifiers given; those that memory does not hold are read in one state of the graph.
    ///
    /// # Errors
    /// As [`node`](Self::node).
    pub fn nodes(&self, ids: &[NodeId]) -> Result<Vec<Option<Arc<NodeView>>>, NodeReadError> {
        match &self.tiers {
            Some(tiers) => tiers.get_many(&ids.iter().map(|id| id.0).collect::<Vec<_>>()),
            None => ids.iter().map(|&id| self.node(id)).collect(),
        }
    }

    /// What the tiers have counted; none if there are none.
    #[must_use]
    pub fn statistics(&self) -> Option<MemoryStatistics> {
        self.tiers.as_ref().map(|tiers| tiers.statistics())
    }
}
