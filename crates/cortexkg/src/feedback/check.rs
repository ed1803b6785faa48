//! What links allow.

use std::cell::RefCell;

use cortexkg_store::Store;
use rustc_hash::FxHashMap;

use super::{Link, LinkKind, Note};
use crate::ballot::{Ballot, Competitor};
use crate::candidates::{Candidate, Candidates, Origins};
use crate::decision::Decision;
use crate::durable::DurableEngine;
use crate::engine::{AllocationEngine, fact_hash};
use crate::error::FactError;
use crate::evidence::Bits;
use crate::graph::{NodeId, NodeIndex};
use crate::journal::{MentionRef, Operation};
use crate::operation_error::OperationError;
use crate::perceive::Perceived;

/// Where members go in an operation, and which facts bear the names of others after it.
#[derive(Default)]
struct After {
    goes: FxHashMap<MentionRef, NodeId>,
    takes_over: FxHashMap<u64, u64>,
}

impl<S: Store> DurableEngine<S> {
    /// Refuses an operation after which a link would be broken that is not broken before it.
    pub(crate) fn check_links(&self, operation: &Operation, notes: &[Note]) -> Result<(), OperationError> {
        let links = &self.engine.links;
        if links.is_empty() && !notes.iter().any(|note| note.stands) {
            return Ok(());
        }
        let after = self.after(operation);
        let node_after = |of: MentionRef| {
            let of = MentionRef { fact: after.takes_over.get(&of.fact).copied().unwrap_or(of.fact), ..of };
            after.goes.get(&of).copied().or_else(|| self.node_id_of(of))
        };
        let noted = |origin: u64| notes.iter().any(|note| note.origin == origin);
        let stay =
            links.iter().filter(|&(origin, _)| !noted(origin)).map(|(origin, link)| (origin, link, true));
        let come = notes.iter().filter(|note| note.stands);
        let come = come.map(|note| (note.origin, self.engine.known_by_name(note.link), false));
        for (origin, link, stood) in stay.chain(come) {
            let is_broken = |left: Option<NodeId>, right: Option<NodeId>| {
                left.zip(right).is_some_and(|(left, right)| link.is_broken(&left, &right))
            };
            if is_broken(node_after(link.left), node_after(link.right))
                && !(stood && is_broken(self.node_id_of(link.left), self.node_id_of(link.right)))
            {
                return Err(self.contradiction(origin, link));
            }
        }
        Ok(())
    }

    fn after(&self, operation: &Operation) -> After {
        let mut after = After::default();
        match operation {
            Operation::Merge { kept: to, moved, .. }
            | Operation::Unmerge { merged: to, moved, .. }
            | Operation::Split { new: to, moved, .. } => {
                after.goes.extend(moved.iter().map(|&of| (of, *to)));
            }
            Operation::Restore { facts } => {
                for placed in facts {
                    let Some(fact) = self.engine.graph.fact_at(placed.fact) else { continue };
                    let mentions = self.engine.graph.mentions_of(fact);
                    let mentions = mentions.map(|mention| self.engine.mention_ref(mention));
                    after.goes.extend(mentions.zip(placed.nodes.iter().copied()));
                    let before = self.engine.namesakes(fact).into_iter();
                    after.takes_over.extend(before.map(|before| (before, placed.fact)));
                }
            }
            _ => {}
        }
        after
    }

    pub(super) fn node_id_of(&self, of: MentionRef) -> Option<NodeId> {
        let mention = self.engine.placed_mention(of)?;
        Some(self.engine.graph.id(self.engine.graph.mentions[mention as usize].node))
    }

    pub(super) fn contradiction(&self, operation: u64, link: Link) -> OperationError {
        let [left, right] = [link.left, link.right].map(|of| self.name_of(of).unwrap_or_default());
        OperationError::Contradiction { left, right, kind: link.kind, operation }
    }

    /// The record that a mention is called by; none if it was compacted away.
    pub(super) fn name_of(&self, of: MentionRef) -> Option<String> {
        self.engine.mention_at(of).map(|mention| self.engine.mention_id(mention))
    }

    /// What a change of membership by a user's hand says of the oldest members of both sides.
    pub(crate) fn note_by_hand(&self, operation: &Operation) -> Option<Note> {
        let (kind, node, moved) = match operation {
            Operation::Merge { kept, moved, .. } => (LinkKind::Must, *kept, moved),
            Operation::Unmerge { merged, moved, .. } => {
                (LinkKind::Cannot, self.engine.graph.resolve(*merged), moved)
            }
            Operation::Split { from, moved, .. } => (LinkKind::Cannot, *from, moved),
            _ => return None,
        };
        let members = self.engine.graph.index_of(node).map_or_else(Vec::new, |at| self.members(at));
        let right = *moved.iter().min()?;
        let left = members.into_iter().find(|of| !moved.contains(of))?;
        Some(Note { origin: self.engine.position, link: Link { kind, left, right }, stands: true })
    }
}

impl AllocationEngine {
    /// Lets the links of a record speak of the fact that bears its name from now on.
    pub(crate) fn take_links_over(&mut self, fact: u32) {
        if !self.links.is_empty() {
            let to = self.graph.position_of(fact);
            for from in self.namesakes(fact) {
                self.links.hand_on(from, to);
            }
        }
    }

    /// Refuses a fact that comes with its nodes where these would break a link of its record, which comes back with it.
    pub(crate) fn check_placed(&self, perceived: &Perceived, nodes: &[NodeId]) -> Result<(), FactError> {
        let Some(record) = &perceived.record_id else { return Ok(()) };
        let source = perceived.source.as_deref().unwrap_or_default();
        if self.links.is_empty() || self.fact_named(source, record).is_some() {
            return Ok(());
        }
        let bearers = self.bearers(source, record);
        let first_role = if nodes.len() == 1 { 0 } else { 1 };
        let node_of = |of: MentionRef| {
            if bearers.contains(&of.fact) {
                return nodes.get(usize::from(of.role).checked_sub(first_role)?).copied();
            }
            Some(self.graph.id(self.graph.mentions[self.placed_mention(of)? as usize].node))
        };
        for (operation, link) in bearers.iter().flat_map(|&bearer| self.links.of_fact(bearer)) {
            if node_of(link.left).zip(node_of(link.right)).is_some_and(|(a, b)| link.is_broken(&a, &b)) {
                let other = if bearers.contains(&link.left.fact) { link.right } else { link.left };
                let other = self.mention_at(other).map_or_else(String::new, |at| self.mention_id(at));
                return Err(FactError::Linked { record: record.clone(), kind: link.kind, other, operation });
            }
        }
        Ok(())
    }

    /// Positions of the other facts that have had the name of a fact.
    fn namesakes(&self, fact: u32) -> Vec<u64> {
        let entry = self.graph.fact(fact);
        let mut others = self.bearers(&self.graph.sources[entry.source as usize], &entry.record_id);
        others.retain(|&other| other != self.graph.position_of(fact));
        others
    }

    /// Positions of the facts that have, or have had, a name.
    fn bearers(&self, source: &str, record: &str) -> Vec<u64> {
        let found = RefCell::new(Vec::new());
        self.fact_ids.find(fact_hash(source, record), |fact| {
            let known = self.graph.fact(fact);
            if (&*self.graph.sources[known.source as usize], &*known.record_id) == (source, record) {
                found.borrow_mut().push(self.graph.position_of(fact));
            }
            false
        });
        found.into_inner()
    }

    /// A link of the log, said of the facts that bear the names of its mentions now.
    pub(super) fn known_by_name(&self, link: Link) -> Link {
        let current = |of: MentionRef| {
            let Some(fact) = self.graph.fact_at(of.fact).filter(|_| self.placed_mention(of).is_none()) else {
                return of;
            };
            let entry = self.graph.fact(fact);
            let source = &self.graph.sources[entry.source as usize];
            let bearer = self.fact_named(source, &entry.record_id);
            MentionRef { fact: bearer.map_or(of.fact, |fact| self.graph.position_of(fact)), ..of }
        };
        Link { left: current(link.left), right: current(link.right), ..link }
    }

    /// Does what an entry of the log says of links. Those of facts that were compacted away are gone with them.
    pub(crate) fn note_links(&mut self, notes: &[Note]) {
        for note in notes {
            let mut note = Note { link: self.known_by_name(note.link), ..*note };
            let ends = [note.link.left, note.link.right];
            note.stands &= ends.iter().all(|end| self.graph.fact_at(end.fact).is_some());
            self.links.apply(&note);
        }
    }

    /// Lets candidates compete for a mention of a fact that has begun, within what links allow.
    pub(crate) fn weigh_linked(
        &mut self,
        perceived: &Perceived,
        mention: usize,
        fact: u32,
        mut candidates: Candidates,
    ) -> Ballot {
        let role = if perceived.mentions.len() == 1 { 0 } else { mention as u8 + 1 };
        let of = MentionRef { fact: self.graph.position_of(fact), role };
        let nodes = |engine: &Self, kind| -> Vec<NodeIndex> {
            let others = engine.links.others(of, kind);
            let others = others.filter_map(|(_, other)| engine.placed_mention(other));
            others.map(|other| engine.graph.mentions[other as usize].node).collect()
        };
        let [must, cannot] = [LinkKind::Must, LinkKind::Cannot].map(|kind| nodes(self, kind));
        let is_open = |node: &NodeIndex| !cannot.contains(node);
        let bound = must.into_iter().find(|node| is_open(node)).map(|node| self.graph.id(node));
        candidates.candidates.retain(|one| self.graph.index_of(one.node).as_ref().is_none_or(is_open));
        if let Some(node) = bound {
            let found = candidates.candidates.iter().find(|one| one.node == node).copied();
            let known = Candidate { node, origins: Origins::default(), spike_score: 0 };
            candidates.candidates = vec![found.unwrap_or(known)];
        }
        let mut ballot = self.weigh(&candidates);
        if let Some(node) = bound {
            if ballot.competitors.is_empty() {
                let prior = self.prior();
                let votes = Vec::new();
                let origins = Origins::default();
                let evidence = prior;
                let probability = 1.0;
                ballot.competitors = vec![Competitor { node, origins, prior, evidence, probability, votes }];
            }
            ballot.competitors[0].probability = 1.0;
            ballot.decision = Decision::Existing;
            ballot.new_probability = 0.0;
            ballot.margin = ballot.margin.max(Bits::ZERO);
        }
        ballot
    }
}
