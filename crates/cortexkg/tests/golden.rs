//! The same facts in the same order give the same graph: on every processor, with one thread or many, whole or step by step.
//!
//! The hashes in `golden/hashes.txt` change only with the engine's decisions. After a change that is meant to change them:
//! `UPDATE_GOLDEN=1 cargo test -p cortexkg --test golden`.
#![allow(clippy::print_stdout, reason = "the levels test says what it has tested")]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use common::{Sequence, Table, allocate_all, engine};
use cortexkg::{AllocationEngine, AllocationResult, CommitError, Fact, Field, FieldValue, Term};
use cortexkg_simd::{Kernels, LEVEL_VARIABLE, Level};

const TABLE: &str = "tests/golden/hashes.txt";
/// Tells the child of the levels test that it is one.
const CHILD_VARIABLE: &str = "CORTEXKG_GOLDEN_CHILD";

fn stream(name: &str) -> Vec<Fact> {
    match name {
        "mixed" => mixed(),
        set => Table::records(set).facts(),
    }
}

fn hash_of(name: &str) -> String {
    let mut engine = engine();
    // The mixed stream has facts that must be refused.
    let results = engine.allocate_batch(stream(name));
    let refused = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(refused > 0, name == "mixed", "{name}: {refused} refused");
    engine.state_hash().to_string()
}

/// Texts, triples with every kind of term, records with lists, embeddings, times, sources, confidences, and facts that are refused.
fn mixed() -> Vec<Fact> {
    const PEOPLE: [&str; 12] = [
        "Ada Lovelace",
        "ada lovelace",
        "Ada  King",
        "Charles Babbage",
        "C. Babbage",
        "Mary Somerville",
        "María Somerville",
        "Luigi Menabrea",
        "Menabrea, Luigi",
        "株式会社 朝日",
        "محمد علي",
        "Žofie Novák",
    ];
    const IRIS: [&str; 6] = [
        "http://x.org/Ada_Lovelace",
        "http://y.org/people#AdaLovelace",
        "http://x.org/Babbage",
        "http://y.org/people#Babbage",
        "urn:isbn:0451450523",
        "http://x.org/%41da%20King",
    ];
    const VERBS: [&str; 4] = ["knows", "wrote", "born in", "http://schema.org/knows"];
    let mut draw = Sequence(7);
    (0..700)
        .map(|number| {
            let mut fact = match draw.below(4) {
                0 => Fact::text(draw.pick(&PEOPLE)),
                1 => {
                    let mut end = || match draw.below(5) {
                        0 => Term::Iri(draw.pick(&IRIS).to_owned()),
                        1 => Term::Blank(format!("b{}", draw.below(5))),
                        2 => Term::Literal {
                            value: draw.below(20).to_string(),
                            datatype: [None, Some("http://www.w3.org/2001/XMLSchema#integer".to_owned())]
                                [draw.below(2)]
                            .clone(),
                            language: None,
                        },
                        3 => Term::Literal {
                            value: "chat".to_owned(),
                            datatype: None,
                            language: Some(draw.pick(&["fr", "en"]).to_owned()),
                        },
                        _ => Term::Name(draw.pick(&PEOPLE).to_owned()),
                    };
                    let (subject, object) = (end(), end());
                    Fact::triple(subject, draw.pick(&VERBS), object)
                }
                _ => {
                    let mut fields = vec![("name", FieldValue::from(draw.pick(&PEOPLE)))];
                    if draw.below(3) > 0 {
                        fields.push((
                            "born",
                            format!(
                                "18{:02}-{:02}-{:02}",
                                draw.below(30),
                                draw.below(12) + 1,
                                draw.below(28) + 1
                            )
                            .into(),
                        ));
                    }
                    if draw.below(3) > 0 {
                        let tags = ["mathematics", "engines", "astronomy", "poetry"];
                        fields.push((
                            "tags",
                            (0..=draw.below(3))
                                .map(|_| draw.pick(&tags).to_owned())
                                .collect::<Vec<_>>()
                                .into(),
                        ));
                    }
                    if draw.below(4) == 0 {
                        fields.push(("note", "wrote on the analytical engine; and on much else".into()));
                    }
                    fields.push(("number", format!("{}", 1000 + draw.below(40) * 977).into()));
                    Fact::record(fields)
                }
            };
            if draw.below(4) == 0 {
                fact = fact.with_embedding((0..16).map(|_| draw.below(2001) as f32 - 1000.0).collect());
            }
            if draw.below(3) == 0 {
                fact = fact.with_time_s(1_600_000_000 + draw.below(1 << 20) as i64);
            }
            if draw.below(2) == 0 {
                fact = fact.with_source(draw.pick(&["letters", "register"]));
            }
            if draw.below(3) == 0 {
                fact = fact.with_confidence(draw.below(101) as f32 / 100.0);
            }
            match draw.below(40) {
                0 => fact.with_id("the same again"),
                1 => fact.with_embedding(vec![1.0; 7]),
                2 => fact.with_confidence(1.5),
                3 => Fact::text(" "),
                _ => fact.with_id(format!("m{number}")),
            }
        })
        .collect()
}

#[test]
fn golden_hashes_are_as_written() {
    let mut found = String::new();
    for name in ["fodors-zagats", "febrl1", "febrl3", "patentsview-10k", "mixed"] {
        let _ = writeln!(found, "{name} {}", hash_of(name));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, found).expect("the table of hashes can be written");
        return;
    }
    let written = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(
        found, written,
        "decisions have changed; if they were meant to: UPDATE_GOLDEN=1 cargo test -p cortexkg --test golden"
    );
}

#[test]
fn golden_mixed_stream_comes_to_every_kind_of_decision() {
    let mut engine = engine();
    let results: Vec<_> = engine.allocate_batch(mixed()).into_iter().flatten().collect();
    for wanted in [cortexkg::Decision::Existing, cortexkg::Decision::New, cortexkg::Decision::Possible] {
        assert!(
            results.iter().flat_map(AllocationResult::mentions).any(|mention| mention.decision == wanted),
            "{wanted}"
        );
    }
    assert!(engine.edge_count() > 20);
}

#[test]
fn golden_same_facts_twice_are_the_same_graph() {
    for name in ["fodors-zagats", "mixed"] {
        assert_eq!(hash_of(name), hash_of(name), "{name}");
    }
}

#[test]
fn golden_hash_sees_every_part_of_a_fact() {
    let of = |fact: Fact| {
        let mut engine = engine();
        allocate_all(&mut engine, vec![fact]);
        engine.state_hash()
    };
    let base = of(Fact::text("Ada Lovelace").with_id("a"));
    assert_ne!(base, of(Fact::text("Ada Lovelace").with_id("b")));
    assert_ne!(base, of(Fact::text("Ada Lovelave").with_id("a")));
    assert_ne!(base, engine().state_hash());
}

/// One fact after the other: what a batch must equal, refusals included.
fn one_by_one(facts: Vec<Fact>) -> (Vec<Result<AllocationResult, cortexkg::FactError>>, String) {
    let mut engine = engine();
    let results = facts.into_iter().map(|fact| engine.allocate_fact(fact)).collect();
    (results, engine.state_hash().to_string())
}

#[test]
fn golden_batch_is_one_by_one() {
    for name in ["fodors-zagats", "mixed"] {
        let (results, hash) = one_by_one(stream(name));
        let mut engine = engine();
        let mut facts = stream(name);
        let rest = facts.split_off(facts.len() / 3);
        let mut batched = engine.allocate_batch(facts);
        batched.extend(engine.allocate_batch(rest));
        assert_eq!(batched, results, "{name}");
        assert_eq!(engine.state_hash().to_string(), hash, "{name}");
    }
}

#[cfg(feature = "parallel")]
#[test]
fn golden_batch_on_one_thread_or_two_is_one_by_one() {
    for name in ["fodors-zagats", "mixed"] {
        let (results, hash) = one_by_one(stream(name));
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let mut engine = engine();
            assert_eq!(engine.allocate_batch_in(&pool, stream(name)), results, "{name}, {threads} threads");
            assert_eq!(engine.state_hash().to_string(), hash, "{name}, {threads} threads");
        }
    }
}

/// The path of a fact with one mention, cut by hand; candidates and ballot go through JSON, as between two machines.
fn by_hand(
    engine: &mut AllocationEngine,
    fact: Fact,
    through_json: bool,
) -> Result<AllocationResult, CommitError> {
    let perceived = engine.perceive(fact)?;
    let mut candidates = engine.recall(&perceived, 0);
    if through_json {
        let text = serde_json::to_string(&candidates).expect("candidates serialise");
        candidates = serde_json::from_str(&text).expect("and come back");
    }
    let mut ballot = engine.decide(&perceived, 0, &candidates);
    if through_json {
        let text = serde_json::to_string(&ballot).expect("ballots serialise");
        ballot = serde_json::from_str(&text).expect("and come back");
    }
    engine.commit(&perceived, vec![ballot])
}

#[test]
fn golden_path_cut_by_hand_is_the_whole_path() {
    for through_json in [false, true] {
        let (results, hash) = one_by_one(stream("fodors-zagats"));
        let mut engine = engine();
        for (fact, whole) in stream("fodors-zagats").into_iter().zip(results) {
            assert_eq!(by_hand(&mut engine, fact, through_json), whole.map_err(CommitError::from));
        }
        assert_eq!(engine.state_hash().to_string(), hash);
    }
}

#[test]
fn golden_order_of_fields_within_a_record_is_no_part_of_a_later_record() {
    // The first record numbers the fields; afterwards the order in which a record lists them says nothing.
    let facts = Table::records("fodors-zagats").facts();
    let mut turned = facts.clone();
    for fact in &mut turned[1..] {
        if let cortexkg::FactContent::Record(fields) = &mut fact.content {
            fields.sort_by(|a: &Field, b: &Field| b.name.cmp(&a.name));
        }
    }
    let nodes = |facts| {
        let results = allocate_all(&mut engine(), facts);
        results.into_iter().map(|result| result.allocated_node).collect::<Vec<_>>()
    };
    assert_eq!(nodes(facts), nodes(turned));
}

/// Run in a process of its own by the test below, under the level that its environment names; by itself it does nothing.
#[test]
fn golden_levels_child() {
    if std::env::var_os(CHILD_VARIABLE).is_some() {
        println!("level={}", Kernels::active().level());
        for name in ["fodors-zagats", "mixed"] {
            println!("hash={name} {}", hash_of(name));
        }
    }
}

#[test]
fn golden_levels_agree() {
    let said = |level: Level| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "golden_levels_child", "--nocapture"]);
        let output = command
            .env(CHILD_VARIABLE, "1")
            .env(LEVEL_VARIABLE, level.to_string())
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.contains(&format!("level={level}\n")), "{level}: {text}");
        let hashes: Vec<String> =
            text.lines().filter_map(|line| Some(line.split_once("hash=")?.1.to_owned())).collect();
        assert_eq!(hashes.len(), 2, "{text}");
        hashes
    };
    let levels = Level::available();
    let [first, rest @ ..] = &*levels else { panic!("there is always the scalar level") };
    let expected = said(*first);
    for level in rest {
        assert_eq!(said(*level), expected, "{level} and {first}");
    }
    let names: Vec<_> = levels.iter().map(ToString::to_string).collect();
    println!("the same hashes at the levels {}", names.join(", "));
}
