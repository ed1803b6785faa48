//! Random operations on a graph and on a plain model of it.

use std::collections::{BTreeMap, BTreeSet};

use cortexkg::{Decision, Depth, DurableEngine, Fact, Forget, LinkKind, NodeId, OperationError};
use cortexkg_store::{MemoryStore, Store, Sync};

use crate::common::Sequence;
use crate::common::picture::{Picture, open};
use crate::common::stream;
use crate::common::swap::{Disk, open_within};
use crate::model::{Mention, Model, Refused};
use crate::{scaled, seed, tell};

/// Facts that are not forgotten, about.
const LIVE_MAX: usize = 250;
const SOURCES: usize = 12;

struct Run {
    random: Sequence,
    graph: DurableEngine<MemoryStore>,
    model: Model,
    facts: usize,
    /// Whether some facts bring vectors: in every other run.
    has_vectors: bool,
    refused: usize,
    reopened: usize,
    /// How things stood after some operations: the nodes of mentions, and where identifiers led.
    past: Vec<(u64, Then)>,
    /// How often each kind of operation was done.
    done: BTreeMap<&'static str, usize>,
}

type Then = (BTreeMap<Mention, NodeId>, BTreeMap<NodeId, NodeId>);

/// A mention's name, as operations take it.
fn name(model: &Model, (position, at): Mention) -> String {
    let said = &model.facts[&position];
    let id = said.fact.record_id.as_deref().unwrap();
    let is_triple = matches!(said.fact.content, cortexkg::FactContent::Triple { .. });
    format!(
        "{id}{}",
        if !is_triple {
            ""
        } else if at == 0 {
            "#s"
        } else {
            "#o"
        }
    )
}

/// Names of mentions that are members of a node: source and record.
type Names = BTreeMap<(String, String), Mention>;

impl Model {
    fn clone_names(&self) -> Names {
        let of = |&mention: &Mention| {
            let source = self.facts[&mention.0].fact.source.clone().unwrap_or_default();
            ((source, name(self, mention)), mention)
        };
        self.nodes.keys().map(of).collect()
    }
}

/// The members of a node that was split off.
fn split_off(graph: &DurableEngine<MemoryStore>, names: &Names, node: NodeId) -> Vec<Mention> {
    let members = graph.engine().node(node).map_or_else(Vec::new, |node| node.members);
    members.into_iter().map(|member| names[&(member.source, member.record_id)]).collect()
}

impl Run {
    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// Both did it, or both refused it, without a trace.
    fn settle(
        &mut self,
        what: &'static str,
        found: Result<u64, OperationError>,
        expected: Result<u64, Refused>,
    ) {
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{what}: position"),
            (Err(error), Err(_)) => {
                let grave = matches!(
                    error,
                    OperationError::Store(_) | OperationError::Broken | OperationError::Snapshot { .. }
                );
                assert!(!grave, "{what}: {error}");
                self.refused += 1;
            }
            (Ok(_), Err(why)) => panic!("{what}: done, though {why}"),
            (Err(error), Ok(_)) => panic!("{what}: {error}"),
        }
        self.count(what);
    }

    fn any_node(&mut self) -> NodeId {
        NodeId(self.random.below(self.model.next_node as usize + 1) as u64)
    }

    fn live_node(&mut self) -> Option<NodeId> {
        let live: Vec<_> = self.model.live_nodes().into_iter().collect();
        (!live.is_empty()).then(|| live[self.random.below(live.len())])
    }

    fn allocate(&mut self) {
        let mut facts = Vec::new();
        for _ in 0..[1, 1, 2, 5][self.random.below(4)] {
            let mut fact = stream::fact(&mut self.random);
            fact.source = match self.random.below(SOURCES + 1) {
                SOURCES => None,
                at => Some(format!("source {at}")),
            };
            if self.has_vectors && self.random.below(5) == 0 {
                let of = self.random.below(30);
                let vector = (0..8).map(|at| ((of * 31 + at * 17) * 7919 % 199) as f32 - 99.0);
                fact.embedding = Some(vector.collect());
            }
            // Now and then an identifier that was used before.
            let number =
                if self.random.below(10) == 0 { self.random.below(self.facts + 1) } else { self.facts };
            self.facts += 1;
            facts.push(if self.random.below(9) == 0 { fact } else { fact.with_id(format!("r{number}")) });
        }
        let sync = if self.random.below(2) == 0 { Sync::Durable } else { Sync::Lazy };
        let results = self.graph.allocate_batch(facts.clone(), sync).unwrap();
        for (mut fact, result) in facts.into_iter().zip(results) {
            let result = result.unwrap();
            let known = fact.record_id.as_deref().and_then(|id| self.model.named(fact.source.as_deref(), id));
            assert_eq!(result.repeated, known.is_some());
            if let Some(known) = known {
                assert_eq!(result.log_position, known);
                for (at, mention) in result.mentions().enumerate() {
                    assert_eq!(mention.allocated_node, self.model.nodes[&(known, at)]);
                }
                continue;
            }
            let rivals = result.mentions().map(|mention| {
                let source = fact.source.as_deref();
                let why = self.graph.why(source, &mention.record_id).unwrap();
                assert_eq!(why.result.decision, mention.decision);
                (mention.decision == Decision::Possible).then(|| why.candidates[0].node)
            });
            let rivals = rivals.collect();
            fact.record_id =
                result.record_id.strip_suffix("#s").or(Some(&result.record_id)).map(str::to_owned);
            self.model.allocate(fact, &result, rivals);
        }
        self.count("allocate");
    }

    fn merge(&mut self) {
        let any = self.random.below(6) == 0;
        let [left, right] =
            [(); 2].map(|()| if any { self.any_node() } else { self.live_node().unwrap_or(NodeId(0)) });
        let found = self.graph.merge(left, right);
        let expected = self.model.merge(left, right);
        self.settle("merge", found, expected);
    }

    fn unmerge(&mut self) {
        let redirected: Vec<_> = self.model.redirects.keys().copied().collect();
        let node = match self.random.below(4) {
            0 => self.any_node(),
            _ if redirected.is_empty() => return,
            1 => self.model.redirects[&redirected[self.random.below(redirected.len())]],
            _ => redirected[self.random.below(redirected.len())],
        };
        let found = self.graph.unmerge(node);
        let expected = self.model.unmerge(node);
        self.settle("unmerge", found, expected);
    }

    fn split(&mut self) {
        let Some(node) = self.live_node() else { return };
        let members = self.model.members(node);
        let some: Vec<Mention> = members.into_iter().filter(|_| self.random.below(2) == 0).collect();
        let names: Vec<_> = some.iter().map(|&mention| name(&self.model, mention)).collect();
        // A name stands for all members of that name, whatever their source.
        let members = self.model.members(node).into_iter();
        let some: Vec<_> = members.filter(|&mention| names.contains(&name(&self.model, mention))).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let found = self.graph.split(node, &names).map(|(position, _)| position);
        let expected = self.model.split(node, &some);
        self.settle("split", found, expected);
    }

    fn link(&mut self, kind: LinkKind) {
        let live: Vec<Mention> = self.model.nodes.keys().copied().collect();
        if live.is_empty() {
            return;
        }
        let one = live[self.random.below(live.len())];
        // Mostly of one node, where a cannot-link has something to do.
        let members = self.model.members(self.model.nodes[&one]);
        let other = match self.random.below(3) {
            0 if kind == LinkKind::Cannot => live[self.random.below(live.len())],
            _ if kind == LinkKind::Cannot => members[self.random.below(members.len())],
            _ => live[self.random.below(live.len())],
        };
        let names =
            [one, other].map(|of| (self.model.facts[&of.0].fact.source.clone(), name(&self.model, of)));
        let [left, right] = names
            .each_ref()
            .map(|(source, record)| cortexkg::MentionName { source: source.as_deref(), record });
        let found = match kind {
            LinkKind::Must => self.graph.must_link(left, right),
            LinkKind::Cannot => self.graph.cannot_link(left, right),
        };
        let (graph, names) = (&self.graph, self.model.clone_names());
        let expected = self.model.link(kind, [one, other], &|node| split_off(graph, &names, node));
        let what = if kind == LinkKind::Must { "must-link" } else { "cannot-link" };
        self.settle(what, found.map(|linked| linked.position), expected);
    }

    fn forget(&mut self, what: usize) {
        match what {
            0 => {
                let live: Vec<u64> = self.model.live_facts().map(|(position, _)| position).collect();
                if live.is_empty() {
                    return;
                }
                let position = live[self.random.below(live.len())];
                let fact = self.model.facts[&position].fact.clone();
                let (source, record_id) = (fact.source.as_deref(), fact.record_id.as_deref().unwrap());
                let (found, count) = self.graph.forget(&Forget::Fact { source, record_id }).unwrap();
                assert_eq!((found, count), (self.model.forget(&BTreeSet::from([position]), None), 1));
                self.count("forget a fact");
            }
            1 => {
                let Some(node) = self.live_node() else { return };
                let facts: BTreeSet<u64> =
                    self.model.members(node).into_iter().map(|(fact, _)| fact).collect();
                let (found, count) = self.graph.forget(&Forget::Node(node)).unwrap();
                assert_eq!((found, count), (self.model.forget(&facts, None), facts.len()));
                self.count("forget a node");
            }
            _ => {
                let source = format!("source {}", self.random.below(SOURCES));
                let of_it = |said: &Fact| said.source.as_ref() == Some(&source);
                let facts = self.model.live_facts().filter(|(_, said)| of_it(&said.fact));
                let facts: BTreeSet<u64> = facts.map(|(position, _)| position).collect();
                match self.graph.forget(&Forget::Source(&source)) {
                    Ok((found, count)) => {
                        assert_eq!((found, count), (self.model.forget(&facts, None), facts.len()));
                    }
                    Err(OperationError::UnknownSource { .. } | OperationError::ForgottenSource { .. }) => {
                        assert!(facts.is_empty());
                    }
                    Err(error) => panic!("{error}"),
                }
                self.count("forget a source");
            }
        }
    }

    fn undo(&mut self) {
        let end = self.model.position as usize;
        let position = match self.random.below(2) {
            0 => end.saturating_sub(1 + self.random.below(30)),
            _ => self.random.below(end + 1),
        };
        let found = self.graph.undo(position as u64);
        let (graph, names) = (&self.graph, self.model.clone_names());
        let expected = self.model.undo(position as u64, &|node| split_off(graph, &names, node));
        self.settle("undo", found, expected);
    }

    fn reopen(&mut self) {
        let before = self.graph.state_hash().unwrap();
        let road = self.random.below(4);
        if road == 0 {
            self.graph.checkpoint().unwrap();
        }
        let graph = std::mem::replace(&mut self.graph, open(MemoryStore::default()));
        let mut store = graph.close().unwrap();
        if road == 1 {
            store.remove_snapshot().unwrap();
        }
        let bytes_max = (self.random.below(3) == 0).then_some(9 << 20);
        let disk = (self.random.below(2) == 0).then(Disk::default);
        self.graph = open_within(store, bytes_max, disk.as_ref());
        assert_eq!(self.graph.opening().snapshot_damage, None);
        assert_eq!(self.graph.state_hash().unwrap(), before, "opened again by road {road}");
        self.reopened += 1;
    }

    fn step(&mut self) {
        let too_many = self.model.live_facts().count() > LIVE_MAX;
        match self.random.below(100) {
            0..40 if !too_many => self.allocate(),
            0..40 => {
                let what = 1 + self.random.below(2);
                self.forget(what);
            }
            40..46 => self.merge(),
            46..48 => self.link(LinkKind::Must),
            48..50 => self.link(LinkKind::Cannot),
            50..56 => self.unmerge(),
            56..62 => self.split(),
            62..72 => self.forget(0),
            72..76 => self.forget(1),
            76 => self.forget(2),
            77..93 => self.undo(),
            93..97 => self.reopen(),
            97 | 98 => {
                self.graph.compact().unwrap();
                self.model.compact();
                self.count("compact");
            }
            _ => {
                self.graph.checkpoint().unwrap();
                self.count("checkpoint");
            }
        }
        assert_eq!(self.graph.position(), self.model.position);
        assert_eq!(self.graph.engine().fact_count(), self.model.live_facts().count());
        let broken = self.model.broken();
        assert!(broken.iter().all(|(kind, ..)| *kind == LinkKind::Must), "{broken:?}");
    }

    /// How things stood right after an operation, as far as it is not compacted away.
    fn compare_then(
        &self,
        position: u64,
        nodes: &BTreeMap<Mention, NodeId>,
        redirects: &BTreeMap<NodeId, NodeId>,
    ) {
        let view = self.graph.view(Some(position)).unwrap();
        let mut found = Vec::new();
        view.assignments(&mut |assignment| {
            found.push((assignment.log_position, assignment.record_id.clone(), assignment.node));
            Ok(())
        })
        .unwrap();
        let there = nodes.iter().filter(|((fact, _), _)| self.model.facts.contains_key(fact));
        let expected: Vec<_> =
            there.map(|(&mention, &node)| (mention.0, name(&self.model, mention), node)).collect();
        assert_eq!(found, expected, "as of {position}");
        for (&from, &to) in redirects {
            assert_eq!(view.resolve(from), view.resolve(to), "{from} as of {position}");
        }
    }

    /// Everything that the model knows.
    fn compare(&mut self) {
        let (graph, model) = (&self.graph, &self.model);
        let picture = Picture::of(graph);
        let ids: Vec<_> = picture.nodes.iter().map(|node| node.id).collect();
        assert_eq!(ids, model.live_nodes().into_iter().collect::<Vec<_>>());
        let mut edges = BTreeSet::new();
        for node in &picture.nodes {
            let members: Vec<_> = node.members.iter().map(|member| member.record_id.clone()).collect();
            let expected: Vec<_> =
                model.members(node.id).into_iter().map(|mention| name(model, mention)).collect();
            assert_eq!(members, expected, "{}", node.id);
            edges.extend(node.edges.iter().cloned());
        }
        assert_eq!(edges, model.edges());
        assert_eq!(picture.counts, (ids.len(), edges.len(), model.live_facts().count()));
        let links: Vec<_> = graph
            .links()
            .iter()
            .map(|link| (link.position, (link.kind, link.mentions[0], link.mentions[1])))
            .collect();
        assert_eq!(links, model.links.iter().map(|(&origin, &link)| (origin, link)).collect::<Vec<_>>());
        let redirects: Vec<_> = model.redirects.keys().map(|&id| (id, model.resolve(id))).collect();
        assert_eq!(picture.redirects, redirects);
        for position in 0..model.position {
            let found = graph.fact_at(position).unwrap();
            assert_eq!(found.as_ref(), model.facts.get(&position).map(|said| &said.fact), "fact {position}");
        }
        for (position, said) in &model.facts {
            let (source, id) = (said.fact.source.as_deref(), said.fact.record_id.as_deref().unwrap());
            let found = graph.find(source, id).unwrap().map(|found| found.log_position);
            assert_eq!(found, model.named(source, id), "{position}");
        }
        for (position, (nodes, redirects)) in &self.past {
            self.compare_then(*position, nodes, redirects);
        }
        let values: u64 = picture.model.iter().map(|field| field.present).sum();
        assert!(model.live_facts().count() > 0 || values == 0, "nothing is left but counts");
    }
}

#[test]
fn random_operations() {
    let operations = scaled(100_000);
    let seed = seed();
    let mut run = Run {
        random: Sequence(seed),
        graph: open(MemoryStore::default()),
        model: Model::default(),
        facts: 0,
        has_vectors: seed.is_multiple_of(2),
        refused: 0,
        reopened: 0,
        past: Vec::new(),
        done: BTreeMap::new(),
    };
    let (mut at, mut compared) = (0, 0);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        while at < operations {
            run.step();
            at += 1;
            if at % 97 == 0 {
                run.past
                    .push((run.model.position - 1, (run.model.nodes.clone(), run.model.redirects.clone())));
                if run.past.len() > 4 {
                    run.past.remove(at % 5);
                }
            }
            if at % 40 == 0 || at == operations {
                run.compare();
                compared += 1;
            }
            if at % 500 == 0 {
                let report = run.graph.verify(Depth::Rebuild, &mut |_| {}).unwrap();
                assert!(report.is_clean(), "{:?}", report.faults);
            }
        }
    }));
    if let Err(panic) = outcome {
        println!("operation {at} of a run with CORTEXKG_TORTURE_SEED={seed} failed");
        std::panic::resume_unwind(panic);
    }
    tell("random operations", "operations", operations);
    for (what, count) in &run.done {
        tell("random operations", what, count);
    }
    tell("random operations", "refused by both", run.refused);
    tell("random operations", "opened again", run.reopened);
    tell("random operations", "compared in full", compared);
}
