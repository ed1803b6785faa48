//! Who belongs where, changed after the fact: what merging, splitting, forgetting and their inverses have in common.
//!
//! What a node knows is a function of its members, in the order in which they came. So a change of membership empties the nodes
//! it touches and lets their members join again, and whatever rests on membership follows: values, vectors, postings, keys, edges.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::dictionary::{Dictionary, ValueId};
use crate::engine::{AllocationEngine, keys};
use crate::graph::{Graph, MentionIndex, NOWHERE, NodeId, NodeIndex, NodeRecord, values_max};
use crate::perceive::{FeatureClass, Perceived, PerceivedMention, PerceivedValue};

/// The facts of the mentions that a change touches, perceived anew.
#[derive(Default)]
pub(crate) struct Seen {
    facts: FxHashMap<u32, Rc<Perceived>>,
}

impl Seen {
    pub(crate) fn insert(&mut self, fact: u32, perceived: Perceived) {
        self.facts.insert(fact, Rc::new(perceived));
    }

    pub(crate) fn has(&self, fact: u32) -> bool {
        self.facts.contains_key(&fact)
    }

    fn of(&self, graph: &Graph, mention: MentionIndex) -> (Rc<Perceived>, usize) {
        let fact = graph.mentions[mention as usize].fact;
        let perceived = &self.facts[&fact];
        (Rc::clone(perceived), (mention - graph.first_mention(fact)) as usize)
    }
}

/// One list of the index: a neuron's or a key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Listing {
    Spike(u64),
    Key(u64),
}

/// Mentions that move, each with the node it goes to; [`NOWHERE`] where it is forgotten.
pub(crate) type Moves = [(MentionIndex, NodeIndex)];

impl AllocationEngine {
    /// The facts whose contents a change needs: those of all members of all nodes that it touches, `also` among them.
    pub(crate) fn facts_touched(&self, moves: &Moves, also: &[NodeIndex]) -> Vec<u32> {
        let nodes = self.nodes_touched(moves, also);
        let members = nodes.iter().flat_map(|&node| self.graph.node(node).members);
        let mentions = members.chain(moves.iter().map(|&(mention, _)| mention));
        let mut facts: Vec<u32> =
            mentions.map(|mention| self.graph.mentions[mention as usize].fact).collect();
        facts.sort_unstable();
        facts.dedup();
        facts
    }

    fn nodes_touched(&self, moves: &Moves, also: &[NodeIndex]) -> Vec<NodeIndex> {
        let ends =
            |&(mention, to): &(MentionIndex, NodeIndex)| [self.graph.mentions[mention as usize].node, to];
        let ends = moves.iter().flat_map(ends).chain(also.iter().copied());
        let mut nodes: Vec<NodeIndex> = ends.filter(|&node| node != NOWHERE).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Moves mentions, and with them all that rests on membership; nodes of `also` are gone through as well. `redirect` changes
    /// where merged nodes lead; `seen` has the facts of [`facts_touched`](Self::facts_touched).
    pub(crate) fn regroup(
        &mut self,
        moves: &Moves,
        also: &[NodeIndex],
        seen: &Seen,
        redirect: impl FnOnce(&mut BTreeMap<NodeId, NodeId>),
    ) {
        let nodes = self.nodes_touched(moves, also);
        let goes: FxHashMap<MentionIndex, NodeIndex> = moves.iter().copied().collect();
        let (listed, wanted) = self.listings(&nodes, &goes, seen);
        let ties = self.graph.untie(&nodes);
        let mut members: Vec<MentionIndex> = moves.iter().map(|&(mention, _)| mention).collect();
        for &node in &nodes {
            members.extend(self.graph.empty(node));
            self.vectors.remove(node);
        }
        members.sort_unstable();
        members.dedup();
        redirect(&mut self.graph.redirects);
        // Held in hand until all are in: a large node is not written anew for each.
        let mut joined: BTreeMap<NodeIndex, NodeRecord> = BTreeMap::new();
        for mention in members {
            let own = self.graph.mentions[mention as usize].node;
            let node = goes.get(&mention).copied().unwrap_or(own);
            if node == NOWHERE {
                self.graph.mentions[mention as usize].node = NOWHERE;
                continue;
            }
            let dictionary = &self.dictionary;
            let joined = joined.entry(node).or_insert_with(|| self.graph.record(node));
            self.graph.take_in(joined, node, mention, |field| values_max(dictionary.field(field)));
            let (perceived, at) = seen.of(&self.graph, mention);
            let is_given = perceived.given_dimension.is_some();
            if let Some(code) = self.vectors.encode(&perceived.mentions[at].embedding, is_given) {
                self.vectors.add(node, joined.members.len() as u32, &code);
            }
        }
        joined.iter().for_each(|(&node, joined)| self.graph.put(node, joined));
        let mut gone: Vec<_> = listed.difference(&wanted).copied().collect();
        let mut come: Vec<_> = wanted.difference(&listed).copied().collect();
        gone.sort_unstable();
        come.sort_unstable();
        for (listing, node) in gone {
            match listing {
                Listing::Spike(neuron) => self.index.remove(neuron, node),
                Listing::Key(key) => self.index.remove_key(key, node),
            }
        }
        for (listing, node) in come {
            match listing {
                Listing::Spike(neuron) => self.index.add_neuron(neuron, node),
                Listing::Key(key) => self.index.add_key(key, node),
            }
        }
        ties.into_iter().for_each(|(tie, predicate)| self.graph.tie(tie, predicate));
        self.vectors.keep_up(self.graph.live_nodes(), self.config.recall.scan_nodes_max);
    }

    /// Where the nodes are listed because of their members, and where they should be once those have moved: what a member was
    /// found by goes with it. A mention that comes back is listed by what is telling about it now.
    #[allow(clippy::type_complexity)]
    fn listings(
        &mut self,
        nodes: &[NodeIndex],
        goes: &FxHashMap<MentionIndex, NodeIndex>,
        seen: &Seen,
    ) -> (FxHashSet<(Listing, NodeIndex)>, FxHashSet<(Listing, NodeIndex)>) {
        let (mut listed, mut wanted) = (FxHashSet::default(), FxHashSet::default());
        for &node in nodes {
            for mention in self.graph.node(node).members {
                let to = goes.get(&mention).copied().unwrap_or(node);
                let (perceived, at) = seen.of(&self.graph, mention);
                for listing in self.listings_of(&perceived.mentions[at]) {
                    let is_listed = match listing {
                        Listing::Spike(neuron) => self.index.lists(neuron, node),
                        Listing::Key(key) => self.index.lists_key(key, node),
                    };
                    if is_listed {
                        listed.insert((listing, node));
                        if to != NOWHERE {
                            wanted.insert((listing, to));
                        }
                    }
                }
            }
        }
        let mut back: Vec<_> = goes.iter().map(|(&mention, &to)| (mention, to)).collect();
        back.retain(|&(mention, _)| self.graph.mentions[mention as usize].node == NOWHERE);
        back.sort_unstable();
        for (mention, to) in back.into_iter().filter(|&(_, to)| to != NOWHERE) {
            let (perceived, at) = seen.of(&self.graph, mention);
            self.view(&perceived, at);
            let pattern = self.encode(&perceived.mentions[at]);
            wanted.extend(pattern.spikes.iter().map(|spike| (Listing::Spike(spike.neuron), to)));
            let keys = keys(&perceived.mentions[at], &self.dictionary);
            wanted.extend(keys.into_iter().map(|key| (Listing::Key(key), to)));
        }
        (listed, wanted)
    }

    /// Everything that a node may be listed under because of this member. Whether a value is a key depends on the kind of its
    /// field, which may have been another one when the member came in.
    fn listings_of<'a>(&self, mention: &'a PerceivedMention) -> impl Iterator<Item = Listing> + 'a {
        let whole = mention.features.iter().filter(|feature| feature.class == FeatureClass::Whole);
        let spikes = mention.features.iter().map(|feature| Listing::Spike(feature.key));
        spikes.chain(whole.map(|feature| Listing::Key(feature.key)))
    }

    /// Takes facts out of the graph: their mentions leave their nodes, and what was counted of them is taken back.
    pub(crate) fn take_out(&mut self, facts: &[u32], seen: &Seen) {
        let mentions = facts.iter().flat_map(|&fact| self.graph.mentions_of(fact));
        let moves: Vec<_> = mentions.map(|mention| (mention, NOWHERE)).collect();
        let nodes = self.nodes_touched(&moves, &[]);
        self.regroup(&moves, &[], seen, |_| {});
        let mut is_surface_gone = false;
        for &(mention, _) in &moves {
            self.each_value(seen, mention, |dictionary, id, value| {
                is_surface_gone |= dictionary.uncount(id, value);
            });
            let (perceived, at) = seen.of(&self.graph, mention);
            perceived.mentions[at].features.iter().for_each(|feature| self.index.uncount(feature.key));
            self.learner.forget(mention);
        }
        if is_surface_gone {
            // What stays behind is shown as its own members wrote it.
            let left: Vec<_> = nodes.iter().flat_map(|&node| self.graph.node(node).members).collect();
            left.into_iter().for_each(|mention| self.each_value(seen, mention, Dictionary::show_as));
        }
        for &fact in facts {
            self.graph.set_forgotten(fact, true);
        }
        self.graph.live_fact_count -= facts.len();
    }

    /// Calls for every value of a mention.
    fn each_value(
        &mut self,
        seen: &Seen,
        mention: MentionIndex,
        mut visit: impl FnMut(&mut Dictionary, ValueId, &PerceivedValue),
    ) {
        let (perceived, at) = seen.of(&self.graph, mention);
        self.view(&perceived, at);
        for (value, &(_, id)) in perceived.mentions[at].values.iter().zip(&self.view.numbered) {
            visit(&mut self.dictionary, id, value);
        }
    }

    /// Brings facts back: each mention to the node named for it.
    pub(crate) fn bring_back(&mut self, facts: &[u32], moves: &Moves, seen: &Seen) {
        for &fact in facts {
            self.graph.set_forgotten(fact, false);
        }
        self.graph.live_fact_count += facts.len();
        for &(mention, _) in moves {
            self.each_value(seen, mention, |dictionary, id, value| dictionary.count(id, value, mention));
            let (perceived, at) = seen.of(&self.graph, mention);
            perceived.mentions[at].features.iter().for_each(|feature| self.index.count(feature.key));
        }
        self.regroup(moves, &[], seen, |_| {});
        facts.iter().for_each(|&fact| self.take_links_over(fact));
    }
}
