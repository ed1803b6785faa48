//! What an engine can say of itself: counts, bytes, the hash of its state, the model it has learned.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::commit::is_boundary;
use crate::comparator::Comparator;
use crate::compare::Level;
use crate::dictionary::FieldId;
use crate::engine::AllocationEngine;
use crate::graph::{Exception, Mention, NOWHERE, NodeId, NodeValue};
use crate::perceive::TEXT_FIELD;
use crate::profile::FieldKind;
use crate::weights::LevelProbabilities;

/// Hash (BLAKE3, 256 bit) over the configuration, every decision so far with its evidence, nodes with their values and vectors,
/// edges, and the learned tables in force.
///
/// The same facts in the same order under the same configuration give the same hash on every processor, with one thread or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateHash(pub [u8; 32]);

impl fmt::Display for StateHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Where it is known from how a field is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Found from the values.
    Found,
    /// Given by the user.
    Given,
}

impl Origin {
    fn of(is_given: bool) -> Self {
        if is_given { Self::Given } else { Self::Found }
    }
}

/// What has been learned of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldModel {
    /// Name of the field; those that start with `@` are the engine's own.
    pub name: String,
    /// The kind that its values speak for, or that the user gave.
    pub kind: FieldKind,
    /// Which of the two.
    pub kind_from: Origin,
    /// What compares its values; none for what is no field of a source.
    pub comparator: Option<Comparator>,
    /// Whether that is the kind's own, or given.
    pub comparator_from: Origin,
    /// Whether the user wants it kept and nothing else: no evidence, no recall.
    pub ignored: bool,
    /// Mentions that have it.
    pub present: u64,
    /// Different values seen.
    pub distinct: u64,
    /// Probabilities of the levels of agreement, as in force.
    pub probabilities: LevelProbabilities,
    /// Log2 match weight of each level from exact to different, with the average frequency of what agrees.
    pub weights_bits: [f32; Level::COUNT],
}

/// How far agreement in one field is agreement in another already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldOverlap {
    /// The field that agrees.
    pub given: String,
    /// The field of which that says something.
    pub field: String,
    /// The part, 0 to 1, of the information in "`field` agrees" that "`given` agrees" has given already.
    pub share: f32,
}

/// The learned tables in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnedModel {
    /// How often the tables have been refreshed.
    pub version: u32,
    /// Mentions so far, those of forgotten facts among them.
    pub mentions: u64,
    /// The number of mentions at which the tables are refreshed next.
    pub refreshes_at_mentions: u64,
    /// What has been learned of every field, in order of appearance; the engine's own come first.
    pub fields: Vec<FieldModel>,
    /// How far fields say the same, most first; pairs that say nothing of each other are left out.
    pub overlaps: Vec<FieldOverlap>,
}

/// A node as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeView {
    /// Its identifier.
    pub id: NodeId,
    /// It in one line: the commonest value of every field.
    pub label: String,
    /// Field, value as first written, and how many members have it, by field in order of appearance.
    pub properties: Vec<(String, String, u32)>,
    /// Its names: all texts and ends of triples that were allocated to it, as first written; at most 256.
    pub aliases: Vec<String>,
    /// The mentions that belong to it, in order.
    pub members: Vec<MemberView>,
    /// Edges that leave or reach it: from, predicate, to.
    pub edges: Vec<(NodeId, String, NodeId)>,
}

/// Where a mention came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberView {
    /// Its identifier; for the ends of triples with `#s` or `#o`.
    pub record_id: String,
    /// Who said it; empty if the fact named no source.
    pub source: String,
    /// When it was true, in seconds since 1970-01-01T00:00:00Z, if the fact said so.
    pub time_s: Option<i64>,
    /// Trust in the source, 0 to 1.
    pub confidence: f32,
}

/// A conflict that a decision was taken in spite of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExceptionView {
    /// The mention.
    pub record_id: String,
    /// The node it belongs to all the same.
    pub node: NodeId,
    /// The field in which they conflict.
    pub field: String,
    /// What the mention says.
    pub stated: String,
    /// What the node held.
    pub held: String,
    /// Evidence against, in bits; negative.
    pub bits: f32,
}

impl AllocationEngine {
    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.graph.live_nodes()
    }

    /// Number of edges, `possibly_same` among them.
    pub fn edge_count(&self) -> usize {
        self.count_edges()
    }

    fn count_edges(&self) -> usize {
        let mut count = 0;
        self.graph.scan_shown_edges(|_| count += 1);
        count
    }

    /// Number of facts that are not forgotten.
    pub fn fact_count(&self) -> usize {
        self.graph.live_fact_count
    }

    /// Position in the log that the next operation gets.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The identifier that the next node gets: above all that are, or were, in use.
    pub fn next_node_id(&self) -> NodeId {
        self.graph.next_id()
    }

    /// The identifier under which a node is known now: its own, or where those that were merged lead.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        self.graph.resolve(id)
    }

    /// Every identifier that leads to another node, with that node, in their order.
    pub fn redirects(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        self.graph.redirects.keys().map(|&id| (id, self.graph.resolve(id)))
    }

    /// A node by its identifier; redirects are not followed ([`resolve`](Self::resolve)).
    pub fn node(&self, id: NodeId) -> Option<NodeView> {
        let index = self.graph.live_index_of(id)?;
        let node = self.graph.node(index);
        let properties = node.values.iter().map(|value| {
            let field = self.dictionary.field(value.field).name.clone();
            (field, self.dictionary.surface(value.value).to_string(), value.count)
        });
        let is_name = |value: &NodeValue| self.dictionary.field(value.field).name == TEXT_FIELD;
        let names = node.values.iter().filter(is_name);
        let aliases = names.map(|value| self.dictionary.surface(value.value).to_string());
        let shown = node.edges.iter().map(|at| self.graph.edge(at));
        let edges = shown.filter(|edge| self.graph.is_shown(edge)).map(|edge| {
            let [from, to] = [edge.from, edge.to].map(|end| self.graph.id(end));
            (from, self.graph.predicates[edge.predicate as usize].clone(), to)
        });
        Some(NodeView {
            id,
            label: self.label(index),
            properties: properties.collect(),
            aliases: aliases.collect(),
            members: node.members.iter().map(|mention| self.member(mention)).collect(),
            edges: edges.collect(),
        })
    }

    pub(crate) fn member(&self, mention: u32) -> MemberView {
        let fact = self.graph.fact(self.graph.mentions[mention as usize].fact);
        MemberView {
            record_id: self.mention_id(mention),
            source: self.graph.sources[fact.source as usize].clone(),
            time_s: fact.time_s,
            confidence: f32::from(fact.confidence) / 256.0,
        }
    }

    /// Identifiers of all nodes, in the order of creation.
    pub fn node_ids(&self) -> impl ExactSizeIterator<Item = NodeId> {
        let mut ids = Vec::with_capacity(self.graph.live_nodes());
        self.graph.scan_nodes(|at, node| {
            if !node.is_empty() {
                ids.push(self.graph.id(at));
            }
        });
        ids.into_iter()
    }

    /// Conflicts that decisions were taken in spite of, in the order of the log.
    pub fn exceptions(&self) -> impl Iterator<Item = ExceptionView> {
        let stands = |exception: &&Exception| {
            self.graph.mentions[exception.mention as usize].node != NOWHERE
                && self.dictionary.is_in_use(exception.held)
        };
        self.graph.exceptions.iter().filter(stands).map(|exception| {
            let Mention { node, .. } = self.graph.mentions[exception.mention as usize];
            let text = |value| self.dictionary.surface(value).to_string();
            ExceptionView {
                record_id: self.mention_id(exception.mention),
                node: self.graph.id(node),
                field: self.dictionary.field(exception.field).name.clone(),
                stated: text(exception.stated),
                held: text(exception.held),
                bits: exception.bits.as_f32(),
            }
        })
    }

    /// Name of a mention: that of its fact, with `#s` or `#o` for the ends of a triple.
    pub(crate) fn mention_id(&self, mention: u32) -> String {
        let Mention { fact, role, .. } = self.graph.mentions[mention as usize];
        let suffix = ["", "#s", "#o"][usize::from(role)];
        format!("{}{suffix}", self.graph.fact(fact).record_id)
    }

    /// What has been learned of every field.
    pub fn model(&self) -> Vec<FieldModel> {
        let entries = self.dictionary.fields().enumerate();
        entries
            .map(|(at, entry)| {
                let learned = self.learner.probabilities(at as FieldId);
                let probabilities = learned.unwrap_or_else(|| LevelProbabilities::prior(entry.kind));
                let LevelProbabilities { m, u } = probabilities;
                FieldModel {
                    name: entry.name.clone(),
                    kind: entry.kind,
                    kind_from: Origin::of(entry.given.kind.is_some()),
                    comparator: entry.comparator(),
                    comparator_from: Origin::of(entry.given.comparator.is_some()),
                    ignored: entry.given.ignore,
                    present: entry.profile.present,
                    distinct: entry.profile.distinct,
                    probabilities,
                    weights_bits: std::array::from_fn(|level| libm::log2(m[level] / u[level]) as f32),
                }
            })
            .collect()
    }

    /// The learned tables in force, with what has been learned of every field.
    pub fn learned(&self) -> LearnedModel {
        let fields = self.model();
        let mut overlaps = Vec::new();
        for (given, by) in (0..).zip(&fields) {
            for (field, of) in (0..).zip(&fields).filter(|(field, _)| *field != given) {
                let share = f32::from(self.weights.overlap(given, field)) / 256.0;
                if share > 0.0 {
                    let (given, field) = (by.name.clone(), of.name.clone());
                    overlaps.push(FieldOverlap { given, field, share });
                }
            }
        }
        overlaps.sort_by(|a, b| b.share.total_cmp(&a.share));
        let mentions = self.graph.mentions.len();
        let next = (mentions + 1..).find(|&mentions| is_boundary(mentions)).unwrap_or(mentions);
        LearnedModel {
            version: self.weights.version,
            mentions: mentions as u64,
            refreshes_at_mentions: next as u64,
            fields,
            overlaps,
        }
    }

    /// Bytes held by every structure, counted, by name.
    pub fn memory(&self) -> Vec<(&'static str, usize)> {
        let ballots = self.ballots.iter().map(|ballot| {
            let votes = ballot.competitors.iter().map(|competitor| size_of_val(&*competitor.votes));
            size_of_val(ballot) + size_of_val(&*ballot.competitors) + votes.sum::<usize>()
        });
        vec![
            ("graph", self.graph.bytes()),
            ("dictionary", self.dictionary.bytes()),
            ("spike index", self.index.bytes()),
            ("vectors", self.vectors.bytes()),
            (
                "learning",
                self.learner.bytes() + self.weights.bytes() + self.doubts.bytes() + self.links.bytes(),
            ),
            ("ballots", ballots.sum()),
            ("identifiers", self.fact_ids.map().bytes()),
            ("scratch", self.columns.bytes() + self.scores.bytes()),
        ]
    }

    /// Hash of the state; see [`StateHash`]. Takes time in proportion to the graph.
    pub fn state_hash(&self) -> StateHash {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.chain);
        let mut text = |part: &str| {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        text(&self.config.rules());
        let mut written = String::new();
        self.graph.scan_nodes(|at, node| {
            if !node.is_empty() {
                written.clear();
                let _ = write!(written, "{} {}", self.graph.id(at), node.members.len());
                for value in node.values {
                    let _ = write!(written, " {}:{}:{}", value.field, value.value, value.count);
                }
                text(&written);
            }
        });
        if self.vectors.say_more_than_words() {
            text(&format!("{:?}", self.vectors.surroundings.common()));
        }
        if let Some(index) = self.vectors.near_index() {
            text(&format!("{:?} {:?}", self.layers(), index.precisions()));
        }
        self.vectors.scan(|node, code| {
            written.clear();
            let _ = write!(written, "{node} {code:?}");
            text(&written);
        });
        self.dictionary.scan_values(|_, value| {
            if value.count() > 0 {
                text(value.normal());
            }
        });
        for (from, to) in &self.graph.redirects {
            text(&format!("{from} is {to}"));
        }
        self.graph.scan_shown_edges(|edge| {
            let [from, to] = [edge.from, edge.to].map(|end| self.graph.id(end));
            text(&format!("{from} {to}"));
            text(&self.graph.predicates[edge.predicate as usize]);
        });
        for entry in self.dictionary.fields() {
            text(&entry.name);
            text(&format!("{:?} {:?}", entry.kind, entry.profile));
        }
        for (origin, link) in self.links.iter() {
            text(&format!("{origin} {link:?}"));
        }
        text(&self.weights.canonical());
        StateHash(*hash.finalize().as_bytes())
    }
}
