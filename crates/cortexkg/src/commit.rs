//! Commit: what was decided becomes part of the graph, and the stream is learned from.

use crate::ballot::Ballot;
use crate::columns::{Column, Context, Vote, compare_mentions};
use crate::compare::Level;
use crate::decision::{AllocationResult, Decision};
use crate::embed::mix;
use crate::engine::{AllocationEngine, fact_key, keys};
use crate::error::{CommitError, FactError};
use crate::graph::{Exception, FactEntry, Mention, MentionIndex, NodeIndex, POSSIBLY_SAME, values_max};
use crate::perceive::Perceived;

impl AllocationEngine {
    /// Checks that the graph has room for what a fact may add.
    pub(crate) fn check_not_full(&self, perceived: &Perceived) -> Result<(), FactError> {
        if self.graph.is_full() {
            let record =
                perceived.record_id.clone().unwrap_or_else(|| format!("#{}", self.graph.facts.len()));
            return Err(FactError::GraphFull { record });
        }
        Ok(())
    }

    /// Checks what only the graph can know: room for the fields, the embedding's dimension, the identifier.
    pub(crate) fn begin(&mut self, perceived: &Perceived) -> Result<u32, FactError> {
        let position = self.graph.facts.len() as u32;
        let source = perceived.source.as_deref().unwrap_or_default();
        let record = match &perceived.record_id {
            Some(record) => record.clone(),
            // The position names a fact that brings no name, unless a source has used that name.
            None => (0..)
                .map(|turn| if turn == 0 { format!("#{position}") } else { format!("#{position}.{turn}") })
                .find(|name| !self.fact_by_id.contains_key(&fact_key(source, name)))
                .unwrap_or_default(),
        };
        self.dictionary.check_room(&record, &perceived.mentions)?;
        let key = fact_key(source, &record);
        if self.fact_by_id.contains_key(&key) {
            let source_name = perceived.source.clone().unwrap_or_else(|| "(unnamed)".to_owned());
            return Err(FactError::DuplicateId { record, source_name });
        }
        self.vectors.check(&record, perceived)?;
        let source = self.graph.source(source);
        self.graph.facts.push(FactEntry {
            record_id: record.into(),
            source,
            time_s: perceived.time_s,
            confidence: perceived.confidence,
        });
        self.fact_by_id.insert(key, position);
        Ok(position)
    }

    /// Commits a perceived fact with one ballot per mention: fact, node, edge, index, and what is learned of it.
    ///
    /// # Errors
    /// A [`CommitError`] if the ballots do not fit the fact, or this graph as it stands; then nothing has changed.
    pub fn commit(
        &mut self,
        perceived: &Perceived,
        ballots: Vec<Ballot>,
    ) -> Result<AllocationResult, CommitError> {
        let (expected, found) = (perceived.mentions.len(), ballots.len());
        if expected != found {
            return Err(CommitError::Ballots { expected, found });
        }
        for ballot in &ballots {
            let now = self.weights.version;
            if ballot.table_version != now {
                return Err(CommitError::Stale { ballot: ballot.table_version, now });
            }
            self.check_ballot(ballot)?;
            let mut nodes = ballot.competitors.iter().map(|competitor| competitor.node);
            if let Some(node) = nodes.find(|&node| self.graph.index_of(node).is_none()) {
                return Err(CommitError::UnknownNode { node });
            }
        }
        self.check_not_full(perceived)?;
        let fact = self.begin(perceived)?;
        let mut results = Vec::with_capacity(expected);
        for (mention, mut ballot) in ballots.into_iter().enumerate() {
            // The subject may have made the node that the object needs.
            if mention == 1 && ballot.decision != Decision::Existing {
                let candidates = self.find_candidates(perceived, mention);
                ballot = self.weigh(perceived, mention, &candidates);
            }
            self.view(perceived, mention);
            results.push(self.commit_mention(perceived, mention, fact, ballot));
        }
        Ok(self.finish(perceived, fact, results))
    }

    /// Checks that a ballot, which may come from elsewhere, speaks of what this engine knows.
    fn check_ballot(&self, ballot: &Ballot) -> Result<(), CommitError> {
        let damaged = |what: &str| Err(CommitError::Damaged { what: what.to_owned() });
        if ballot.decision != Decision::New && ballot.competitors.is_empty() {
            return damaged("no competitor, but a decision for one");
        }
        for vote in ballot.competitors.iter().flat_map(|competitor| &competitor.votes) {
            let (field_is_known, most) = match vote.field {
                Vote::NEIGHBOURS => (true, self.graph.nodes.len()),
                field => (usize::from(field) < self.dictionary.field_count(), self.dictionary.value_count()),
            };
            if !field_is_known {
                return damaged("a vote on an unknown field");
            }
            if vote.nearest.is_some_and(|value| value as usize >= most) {
                return damaged("a vote on an unknown value");
            }
        }
        Ok(())
    }

    /// Gives one mention its node. The view of the mention is that of the decision just taken.
    pub(crate) fn commit_mention(
        &mut self,
        perceived: &Perceived,
        at: usize,
        fact: u32,
        ballot: Ballot,
    ) -> AllocationResult {
        let leader = ballot.competitors.first().and_then(|leader| self.graph.index_of(leader.node));
        self.learn_from(leader);
        let node = match (ballot.decision, leader) {
            (Decision::Existing, Some(leader)) => leader,
            _ => self.graph.add_node(self.graph.next_id()),
        };
        self.commit_member(perceived, at, fact, node, ballot)
    }

    /// Makes one mention a member of a node.
    pub(crate) fn commit_member(
        &mut self,
        perceived: &Perceived,
        at: usize,
        fact: u32,
        node: NodeIndex,
        mut ballot: Ballot,
    ) -> AllocationResult {
        let seen = &perceived.mentions[at];
        let role = if perceived.mentions.len() == 1 { 0 } else { at as u8 + 1 };
        let values = std::mem::take(&mut self.view.values);
        let most = |field| values_max(self.dictionary.field(field));
        let mention = self.graph.add_mention(Mention { fact, role, node }, &values, most);
        for (value, &(_, id)) in seen.values.iter().zip(&self.view.numbered) {
            self.dictionary.count(id, value);
        }
        for feature in &seen.features {
            self.index.count(feature.key);
        }
        self.index.add(&ballot.pattern, node);
        for key in keys(seen, &self.dictionary) {
            self.index.add_key(key, node);
        }
        if let Some(code) = self.view.code.take() {
            let members = self.graph.nodes[node as usize].members.len() as u32;
            self.vectors.add(node, members, &code);
        }
        self.record(&ballot, mention, node);
        self.view.values = values;
        let result = self.result(mention, &ballot);
        ballot.pattern.spikes = Vec::new();
        self.ballots.push_back(ballot);
        if self.ballots.len() > self.config.ballots_kept {
            self.ballots.pop_front();
        }
        if is_boundary(self.graph.mentions.len()) {
            self.refresh();
        }
        result
    }

    /// The result that a committed mention's ballot stands for.
    pub(crate) fn result(&self, mention: MentionIndex, ballot: &Ballot) -> AllocationResult {
        let Mention { fact, node, .. } = self.graph.mentions[mention as usize];
        AllocationResult {
            record_id: self.mention_id(mention),
            allocated_node: self.graph.nodes[node as usize].id,
            decision: ballot.decision,
            confidence: ballot.confidence(),
            margin_bits: ballot.margin.as_f32(),
            method: ballot.method,
            candidates: ballot.candidates,
            log_position: u64::from(fact),
            object: None,
        }
    }

    /// Writes what goes with a decision: exceptions, the tie to a close call, the line of the log.
    fn record(&mut self, ballot: &Ballot, mention: MentionIndex, node: NodeIndex) {
        let leader = ballot.competitors.first().and_then(|leader| self.graph.index_of(leader.node));
        let fact = self.graph.mentions[mention as usize].fact;
        match (ballot.decision, leader) {
            (Decision::Existing, Some(_)) => {
                for vote in &ballot.competitors[0].votes {
                    let (Column::Exception, Some(held)) = (vote.column, vote.nearest) else { continue };
                    let stated =
                        self.graph.mention_values(mention).iter().find(|(field, _)| *field == vote.field);
                    let Some(&(field, stated)) = stated else { continue };
                    if vote.level == Level::Different {
                        self.graph.exceptions.push(Exception {
                            mention,
                            field,
                            stated,
                            held,
                            bits: vote.bits,
                        });
                    }
                }
            }
            (Decision::Possible, Some(leader)) => self.graph.add_edge(node, leader, POSSIBLY_SAME, fact),
            _ => {}
        }
        let evidence = ballot.competitors.first().map_or(0, |leader| leader.evidence.0);
        self.log.update(self.graph.facts[fact as usize].record_id.as_bytes());
        self.log.update(&[0, ballot.decision as u8]);
        self.log.update(&self.graph.nodes[node as usize].id.0.to_le_bytes());
        self.log.update(&evidence.to_le_bytes());
        self.log.update(&ballot.margin.0.to_le_bytes());
    }

    /// Ends a fact: the edge of a triple, and the result of the whole.
    pub(crate) fn finish(
        &mut self,
        perceived: &Perceived,
        fact: u32,
        mentions: Vec<AllocationResult>,
    ) -> AllocationResult {
        let mut mentions = mentions.into_iter();
        let mut result = mentions.next().expect("a fact has a mention");
        result.object = mentions.next().map(Box::new);
        if let (Some(predicate), Some(object)) = (&perceived.predicate, &result.object) {
            let ends = [result.allocated_node, object.allocated_node].map(|id| self.graph.index_of(id));
            if let [Some(from), Some(to)] = ends {
                self.graph.add_edge(from, to, predicate, fact);
            }
        }
        result
    }

    /// Compares the mention with others, for the tables: random ones, and one of the leader's.
    fn learn_from(&mut self, leader: Option<NodeIndex>) {
        let position = self.graph.mentions.len() as u64;
        if position == 0 {
            return;
        }
        let prior = self.prior();
        let context = Context {
            dictionary: &self.dictionary,
            weights: &self.weights,
            graph: &self.graph,
            vectors: &self.vectors,
            mention: &self.view,
        };
        let choice = |of: u64, salt: u64| mix(position << 8 ^ salt) % of;
        let random_pairs = match position {
            0..1024 => 16,
            1024..8192 => 6,
            _ => 2,
        };
        for salt in 0..random_pairs {
            let pair =
                compare_mentions(&context, self.columns.words(), choice(position, salt) as MentionIndex);
            self.learner.observe_random(&pair, &self.weights, prior);
        }
        if let Some(leader) = leader {
            let members = &self.graph.nodes[leader as usize].members;
            let member = members[choice(members.len() as u64, 200) as usize];
            self.learner.observe_candidate(compare_mentions(&context, self.columns.words(), member));
        }
    }

    /// Brings field kinds and weights up to date. Happens at positions of the log alone.
    fn refresh(&mut self) {
        self.dictionary.refresh_kinds();
        self.dictionary.refresh_information();
        let prior = self.prior();
        self.learner.refresh(&self.dictionary, &mut self.weights, prior);
    }
}

/// Whether the learned tables change after this many mentions: at powers of two from 16, then every 1,024.
fn is_boundary(mentions: usize) -> bool {
    if mentions < 1024 { mentions >= 16 && mentions.is_power_of_two() } else { mentions.is_multiple_of(1024) }
}
