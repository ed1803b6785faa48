//! What is refused changes nothing.

use cortexkg::{DurableEngine, Fact, FactError, Forget, NodeId, OperationError};
use cortexkg_store::{MemoryStore, Sync};

use crate::common::picture::{Picture, check_future, filled, take_in};
use crate::common::stream::facts;

type Graph = DurableEngine<MemoryStore>;

/// Something that must be refused.
type Attempt = dyn Fn(&mut Graph) -> Result<u64, OperationError>;

#[test]
fn operations_on_what_is_not_there() {
    let mut graph = filled(90, 80);
    let twin = filled(90, 80);
    let before = Picture::of(&graph);
    let far = NodeId(1_000_000);
    let node = graph.engine().node_ids().next().unwrap();
    let refused: Vec<(&str, Box<Attempt>)> = vec![
        ("merge with itself", Box::new(move |graph| graph.merge(node, node))),
        ("merge into nothing", Box::new(move |graph| graph.merge(far, node))),
        ("merge of nothing", Box::new(move |graph| graph.merge(node, far))),
        ("unmerge of nothing", Box::new(move |graph| graph.unmerge(far))),
        ("unmerge of what was not merged", Box::new(move |graph| graph.unmerge(node))),
        ("split of nothing", Box::new(move |graph| Ok(graph.split(far, &["f0"])?.0))),
        ("split by nothing", Box::new(move |graph| Ok(graph.split(node, &[])?.0))),
        ("split by a stranger", Box::new(move |graph| Ok(graph.split(node, &["nobody"])?.0))),
        (
            "split by all",
            Box::new(move |graph| {
                let members = graph.engine().node(node).expect("a node").members;
                let all: Vec<_> = members.iter().map(|member| member.record_id.as_str()).collect();
                Ok(graph.split(node, &all)?.0)
            }),
        ),
        (
            "forget no fact",
            Box::new(|graph| Ok(graph.forget(&Forget::Fact { source: None, record_id: "-" })?.0)),
        ),
        ("forget no node", Box::new(move |graph| Ok(graph.forget(&Forget::Node(far))?.0))),
        ("forget no source", Box::new(|graph| Ok(graph.forget(&Forget::Source("-"))?.0))),
        ("undo of the future", Box::new(|graph| graph.undo(80))),
    ];
    for (what, operation) in &refused {
        let error = operation(&mut graph).expect_err(what);
        assert!(!matches!(error, OperationError::Store(_) | OperationError::Broken), "{what}: {error}");
        assert_eq!(Picture::of(&graph), before, "{what}");
    }
    let probes: Vec<_> = facts(91, 60).into_iter().map(|fact| fact.with_source("probe")).collect();
    let mut twin = twin;
    assert_eq!(take_in(&mut graph, probes.clone()), take_in(&mut twin, probes));
    check_future(
        graph,
        &facts(92, 20).into_iter().map(|f| f.with_source("more")).collect::<Vec<_>>(),
        "refused",
    );
}

#[test]
fn facts_that_cannot_be_taken_in() {
    let mut graph = filled(93, 60);
    let before = Picture::of(&graph);
    let bad = vec![
        Fact::text(""),
        Fact::record(Vec::<(String, String)>::new()),
        Fact::record([("name", "x".repeat(70_000))]),
        Fact::text("x").with_confidence(2.0),
        Fact::text("x").with_embedding(vec![f32::NAN]),
        Fact::triple("x", " ", "y"),
    ];
    for result in graph.allocate_batch(bad.clone(), Sync::Durable).unwrap() {
        assert!(result.is_err());
    }
    assert!(matches!(
        graph.allocate_fact(bad[0].clone()),
        Err(OperationError::Fact(FactError::Empty { .. }))
    ));
    assert_eq!(Picture::of(&graph), before);
    // Good ones among bad ones.
    let good = facts(94, 30).into_iter().map(|fact| fact.with_source("good"));
    let mixed: Vec<_> = good
        .clone()
        .flat_map(|fact| [bad[fact.record_id.as_ref().map_or(0, String::len) % 6].clone(), fact])
        .collect();
    let results = graph.allocate_batch(mixed, Sync::Durable).unwrap();
    let mut twin = filled(93, 60);
    let expected = take_in(&mut twin, good.collect());
    assert_eq!(results.into_iter().filter_map(Result::ok).collect::<Vec<_>>(), expected);
    assert_eq!(Picture::of(&graph), Picture::of(&twin));
}

#[test]
fn what_is_forgotten_is_refused_by_name() {
    let mut graph = filled(95, 60);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let name = graph.engine().node(ids[2]).unwrap().members[0].clone();
    graph.forget(&Forget::Node(ids[2])).unwrap();
    let before = Picture::of(&graph);
    assert!(matches!(graph.merge(ids[2], ids[1]), Err(OperationError::ForgottenNode { .. })));
    assert!(matches!(graph.merge(ids[1], ids[2]), Err(OperationError::ForgottenNode { .. })));
    assert!(matches!(graph.forget(&Forget::Node(ids[2])), Err(OperationError::ForgottenNode { .. })));
    assert!(matches!(
        graph.why(Some(&name.source), &name.record_id),
        Err(OperationError::ForgottenFact { .. })
    ));
    assert_eq!(Picture::of(&graph), before);
}
