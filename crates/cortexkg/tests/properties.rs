//! What holds for every stream, found by random ones: small alphabets so that facts meet, and garbage so that nothing is taken
//! for granted.

mod common;

use common::engine;
use cortexkg::{AllocationEngine, AllocationResult, Decision, Fact, FactError, Field, FieldValue, Term};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

const WORDS: [&str; 14] = [
    "ada",
    "Ada",
    "adá",
    "lovelace",
    "Lovelase",
    "12",
    "1215",
    "1815-12-10",
    "x; y",
    "朝日",
    "محمد",
    "🦀",
    "-",
    "C++",
];

fn value() -> impl Strategy<Value = FieldValue> {
    let text = prop::collection::vec(select(&WORDS[..]), 0..4).prop_map(|words| words.join(" "));
    let items = prop::collection::vec(select(&WORDS[..]).prop_map(str::to_owned), 0..4);
    prop_oneof![4 => text.prop_map(FieldValue::Text), 1 => items.prop_map(FieldValue::List)]
}

/// A record of up to four fields, each of them missing at times.
fn record() -> impl Strategy<Value = Fact> {
    prop::collection::vec(prop::option::weighted(0.7, value()), 4).prop_map(|values| {
        let fields = ["name", "birth", "number", "名前"].into_iter().zip(values);
        Fact::record(fields.filter_map(|(name, value)| Some((name, value?))))
    })
}

fn term() -> impl Strategy<Value = Term> {
    let word = || select(&WORDS[..]).prop_map(str::to_owned);
    let language = prop::option::of(select(&["en", "fr"][..]).prop_map(str::to_owned));
    prop_oneof![
        3 => word().prop_map(Term::Name),
        2 => (select(&["http://x.org/", "http://y.org/#", "urn:"][..]), word()).prop_map(|(space, name)| Term::Iri(format!("{space}{name}"))),
        1 => word().prop_map(Term::Blank),
        1 => (word(), language).prop_map(|(value, language)| Term::Literal { value, datatype: None, language }),
    ]
}

fn any_kind() -> impl Strategy<Value = Fact> {
    let triple =
        (term(), select(&["knows", "wrote"][..]), term()).prop_map(|(s, p, o)| Fact::triple(s, p, o));
    let text = prop::collection::vec(select(&WORDS[..]), 0..4).prop_map(|words| Fact::text(words.join(" ")));
    let embedding = prop::option::weighted(0.2, prop::collection::vec(-2i8..=2, 3));
    let trust = prop::option::weighted(0.2, 0u8..=4);
    let id = prop::option::weighted(0.3, 0u8..20);
    (prop_oneof![3 => record(), 1 => text, 1 => triple], embedding, trust, id).prop_map(
        |(mut fact, embedding, trust, id)| {
            fact.embedding = embedding.map(|values| values.into_iter().map(f32::from).collect());
            fact.confidence = trust.map(|quarters| f32::from(quarters) / 4.0);
            fact.record_id = id.map(|id| format!("id{id}"));
            fact
        },
    )
}

/// Names and values that no source should send.
fn garbage() -> impl Strategy<Value = Fact> {
    let name = prop_oneof![
        any::<String>(),
        "@[a-z]{0,9}",
        select(&["@text", "@iri", "@blank", "@literal", "@embedding", "@recency"][..])
            .prop_map(str::to_owned)
    ];
    let value = prop_oneof![
        3 => any::<String>().prop_map(FieldValue::Text),
        1 => prop::collection::vec(any::<String>(), 0..5).prop_map(FieldValue::List),
        1 => value(),
    ];
    let fields = prop::collection::vec((name, value), 0..6);
    let embedding = prop::option::weighted(0.1, prop::collection::vec(any::<f32>(), 0..4));
    (fields, embedding, prop::option::weighted(0.1, any::<f32>()), any::<Option<i64>>()).prop_map(
        |(fields, embedding, confidence, time_s)| {
            let mut fact = Fact::record::<String, FieldValue>([]);
            let fields = fields.into_iter().map(|(name, value)| Field { name, value }).collect();
            fact.content = cortexkg::FactContent::Record(fields);
            Fact { embedding, confidence, time_s, ..fact }
        },
    )
}

/// An engine that knows a field. To be an empty one as soon as facts without a word may come first: see
/// `signs_alone_are_taken` in `scripts.rs`.
fn seeded() -> AllocationEngine {
    let mut engine = engine();
    engine.allocate_fact(Fact::record([("seed", "seed")]).with_id("seed")).expect("a good fact");
    engine
}

type Results = Vec<Result<AllocationResult, FactError>>;

fn one_by_one(facts: &[Fact]) -> (AllocationEngine, Results) {
    let mut engine = seeded();
    let results = facts.iter().map(|fact| engine.allocate_fact(fact.clone())).collect();
    (engine, results)
}

/// What every engine must hold to after every stream.
fn check(engine: &AllocationEngine, results: &Results) -> Result<(), TestCaseError> {
    let ids: Vec<_> = engine.node_ids().collect();
    prop_assert!(ids.is_sorted_by(|earlier, later| earlier < later));
    let mut created = 1;
    for mention in results.iter().flatten().flat_map(AllocationResult::mentions) {
        let node = engine.node(mention.allocated_node);
        prop_assert!(node.is_some(), "{mention:?}");
        let listed =
            node.iter().flat_map(|node| &node.members).any(|member| member.record_id == mention.record_id);
        prop_assert!(listed, "{mention:?} is not among {node:?}");
        prop_assert!((0.0..=1.0).contains(&mention.confidence) && mention.margin_bits >= 0.0, "{mention:?}");
        if mention.decision != Decision::Existing {
            prop_assert_eq!(ids.get(created), Some(&mention.allocated_node), "identifiers rise");
            created += 1;
        }
    }
    prop_assert_eq!(created, engine.node_count());
    let members: usize = ids.iter().filter_map(|&id| engine.node(id)).map(|node| node.members.len()).sum();
    prop_assert_eq!(members - 1, results.iter().flatten().flat_map(AllocationResult::mentions).count());
    prop_assert_eq!(engine.fact_count() - 1, results.iter().flatten().count());
    for result in results.iter().flatten() {
        let text = serde_json::to_string(result).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let back: AllocationResult =
            serde_json::from_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&back, result);
    }
    Ok(())
}

/// A stream that breaks a property is kept beside this file.
fn config() -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_stream_of_records_holds_together(facts in prop::collection::vec(record(), 1..40)) {
        let (engine, results) = one_by_one(&facts);
        check(&engine, &results)?;
    }

    #[test]
    fn a_stream_of_everything_holds_together(facts in prop::collection::vec(any_kind(), 1..60)) {
        let (engine, results) = one_by_one(&facts);
        check(&engine, &results)?;
    }

    #[test]
    fn garbage_is_refused_or_taken(facts in prop::collection::vec(garbage(), 1..12), good in prop::collection::vec(record(), 4)) {
        let facts: Vec<_> = facts.into_iter().chain(good).collect();
        let (engine, results) = one_by_one(&facts);
        check(&engine, &results)?;
        for (fact, result) in facts.iter().zip(&results) {
            prop_assert!(result.is_ok() || fact.validate().is_err() || matches!(
                result,
                Err(FactError::EmbeddingDimension { .. })
            ), "{result:?}");
        }
    }

    #[test]
    fn a_batch_is_one_by_one(facts in prop::collection::vec(any_kind(), 1..40), cut in 0usize..40) {
        let (engine, results) = one_by_one(&facts);
        let mut batched = seeded();
        let mut all = batched.allocate_batch(facts[..cut.min(facts.len())].to_vec());
        all.extend(batched.allocate_batch(facts[cut.min(facts.len())..].to_vec()));
        prop_assert_eq!(all, results);
        prop_assert_eq!(batched.state_hash(), engine.state_hash());
    }

    #[test]
    fn a_refused_fact_might_as_well_not_have_come(facts in prop::collection::vec(any_kind(), 1..30)) {
        // Named facts only: an identifier that the engine makes counts positions.
        let named = facts.into_iter().enumerate().map(|(at, fact)| match fact.record_id {
            Some(_) => fact,
            None => fact.with_id(format!("n{at}")),
        });
        let facts: Vec<_> = named.collect();
        let (engine, results) = one_by_one(&facts);
        let good: Vec<_> = facts.into_iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(fact, _)| fact).collect();
        let (alone, again) = one_by_one(&good);
        prop_assert!(again.iter().all(Result::is_ok));
        prop_assert_eq!(alone.state_hash(), engine.state_hash());
    }

    #[test]
    fn explanations_exist_and_print(facts in prop::collection::vec(any_kind(), 1..30)) {
        let (engine, results) = one_by_one(&facts);
        for mention in results.iter().flatten().flat_map(AllocationResult::mentions) {
            let explanation = engine.explain(None, &mention.record_id);
            prop_assert!(explanation.is_some_and(|explanation| !explanation.to_string().is_empty()), "{mention:?}");
        }
    }
}
