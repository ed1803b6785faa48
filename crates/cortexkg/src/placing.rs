//! What comes with its nodes: nothing is decided. Graphs that are there already, facts that were placed elsewhere.

use cortexkg_store::{ChangeSet, Store, Sync};

use crate::durable::DurableEngine;
use crate::fact::Fact;
use crate::graph::{NodeId, NodeIndex};
use crate::journal::Operation;
use crate::load::{KnowledgeGraph, node_facts};
use crate::operation_error::OperationError;
use crate::perceive::Perceived;

impl<S: Store> DurableEngine<S> {
    /// Adds nodes and edges as they are, in one transaction; see [`AllocationEngine::load_graph`](crate::AllocationEngine::load_graph).
    ///
    /// # Errors
    /// [`OperationError::Load`]; then nothing has been added.
    pub fn load_graph(&mut self, graph: &KnowledgeGraph) -> Result<Vec<NodeId>, OperationError> {
        self.check_whole()?;
        let (ids, perceived) = self.engine.check_graph(graph)?;
        let added = self.add_graph(graph, &ids, perceived);
        if added.is_err() {
            self.break_off();
        }
        self.commit(added?, Sync::Durable)?;
        Ok(ids)
    }

    /// Adds a graph that has been checked.
    fn add_graph(
        &mut self,
        graph: &KnowledgeGraph,
        ids: &[NodeId],
        perceived: Vec<Vec<Perceived>>,
    ) -> Result<ChangeSet, OperationError> {
        let mut changes = ChangeSet::default();
        for ((&id, node), perceived) in ids.iter().zip(&graph.nodes).zip(perceived) {
            let at = self.engine.graph.add_node(id);
            for (fact, perceived) in node_facts(id, node).into_iter().zip(perceived) {
                let position = self.engine.position;
                self.engine.place(&perceived, &[at])?;
                self.log_placed(position, self.fact_row(fact, &perceived), vec![id], &mut changes);
            }
        }
        for edge in &graph.edges {
            let (from, to, predicate) = (edge.from, edge.to, edge.predicate.clone());
            let position = self.engine.position;
            let operation = Operation::Tie { from, predicate, to };
            self.carry_out(&operation)?;
            self.log(position, operation, None, &mut changes);
        }
        Ok(changes)
    }

    /// Takes in facts whose nodes are known, as an export has them: one identifier per mention; redirects are followed. Identifiers
    /// must be opened before ([`open_nodes`](Self::open_nodes)). All of them in one transaction; one result per fact, in their order.
    ///
    /// # Errors
    /// [`OperationError::UnknownNode`]: then nothing has been added; [`OperationError::Store`].
    pub fn place_facts(
        &mut self,
        mut facts: Vec<(Fact, Vec<NodeId>)>,
        sync: Sync,
    ) -> Result<Vec<Result<crate::AllocationResult, crate::FactError>>, OperationError> {
        self.check_whole()?;
        for node in facts.iter_mut().flat_map(|(_, nodes)| nodes) {
            // A node that is merged into another has no members of its own.
            *node = self.engine.graph.resolve(*node);
            if self.engine.graph.index_of(*node).is_none() {
                return Err(OperationError::UnknownNode { node: *node });
            }
        }
        let mut changes = ChangeSet::default();
        let mut results = Vec::with_capacity(facts.len());
        for (mut fact, ids) in facts {
            let placed = self.engine.perceive(fact.clone()).and_then(|perceived| {
                let nodes: Vec<_> = ids.iter().filter_map(|&id| self.engine.graph.index_of(id)).collect();
                let (found, expected) = (nodes.len(), perceived.mention_count());
                if found != expected {
                    let record = fact.record_id.clone().unwrap_or_default();
                    return Err(crate::FactError::Nodes { record, found, expected });
                }
                self.engine.check_placed(&perceived, &ids)?;
                let position = self.engine.position;
                self.engine.place(&perceived, &nodes).map(|result| (position, perceived, result))
            });
            results.push(placed.map(|(position, perceived, result)| {
                let suffix = if result.object.is_some() { "#s" } else { "" };
                fact.record_id = result.record_id.strip_suffix(suffix).map(str::to_owned);
                self.log_placed(position, self.fact_row(fact, &perceived), ids, &mut changes);
                result
            }));
        }
        self.commit(changes, sync)?;
        Ok(results)
    }

    fn log_placed(&mut self, position: u64, row: Vec<u8>, nodes: Vec<NodeId>, changes: &mut ChangeSet) {
        changes.put(cortexkg_store::Table::Facts, position, row);
        self.log(position, Operation::Place { nodes }, None, changes);
    }

    /// Gives identifiers to nodes that are to get members by [`place_facts`](Self::place_facts). They must rise and be above all that
    /// are in use.
    ///
    /// # Errors
    /// [`OperationError::Load`] if they do not.
    pub fn open_nodes(&mut self, nodes: Vec<NodeId>) -> Result<u64, OperationError> {
        let mut least = self.engine.graph.next_id();
        for &node in &nodes {
            if node < least || node > NodeId::MAX {
                return Err(crate::LoadError::Id { node, least }.into());
            }
            least = NodeId(node.0 + 1);
        }
        self.perform(Operation::Open { nodes }, None)
    }

    /// Lets an identifier lead to a node, as it did in the graph that both come from. It must have been opened
    /// ([`open_nodes`](Self::open_nodes)) and have no members. Gives the position of the operation, which is a merge.
    ///
    /// # Errors
    /// [`OperationError::UnknownNode`], [`OperationError::SameNode`]; [`OperationError::NotFree`] if `from` has members.
    pub fn redirect(&mut self, from: NodeId, to: NodeId) -> Result<u64, OperationError> {
        let graph = &self.engine.graph;
        let kept = graph.resolve(to);
        for node in [from, kept] {
            graph.index_of(node).ok_or(OperationError::UnknownNode { node })?;
        }
        if graph.resolve(from) == kept {
            return Err(OperationError::SameNode { left: from, right: to });
        }
        if graph.redirects.contains_key(&from) || graph.live_index_of(from).is_some() {
            return Err(OperationError::NotFree { node: from });
        }
        self.perform(Operation::Merge { kept, merged: from, moved: Vec::new() }, None)
    }

    pub(crate) fn repeat_placing(&mut self, nodes: &[NodeId]) -> Result<(), OperationError> {
        let perceived = self.perceived(self.engine.position)?;
        let graph = &mut self.engine.graph;
        let at: Vec<NodeIndex> =
            nodes.iter().map(|&id| graph.index_of(id).unwrap_or_else(|| graph.add_node(id))).collect();
        self.engine.place(&perceived, &at)?;
        Ok(())
    }
}
