//! Compaction: what was forgotten is gone for good, what is left goes on.

use std::sync::Arc;

use cortexkg::{DurableEngine, EngineConfig, Fact, FieldValue, Forget, NodeId, OperationError, Term};
use cortexkg_store::faults::{Disk, Fault};
use cortexkg_store::{MemoryStore, RedbOptions, RedbStore, Store, StoreError, Table};

use crate::common::picture::{Picture, check_future, check_roads, filled, take_in};
use crate::common::stream::facts;

/// All bytes of a store: its tables, and every record of its snapshot.
fn bytes(store: &MemoryStore) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for table in Table::ALL {
        store
            .scan(table, 0..u64::MAX, &mut |_, value| {
                all.push(value.to_vec());
                Ok(())
            })
            .unwrap();
    }
    if let Some(snapshot) = store.snapshot().unwrap() {
        for section in snapshot.sections() {
            let section = snapshot.section(section).unwrap();
            section
                .scan(&mut |_, record| {
                    all.push(record.to_vec());
                    Ok(())
                })
                .unwrap();
        }
    }
    all
}

fn holds(store: &MemoryStore, secret: &str) -> bool {
    bytes(store).iter().any(|value| value.windows(secret.len()).any(|part| part == secret.as_bytes()))
}

const SECRETS: [&str; 9] = [
    "xylophonist",
    "quixotic",
    "zyzzyva",
    "uncopyrightable",
    "secret-id-7",
    "hushhush",
    "jackdaws",
    "sphinxlike",
    "vexillology",
];

fn secret_facts() -> Vec<Fact> {
    let list = FieldValue::from(vec!["quixotic".to_owned(), "zyzzyva".into()]);
    vec![
        Fact::record([("name", FieldValue::from("xylophonist lovelace")), ("tags", list)])
            .with_id("secret-id-7"),
        Fact::record([("name", "xylophonist lovelace"), ("phone", "uncopyrightable")]).with_id("s2"),
        Fact::text("jackdaws of quartz").with_id("s3"),
        Fact::triple("jackdaws of quartz", "vexillology", Term::Iri("http://sphinxlike.example/1".into()))
            .with_id("s4"),
    ]
    .into_iter()
    .map(|fact| fact.with_source("hushhush"))
    .collect()
}

#[test]
fn what_was_forgotten_is_nowhere() {
    let mut graph = filled(50, 80);
    take_in(&mut graph, secret_facts());
    take_in(&mut graph, facts(51, 30).into_iter().map(|fact| fact.with_source("after")).collect());
    graph.checkpoint().unwrap();
    for secret in SECRETS {
        assert!(holds(graph.store(), secret), "{secret}: the test must see it");
    }
    graph.forget(&Forget::Source("hushhush")).unwrap();
    let compaction = graph.compact().unwrap();
    assert_eq!(compaction.facts, 4);
    for secret in SECRETS {
        assert!(!holds(graph.store(), secret), "{secret}");
    }
    check_roads(&graph, "compacted");
    for secret in SECRETS {
        assert!(
            graph.engine().node_ids().all(|id| !format!("{:?}", graph.engine().node(id)).contains(secret))
        );
    }
    check_future(graph, &facts(52, 60), "compacted");
}

/// Names of fields can tell as much as values.
#[test]
fn fields_that_only_forgotten_facts_had() {
    let mut graph = filled(53, 60);
    let fact = Fact::record([("name", "ada"), ("the daughter of lord byron", "yes")]).with_id("s");
    take_in(&mut graph, vec![fact]);
    graph.forget(&Forget::Fact { source: None, record_id: "s" }).unwrap();
    graph.compact().unwrap();
    assert!(!holds(graph.store(), "lord byron"));
    check_roads(&graph, "a field less");
    check_future(graph, &facts(54, 60), "a field less");
}

#[test]
fn a_compaction_is_final() {
    let mut graph = filled(55, 60);
    let (forget, _) = graph.forget(&Forget::Source("payroll")).unwrap();
    let (fact, _) = graph.forget(&Forget::Source("letters")).unwrap();
    let undo = graph.undo(fact).unwrap();
    let left = Picture::of(&graph);
    graph.compact().unwrap();
    let after = Picture::of(&graph);
    assert_eq!(after.content().1, left.content().1);
    assert_eq!(after.counts, left.counts);
    let hash = graph.state_hash().unwrap();
    assert!(matches!(graph.undo(forget), Err(OperationError::Compacted { .. })));
    assert_eq!(graph.state_hash().unwrap(), hash);
    assert!(matches!(graph.undo(graph.position() - 1), Err(OperationError::NoInverse { .. })));
    // What was taken back before can be taken back still.
    graph.undo(undo).unwrap();
    check_roads(&graph, "after an undo");
}

#[test]
fn positions_and_identifiers_stay() {
    let mut graph = filled(56, 100);
    let named: Vec<_> = (0..100).filter(|at| at % 8 != 5).collect();
    let sources = [None, Some("payroll"), Some("census"), Some("letters")];
    let places = |graph: &DurableEngine<MemoryStore>| {
        let find = |at: &usize| {
            let id = format!("f{at}");
            let found = sources.iter().find_map(|source| graph.find(*source, &id).unwrap())?;
            let node = graph.engine().resolve(found.allocated_node);
            Some((*at, found.log_position, node, found.object.map(|object| object.allocated_node)))
        };
        named.iter().filter_map(find).collect::<Vec<_>>()
    };
    let ids: Vec<_> = graph.engine().node_ids().collect();
    graph.merge(ids[0], ids[1]).unwrap();
    graph.forget(&Forget::Node(ids[6])).unwrap();
    let before = places(&graph);
    let position = graph.position();
    graph.compact().unwrap();
    assert_eq!(graph.position(), position + 1);
    assert_eq!(places(&graph), before);
    graph.unmerge(ids[1]).unwrap();
    assert_eq!(graph.engine().resolve(ids[1]), ids[1]);
    check_roads(&graph, "unmerged after compaction");
    // The identifier of what is gone is never used again.
    let new = take_in(&mut graph, vec![Fact::text("entirely new")]);
    assert!(ids.iter().all(|&id| id < new[0].allocated_node));
}

/// What a merge led to is forgotten for good; its redirect still leads somewhere, and whatever takes the merge back does not
/// lose what is left.
#[test]
fn merges_with_what_is_gone() {
    let mut graph = filled(57, 100);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let alone = ids.windows(2).find(|pair| {
        let [left, right] = [pair[0], pair[1]].map(|id| graph.engine().node(id).unwrap());
        let facts =
            |node: &cortexkg::NodeView| node.members.iter().map(|m| m.record_id.clone()).collect::<Vec<_>>();
        left.edges.is_empty() && right.edges.is_empty() && facts(&left).iter().all(|id| !id.contains("#o"))
    });
    let [a, b] = [alone.unwrap()[0], alone.unwrap()[1]];
    let merge = graph.merge(a, b).unwrap();
    let unmerge = graph.undo(merge).unwrap();
    graph.forget(&Forget::Node(a)).unwrap();
    let kept = graph.engine().node(b);
    graph.compact().unwrap();
    let hash = graph.state_hash().unwrap();
    assert!(graph.undo(unmerge).is_err(), "{a} is gone");
    assert_eq!(graph.state_hash().unwrap(), hash);
    assert_eq!(graph.engine().node(b), kept);
    check_roads(&graph, "nothing to merge with");
}

#[test]
fn splits_from_what_is_gone() {
    let mut graph = filled(58, 10);
    let same = |id: &str| Fact::record([("name", "Grace Hopper"), ("phone", "213/857-0034")]).with_id(id);
    let node = take_in(&mut graph, ["a", "b"].map(same).to_vec())[0].allocated_node;
    let (split, new) = graph.split(node, &["b"]).unwrap();
    graph.forget(&Forget::Fact { source: None, record_id: "a" }).unwrap();
    graph.compact().unwrap();
    let hash = graph.state_hash().unwrap();
    let result = graph.undo(split);
    assert!(result.is_err() && graph.state_hash().unwrap() == hash, "{result:?}");
    assert_eq!(graph.engine().node(new).unwrap().members.len(), 1);
    check_roads(&graph, "nothing to go back to");
}

#[test]
fn again_and_again() {
    let mut graph = filled(59, 60);
    for turn in 0..5 {
        let source = format!("turn {turn}");
        let facts = facts(60 + turn, 40).into_iter().map(|fact| fact.with_source(&*source));
        take_in(&mut graph, facts.collect());
        let ids: Vec<_> = graph.engine().node_ids().collect();
        graph.merge(ids[turn as usize], ids[turn as usize + 3]).unwrap();
        if turn > 0 {
            graph.forget(&Forget::Source(&format!("turn {}", turn - 1))).unwrap();
        }
        graph.compact().unwrap();
        check_roads(&graph, &source);
    }
    graph.forget(&Forget::Source("turn 4")).unwrap();
    graph.compact().unwrap();
    check_future(graph, &facts(70, 40), "again and again");
}

#[test]
fn an_empty_graph_and_one_that_became_empty() {
    let mut graph = filled(61, 0);
    graph.compact().unwrap();
    check_roads(&graph, "empty");
    take_in(&mut graph, facts(62, 20));
    for position in 1..21 {
        graph.undo(position).unwrap();
    }
    graph.compact().unwrap();
    assert_eq!(graph.engine().node_count(), 0);
    check_roads(&graph, "became empty");
    check_future(graph, &facts(63, 30), "became empty");
}

/// On a disk that can fail.
fn on(disk: &Disk) -> Result<DurableEngine<RedbStore>, OperationError> {
    let store = RedbStore::open_in(Arc::new(disk.clone()), RedbOptions::default())?;
    DurableEngine::open(store, EngineConfig::default())
}

fn take_in_on(disk: &Disk, count: usize) -> DurableEngine<RedbStore> {
    let mut graph = on(disk).unwrap();
    take_in(&mut graph, facts(5, count));
    graph
}

#[test]
fn a_compaction_that_was_cut_off_is_pending_until_there_is_room() {
    let mut pending = 0;
    for later in (0..).step_by(3) {
        let disk = Disk::new();
        let mut graph = take_in_on(&disk, 20);
        graph.forget(&Forget::Node(NodeId(0))).unwrap();
        disk.fail(disk.operations() + later, Fault::PowerLoss);
        let compacted = graph.compact();
        drop(graph);
        for refused in (0..60).step_by(4) {
            let left = disk.after_exit();
            left.fail(left.operations() + refused, Fault::Failure);
            if on(&left).is_ok_and(|graph| graph.opening().is_compaction_pending) {
                pending += 1;
                assert!(!on(&left).unwrap().opening().is_compaction_pending, "operations {later}, {refused}");
            }
        }
        if compacted.is_ok() {
            break;
        }
    }
    assert!(pending > 0);
}

#[test]
fn a_graph_is_closed_without_a_snapshot_that_there_is_no_room_for() {
    let mut refused = 0;
    for later in 0.. {
        let disk = Disk::new();
        let mut graph = take_in_on(&disk, 20);
        graph.checkpoint().unwrap();
        let hash = graph.state_hash().unwrap();
        graph.close().unwrap().close().unwrap();
        disk.write_file("cortexkg.snapshot", b"no snapshot".to_vec());
        let mut graph = on(&disk).unwrap();
        assert!(graph.opening().snapshot_damage.is_some());
        // A new one is due.
        disk.fail(disk.operations() + later, Fault::Failure);
        let Err(error) = graph.checkpoint_if_due() else { break };
        assert!(matches!(error, OperationError::Store(StoreError::Io { .. })), "{error}");
        assert!(graph.checkpoint_if_due().is_ok(), "it is not tried again");
        if let Ok(store) = graph.close() {
            refused += 1;
            store.close().unwrap();
            assert_eq!(on(&disk).unwrap().state_hash().unwrap(), hash);
        }
    }
    assert!(refused > 0);
}
