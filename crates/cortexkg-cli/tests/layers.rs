//! What sets the layers: the file, the environment and options, told by `config show` and checked by all who take them.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Said, cortexkg, data};
use serde_json::json;

const ROWS: &[u8] = b"id,name\na,Citrus Grill\nb,Art's Delicatessen\nc,citrus grill\n";

/// Runs the program in an environment with these variables besides.
fn with_variables(args: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cortexkg"));
    let output = command.args(args).envs(variables.iter().copied()).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with a file of this text, and its path.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml").to_str().unwrap().to_owned();
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// Refused as wrong usage, for these reasons, with nothing done.
#[track_caller]
fn refused(said: &Said, parts: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    said.tells(parts);
}

const FILE: &str = "\
[fields.name]
kind = \"name\"

[scalability]
profile = \"production\"
cache_config.l1_size = \"32M\"

[scalability.hnsw_config]
ef_search = 96
ef_construction = 80
above_nodes = 7
";

#[test]
fn the_table_says_where_each_value_comes_from() {
    let (_folder, path) = file(FILE);
    let said = with_variables(
        &["config", "show", "--config", &path, "--set", "hnsw_config.above_nodes=9"],
        &[("CORTEXKG_HNSW_CONFIG__EF_SEARCH", "128"), ("CORTEXKG_HNSW_CONFIG__ABOVE_NODES", "8")],
    );
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let rows: Vec<Vec<&str>> = said.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["setting", "value", "from"]);
    for (setting, value, from) in [
        ("profile", "production", format!("{path}, line 5")),
        ("enable_adaptive_quantization", "true", "profile production".to_owned()),
        ("enable_hnsw_indexing", "true", "default".to_owned()),
        ("cache_config.l1_size", "32M", format!("{path}, line 6")),
        ("hnsw_config.ef_search", "128", "CORTEXKG_HNSW_CONFIG__EF_SEARCH".to_owned()),
        ("hnsw_config.ef_construction", "80", format!("{path}, line 10")),
        ("hnsw_config.above_nodes", "9", "--set hnsw_config.above_nodes=9".to_owned()),
        ("quantization_config.vector_budget", "none", "default".to_owned()),
    ] {
        let row = rows.iter().find(|row| row[0] == setting).unwrap();
        let shown = row[2..].join(" ");
        // A long path is cut.
        let is_same = shown == from || shown.strip_suffix('…').is_some_and(|start| from.starts_with(start));
        assert!(row[1] == value && is_same, "{row:?}, not {value} from {from}");
    }
    // Columns stand below each other.
    let at = |line: &str| line.rfind("default");
    let lines: Vec<&str> = said.out.lines().filter(|line| line.ends_with("  default")).collect();
    assert!(lines.len() > 2 && lines.iter().all(|line| at(line) == at(lines[0])), "{}", said.out);
}

#[test]
fn json_is_for_programs() {
    let (_folder, path) = file(FILE);
    let args =
        ["config", "show", "--json", "--config", &path, "--vector-budget", "512M", "--profile", "plain"];
    let said = with_variables(&args, &[("CORTEXKG_CACHE_CONFIG__L2_SIZE", "0")]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let told = said.report();
    assert_eq!(told["profile"], "plain");
    assert_eq!(told["config"]["quantization_config"]["vector_budget"], 512 << 20);
    let flag = json!({"from": "flag", "text": "--vector-budget 512M"});
    for (setting, origin) in [
        ("profile", json!({"from": "flag", "text": "--profile plain"})),
        ("enable_hnsw_indexing", json!({"from": "profile", "name": "plain"})),
        ("enable_adaptive_quantization", flag.clone()),
        ("quantization_config.vector_budget", flag),
        ("hnsw_config.ef_search", json!({"from": "file", "path": path, "line": 9})),
        (
            "cache_config.l2_size",
            json!({"from": "environment", "variable": "CORTEXKG_CACHE_CONFIG__L2_SIZE"}),
        ),
        ("hnsw_config.recall_target", json!({"from": "default"})),
    ] {
        assert_eq!(told["origins"][setting], origin, "{setting}");
    }
    // What it gives can be given.
    let config: cortexkg_scalable::ScalabilityConfig =
        serde_json::from_value(told["config"].clone()).unwrap();
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn the_schema_is_the_one_that_is_shipped() {
    let said = cortexkg(&["config", "schema"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scalability.schema.json");
    assert!(said.out == std::fs::read_to_string(path).unwrap(), "as the test of the schema says");
}

#[test]
fn what_cannot_be_is_refused_by_all_who_take_it() {
    let records = data("fodors-zagats/records.csv");
    for command in [&["config", "show"][..], &["allocate", &records], &["evaluate", &records]] {
        let with = |args: &[&str]| cortexkg(&[command, args].concat());
        let wrong = |text: &str, parts: &[&str]| {
            let (_folder, path) = file(text);
            let told: Vec<&str> = [path.as_str()].iter().chain(parts).copied().collect();
            refused(&with(&["--config", &path]), &told);
        };
        wrong(
            "[scalability]\n\nhnsw_config.ef_search = 0\n",
            &["line 3", "hnsw_config.ef_search", "cannot be 0", "1 to 65,536"],
        );
        wrong(
            "[scalability.hnsw_config]\nef_serch = 5\n",
            &["line 2", "ef_serch", "near it: hnsw_config.ef_search"],
        );
        wrong("[scalability]\nprofile = \"fast\"\n", &["line 2", "profile", "fast", "default, development"]);
        wrong("[scalability.hnsw_config]\nrecall_target = nan\n", &["line 2", "nan", "0.5 to 0.999"]);
        wrong("[scalability.cache_config]\nl1_size = \"1T\"\n", &["line 2", "1T", "512M"]);
        wrong(
            "[scalability.quantization_config.thresholds]\nfull = 0.5\n",
            &["line 2", "0.5", "thresholds.half"],
        );
        wrong("scalability = 5\n", &["line 1", "[scalability]"]);
        wrong("[scalabilty]\n", &["line 1", "scalabilty", "`scalability`"]);
        refused(
            &with(&["--set", "hnsw_config.ef_search=many"]),
            &["--set hnsw_config.ef_search=many", "cannot be many", "1 to 65,536", "whole number"],
        );
        refused(&with(&["--set", "ef_search=5"]), &["--set ef_search=5", "near it: hnsw_config.ef_search"]);
        refused(&with(&["--set", "hnsw_config.ef_search"]), &["--set", "give a setting and its value"]);
        refused(&with(&["--vector-budget", "lots"]), &["--vector-budget lots", "vector_budget", "512M"]);
        let said = with(&["--profile", "fast"]);
        assert_eq!(said.code, 2);
        for name in ["fast", "default", "development", "production", "plain"] {
            assert!(said.err.contains(name), "{}", said.err);
        }
        let said = with_variables(command, &[("CORTEXKG_HNSW_CONFIG__EF_SEARCH", "-1")]);
        refused(
            &said,
            &["CORTEXKG_HNSW_CONFIG__EF_SEARCH", "hnsw_config.ef_search", "cannot be -1", "1 to 65,536"],
        );
        let said = with_variables(command, &[("CORTEXKG_HNSW_CONFIG__EF_SERCH", "5")]);
        refused(&said, &["CORTEXKG_HNSW_CONFIG__EF_SERCH", "near it: CORTEXKG_HNSW_CONFIG__EF_SEARCH"]);
    }
    refused(&cortexkg(&["config", "show", "--data", "graph"]), &["no graph", "--data"]);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cortexkg"));
    command.args(["config", "show"]).env("CORTEXKG_PROFILE", std::ffi::OsStr::from_bytes(b"pl\xffin"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("CORTEXKG_PROFILE: profile cannot be pl"), "{told}");
}

#[test]
fn reports_tell_what_was_set() {
    let (folder, path) = file("[scalability]\nhnsw_config.ef_search = 96\n");
    let rows = folder.path().join("rows.csv").to_str().unwrap().to_owned();
    std::fs::write(&rows, ROWS).unwrap();
    let set = [
        json!({"field": "hnsw_config.ef_search", "value": "96", "from": "file", "path": path, "line": 2}),
        json!({"field": "cache_config.l1_size", "value": "1M", "from": "flag", "text": "--set cache_config.l1_size=1M"}),
    ];
    for command in ["allocate", "evaluate"] {
        let given = [command, &rows, "--config", &path, "--set", "cache_config.l1_size=1M"];
        let said = cortexkg(&[&given[..], &["--json"]].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.report()["settings"], json!(set));
        let said = cortexkg(&given);
        assert!(said.out.contains("hnsw_config.ef_search  96"), "{}", said.out);
        let said = cortexkg(&[command, &rows, "--json"]);
        assert_eq!(said.report().get("settings"), None, "nothing was set");
    }
}

/// What is set has a say in a graph, whether it is begun or gone on with, and the log says who set it.
#[test]
fn a_graph_keeps_what_is_set_until_it_is_set_otherwise() {
    let graph = common::Graph::none();
    let allocate = |rows: &[u8], set: &[&str]| {
        let said = graph.with_input(&[&["allocate", "-", "--source", "t"], set].concat(), rows);
        assert_eq!(said.code, 0, "{}", said.err);
    };
    allocate(ROWS, &["--profile", "plain"]);
    let log = || graph.json(&["log"]).to_string();
    assert!(!log().contains("ef_search"), "{}", log());
    allocate(b"id,name\nd,Fenix\n", &[]);
    assert!(!log().contains("hnsw"), "nothing given changes nothing: {}", log());
    let hash = graph.state_hash();
    let given = ["--set", "enable_hnsw_indexing=true", "--set", "hnsw_config.ef_search=128"];
    allocate(b"id,name\nd,Fenix\n", &given);
    assert!(
        log().contains("set by --set enable_hnsw_indexing=true; --set hnsw_config.ef_search=128"),
        "{}",
        log()
    );
    assert_ne!(graph.state_hash(), hash, "an operation of the log");
    let hash = graph.state_hash();
    allocate(b"id,name\nd,Fenix\n", &given);
    allocate(b"id,name\nd,Fenix\n", &[]);
    assert_eq!(graph.state_hash(), hash, "it is set already");
}

#[test]
fn layers_that_set_themselves_are_told() {
    let restaurants = data("fodors-zagats/records.csv");
    let plain = cortexkg(&["allocate", &restaurants, "--json"]).report();
    let said = cortexkg(&["allocate", &restaurants, "--json", "--adaptive", "on"]);
    // Too small a graph for anything to be tried.
    assert_eq!(said.report()["state_hash"], plain["state_hash"]);
    assert!(said.report().get("adaptations").is_none());
    refused(&cortexkg(&["allocate", &restaurants, "--adaptive", "perhaps"]), &["--adaptive", "perhaps"]);
}
