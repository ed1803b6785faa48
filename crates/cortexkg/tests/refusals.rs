//! A fact that breaks a bound is refused with an error that names record and field, and changes nothing.

mod common;

use common::{allocate_all, engine};
use cortexkg::fact::limits;
use cortexkg::{AllocationEngine, CommitError, Fact, FactContent, FactError, Field, FieldValue, Term};

/// Fields that one graph may know, the engine's own two among them.
const GRAPH_FIELDS_MAX: usize = 512;

/// An engine that has seen every kind of fact.
fn seasoned() -> AllocationEngine {
    let mut engine = engine();
    let embedding = vec![0.5, -0.5, 0.25];
    let facts = vec![
        Fact::record([("name", "Arnie Morton's"), ("city", "Los Angeles")])
            .with_id("known")
            .with_embedding(embedding),
        Fact::text("Multicystic kidney dysplasia").with_source("hpo").with_id("known"),
        Fact::triple("Ada", "knows", Term::Iri("http://x.org/Charles".to_owned())),
    ];
    allocate_all(&mut engine, facts);
    engine
}

fn record(name: &str, value: &str) -> Fact {
    Fact::record([(name, value)]).with_id("bad")
}

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn literal(value: String, datatype: Option<String>, language: Option<String>) -> Term {
    Term::Literal { value, datatype, language }
}

/// Bad facts, and what their errors must name besides the record.
fn bad_facts() -> Vec<(Fact, &'static str, &'static str)> {
    let value = limits::VALUE_BYTES_MAX + 1;
    let name = limits::NAME_BYTES_MAX + 1;
    let id = limits::ID_BYTES_MAX + 1;
    let many = |count: usize| Fact::record((0..count).map(|at| (format!("f{at}"), "x"))).with_id("bad");
    let list = |items: Vec<String>| Fact::record([("tags", items)]).with_id("bad");
    let text = |text: &str| Fact::text(text).with_id("bad");
    let triple = |s: &str, p: &str, o: &str| Fact::triple(s, p, o).with_id("bad");
    let vector = |values: Vec<f32>| text("t").with_embedding(values);
    let same = vec![("a", "1"), ("b", "2"), ("a", "3")];
    let about = |term: Term| Fact::triple("s", "p", term).with_id("bad");
    vec![
        (record("address", &long(value)), "TooLong", "address"),
        (record(&long(name), "v"), "TooLong", "xxxx"),
        (Fact::text("t").with_id(long(id)), "TooLong", "record_id"),
        (text("t").with_source(long(id)), "TooLong", "source"),
        (text(&long(value)), "TooLong", "text"),
        (triple(&long(value), "p", "o"), "TooLong", "subject"),
        (triple("s", "p", &long(value)), "TooLong", "object"),
        (triple("s", &long(name), "o"), "TooLong", "predicate"),
        (about(literal("v".into(), Some(long(value)), None)), "TooLong", "object"),
        (about(literal("v".into(), None, Some(long(value)))), "TooLong", "object"),
        (list(vec![long(40_000), long(40_000)]), "TooLong", "tags"),
        (list(vec![long(value)]), "TooLong", "tags"),
        (text(" \t\u{3000}"), "Empty", "text"),
        (triple(" ", "p", "o"), "Empty", "subject"),
        (triple("s", " ", "o"), "Empty", "predicate"),
        (triple("s", "p", ""), "Empty", "object"),
        (about(Term::Iri(String::new())), "Empty", "object"),
        (about(Term::Blank(String::new())), "Empty", "object"),
        (Fact::text("t").with_id(""), "Empty", "record_id"),
        (text("t").with_source(""), "Empty", "source"),
        (record("a", "  "), "NoValue", ""),
        (Fact::record::<&str, &str>([]).with_id("bad"), "NoValue", ""),
        (list(vec![]), "NoValue", ""),
        (list(vec![" ".into()]), "NoValue", ""),
        (record(" ", "v"), "UnnamedField", "field 1"),
        (Fact::record([("a", "1"), ("", "2")]).with_id("bad"), "UnnamedField", "field 2"),
        (Fact::record(same).with_id("bad"), "RepeatedField", "field a"),
        (many(limits::FIELDS_MAX + 1), "TooManyFields", "257"),
        (list(vec!["x".into(); limits::LIST_ITEMS_MAX + 1]), "TooManyItems", "tags"),
        (record("note", "a\0b"), "NulByte", "note"),
        (record("no\0te", "ab"), "NulByte", "te"),
        (text("\0"), "NulByte", "text"),
        (list(vec!["good".into(), "b\0d".into()]), "NulByte", "tags"),
        (triple("s\0", "p", "o"), "NulByte", "subject"),
        (triple("s", "p\0", "o"), "NulByte", "predicate"),
        (triple("s", "p", "\0o"), "NulByte", "object"),
        (about(literal("v".into(), None, Some("e\0".into()))), "NulByte", "object"),
        (text("t").with_source("a\0"), "NulByte", "source"),
        (Fact::text("t").with_id("bad\0"), "NulByte", "record_id"),
        (text("t").with_confidence(1.01), "Confidence", "confidence"),
        (text("t").with_confidence(-0.01), "Confidence", "confidence"),
        (text("t").with_confidence(f32::NAN), "Confidence", "confidence"),
        (text("t").with_confidence(f32::INFINITY), "Confidence", "confidence"),
        (vector(vec![]), "EmbeddingDimension", "embedding"),
        (vector(vec![1.0; limits::EMBEDDING_DIMENSION_MAX + 1]), "EmbeddingDimension", "embedding"),
        (vector(vec![1.0; 4]), "EmbeddingDimension", "embedding"),
        (vector(vec![1.0, f32::NAN, 0.0]), "EmbeddingNotFinite", "value 1"),
        (vector(vec![1.0, 0.0, f32::NEG_INFINITY]), "EmbeddingNotFinite", "value 2"),
        (vector(vec![0.0, -0.0, 0.0]), "EmbeddingZero", "embedding"),
        (Fact::text("t").with_id("known"), "DuplicateId", "(unnamed)"),
        (Fact::text("t").with_id("known").with_source("hpo"), "DuplicateId", "hpo"),
    ]
}

#[test]
fn what_is_too_long_is_not_quoted_whole() {
    let huge = long(1 << 20);
    for fact in [Fact::text("t").with_id(&*huge), Fact::record([(&*huge, "v")]).with_id(&*huge)] {
        let said = fact.validate().expect_err("too long").to_string();
        assert!(said.contains("xxx…") && said.len() < 300, "{} bytes: {:.200}", said.len(), said);
    }
}

/// The variant of an error.
fn kind(error: &FactError) -> &'static str {
    match error {
        FactError::TooLong { .. } => "TooLong",
        FactError::Empty { .. } => "Empty",
        FactError::NoValue { .. } => "NoValue",
        FactError::UnnamedField { .. } => "UnnamedField",
        FactError::RepeatedField { .. } => "RepeatedField",
        FactError::TooManyFields { .. } => "TooManyFields",
        FactError::TooManyItems { .. } => "TooManyItems",
        FactError::NulByte { .. } => "NulByte",
        FactError::Confidence { .. } => "Confidence",
        FactError::EmbeddingDimension { .. } => "EmbeddingDimension",
        FactError::EmbeddingNotFinite { .. } => "EmbeddingNotFinite",
        FactError::EmbeddingZero { .. } => "EmbeddingZero",
        FactError::DuplicateId { .. } => "DuplicateId",
        _ => "an error that this test does not know",
    }
}

#[test]
fn every_refusal_names_record_and_field_and_changes_nothing() {
    let mut engine = seasoned();
    let before = engine.state_hash();
    for (at, (fact, variant, field)) in bad_facts().into_iter().enumerate() {
        let id: String = fact.record_id.clone().expect("every bad fact has one").chars().take(64).collect();
        let error = engine.allocate_fact(fact).expect_err("a bad fact");
        let text = error.to_string();
        assert_eq!(kind(&error), variant, "{at}: {text}");
        assert!(text.contains(&format!("record {id}")) && text.contains(field), "{at}: {text}");
        assert_eq!(engine.state_hash(), before, "{at}: {text}");
    }
    assert_eq!((engine.node_count(), engine.fact_count(), engine.edge_count()), (4, 3, 1));
}

#[test]
fn a_refused_fact_leaves_no_trace_in_what_follows() {
    let good =
        || (0..40).map(|at| Fact::record([("name", format!("name {}", at % 7)), ("n", format!("{at}"))]));
    let (mut clean, mut disturbed) = (seasoned(), seasoned());
    allocate_all(&mut clean, good().collect());
    let mut bad = bad_facts().into_iter().map(|(fact, ..)| fact).cycle();
    for fact in good() {
        disturbed.allocate_fact(bad.next().expect("a cycle")).expect_err("a bad fact");
        disturbed.allocate_fact(fact).expect("a good fact");
    }
    assert_eq!(clean.state_hash(), disturbed.state_hash());
}

#[test]
fn the_rest_of_a_batch_goes_on() {
    let mut engine = seasoned();
    let mut facts: Vec<Fact> = bad_facts().into_iter().map(|(fact, ..)| fact).collect();
    let bad = facts.len();
    facts.insert(0, Fact::text("first"));
    facts.insert(20, Fact::text("middle"));
    facts.push(Fact::text("last"));
    let results = engine.allocate_batch(facts);
    assert_eq!(results.len(), bad + 3);
    assert!([0, 20, bad + 2].iter().all(|&at| results[at].is_ok()));
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), bad);
}

#[test]
fn the_bounds_themselves_are_taken() {
    let facts = vec![
        Fact::record([("note", long(limits::VALUE_BYTES_MAX))]),
        Fact::record([(long(limits::NAME_BYTES_MAX), "v")]),
        Fact::record((0..limits::FIELDS_MAX).map(|at| (format!("f{at}"), "x"))),
        Fact::record([("tags", vec!["x".to_owned(); limits::LIST_ITEMS_MAX])]),
        Fact::record([("tags", vec![long(limits::VALUE_BYTES_MAX / 2); 2])]),
        Fact::text("t").with_id(long(limits::ID_BYTES_MAX)).with_source(long(limits::ID_BYTES_MAX)),
        Fact::text("t").with_confidence(0.0),
        Fact::text("t").with_confidence(1.0),
        Fact::triple("s", long(limits::NAME_BYTES_MAX), long(limits::VALUE_BYTES_MAX)),
        Fact::text("t").with_time_s(i64::MIN),
        Fact::text("t").with_time_s(i64::MAX),
    ];
    let mut engine = engine();
    for fact in facts {
        assert_eq!(fact.validate(), Ok(()));
        engine.allocate_fact(fact).expect("at the bound, not beyond");
    }
}

#[test]
fn a_graph_knows_a_bounded_number_of_fields() {
    let mut engine = engine();
    let room = GRAPH_FIELDS_MAX - engine.model().len();
    let fields = |range: std::ops::Range<usize>| Fact::record(range.map(|at| (format!("f{at}"), "x")));
    for start in (0..room).step_by(100) {
        engine.allocate_fact(fields(start..room.min(start + 100))).expect("there is room");
    }
    assert_eq!(engine.model().len(), GRAPH_FIELDS_MAX);
    let before = engine.state_hash();
    let one_more = || fields(room - 1..room + 1).with_id("wide");
    let error = engine.allocate_fact(one_more()).expect_err("one field too many");
    assert_eq!(
        error,
        FactError::TooManyFields {
            record: "wide".into(),
            count: GRAPH_FIELDS_MAX + 1,
            limit: GRAPH_FIELDS_MAX
        }
    );
    // Texts and ends of triples need a field of their own.
    let error = engine.allocate_fact(Fact::text("a name").with_id("t")).expect_err("no room for texts");
    assert_eq!(kind(&error), "TooManyFields");
    assert_eq!(engine.state_hash(), before);
    engine.allocate_fact(fields(0..9)).expect("fields that are known");
    engine
        .allocate_fact(Fact::record([("f0", "x"), ("new", " ")]))
        .expect("a field without a value takes no room");
}

#[test]
fn looking_changes_nothing() {
    let mut engine = seasoned();
    let before = engine.state_hash();
    let perceived = engine.perceive(Fact::record([("a new field", "a value")])).expect("a good fact");
    let candidates = engine.recall(&perceived, 0);
    engine.decide(&perceived, 0, &candidates);
    assert_eq!(engine.state_hash(), before);
}

#[test]
fn looking_changes_no_later_decision() {
    let facts =
        || (0..12).map(|at| Fact::record([("code", format!("name of {at}")), ("x", format!("{at}"))]));
    let (mut clean, mut looked) = (engine(), engine());
    let perceived = looked.perceive(Fact::record([("code", "1234567")])).expect("a good fact");
    looked.recall(&perceived, 0);
    allocate_all(&mut clean, facts().collect());
    allocate_all(&mut looked, facts().collect());
    assert_eq!(clean.model(), looked.model());
}

#[test]
fn a_refused_commit_changes_nothing() {
    let mut engine = seasoned();
    let before = engine.state_hash();
    let fact = Fact::record([("a new field", "a value")]).with_id("known");
    let perceived = engine.perceive(fact).expect("good by itself");
    let candidates = engine.recall(&perceived, 0);
    let ballot = engine.decide(&perceived, 0, &candidates);
    let error = engine.commit(&perceived, vec![ballot]).expect_err("the identifier is taken");
    assert!(matches!(error, CommitError::Fact(FactError::DuplicateId { .. })), "{error}");
    assert_eq!(engine.state_hash(), before);
}

#[test]
fn a_refused_commit_commits_nothing() {
    let mut engine = seasoned();
    let before = engine.state_hash();
    let perceived =
        engine.perceive(Fact::record([("name", "new")]).with_id("known")).expect("good by itself");
    let candidates = engine.recall(&perceived, 0);
    let ballot = engine.decide(&perceived, 0, &candidates);
    let error = engine.commit(&perceived, vec![ballot]).expect_err("the identifier is taken");
    assert!(matches!(error, CommitError::Fact(FactError::DuplicateId { .. })), "{error}");
    assert_eq!(engine.state_hash(), before);
}

#[test]
fn names_of_the_engines_own_fields_do_no_harm() {
    let own = ["@text", "@iri", "@blank", "@literal", "@embedding", "@recency", "@neighbours"];
    let mut engine = engine();
    for round in 0..40 {
        for name in own {
            let value = FieldValue::Text(format!("value {}", round % 3));
            let fields =
                vec![Field { name: name.to_owned(), value }, Field { name: "n".into(), value: "1".into() }];
            let fact = Fact { content: FactContent::Record(fields), ..Fact::text("") };
            let result = engine.allocate_fact(fact).expect("a name like any other");
            assert!(engine.explain(None, &result.record_id).is_some());
            assert!(engine.node(result.allocated_node).is_some());
        }
    }
}
