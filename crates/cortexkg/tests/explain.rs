//! Every decision can be explained from the ballot that took it.

mod common;

use common::{Table, allocate_all, engine};
use cortexkg::{AllocationEngine, AllocationResult, Decision, EngineConfig, Explanation, Fact, Term};

/// Rounding of one vote, in bits.
const ROUNDING: f32 = 0.02;
/// Ballots keep this many competitors.
const COMPETITORS_MAX: usize = 3;

/// Prior and votes, these scaled by the trust in the source, are the evidence; the rest is in its range.
#[track_caller]
fn check(explanation: &Explanation, result: &AllocationResult, trust: f32) {
    let id = &result.record_id;
    assert_eq!(&explanation.result, &AllocationResult { object: None, ..result.clone() }, "{id}");
    assert!(!explanation.mention.is_empty(), "{id}");
    assert!(explanation.candidates.len() <= COMPETITORS_MAX.min(result.candidates as usize), "{id}");
    let mut sum = explanation.new_probability;
    for candidate in &explanation.candidates {
        let votes: f32 = candidate.votes.iter().map(|vote| vote.bits).sum();
        let expected = candidate.prior_bits + trust * votes;
        let slack = ROUNDING * (candidate.votes.len() + 1) as f32;
        assert!((candidate.evidence_bits - expected).abs() <= slack, "{id}: {expected} {candidate:?}");
        assert!((0.0..=1.0).contains(&candidate.probability), "{id}: {candidate:?}");
        assert!(!candidate.label.is_empty() && !candidate.origins.is_empty(), "{id}: {candidate:?}");
        sum += candidate.probability;
        for vote in &candidate.votes {
            assert!(!vote.reason.trim().is_empty() && !vote.field.is_empty(), "{id}: {vote:?}");
            assert!(
                ["semantic", "structural", "temporal", "exception"].contains(&&*vote.column),
                "{id}: {vote:?}"
            );
            assert!(vote.column != "exception" || vote.bits < 0.0, "{id}: {vote:?}");
        }
    }
    assert!(sum <= 1.0 + 1e-4, "{id}: {sum}");
    assert!(explanation.candidates.is_sorted_by(|a, b| a.evidence_bits >= b.evidence_bits), "{id}");
    let leader = explanation.candidates.first();
    match result.decision {
        Decision::Existing => {
            let leader = leader.expect("somebody won");
            assert_eq!(leader.node, result.allocated_node, "{id}");
            assert_eq!(leader.probability, result.confidence, "{id}");
        }
        Decision::New | Decision::Possible => {
            assert!(
                leader.is_none_or(|leader| leader.node < result.allocated_node),
                "{id}: it was not there"
            );
            assert_eq!(explanation.new_probability, result.confidence, "{id}");
        }
    }
}

/// The text has a line for everything the explanation says.
#[track_caller]
fn check_text(explanation: &Explanation) {
    let text = explanation.to_string();
    let votes: usize = explanation.candidates.iter().map(|candidate| candidate.votes.len()).sum();
    let candidates = explanation.candidates.len();
    let lines = 2 + 2 * candidates + votes + usize::from(candidates == 0);
    assert_eq!(text.lines().count(), lines, "{text}");
    assert!(text.lines().all(|line| !line.trim().is_empty()), "{text}");
    assert!(text.starts_with(&explanation.result.record_id), "{text}");
    for vote in explanation.candidates.iter().flat_map(|candidate| &candidate.votes) {
        assert!(text.contains(&vote.reason), "{text}");
    }
}

#[test]
fn every_restaurant_is_explained() {
    let mut engine = engine();
    let results = allocate_all(&mut engine, Table::records("fodors-zagats").facts());
    for result in &results {
        let explanation = engine.explain(None, &result.record_id).expect("ballots are kept");
        check(&explanation, result, 1.0);
        check_text(&explanation);
        assert!(engine.explain(Some("another source"), &result.record_id).is_none());
    }
    assert!(engine.explain(None, "nobody").is_none());
}

#[test]
fn an_explanation_is_the_ballot_and_not_a_second_guess() {
    let mut facts = Table::records("fodors-zagats").facts();
    let rest = facts.split_off(400);
    let mut engine = engine();
    let results = allocate_all(&mut engine, facts);
    let explain = |engine: &AllocationEngine| -> Vec<_> {
        let explanation = |result: &AllocationResult| engine.explain(None, &result.record_id).expect("kept");
        results.iter().map(explanation).collect()
    };
    let before = explain(&engine);
    allocate_all(&mut engine, rest);
    for (before, after) in before.into_iter().zip(explain(&engine)) {
        // Nodes have grown, so their labels may have changed; figures have not.
        let bare = |mut explanation: Explanation| {
            explanation.candidates.iter_mut().for_each(|candidate| candidate.label.clear());
            explanation
        };
        assert_eq!(bare(before), bare(after));
    }
}

#[test]
fn trust_in_the_source_scales_the_votes() {
    for trust in [0.75, 0.5, 0.25, 0.0] {
        let mut engine = engine();
        let facts = Table::records("fodors-zagats").facts();
        let facts: Vec<_> = facts.into_iter().take(300).map(|fact| fact.with_confidence(trust)).collect();
        for result in allocate_all(&mut engine, facts) {
            check(&engine.explain(None, &result.record_id).expect("kept"), &result, trust);
        }
    }
}

#[test]
fn the_ends_of_a_triple_are_explained_by_their_names() {
    let mut engine = engine();
    let triples = [
        Fact::triple("Ada Lovelace", "knows", "Charles Babbage").with_id("t1"),
        Fact::triple("Charles Babbage", "knows", Term::Iri("http://x.org/Ada_Lovelace".into())).with_id("t2"),
        Fact::triple("Ada Lovelace", "knows", "Ada Lovelace").with_id("t3").with_source("s"),
    ];
    for triple in triples {
        let source = triple.source.clone();
        let result = engine.allocate_fact(triple).expect("a good fact");
        for mention in result.mentions() {
            let explanation = engine.explain(source.as_deref(), &mention.record_id).expect("kept");
            check(&explanation, mention, 1.0);
            check_text(&explanation);
        }
        let fact = result.record_id.strip_suffix("#s").expect("the subject");
        let whole = engine.explain(source.as_deref(), fact).expect("a fact's name means its subject");
        assert_eq!(whole.result.record_id, result.record_id);
        assert!(engine.explain(source.as_deref(), &format!("{fact}#x")).is_none());
    }
    let object = engine.explain(None, "t2#o").expect("kept");
    let reasons: Vec<_> = object.candidates.iter().flat_map(|candidate| &candidate.votes).collect();
    assert!(
        reasons.iter().any(|vote| vote.field == "@text" && vote.reason.contains("Ada Lovelace")),
        "{reasons:?}"
    );
}

#[test]
fn a_record_whose_name_looks_like_an_end_is_itself() {
    let mut engine = engine();
    engine.allocate_fact(Fact::triple("Ada", "knows", "Charles").with_id("t")).expect("a good fact");
    engine.allocate_fact(Fact::text("a record").with_id("t#s")).expect("a good fact");
    assert_eq!(engine.explain(None, "t#s").expect("kept").mention, "a record");
    assert_eq!(engine.explain(None, "t#o").expect("kept").mention, "Charles");
    assert_eq!(engine.explain(None, "t").expect("kept").mention, "Ada");
}

fn ballot_bytes(engine: &AllocationEngine) -> usize {
    let parts = engine.memory();
    parts.into_iter().find(|(name, _)| *name == "ballots").expect("they are counted").1
}

#[test]
fn the_ballots_that_are_kept_are_the_last() {
    let mut all = engine();
    let results = allocate_all(&mut all, Table::records("fodors-zagats").facts());
    for kept in [0, 1, 10, 5_000] {
        let mut engine =
            AllocationEngine::new(EngineConfig { ballots_kept: kept, ..EngineConfig::default() });
        assert_eq!(allocate_all(&mut engine, Table::records("fodors-zagats").facts()), results);
        assert_eq!(engine.state_hash(), all.state_hash(), "what is kept decides nothing");
        let first = results.len().saturating_sub(kept);
        for (at, result) in results.iter().enumerate() {
            let explanation = engine.explain(None, &result.record_id);
            assert_eq!(
                explanation,
                (at >= first).then(|| all.explain(None, &result.record_id).expect("kept"))
            );
        }
        let bytes = ballot_bytes(&engine);
        assert!(bytes <= kept * 4096, "{kept} ballots: {bytes} bytes");
        assert!(bytes <= ballot_bytes(&all));
    }
}
