//! What somebody who gives the engine a few facts expects of it.

mod common;

use common::{Table, allocate, allocate_all, engine};
use cortexkg::{AllocationEngine, Decision, Fact, NodeId, POSSIBLY_SAME, Term};

fn iri(text: &str) -> Term {
    Term::Iri(text.to_owned())
}

fn blank(label: &str) -> Term {
    Term::Blank(label.to_owned())
}

fn literal(value: &str, datatype: Option<&str>, language: Option<&str>) -> Term {
    let own = |part: Option<&str>| part.map(str::to_owned);
    Term::Literal { value: value.to_owned(), datatype: own(datatype), language: own(language) }
}

/// The nodes of subject and object.
#[track_caller]
fn ends(engine: &mut AllocationEngine, fact: Fact) -> (NodeId, NodeId) {
    let result = allocate(engine, fact);
    let object = result.object.as_deref().expect("a triple has an object");
    (result.allocated_node, object.allocated_node)
}

/// The node of a term that is said to be a thing: the subject of a triple of its own.
#[track_caller]
fn subject(engine: &mut AllocationEngine, term: Term, source: &str) -> NodeId {
    let object = format!("an object of its own {}", engine.fact_count());
    ends(engine, Fact::triple(term, "mentioned with", object).with_source(source)).0
}

mod texts {
    use super::*;

    #[test]
    fn the_same_text_twice_is_one_thing() {
        for text in ["Multicystic kidney dysplasia", "Paris", "株式会社朝日新聞", "x"] {
            let mut engine = engine();
            let first = allocate(&mut engine, Fact::text(text));
            assert_eq!((first.decision, first.candidates), (Decision::New, 0), "{text}");
            let again = allocate(&mut engine, Fact::text(text));
            assert_eq!(again.decision, Decision::Existing, "{text}");
            assert_eq!(again.allocated_node, first.allocated_node, "{text}");
            assert!(again.confidence > 0.8, "{text}: {}", again.confidence);
        }
    }

    #[test]
    fn another_spelling_is_the_same_thing() {
        let mut engine = engine();
        let first = allocate(&mut engine, Fact::text("Café  O’Reilly"));
        let again = allocate(&mut engine, Fact::text("cafe oreilly"));
        assert_eq!(again.allocated_node, first.allocated_node);
        let node = engine.node(first.allocated_node).expect("it was allocated");
        assert_eq!(node.aliases, ["Café  O’Reilly"], "as first written");
        assert_eq!(node.members.len(), 2);
    }

    #[test]
    fn different_texts_are_different_things() {
        let mut engine = engine();
        for text in
            ["Crooked nasal tip", "Multicystic kidney dysplasia", "Paris", "Los Angeles", "Ada Lovelace"]
        {
            let result = allocate(&mut engine, Fact::text(text));
            assert_eq!(result.decision, Decision::New, "{text}");
            assert!(result.confidence > 0.5, "{text}: {}", result.confidence);
        }
        assert_eq!(engine.node_count(), 5);
    }

    #[test]
    fn a_text_is_found_again_among_many() {
        const PLACES: [&str; 40] = [
            "Paris",
            "Stockholm",
            "Heidelberg",
            "New York City",
            "Los Angeles",
            "Kyoto",
            "Nairobi",
            "Cusco",
            "Reykjavik",
            "Tbilisi",
            "Ada Lovelace",
            "Charles Babbage",
            "Mary Somerville",
            "Luigi Menabrea",
            "Emmy Noether",
            "Alan Turing",
            "Grace Hopper",
            "Analytical engine",
            "Difference engine",
            "Blue whale",
            "Ostrich",
            "Zebra",
            "Multicystic kidney dysplasia",
            "Crooked nasal tip",
            "Arachnodactyly",
            "Renal hypoplasia",
            "Short stature",
            "Cleft palate",
            "Iron",
            "Mercury",
            "Helium",
            "Treaty of Utrecht",
            "Magna Carta",
            "Goldberg variations",
            "Kind of Blue",
            "Moby Dick",
            "Don Quixote",
            "Iliad",
            "Beowulf",
            "Epic of Gilgamesh",
        ];
        let mut engine = engine();
        let first: Vec<_> =
            PLACES.iter().map(|place| allocate(&mut engine, Fact::text(*place)).allocated_node).collect();
        assert_eq!(engine.node_count(), PLACES.len());
        for (place, node) in PLACES.iter().zip(first) {
            let again = allocate(&mut engine, Fact::text(*place));
            assert_eq!((again.decision, again.allocated_node), (Decision::Existing, node), "{place}");
            assert!(again.confidence > 0.8, "{place}: {}", again.confidence);
        }
    }
}

mod triples {
    use super::*;

    #[test]
    fn both_ends_are_mentions_and_the_predicate_is_an_edge() {
        let mut engine = engine();
        let result = allocate(
            &mut engine,
            Fact::triple("Ada Lovelace", "worked with", "Charles Babbage").with_id("t1"),
        );
        let object = result.object.clone().expect("a triple has an object");
        assert_eq!((&*result.record_id, &*object.record_id), ("t1#s", "t1#o"));
        assert_ne!(result.allocated_node, object.allocated_node);
        let edge = (result.allocated_node, "worked with".to_owned(), object.allocated_node);
        for (node, member) in [(result.allocated_node, "t1#s"), (object.allocated_node, "t1#o")] {
            let node = engine.node(node).expect("it was allocated");
            assert_eq!(node.edges, std::slice::from_ref(&edge));
            assert_eq!(node.members[0].record_id, member);
        }
        assert_eq!((engine.node_count(), engine.edge_count(), engine.fact_count()), (2, 1, 1));
    }

    #[test]
    fn the_same_subject_goes_to_the_same_node() {
        let mut engine = engine();
        let (ada, babbage) =
            ends(&mut engine, Fact::triple("Ada Lovelace", "worked with", "Charles Babbage"));
        let (again, london) = ends(&mut engine, Fact::triple("Ada Lovelace", "born in", "London"));
        assert_eq!(again, ada);
        assert_eq!(
            ends(&mut engine, Fact::triple("Charles Babbage", "born in", "London")),
            (babbage, london)
        );
        assert_eq!(engine.node(ada).expect("a node").edges.len(), 2);
        assert_eq!(engine.edge_count(), 3);
    }

    #[test]
    fn a_triple_said_twice_is_one_edge() {
        let mut engine = engine();
        let first = ends(&mut engine, Fact::triple("Ada Lovelace", "knows", "Charles Babbage"));
        assert_eq!(ends(&mut engine, Fact::triple("Ada Lovelace", "knows", "Charles Babbage")), first);
        assert_eq!((engine.edge_count(), engine.fact_count()), (1, 2));
    }

    #[test]
    fn someone_who_knows_herself_is_one_node() {
        let mut engine = engine();
        let (subject, object) = ends(&mut engine, Fact::triple("Alice", "knows", "Alice"));
        assert_eq!(subject, object);
        let node = engine.node(subject).expect("a node");
        assert_eq!(node.edges, [(subject, "knows".to_owned(), subject)]);
        assert_eq!(node.members.len(), 2);
        assert_eq!(engine.node_count(), 1);
    }

    #[test]
    fn a_text_finds_the_end_of_a_triple() {
        let mut engine = engine();
        let (ada, _) = ends(&mut engine, Fact::triple("Ada Lovelace", "knows", "Charles Babbage"));
        assert_eq!(allocate(&mut engine, Fact::text("Ada Lovelace")).allocated_node, ada);
    }

    #[test]
    fn a_triple_cut_by_hand_is_the_whole_triple() {
        let facts = || {
            [
                ("Ada", "knows", "Charles"),
                ("Ada", "knows", "Mary"),
                ("Mary", "knows", "Mary"),
                ("Eve", "knows", "Eve"),
            ]
            .map(|(subject, verb, object)| Fact::triple(subject, verb, object))
        };
        let (mut whole, mut cut) = (engine(), engine());
        for (one, other) in facts().into_iter().zip(facts()) {
            let expected = ends(&mut whole, one);
            let perceived = cut.perceive(other).expect("a good fact");
            assert_eq!(perceived.mention_count(), 2);
            let ballots = [0, 1].map(|mention| {
                let candidates = cut.recall(&perceived, mention);
                cut.decide(&perceived, mention, &candidates)
            });
            let result = cut.commit(&perceived, ballots.into()).expect("fresh ballots");
            assert_eq!((result.allocated_node, result.object.expect("an object").allocated_node), expected);
        }
    }
}

mod terms {
    use super::*;

    #[test]
    fn the_same_iri_is_the_same_thing() {
        let mut engine = engine();
        let first = subject(&mut engine, iri("http://x.org/Q42"), "a");
        assert_eq!(subject(&mut engine, iri("http://x.org/Q42"), "b"), first, "in every source");
        assert_eq!(engine.node(first).expect("a node").members.len(), 2);
    }

    #[test]
    fn two_iris_of_one_namespace_are_two_things() {
        let mut engine = engine();
        let names =
            ["Alice", "alice", "Alice_", "Alice1", "Alice2", "AliceSmith", "Alice_Smith", "Alice%20Smith"];
        let mut nodes: Vec<_> = names
            .iter()
            .cycle()
            .take(3 * names.len())
            .map(|name| subject(&mut engine, iri(&format!("http://x.org/people/{name}")), "a"))
            .collect();
        assert_eq!(nodes[..names.len()], nodes[names.len()..2 * names.len()]);
        nodes.sort_unstable();
        nodes.dedup();
        assert_eq!(nodes.len(), names.len());
    }

    #[test]
    fn the_same_local_name_of_another_namespace_may_be_the_same_thing() {
        let mut engine = engine();
        let first = subject(&mut engine, iri("http://x.org/Ada_Lovelace"), "a");
        assert_eq!(subject(&mut engine, iri("http://y.org/people#AdaLovelace"), "a"), first);
        assert_eq!(allocate(&mut engine, Fact::text("Ada Lovelace")).allocated_node, first);
        // The node has an IRI of that namespace now: another one is another thing.
        assert_ne!(subject(&mut engine, iri("http://y.org/people#Ada_Lovelace"), "a"), first);
    }

    #[test]
    fn a_blank_node_means_something_within_its_source_only() {
        let mut engine = engine();
        let first = subject(&mut engine, blank("b0"), "one");
        assert_eq!(subject(&mut engine, blank("b0"), "one"), first);
        let other = subject(&mut engine, blank("b0"), "two");
        assert_ne!(other, first);
        assert_ne!(subject(&mut engine, blank("b1"), "one"), first);
        assert_eq!(subject(&mut engine, blank("b0"), "two"), other);
    }

    #[test]
    fn equal_literals_are_one_node_and_others_are_not() {
        let mut engine = engine();
        let literals = [
            literal("42", None, None),
            literal("42", Some("http://www.w3.org/2001/XMLSchema#integer"), None),
            literal("43", Some("http://www.w3.org/2001/XMLSchema#integer"), None),
            literal("chat", None, Some("fr")),
            literal("chat", None, Some("en")),
            literal("Chat", None, Some("en")),
        ];
        let mut object = |number: usize, term: Term| {
            ends(&mut engine, Fact::triple(format!("thing number {number}"), "has", term)).1
        };
        let first: Vec<_> = literals.iter().cloned().enumerate().map(|(at, term)| object(at, term)).collect();
        for (at, term) in literals.into_iter().enumerate() {
            assert_eq!(object(100 + at, term.clone()), first[at], "{term:?}");
        }
        let mut distinct = first.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), first.len(), "{first:?}");
    }

    #[test]
    fn an_empty_literal_is_a_value() {
        for value in ["", " "] {
            let mut engine = engine();
            let (_, first) = ends(&mut engine, Fact::triple("one thing", "has", literal(value, None, None)));
            let (_, again) =
                ends(&mut engine, Fact::triple("another thing", "has", literal(value, None, None)));
            assert_eq!(again, first, "{value:?}");
        }
    }
}

mod close_calls {
    use super::*;

    #[test]
    fn a_close_call_has_its_own_node_and_an_edge_to_its_rival() {
        let mut engine = engine();
        let results = allocate_all(&mut engine, Table::records("fodors-zagats").facts());
        let possible: Vec<_> =
            results.iter().filter(|result| result.decision == Decision::Possible).collect();
        assert!(!possible.is_empty(), "the restaurants have close calls");
        for result in &possible {
            let node = engine.node(result.allocated_node).expect("a node");
            assert_eq!(node.members[0].record_id, result.record_id, "it opened the node");
            let explanation = engine.explain(None, &result.record_id).expect("ballots are kept");
            let tie = (node.id, POSSIBLY_SAME.to_owned(), explanation.candidates[0].node);
            assert!(node.edges.contains(&tie), "{node:?}");
            let rival = explanation.candidates[0].probability;
            assert!(result.confidence >= rival, "more likely new than the rival's: {result:?}");
        }
        assert_eq!(engine.edge_count(), possible.len(), "records make no other edges");
    }

    #[test]
    fn a_conflict_that_was_overruled_is_an_exception() {
        let mut found = 0;
        for set in ["febrl1", "febrl3", "fodors-zagats"] {
            let mut engine = engine();
            let table = Table::records(set);
            let results = allocate_all(&mut engine, table.facts());
            for exception in engine.exceptions() {
                found += 1;
                let at = results
                    .iter()
                    .position(|result| result.record_id == exception.record_id)
                    .expect("a record");
                assert_eq!(results[at].decision, Decision::Existing, "{exception:?}");
                assert_eq!(results[at].allocated_node, exception.node, "{exception:?}");
                assert!(exception.bits < 0.0 && exception.stated != exception.held, "{exception:?}");
                let column = table.header.iter().position(|name| *name == exception.field).expect("a column");
                assert_eq!(table.rows[at][column], exception.stated, "as the record has it");
                let explanation = engine.explain(None, &exception.record_id).expect("ballots are kept");
                let votes = &explanation.candidates[0].votes;
                assert!(votes.iter().any(|vote| vote.column == "exception" && vote.field == exception.field));
            }
        }
        assert!(found > 20, "{found} exceptions");
    }
}

mod identifiers {
    use super::*;
    use cortexkg::FactError;

    #[test]
    fn an_identifier_is_unique_within_its_source() {
        let mut engine = engine();
        let fact = |id: &str| Fact::text(format!("text {id}")).with_id(id);
        allocate(&mut engine, fact("a"));
        let before = engine.state_hash();
        let error = engine.allocate_fact(fact("a")).expect_err("the same identifier");
        assert_eq!(error, FactError::DuplicateId { record: "a".into(), source_name: "(unnamed)".into() });
        assert_eq!(engine.state_hash(), before);
        allocate(&mut engine, fact("a").with_source("another"));
        let error = engine.allocate_fact(fact("a").with_source("another")).expect_err("the same again");
        assert_eq!(error, FactError::DuplicateId { record: "a".into(), source_name: "another".into() });
        allocate(&mut engine, fact("b"));
        assert_eq!(engine.fact_count(), 3);
    }

    #[test]
    fn a_fact_without_an_identifier_is_given_one() {
        let mut engine = engine();
        let results: Vec<_> =
            (0..5).map(|at| allocate(&mut engine, Fact::text(format!("text {at}")))).collect();
        let mut ids: Vec<_> = results.iter().map(|result| result.record_id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 5);
        for result in &results {
            assert!(!result.record_id.is_empty());
            let explanation = engine.explain(None, &result.record_id).expect("it can be asked for");
            assert_eq!(explanation.result.allocated_node, result.allocated_node);
        }
    }

    #[test]
    fn identifiers_that_are_made_give_way_to_those_that_are_given() {
        let mut engine = engine();
        for at in 0..4 {
            allocate(&mut engine, Fact::text(format!("named {at}")).with_id(format!("#{}", at + 2)));
        }
        for at in 0..4 {
            let result = engine.allocate_fact(Fact::text(format!("unnamed {at}")));
            assert!(result.is_ok(), "{at}: {result:?}");
        }
        assert_eq!(engine.fact_count(), 8);
    }
}

mod provenance {
    use super::*;

    #[test]
    fn members_tell_where_they_came_from() {
        let mut engine = engine();
        let fact = Fact::text("Ada Lovelace").with_id("a").with_source("letters").with_time_s(-4_000_000_000);
        let node = allocate(&mut engine, fact.with_confidence(0.5)).allocated_node;
        allocate(&mut engine, Fact::text("Ada Lovelace").with_id("b"));
        let members = engine.node(node).expect("a node").members;
        let [first, second] = &*members else { panic!("two members: {members:?}") };
        assert_eq!((&*first.record_id, &*first.source, first.time_s), ("a", "letters", Some(-4_000_000_000)));
        assert_eq!(first.confidence, 0.5);
        assert_eq!((&*second.record_id, &*second.source, second.time_s), ("b", "", None));
        assert_eq!(second.confidence, 1.0);
        assert_eq!(engine.node(NodeId(99)), None);
    }

    #[test]
    fn a_source_that_is_trusted_less_decides_less_surely() {
        let again = |trust: f32| {
            let mut engine = engine();
            allocate(&mut engine, Fact::record([("name", "Arnie Morton's"), ("phone", "310/246-1501")]));
            let fact = Fact::record([("name", "Arnie Morton"), ("phone", "310/246-1501")]);
            let result = allocate(&mut engine, fact.with_confidence(trust).with_id("again"));
            let explanation = engine.explain(None, "again").expect("ballots are kept");
            (result, explanation.candidates.first().map_or(0.0, |leader| leader.probability))
        };
        let probabilities = [1.0, 0.5, 0.25, 0.1, 0.0].map(|trust| again(trust).1);
        assert!(probabilities.is_sorted_by(|more, less| more > less), "{probabilities:?}");
        assert_eq!(again(1.0).0.decision, Decision::Existing);
        assert_ne!(again(0.0).0.decision, Decision::Existing, "who is not trusted at all decides nothing");
    }

    #[test]
    fn a_trusted_difference_weighs_more_too() {
        let mut engine = engine();
        allocate(&mut engine, Fact::record([("name", "Arnie Morton's"), ("phone", "310/246-1501")]));
        let mut evidence = |trust: f32| {
            let fact =
                Fact::record([("name", "Zucchini Palace"), ("phone", "310/246-1501")]).with_confidence(trust);
            let perceived = engine.perceive(fact).expect("a good fact");
            let candidates = engine.recall(&perceived, 0);
            let leader = engine.decide(&perceived, 0, &candidates).competitors[0].clone();
            (leader.evidence - leader.prior).as_f32()
        };
        let (full, half) = (evidence(1.0), evidence(0.5));
        assert!((full - 2.0 * half).abs() < 0.02, "{full} {half}");
    }
}
