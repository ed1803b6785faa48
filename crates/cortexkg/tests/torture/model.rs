//! The graph as a plain model: who belongs where, where identifiers lead, what was said, and how each operation is taken back.
//!
//! It decides nothing: where facts go is told to it. All else it works out by itself, as simply as can be.

use std::collections::{BTreeMap, BTreeSet};

use cortexkg::{AllocationResult, Decision, Fact, FactContent, LinkKind, NodeId, POSSIBLY_SAME};

use crate::links::{Links, Note};

/// A mention: the position of its fact, and 0 or 1.
pub(crate) type Mention = (u64, usize);
/// Facts with the nodes of their mentions.
type Placed = Vec<(u64, Vec<NodeId>)>;

/// A fact that was taken in and is not compacted away.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) fact: Fact,
    pub(crate) is_forgotten: bool,
    /// For each mention that was a close call: the node that led.
    rivals: Vec<Option<NodeId>>,
}

/// What an operation did.
#[derive(Debug, Clone)]
pub(crate) enum Done {
    Allocate,
    Merge { kept: NodeId, merged: NodeId, moved: Vec<Mention> },
    Unmerge { kept: NodeId, merged: NodeId },
    Split { from: NodeId, new: NodeId },
    Forget(Placed),
    Restore(Placed),
    Link { repair: Option<u64> },
    Unlink,
    Compact,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) facts: BTreeMap<u64, Said>,
    /// Where mentions of facts that are not forgotten belong.
    pub(crate) nodes: BTreeMap<Mention, NodeId>,
    pub(crate) redirects: BTreeMap<NodeId, NodeId>,
    /// Nodes that have a place still.
    places: BTreeSet<NodeId>,
    pub(crate) next_node: u64,
    log: BTreeMap<u64, Done>,
    /// By operation: those that took it back, in order.
    undone_by: BTreeMap<u64, Vec<u64>>,
    pub(crate) position: u64,
    pub(crate) links: Links,
    /// What entries of the log say of links.
    pub(crate) notes: BTreeMap<u64, Vec<Note>>,
}

/// Why the model holds an operation for impossible.
pub(crate) type Refused = &'static str;

impl Model {
    pub(crate) fn resolve(&self, node: NodeId) -> NodeId {
        self.redirects.get(&node).map_or(node, |&next| self.resolve(next))
    }

    pub(crate) fn members(&self, node: NodeId) -> Vec<Mention> {
        self.nodes.iter().filter(|(_, at)| **at == node).map(|(&mention, _)| mention).collect()
    }

    pub(crate) fn live_nodes(&self) -> BTreeSet<NodeId> {
        self.nodes.values().copied().collect()
    }

    pub(crate) fn live_facts(&self) -> impl Iterator<Item = (u64, &Said)> {
        self.facts.iter().filter(|(_, said)| !said.is_forgotten).map(|(&position, said)| (position, said))
    }

    /// The live fact of a source and an identifier.
    pub(crate) fn named(&self, source: Option<&str>, id: &str) -> Option<u64> {
        let is_it =
            |said: &Said| said.fact.source.as_deref() == source && said.fact.record_id.as_deref() == Some(id);
        self.live_facts().find(|(_, said)| is_it(said)).map(|(position, _)| position)
    }

    /// Edges, each once: stated by facts, and doubts. An edge needs members at both ends; a doubt needs two ends.
    pub(crate) fn edges(&self) -> BTreeSet<(NodeId, String, NodeId)> {
        let live = self.live_nodes();
        let mut edges = BTreeSet::new();
        for (position, said) in self.live_facts() {
            if let FactContent::Triple { predicate, .. } = &said.fact.content {
                edges.insert((self.nodes[&(position, 0)], predicate.clone(), self.nodes[&(position, 1)]));
            }
            for (at, rival) in said.rivals.iter().enumerate() {
                let Some(rival) = rival.map(|rival| self.resolve(rival)) else { continue };
                let node = self.nodes[&(position, at)];
                if node != rival && live.contains(&rival) {
                    edges.insert((node, POSSIBLY_SAME.to_owned(), rival));
                }
            }
        }
        edges
    }

    pub(crate) fn note(&mut self, done: Done, undoes: Option<u64>, notes: Vec<Note>) -> u64 {
        let position = self.position;
        self.links = self.noted(&notes);
        self.notes.insert(position, notes);
        if let Some(undone) = undoes {
            self.undone_by.entry(undone).or_default().push(position);
        }
        self.log.insert(position, done);
        self.position += 1;
        position
    }

    /// Whether an operation is in force.
    pub(crate) fn stands(&self, position: u64) -> bool {
        let by = self.undone_by.get(&position).and_then(|by| by.last());
        by.is_none_or(|&by| !self.stands(by))
    }

    /// Takes in a fact that was allocated so; `rivals` are the leading nodes of close calls.
    pub(crate) fn allocate(&mut self, fact: Fact, result: &AllocationResult, rivals: Vec<Option<NodeId>>) {
        assert_eq!(result.log_position, self.position);
        let live = self.live_nodes();
        let mut opened = BTreeSet::new();
        for (at, mention) in result.mentions().enumerate() {
            let node = mention.allocated_node;
            if mention.decision == Decision::Existing {
                assert!(live.contains(&node) || opened.contains(&node), "{node} is not there to be found");
            } else {
                assert_eq!(node.0, self.next_node, "identifiers rise by one");
                self.next_node += 1;
                self.places.insert(node);
                opened.insert(node);
            }
            self.nodes.insert((self.position, at), node);
        }
        self.facts.insert(self.position, Said { fact, is_forgotten: false, rivals });
        self.links = self.taken_over(self.links.clone(), self.position);
        self.note(Done::Allocate, None, Vec::new());
    }

    pub(crate) fn merge(&mut self, left: NodeId, right: NodeId) -> Result<u64, Refused> {
        let [kept, merged] = [left, right].map(|node| self.resolve(node));
        let live = self.live_nodes();
        if kept == merged || !live.contains(&kept) || !live.contains(&merged) {
            return Err("two nodes with members are needed");
        }
        let moved = self.members(merged);
        let mut notes: Vec<Note> =
            self.by_hand(LinkKind::Must, &self.members(kept), &moved).into_iter().collect();
        self.give_way(&moved, kept, &mut notes);
        self.put_together(kept, merged, None, notes)
    }

    pub(crate) fn put_together(
        &mut self,
        kept: NodeId,
        merged: NodeId,
        undoes: Option<u64>,
        notes: Vec<Note>,
    ) -> Result<u64, Refused> {
        let moved = self.members(merged);
        self.allow_moves(&moved, kept, &notes)?;
        for mention in &moved {
            self.nodes.insert(*mention, kept);
        }
        self.redirects.insert(merged, kept);
        Ok(self.note(Done::Merge { kept, merged, moved }, undoes, notes))
    }

    /// What merges and splits by hand said gives way to the opposite by hand.
    fn give_way(&self, moved: &[Mention], to: NodeId, notes: &mut Vec<Note>) {
        let mut nodes = self.nodes.clone();
        nodes.extend(moved.iter().map(|&mention| (mention, to)));
        let noted: BTreeSet<u64> = notes.iter().map(|note| note.0).collect();
        for (&origin, &link) in self.links.iter().filter(|(origin, _)| !noted.contains(origin)) {
            let was_said = matches!(self.log.get(&origin), Some(Done::Link { .. }));
            if !was_said && self.is_broken(&nodes, link) && !self.is_broken(&self.nodes, link) {
                notes.push((origin, link, false));
            }
        }
    }

    fn allow_moves(&self, moved: &[Mention], to: NodeId, notes: &[Note]) -> Result<(), Refused> {
        let mut nodes = self.nodes.clone();
        nodes.extend(moved.iter().map(|&mention| (mention, to)));
        self.allow(&nodes, &self.noted(notes))
    }

    /// The merge that an unmerge of this node takes back.
    pub(crate) fn unmerge(&mut self, node: NodeId) -> Result<u64, Refused> {
        let newest = |is_it: &dyn Fn(NodeId, NodeId) -> bool| {
            let merges = self.log.iter().rev().filter_map(|(&position, done)| match done {
                Done::Merge { kept, merged, .. } => Some((position, *kept, *merged)),
                _ => None,
            });
            // The redirect that is there is the newest merge's of that node.
            let mut seen = BTreeSet::new();
            let mut standing = merges.filter(|&(_, kept, merged)| {
                seen.insert(merged) && self.redirects.get(&merged) == Some(&kept)
            });
            standing.find(|&(_, kept, merged)| is_it(kept, merged)).map(|(position, ..)| position)
        };
        let merge = if self.redirects.contains_key(&node) {
            newest(&|_, merged| merged == node)
        } else if self.live_nodes().contains(&node) {
            newest(&|kept, _| kept == node)
        } else {
            None
        };
        self.take_back(merge.ok_or("nothing was merged")?, true, &|_| Vec::new())
    }

    pub(crate) fn split(&mut self, node: NodeId, moved: &[Mention]) -> Result<u64, Refused> {
        let from = self.resolve(node);
        let members = self.members(from);
        if moved.is_empty() || moved.len() == members.len() {
            return Err("some must go and some must stay");
        }
        let stay: Vec<_> = members.into_iter().filter(|mention| !moved.contains(mention)).collect();
        let mut notes: Vec<Note> = self.by_hand(LinkKind::Cannot, &stay, moved).into_iter().collect();
        self.give_way(moved, NodeId(self.next_node), &mut notes);
        self.split_noted(from, moved, notes)
    }

    pub(crate) fn split_noted(
        &mut self,
        from: NodeId,
        moved: &[Mention],
        notes: Vec<Note>,
    ) -> Result<u64, Refused> {
        self.allow_moves(moved, NodeId(self.next_node), &notes)?;
        let new = NodeId(self.next_node);
        self.next_node += 1;
        self.places.insert(new);
        for mention in moved {
            self.nodes.insert(*mention, new);
        }
        Ok(self.note(Done::Split { from, new }, None, notes))
    }

    pub(crate) fn forget(&mut self, facts: &BTreeSet<u64>, undoes: Option<u64>) -> u64 {
        let mut placed = Vec::new();
        for &position in facts {
            let said = self.facts.get_mut(&position).expect("a fact");
            assert!(!said.is_forgotten);
            said.is_forgotten = true;
            let nodes = (0..said.rivals.len()).map(|at| self.nodes.remove(&(position, at)).expect("placed"));
            placed.push((position, nodes.collect()));
        }
        self.note(Done::Forget(placed), undoes, Vec::new())
    }

    /// Takes an operation back; `split_off` tells who left a node that a link had split.
    pub(crate) fn undo(
        &mut self,
        position: u64,
        split_off: &dyn Fn(NodeId) -> Vec<Mention>,
    ) -> Result<u64, Refused> {
        self.take_back(position, false, split_off)
    }

    fn take_back(
        &mut self,
        position: u64,
        is_unmerge: bool,
        split_off: &dyn Fn(NodeId) -> Vec<Mention>,
    ) -> Result<u64, Refused> {
        if position >= self.position {
            return Err("it has not happened");
        }
        let done = self.log.get(&position).cloned().ok_or("it was compacted away")?;
        if !self.stands(position) {
            return Err("it was taken back");
        }
        match done {
            Done::Link { repair } => self.undo_link(position, repair, split_off),
            Done::Unlink => self.undo_link(position, None, split_off),
            _ => self.inverse(position, None, is_unmerge),
        }
    }

    /// Takes back what is no link, with these notes or those that an undo makes of the entry's.
    pub(crate) fn inverse(
        &mut self,
        position: u64,
        notes: Option<Vec<Note>>,
        is_unmerge: bool,
    ) -> Result<u64, Refused> {
        let turned = self.notes[&position].iter().map(|&(origin, link, stands)| (origin, link, !stands));
        let is_asked = notes.is_none();
        let mut notes: Vec<Note> = notes.unwrap_or_else(|| turned.collect());
        let says_more = is_asked && (is_unmerge || notes.is_empty());
        match self.log[&position].clone() {
            Done::Link { .. } | Done::Unlink => unreachable!("they have an undo of their own"),
            Done::Compact => Err("it is final"),
            Done::Allocate => {
                if self.facts[&position].is_forgotten {
                    return Err("it is forgotten");
                }
                Ok(self.forget(&BTreeSet::from([position]), Some(position)))
            }
            Done::Merge { kept, merged, moved } => {
                if self.redirects.get(&merged) != Some(&kept) {
                    return Err("it is not merged any more");
                }
                let here = self.resolve(merged);
                let back: Vec<Mention> =
                    moved.into_iter().filter(|mention| self.nodes.get(mention) == Some(&here)).collect();
                if says_more {
                    let mut stay = self.members(here);
                    stay.retain(|mention| !back.contains(mention));
                    notes.extend(self.by_hand(LinkKind::Cannot, &stay, &back));
                    self.give_way(&back, merged, &mut notes);
                }
                self.allow_moves(&back, merged, &notes)?;
                self.nodes.extend(back.into_iter().map(|mention| (mention, merged)));
                self.redirects.remove(&merged);
                Ok(self.note(Done::Unmerge { kept, merged }, Some(position), notes))
            }
            Done::Unmerge { kept, merged } | Done::Split { from: kept, new: merged } => {
                self.join_again(kept, merged, position, notes, says_more)
            }
            Done::Forget(placed) => self.restore(placed, position),
            Done::Restore(placed) => {
                let live = |fact: &u64| self.facts.get(fact).is_some_and(|said| !said.is_forgotten);
                let facts: BTreeSet<u64> = placed.iter().map(|(fact, _)| *fact).filter(live).collect();
                if facts.is_empty() {
                    Err("it is forgotten")
                } else {
                    Ok(self.forget(&facts, Some(position)))
                }
            }
        }
    }

    fn join_again(
        &mut self,
        kept: NodeId,
        merged: NodeId,
        undoes: u64,
        mut notes: Vec<Note>,
        says_more: bool,
    ) -> Result<u64, Refused> {
        let kept = self.resolve(kept);
        if self.redirects.contains_key(&merged) || kept == merged {
            return Err("a merge is in the way");
        }
        if !self.places.contains(&kept) || !self.places.contains(&merged) {
            return Err("a node is gone for good");
        }
        if says_more {
            let moved = self.members(merged);
            notes.extend(self.by_hand(LinkKind::Must, &self.members(kept), &moved));
            self.give_way(&moved, kept, &mut notes);
        }
        self.put_together(kept, merged, Some(undoes), notes)
    }

    fn restore(&mut self, placed: Placed, undoes: u64) -> Result<u64, Refused> {
        let mut back = Vec::new();
        for (position, nodes) in placed {
            let said = self.facts.get(&position).ok_or("it was compacted away")?;
            if !said.is_forgotten {
                continue;
            }
            if self
                .named(said.fact.source.as_deref(), said.fact.record_id.as_deref().expect("named"))
                .is_some()
            {
                return Err("its name is taken");
            }
            back.push((position, nodes.into_iter().map(|node| self.resolve(node)).collect::<Vec<_>>()));
        }
        if back.is_empty() {
            return Err("nothing is forgotten");
        }
        let mut after = self.nodes.clone();
        let mut links = self.links.clone();
        for (position, nodes) in &back {
            after.extend(nodes.iter().enumerate().map(|(at, &node)| ((*position, at), node)));
            links = self.taken_over(links, *position);
        }
        self.allow(&after, &links)?;
        self.links = links;
        for (position, nodes) in &back {
            self.facts.get_mut(position).expect("a fact").is_forgotten = false;
            self.nodes.extend(nodes.iter().enumerate().map(|(at, &node)| ((*position, at), node)));
        }
        Ok(self.note(Done::Restore(back), Some(undoes), Vec::new()))
    }

    pub(crate) fn compact(&mut self) {
        self.facts.retain(|_, said| !said.is_forgotten);
        let facts = &self.facts;
        self.log.retain(|position, done| match done {
            Done::Allocate => facts.contains_key(position),
            Done::Forget(placed) | Done::Restore(placed) => {
                placed.retain(|(fact, _)| facts.contains_key(fact));
                !placed.is_empty()
            }
            Done::Merge { moved, .. } => {
                moved.retain(|(fact, _)| facts.contains_key(fact));
                true
            }
            _ => true,
        });
        self.links = self.links.clone().into_iter().filter(|(_, link)| self.is_whole(*link)).collect();
        let log = &self.log;
        for by in self.undone_by.values_mut() {
            by.retain(|by| log.contains_key(by));
        }
        let live = self.live_nodes();
        let redirects = &self.redirects;
        self.places.retain(|node| live.contains(node) || redirects.contains_key(node));
        self.note(Done::Compact, None, Vec::new());
    }
}
