//! What can be set. The defaults serve every kind of data and speak of no particular field.

use std::sync::Arc;

use crate::ablation::Ablation;
use crate::candidates::RecallConfig;
use crate::embed::{Embedder, LexicalEmbedder};
use crate::field_config::FieldConfigs;
use crate::inhibition::InhibitionConfig;
use crate::layers::Layers;
use crate::spike::SpikeConfig;

/// Configuration of an [`AllocationEngine`](crate::AllocationEngine). Part of the state: the same facts under another
/// configuration are another graph.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The spike code.
    pub spikes: SpikeConfig,
    /// Bounds of recall.
    pub recall: RecallConfig,
    /// Where existing, possible and new part.
    pub inhibition: InhibitionConfig,
    /// Bits that a match must overcome besides `log2` of the number of nodes for the tables to learn from it; decisions ask for two
    /// bits less. 3 says that one mention in three is expected to have its node in the graph already (and that one in nine is to
    /// teach); higher makes merges rarer.
    pub prior_bits: i32,
    /// What the user says of particular fields; what the values say is found. Empty, it gives way, where a durable graph is opened,
    /// to what the graph was made with.
    pub fields: FieldConfigs,
    /// The layers that a new graph begins with; a durable one keeps its own. Unlike the rest they can be changed while the graph
    /// lives ([`AllocationEngine::set_layers`](crate::AllocationEngine::set_layers)).
    pub layers: Layers,
    /// The part that is left out, to measure what it is worth; none in earnest.
    pub ablation: Option<Ablation>,
    /// Embeds facts that bring no vector. The built-in one gives way to the first embedding that a fact brings, and, where a
    /// durable graph is opened, to the model that the graph was made with.
    pub embedder: Arc<dyn Embedder>,
    /// Ballots kept for [`explain`](crate::AllocationEngine::explain): those of the last so many mentions. One takes a
    /// kilobyte or so.
    pub ballots_kept: usize,
}

impl EngineConfig {
    /// All that has a say in decisions, as text: graphs under equal texts can be continued by each other's engines.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{} {}", self.rules(), self.embedder.identity())
    }

    /// That, without the embedder.
    pub(crate) fn rules(&self) -> String {
        let left_out = self.ablation.map_or_else(String::new, |ablation| format!(" without {ablation:?}"));
        let rules = format!(
            "{:?} {:?} {:?} {}{left_out}",
            self.spikes, self.recall, self.inhibition, self.prior_bits
        );
        // In front, where nobody can take it for a part of the embedder's name.
        if self.fields.is_empty() { rules } else { format!("[{}] {rules}", self.fields.text()) }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            spikes: SpikeConfig::default(),
            recall: RecallConfig::default(),
            inhibition: InhibitionConfig::default(),
            prior_bits: 3,
            fields: FieldConfigs::default(),
            layers: Layers::default(),
            ablation: None,
            embedder: Arc::new(LexicalEmbedder::default()),
            ballots_kept: 1 << 16,
        }
    }
}
