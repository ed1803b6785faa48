//! The log: one entry for every operation on the graph, with all that is needed to repeat it and to take it back.
//!
//! Entries name nodes by identifier and mentions by the log position of their fact, never by a place in memory, and hold no
//! contents: what a fact said stands in a row of its own, so that it can be forgotten.

use serde::{Deserialize, Serialize};

use crate::ballot::{Ballot, Competitor};
use crate::candidates::Origins;
use crate::columns::{Column, Vote};
use crate::compare::Level;
use crate::decision::{AllocationMethod, Decision};
use crate::engine::AllocationEngine;
use crate::evidence::Bits;
use crate::feedback::{LinkKind, Note};
use crate::graph::{MentionIndex, NodeId};
use crate::layers::Layers;
use crate::spike::SpikePattern;

/// A mention, for ever: the log position of its fact, and which of its mentions it is (0: the fact itself, 1: subject, 2:
/// object).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MentionRef {
    /// Log position of the operation that took the fact in.
    pub fact: u64,
    /// 0: the fact itself; 1: subject; 2: object of a triple.
    pub role: u8,
}

/// A fact with the node of each of its mentions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedFact {
    /// Log position of the operation that took it in.
    pub fact: u64,
    /// One node per mention.
    pub nodes: Vec<NodeId>,
}

/// An operation on the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Operation {
    /// A fact was taken in and decided. Its inverse: forget it.
    Allocate { mentions: Vec<DecidedMention> },
    /// A fact was taken in whose nodes were named with it. Its inverse: forget it.
    Place { nodes: Vec<NodeId> },
    /// Identifiers were given to nodes that have no members yet. Has no inverse and needs none.
    Open { nodes: Vec<NodeId> },
    /// An edge was loaded. Its inverse: untie.
    Tie { from: NodeId, predicate: String, to: NodeId },
    /// A loaded edge was taken away.
    Untie { from: NodeId, predicate: String, to: NodeId },
    /// The members of one node joined another, and its identifier leads there. Its inverse: unmerge.
    Merge { kept: NodeId, merged: NodeId, moved: Vec<MentionRef> },
    /// A merged node came back with the members that it had brought.
    Unmerge { kept: NodeId, merged: NodeId, moved: Vec<MentionRef> },
    /// Some members of a node got a node of their own. Its inverse: merge.
    Split { from: NodeId, new: NodeId, moved: Vec<MentionRef> },
    /// Facts were forgotten. Its inverse: restore.
    Forget { facts: Vec<PlacedFact> },
    /// Forgotten facts came back.
    Restore { facts: Vec<PlacedFact> },
    /// What was forgotten before is gone for good, and memory was laid out anew.
    Compact,
    /// Tables were brought up to date and close calls looked at again; what was repaired follows as splits and merges.
    Consolidate,
    /// Somebody said whether two mentions mean the same; `repair` is the merge or split that it made necessary. Its inverse: unlink.
    Link { kind: LinkKind, left: MentionRef, right: MentionRef, repair: Option<u64> },
    /// What somebody said of two mentions was taken back. Its inverse: link.
    Unlink { kind: LinkKind, left: MentionRef, right: MentionRef },
    /// The layers changed. Its inverse: they change back.
    Configure { before: Layers, after: Layers, reason: String },
    /// A node's vector is to be kept as exactly as can be, or no longer. Its inverse: the other.
    Pin { node: NodeId, is_pinned: bool },
}

/// Where one mention went, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DecidedMention {
    pub(crate) node: NodeId,
    pub(crate) ballot: StoredBallot,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogEntry {
    pub(crate) operation: Operation,
    /// The operation that this one takes back.
    pub(crate) undoes: Option<u64>,
    /// When it was recorded, in seconds since 1970, as the caller knew it.
    pub(crate) recorded_s: Option<i64>,
    /// The first half of the chain of hashes after it.
    pub(crate) chain: [u8; 16],
    /// What it says of links. Stands behind the rest, and is left out where there is nothing to say, as in every log from before
    /// there were links.
    #[serde(skip)]
    pub(crate) notes: Vec<Note>,
}

impl LogEntry {
    /// Its row of the log.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = postcard::to_allocvec(self).expect("plain data has an encoding");
        if !self.notes.is_empty() {
            bytes = postcard::to_extend(&self.notes, bytes).expect("plain data has an encoding");
        }
        bytes
    }

    /// Reads a row of the log.
    pub(crate) fn decode(bytes: &[u8]) -> postcard::Result<Self> {
        let (mut entry, rest): (Self, _) = postcard::take_from_bytes(bytes)?;
        if !rest.is_empty() {
            entry.notes = postcard::from_bytes(rest)?;
        }
        Ok(entry)
    }
}

/// A ballot without what only this process knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredBallot {
    table_version: u32,
    pub(crate) decision: Decision,
    competitors: Vec<StoredCompetitor>,
    candidates: u32,
    new_probability: f32,
    margin: Bits,
    method: AllocationMethod,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredCompetitor {
    node: NodeId,
    origins: Origins,
    prior: Bits,
    evidence: Bits,
    probability: f32,
    votes: Vec<StoredVote>,
    /// Says nothing and is written as false. Once it said that the node was so far behind that not every field was compared; the
    /// evidence is then the most that could have come of it.
    unused: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredVote {
    column: Column,
    field: u16,
    level: Level,
    bits: Bits,
    said_before: u16,
    nearest: Option<Nearest>,
}

/// What a vote compared with: the value of a mention, or a node beside the graph's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Nearest {
    Value(MentionRef),
    Node(NodeId),
}

impl StoredBallot {
    /// The node that led.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        self.competitors.first().map(|leader| leader.node)
    }
}

impl AllocationEngine {
    /// Ends an operation: hashes it into the chain.
    pub(crate) fn chain_operation(&mut self, operation: &Operation, notes: &[Note]) {
        let bytes = postcard::to_allocvec(operation).expect("plain data has an encoding");
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.chain).update(&bytes);
        if !notes.is_empty() {
            hasher.update(&postcard::to_allocvec(notes).expect("plain data has an encoding"));
        }
        self.chain = hasher.finalize().into();
        self.position += 1;
    }

    /// The lasting name of a mention.
    pub(crate) fn mention_ref(&self, mention: MentionIndex) -> MentionRef {
        let at = self.graph.mentions[mention as usize];
        MentionRef { fact: self.graph.position_of(at.fact), role: at.role }
    }

    /// The place of a mention in memory; none if its fact was compacted away.
    pub(crate) fn mention_at(&self, of: MentionRef) -> Option<MentionIndex> {
        let fact = self.graph.fact_at(of.fact)?;
        self.graph.mentions_of(fact).find(|&mention| self.graph.mentions[mention as usize].role == of.role)
    }

    /// A ballot for the log. To be called before the mention joins its node.
    pub(crate) fn stored_ballot(&self, ballot: &Ballot) -> StoredBallot {
        let vote = |node: NodeId, vote: &Vote| StoredVote {
            column: vote.column,
            field: vote.field,
            level: vote.level,
            bits: vote.bits,
            said_before: vote.said_before,
            nearest: vote.nearest.and_then(|nearest| self.nearest(node, vote.field, nearest)),
        };
        let competitors = ballot.competitors.iter().map(|competitor| StoredCompetitor {
            node: competitor.node,
            origins: competitor.origins,
            prior: competitor.prior,
            evidence: competitor.evidence,
            probability: competitor.probability,
            votes: competitor.votes.iter().map(|one| vote(competitor.node, one)).collect(),
            unused: false,
        });
        StoredBallot {
            table_version: ballot.table_version,
            decision: ballot.decision,
            competitors: competitors.collect(),
            candidates: ballot.candidates,
            new_probability: ballot.new_probability,
            margin: ballot.margin,
            method: ballot.method,
        }
    }

    fn nearest(&self, node: NodeId, field: u16, nearest: u32) -> Option<Nearest> {
        if field == Vote::NEIGHBOURS {
            return Some(Nearest::Node(*self.graph.ids().get(nearest as usize)?));
        }
        let node = self.graph.index_of(node)?;
        let values = self.graph.node(node).values;
        let held = values.iter().find(|value| value.field == field && value.value == nearest)?;
        Some(Nearest::Value(self.mention_ref(held.first)))
    }

    /// A ballot from the log; what has been forgotten since is missing from it. It has no pattern.
    pub(crate) fn restored_ballot(&self, stored: &StoredBallot) -> Ballot {
        let nearest = |field: u16, nearest: Nearest| match nearest {
            Nearest::Node(id) => self.graph.index_of(id),
            Nearest::Value(of) => {
                let mention = self.mention_at(of)?;
                let values = self.graph.mention_values(mention);
                let value = values.iter().find(|(known, _)| *known == field).map(|(_, value)| value);
                value.filter(|&value| self.dictionary.is_in_use(value))
            }
        };
        let vote = |vote: &StoredVote| Vote {
            column: vote.column,
            field: vote.field,
            level: vote.level,
            bits: vote.bits,
            said_before: vote.said_before,
            nearest: vote.nearest.and_then(|found| nearest(vote.field, found)),
        };
        let competitors = stored.competitors.iter().map(|competitor| Competitor {
            node: competitor.node,
            origins: competitor.origins,
            prior: competitor.prior,
            evidence: competitor.evidence,
            probability: competitor.probability,
            votes: competitor.votes.iter().map(vote).collect(),
        });
        Ballot {
            table_version: stored.table_version,
            decision: stored.decision,
            competitors: competitors.collect(),
            candidates: stored.candidates,
            new_probability: stored.new_probability,
            margin: stored.margin,
            method: stored.method,
            pattern: SpikePattern::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DurableEngine, EngineConfig, Fact};
    use cortexkg_store::{ChangeSet, MemoryStore, Store, Sync, Table};

    /// Once a candidate far behind was not compared in every field, and its evidence was the most that could have come of it.
    #[test]
    fn a_log_with_candidates_that_were_left_early_opens_and_is_explained() {
        let open = |store| DurableEngine::open(store, EngineConfig::default()).unwrap();
        let mut graph = open(MemoryStore::default());
        let [ada, grace] = ["213/857-0034", "818/762-1221"];
        for (id, name, phone) in
            [("a", "Ada Lovelace", ada), ("b", "Grace Hopper", grace), ("c", "Ada Lovelace", grace)]
        {
            let fact = Fact::record([("name", name), ("phone", phone)]).with_id(id);
            graph.allocate_fact(fact).unwrap();
        }
        let hash = graph.state_hash().unwrap();
        let mut store = graph.close().unwrap();
        let mut entry = LogEntry::decode(&store.get(Table::Log, 2).unwrap().unwrap()).unwrap();
        let Operation::Allocate { mentions } = &mut entry.operation else { panic!("{entry:?}") };
        let [_, behind] = &mut mentions[0].ballot.competitors[..] else {
            panic!("two candidates: {mentions:?}")
        };
        behind.unused = true;
        behind.evidence += Bits::whole(3);
        let mut changes = ChangeSet::default();
        changes.put(Table::Log, 2, entry.encode());
        store.commit(changes, Sync::Durable).unwrap();
        let graph = open(store);
        assert_eq!(graph.state_hash().unwrap(), hash);
        let why = graph.why(None, "c").unwrap();
        let behind = &why.candidates[1];
        let said: f32 = behind.votes.iter().map(|vote| vote.bits).sum();
        assert!((behind.prior_bits + said - behind.evidence_bits).abs() < 0.01, "{behind:?}");
        assert!(behind.waterfall().iter().all(|step| step.field != "trust"), "{behind:?}");
    }
}
