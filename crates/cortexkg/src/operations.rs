//! Operations that change what was decided: merge, unmerge, split, forget, undo. Each is one entry of the log and one transaction.
//!
//! An operation is first planned, which checks everything and changes nothing; then carried out, which cannot fail but for the
//! store; then logged. Repeating the log carries out what was planned then.

use cortexkg_store::{ChangeSet, Store, Sync};

use crate::durable::DurableEngine;
use crate::feedback::Note;
use crate::graph::{MentionIndex, NOWHERE, NodeId, NodeIndex, POSSIBLY_SAME, Tie};
use crate::journal::{LogEntry, MentionRef, Operation, PlacedFact};
use crate::membership::{Moves, Seen};
use crate::operation_error::OperationError;

/// Facts whose contents are held at once while many are forgotten or brought back.
const FACTS_AT_ONCE: usize = 512;

/// What is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget<'a> {
    /// One fact, by its source and its identifier.
    Fact {
        /// The source; none for facts that named none.
        source: Option<&'a str>,
        /// The identifier of the record.
        record_id: &'a str,
    },
    /// All facts that have a mention in a node.
    Node(NodeId),
    /// All facts of a source.
    Source(&'a str),
}

impl<S: Store> DurableEngine<S> {
    /// Makes two nodes one: the members of `right` join `left`, and `right` leads to `left` for ever. Redirects are followed. Gives
    /// the position of the operation in the log.
    ///
    /// # Errors
    /// [`OperationError`]: no such node, or both are one already.
    pub fn merge(&mut self, left: NodeId, right: NodeId) -> Result<u64, OperationError> {
        let [kept, merged] = [self.live(left)?, self.live(right)?];
        if kept == merged {
            return Err(OperationError::SameNode { left, right });
        }
        let [kept_at, merged_at] = [kept, merged].map(|id| self.engine.graph.index_of(id));
        let moved = merged_at.map_or_else(Vec::new, |node| self.members(node));
        debug_assert!(kept_at.is_some(), "a live node has a place");
        self.perform_by_hand(Operation::Merge { kept, merged, moved })
    }

    /// Takes a merge back: `node` is one that was merged into another, or the other; then the newest merge into it is taken back. The
    /// members that came with the merge go back; those that came later stay. Gives the position of the operation.
    ///
    /// # Errors
    /// [`OperationError::NotMerged`], [`OperationError::UnknownNode`].
    pub fn unmerge(&mut self, node: NodeId) -> Result<u64, OperationError> {
        let ledger = &self.ledger;
        let merge = match ledger.merged_by.get(&node) {
            Some(&position) => position,
            None => {
                let live = self.live(node)?;
                let redirects = &self.engine.graph.redirects;
                let into = ledger.merged_by.iter().filter(|(merged, _)| redirects.get(merged) == Some(&live));
                into.map(|(_, &position)| position).max().ok_or(OperationError::NotMerged { node })?
            }
        };
        self.take_back(merge, true)
    }

    /// Gives some members of a node a node of their own. Members are named as in
    /// [`MemberView`](crate::MemberView): the record's identifier, for the ends of triples with `#s` or `#o`. Gives the position
    /// of the operation and the new node.
    ///
    /// # Errors
    /// [`OperationError::NotAMember`], [`OperationError::EmptySplit`], [`OperationError::UnknownNode`].
    pub fn split(&mut self, node: NodeId, records: &[&str]) -> Result<(u64, NodeId), OperationError> {
        let from = self.live(node)?;
        let at = self.engine.graph.index_of(from).ok_or(OperationError::UnknownNode { node })?;
        let members = self.engine.graph.node(at).members;
        let mut moved = Vec::with_capacity(records.len());
        for &record in records {
            let named = members.iter().filter(|&mention| self.engine.mention_id(mention) == record);
            let before = moved.len();
            moved.extend(named.map(|mention| self.engine.mention_ref(mention)));
            if moved.len() == before {
                return Err(OperationError::NotAMember { record: record.to_owned(), node: from });
            }
        }
        moved.sort_unstable();
        moved.dedup();
        if moved.is_empty() || moved.len() == members.len() {
            return Err(OperationError::EmptySplit { node: from });
        }
        let new = self.engine.graph.next_id();
        Ok((self.perform_by_hand(Operation::Split { from, new, moved })?, new))
    }

    /// Forgets facts: their mentions leave their nodes, and everything that was counted or listed because of them goes, too. Can be
    /// undone until [`compact`](Self::compact). Gives the position of the operation and the number of facts.
    ///
    /// # Errors
    /// [`OperationError`]: no such fact, node or source.
    pub fn forget(&mut self, what: &Forget<'_>) -> Result<(u64, usize), OperationError> {
        let graph = &self.engine.graph;
        let mut facts: Vec<u32> = match *what {
            Forget::Fact { source, record_id } => {
                let known = self.engine.fact_named(source.unwrap_or_default(), record_id);
                vec![known.ok_or_else(|| self.missing(source, record_id))?]
            }
            Forget::Node(node) => {
                let live = self.live(node)?;
                let at = graph.index_of(live).ok_or(OperationError::UnknownNode { node })?;
                let members = graph.node(at).members.iter();
                members.map(|mention| graph.mentions[mention as usize].fact).collect()
            }
            Forget::Source(name) => {
                let unknown = || OperationError::UnknownSource { source_name: name.to_owned() };
                let source = graph.sources.get_index_of(name).ok_or_else(unknown)? as u32;
                let mut facts = Vec::new();
                graph.scan_facts(|fact, entry| {
                    if entry.source == source && !entry.is_forgotten {
                        facts.push(fact);
                    }
                });
                if facts.is_empty() {
                    return Err(OperationError::ForgottenSource { source_name: name.to_owned() });
                }
                facts
            }
        };
        facts.dedup();
        let placed: Vec<_> = facts.iter().map(|&fact| self.placed(fact)).collect();
        Ok((self.perform(Operation::Forget { facts: placed }, None)?, facts.len()))
    }

    /// Takes an operation of the log back, by an operation that is its inverse. Gives the position of that one.
    ///
    /// # Errors
    /// [`OperationError`]: it does not stand any more, is compacted away, has no inverse, or something is in the way.
    pub fn undo(&mut self, position: u64) -> Result<u64, OperationError> {
        self.take_back(position, false)
    }

    /// Takes an operation back. Whoever unmerges says more than that the merge was wrong: that the two cannot be one.
    fn take_back(&mut self, position: u64, is_unmerge: bool) -> Result<u64, OperationError> {
        let end = self.engine.position;
        if position >= end {
            return Err(OperationError::UnknownPosition { position, end });
        }
        if let Some(by) = self.ledger.undone_by(position) {
            return Err(OperationError::AlreadyUndone { position, by: Some(by) });
        }
        let entry = self.entry(position)?.ok_or(OperationError::Compacted { position })?;
        if let Operation::Link { .. } | Operation::Unlink { .. } = entry.operation {
            return self.undo_link(position, &entry);
        }
        let mut notes: Vec<Note> = entry.notes.iter().map(|note| note.turned()).collect();
        let inverse = self.inverse(position, entry.operation)?;
        // What nobody has asked for says something once somebody takes it back.
        if is_unmerge || notes.is_empty() {
            notes.extend(self.note_by_hand(&inverse));
            self.give_way(&inverse, &mut notes)?;
        }
        self.perform_noted(inverse, Some(position), notes)
    }

    pub(crate) fn inverse(&self, position: u64, operation: Operation) -> Result<Operation, OperationError> {
        let graph = &self.engine.graph;
        let in_the_way = |why: String| Err(OperationError::InTheWay { position, why });
        let no_inverse = |what| Err(OperationError::NoInverse { position, what });
        let stays = |node: NodeId| !graph.redirects.contains_key(&node);
        // Where members would go back to; a node that was compacted away has no place any more.
        let target = |node: NodeId| {
            let live = graph.resolve(node);
            graph.index_of(live).map(|_| live).ok_or(OperationError::ForgottenNode { node })
        };
        match operation {
            Operation::Allocate { .. } | Operation::Place { .. } => {
                let fact = graph.fact_at(position).ok_or(OperationError::Compacted { position })?;
                if graph.fact(fact).is_forgotten {
                    return Err(OperationError::AlreadyUndone { position, by: None });
                }
                Ok(Operation::Forget { facts: vec![self.placed(fact)] })
            }
            // Its undo was undone, and that merge was taken back: there is nothing left of either.
            Operation::Merge { kept, merged, .. } if graph.redirects.get(&merged) != Some(&kept) => {
                Err(OperationError::AlreadyUndone { position, by: None })
            }
            Operation::Merge { kept, merged, moved } => {
                // Its members may have moved on with the node that it joined; those that left it since stay where they are.
                let here = graph.index_of(graph.resolve(merged));
                let moved = moved.into_iter().filter(|&of| self.node_of(of) == here && here.is_some());
                Ok(Operation::Unmerge { kept, merged, moved: moved.collect() })
            }
            Operation::Unmerge { kept, merged, .. } => match graph.index_of(merged) {
                _ if !stays(merged) => {
                    in_the_way(format!("{merged} is merged into another node; unmerge it first"))
                }
                Some(at) if graph.resolve(kept) != merged => {
                    Ok(Operation::Merge { kept: target(kept)?, merged, moved: self.members(at) })
                }
                _ => in_the_way(format!("{kept} leads to {merged} now; unmerge it first")),
            },
            Operation::Split { from, new, .. } => match graph.index_of(new) {
                _ if !stays(new) => {
                    in_the_way(format!("{new} is merged into another node; unmerge it first"))
                }
                Some(at) if graph.resolve(from) != new => {
                    Ok(Operation::Merge { kept: target(from)?, merged: new, moved: self.members(at) })
                }
                _ => in_the_way(format!("{from} leads to {new} now; unmerge it first")),
            },
            Operation::Forget { facts } => self.restoring(position, facts),
            Operation::Restore { facts } => {
                let facts = facts.iter().filter_map(|placed| graph.fact_at(placed.fact));
                let still = facts.filter(|&fact| !graph.fact(fact).is_forgotten);
                let facts: Vec<_> = still.map(|fact| self.placed(fact)).collect();
                match facts[..] {
                    [] => Err(OperationError::AlreadyUndone { position, by: None }),
                    _ => Ok(Operation::Forget { facts }),
                }
            }
            Operation::Tie { from, predicate, to } => Ok(Operation::Untie { from, predicate, to }),
            Operation::Untie { from, predicate, to } => Ok(Operation::Tie { from, predicate, to }),
            Operation::Open { .. } => no_inverse("it only gave identifiers"),
            Operation::Compact => no_inverse("it compacted the graph"),
            Operation::Link { .. } | Operation::Unlink { .. } => no_inverse("it speaks of a link"),
            Operation::Configure { before, after, .. } if *self.engine.layers() == after => {
                let reason = format!("operation {position} was taken back");
                Ok(Operation::Configure { before: after, after: before, reason })
            }
            Operation::Configure { .. } => {
                in_the_way("the layers were changed again since; undo that first".to_owned())
            }
            Operation::Pin { node, is_pinned } => Ok(Operation::Pin { node, is_pinned: !is_pinned }),
            Operation::Consolidate => {
                no_inverse("it only looked again; undo the splits and merges behind it")
            }
        }
    }

    /// What brings forgotten facts back, each mention to the node it was in or to what that was merged into.
    fn restoring(&self, position: u64, facts: Vec<PlacedFact>) -> Result<Operation, OperationError> {
        let graph = &self.engine.graph;
        let mut back = Vec::with_capacity(facts.len());
        for placed in facts {
            let fact = graph.fact_at(placed.fact).ok_or(OperationError::Compacted { position })?;
            let entry = graph.fact(fact);
            if !entry.is_forgotten {
                continue;
            }
            let source = &graph.sources[entry.source as usize];
            if self.engine.fact_named(source, &entry.record_id).is_some() {
                let why = format!("another fact is named {} now; forget it first", entry.record_id);
                return Err(OperationError::InTheWay { position, why });
            }
            let nodes = placed.nodes.iter().map(|&node| graph.resolve(node)).collect();
            back.push(PlacedFact { fact: placed.fact, nodes });
        }
        match back[..] {
            [] => Err(OperationError::AlreadyUndone { position, by: None }),
            _ => Ok(Operation::Restore { facts: back }),
        }
    }

    /// Carries an operation out and commits it.
    pub(crate) fn perform(
        &mut self,
        operation: Operation,
        undoes: Option<u64>,
    ) -> Result<u64, OperationError> {
        self.perform_noted(operation, undoes, Vec::new())
    }

    /// The same for what a user does by hand, which is feedback.
    fn perform_by_hand(&mut self, operation: Operation) -> Result<u64, OperationError> {
        let mut notes: Vec<Note> = self.note_by_hand(&operation).into_iter().collect();
        self.give_way(&operation, &mut notes)?;
        self.perform_noted(operation, None, notes)
    }

    /// Takes back what earlier merges and splits by hand said against an operation by hand: whoever does the opposite now has changed
    /// their mind. What was said in words stands, and refuses it.
    fn give_way(&self, operation: &Operation, notes: &mut Vec<Note>) -> Result<(), OperationError> {
        for _ in 0..self.engine.links.len() {
            let Err(OperationError::Contradiction { operation: origin, .. }) =
                self.check_links(operation, notes)
            else {
                break;
            };
            let was_said =
                matches!(self.entry(origin)?, Some(LogEntry { operation: Operation::Link { .. }, .. }));
            match self.engine.links.get(origin).filter(|_| !was_said) {
                Some(link) => notes.push(Note { origin, link, stands: false }),
                None => break,
            }
        }
        Ok(())
    }

    /// The same for an operation that says something of links.
    fn perform_noted(
        &mut self,
        operation: Operation,
        undoes: Option<u64>,
        notes: Vec<Note>,
    ) -> Result<u64, OperationError> {
        self.check_whole()?;
        self.check_links(&operation, &notes)?;
        let position = self.engine.position;
        if let Err(error) = self.carry_out_noted(&operation, &notes) {
            self.break_off();
            return Err(error);
        }
        let mut changes = ChangeSet::default();
        self.log_noted(position, operation, undoes, notes, &mut changes);
        self.commit(changes, Sync::Durable)?;
        Ok(position)
    }

    /// Changes the graph as an operation says; what it says has been checked, now or before it was logged.
    pub(crate) fn carry_out(&mut self, operation: &Operation) -> Result<(), OperationError> {
        self.carry_out_noted(operation, &[])
    }

    /// The same, with what it says of links.
    pub(crate) fn carry_out_noted(
        &mut self,
        operation: &Operation,
        notes: &[Note],
    ) -> Result<(), OperationError> {
        match operation {
            Operation::Allocate { .. } => unreachable!("allocations are repeated, not carried out"),
            Operation::Place { nodes } => return self.repeat_placing(nodes),
            Operation::Open { nodes } => {
                for &id in nodes {
                    self.engine.graph.add_node(id);
                }
            }
            Operation::Tie { from, predicate, to } => {
                let graph = &mut self.engine.graph;
                if let [Some(from), Some(to)] = [*from, *to].map(|id| graph.index_of(id)) {
                    let predicate = graph.predicate(predicate);
                    graph.tie(Tie::Loaded { from, to }, predicate);
                }
            }
            Operation::Untie { from, predicate, to } => {
                let graph = &mut self.engine.graph;
                if let [Some(from), Some(to)] = [*from, *to].map(|id| graph.index_of(id)) {
                    let predicate = graph.predicate(predicate);
                    graph.untie_loaded(from, to, predicate);
                }
            }
            Operation::Merge { kept, merged, moved } => {
                let moves = self.moves(moved, *kept);
                // What is tied to a node leads on with it, also where it has no member to move.
                let graph = &self.engine.graph;
                let ends = [*merged, *kept].map(|id| graph.index_of(id));
                let is_tied = ends[0].is_some_and(|merged| !graph.node(merged).edges.is_empty());
                let touched: Vec<NodeIndex> = ends.into_iter().flatten().filter(|_| is_tied).collect();
                let seen = self.seen(&moves, &touched, &[])?;
                self.engine.regroup(&moves, &touched, &seen, |redirects| {
                    redirects.insert(*merged, *kept);
                });
            }
            Operation::Unmerge { merged, moved, .. } => {
                let moves = self.moves(moved, *merged);
                // Also where no member moves: what is tied to the merged node leads back to it.
                let graph = &self.engine.graph;
                let ends = [graph.resolve(*merged), *merged].map(|id| graph.index_of(id));
                let touched: Vec<NodeIndex> = ends.into_iter().flatten().collect();
                let seen = self.seen(&moves, &touched, &[])?;
                self.engine.regroup(&moves, &touched, &seen, |redirects| {
                    redirects.remove(merged);
                });
            }
            Operation::Split { new, moved, .. } => {
                self.engine.graph.add_node(*new);
                let moves = self.moves(moved, *new);
                let seen = self.seen(&moves, &[], &[])?;
                self.engine.regroup(&moves, &[], &seen, |_| {});
            }
            Operation::Forget { facts } => self.carry_out_forget(facts)?,
            Operation::Restore { facts } => self.carry_out_restore(facts)?,
            // What it did stands in the base that the log starts from now.
            Operation::Compact => {}
            Operation::Consolidate => {
                self.engine.doubts.take();
                self.engine.refresh();
            }
            // Notes say it.
            Operation::Link { .. } | Operation::Unlink { .. } => {}
            Operation::Configure { after, .. } => self.engine.apply_layers(*after),
            Operation::Pin { node, is_pinned } => self.engine.apply_pin(*node, *is_pinned),
        }
        self.engine.find_pins();
        self.engine.note_links(notes);
        self.engine.refresh_for_link(operation);
        self.engine.chain_operation(operation, notes);
        Ok(())
    }

    fn carry_out_forget(&mut self, facts: &[PlacedFact]) -> Result<(), OperationError> {
        for part in facts.chunks(FACTS_AT_ONCE) {
            let facts: Vec<u32> =
                part.iter().filter_map(|placed| self.engine.graph.fact_at(placed.fact)).collect();
            let mentions = facts.iter().flat_map(|&fact| self.engine.graph.mentions_of(fact));
            let moves: Vec<_> = mentions.map(|mention| (mention, NOWHERE)).collect();
            let seen = self.seen(&moves, &[], &facts)?;
            self.engine.take_out(&facts, &seen);
        }
        Ok(())
    }

    fn carry_out_restore(&mut self, facts: &[PlacedFact]) -> Result<(), OperationError> {
        for part in facts.chunks(FACTS_AT_ONCE) {
            let (mut known, mut moves) = (Vec::new(), Vec::new());
            for placed in part {
                let Some(fact) = self.engine.graph.fact_at(placed.fact) else { continue };
                known.push(fact);
                let nodes = placed.nodes.iter().map(|&id| self.engine.graph.index_of(id).unwrap_or(NOWHERE));
                moves.extend(self.engine.graph.mentions_of(fact).zip(nodes));
            }
            let seen = self.seen(&moves, &[], &known)?;
            self.engine.bring_back(&known, &moves, &seen);
            for placed in part {
                self.tie_again(placed.fact)?;
            }
        }
        Ok(())
    }

    /// Brings back the edges that a fact, which is back, had brought.
    pub(crate) fn tie_again(&mut self, position: u64) -> Result<(), OperationError> {
        let Some(fact) = self.engine.graph.fact_at(position) else { return Ok(()) };
        let entry = self.entry(position)?;
        let stated = self.perceived(position)?.predicate;
        let graph = &mut self.engine.graph;
        let first = graph.first_mention(fact);
        if let Some(Operation::Allocate { mentions }) = entry.map(|entry| entry.operation) {
            for (mention, decided) in (first..).zip(mentions) {
                let leader = decided.ballot.leader().and_then(|leader| graph.index_of(leader));
                if let (crate::Decision::Possible, Some(leader)) = (decided.ballot.decision, leader) {
                    let predicate = graph.predicate(POSSIBLY_SAME);
                    graph.tie(Tie::Possible { mention, leader }, predicate);
                }
            }
        }
        if let Some(predicate) = stated {
            let predicate = graph.predicate(&predicate);
            graph.tie(Tie::Stated { fact }, predicate);
        }
        Ok(())
    }

    /// The contents that a change of membership needs: those of the members of all nodes that it touches, and of some facts.
    fn seen(&self, moves: &Moves, nodes: &[NodeIndex], also: &[u32]) -> Result<Seen, OperationError> {
        let mut seen = Seen::default();
        for fact in self.engine.facts_touched(moves, nodes).into_iter().chain(also.iter().copied()) {
            if !seen.has(fact) {
                let position = self.engine.graph.position_of(fact);
                seen.insert(fact, self.perceived(position)?);
            }
        }
        Ok(seen)
    }

    fn moves(&self, moved: &[MentionRef], to: NodeId) -> Vec<(MentionIndex, NodeIndex)> {
        let to = self.engine.graph.index_of(to).unwrap_or(NOWHERE);
        moved.iter().filter_map(|&of| Some((self.engine.mention_at(of)?, to))).collect()
    }

    fn node_of(&self, of: MentionRef) -> Option<NodeIndex> {
        let node = self.engine.graph.mentions[self.engine.mention_at(of)? as usize].node;
        (node != NOWHERE).then_some(node)
    }

    pub(crate) fn members(&self, node: NodeIndex) -> Vec<MentionRef> {
        let members = self.engine.graph.node(node).members.iter();
        members.map(|mention| self.engine.mention_ref(mention)).collect()
    }

    pub(crate) fn placed(&self, fact: u32) -> PlacedFact {
        PlacedFact { fact: self.engine.graph.position_of(fact), nodes: self.nodes_of(fact) }
    }

    /// The node under which an identifier is known now.
    pub(crate) fn live(&self, node: NodeId) -> Result<NodeId, OperationError> {
        let graph = &self.engine.graph;
        let id = graph.resolve(node);
        match graph.index_of(id) {
            Some(at) if !graph.node(at).is_empty() => Ok(id),
            Some(_) => Err(OperationError::ForgottenNode { node }),
            None if id < graph.next_id() => Err(OperationError::ForgottenNode { node }),
            None => Err(OperationError::UnknownNode { node }),
        }
    }
}
