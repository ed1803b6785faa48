//! The engine: the path of a fact from the door to the graph.

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::ablation::Ablation;
use crate::ballot::{Ballot, Competitor};
use crate::candidates::{Candidate, Candidates, Origins, SpikeIndex};
use crate::columns::{Context, MentionView, MultiColumnProcessor, Weighed, alone_in};
use crate::config::EngineConfig;
use crate::consolidation::Doubts;
use crate::decision::AllocationResult;
use crate::dictionary::{Dictionary, RECENCY};
use crate::error::FactError;
use crate::evidence::{Bits, log2};
use crate::fact::Fact;
use crate::feedback::Links;
use crate::graph::{FactEntry, Graph, NodeIndex};
use crate::inhibition::LateralInhibition;
use crate::learn::Learner;
use crate::paged::{Failure, IdMap};
use crate::perceive::{FeatureClass, Perceived, PerceivedMention, Perceiver, TEXT_FIELD};
use crate::profile::FieldKind;
use crate::scores::Scores;
use crate::spike::{SpikePattern, Stimulus, TtfsSpikeEncoder};
use crate::stopwatch::{Laps, Stage, Stopwatch};
use crate::tuning::Pins;
use crate::vectors::{Code, Finder, Vectors};
use crate::weights::MatchWeights;

/// Competitors of a ballot that are kept for explanation.
const COMPETITORS_KEPT: usize = 2;
/// Most nodes that one key names: the oldest.
const KEY_NODES_MAX: usize = 32;
/// Bits by which the tables ask more of a match than a decision does: what is put together in doubt is looked at again by
/// consolidation, but must not teach.
const LEARNING_CAUTION: Bits = Bits::whole(2);
/// Intensity of a feature that carries no information.
const INTENSITY_MIN: Bits = Bits(32);

/// Decides for each fact which node it belongs to, and keeps the graph that comes of it.
///
/// See the [crate's documentation](crate) for the path of a fact and for examples.
#[derive(Debug)]
pub struct AllocationEngine {
    pub(crate) config: EngineConfig,
    pub(crate) perceiver: Perceiver,
    pub(crate) dictionary: Dictionary,
    pub(crate) encoder: TtfsSpikeEncoder,
    pub(crate) index: SpikeIndex,
    pub(crate) vectors: Vectors,
    pub(crate) columns: MultiColumnProcessor,
    pub(crate) inhibition: LateralInhibition,
    pub(crate) weights: MatchWeights,
    pub(crate) learner: Learner,
    pub(crate) graph: Graph,
    pub(crate) fact_ids: IdMap,
    /// Where tables note that they could not load what was looked at.
    pub(crate) failure: Failure,
    pub(crate) ballots: VecDeque<Ballot>,
    /// Close calls that consolidation is to look at.
    pub(crate) doubts: Doubts,
    /// What people have said of pairs of mentions.
    pub(crate) links: Links,
    /// Hash over everything that has been logged.
    pub(crate) chain: [u8; 32],
    /// Position in the log that the next operation gets.
    pub(crate) position: u64,
    /// Nodes whose vectors are to be kept as exactly as can be, as the user named them, and their places now.
    pub(crate) pins: Pins,
    pub(crate) view: MentionView,
    pub(crate) scores: Scores,
    pub(crate) stopwatch: Option<Arc<dyn Stopwatch>>,
    /// Which hundredth of all identifiers that of the fact in view is in.
    pub(crate) hundredth: u8,
    stimuli: Vec<Stimulus>,
}

impl AllocationEngine {
    /// An engine with an empty graph.
    pub fn new(config: EngineConfig) -> Self {
        let fields = Arc::new(config.fields.clone());
        Self {
            perceiver: Perceiver { fields: fields.clone(), embedder: config.embedder.clone() },
            dictionary: Dictionary::new(fields),
            encoder: TtfsSpikeEncoder::new(config.spikes),
            index: SpikeIndex::default(),
            vectors: Vectors::new(config.embedder.dimension(), config.embedder.is_lexical(), config.layers),
            columns: MultiColumnProcessor::default(),
            inhibition: LateralInhibition {
                config: config.inhibition,
                is_left_out: config.ablation == Some(Ablation::Inhibition),
            },
            weights: MatchWeights::new([FieldKind::Embedding, FieldKind::Recency]),
            learner: Learner::default(),
            graph: Graph::default(),
            fact_ids: IdMap::default(),
            failure: Failure::default(),
            ballots: VecDeque::new(),
            doubts: Doubts::default(),
            links: Links::default(),
            chain: [0; 32],
            position: 0,
            pins: Pins::default(),
            stopwatch: None,
            hundredth: 0,
            scores: Scores::default(),
            stimuli: Vec::new(),
            view: MentionView::default(),
            config,
        }
    }

    /// Allocates one fact: perceives, recalls, decides, commits.
    ///
    /// # Errors
    /// A [`FactError`] if the fact breaks a bound; the graph is as it was.
    pub fn allocate_fact(&mut self, fact: Fact) -> Result<AllocationResult, FactError> {
        let mut laps = self.laps();
        let perceived = self.perceive(fact)?;
        laps.lap(Stage::Perceive);
        self.allocate_perceived(&perceived)
    }

    /// Allocates facts one after the other; each sees those before it. One result per fact, in their order.
    pub fn allocate_batch(&mut self, facts: Vec<Fact>) -> Vec<Result<AllocationResult, FactError>> {
        facts.into_iter().map(|fact| self.allocate_fact(fact)).collect()
    }

    /// [`allocate_batch`](Self::allocate_batch), perceiving on the threads of `pool`. The result is the same.
    #[cfg(feature = "parallel")]
    pub fn allocate_batch_in(
        &mut self,
        pool: &rayon::ThreadPool,
        facts: Vec<Fact>,
    ) -> Vec<Result<AllocationResult, FactError>> {
        use rayon::prelude::*;
        let perceiver = &self.perceiver;
        let perceived: Vec<_> =
            pool.install(|| facts.into_par_iter().map(|fact| perceiver.perceive(fact)).collect());
        perceived.into_iter().map(|perceived| self.allocate_perceived(&perceived?)).collect()
    }

    /// From now on tells how long each stage takes; none: no longer.
    pub fn set_stopwatch(&mut self, stopwatch: Option<Arc<dyn Stopwatch>>) {
        self.stopwatch = stopwatch;
    }

    pub(crate) fn laps(&self) -> Laps {
        Laps::start(self.stopwatch.as_ref())
    }

    /// Validates a fact and brings it into normal form. Needs nothing of the graph.
    ///
    /// # Errors
    /// A [`FactError`] if the fact breaks a bound.
    pub fn perceive(&self, fact: Fact) -> Result<Perceived, FactError> {
        self.perceiver.perceive(fact)
    }

    fn allocate_perceived(&mut self, perceived: &Perceived) -> Result<AllocationResult, FactError> {
        self.check_not_full(perceived)?;
        self.allocate_noting(perceived, |_, _, _| {})
    }

    /// Allocates a perceived fact; what each mention could choose from, and its ballot, are shown to `note` before it is committed.
    pub(crate) fn allocate_noting(
        &mut self,
        perceived: &Perceived,
        mut note: impl FnMut(&Self, &Candidates, &Ballot),
    ) -> Result<AllocationResult, FactError> {
        self.check_not_full(perceived)?;
        let fact = self.begin(perceived)?;
        let mut nodes = Vec::with_capacity(2);
        let mut laps = self.laps();
        for mention in 0..perceived.mentions.len() {
            let candidates = self.find_candidates(perceived, mention);
            laps.lap(Stage::Recall);
            let ballot = if self.links.is_empty() {
                self.weigh(&candidates)
            } else {
                self.weigh_linked(perceived, mention, fact, candidates.clone())
            };
            laps.lap(Stage::Decide);
            note(self, &candidates, &ballot);
            laps.skip();
            nodes.push(self.commit_mention(perceived, mention, fact, ballot));
            laps.lap(Stage::Commit);
        }
        Ok(self.finish(perceived, fact, nodes))
    }

    /// The candidates of one mention of a perceived fact, counted from 0. Changes nothing that a later decision could see.
    ///
    /// # Panics
    /// If `mention` is not below [`Perceived::mention_count`].
    pub fn recall(&mut self, perceived: &Perceived, mention: usize) -> Candidates {
        self.look_at(perceived);
        self.looking(|engine| engine.find_candidates(perceived, mention))
    }

    /// Lets candidates compete for one mention of a perceived fact, counted from 0. Candidates that are not in the graph are
    /// passed over. Changes nothing that a later decision could see.
    ///
    /// # Panics
    /// If `mention` is not below [`Perceived::mention_count`].
    pub fn decide(&mut self, perceived: &Perceived, mention: usize, candidates: &Candidates) -> Ballot {
        self.look_at(perceived);
        self.looking(|engine| {
            engine.view(perceived, mention);
            engine.look_around();
            engine.weigh(candidates)
        })
    }

    /// Finds out which hundredth of all identifiers that of a fact is in which has not been taken in.
    fn look_at(&mut self, perceived: &Perceived) {
        let source = perceived.source.as_deref().unwrap_or_default();
        self.hundredth = match &perceived.record_id {
            Some(id) => hundredth(source, id),
            None => hundredth(source, &format!("#{}", self.position)),
        };
    }

    /// Runs a look at a fact that may never be committed, and forgets the fields, values and words that only it has.
    fn looking<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.dictionary.mark();
        let found = look(self);
        if self.dictionary.roll_back(mark) {
            self.weights.truncate(self.dictionary.field_count());
            self.columns.words().clear();
        }
        found
    }

    pub(crate) fn find_candidates(&mut self, perceived: &Perceived, mention: usize) -> Candidates {
        self.view(perceived, mention);
        let seen = &perceived.mentions[mention];
        let pattern = self.encode(seen);
        self.scores.clear(self.graph.ids().len());
        self.index.score(&pattern, &self.config.recall, self.config.ablation, &mut self.scores);
        let max = self.config.recall.candidates_max.clamp(1, 4096);
        let mut found: Vec<(NodeIndex, Origins)> = Vec::with_capacity(max + 64);
        let mut add =
            |node: NodeIndex, origin: Origins| match found.iter_mut().find(|(known, _)| *known == node) {
                Some((_, origins)) => origins.insert(origin),
                None => found.push((node, origin)),
            };
        for node in keys(seen, &self.dictionary).iter().flat_map(|&key| self.key_nodes(key)) {
            add(node, Origins::EXACT_KEY);
        }
        for node in self.neighbours(perceived, mention) {
            add(node, Origins::NEIGHBOUR);
        }
        let finder = self.finder();
        let scanned = finder == Finder::Scan && self.view.code.is_some();
        if let Some(code) = &self.view.code {
            let (nearest, around) =
                self.vectors.nearest(code, self.config.recall.vector_candidates_max, finder);
            nearest.into_iter().for_each(|node| add(node, Origins::VECTOR));
            self.view.surroundings = around;
        }
        let weakest = self.scores.top() / 256 * self.config.recall.spike_share_min;
        for &node in self.scores.best(max, weakest) {
            if let Some((_, origins)) = found.iter_mut().find(|(known, _)| *known == node) {
                origins.insert(Origins::SPIKES);
            } else if found.len() < max {
                found.push((node, Origins::SPIKES));
            }
        }
        found.truncate(max);
        let places = self.graph.ids().len();
        // Of places that were given up there may be any number.
        let are_few = self.graph.live_nodes() <= max && places <= 4 * max;
        for node in (0..places as NodeIndex).filter(|_| are_few) {
            if !self.graph.node(node).is_empty() && found.iter().all(|(known, _)| *known != node) {
                found.push((node, Origins::SMALL_GRAPH));
            }
        }
        let candidate = |(node, origins): (NodeIndex, Origins)| Candidate {
            node: self.graph.id(node),
            origins,
            spike_score: self.scores.get(node),
        };
        let mut candidates: Vec<_> = found.into_iter().map(candidate).collect();
        candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.spike_score), candidate.node));
        Candidates { candidates, is_exhaustive: scanned || are_few, pattern }
    }

    /// Finds where the vector of the mention in view lies, unless recall has found it on its way.
    pub(crate) fn look_around(&mut self) {
        if let (None, Some(code)) = (self.view.surroundings, &self.view.code) {
            self.view.surroundings = self.vectors.look_around(code, self.finder());
        }
    }

    /// By what the vectors near to the fact in view are found.
    fn finder(&self) -> Finder {
        self.vectors.finder(self.graph.live_nodes(), self.hundredth)
    }

    /// Lets candidates compete for the mention in view.
    pub(crate) fn weigh(&mut self, candidates: &Candidates) -> Ballot {
        let prior = self.prior();
        let context = Context {
            dictionary: &self.dictionary,
            weights: &self.weights,
            graph: &self.graph,
            vectors: &self.vectors,
            mention: &self.view,
        };
        self.columns.begin(self.config.ablation);
        let mut competitors = Vec::with_capacity(candidates.candidates.len());
        let places = candidates.candidates.iter().filter_map(|candidate| self.graph.index_of(candidate.node));
        MultiColumnProcessor::approach(&context, &places.collect::<SmallVec<[NodeIndex; 64]>>());
        for &Candidate { node, origins, .. } in &candidates.candidates {
            let Some(index) = self.graph.live_index_of(node) else { continue };
            let Weighed { evidence, votes } = self.columns.vote(&context, index, prior);
            // Where nothing speaks for a node but how lately it was spoken of, nothing does.
            if !votes.iter().any(|vote| vote.bits > Bits::ZERO && vote.field != RECENCY) {
                continue;
            }
            competitors.push(Competitor { node, origins, prior, evidence, probability: 0.0, votes });
        }
        let evidence: Vec<Bits> = competitors.iter().map(|competitor| competitor.evidence).collect();
        let point = self.inhibition.compete(&evidence);
        for (competitor, activity) in competitors.iter_mut().zip(point.activities) {
            competitor.probability = activity;
        }
        let count = competitors.len() as u32;
        competitors.sort_by_key(|competitor| std::cmp::Reverse(competitor.evidence));
        competitors.truncate(COMPETITORS_KEPT);
        Ballot {
            table_version: self.weights.version,
            decision: point.decision,
            competitors,
            candidates: count,
            new_probability: point.new_activity,
            margin: point.margin,
            method: candidates.method(),
            pattern: candidates.pattern.clone(),
        }
    }

    /// Log2 prior odds that a mention belongs to one given node rather than to a new one, as decisions are taken.
    pub(crate) fn prior(&self) -> Bits {
        self.cautious_prior() + LEARNING_CAUTION
    }

    /// The prior that the tables are learned with.
    pub(crate) fn cautious_prior(&self) -> Bits {
        -log2(self.graph.live_nodes().max(1) as u64) - Bits::whole(self.config.prior_bits)
    }

    /// Numbers the values of a mention and gathers what its columns look at.
    pub(crate) fn view(&mut self, perceived: &Perceived, mention: usize) {
        let seen = &perceived.mentions[mention];
        self.dictionary.approach(&seen.values);
        self.view.numbered.clear();
        for value in &seen.values {
            let field = self.dictionary.field_id(value);
            while self.weights.field_count() < self.dictionary.field_count() {
                let field = self.weights.field_count() as u16;
                self.weights.add_field(self.dictionary.field(field).kind);
            }
            self.view.numbered.push((field, self.dictionary.intern(field, value)));
        }
        self.view.values.clone_from(&self.view.numbered);
        self.dictionary.keep_evidence(&mut self.view.values);
        self.view.values.sort_unstable();
        let fields = self.view.values.iter().map(|&(field, _)| field);
        self.view.alone = alone_in(&self.dictionary, fields);
        self.view.code = self.code(perceived, mention);
        self.view.surroundings = None;
        self.view.confidence = perceived.confidence;
        let other =
            perceived.mentions.len().checked_sub(mention + 1).and_then(|at| perceived.mentions.get(at));
        let other = other.filter(|_| perceived.mentions.len() == 2);
        self.view.partners = other.map_or(Vec::new(), |other| {
            keys(other, &self.dictionary).iter().flat_map(|&key| self.key_nodes(key)).collect()
        });
    }

    /// The code of a mention's vector, if it has one that is of use.
    pub(crate) fn code(&self, perceived: &Perceived, mention: usize) -> Option<Code> {
        let embedding = &perceived.mentions[mention].embedding;
        self.vectors.encode(embedding, perceived.given_dimension.is_some())
    }

    /// The code of the mention in view: each feature's information, as far as its field can be relied on.
    pub(crate) fn encode(&mut self, mention: &PerceivedMention) -> SpikePattern {
        if let Some(pattern) = self.config.ablation.and_then(|ablation| ablation.pattern(mention)) {
            return pattern;
        }
        self.stimuli.clear();
        let mentions = self.graph.mentions.len() as u64;
        mention.features.iter().for_each(|feature| self.index.ask_for(feature.key));
        for feature in &mention.features {
            let (field, _) = self.view.numbered[usize::from(feature.value)];
            let weights = self.weights.field(field);
            let reliability = match feature.class {
                FeatureClass::Whole => weights.reliability_exact,
                _ => weights.reliability_any,
            };
            let information = self.index.information(feature.key, mentions);
            // What everyone has says little, but where nothing else is said it must be heard.
            let intensity = information.scaled(u32::from(reliability)).max(INTENSITY_MIN);
            self.stimuli.push(Stimulus { neuron: feature.key, group: field, intensity });
        }
        self.encoder.encode(&mut self.stimuli)
    }

    fn key_nodes(&self, key: u64) -> Vec<NodeIndex> {
        self.index.with_key(key, KEY_NODES_MAX)
    }

    /// Nodes tied to the partner by the same predicate as the fact states.
    fn neighbours(&self, perceived: &Perceived, mention: usize) -> Vec<NodeIndex> {
        let mut found = Vec::new();
        let predicate =
            perceived.predicate.as_ref().and_then(|name| self.graph.predicates.get_index_of(name));
        let Some(predicate) = predicate else { return found };
        for &partner in &self.view.partners {
            for edge in self.graph.node(partner).edges.iter().rev().take(256) {
                let edge = self.graph.edge(edge);
                let (near, far) = if mention == 0 { (edge.to, edge.from) } else { (edge.from, edge.to) };
                if near == partner && edge.predicate as usize == predicate && !found.contains(&far) {
                    found.push(far);
                    if found.len() == self.config.recall.neighbours_max {
                        return found;
                    }
                }
            }
        }
        found
    }
}

/// Keys of a mention: whole values of fields that name things.
pub(crate) fn keys(mention: &PerceivedMention, dictionary: &Dictionary) -> Vec<u64> {
    let whole = mention.features.iter().filter(|feature| feature.class == FeatureClass::Whole);
    whole
        .filter(|feature| {
            let name = &mention.values[usize::from(feature.value)].field;
            let kind = dictionary.kind(name);
            *name == TEXT_FIELD || matches!(kind, Some(FieldKind::Key | FieldKind::Identifier))
        })
        .map(|feature| feature.key)
        .collect()
}

impl AllocationEngine {
    /// The fact that a source has given this identifier, unless it is forgotten.
    pub(crate) fn fact_named(&self, source: &str, record_id: &str) -> Option<u32> {
        self.find_fact(source, record_id, |entry| !entry.is_forgotten)
    }

    /// Whether a fact is in the graph already.
    pub(crate) fn is_known(&self, fact: &Fact) -> bool {
        let id = fact.record_id.as_deref();
        let source = fact.source.as_deref().unwrap_or_default();
        id.is_some_and(|id| self.fact_named(source, id).is_some())
    }

    /// A fact that a source has given this identifier, of those that are meant.
    pub(crate) fn find_fact(
        &self,
        source: &str,
        record_id: &str,
        is_meant: impl Fn(&FactEntry) -> bool,
    ) -> Option<u32> {
        self.fact_ids.find(fact_hash(source, record_id), |fact| {
            let entry = self.graph.fact(fact);
            *entry.record_id == *record_id
                && self.graph.sources[entry.source as usize] == *source
                && is_meant(&entry)
        })
    }
}

/// Which hundredth of all facts one is in, 0 to 99, by the name of its source, empty if it has none, and its identifier there: what
/// shares of the facts are counted by.
pub fn hundredth(source: &str, record_id: &str) -> u8 {
    (fact_hash(source, record_id) % 100) as u8
}

/// Under which hash a fact is found.
pub(crate) fn fact_hash(source: &str, record_id: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&(source.len() as u64).to_le_bytes())
        .update(source.as_bytes())
        .update(record_id.as_bytes());
    let mut key = [0; 8];
    hasher.finalize_xof().fill(&mut key);
    u64::from_le_bytes(key)
}
