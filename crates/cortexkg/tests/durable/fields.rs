//! What a user says of fields is a part of the graph: it comes back by every road, and nothing else goes in.

use cortexkg::{
    Comparator, Depth, DurableEngine, EngineConfig, Fact, FieldConfig, FieldConfigs, FieldKind, Forget,
    OperationError, Origin,
};
use cortexkg_store::{ChangeSet, MemoryStore, Store, StoreError, Sync, Table};

use super::common::picture::{Picture, check_future, check_roads, empty, open, take_in};
use super::common::stream;

/// The row of `Table::Meta` that holds them, as the description of the format says.
const FIELDS_ROW: u64 = 7;

fn given() -> EngineConfig {
    let mut fields = FieldConfigs::default();
    let exact =
        FieldConfig { kind: Some(FieldKind::Identifier), comparator: Some(Comparator::Exact), ignore: false };
    fields.insert("phone", exact).unwrap();
    fields.insert("city", FieldConfig { ignore: true, ..FieldConfig::default() }).unwrap();
    fields.insert("later", FieldConfig { kind: Some(FieldKind::Key), ..FieldConfig::default() }).unwrap();
    EngineConfig { fields, ..EngineConfig::default() }
}

fn filled(seed: u64, count: usize) -> DurableEngine<MemoryStore> {
    let mut graph = DurableEngine::open(MemoryStore::default(), given()).unwrap();
    take_in(&mut graph, stream::facts(seed, count));
    graph
}

fn refusal(store: MemoryStore, config: EngineConfig) -> OperationError {
    match DurableEngine::open(store, config) {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[track_caller]
fn check_told(graph: &DurableEngine<MemoryStore>) {
    assert_eq!(graph.fields_given(), &given().fields);
    let model = graph.engine().model();
    let of = |name: &str| model.iter().find(|field| field.name == name).unwrap();
    assert!(of("city").ignored);
    assert_eq!((of("phone").kind_from, of("phone").comparator), (Origin::Given, Some(Comparator::Exact)));
}

#[test]
fn it_comes_back_by_every_road() {
    let graph = filled(31, 300);
    check_told(&graph);
    check_roads(&graph, "allocated");
    for (_, opened) in super::common::picture::by_every_road(&graph) {
        check_told(&opened);
    }
    // Said again, it is the same.
    let again = DurableEngine::open(graph.store().clone(), given()).unwrap();
    assert_eq!(Picture::of(&again), Picture::of(&graph));
    // What comes for the first time later is read as was said when the graph was begun.
    let probes = [
        Fact::record([("name", "ada lovelace"), ("city", "london"), ("later", "7")]),
        Fact::record([("name", "radia perlman"), ("phone", "200/301-7919"), ("later", "8")]),
    ];
    check_future(graph, &probes, "with fields given");
}

#[test]
fn it_outlives_whatever_happens_to_the_graph() {
    let mut graph = filled(32, 300);
    graph.consolidate().unwrap();
    check_roads(&graph, "consolidated");
    let (forgotten, _) = graph.forget(&Forget::Source("payroll")).unwrap();
    check_roads(&graph, "forgotten");
    graph.undo(forgotten).unwrap();
    check_roads(&graph, "taken back");
    graph.forget(&Forget::Source("census")).unwrap();
    graph.compact().unwrap();
    check_told(&graph);
    check_roads(&graph, "compacted");
    let mut graph = open(graph.close().unwrap());
    check_told(&graph);
    take_in(
        &mut graph,
        stream::facts(33, 60).into_iter().map(|fact| Fact { record_id: None, ..fact }).collect(),
    );
    check_roads(&graph, "gone on with");
    let report = graph.verify(Depth::Rebuild, &mut |_| {}).unwrap();
    assert!(report.is_clean(), "{:?}", report.faults);
    assert!(matches!(refusal(graph.close().unwrap(), other()), OperationError::Fields { .. }));
}

fn other() -> EngineConfig {
    let mut config = given();
    config
        .fields
        .insert("city", FieldConfig { kind: Some(FieldKind::Name), ..FieldConfig::default() })
        .unwrap();
    config
}

#[test]
fn another_one_is_refused_and_says_where_it_differs() {
    let store = filled(34, 20).close().unwrap();
    let error = refusal(store.clone(), other());
    assert_eq!(
        error.to_string(),
        "the graph was begun with another configuration: field \"city\" has ignore = true there, and kind = \"name\" here; \
         leave the configuration out to go on with the graph's own, or begin another graph"
    );
    let mut more = given();
    more.fields.insert("zip", FieldConfig { ignore: true, ..FieldConfig::default() }).unwrap();
    let error = refusal(store, more);
    assert!(error.to_string().contains("field \"zip\" has nothing there"), "{error}");
    // A graph of which nothing was said stays one.
    let mut plain = empty();
    take_in(&mut plain, stream::facts(34, 20));
    assert!(plain.store().get(Table::Meta, FIELDS_ROW).unwrap().is_none());
    let error = refusal(plain.close().unwrap(), given());
    assert!(
        error.to_string().contains("field \"city\" has nothing there, and ignore = true here"),
        "{error}"
    );
}

#[test]
fn what_is_stored_of_it_is_never_guessed() {
    let store = filled(35, 20).close().unwrap();
    let with = |row: Option<Vec<u8>>| {
        let (mut store, mut changes) = (store.clone(), ChangeSet::default());
        match row {
            Some(row) => changes.put(Table::Meta, FIELDS_ROW, row),
            None => changes.delete(Table::Meta, FIELDS_ROW),
        }
        store.commit(changes, Sync::Durable).unwrap();
        refusal(store, EngineConfig::default())
    };
    let row = store.get(Table::Meta, FIELDS_ROW).unwrap().unwrap();
    for end in 0..row.len() {
        let error = with(Some(row[..end].to_vec()));
        assert!(matches!(error, OperationError::Store(StoreError::Damaged { .. })), "{end}: {error}");
        assert!(error.to_string().contains("meta, row 7"), "{error}");
    }
    let mut newer = row;
    newer[0] = 2;
    assert!(with(Some(newer)).to_string().contains("version 2"));
    assert!(matches!(with(None), OperationError::Config { .. }));
}

#[test]
fn links_teach_nothing_of_what_is_ignored() {
    let mut graph = filled(36, 80);
    let city = |graph: &DurableEngine<MemoryStore>| {
        let mut model = graph.engine().model().into_iter();
        model.find(|field| field.name == "city").unwrap().probabilities
    };
    let believed = city(&graph);
    let record = |at: usize| {
        let fields = [("name", format!("grace hopper {at}")), ("city", "arlington".to_owned())];
        Fact::record(fields).with_id(format!("l{at}"))
    };
    take_in(&mut graph, (0..6).map(record).collect());
    graph.must_link("l0", "l1").unwrap();
    graph.must_link("l2", "l3").unwrap();
    graph.cannot_link("l4", "l5").unwrap();
    assert_eq!(city(&graph), believed);
    graph.consolidate().unwrap();
    assert_eq!(city(&graph), believed);
    check_roads(&graph, "linked");
}
