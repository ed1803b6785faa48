//! The dashboard and the rules of `docs/monitoring` name what there is, and all of it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use cortexkg::{AllocationEngine, EngineConfig, Fact, QuantizationReport, Stage};
use cortexkg_scalable::adaptive::AdaptationOutcome;
use cortexkg_scalable::{AlertMetric, AlertRules, Fallback, GraphCounts, RunTimes, ScalabilityMonitor};
use cortexkg_tiers::MemoryStatistics;
use serde_json::Value;

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/monitoring");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// What a collector tells that has been told of everything.
fn text() -> String {
    let mut monitor = ScalabilityMonitor::default();
    let collector = monitor.metrics_collector.clone();
    let mut engine = AllocationEngine::new(EngineConfig::default());
    monitor.monitor_performance(Duration::ZERO);
    let result = engine.allocate_fact(Fact::text("Ada Lovelace").with_id("a")).unwrap();
    collector.record_allocation(&result, Some(Duration::from_micros(80)));
    collector.record_stage(Stage::Perceive, Duration::from_micros(10));
    collector.record_fallback(Fallback::INDEX_GROWS);
    collector.record_adaptation("tiers", AdaptationOutcome::Kept);
    collector.set_tiers(&MemoryStatistics::default());
    collector.set_index_recall(0.97);
    collector.set_blocking_recall(0.99);
    collector.set_bytes(&[("graph", 1)]);
    collector.set_resident_bytes(1);
    collector.set_vectors([1; 5]);
    collector.set_quantization(Some(QuantizationReport {
        vectors: [1; 5],
        bytes: 1,
        bytes_max: Some(1),
        pressure: 1,
        made_finer: 1,
        made_coarser: 1,
        read_again: 1,
    }));
    collector.set_graph(GraphCounts::default());
    collector.set_run(RunTimes::default());
    monitor.monitor_performance(Duration::from_secs(1));
    collector.encode()
}

/// Names of metrics, without the suffix of a sample.
fn families(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// Names of samples: what a query may ask for.
fn samples(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

/// Every word that begins as our metrics do.
fn named(text: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_word(c)).filter(|word| word.starts_with("cortexkg_"));
    words.map(str::to_owned).collect()
}

fn family(sample: &str) -> &str {
    let suffixes = ["_bucket", "_count", "_sum", "_total"];
    suffixes.iter().find_map(|suffix| sample.strip_suffix(suffix)).unwrap_or(sample)
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().unwrap()
}

#[test]
fn the_dashboard_names_what_there_is_and_all_of_it() {
    let (text, dashboard) = (text(), read("grafana-dashboard.json"));
    let parsed: Value = serde_json::from_str(&dashboard).unwrap();
    let mut queries = String::new();
    for panel in panels(&parsed) {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        targets.iter().for_each(|target| queries.push_str(target["expr"].as_str().unwrap()));
        queries.push(' ');
    }
    let asked = named(&queries);
    let unknown: Vec<_> = asked.difference(&samples(&text)).cloned().collect();
    assert!(unknown.is_empty(), "there is no {unknown:?}");
    let shown: BTreeSet<_> = asked.iter().map(|sample| family(sample).to_owned()).collect();
    let missing: Vec<_> = families(&text).into_iter().filter(|family| !shown.contains(family)).collect();
    assert!(missing.is_empty(), "not on the dashboard: {missing:?}");
    // Nor does anything outside the panels (variables, annotations) name what is not there.
    assert!(named(&dashboard).is_subset(&samples(&text)));
}

#[test]
fn panels_have_titles_and_places_of_their_own() {
    let parsed: Value = serde_json::from_str(&read("grafana-dashboard.json")).unwrap();
    let mut taken = BTreeSet::new();
    for panel in panels(&parsed) {
        assert!(panel["title"].is_string() && panel["description"].is_string(), "{panel}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(cell.0 < 24 && taken.insert(cell), "{} overlaps at {cell:?}", panel["title"]);
        }
    }
}

/// The rules of Prometheus.
fn rules() -> Vec<Value> {
    let parsed: Value = serde_saphyr::from_str(&read("prometheus-rules.yml")).unwrap();
    let groups = parsed["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

#[test]
fn the_rules_name_what_there_is() {
    let known = samples(&text());
    let rules = rules();
    let recorded: BTreeSet<_> = rules.iter().filter_map(|rule| rule["record"].as_str()).collect();
    for rule in &rules {
        let expression = rule["expr"].as_str().unwrap();
        let unknown: Vec<_> = named(expression).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "there is no {unknown:?}");
        let words = expression.split(|c: char| c.is_whitespace() || "()[]{}".contains(c));
        for word in words.filter(|word| word.starts_with("cortexkg:")) {
            assert!(recorded.contains(word), "no rule records {word}");
        }
        assert!(rule["record"].is_string() || rule["labels"]["severity"].is_string(), "{rule}");
    }
}

#[test]
fn the_rules_of_prometheus_are_those_of_the_program() {
    let rules = rules();
    for ours in AlertRules::default().rules {
        let theirs = rules.iter().find(|rule| rule["alert"] == ours.name.as_str()).unwrap();
        let limit: f64 = theirs["expr"].as_str().unwrap().rsplit("> ").next().unwrap().parse().unwrap();
        assert_eq!(Some(limit), ours.above, "{}", ours.name);
        assert_eq!(theirs["labels"]["severity"], ours.level.name());
        assert_eq!(theirs["for"], format!("{}s", ours.for_s));
    }
}

#[test]
fn the_file_of_rules_says_what_holds_without_it() {
    let file: AlertRules = toml::from_str(&read("alerts.toml")).unwrap();
    assert_eq!(file, AlertRules::default());
    for metric in [
        AlertMetric::AllocationP50Seconds,
        AlertMetric::AllocationP99Seconds,
        AlertMetric::DecisionsPerSecond,
        AlertMetric::MemoryBytes,
        AlertMetric::IndexRecall,
        AlertMetric::BlockingRecall,
        AlertMetric::TierHitRate,
        AlertMetric::RefusedShare,
        AlertMetric::FallbacksPerSecond,
    ] {
        let word = serde_json::to_string(&metric).unwrap();
        assert!(read("alerts.toml").contains(word.trim_matches('"')), "{word}");
    }
}

#[test]
fn the_guide_names_every_metric() {
    let (text, guide) = (text(), read("README.md"));
    let named: BTreeSet<_> = named(&guide).iter().map(|name| family(name).to_owned()).collect();
    assert_eq!(named, families(&text));
}
