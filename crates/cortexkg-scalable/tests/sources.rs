//! What sources say, what they cannot say, and how that is told.

use cortexkg_scalable::{ConfigSource, Origin, Profile, Resolved, ScalabilityConfig, SourceError};

fn file(text: &str) -> ConfigSource {
    ConfigSource::file("c.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn environment(variables: &[(&str, &str)]) -> Result<ConfigSource, SourceError> {
    ConfigSource::environment(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())))
}

fn flags(assignments: &[&str]) -> Result<ConfigSource, SourceError> {
    let mut source = ConfigSource::default();
    assignments.iter().try_for_each(|assignment| source.assign(assignment))?;
    Ok(source)
}

fn resolved(sources: &[ConfigSource]) -> Resolved {
    Resolved::of(sources).unwrap_or_else(|error| panic!("{error}"))
}

fn in_file(line: usize) -> Origin {
    Origin::File { path: "c.toml".into(), line }
}

/// All `parts` are in the one line that a refusal is told in.
#[track_caller]
fn tells<T: std::fmt::Debug>(refusal: Result<T, SourceError>, parts: &[&str]) {
    let told = refusal.expect_err("refused").to_string();
    assert!(parts.iter().all(|part| told.contains(part)), "{parts:?} not all in: {told}");
    assert!(!told.contains('\n') && told.len() < 400, "{told}");
}

#[track_caller]
fn file_tells(text: &str, parts: &[&str]) {
    tells(ConfigSource::file("c.toml", text), parts);
}

#[test]
fn nothing_said_is_the_default() {
    let resolved = resolved(&[ConfigSource::default(), file(""), file("[hnsw_config]\n")]);
    assert_eq!(resolved.config, ScalabilityConfig::default());
    assert_eq!(resolved.profile, Profile::Default);
    assert!(resolved.settings().all(|setting| setting.origin == Origin::Default));
    assert_eq!(resolved.given().count(), 0);
}

#[test]
fn every_source_overrides_the_ones_before() {
    let sources = [
        file("[hnsw_config]\nef_search = 96\nef_construction = 0x80\nmax_connections = 1_6\n"),
        environment(&[
            ("CORTEXKG_HNSW_CONFIG__EF_SEARCH", "128"),
            ("CORTEXKG_HNSW_CONFIG__ABOVE_NODES", "7"),
        ])
        .expect("good"),
        flags(&["hnsw_config.above_nodes=8", "hnsw_config.above_nodes = 9"]).expect("good"),
    ];
    let resolved = resolved(&sources);
    let hnsw = &resolved.config.hnsw_config;
    assert_eq!((hnsw.max_connections, hnsw.ef_construction), (16, 128));
    assert_eq!((hnsw.ef_search, hnsw.above_nodes), (128, 9));
    let origin = |name| resolved.origins.get(name).cloned().expect("a field");
    assert_eq!(origin("hnsw_config.ef_construction"), in_file(3));
    let variable = "CORTEXKG_HNSW_CONFIG__EF_SEARCH".to_owned();
    assert_eq!(origin("hnsw_config.ef_search"), Origin::Environment { variable });
    let text = "--set hnsw_config.above_nodes = 9".to_owned();
    assert_eq!(origin("hnsw_config.above_nodes"), Origin::Flag { text });
    assert_eq!(origin("hnsw_config.recall_target"), Origin::Default);
    assert_eq!(resolved.origins.get("hnsw_config"), None);
}

#[test]
fn values_are_written_in_more_than_one_way() {
    let text = "\
cache_config = { l1_size = \"64MiB\", l2_size = 4096 }
quantization_config.finest = \"f16\"
quantization_config.vector_budget = \"1G\"
quantization_config.thresholds.full = 1
";
    let config = resolved(&[file(text)]).config;
    assert_eq!((config.cache_config.l1_size, config.cache_config.l2_size), (64 << 20, 4096));
    assert_eq!(config.quantization_config.finest.name(), "f16");
    assert_eq!(config.quantization_config.vector_budget, Some(1 << 30));
    assert_eq!(config.quantization_config.thresholds.full, 1.0);
    let taken_back = flags(&["quantization_config.vector_budget=none"]).expect("good");
    assert_eq!(resolved(&[file(text), taken_back]).config.quantization_config.vector_budget, None);
    // The same by serde alone.
    assert_eq!(toml::from_str::<ScalabilityConfig>(text).expect("good"), config);
}

#[test]
fn a_profile_is_what_all_begin_with() {
    let sources = [
        file("enable_multi_tier_cache = true\nprofile = \"production\"\n"),
        environment(&[("CORTEXKG_PROFILE", "plain")]).expect("good"),
    ];
    let chosen = resolved(&sources);
    assert_eq!(chosen.profile, Profile::Plain);
    assert!(!chosen.config.enable_hnsw_indexing, "the last profile");
    assert!(chosen.config.enable_multi_tier_cache, "a value that was given stands above all profiles");
    let origin = |name| chosen.origins.get(name).cloned().expect("a field");
    assert_eq!(origin("profile"), Origin::Environment { variable: "CORTEXKG_PROFILE".into() });
    assert_eq!(origin("enable_hnsw_indexing"), Origin::Profile { name: Profile::Plain });
    assert_eq!(origin("enable_distributed_processing"), Origin::Default);
    assert_eq!(origin("enable_multi_tier_cache"), in_file(1));
    for profile in Profile::ALL {
        let source = flags(&[&format!("profile={profile}")]).expect("good");
        assert_eq!(resolved(&[source]).config, profile.config());
        assert_eq!(profile.config().check(), Ok(()));
    }
}

#[test]
fn what_is_given_goes_over_what_is_present() {
    let mut present = ScalabilityConfig::production_optimized();
    present.hnsw_config.ef_search = 7;
    present.quantization_config.thresholds.half = 0.55;
    let given = |assignments: &[&str]| resolved(&[flags(assignments).expect("good")]);
    assert_eq!(given(&[]).over(&present), Ok(present.clone()));
    let wanted = given(&["hnsw_config.above_nodes=9"]).over(&present).expect("in range");
    assert_eq!((wanted.hnsw_config.above_nodes, wanted.hnsw_config.ef_search), (9, 7));
    assert!(wanted.enable_adaptive_quantization);
    assert_eq!(given(&["profile=plain"]).over(&present), Ok(ScalabilityConfig::plain()));
    let error = given(&["quantization_config.thresholds.eight=0.6"]).over(&present).expect_err("rises");
    assert_eq!(error.field, "quantization_config.thresholds.eight");
}

#[test]
fn a_section_is_read_and_no_other() {
    let text = "[fields.a]\nkind = \"date\"\n\n[scalability]\nprofile = \"plain\"\n[scalability.hnsw_config]\nef_search = 5\n";
    let source = ConfigSource::section("c.toml", text, "scalability").expect("good");
    let resolved = resolved(&[source]);
    assert_eq!((resolved.profile, resolved.config.hnsw_config.ef_search), (Profile::Plain, 5));
    assert_eq!(resolved.origins.get("hnsw_config.ef_search"), Some(&in_file(7)));
    assert!(ConfigSource::section("c.toml", text, "other").is_ok());
    for (text, parts) in [
        ("a = 1\nscalability = 3\n", ["c.toml, line 2", "[scalability]"]),
        ("[[scalability]]\n", ["c.toml, line 1", "[scalability]"]),
        ("[scalability]\n\nef = 3\n", ["c.toml, line 3", "setting ef"]),
    ] {
        tells(ConfigSource::section("c.toml", text, "scalability"), &parts);
    }
}

#[test]
fn a_value_out_of_range_is_told_with_field_value_range_and_line() {
    file_tells(
        "\n[hnsw_config]\nef_search = 0\n",
        &["c.toml, line 3", "hnsw_config.ef_search", "cannot be 0", "1 to 65,536"],
    );
    for (field, wrong, allowed) in [
        ("hnsw_config.ef_search", "65_537", "1 to 65,536"),
        ("hnsw_config.ef_search", "-1", "1 to 65,536"),
        ("hnsw_config.ef_search", "1.5", "a whole number"),
        ("hnsw_config.ef_search", "\"128\"", "a whole number"),
        ("hnsw_config.ef_search", "99999999999999999999999", "1 to 65,536"),
        ("hnsw_config.ef_search", "[128]", "1 to 65,536"),
        ("hnsw_config.ef_search", "{ a = 1 }", "1 to 65,536"),
        ("hnsw_config.ef_construction", "0", "1 to 65,536"),
        ("hnsw_config.max_connections", "1", "2 to 256"),
        ("hnsw_config.max_connections", "257", "2 to 256"),
        ("hnsw_config.above_nodes", "4294967296", "0 to 4,294,967,295"),
        ("hnsw_config.percent_of_facts", "101", "0 to 100"),
        ("hnsw_config.percent_of_facts", "256", "0 to 100"),
        ("distribution_config.percent_of_facts", "101", "0 to 100"),
        ("hnsw_config.recall_target", "0.4999", "0.5 to 0.999"),
        ("hnsw_config.recall_target", "1.0", "0.5 to 0.999"),
        ("hnsw_config.recall_target", "nan", "0.5 to 0.999"),
        ("hnsw_config.recall_target", "-inf", "0.5 to 0.999"),
        ("hnsw_config.recall_target", "1e999", "0.5 to 0.999"),
        ("quantization_config.thresholds.full", "1.1", "0 to 1"),
        ("quantization_config.thresholds.four", "-0.1", "0 to 1"),
        ("quantization_config.finest", "\"q16\"", "b1, q4, q8, f16, f32"),
        ("quantization_config.finest", "8", "b1, q4, q8, f16, f32"),
        ("quantization_config.half_life_mentions", "0", "1 to 4,294,967,295"),
        ("quantization_config.vector_budget", "\"1T\"", "512M"),
        ("quantization_config.vector_budget", "-5", "or none"),
        ("quantization_config.vector_budget", "1125899906842625", "1,048,576G"),
        ("cache_config.l1_size", "\"none\"", "512M"),
        ("cache_config.l2_size", "\"18446744073709551615G\"", "1,048,576G"),
        ("cache_config.l2_size", "1.0", "512M"),
        ("enable_hnsw_indexing", "1", "true or false"),
        ("enable_hnsw_indexing", "\"true\"", "true or false"),
        ("enable_hnsw_indexing", "2026-01-01", "true or false"),
        ("profile", "\"fast\"", "default, development, production, plain"),
        ("profile", "1", "default, development, production, plain"),
        ("hnsw_config", "5", "hnsw_config.above_nodes"),
        ("quantization_config.thresholds", "[0.9]", "quantization_config.thresholds.full"),
    ] {
        let written = wrong.trim_matches('"');
        file_tells(&format!("# first\n{field} = {wrong}\n"), &["c.toml, line 2", field, written, allowed]);
        // A text needs no quotes there, so that one of "true" is right.
        if wrong == "\"true\"" || wrong == "\"128\"" {
            continue;
        }
        tells(flags(&[&format!("{field}={written}")]), &["--set", field, written, allowed]);
        let variable = format!("CORTEXKG_{}", field.replace('.', "__").to_uppercase());
        tells(environment(&[(&variable, written)]), &[&variable, field, written, allowed]);
    }
}

#[test]
fn thresholds_do_not_rise_whoever_says_them() {
    let told = file("[quantization_config.thresholds]\nfull = 0.6\n");
    tells(
        Resolved::of([&told]),
        &["c.toml, line 2", "thresholds.full cannot be 0.6", "0.7", "thresholds.half", "to 1"],
    );
    let later = flags(&["quantization_config.thresholds.eight=0.75"]).expect("in range");
    tells(
        Resolved::of([&later]),
        &["--set", "thresholds.eight cannot be 0.75", "0 to 0.7", "thresholds.half"],
    );
    let equal = file("[quantization_config.thresholds]\nfull = 0.7\nhalf = 0.7\neight = 0.7\nfour = 0.7\n");
    assert!(Resolved::of([&equal]).is_ok());
    let mut config = ScalabilityConfig::default();
    config.quantization_config.thresholds.four = 0.55;
    let error = config.check().expect_err("rises");
    assert_eq!((error.field, error.value.as_str()), ("quantization_config.thresholds.four", "0.55"));
    assert_eq!(error.allowed, "0 to 0.5, which is quantization_config.thresholds.eight");
}

#[test]
fn a_configuration_made_by_hand_is_checked() {
    let mut config = ScalabilityConfig::default();
    config.hnsw_config.ef_search = 0;
    let error = config.check().expect_err("out of range");
    let told = "hnsw_config.ef_search cannot be 0; give 1 to 65,536, a whole number";
    assert_eq!(error.to_string(), told);
    config.hnsw_config.ef_search = 1;
    config.hnsw_config.recall_target = f64::NAN;
    assert_eq!(config.check().expect_err("no number").value, "NaN");
}

#[test]
fn names_that_no_field_has_are_told_with_those_near_them() {
    file_tells(
        "hnsw_config.ef_serch = 3\n",
        &["line 1", "hnsw_config.ef_serch", "near it: hnsw_config.ef_search"],
    );
    file_tells("[hnsw_confg]\nef_search = 3\n", &["line 1", "hnsw_confg", "near it:"]);
    file_tells(
        "[hnsw_config]\n\n[hnsw_config.ef_search.more]\na = 3\n",
        &["hnsw_config.ef_search", "1 to 65,536"],
    );
    file_tells("b\\u001b = 1\n", &["c.toml, line 1"]);
    file_tells("\"b\\u001b[1m\" = 1\n", &["c.toml, line 1", "b\\u{1b}[1m"]);
    tells(flags(&["ef_search=3"]), &["--set ef_search=3", "near it: hnsw_config.ef_search"]);
    tells(flags(&["hnsw_config.ef_search"]), &["--set hnsw_config.ef_search:", "ef_search=128"]);
    tells(flags(&["=3"]), &["empty"]);
    for variable in [
        "CORTEXKG_HNSW_CONFIG__EF_SERCH",
        "CORTEXKG_HNSW_CONFIG_EF_SEARCH",
        "CORTEXKG_HNSW_CONFIG__ef_search",
        "CORTEXKG_EF_SEARCH",
    ] {
        tells(environment(&[(variable, "3")]), &[variable, "near it: CORTEXKG_HNSW_CONFIG__EF_SEARCH"]);
    }
    tells(environment(&[("CORTEXKG_ENABLE_HNSW", "true")]), &["near it: CORTEXKG_ENABLE_HNSW_INDEXING"]);
    tells(environment(&[("CORTEXKG_PROFIL", "plain")]), &["near it: CORTEXKG_PROFILE"]);
    let others = [
        ("CORTEXKG_SIMD", "scalar"),
        ("CORTEXKG_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "/bin"),
        ("cortexkg_profile", "x"),
    ];
    assert_eq!(resolved(&[environment(&others).expect("somebody else's")]).given().count(), 0);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    file_tells("\n[hnsw_config\n", &["c.toml, line 2"]);
    file_tells("profile = \"plain\"\nprofile = \"plain\"\n", &["c.toml, line 2", "duplicate"]);
    file_tells("a\n", &["c.toml, line 1"]);
}
