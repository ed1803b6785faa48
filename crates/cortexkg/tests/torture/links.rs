//! Links in the plain model: which stand, which are broken, and what notes of the log do to them.

use std::collections::BTreeMap;

use cortexkg::{FactContent, LinkKind, MentionRef, NodeId};

use crate::model::{Done, Mention, Model, Refused};

pub(crate) type Link = (LinkKind, MentionRef, MentionRef);
/// By origin.
pub(crate) type Links = BTreeMap<u64, Link>;
/// Origin, link, and whether it stands from here on.
pub(crate) type Note = (u64, Link, bool);
pub(crate) type Nodes = BTreeMap<Mention, NodeId>;

impl Model {
    fn is_triple(&self, fact: u64) -> bool {
        self.facts.get(&fact).is_some_and(|said| matches!(said.fact.content, FactContent::Triple { .. }))
    }

    pub(crate) fn reference(&self, (fact, at): Mention) -> MentionRef {
        MentionRef { fact, role: if self.is_triple(fact) { at as u8 + 1 } else { 0 } }
    }

    /// The mention, if its fact is not compacted away and has one of that role.
    fn mention(&self, of: MentionRef) -> Option<Mention> {
        self.facts.get(&of.fact)?;
        match (self.is_triple(of.fact), of.role) {
            (false, 0) => Some((of.fact, 0)),
            (true, role @ 1..) => Some((of.fact, usize::from(role) - 1)),
            _ => None,
        }
    }

    fn node_in(&self, nodes: &Nodes, of: MentionRef) -> Option<NodeId> {
        nodes.get(&self.mention(of)?).copied()
    }

    pub(crate) fn is_broken(&self, nodes: &Nodes, (kind, left, right): Link) -> bool {
        let ends = self.node_in(nodes, left).zip(self.node_in(nodes, right));
        ends.is_some_and(|(left, right)| (kind == LinkKind::Must) != (left == right))
    }

    /// Whether both mentions are members of a node.
    pub(crate) fn is_whole(&self, (_, left, right): Link) -> bool {
        [left, right].into_iter().all(|of| self.node_in(&self.nodes, of).is_some())
    }

    /// The links that are broken.
    pub(crate) fn broken(&self) -> Vec<Link> {
        self.links.values().copied().filter(|&link| self.is_broken(&self.nodes, link)).collect()
    }

    /// Refuses what would break a link that is not broken.
    pub(crate) fn allow(&self, nodes: &Nodes, links: &Links) -> Result<(), Refused> {
        let was_broken =
            |origin: u64| self.links.get(&origin).is_some_and(|&link| self.is_broken(&self.nodes, link));
        let breaks = |(origin, &link): (&u64, &Link)| self.is_broken(nodes, link) && !was_broken(*origin);
        if links.iter().any(breaks) { Err("a link is in the way") } else { Ok(()) }
    }

    /// The links after some notes.
    pub(crate) fn noted(&self, notes: &[Note]) -> Links {
        let mut links = self.links.clone();
        for &(origin, (kind, left, right), stands) in notes {
            links.remove(&origin);
            let [left, right] = [left, right].map(|of| self.bearer(of));
            if stands && [left, right].iter().all(|of| self.facts.contains_key(&of.fact)) {
                links.insert(origin, (kind, left, right));
            }
        }
        links
    }

    /// A mention of the fact that bears the name now.
    fn bearer(&self, of: MentionRef) -> MentionRef {
        let Some(said) = self.facts.get(&of.fact).filter(|_| self.node_in(&self.nodes, of).is_none()) else {
            return of;
        };
        let id = said.fact.record_id.as_deref().unwrap();
        let fact = self.named(said.fact.source.as_deref(), id).unwrap_or(of.fact);
        MentionRef { fact, ..of }
    }

    /// The links once they speak of `fact` wherever they spoke of another of its name.
    pub(crate) fn taken_over(&self, mut links: Links, fact: u64) -> Links {
        let name = |fact: u64| {
            self.facts.get(&fact).map(|said| (said.fact.source.clone(), said.fact.record_id.clone()))
        };
        let own = name(fact);
        for (_, left, right) in links.values_mut() {
            for end in [left, right].into_iter().filter(|end| name(end.fact) == own) {
                end.fact = fact;
            }
        }
        links
    }

    /// What a change by hand says of the oldest members of both sides.
    pub(crate) fn by_hand(&self, kind: LinkKind, stay: &[Mention], moved: &[Mention]) -> Option<Note> {
        let [left, right] = [stay.iter().min()?, moved.iter().min()?].map(|&of| self.reference(of));
        Some((self.position, (kind, left, right), true))
    }

    /// The merge of two nodes: the larger stays, of equals the older.
    fn join(&mut self, left: NodeId, right: NodeId) -> Result<u64, Refused> {
        let rank = |node: NodeId| (std::cmp::Reverse(self.members(node).len()), node);
        let (kept, merged) = if rank(left) < rank(right) { (left, right) } else { (right, left) };
        self.put_together(kept, merged, None, Vec::new())
    }

    fn are_tied(&self, left: MentionRef, right: MentionRef) -> bool {
        let mut reached = vec![left];
        let mut at = 0;
        while at < reached.len() {
            for &(kind, one, other) in self.links.values() {
                for (one, other) in [(one, other), (other, one)] {
                    let there = self.node_in(&self.nodes, other).is_some();
                    if kind == LinkKind::Must && one == reached[at] && there && !reached.contains(&other) {
                        reached.push(other);
                    }
                }
            }
            at += 1;
        }
        reached.contains(&right)
    }

    /// Does what a link needs; `split_off` tells who left a node that had to be split.
    fn repair(
        &mut self,
        link: Link,
        split_off: &dyn Fn(NodeId) -> Vec<Mention>,
    ) -> Result<Option<u64>, Refused> {
        if !self.is_broken(&self.nodes, link) {
            return Ok(None);
        }
        let (kind, left, right) = link;
        let [left_at, right_at] = [left, right].map(|of| self.node_in(&self.nodes, of).unwrap());
        match kind {
            LinkKind::Must => self.join(left_at, right_at).map(Some),
            LinkKind::Cannot if self.are_tied(left, right) => Err("they are tied"),
            LinkKind::Cannot => {
                let moved = split_off(NodeId(self.next_node));
                let has = |of| self.mention(of).is_some_and(|mention| moved.contains(&mention));
                assert!(has(left) != has(right), "a split that parts nothing");
                self.split_noted(left_at, &moved, Vec::new()).map(Some)
            }
        }
    }

    pub(crate) fn link(
        &mut self,
        kind: LinkKind,
        [left, right]: [Mention; 2],
        split_off: &dyn Fn(NodeId) -> Vec<Mention>,
    ) -> Result<u64, Refused> {
        if left == right {
            return Err("one mention");
        }
        let [left, right] = [left, right].map(|of| self.reference(of));
        let mut known = self.links.values().map(|&(_, one, other)| [one, other]);
        if known.any(|pair| pair == [left, right] || pair == [right, left]) {
            return Err("something was said of them");
        }
        self.link_again(None, (kind, left, right), None, split_off)
    }

    fn link_again(
        &mut self,
        origin: Option<u64>,
        link: Link,
        undoes: Option<u64>,
        split_off: &dyn Fn(NodeId) -> Vec<Mention>,
    ) -> Result<u64, Refused> {
        let repair = self.repair(link, split_off)?;
        let note = (origin.unwrap_or(self.position), link, true);
        Ok(self.note(Done::Link { repair }, undoes, vec![note]))
    }

    /// Takes back a link, or the taking back of one.
    pub(crate) fn undo_link(
        &mut self,
        position: u64,
        repair: Option<u64>,
        split_off: &dyn Fn(NodeId) -> Vec<Mention>,
    ) -> Result<u64, Refused> {
        let (origin, link, stood) = self.notes[&position][0];
        if !stood {
            let [left, right] = [link.1, link.2].map(|of| self.bearer(of));
            if [left, right].into_iter().any(|of| self.mention(of).is_none()) {
                return Err("it was compacted away");
            }
            return self.link_again(Some(origin), (link.0, left, right), Some(position), split_off);
        }
        let by = self.note(Done::Unlink, Some(position), vec![(origin, link, false)]);
        if let Some(repair) = repair.filter(|&repair| self.stands(repair)) {
            // Where something is in the way, it stays.
            let _ = self.inverse(repair, Some(Vec::new()), false);
        }
        Ok(by)
    }
}
