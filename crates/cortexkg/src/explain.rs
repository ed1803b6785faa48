//! Why a mention went where it went: the stored ballot in words that can be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ballot::{Ballot, Competitor};
use crate::columns::Vote;
use crate::compare::Level;
use crate::decision::AllocationResult;
use crate::dictionary::{EMBEDDING, FieldId, RECENCY, ValueId};
use crate::engine::AllocationEngine;
use crate::evidence::Bits;
use crate::graph::{MentionIndex, NodeId, NodeIndex};
use crate::paged::List;

/// Most characters of a value that is quoted.
const QUOTE_CHARS_MAX: usize = 48;

/// Everything that decided one mention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The outcome.
    pub result: AllocationResult,
    /// The mention in one line.
    pub mention: String,
    /// The competitors that were kept, strongest first; empty if nothing resembled the mention.
    pub candidates: Vec<CandidateExplanation>,
    /// Probability, 0 to 1, that the mention needs a new node.
    pub new_probability: f32,
}

/// One competitor of the ballot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateExplanation {
    /// The node.
    pub node: NodeId,
    /// The node in one line.
    pub label: String,
    /// What recalled it: `exact_key`, `spikes`, `vector`, `neighbour`.
    pub origins: Vec<String>,
    /// Log2 prior odds that a mention belongs to this node, in bits.
    pub prior_bits: f32,
    /// Trust in the fact, 0 to 1: the part of the sum of all votes that counts.
    pub trust: f32,
    /// Prior plus all votes, in bits.
    pub evidence_bits: f32,
    /// Probability, 0 to 1, that the mention belongs to it.
    pub probability: f32,
    /// One line per vote, in the order of the columns.
    pub votes: Vec<VoteExplanation>,
}

/// One vote of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteExplanation {
    /// `semantic`, `structural`, `temporal` or `exception`.
    pub column: String,
    /// The field it speaks of.
    pub field: String,
    /// How far mention and node agree.
    pub level: Level,
    /// The same in words.
    pub agreement: String,
    /// What the mention says, shortened to 48 characters; none if the vote is about no value.
    pub stated: Option<String>,
    /// What came nearest to it in the node, shortened; for shared neighbours the node that both are tied to.
    pub held: Option<String>,
    /// Match weight in bits: positive speaks for the node, negative against.
    pub bits: f32,
    /// The part of it, 0 to 1, that stronger votes had said already and that was taken off.
    pub said_before: f32,
    /// The same in bits, 0 or more, to within 1/256 of the vote; none where everything was taken off, and the log does not
    /// tell how much that was.
    pub taken_off_bits: Option<f32>,
    /// The reason in words.
    pub reason: String,
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = &self.result;
        writeln!(formatter, "{}  {}", result.record_id, self.mention)?;
        writeln!(
            formatter,
            "  {} → node {}   confidence {:.4}   margin {:.1} bits   P(new) {:.4}",
            result.decision,
            result.allocated_node,
            result.confidence,
            result.margin_bits,
            self.new_probability
        )?;
        if self.candidates.is_empty() {
            return writeln!(formatter, "  nothing in the graph resembled it");
        }
        for candidate in &self.candidates {
            writeln!(
                formatter,
                "  node {}  {}\n    evidence {:+.1} bits (prior {:+.1})   probability {:.4}   found by {}",
                candidate.node,
                candidate.label,
                candidate.evidence_bits,
                candidate.prior_bits,
                candidate.probability,
                candidate.origins.join(", ")
            )?;
            for vote in &candidate.votes {
                writeln!(
                    formatter,
                    "    {:+7.1}  {:<10}  {:<16}  {}",
                    vote.bits, vote.column, vote.field, vote.reason
                )?;
            }
        }
        Ok(())
    }
}

impl AllocationEngine {
    /// Explains the decision on a mention: a record's identifier in its source, for the ends of a triple with `#s` or `#o`
    /// behind it. `None` if there is no such mention, or its ballot is no longer kept
    /// ([`EngineConfig::ballots_kept`](crate::EngineConfig::ballots_kept)).
    pub fn explain(&self, source: Option<&str>, record_id: &str) -> Option<Explanation> {
        let fact = |id: &str| self.fact_named(source.unwrap_or_default(), id);
        let ends =
            |suffix| Some((fact(record_id.strip_suffix(suffix)?)?, if suffix == "#s" { 1 } else { 2 }));
        let (fact, role) =
            fact(record_id).map(|fact| (fact, 0)).or_else(|| ends("#s")).or_else(|| ends("#o"))?;
        let mentions = &self.graph.mentions;
        let first = mentions.partition_point(|mention| mention.fact < fact);
        // A record's identifier alone, where the fact is a triple, means its subject.
        let at = (first..mentions.len()).take_while(|&at| mentions[at].fact == fact);
        let mention = at.into_iter().find(|&at| role == 0 || mentions[at].role == role)?;
        let ballot = self.ballots.get((mention + self.ballots.len()).checked_sub(mentions.len())?)?;
        Some(self.explanation(mention as MentionIndex, ballot))
    }

    pub(crate) fn explanation(&self, mention: MentionIndex, ballot: &Ballot) -> Explanation {
        let candidates =
            ballot.competitors.iter().map(|competitor| self.candidate_explanation(mention, competitor));
        Explanation {
            result: self.result(mention, ballot),
            mention: self.line(self.graph.mention_values(mention).iter()),
            candidates: candidates.collect(),
            new_probability: ballot.new_probability,
        }
    }

    pub(crate) fn candidate_explanation(
        &self,
        mention: MentionIndex,
        competitor: &Competitor,
    ) -> CandidateExplanation {
        let values = self.graph.mention_values(mention);
        let trust = self.graph.fact(self.graph.mentions[mention as usize].fact).confidence;
        let said: Bits = competitor.votes.iter().map(|vote| vote.bits).sum();
        // As decided, but for hopeless candidates in logs from when these were not compared in every field: there the ballot has the
        // most that could have come of it.
        let evidence = competitor.prior + said.scaled(u32::from(trust));
        CandidateExplanation {
            node: competitor.node,
            label: self.graph.index_of(competitor.node).map_or_else(String::new, |node| self.label(node)),
            origins: competitor.origins.names(),
            prior_bits: competitor.prior.as_f32(),
            trust: f32::from(trust) / 256.0,
            evidence_bits: evidence.as_f32(),
            probability: competitor.probability,
            votes: competitor.votes.iter().map(|vote| self.vote_explanation(values, vote)).collect(),
        }
    }

    fn vote_explanation(&self, values: List<'_, (FieldId, ValueId)>, vote: &Vote) -> VoteExplanation {
        let short = |value: ValueId| shortened(self.dictionary.surface(value), QUOTE_CHARS_MAX);
        let is_of_values = !matches!(vote.field, Vote::NEIGHBOURS | EMBEDDING | RECENCY);
        let mine = value_in(values, vote.field).filter(|_| is_of_values);
        let stated = mine.map(short);
        let held = match (vote.field, vote.nearest) {
            (Vote::NEIGHBOURS, Some(partner)) => Some(self.label(partner)),
            (_, nearest) => nearest.filter(|_| is_of_values).map(short),
        };
        let agreement = match vote.field {
            Vote::NEIGHBOURS => "a shared neighbour",
            RECENCY => vote.level.recency(),
            EMBEDDING => vote.level.nearness(),
            _ => vote.level.likeness(),
        };
        let mut reason = match (vote.field, &stated, &held) {
            (Vote::NEIGHBOURS, _, Some(partner)) => format!("both are tied to {partner}"),
            (EMBEDDING, ..) => format!("the vectors are {agreement}"),
            (RECENCY, ..) => format!("the node was last spoken of {agreement}"),
            (_, Some(said), Some(_)) if vote.nearest == mine => format!("both say “{said}”"),
            (_, Some(said), Some(held)) => format!("“{said}” and “{held}”: {agreement}"),
            _ => agreement.to_owned(),
        };
        if vote.said_before > 25 {
            reason.push_str(&format!(" ({} % said before)", u32::from(vote.said_before) * 100 / 256));
        }
        let field = match vote.field {
            Vote::NEIGHBOURS => "@neighbours".to_owned(),
            field => self.dictionary.field(field).name.clone(),
        };
        VoteExplanation {
            column: vote.column.to_string(),
            field,
            level: vote.level,
            agreement: agreement.to_owned(),
            stated,
            held,
            bits: vote.bits.as_f32(),
            said_before: f32::from(vote.said_before) / 256.0,
            taken_off_bits: taken_off(vote),
            reason,
        }
    }

    /// A node in one line: the value of every field that most of its members have.
    pub(crate) fn label(&self, node: NodeIndex) -> String {
        let values = self.graph.node(node).values.to_vec();
        let fields = values.chunk_by(|a, b| a.field == b.field);
        let commonest = fields.filter_map(|values| values.iter().rev().max_by_key(|value| value.count));
        self.line(commonest.map(|value| (value.field, value.value)))
    }

    pub(crate) fn line(&self, values: impl Iterator<Item = (FieldId, ValueId)>) -> String {
        let parts: Vec<_> = values.map(|(_, value)| shortened(self.dictionary.surface(value), 32)).collect();
        parts.join(" · ")
    }
}

/// The value that a mention has in a field.
fn value_in(values: List<'_, (FieldId, ValueId)>, field: FieldId) -> Option<ValueId> {
    values.iter().find(|(of, _)| *of == field).map(|(_, value)| value)
}

/// What was taken off a vote, in bits: the ballot keeps what is left and which part is gone.
fn taken_off(vote: &Vote) -> Option<f32> {
    match vote.said_before {
        0 => Some(0.0),
        part @ 1..=255 => Some(vote.bits.as_f32() * f32::from(part) / f32::from(256 - part)),
        _ => None,
    }
}

pub(crate) fn shortened(text: &str, characters_max: usize) -> String {
    let mut short: String = text.chars().take(characters_max).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
