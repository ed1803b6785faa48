//! Consolidation: decisions that were taken early, looked at again in the light of all that came after.
//!
//! A decision sees only what came before it. So the first mentions of two namesakes may be put together by what they share, and those
//! of one person apart for want of it; and what has been put together attracts more. A second look compares *mentions*, not
//! nodes:
//!
//! - the members of every node with each other: where they fall into groups that agree within and not between
//!   ([average linkage](linkage)), the node becomes several;
//! - every close call: where the members of both nodes agree on average, the two become one.
//!
//! Each change is an operation of its own in the log, can be undone, and leaves identifiers stable: the largest part keeps the node's,
//! and what is merged leads to what it was merged into.

mod doubts;
mod linkage;
mod plan;
mod sides;
mod stand_ins;
mod stream;

use cortexkg_store::{ChangeSet, Store, Sync};

pub(crate) use doubts::{Doubt, Doubts};
use plan::{Part, Planner};
pub(crate) use stream::Steps;

use crate::durable::DurableEngine;
use crate::engine::AllocationEngine;
use crate::graph::{MentionIndex, NodeId, NodeIndex};
use crate::journal::Operation;
use crate::operation_error::OperationError;
use crate::vectors::Code;

/// What a consolidation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Consolidation {
    /// Nodes whose members were compared with each other.
    pub nodes_compared: usize,
    /// Pairs of nodes that were compared because of a close call.
    pub pairs_compared: usize,
    /// Splits that were carried out.
    pub splits: usize,
    /// Merges that were carried out.
    pub merges: usize,
}

impl<S: Store> DurableEngine<S> {
    /// Looks again at every node and at every close call since the last time, and repairs what does not hold: one transaction, with an
    /// operation in the log for every split and merge. Learned tables are brought up to date first.
    ///
    /// Takes time in proportion to the graph: a second or so for 25,000 mentions.
    ///
    /// ```
    /// use cortexkg::{DurableEngine, EngineConfig, Fact};
    /// use cortexkg_store::{MemoryStore, Sync};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = DurableEngine::open(MemoryStore::default(), EngineConfig::default())?;
    /// graph.allocate_batch(vec![Fact::text("a polar bear"), Fact::text("Kiyoshi Kato")], Sync::Durable)?;
    /// let done = graph.consolidate()?;
    /// assert_eq!((done.splits, done.merges), (0, 0), "nothing to repair");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn consolidate(&mut self) -> Result<Consolidation, OperationError> {
        let nodes = 0..self.engine.graph.ids().len() as NodeIndex;
        self.consolidate_nodes(nodes.collect())
    }

    fn consolidate_nodes(&mut self, nodes: Vec<NodeIndex>) -> Result<Consolidation, OperationError> {
        self.check_whole()?;
        let repaired = self.repair(nodes);
        if repaired.is_err() {
            self.break_off();
        }
        let (changes, done) = repaired?;
        self.note_consolidated();
        self.commit(changes, Sync::Durable)?;
        self.keep_to_budget()?;
        Ok(done)
    }

    /// Carries out what a second look finds; gives what is to be committed.
    fn repair(&mut self, nodes: Vec<NodeIndex>) -> Result<(ChangeSet, Consolidation), OperationError> {
        let mut changes = ChangeSet::default();
        let doubts = self.engine.doubts.take();
        self.carry_out_and_log(Operation::Consolidate, &mut changes)?;
        let store = &self.store;
        let mut failed = None;
        let code_of = |engine: &AllocationEngine, mention| {
            code(store, engine, mention).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                None
            })
        };
        let plan = Planner::new(&mut self.engine, code_of).plan(nodes.into_iter(), &doubts);
        if let Some(error) = failed {
            return Err(error);
        }
        self.sound(())?;
        let mut done = Consolidation {
            nodes_compared: plan.nodes_compared,
            pairs_compared: plan.pairs_compared,
            ..Consolidation::default()
        };
        let mut ids = Vec::with_capacity(plan.parts.len());
        for Part { node, keeps_node, members } in &plan.parts {
            let from = self.engine.graph.id(*node);
            ids.push(from);
            if !keeps_node {
                let moved = members.iter().map(|&mention| self.engine.mention_ref(mention)).collect();
                let new = self.engine.graph.next_id();
                self.carry_out_and_log(Operation::Split { from, new, moved }, &mut changes)?;
                *ids.last_mut().expect("pushed above") = new;
                done.splits += 1;
            }
        }
        for (kept, merged) in plan.merges {
            let [kept, merged] = [ids[kept], ids[merged]].map(|id: NodeId| self.engine.graph.resolve(id));
            let moved = self.engine.graph.index_of(merged).map_or_else(Vec::new, |at| self.members(at));
            self.carry_out_and_log(Operation::Merge { kept, merged, moved }, &mut changes)?;
            done.merges += 1;
        }
        Ok((changes, done))
    }

    fn carry_out_and_log(
        &mut self,
        operation: Operation,
        changes: &mut ChangeSet,
    ) -> Result<(), OperationError> {
        let position = self.engine.position;
        self.carry_out(&operation)?;
        self.log(position, operation, None, changes);
        Ok(())
    }
}

/// The code of a mention's vector, from what its fact said.
fn code<S: Store>(
    store: &S,
    engine: &AllocationEngine,
    mention: MentionIndex,
) -> Result<Option<Code>, OperationError> {
    let of = engine.mention_ref(mention);
    let perceived = crate::reading::perceive_at(store, engine, of.fact)?;
    let at = usize::from(of.role.saturating_sub(1));
    Ok(if at < perceived.mentions.len() { engine.code(&perceived, at) } else { None })
}
