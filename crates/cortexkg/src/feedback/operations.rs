//! `must-link` and `cannot-link` as operations.

use cortexkg_store::{ChangeSet, Store, Sync};

use super::{Link, LinkKind, LinkView, Linked, MentionName, Note};
use crate::durable::DurableEngine;
use crate::graph::{MentionIndex, NodeIndex};
use crate::journal::{LogEntry, MentionRef, Operation};
use crate::operation_error::OperationError;

impl<S: Store> DurableEngine<S> {
    /// Says that two mentions mean the same thing. Where they are in two nodes these become one, as by
    /// [`merge`](Self::merge); from then on nothing parts them, until [`undo`](Self::undo) takes the link back, and with it that
    /// merge. The weights learn from it.
    ///
    /// ```
    /// use cortexkg::{DurableEngine, EngineConfig, Fact, OperationError};
    /// use cortexkg_store::{MemoryStore, Sync};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = DurableEngine::open(MemoryStore::default(), EngineConfig::default())?;
    /// let facts = vec![Fact::text("Ada Byron").with_id("a"), Fact::text("Countess of Lovelace").with_id("b")];
    /// graph.allocate_batch(facts, Sync::Durable)?;
    ///
    /// let linked = graph.must_link("a", "b")?;
    /// assert_eq!(graph.engine().node_count(), 1);
    /// let refused = graph.cannot_link("a", "b");
    /// assert!(matches!(refused, Err(OperationError::Contradiction { operation, .. }) if operation == linked.position));
    /// graph.undo(linked.position)?;
    /// assert_eq!(graph.engine().node_count(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperationError::Contradiction`] if a link stands in the way; [`OperationError::AlreadyLinked`],
    /// [`OperationError::SameMention`], [`OperationError::UnknownFact`], [`OperationError::ForgottenFact`].
    pub fn must_link<'a>(
        &mut self,
        left: impl Into<MentionName<'a>>,
        right: impl Into<MentionName<'a>>,
    ) -> Result<Linked, OperationError> {
        self.link(LinkKind::Must, left.into(), right.into())
    }

    /// Says that two mentions do not mean the same thing. Where they are in one node it becomes two: every member goes with the one
    /// that it agrees with more on average, those that must stay together together; the larger part keeps the identifier. From then
    /// on nothing puts them into one node, until [`undo`](Self::undo) takes the link back, and with it that split. The weights learn
    /// from it.
    ///
    /// # Errors
    /// As [`must_link`](Self::must_link).
    pub fn cannot_link<'a>(
        &mut self,
        left: impl Into<MentionName<'a>>,
        right: impl Into<MentionName<'a>>,
    ) -> Result<Linked, OperationError> {
        self.link(LinkKind::Cannot, left.into(), right.into())
    }

    /// All links that stand, those among them that what users did by hand says; oldest first.
    pub fn links(&self) -> Vec<LinkView> {
        let view = |(position, Link { kind, left, right }): (u64, Link)| {
            let mentions = [left, right];
            let records = mentions.map(|of| self.node_id_of(of).and_then(|_| self.name_of(of)));
            LinkView { position, kind, mentions, records }
        };
        self.engine.links.iter().map(view).collect()
    }

    fn link(
        &mut self,
        kind: LinkKind,
        left: MentionName<'_>,
        right: MentionName<'_>,
    ) -> Result<Linked, OperationError> {
        self.check_whole()?;
        let [left_at, right_at] =
            [self.mention_named(left.source, left.record)?, self.mention_named(right.source, right.record)?];
        if left_at == right_at {
            return Err(OperationError::SameMention { record: left.record.to_owned() });
        }
        let [left, right] = [left_at, right_at].map(|mention| self.engine.mention_ref(mention));
        let link = Link { kind, left, right };
        let mut known = self.engine.links.of_fact(left.fact).filter(|(_, known)| known.is_of(left, right));
        if let Some((operation, known)) = known.next() {
            if known.kind != kind {
                return Err(self.contradiction(operation, known));
            }
            let [left, right] = [left_at, right_at].map(|mention| self.engine.mention_id(mention));
            return Err(OperationError::AlreadyLinked { left, right, kind, operation });
        }
        drop(known);
        let repair = self.repair_for(link)?;
        self.perform_link(link, None, repair, None)
    }

    /// The merge or split without which a link would be broken; none where one of its mentions is nowhere.
    fn repair_for(&mut self, link: Link) -> Result<Option<Operation>, OperationError> {
        let node = |of| Some(self.engine.graph.mentions[self.engine.placed_mention(of)? as usize].node);
        let (Some(left), Some(right)) = (node(link.left), node(link.right)) else { return Ok(None) };
        if !link.is_broken(&left, &right) {
            return Ok(None);
        }
        match link.kind {
            LinkKind::Must => self.joining(left, right).map(Some),
            LinkKind::Cannot => self.parting(left, link).map(Some),
        }
    }

    /// The merge of two nodes: the larger keeps its identifier, of equals the older.
    fn joining(&self, left: NodeIndex, right: NodeIndex) -> Result<Operation, OperationError> {
        let graph = &self.engine.graph;
        let rank = |node: NodeIndex| (std::cmp::Reverse(graph.node(node).members.len()), graph.id(node));
        let (kept, merged) = if rank(left) <= rank(right) { (left, right) } else { (right, left) };
        let moved = self.members(merged);
        let merge = Operation::Merge { kept: graph.id(kept), merged: graph.id(merged), moved };
        self.check_links(&merge, &[])?;
        Ok(merge)
    }

    /// The split of a node of which two members cannot be in one.
    fn parting(&mut self, node: NodeIndex, link: Link) -> Result<Operation, OperationError> {
        if let Some((operation, tie)) = self.tie_between(link.left, link.right) {
            return Err(self.contradiction(operation, tie));
        }
        let members: Vec<MentionIndex> = self.engine.graph.node(node).members.iter().collect();
        let seeds = [link.left, link.right].map(|of| self.engine.placed_mention(of).unwrap_or_default());
        let (mut stay, mut go) = self.sides(&members, seeds)?;
        if (go.len(), stay.first()) > (stay.len(), go.first()) {
            std::mem::swap(&mut stay, &mut go);
        }
        let moved = go.into_iter().map(|mention| self.engine.mention_ref(mention)).collect();
        let graph = &self.engine.graph;
        Ok(Operation::Split { from: graph.id(node), new: graph.next_id(), moved })
    }

    /// The newest link of a chain of must-links from one mention to another.
    fn tie_between(&self, from: MentionRef, to: MentionRef) -> Option<(u64, Link)> {
        let links = &self.engine.links;
        // Every mention that was come to, with the newest link on the way.
        let mut reached = vec![(from, 0)];
        let mut at = 0;
        while let Some(&(of, newest)) = reached.get(at) {
            if of == to {
                return Some((newest, links.get(newest)?));
            }
            for (origin, other) in links.others(of, LinkKind::Must) {
                let is_new = !reached.iter().any(|&(known, _)| known == other);
                if is_new && self.engine.placed_mention(other).is_some() {
                    reached.push((other, newest.max(origin)));
                }
            }
            at += 1;
        }
        None
    }

    fn perform_link(
        &mut self,
        link: Link,
        origin: Option<u64>,
        repair: Option<Operation>,
        undoes: Option<u64>,
    ) -> Result<Linked, OperationError> {
        let mut changes = ChangeSet::default();
        let is_repaired = repair.is_some();
        let before = self.engine.position;
        if let Some(operation) = repair {
            self.carry_on(operation, None, Vec::new(), &mut changes)?;
        }
        let repair = is_repaired.then_some(before);
        let position = self.engine.position;
        let notes = vec![Note { origin: origin.unwrap_or(position), link, stands: true }];
        let Link { kind, left, right } = link;
        self.carry_on(Operation::Link { kind, left, right, repair }, undoes, notes, &mut changes)?;
        self.commit(changes, Sync::Durable)?;
        Ok(Linked { position, repair })
    }

    /// Takes back a link, or the taking back of one. Gives the position of the operation that does it.
    pub(crate) fn undo_link(&mut self, position: u64, entry: &LogEntry) -> Result<u64, OperationError> {
        self.check_whole()?;
        let notes: Vec<Note> = entry.notes.iter().map(|note| note.turned()).collect();
        let compacted = || OperationError::Compacted { position };
        let &Note { origin, link, stands } = notes.first().ok_or_else(compacted)?;
        if stands {
            let link = self.engine.known_by_name(link);
            for of in [link.left, link.right] {
                self.engine.mention_at(of).ok_or_else(compacted)?;
            }
            let repair = self.repair_for(link)?;
            return Ok(self.perform_link(link, Some(origin), repair, Some(position))?.position);
        }
        let mut changes = ChangeSet::default();
        let by = self.engine.position;
        let Link { kind, left, right } = link;
        self.carry_on(Operation::Unlink { kind, left, right }, Some(position), notes, &mut changes)?;
        if let Operation::Link { repair: Some(repair), .. } = entry.operation {
            self.undo_repair(repair, &mut changes)?;
        }
        self.commit(changes, Sync::Durable)?;
        Ok(by)
    }

    /// Takes back what a link made necessary, unless that was taken back already or something is in the way: then it stays, and the
    /// link is gone all the same.
    fn undo_repair(&mut self, repair: u64, changes: &mut ChangeSet) -> Result<(), OperationError> {
        if self.ledger.undone_by(repair).is_some() {
            return Ok(());
        }
        let Some(entry) = self.entry(repair)? else { return Ok(()) };
        match self.inverse(repair, entry.operation) {
            Ok(inverse) if self.check_links(&inverse, &[]).is_ok() => {
                self.carry_on(inverse, Some(repair), Vec::new(), changes)
            }
            Ok(_) => Ok(()),
            Err(error @ OperationError::Store(_)) => Err(error),
            Err(_) => Ok(()),
        }
    }

    /// Carries out one of several operations that are committed together.
    fn carry_on(
        &mut self,
        operation: Operation,
        undoes: Option<u64>,
        notes: Vec<Note>,
        changes: &mut ChangeSet,
    ) -> Result<(), OperationError> {
        let position = self.engine.position;
        if let Err(error) = self.carry_out_noted(&operation, &notes) {
            self.break_off();
            return Err(error);
        }
        self.log_noted(position, operation, undoes, notes, changes);
        Ok(())
    }
}
