//! What a user says of fields, and what comes of it.

mod common;

use common::Table;
use cortexkg::{
    AllocationEngine, AllocationResult, Comparator, EngineConfig, Explanation, Fact, FieldConfig,
    FieldConfigError, FieldConfigs, FieldKind, FieldModel, Level, Origin,
};

fn kind(kind: FieldKind) -> FieldConfig {
    FieldConfig { kind: Some(kind), ..FieldConfig::default() }
}

fn compared(by: FieldKind, comparator: Comparator) -> FieldConfig {
    FieldConfig { comparator: Some(comparator), ..kind(by) }
}

const IGNORED: FieldConfig = FieldConfig { kind: None, comparator: None, ignore: true };

fn engine(fields: &[(&str, FieldConfig)]) -> AllocationEngine {
    let mut given = FieldConfigs::default();
    for &(field, config) in fields {
        given.insert(field, config).expect("it can be said");
    }
    AllocationEngine::new(EngineConfig { fields: given, ..EngineConfig::default() })
}

#[track_caller]
fn take_in(engine: &mut AllocationEngine, facts: Vec<Fact>) -> Vec<AllocationResult> {
    engine.allocate_batch(facts).into_iter().map(|result| result.expect("a good fact")).collect()
}

fn model_of(engine: &AllocationEngine, field: &str) -> FieldModel {
    engine.model().into_iter().find(|model| model.name == field).expect("a field")
}

/// How far a record agrees with the one before it in the field `f`, which holds `values`.
fn level(config: Option<FieldConfig>, values: [&str; 2]) -> Option<Level> {
    let mut engine = engine(config.map(|config| ("f", config)).as_slice());
    let record = |value: &str, id: &str| Fact::record([("name", "arnie mortons"), ("f", value)]).with_id(id);
    take_in(&mut engine, vec![record(values[0], "a"), record(values[1], "b")]);
    let Explanation { candidates, .. } = engine.explain(None, "b").expect("its ballot is kept");
    let vote = candidates[0].votes.iter().find(|vote| vote.field == "f");
    vote.map(|vote| vote.level)
}

#[test]
fn each_comparator_reads_values_its_way() {
    use Comparator as By;
    use FieldKind as Kind;
    let codes = ["1804974", "1804947"];
    assert_eq!(level(None, codes), Some(Level::Close));
    assert_eq!(level(Some(compared(Kind::Identifier, By::Exact)), codes), Some(Level::Different));
    assert_eq!(level(Some(kind(Kind::Key)), codes), Some(Level::Different));
    let amounts = ["2495", "2499"];
    assert_eq!(level(Some(kind(Kind::Number)), amounts), Some(Level::Close), "a digit mistaken");
    assert_eq!(level(Some(compared(Kind::Number, By::Size)), ["2495", "2510"]), Some(Level::Compatible));
    assert_eq!(level(Some(kind(Kind::Number)), ["2495", "2510"]), Some(Level::Different));
    assert_eq!(level(Some(compared(Kind::Number, By::Digits)), ["10.50", "10.51"]), Some(Level::Close));
    assert_eq!(level(Some(compared(Kind::Number, By::Size)), ["ten", "ten units"]), Some(Level::Similar));
    let dates = ["2024-01-06", "2024-01-28"];
    assert_eq!(level(Some(kind(Kind::Date)), dates), Some(Level::Compatible));
    assert_eq!(level(Some(compared(Kind::Date, By::Code)), dates), Some(Level::Different));
    let names = ["stephen e", "stephen"];
    assert_eq!(level(Some(kind(Kind::Name)), names), Some(Level::Compatible));
    assert_eq!(level(Some(compared(Kind::Name, By::Exact)), names), Some(Level::Different));
    assert_eq!(level(Some(compared(Kind::LongText, By::Exact)), names), Some(Level::Different));
    let spelled = ["mitchell harley", "mitchel harly"];
    assert_eq!(level(Some(compared(Kind::LongText, By::Name)), spelled), Some(Level::Compatible));
    assert_eq!(level(Some(kind(Kind::LongText)), spelled), Some(Level::Different), "no word is shared");
    assert_eq!(level(Some(compared(Kind::List, By::Exact)), ["a; b", "b; c"]), Some(Level::Different));
    // One that is no list is a list of one, also before any list was seen.
    assert_eq!(level(Some(kind(Kind::List)), ["tom ford", "tom ford; xinzhou wu"]), Some(Level::Similar));
    for by in [By::Name, By::Exact] {
        let same = level(Some(compared(Kind::Category, by)), ["Ab c", "ab-C"]);
        assert_eq!(same, Some(Level::Exact), "{by}");
    }
    assert_eq!(level(Some(IGNORED), codes), None);
    assert_eq!(level(Some(IGNORED), ["same", "same"]), None);
}

#[test]
fn what_is_given_is_told_and_stays() {
    let given = [
        ("phone", compared(FieldKind::Identifier, Comparator::Exact)),
        ("type", kind(FieldKind::LongText)),
        ("city", IGNORED),
    ];
    let mut engine = engine(&given);
    take_in(&mut engine, Table::records("fodors-zagats").facts());
    let phone = model_of(&engine, "phone");
    assert_eq!((phone.kind, phone.kind_from), (FieldKind::Identifier, Origin::Given));
    assert_eq!((phone.comparator, phone.comparator_from), (Some(Comparator::Exact), Origin::Given));
    assert!(!phone.ignored);
    let cuisine = model_of(&engine, "type");
    assert_eq!((cuisine.kind, cuisine.kind_from), (FieldKind::LongText, Origin::Given));
    assert_eq!((cuisine.comparator, cuisine.comparator_from), (Some(Comparator::LongText), Origin::Found));
    let city = model_of(&engine, "city");
    assert!(city.ignored && city.kind_from == Origin::Found && city.present > 800, "{city:?}");
    let name = model_of(&engine, "name");
    assert_eq!((name.kind_from, name.comparator), (Origin::Found, Some(Comparator::Name)));
    assert_eq!(model_of(&engine, "@recency").comparator, None);
}

/// The slow oracle of `ignore`: facts that never had the field.
#[test]
fn an_ignored_field_is_shown_and_has_no_say() {
    let table = Table::records("fodors-zagats");
    let city = table.header.iter().position(|column| column == "city").expect("a column");
    let without = table.rearranged(
        &(1..table.header.len()).filter(|&column| column != city).collect::<Vec<_>>(),
        str::to_owned,
    );
    let (mut ignoring, mut plain) = (engine(&[("city", IGNORED)]), engine(&[]));
    let results = take_in(&mut ignoring, table.facts());
    assert_eq!(results, take_in(&mut plain, without.facts()));
    let node = ignoring.node(results[0].allocated_node).expect("a node");
    assert!(node.properties.iter().any(|(field, ..)| field == "city"), "{node:?}");
    for row in &table.rows {
        let explained = ignoring.explain(None, &row[0]).expect("its ballot is kept");
        let votes = explained.candidates.iter().flat_map(|candidate| &candidate.votes);
        assert!(votes.into_iter().all(|vote| vote.field != "city"), "{explained}");
    }
    // Nobody finds by it what nothing else leads to.
    let named = |city: &str, id: &str| Fact::record([("name", "Trader Vics"), ("city", city)]).with_id(id);
    let result = &take_in(&mut ignoring, vec![named("zanzibar", "z")])[0];
    assert!(ignoring.search("zanzibar", 5).is_empty());
    assert_eq!(ignoring.search("trader vics", 1)[0].node, result.allocated_node);
}

#[test]
fn a_key_by_the_users_word_is_identity() {
    let mut engine = engine(&[("passport", kind(FieldKind::Key))]);
    let person = |name: &str, passport: &str| Fact::record([("name", name), ("passport", passport)]);
    let facts = vec![
        person("Ada Lovelace", "X-1234").with_id("a"),
        person("Ada Lovelace", "X-1235").with_id("b"),
        person("A. King", "x 1234").with_id("c"),
    ];
    let nodes: Vec<_> = take_in(&mut engine, facts).iter().map(|result| result.allocated_node).collect();
    assert_ne!(nodes[0], nodes[1], "another passport is another person");
    assert_eq!(nodes[0], nodes[2], "the same passport is the same person");
    let hits = engine.search("x-1234", 3);
    assert_eq!(hits[0].node, nodes[0], "{hits:?}");
    assert_eq!(model_of(&engine, "passport").comparator, Some(Comparator::Key));
}

#[test]
fn the_same_words_give_the_same_state_and_others_another() {
    let facts = || Table::records("fodors-zagats").facts().into_iter().take(100).collect::<Vec<_>>();
    let hash = |fields: &[(&str, FieldConfig)]| {
        let mut engine = engine(fields);
        take_in(&mut engine, facts());
        engine.state_hash()
    };
    let (a, b) = (("phone", kind(FieldKind::Identifier)), ("type", IGNORED));
    assert_eq!(hash(&[a, b]), hash(&[b, a]), "their order says nothing");
    assert_ne!(hash(&[a]), hash(&[]));
    // Of a field that no fact has: another configuration all the same.
    assert_ne!(hash(&[("elsewhere", IGNORED)]), hash(&[]));
}

#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |field: &str, config: FieldConfig| {
        FieldConfigs::default().insert(field, config).expect_err("refused").to_string()
    };
    for (field, config, parts) in [
        ("@iri", IGNORED, &["\"@iri\"", "itself"][..]),
        ("", IGNORED, &["\"\""]),
        ("a", FieldConfig::default(), &["\"a\"", "kind, comparator or ignore"]),
        ("a", kind(FieldKind::Embedding), &["embedding", "identifier, date"]),
        (
            "a",
            FieldConfig { comparator: Some(Comparator::Exact), ..FieldConfig::default() },
            &["\"a\"", "kind"],
        ),
        ("a", compared(FieldKind::Date, Comparator::Size), &["size", "date, code, exact"]),
    ] {
        let told = refused(field, config);
        assert!(parts.iter().all(|part| told.contains(part)), "{parts:?} not all in: {told}");
    }
    let mut many = FieldConfigs::default();
    for at in 0..512 {
        many.insert(format!("f{at}"), IGNORED).expect("room");
    }
    assert!(matches!(many.insert("g", IGNORED), Err(FieldConfigError::TooMany { .. })));
    many.insert("f1", kind(FieldKind::Date)).expect("said anew");
    assert_eq!(many.get("f1"), kind(FieldKind::Date));
}
