//! `cortexkg evaluate` on real data: its figures agree with those of `allocate` and `score`, and errors are told.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{Said, cortexkg, data, with_input};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[track_caller]
fn evaluated(args: &[&str]) -> Value {
    let args: Vec<&str> = ["evaluate"].iter().chain(args).copied().collect();
    let said = cortexkg(&args);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    said.report()
}

#[test]
fn figures_are_those_of_allocate_and_score() {
    let folder = tempfile::tempdir().unwrap();
    let [records, clusters] = ["records", "clusters"].map(|file| data(&format!("febrl1/{file}.csv")));
    let out = folder.path().join("nodes.csv");
    let out = out.to_str().unwrap();
    let allocated = cortexkg(&["allocate", &records, "--out", out, "--json"]).report();
    let score = cortexkg(&["score", out, &clusters, "--json"]).report();
    let svg = folder.path().join("calibration.svg");
    let card = evaluated(&[&records, "--truth", &clusters, "--json", "--calibration", svg.to_str().unwrap()]);

    for key in ["records", "mentions", "nodes", "rejected"] {
        assert_eq!(card[key], allocated[key], "{key}");
    }
    for band in ["existing", "possible", "new"] {
        assert_eq!(card["decisions"][band], allocated["decisions"][band], "{band}");
    }
    let truth = &card["truth"];
    let stage = &truth["stages"][0];
    assert_eq!(stage["stage"], "online");
    for (figures, prefix) in [("pairwise", "pair"), ("b_cubed", "b3")] {
        for (figure, suffix) in [("precision", "p"), ("recall", "r"), ("f1", "f1")] {
            let found = &stage[figures][figure];
            assert_eq!(found["value"], score[&format!("{prefix}_{suffix}")], "{figures} {figure}");
            let [low, value, high] = ["low", "value", "high"].map(|key| number(&found[key]));
            assert!(low <= value && value <= high, "{figures} {figure}: {found}");
        }
    }
    assert!(number(&stage["adjusted_rand_index"]) > 0.99, "{stage}");
    // Of 500 people each has one duplicate: at most so many have a node when their record comes.
    assert_eq!(truth["blocking_recall"]["of"], 500);
    assert_eq!(truth["blocking_recall"]["rate"], 1.0);
    assert_eq!(truth["false_links"]["of"], card["decisions"]["existing"]);
    assert!(number(&truth["false_links_upper_bound"]) > 0.0);
    let of_all = &truth["calibration"];
    let decisions: u64 =
        of_all["bins"].as_array().unwrap().iter().map(|bin| bin["decisions"].as_u64().unwrap()).sum();
    assert_eq!(of_all["decisions"], decisions);
    assert_eq!(of_all["bins"].as_array().unwrap().len(), 15);
    assert!(card.get("review").is_none() && card.get("exhaustive").is_none());

    let picture = std::fs::read_to_string(&svg).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    assert!(picture.contains(&format!("ECE {:.4}", number(&of_all["ece"]))));
}

#[test]
fn without_truth_it_compares_and_lists() {
    let records = data("fodors-zagats/records.csv");
    let card = evaluated(&[&records, "--json", "--sample", "100", "--review", "5"]);
    assert_eq!(card["exhaustive"]["records"], 100);
    let recalled = &card["exhaustive"]["best_link_recalled"];
    assert!(recalled["count"].as_u64() <= recalled["of"].as_u64() && recalled["of"].as_u64() > Some(0));
    let review = card["review"].as_array().unwrap();
    let distance = |doubt: &Value| (number(&doubt["confidence"]) - 0.5).abs();
    assert_eq!(review.len(), 5);
    assert!(review.windows(2).all(|two| distance(&two[0]) <= distance(&two[1])), "{review:?}");
    assert!(review.iter().all(|doubt| doubt["speaks_for"][0]["bits"].as_f64() > Some(0.0)), "{review:?}");
    assert!(card.get("truth").is_none());
    // What looks on has no say.
    let bare = evaluated(&[&records, "--json", "--sample", "0", "--review", "0"]);
    assert_eq!(card["decisions"], bare["decisions"]);
    assert!(bare.get("exhaustive").is_none() && bare.get("review").is_none());
}

#[test]
fn prints_tables() {
    let [records, clusters] = ["records", "clusters"].map(|file| data(&format!("fodors-zagats/{file}.csv")));
    let said = cortexkg(&[
        "evaluate", &records, "--truth", &clusters, "--limit", "600", "--review", "2", "--sample", "9",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    for part in [
        "What was decided",
        "existing",
        "How right that is",
        "online",
        "95 % interval",
        "pairwise F1",
        "B-cubed recall",
        "adjusted Rand index",
        "264 more are not in the input",
        "blocking recall",
        "false merges",
        "calibration error",
        "; so few overstate it",
        "9 records sampled",
        "Least certain decisions",
        "; against ",
    ] {
        assert!(said.out.contains(part), "no {part} in\n{}", said.out);
    }
}

#[test]
fn triples_have_two_mentions() {
    let triples = "<http://a/1> <http://a/p> <http://a/2> .\n<http://a/1> <http://a/p> <http://a/3> .\n";
    let folder = tempfile::tempdir().unwrap();
    let truth = folder.path().join("truth.csv");
    std::fs::write(&truth, "record_id,cluster_id\n1#s,x\n1#o,y\n2#s,x\n2#o,z\n").unwrap();
    let truth = truth.to_str().unwrap();
    let said = with_input(
        &[
            "evaluate", "-", "--format", "ntriples", "--truth", truth, "--json", "--sample", "9", "--review",
            "9",
        ],
        triples.as_bytes(),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let card = said.report();
    assert_eq!((&card["mentions"], &card["truth"]["labelled"]), (&4.into(), &4.into()));
    assert_eq!(card["truth"]["blocking_recall"]["of"], 1);
    assert_eq!(card["exhaustive"]["records"], 2);
}

#[test]
fn a_rejected_record_is_told_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let truth = folder.path().join("truth.csv");
    std::fs::write(&truth, "record_id,cluster_id\na,x\nb,x\n").unwrap();
    let said = with_input(
        &["evaluate", "-", "--format", "csv", "--truth", truth.to_str().unwrap(), "--json"],
        b"record_id,name\na,Ada\na,Ada\nb,Ada\n",
    );
    assert_eq!(said.code, 3, "{}", said.err);
    said.tells(&["rejected: ", "the identifier stands earlier in this input"]);
    assert_eq!(said.counts(), (2, 1));
}

#[test]
fn says_what_it_cannot_evaluate() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let records = file("records.csv", "record_id,name\na,Ada\nb,Bob\n");
    let good = file("good.csv", "record_id,cluster_id\na,x\nb,x\n");
    let svg = file("drawn.svg", "as it was");
    let refused = |said: Said, told: &str| {
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{told}: {}", said.err);
        said.tells(&[told]);
    };
    for (truth, told) in [
        (
            &file("other.csv", "record_id,cluster_id\nc,x\nd,x\n"),
            "none of the 2 labelled records is in the input (labelled is c, decided is a)",
        ),
        (
            &file("column.csv", "record_id,entity\na,x\n"),
            "there is no column cluster_id; the columns are: record_id, entity",
        ),
        (
            &file("twice.csv", "record_id,cluster_id\na,x\na,y\n"),
            "twice.csv, line 3: record_id a stands twice",
        ),
        (&file("unknown.csv", "record_id,cluster_id\na,\nb,\n"), "unknown.csv, line 2: cluster_id is empty"),
        (&file("nobody.csv", "record_id,cluster_id\na,x\n ,x\n"), "nobody.csv, line 3: record_id is empty"),
        (&file("empty.csv", "record_id,cluster_id\n"), "the clusters name no record"),
        (&"/no/such/file".to_owned(), "cannot read /no/such/file"),
    ] {
        refused(cortexkg(&["evaluate", &records, "--truth", truth, "--calibration", &svg]), told);
    }
    assert_eq!(
        std::fs::read_to_string(Path::new(&svg)).unwrap(),
        "as it was",
        "a run that fails draws nothing"
    );
    refused(cortexkg(&["evaluate", &records, "--calibration", &svg]), "--truth <CLUSTERS>");
    refused(
        cortexkg(&["evaluate", &records, "--truth", &good, "--calibration", &good]),
        "--calibration and --truth are the same file",
    );
    refused(cortexkg(&["evaluate", &records, "--id", "nothing"]), "nothing");
    refused(cortexkg(&["evaluate", &records, "--data", &svg]), "this command works on no graph");
}

#[test]
fn other_orders_are_compared() {
    let [records, clusters] = ["records", "clusters"].map(|file| data(&format!("fodors-zagats/{file}.csv")));
    let card = evaluated(&[&records, "--truth", &clusters, "--orders", "3", "--json", "-q"]);
    assert_eq!(card["orders"]["orders"], 3);
    for (stage, name) in [(0, "online"), (1, "consolidated")] {
        let stage = &card["orders"]["stages"][stage];
        assert_eq!(stage["stage"], name);
        for figure in ["nodes", "agreement", "pair_f1", "b_cubed_f1", "wrong_pairs"] {
            let [least, mean, greatest] =
                ["least", "mean", "greatest"].map(|key| number(&stage[figure][key]));
            assert!(least <= mean && mean <= greatest, "{figure}: {stage}");
        }
        assert!(number(&stage["agreement"]["least"]) > 0.9, "{stage}");
        assert!(number(&stage["agreement"]["least"]) < 1.0, "orders differ: {stage}");
        assert!(number(&stage["wrong_pairs"]["least"]) > 0.0, "{stage}");
    }
    let told = cortexkg(&["evaluate", &records, "--limit", "50", "--orders", "2", "-q"]);
    assert!(
        told.out.contains("agreement (adjusted Rand)") && !told.out.contains("wrong pairs"),
        "{}",
        told.out
    );
}

#[test]
fn orders_of_nothing_are_no_error() {
    let records = data("fodors-zagats/records.csv");
    let card = evaluated(&[&records, "--limit", "0", "--orders", "2", "--json", "-q"]);
    assert_eq!(card["orders"]["stages"], serde_json::json!([]), "{card}");
}

#[test]
fn a_truth_of_other_records_is_told_before_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let truth = folder.path().join("other.csv");
    std::fs::write(&truth, "record_id,cluster_id\nc,x\nd,x\n").unwrap();
    let records = data("fodors-zagats/records.csv");
    let args = ["evaluate", &records, "--truth", truth.to_str().unwrap(), "--orders", "2", "-q"];
    let said = cortexkg(&args);
    assert_eq!(said.code, 2, "{}", said.err);
    said.tells(&["none of the 2 labelled records is in the input"]);
}

#[test]
fn more_orders_than_memory_holds_are_refused() {
    let records = data("fodors-zagats/records.csv");
    let said = cortexkg(&["evaluate", &records, "--orders", "4000000000"]);
    assert_eq!(said.code, 2, "{}", said.err);
    said.tells(&["--orders", "a number from 0 to 1000"]);
}

#[test]
fn a_part_is_left_out() {
    let [records, clusters] = ["records", "clusters"].map(|file| data(&format!("febrl1/{file}.csv")));
    let f1 = |part: &[&str]| {
        let mut args = vec![records.as_str(), "--truth", &clusters, "--json", "--limit", "300"];
        args.extend(part);
        number(&evaluated(&args)["truth"]["stages"][0]["pairwise"]["f1"]["value"])
    };
    let whole = f1(&[]);
    assert!(f1(&["--leave-out", "structural-column"]) < whole);
    assert!(f1(&["--leave-out", "exception-column"]) <= whole);
    assert!(f1(&["--leave-out", "spikes-for-minhash"]) > 0.9, "MinHash finds candidates as well");
}
