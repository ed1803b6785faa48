//! Commit: what was decided becomes part of the graph, and the stream is learned from.

use crate::ballot::Ballot;
use crate::columns::{Column, Context, Vote, compare_mentions};
use crate::compare::Level;
use crate::decision::{AllocationResult, Decision};
use crate::embed::mix;
use crate::engine::{AllocationEngine, fact_hash, keys};
use crate::error::{CommitError, FactError};
use crate::graph::{
    Exception, FactEntry, Mention, MentionIndex, NOWHERE, NodeIndex, POSSIBLY_SAME, Tie, values_max,
};
use crate::perceive::Perceived;

impl AllocationEngine {
    /// Checks that the graph has room for what a fact may add.
    pub(crate) fn check_not_full(&self, perceived: &Perceived) -> Result<(), FactError> {
        if self.graph.is_full() {
            let record = perceived.record_id.clone().unwrap_or_else(|| format!("#{}", self.position));
            return Err(FactError::GraphFull { record });
        }
        Ok(())
    }

    /// Checks what only the graph can know: room for the fields, the embedding's dimension, the identifier.
    pub(crate) fn begin(&mut self, perceived: &Perceived) -> Result<u32, FactError> {
        let position = self.position;
        let source = perceived.source.as_deref().unwrap_or_default();
        let record = match &perceived.record_id {
            Some(record) => record.clone(),
            // The position names a fact that brings no name, unless a source has used that name.
            None => (0..)
                .map(|turn| if turn == 0 { format!("#{position}") } else { format!("#{position}.{turn}") })
                .find(|name| self.fact_named(source, name).is_none())
                .unwrap_or_default(),
        };
        self.dictionary.check_room(&record, &perceived.mentions)?;
        if self.fact_named(source, &record).is_some() {
            let source_name = perceived.source.clone().unwrap_or_else(|| "(unnamed)".to_owned());
            return Err(FactError::DuplicateId { record, source_name });
        }
        self.vectors.check(&record, perceived)?;
        let hash = fact_hash(source, &record);
        self.hundredth = (hash % 100) as u8;
        let source = self.graph.source(source);
        let entry = FactEntry {
            record_id: record.into(),
            source,
            time_s: perceived.time_s,
            confidence: perceived.confidence,
            is_forgotten: false,
        };
        let fact = self.graph.add_fact(&entry, position);
        self.fact_ids.insert(hash, fact);
        self.position += 1;
        self.take_links_over(fact);
        Ok(fact)
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
            if let Some(node) = nodes.find(|&node| self.graph.live_index_of(node).is_none()) {
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
                ballot = self.weigh(&candidates);
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
                Vote::NEIGHBOURS => (true, self.graph.ids().len()),
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
        self.look_around();
        self.learn_from_random();
        self.learn_from_leader(leader);
        self.learn_from_sharing();
        let node = match (ballot.decision, leader) {
            (Decision::Existing, Some(leader)) => leader,
            _ => self.graph.add_node(self.graph.next_id()),
        };
        self.note_doubts(&ballot, node);
        let result = self.commit_member(perceived, at, fact, node, ballot);
        self.refresh_at_boundary();
        result
    }

    /// Makes the mentions of a perceived fact members of given nodes, without deciding anything.
    pub(crate) fn place(
        &mut self,
        perceived: &Perceived,
        nodes: &[NodeIndex],
    ) -> Result<AllocationResult, FactError> {
        let fact = self.begin(perceived)?;
        let mut results = Vec::with_capacity(nodes.len());
        for (at, &node) in nodes.iter().enumerate() {
            let ballot = self.foregone(node, perceived, at);
            results.push(self.commit_member(perceived, at, fact, node, ballot));
            self.refresh_at_boundary();
        }
        Ok(self.finish(perceived, fact, results))
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
        // All of them, those that have no say in decisions as well.
        let mut values = self.view.numbered.clone();
        values.sort_unstable();
        let most = |field| values_max(self.dictionary.field(field));
        let mention = self.graph.add_mention(Mention { fact, role, node }, &values, most);
        for (value, &(_, id)) in seen.values.iter().zip(&self.view.numbered) {
            self.dictionary.count(id, value, mention);
        }
        for feature in &seen.features {
            self.index.count(feature.key);
        }
        self.index.add(&ballot.pattern, node);
        for key in keys(seen, &self.dictionary) {
            self.index.add_key(key, node);
        }
        if let Some(code) = self.view.code.take() {
            if let Some(around) = self.view.surroundings.take() {
                self.vectors.surroundings.set(mention, around);
            }
            let members = self.graph.node(node).members.len() as u32;
            self.vectors.add(node, members, &code);
        }
        self.vectors.keep_up(self.graph.live_nodes(), self.config.recall.scan_nodes_max);
        self.record(&ballot, mention, node);
        self.note_use(&ballot, node);
        let result = self.result(mention, &ballot);
        ballot.pattern.spikes = Vec::new();
        // There was room for every candidate.
        ballot.competitors.shrink_to_fit();
        self.ballots.push_back(ballot);
        if self.ballots.len() > self.config.ballots_kept {
            self.ballots.pop_front();
        }
        result
    }

    /// Brings the learned tables up to date if the log has come to a position where they change.
    fn refresh_at_boundary(&mut self) {
        if is_boundary(self.graph.mentions.len()) {
            self.refresh();
        }
    }

    /// The result that a committed mention's ballot stands for.
    pub(crate) fn result(&self, mention: MentionIndex, ballot: &Ballot) -> AllocationResult {
        let Mention { fact, node, .. } = self.graph.mentions[mention as usize];
        AllocationResult {
            record_id: self.mention_id(mention),
            allocated_node: self.graph.id(node),
            decision: ballot.decision,
            confidence: ballot.confidence(),
            margin_bits: ballot.margin.as_f32(),
            method: ballot.method,
            candidates: ballot.candidates,
            log_position: self.graph.position_of(fact),
            repeated: false,
            object: None,
        }
    }

    /// Writes what goes with a decision: exceptions, the tie to a close call, the line of the log.
    fn record(&mut self, ballot: &Ballot, mention: MentionIndex, node: NodeIndex) {
        let leader = ballot.competitors.first().and_then(|leader| self.graph.index_of(leader.node));
        let fact = self.graph.mentions[mention as usize].fact;
        match (ballot.decision, leader) {
            (Decision::Existing, Some(_)) => self.note_exceptions(ballot, mention),
            (Decision::Possible, Some(leader)) => {
                let predicate = self.graph.predicate(POSSIBLY_SAME);
                self.graph.tie(Tie::Possible { mention, leader }, predicate);
            }
            _ => {}
        }
        let evidence = ballot.competitors.first().map_or(0, |leader| leader.evidence.0);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.chain);
        hasher.update(self.graph.fact(fact).record_id.as_bytes());
        hasher.update(&[0, ballot.decision as u8]);
        hasher.update(&self.graph.id(node).0.to_le_bytes());
        hasher.update(&evidence.to_le_bytes());
        hasher.update(&ballot.margin.0.to_le_bytes());
        self.chain = hasher.finalize().into();
    }

    /// Keeps the conflicts that a decision was taken in spite of.
    pub(crate) fn note_exceptions(&mut self, ballot: &Ballot, mention: MentionIndex) {
        let Some(winner) = ballot.competitors.first() else { return };
        for vote in &winner.votes {
            let (Column::Exception, Some(held)) = (vote.column, vote.nearest) else { continue };
            let stated = self.graph.mention_values(mention).iter().find(|(field, _)| *field == vote.field);
            let Some((field, stated)) = stated else { continue };
            if vote.level == Level::Different {
                self.graph.exceptions.push(Exception { mention, field, stated, held, bits: vote.bits });
            }
        }
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
            debug_assert_eq!(self.graph.mentions_of(fact).len(), 2, "{object:?}");
            let predicate = self.graph.predicate(predicate);
            self.graph.tie(Tie::Stated { fact }, predicate);
        }
        result
    }

    /// Compares the mention with random others, for the tables.
    pub(crate) fn learn_from_random(&mut self) {
        let position = self.graph.mentions.len() as u64;
        if position == 0 {
            return;
        }
        let prior = self.cautious_prior();
        let context = Context {
            dictionary: &self.dictionary,
            weights: &self.weights,
            graph: &self.graph,
            vectors: &self.vectors,
            mention: &self.view,
        };
        let random_pairs = match position {
            0..1024 => 16,
            1024..8192 => 6,
            _ => 2,
        };
        for salt in 0..random_pairs {
            let other = choice(position, position, salt) as MentionIndex;
            if self.graph.mentions[other as usize].node == NOWHERE {
                continue;
            }
            let pair = compare_mentions(&context, self.columns.words(), other);
            self.learner.observe_random(&pair, &self.weights, prior);
        }
    }

    /// Compares the mention with a member of its leading candidate, for the tables.
    fn learn_from_leader(&mut self, leader: Option<NodeIndex>) {
        let Some(leader) = leader else { return };
        let position = self.graph.mentions.len() as u64;
        let context = Context {
            dictionary: &self.dictionary,
            weights: &self.weights,
            graph: &self.graph,
            vectors: &self.vectors,
            mention: &self.view,
        };
        let members = self.graph.node(leader).members;
        let Some(member) = members.get(choice(position, members.len() as u64, 200) as usize) else { return };
        let pair = compare_mentions(&context, self.columns.words(), member);
        self.learner.observe_candidate([position as MentionIndex, member], pair);
    }

    /// Compares the mention with the last ones before it that have one of its values, for the tables: which fields depend on which.
    fn learn_from_sharing(&mut self) {
        let position = self.graph.mentions.len() as u64;
        let context = Context {
            dictionary: &self.dictionary,
            weights: &self.weights,
            graph: &self.graph,
            vectors: &self.vectors,
            mention: &self.view,
        };
        let values = &self.view.values;
        let looked_at = if position < 4096 { values.len() } else { values.len().min(2) };
        let first = if looked_at == 0 { 0 } else { choice(position, values.len() as u64, 300) as usize };
        for turn in 0..looked_at {
            let (given, value) = values[(first + turn) % values.len()];
            let last = self.dictionary.value(value).last();
            let Some(other) = last.filter(|&last| self.graph.mentions[last as usize].node != NOWHERE) else {
                continue;
            };
            let pair = compare_mentions(&context, self.columns.words(), other);
            self.learner.observe_sharing(given, &pair, self.weights.field_count());
        }
    }

    /// Brings field kinds and weights up to date. Happens at positions of the log alone.
    pub(crate) fn refresh(&mut self) {
        self.dictionary.refresh_kinds();
        let prior = self.cautious_prior();
        let labels = self.labels();
        self.vectors.surroundings.refresh();
        self.learner.refresh(&self.dictionary, &mut self.weights, prior, &labels);
    }
}

/// A number below `of` that looks random and follows from a position in the stream.
fn choice(position: u64, of: u64, salt: u64) -> u64 {
    mix(position << 8 ^ salt) % of
}

/// Whether the learned tables change after this many mentions: from 16 on with every eighth part of the stream (rounded down to a
/// power of two, at least 8), from 8,192 on every 1,024.
pub(crate) fn is_boundary(mentions: usize) -> bool {
    let eighth = mentions.checked_ilog2().map_or(0, |log| 1 << log >> 3);
    mentions >= 16 && mentions.is_multiple_of(usize::clamp(eighth, 8, 1024))
}
