//! Opening again: from the log, from a snapshot, from a snapshot and what came after it.

use cortexkg::{AllocationEngine, DurableEngine, EngineConfig, Fact, Forget, OperationError};
use cortexkg_store::{ChangeSet, MemoryStore, Store, StoreError, Sync, Table};

use crate::common::picture::{Picture, check_future, check_roads, empty, filled, open, take_in};
use crate::common::stream::facts;

#[test]
fn after_every_fact_it_is_the_graph_of_one_long_run() {
    let mut long = AllocationEngine::new(EngineConfig::default());
    let mut store = MemoryStore::default();
    for (at, fact) in facts(1, 150).into_iter().enumerate() {
        let expected = long.allocate_fact(fact.clone()).unwrap();
        let mut graph = open(store);
        assert_eq!(graph.position(), at as u64);
        assert_eq!(graph.allocate_fact(fact).unwrap(), expected);
        assert_eq!(graph.state_hash().unwrap(), long.state_hash());
        if at % 40 == 20 {
            graph.checkpoint().unwrap();
        }
        store = graph.close().unwrap();
    }
}

#[test]
fn a_batch_is_as_one_by_one() {
    let facts = facts(2, 300);
    let mut one_by_one = empty();
    let expected: Vec<_> = facts.iter().map(|fact| one_by_one.allocate_fact(fact.clone()).unwrap()).collect();
    for size in [1, 7, 64, 300] {
        let mut graph = empty();
        let found: Vec<_> = facts.chunks(size).flat_map(|part| take_in(&mut graph, part.to_vec())).collect();
        assert_eq!(found, expected);
        assert_eq!(Picture::of(&graph), Picture::of(&one_by_one));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let mut graph = empty();
    let found = graph.allocate_batch_in(&pool, facts, Sync::Lazy).unwrap();
    assert_eq!(found.into_iter().map(Result::unwrap).collect::<Vec<_>>(), expected);
    assert_eq!(Picture::of(&graph), Picture::of(&one_by_one));
}

#[test]
fn a_record_that_comes_again_is_passed_over() {
    let facts: Vec<_> = facts(3, 120).into_iter().filter(|fact| fact.record_id.is_some()).collect();
    let mut graph = empty();
    let first = take_in(&mut graph, facts.clone());
    let hash = graph.state_hash().unwrap();
    let again = take_in(&mut graph, facts.clone());
    for (first, again) in first.iter().zip(&again) {
        let mut expected = first.clone();
        expected.repeated = true;
        expected.object.iter_mut().for_each(|object| object.repeated = true);
        assert_eq!(*again, expected);
    }
    assert_eq!(graph.state_hash().unwrap(), hash);
    // Twice in one batch.
    let fact = Fact::text("Konrad Zuse").with_id("twice");
    let results = take_in(&mut graph, vec![fact.clone(), fact]);
    assert_eq!((results[0].repeated, results[1].repeated), (false, true));
    assert_eq!(results[0].log_position, results[1].log_position);
    // The assignment is the one that stands.
    let [left, right] = [&first[0], &first[1]].map(|result| graph.engine().resolve(result.allocated_node));
    if left != right {
        graph.merge(left, right).unwrap();
    }
    assert_eq!(take_in(&mut graph, vec![facts[1].clone()])[0].allocated_node, left);
    // Another source may use the same identifier.
    let elsewhere = Fact::text("Konrad Zuse").with_id("twice").with_source("elsewhere");
    assert!(!take_in(&mut graph, vec![elsewhere])[0].repeated);
    check_roads(&graph, "repeated records");
}

/// Every kind of operation once, with facts in between, and every road after each of them.
#[test]
fn all_roads_lead_to_the_same_graph() {
    let mut graph = filled(4, 120);
    let more = facts(5, 400);
    let mut more = more.chunks(12).map(|part| {
        let rename = |fact: &Fact| match &fact.record_id {
            Some(id) => fact.clone().with_id(format!("m{id}")),
            None => fact.clone(),
        };
        part.iter().map(rename).collect::<Vec<_>>()
    });
    check_roads(&graph, "facts");
    graph.checkpoint().unwrap();
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let mut next = |graph: &mut DurableEngine<MemoryStore>, what: &str| {
        check_roads(graph, what);
        take_in(graph, more.next().unwrap());
        check_roads(graph, &format!("facts after {what}"));
    };
    let merge = graph.merge(ids[0], ids[1]).unwrap();
    next(&mut graph, "merge");
    graph.merge(ids[2], ids[0]).unwrap();
    next(&mut graph, "merge of a merged node");
    graph.unmerge(ids[1]).unwrap();
    next(&mut graph, "unmerge");
    let large =
        graph.engine().node_ids().find(|&id| graph.engine().node(id).unwrap().members.len() > 2).unwrap();
    let member = graph.engine().node(large).unwrap().members[1].record_id.clone();
    let (split, _) = graph.split(large, &[&member]).unwrap();
    next(&mut graph, "split");
    let (forget, _) = graph.forget(&Forget::Node(ids[5])).unwrap();
    next(&mut graph, "forget a node");
    let (source, _) = graph.forget(&Forget::Source("census")).unwrap();
    next(&mut graph, "forget a source");
    graph.undo(source).unwrap();
    next(&mut graph, "undo forget");
    graph.undo(forget).unwrap();
    graph.undo(split).unwrap();
    next(&mut graph, "undo split");
    assert!(matches!(graph.undo(merge), Err(OperationError::AlreadyUndone { .. })));
    graph.undo(3).unwrap();
    next(&mut graph, "undo an allocation");
    graph.checkpoint().unwrap();
    next(&mut graph, "checkpoint");
    graph.compact().unwrap();
    next(&mut graph, "compact");
    graph.forget(&Forget::Source("letters")).unwrap();
    next(&mut graph, "forget after compact");
    graph.compact().unwrap();
    next(&mut graph, "compact again");
    check_future(graph, &more.next().unwrap(), "all");
}

#[test]
fn a_lazy_batch_becomes_durable_with_an_empty_one() {
    use cortexkg_store::faults::Disk;
    use cortexkg_store::{RedbOptions, RedbStore};
    let disk = Disk::new();
    let opened =
        |disk: &Disk| RedbStore::open_in(std::sync::Arc::new(disk.clone()), RedbOptions::default()).unwrap();
    let mut graph = open(opened(&disk));
    graph.allocate_batch(facts(6, 10), Sync::Lazy).unwrap();
    graph.allocate_batch(Vec::new(), Sync::Durable).unwrap();
    let mut lost = 0;
    for seed in 0..20 {
        let graph = open(opened(&disk.after_power_loss(seed)));
        lost += 10 - graph.position();
    }
    assert_eq!(lost, 0);
    // A snapshot stands for what is durable.
    graph.allocate_batch(vec![Fact::text("later")], Sync::Lazy).unwrap();
    graph.checkpoint().unwrap();
    for seed in 0..20 {
        let graph = open(opened(&disk.after_power_loss(seed)));
        assert_eq!((graph.position(), graph.opening().is_rebuilt), (11, false));
    }
}

#[test]
fn another_configuration_is_refused() {
    let store = filled(7, 5).close().unwrap();
    let other = EngineConfig { prior_bits: 5, ..EngineConfig::default() };
    let Err(error) = DurableEngine::open(store.clone(), other) else { panic!("opened") };
    assert!(matches!(error, OperationError::Config { .. }), "{error}");
    // How many ballots are kept has no say in any decision.
    let other = EngineConfig { ballots_kept: 3, ..EngineConfig::default() };
    assert!(DurableEngine::open(store, other).is_ok());
}

#[test]
fn a_snapshot_of_another_graph_is_passed_over() {
    let mut graph = filled(8, 60);
    graph.checkpoint().unwrap();
    let mut ours = filled(9, 60);
    let expected = Picture::of(&ours);
    // The log of one, the snapshot of the other.
    let mut mixed = graph.store().clone();
    let mut changes = ChangeSet::default();
    for table in Table::ALL {
        ours.store()
            .scan(table, 0..u64::MAX, &mut |key, value| {
                changes.put(table, key, value.to_vec());
                Ok(())
            })
            .unwrap();
    }
    mixed.commit(changes, Sync::Durable).unwrap();
    let opened = open(mixed);
    assert!(opened.opening().is_rebuilt);
    assert_eq!(Picture::of(&opened), expected);
    take_in(&mut ours, vec![Fact::text("one more")]);
}

#[test]
fn a_log_that_is_shorter_than_the_snapshot_says_so() {
    let mut graph = filled(10, 40);
    let shorter = graph.store().clone();
    take_in(&mut graph, vec![Fact::text("the last one")]);
    graph.checkpoint().unwrap();
    let mut lost = graph.store().clone();
    let mut changes = ChangeSet::default();
    changes.delete(Table::Log, 40);
    changes.delete(Table::Facts, 40);
    lost.commit(changes, Sync::Durable).unwrap();
    let opened = open(lost);
    assert_eq!(Picture::of(&opened), Picture::of(&open(shorter)));
    assert!(opened.opening().snapshot_damage.is_some(), "an operation is lost: {:?}", opened.opening());
}

#[test]
fn a_missing_row_is_named() {
    let graph = filled(11, 40);
    for (table, name) in [(Table::Log, "log, row 17"), (Table::Facts, "facts, row 17")] {
        let mut store = graph.store().clone();
        let mut changes = ChangeSet::default();
        changes.delete(table, 17);
        store.commit(changes, Sync::Durable).unwrap();
        let Err(error) = DurableEngine::open(store, EngineConfig::default()) else { panic!("opened") };
        assert!(matches!(error, OperationError::Store(StoreError::Damaged { .. })), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn what_a_log_repeats_to_another_graph_is_refused() {
    let graph = filled(12, 40);
    let mut store = graph.store().clone();
    let other = filled(13, 40);
    let mut changes = ChangeSet::default();
    changes.put(Table::Facts, 9, other.store().get(Table::Facts, 9).unwrap().unwrap());
    changes.put(Table::Log, 9, other.store().get(Table::Log, 9).unwrap().unwrap());
    store.commit(changes, Sync::Durable).unwrap();
    let Err(error) = DurableEngine::open(store, EngineConfig::default()) else { panic!("opened") };
    assert!(matches!(error, OperationError::Diverged { position: 9 }), "{error}");
}

#[test]
fn closing_writes_a_snapshot_if_the_tail_is_long() {
    let text = |at: usize| Fact::text(format!("thing {}", at * 7919 % 5003));
    let mut graph = empty();
    take_in(&mut graph, (0..4090).map(text).collect());
    let mut again = open(graph.close().unwrap());
    assert_eq!((again.opening().repeated, again.opening().is_rebuilt), (4090, true));
    take_in(&mut again, (5000..5010).map(text).collect());
    let hash = again.state_hash().unwrap();
    let again = open(again.close().unwrap());
    assert_eq!((again.opening().repeated, again.opening().is_rebuilt), (0, false));
    assert_eq!(again.state_hash().unwrap(), hash);
}

#[test]
fn looking_changes_nothing() {
    let mut graph = filled(14, 150);
    let roads = filled(14, 150);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    for ((at, fact), &id) in facts(14, 150).iter().enumerate().zip(&ids).take(40) {
        let name = format!("f{at}");
        let name =
            if matches!(fact.content, cortexkg::FactContent::Triple { .. }) { name + "#s" } else { name };
        let Ok(_) = graph.why(fact.source.as_deref(), &name) else { continue };
        graph.why_not(fact.source.as_deref(), &name, id).unwrap();
        graph.how(id).unwrap();
    }
    assert_eq!(Picture::of(&graph), Picture::of(&roads));
    let probes: Vec<_> = facts(15, 60).into_iter().map(|fact| Fact { record_id: None, ..fact }).collect();
    let mut roads = roads;
    assert_eq!(take_in(&mut graph, probes.clone()), take_in(&mut roads, probes));
}

#[test]
fn a_lost_row_is_named_and_not_taken_for_compacted() {
    let mut graph = filled(97, 60);
    let source = graph.fact_at(7).unwrap().unwrap().source;
    graph.forget(&Forget::Fact { source: source.as_deref(), record_id: "f7" }).unwrap();
    let mut lost = ChangeSet::default();
    lost.delete(Table::Log, 20);
    lost.delete(Table::Facts, 20);
    graph.store_mut().commit(lost, Sync::Durable).unwrap();
    let is_named = |error: OperationError| error.to_string().contains("row 20");
    assert!(graph.fact_at(20).is_err_and(is_named));
    let node = graph.engine().node_ids().find(|&node| {
        graph.view(None).unwrap().facts(node).is_err_and(|error| error.to_string().contains("row 20"))
    });
    assert!(node.is_some(), "the fact's node cannot be read");
    assert!(graph.fact_at(7).unwrap().is_some(), "what is forgotten can come back");
    assert!(graph.fact_at(1000).unwrap().is_none(), "what never was is not lost");
}
