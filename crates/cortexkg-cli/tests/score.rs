//! `cortexkg score` agrees with an independent implementation on every case, and says what it cannot score.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::cortexkg;

fn case(name: &str) -> String {
    format!("{}/tests/score_cases/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn agrees_with_the_reference() {
    let mut cases = 0;
    for entry in std::fs::read_dir(Path::new(&case(""))).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(name) = name.strip_suffix(".expected.json") else { continue };
        let said = cortexkg(&[
            "score",
            &case(&format!("{name}.assignments.csv")),
            &case(&format!("{name}.clusters.csv")),
            "--json",
        ]);
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        let expected: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let found = said.report();
        let expected = expected.as_object().unwrap();
        assert_eq!(found.as_object().unwrap().len(), expected.len());
        for (key, figure) in expected {
            let (figure, found) = (figure.as_f64().unwrap(), found[key].as_f64().unwrap());
            assert!((figure - found).abs() < 1e-12, "{name}, {key}: {found}, expected {figure}");
        }
        cases += 1;
    }
    assert!(cases >= 7, "{cases} cases");
}

#[test]
fn prints_a_table() {
    let said = cortexkg(&["score", &case("perfect.assignments.csv"), &case("perfect.clusters.csv")]);
    assert_eq!(said.code, 0);
    let words: Vec<_> = said.out.split_whitespace().collect();
    assert!(
        words.windows(4).any(|words| words == ["pairwise", "1.0000", "1.0000", "1.0000"]),
        "{}",
        said.out
    );
    assert!(words.windows(4).any(|words| words == ["B-cubed", "1.0000", "1.0000", "1.0000"]), "{}", said.out);
}

#[test]
fn says_what_it_cannot_score() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let nodes = file("nodes.csv", "record_id,node_id\na,n0\n");
    let truth = file("truth.csv", "record_id,cluster_id\na,x\nb,x\nc,x\n");
    for (left, right, told) in [
        (&nodes, &truth, "2 labelled records have no assignment, first: b"),
        (&file("twice.csv", "record_id,node_id\na,n0\na,n1\n"), &truth, "record_id a stands twice"),
        (&nodes, &file("open.csv", "record_id,cluster_id\na,\n"), "open.csv, line 2: cluster_id is empty"),
        (&truth, &nodes, "there is no column node_id; the columns are: record_id, cluster_id"),
        (&nodes, &file("none.csv", "record_id,cluster_id\n"), "the clusters name no record"),
        (&nodes, &"/no/such/file".to_owned(), "cannot read /no/such/file"),
    ] {
        let said = cortexkg(&["score", left, right]);
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        said.tells(&["error: ", told]);
    }
}
