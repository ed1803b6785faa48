//! `--config FILE`: what a user says of fields, from the file to the graph and wherever the graph goes.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Graph, Said, cortexkg, data, with_input};
use serde_json::{Value, json};

const ROWS: &str = "\
id,name,phone,note
a,Citrus Grill,213-857-0034,vip
b,Art's Delicatessen,818-762-1221,vip
c,citrus grill,213-857-0035,vip
";
const CONFIG: &str = "\
# What we know of our restaurants.
[fields.phone]
kind = \"key\"

[fields.note]
ignore = true
";

/// Writes a file beside the graph.
fn file(graph: &Graph, name: &str, text: &str) -> String {
    let path = graph.path(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A graph of the rows, with the config, and the path of that.
fn graph() -> (Graph, String) {
    let graph = Graph::none();
    let config = file(&graph, "c.toml", CONFIG);
    let said = graph.with_input(&["allocate", "-", "--source", "t", "--config", &config], ROWS.as_bytes());
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.err);
    (graph, config)
}

fn field(of: &Value, name: &str) -> Value {
    let fields = of["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).unwrap().clone()
}

/// What is told of the fields is what the file says.
#[track_caller]
fn check_told(directory: &str) {
    for command in ["model", "stats"] {
        let said = cortexkg(&[command, "--json", "--data", directory]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.err);
        let told = said.report();
        let [name, phone, note] = ["name", "phone", "note"].map(|name| field(&told, name));
        assert_eq!([&phone["kind"], &phone["kind_from"], &phone["comparator"]], ["key", "given", "key"]);
        assert_eq!([&note["ignored"], &phone["ignored"]], [&json!(true), &json!(false)]);
        assert_eq!([&name["kind"], &name["kind_from"], &name["comparator_from"]], ["name", "found", "found"]);
    }
}

fn refused(said: &Said, parts: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    said.tells(parts);
}

#[test]
fn what_is_said_decides() {
    let decisions = |args: &[&str]| {
        let args: Vec<&str> =
            ["allocate", "-", "--out", "-", "--quiet"].iter().chain(args).copied().collect();
        let said = with_input(&args, ROWS.as_bytes());
        assert_eq!(said.code, 0, "{}", said.err);
        said.out.lines().skip(1).map(|row| row.split(',').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let found = decisions(&[]);
    assert_eq!(found[0], found[2], "a digit mistaken");
    let (graph, config) = graph();
    let given = decisions(&["--config", &config]);
    assert_ne!(given[0], given[2], "another telephone is another restaurant");
    check_told(&graph.directory());
    let said = graph.run(&["model"]);
    let line = |of: &str| said.out.lines().find(|line| line.trim_start().starts_with(of)).unwrap().to_owned();
    assert!(line("phone").contains("given") && line("name").contains("found"), "{}", said.out);
    assert!(line("note").contains("ignored"), "{}", said.out);
    assert!(graph.run(&["stats"]).out.contains("fields given"));
    // Kept and shown.
    assert!(graph.run(&["get", "n0"]).out.contains("vip"));
}

#[test]
fn a_graph_goes_on_with_what_it_was_begun_with() {
    let (graph, config) = graph();
    let more = "id,name,phone,note\nd,Citrus Grill,213-857-0034,new\n";
    let silent = graph.with_input(&["allocate", "-", "--source", "t", "--json"], more.as_bytes());
    assert_eq!((silent.code, silent.err.as_str()), (0, ""));
    check_told(&graph.directory());
    let again =
        graph.with_input(&["allocate", "-", "--source", "t", "--json", "--config", &config], more.as_bytes());
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(again.report()["repeated"], 1);
    // The same as one long run.
    let long = with_input(
        &["allocate", "-", "--source", "t", "--json", "--config", &config],
        format!("{ROWS}d,Citrus Grill,213-857-0034,new\n").as_bytes(),
    );
    assert_eq!(long.report()["state_hash"], again.report()["state_hash"]);
    let other = file(&graph, "other.toml", "[fields.phone]\nkind = \"identifier\"\n");
    let said = graph.with_input(&["allocate", "-", "--config", &other], more.as_bytes());
    refused(&said, &["another configuration", "\"note\"", "ignore = true", "begin another graph"]);
    // A file that says nothing of fields does not contradict.
    let empty = file(&graph, "empty.toml", "# nothing yet\n");
    let said = graph.with_input(&["allocate", "-", "--config", &empty, "--quiet"], more.as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
    said.tells(&["note:", "empty.toml", "note, phone"]);
    // A graph of which nothing was said is not given anything afterwards.
    let plain = Graph::of(ROWS);
    let said = plain.with_input(&["allocate", "-", "--config", &config], more.as_bytes());
    refused(&said, &["another configuration", "nothing there"]);
}

#[test]
fn it_goes_wherever_the_graph_goes() {
    let (graph, config) = graph();
    let hash = graph.state_hash();
    let hash_in = |directory: &str| {
        check_told(directory);
        let said = cortexkg(&["stats", "--json", "--data", directory]);
        said.report()["state_hash"].as_str().unwrap().to_owned()
    };
    let [copy, restored, imported, ckg] =
        ["copy", "restored", "imported", "graph.ckg"].map(|name| graph.path(name));
    assert_eq!(graph.run(&["backup", &copy]).code, 0);
    assert_eq!(hash_in(&copy), hash);
    assert_eq!(cortexkg(&["restore", &copy, "--data", &restored]).code, 0);
    assert_eq!(hash_in(&restored), hash);
    assert_eq!(graph.run(&["export", &ckg]).code, 0);
    let said = cortexkg(&["import", &ckg, "--data", &imported, "--config", &config]);
    refused(&said, &["--config", ".ckg"]);
    let said = cortexkg(&["import", &ckg, "--data", &imported, "--max-false-merge", "0.1"]);
    refused(&said, &["--max-false-merge", ".ckg"]);
    assert_eq!(cortexkg(&["import", &ckg, "--data", &imported]).code, 0);
    assert_eq!(hash_in(&imported), hash);
    for directory in [&copy, &restored, &imported] {
        let said = cortexkg(&["verify", "--data", directory]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    }
    // Repairs, forgetting and a snapshot later.
    graph.json(&["consolidate"]);
    graph.json(&["forget", "fact", "b", "--source", "t"]);
    graph.json(&["compact"]);
    check_told(&graph.directory());
    let hash = graph.state_hash();
    std::fs::remove_file(graph.path("graph/cortexkg.snapshot")).unwrap();
    assert_eq!(hash_in(&graph.directory()), hash, "built from its base");
    assert_eq!(graph.run(&["verify"]).code, 0);
    // What comes from elsewhere brings none; the graph that it goes to may be begun with one.
    let jsonl = graph.path("graph.jsonl");
    assert_eq!(graph.run(&["export", &jsonl]).code, 0);
    let fresh = graph.path("fresh");
    let said = cortexkg(&["import", &jsonl, "--data", &fresh, "--config", &config]);
    assert_eq!(said.code, 0, "{}", said.err);
    check_told(&fresh);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let graph = Graph::none();
    for (text, parts) in [
        ("[fields.phone]\nknd = \"key\"\n", &["c.toml, line 2", "knd", "`kind`", "`ignore`"][..]),
        ("[fields.phone]\nkind = \"telephone\"\n", &["line 2", "telephone", "`identifier`"]),
        (
            "[fields.phone]\nkind = \"date\"\ncomparator = \"size\"\n",
            &["line 1", "size", "date, code, exact"],
        ),
        ("[files.phone]\n", &["line 1", "files", "`fields`"]),
        ("[fields.phone\n", &["line 1"]),
    ] {
        let config = file(&graph, "c.toml", text);
        for command in ["allocate", "evaluate"] {
            let input = data("fodors-zagats/records.csv");
            refused(&cortexkg(&[command, &input, "--config", &config]), parts);
        }
        let said = graph.with_input(&["allocate", "-", "--config", &config], ROWS.as_bytes());
        refused(&said, parts);
        assert!(!std::path::Path::new(&graph.directory()).exists());
    }
    let missing = graph.path("missing.toml");
    refused(
        &with_input(&["allocate", "-", "--config", &missing], ROWS.as_bytes()),
        &["missing.toml", "path"],
    );
    std::fs::write(graph.path("bytes.toml"), [b'a', 0xff]).unwrap();
    let bytes = graph.path("bytes.toml");
    refused(&with_input(&["allocate", "-", "--config", &bytes], ROWS.as_bytes()), &["bytes.toml", "UTF-8"]);
    std::fs::write(graph.path("large.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    let large = graph.path("large.toml");
    refused(&with_input(&["allocate", "-", "--config", &large], ROWS.as_bytes()), &["large.toml", "bytes"]);
    let config = file(&graph, "c.toml", CONFIG);
    let said = with_input(&["allocate", "-", "--config", &config, "--out", &config], ROWS.as_bytes());
    refused(&said, &["--config", "--out"]);
}

#[test]
fn fields_that_are_not_there_are_told() {
    let graph = Graph::none();
    let config = file(&graph, "c.toml", "[fields.name]\nkind = \"name\"\n\n[fields.phne]\nkind = \"key\"\n");
    let told = ["c.toml, line 4", "\"phne\"", "name, phone, note"];
    // Nothing else can come.
    for command in ["allocate", "evaluate"] {
        let said = with_input(&[command, "-", "--config", &config], ROWS.as_bytes());
        refused(&said, &told);
    }
    // Every record brings its own, or others may come later.
    let jsonl = b"{\"id\": \"a\", \"name\": \"Citrus Grill\", \"phone\": \"1\", \"note\": \"x\"}\n";
    for command in ["allocate", "evaluate"] {
        let said = with_input(&[command, "-", "--config", &config, "--format", "jsonl"], jsonl);
        assert_eq!(said.code, 0, "{}", said.err);
        said.tells(&["note:", told[0], told[1], told[2]]);
    }
    let said = graph.with_input(&["allocate", "-", "--source", "t", "--config", &config], ROWS.as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
    said.tells(&["note:", told[0], told[1], told[2]]);
}

#[test]
fn evaluate_measures_what_is_said() {
    let graph = Graph::none();
    let [records, clusters] = ["records", "clusters"].map(|name| data(&format!("fodors-zagats/{name}.csv")));
    let config = file(&graph, "c.toml", "[fields.type]\nignore = true\n");
    let card = |args: &[&str]| {
        let common = ["evaluate", &records, "--truth", &clusters, "--json"];
        let said = cortexkg(&common.iter().chain(args).copied().collect::<Vec<_>>());
        assert_eq!(said.code, 0, "{}", said.err);
        let mut card = said.report();
        // What takes time takes another each time.
        ["decisions_per_s", "consolidation_s"].iter().for_each(|name| drop(card[*name].take()));
        card
    };
    let (found, given) = (card(&[]), card(&["--config", &config]));
    assert_ne!(found["truth"]["stages"], given["truth"]["stages"]);
    // It is as if the column were not there.
    let without = graph.path("without.csv");
    let mut reader = csv::Reader::from_path(&records).unwrap();
    let mut writer = csv::Writer::from_path(&without).unwrap();
    let column = reader.headers().unwrap().iter().position(|column| column == "type").unwrap();
    let keep = |row: &csv::StringRecord| {
        row.iter()
            .enumerate()
            .filter(|(at, _)| *at != column)
            .map(|(_, cell)| cell.to_owned())
            .collect::<Vec<_>>()
    };
    writer.write_record(keep(reader.headers().unwrap())).unwrap();
    reader.records().for_each(|row| writer.write_record(keep(&row.unwrap())).unwrap());
    writer.flush().unwrap();
    let said = cortexkg(&["evaluate", &without, "--truth", &clusters, "--json"]);
    assert_eq!(said.report()["truth"]["stages"], given["truth"]["stages"]);
}

#[test]
fn a_bound_on_false_merges_stays_with_the_graph() {
    let graph = Graph::none();
    let records = data("fodors-zagats/records.csv");
    let allocate = |more: &[&str]| {
        let mut args = vec!["allocate", records.as_str(), "--limit", "700", "--json", "-q"];
        args.extend(more);
        graph.with_input(&args, b"")
    };
    let bounded = allocate(&["--max-false-merge", "0.0001"]).report();
    let free = cortexkg(&["allocate", &records, "--limit", "700", "--json", "-q"]).report();
    let count = |of: &Value, band: &str| of["decisions"][band].as_u64().unwrap();
    assert!(count(&bounded, "possible") > count(&free, "possible"), "{bounded}");
    assert!(count(&bounded, "existing") < count(&free, "existing"), "{bounded}");
    let lost = count(&free, "existing") - count(&bounded, "existing");
    assert!(count(&bounded, "possible") + count(&bounded, "existing") >= lost, "nothing is lost");

    // Later runs need not say it again, and may not say anything else.
    let again = graph.with_input(&["allocate", &records, "--limit", "750", "--json", "-q"], b"");
    assert_eq!(again.code, 0, "{}", again.err);
    refused(&allocate(&["--max-false-merge", "0.2"]), &["0.0001", "0.2", "leave the bound out"]);
    // Nor what is usual, where the graph is not.
    refused(&allocate(&["--max-false-merge", "0.5"]), &["0.0001", "0.5", "leave the bound out"]);
    let config = file(&graph, "bound.toml", "[decisions]\nmax_false_merge = 0.0001\n");
    assert_eq!(allocate(&["--config", &config]).code, 0);
    let said = cortexkg(&["allocate", &records, "--max-false-merge", "0.7"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("at most 0.5"), "{}", said.err);
}
