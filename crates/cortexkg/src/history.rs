//! Reading the log: what was done, why a mention went where it went, how a node came to be, and how things stood before.

use serde::{Deserialize, Serialize};

use cortexkg_store::{Store, StoreError, Table};

use crate::ballot::{Ballot, Competitor};
use crate::candidates::{Candidate, Candidates, Origins};
use crate::durable::DurableEngine;
use crate::explain::{CandidateExplanation, Explanation};
use crate::feedback::LinkKind;
use crate::graph::{MentionIndex, NodeId};
use crate::journal::{LogEntry, MentionRef, Operation};
use crate::operation_error::OperationError;
use crate::spike::SpikePattern;

/// One operation of the log, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// Its position, counted from 0.
    pub position: u64,
    /// `allocate`, `place`, `open`, `tie`, `untie`, `merge`, `unmerge`, `split`, `forget`, `restore`, `compact`, `consolidate`,
    /// `must-link`, `cannot-link` or `unlink`.
    pub operation: String,
    /// What it did.
    pub what: String,
    /// Nodes that it speaks of.
    pub nodes: Vec<NodeId>,
    /// The operation that it took back.
    pub undoes: Option<u64>,
    /// The operation that took it back.
    pub undone_by: Option<u64>,
    /// When it was recorded, in seconds since 1970, if the caller knew.
    pub recorded_s: Option<i64>,
}

/// Why a mention does not belong to a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyNot {
    /// The decision that was taken.
    pub decision: Explanation,
    /// The node that was asked for, as it is known now.
    pub node: NodeId,
    /// What the decision says of that node.
    pub verdict: Verdict,
    /// How the node would be weighed today; not what was decided on then.
    pub today: Option<CandidateExplanation>,
}

/// What a decision says of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The mention belongs to it.
    Belongs,
    /// It competed and lost.
    Lost {
        /// Its votes then.
        candidate: CandidateExplanation,
        /// Evidence by which it was behind the winner (or "a new node"), in bits.
        behind_bits: f32,
    },
    /// It was not among the strongest competitors, which alone are kept, or was no candidate.
    NotAmongTheStrongest {
        /// How many candidates competed.
        candidates: u32,
    },
    /// It came to be after the decision.
    Younger,
}

impl<S: Store> DurableEngine<S> {
    /// Operations of the log with positions from `from` up to and without `to`; those that were compacted away are missing.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn log_entries(&self, from: u64, to: u64) -> Result<Vec<LogView>, OperationError> {
        let mut views = Vec::new();
        self.store.scan(Table::Log, from..to, &mut |position, bytes| {
            let entry = LogEntry::decode(bytes);
            let damaged = |error: postcard::Error| {
                StoreError::damaged(format!("log, row {position}"), error.to_string())
            };
            views.push(self.log_view(position, &entry.map_err(damaged)?));
            Ok(())
        })?;
        Ok(views)
    }

    fn log_view(&self, position: u64, entry: &LogEntry) -> LogView {
        let name = |fact: u64| {
            self.engine.graph.fact_at(fact).map_or_else(
                || format!("a forgotten fact ({fact})"),
                |fact| self.engine.graph.fact(fact).record_id.to_string(),
            )
        };
        let list = |facts: &mut dyn Iterator<Item = u64>| {
            let names: Vec<_> = facts.map(name).collect();
            match names.len() {
                0..=3 => names.join(", "),
                many => format!("{}, … ({many} facts)", names[..2].join(", ")),
            }
        };
        let members = |moved: &[MentionRef]| list(&mut moved.iter().map(|mention| mention.fact));
        let (operation, nodes, what) = match &entry.operation {
            Operation::Allocate { mentions } => {
                let nodes: Vec<_> = mentions.iter().map(|mention| mention.node).collect();
                let ways: Vec<_> = mentions
                    .iter()
                    .map(|mention| format!("{} {}", mention.ballot.decision, mention.node))
                    .collect();
                ("allocate", nodes, format!("{} → {}", name(position), ways.join(", ")))
            }
            Operation::Place { nodes } => {
                let to: Vec<_> = nodes.iter().map(ToString::to_string).collect();
                ("place", nodes.clone(), format!("{} in {}", name(position), to.join(", ")))
            }
            Operation::Open { nodes } => ("open", nodes.clone(), format!("{} identifiers", nodes.len())),
            Operation::Tie { from, predicate, to } => {
                ("tie", vec![*from, *to], format!("{from} {predicate} {to}"))
            }
            Operation::Untie { from, predicate, to } => {
                ("untie", vec![*from, *to], format!("{from} {predicate} {to}"))
            }
            Operation::Merge { kept, merged, moved } => {
                ("merge", vec![*kept, *merged], format!("{merged} into {kept}: {}", members(moved)))
            }
            Operation::Unmerge { kept, merged, moved } => {
                ("unmerge", vec![*kept, *merged], format!("{merged} out of {kept}: {}", members(moved)))
            }
            Operation::Split { from, new, moved } => {
                ("split", vec![*from, *new], format!("{new} off {from}: {}", members(moved)))
            }
            Operation::Forget { facts } | Operation::Restore { facts } => {
                let mut nodes: Vec<_> = facts.iter().flat_map(|placed| placed.nodes.clone()).collect();
                nodes.sort_unstable();
                nodes.dedup();
                let what = list(&mut facts.iter().map(|placed| placed.fact));
                let forgets = matches!(entry.operation, Operation::Forget { .. });
                (if forgets { "forget" } else { "restore" }, nodes, what)
            }
            Operation::Consolidate => {
                ("consolidate", Vec::new(), "close calls were looked at again".to_owned())
            }
            Operation::Link { kind, left, right, repair } => {
                let what = self.link_in_words(*left, *right);
                let verb = if *kind == LinkKind::Must { "merged" } else { "split" };
                let done = repair.map_or_else(String::new, |at| format!(", {verb} by operation {at}"));
                let name = if *kind == LinkKind::Must { "must-link" } else { "cannot-link" };
                (name, self.nodes_linked(*left, *right), format!("{what}{done}"))
            }
            Operation::Unlink { kind, left, right } => {
                let what = format!("no {kind} any more: {}", self.link_in_words(*left, *right));
                ("unlink", self.nodes_linked(*left, *right), what)
            }
            Operation::Configure { before, after, reason } => {
                ("configure", Vec::new(), format!("{}: {reason}", before.difference(after)))
            }
            Operation::Pin { node, is_pinned } => {
                let what = if *is_pinned { "is kept as exactly as can be" } else { "is kept as the others" };
                (if *is_pinned { "pin" } else { "unpin" }, vec![*node], format!("{node} {what}"))
            }
            Operation::Compact => ("compact", Vec::new(), "what was forgotten is gone".to_owned()),
        };
        LogView {
            position,
            operation: operation.to_owned(),
            what,
            nodes,
            undoes: entry.undoes,
            undone_by: self.ledger.undone_by(position),
            recorded_s: entry.recorded_s,
        }
    }

    fn link_in_words(&self, left: MentionRef, right: MentionRef) -> String {
        let name = |of: MentionRef| {
            let mention = self.engine.placed_mention(of).map(|mention| self.engine.mention_id(mention));
            mention.unwrap_or_else(|| format!("a forgotten fact ({})", of.fact))
        };
        format!("{} and {}", name(left), name(right))
    }

    /// The nodes that the mentions of a link are in now, each once.
    fn nodes_linked(&self, left: MentionRef, right: MentionRef) -> Vec<NodeId> {
        let node = |of| Some(self.engine.graph.mentions[self.engine.placed_mention(of)? as usize].node);
        let nodes = [left, right].into_iter().filter_map(node);
        let mut nodes: Vec<_> = nodes.map(|node| self.engine.graph.id(node)).collect();
        nodes.dedup();
        nodes
    }

    /// Finds a mention by its source and its name: a record's identifier, for the ends of triples with `#s` or `#o` behind it.
    pub(crate) fn mention_named(
        &self,
        source: Option<&str>,
        record: &str,
    ) -> Result<MentionIndex, OperationError> {
        let source = source.unwrap_or_default();
        let graph = &self.engine.graph;
        let fact = |id: &str| self.engine.fact_named(source, id);
        let end = |suffix, role| Some((fact(record.strip_suffix(suffix)?)?, role));
        let found = fact(record).map(|fact| (fact, 0)).or_else(|| end("#s", 1)).or_else(|| end("#o", 2));
        match found {
            // A record's identifier alone, where the fact is a triple, means its subject.
            Some((fact, role)) => Ok(graph.first_mention(fact) + MentionIndex::from(role == 2)),
            None => Err(self.missing(Some(source), record)),
        }
    }

    /// Why a fact is not there: it may be forgotten.
    pub(crate) fn missing(&self, source: Option<&str>, record: &str) -> OperationError {
        let ever = self.engine.find_fact(source.unwrap_or_default(), record, |_| true);
        let record = record.to_owned();
        match ever {
            Some(_) => OperationError::ForgottenFact { record },
            None => OperationError::UnknownFact { record },
        }
    }

    /// The names of all sources that facts ever came from, in the order of the first.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.engine.graph.sources.iter().map(String::as_str)
    }

    /// Explains the decision on a mention, from the ballot that the log keeps. Where the mention belongs *now* stands in the result's
    /// `allocated_node`. The votes quote what has not been forgotten since.
    ///
    /// # Errors
    /// [`OperationError::UnknownFact`], [`OperationError::ForgottenFact`].
    pub fn why(&self, source: Option<&str>, record: &str) -> Result<Explanation, OperationError> {
        let mention = self.mention_named(source, record)?;
        let ballot = self.ballot_of(mention)?;
        self.sound(self.engine.explanation(mention, &ballot))
    }

    /// The ballot of a mention, as the log keeps it; one without competitors if it was compacted away.
    ///
    /// # Errors
    /// As [`why`](Self::why).
    pub fn ballot(&self, source: Option<&str>, record: &str) -> Result<Ballot, OperationError> {
        let ballot = self.ballot_of(self.mention_named(source, record)?)?;
        self.sound(ballot)
    }

    pub(crate) fn ballot_of(&self, mention: MentionIndex) -> Result<Ballot, OperationError> {
        let of = self.engine.mention_ref(mention);
        Ok(match self.entry(of.fact)?.map(|entry| entry.operation) {
            Some(Operation::Allocate { mentions }) => {
                match mentions.get(usize::from(of.role.saturating_sub(1))) {
                    Some(decided) => self.engine.restored_ballot(&decided.ballot),
                    None => self.engine.foregone_ballot(true),
                }
            }
            _ => self.engine.foregone_ballot(true),
        })
    }

    /// Explains why a mention does not belong to a node: what the decision says of the node, and how the node would be weighed today.
    /// Changes nothing.
    ///
    /// # Errors
    /// As [`why`](Self::why); [`OperationError::UnknownNode`].
    pub fn why_not(
        &mut self,
        source: Option<&str>,
        record: &str,
        node: NodeId,
    ) -> Result<WhyNot, OperationError> {
        let live = self.live(node)?;
        let decision = self.why(source, record)?;
        let mention = self.mention_named(source, record)?;
        let of = self.engine.mention_ref(mention);
        let position = of.fact;
        let graph = &self.engine.graph;
        let now = graph.id(graph.mentions[mention as usize].node);
        let kept = decision.candidates.iter().find(|one| one.node == node || graph.resolve(one.node) == live);
        let is_younger = |at: u32| {
            let first = graph.node(at).members.first();
            first.is_some_and(|first| self.engine.mention_ref(first).fact > position)
        };
        let verdict = match kept {
            _ if now == live => Verdict::Belongs,
            Some(candidate) => {
                let best = decision.candidates.iter().map(|one| one.evidence_bits).fold(0.0, f32::max);
                Verdict::Lost { behind_bits: best - candidate.evidence_bits, candidate: candidate.clone() }
            }
            None if graph.index_of(live).is_some_and(is_younger) => Verdict::Younger,
            None => Verdict::NotAmongTheStrongest { candidates: decision.result.candidates },
        };
        let today = if now == live { None } else { self.weigh_today(of, live)? };
        self.sound(WhyNot { decision, node: live, verdict, today })
    }

    fn weigh_today(
        &mut self,
        of: MentionRef,
        node: NodeId,
    ) -> Result<Option<CandidateExplanation>, OperationError> {
        let perceived = self.perceived(of.fact)?;
        let at = usize::from(of.role.saturating_sub(1));
        let candidate = Candidate { node, origins: Origins::default(), spike_score: 0 };
        let pattern = SpikePattern::default();
        let candidates = Candidates { candidates: vec![candidate], is_exhaustive: false, pattern };
        let ballot = self.engine.decide(&perceived, at, &candidates);
        let Some(mention) = self.engine.mention_at(of) else { return Ok(None) };
        // Nothing spoke for it: then its evidence is the prior alone.
        let nothing = Competitor {
            node,
            origins: Origins::default(),
            prior: self.engine.prior(),
            evidence: self.engine.prior(),
            probability: 0.0,
            votes: Vec::new(),
        };
        let competitor = ballot.competitors.first().unwrap_or(&nothing);
        Ok(Some(self.engine.candidate_explanation(mention, competitor)))
    }

    /// How a node came to be what it is: every operation that touched it, oldest first.
    ///
    /// # Errors
    /// [`OperationError::UnknownNode`], [`OperationError::Store`].
    pub fn how(&self, node: NodeId) -> Result<Vec<LogView>, OperationError> {
        if node >= self.engine.graph.next_id() {
            return Err(OperationError::UnknownNode { node });
        }
        let graph = &self.engine.graph;
        let members = graph.index_of(node).map(|at| graph.node(at).members.iter());
        let mut positions: Vec<u64> =
            members.into_iter().flatten().map(|mention| self.engine.mention_ref(mention).fact).collect();
        let mut events = Vec::new();
        for &position in &self.ledger.operations {
            let Some(entry) = self.entry(position)? else { continue };
            let view = self.log_view(position, &entry);
            if view.nodes.contains(&node) {
                match &entry.operation {
                    Operation::Merge { moved, .. }
                    | Operation::Unmerge { moved, .. }
                    | Operation::Split { moved, .. } => {
                        positions.extend(moved.iter().map(|mention| mention.fact));
                    }
                    Operation::Forget { facts } => {
                        let here = facts.iter().filter(|placed| placed.nodes.contains(&node));
                        positions.extend(here.map(|placed| placed.fact));
                    }
                    _ => {}
                }
                events.push(view);
            }
        }
        positions.sort_unstable();
        positions.dedup();
        for position in positions {
            if let Some(entry) = self.entry(position)? {
                let view = self.log_view(position, &entry);
                if view.nodes.contains(&node) {
                    events.push(view);
                }
            }
        }
        events.sort_by_key(|event| event.position);
        self.sound(events)
    }
}
