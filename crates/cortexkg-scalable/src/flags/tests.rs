use super::*;

fn parse(text: &str) -> FeatureFlags {
    text.parse().expect("good flags")
}

#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    let error = text.parse::<FeatureFlags>().expect_err("refused").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{parts:?} not all in: {error}");
}

#[test]
fn names_are_known_or_off() {
    for feature in Feature::ALL {
        assert_eq!(feature.to_string().parse(), Ok(feature));
        assert!(FeatureFlags::all_on().is_enabled(feature.name()));
        assert!(!FeatureFlags::all_off().is_enabled(feature.name()));
        assert_eq!(serde_json::to_value(feature).expect("a value"), feature.name());
    }
    for unknown in ["", "HNSW_INDEXING", "hnsw_indexing ", "telepathy"] {
        assert!(!FeatureFlags::all_on().is_enabled(unknown), "{unknown}");
    }
}

#[test]
fn flags_are_read_as_they_are_told() {
    let flags = parse(" hnsw_indexing=30%, adaptive_quantization=on,multi_tier_cache=0%,");
    let told = "hnsw_indexing=30%,multi_tier_cache=off,distributed_processing=off,adaptive_quantization=on";
    assert_eq!(flags.to_string(), told);
    assert_eq!(parse(told), flags);
    assert_eq!(flags.clone(), flags);
    assert_eq!(parse(""), FeatureFlags::new());
    assert_eq!(parse("hnsw_indexing=1%,hnsw_indexing=100%").rollout(Feature::HnswIndexing), Rollout::On);
    let json = serde_json::to_string(&flags).expect("json");
    assert_eq!(
        json,
        r#"{"hnsw_indexing":"30%","multi_tier_cache":"off","distributed_processing":"off","adaptive_quantization":"on"}"#
    );
    assert_eq!(serde_json::from_str::<FeatureFlags>(&json).expect("flags"), flags);
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    refused("hnsw_index=on", &["hnsw_index;", "hnsw_indexing", "multi_tier_cache", "adaptive_quantization"]);
    refused("hnsw_indexing", &["hnsw_indexing is no flag", "30%"]);
    for share in ["101%", "300%", "-1%", "1.5%", "%", "30", "true", "", "nan%"] {
        refused(&format!("hnsw_indexing={share}"), &["cannot be", "on, off", "0% to 100%"]);
    }
    for whole in ["multi_tier_cache", "adaptive_quantization"] {
        refused(&format!("{whole}=30%"), &[whole, "30%", "on or off"]);
        assert!(parse(&format!("{whole}=100%")).is_enabled(whole));
    }
    let flags = FeatureFlags::new();
    let before = flags.clone();
    assert!(flags.set(Feature::HnswIndexing, Rollout::Percent(101)).is_err());
    assert!(flags.set(Feature::MultiTierCache, Rollout::Percent(50)).is_err());
    assert_eq!(flags, before, "what is refused changes nothing");
    for json in [r#"{"hnsw":"on"}"#, r#"{"hnsw_indexing":true}"#, r#"{"multi_tier_cache":"5%"}"#] {
        assert!(serde_json::from_str::<FeatureFlags>(json).is_err(), "{json}");
    }
}

#[test]
fn flags_and_configurations_say_the_same() {
    for config in crate::Profile::ALL.map(crate::Profile::config) {
        assert_eq!(FeatureFlags::of(&config).apply(&config), config);
    }
    assert_eq!(FeatureFlags::new(), FeatureFlags::of(&ScalabilityConfig::default()));
    assert_eq!(
        ScalabilityConfig::of_flags(&FeatureFlags::all_on()),
        ScalabilityConfig::production_optimized()
    );
    let off = ScalabilityConfig::of_flags(&FeatureFlags::all_off());
    assert_eq!(off, ScalabilityConfig::plain());
    let some = parse("hnsw_indexing=7%,distributed_processing=9%").apply(&off);
    assert_eq!(some.hnsw_config.percent_of_facts, 7);
    assert_eq!(some.distribution_config.percent_of_facts, 9);
    assert_eq!(some.check(), Ok(()));
}

#[test]
fn a_share_of_the_facts_is_spread_evenly_and_only_grows() {
    const FACTS: usize = 100_000;
    let mut counts = [0usize; 100];
    let flags = FeatureFlags::all_off();
    for fact in 0..FACTS {
        let id = format!("r{fact}");
        counts[usize::from(hundredth("crm", &id))] += 1;
        let mut served = false;
        for percent in [0, 1, 30, 99, 100] {
            flags.set(Feature::HnswIndexing, Rollout::Percent(percent)).expect("a share");
            let serves = flags.serves(Feature::HnswIndexing, "crm", &id);
            assert!(serves || !served, "{id} was served, and is no more at {percent}%");
            served = serves;
        }
        assert!(served, "{id} is not served at 100%");
    }
    // 1,000 each, with a standard deviation of 31.
    assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
}

#[test]
fn golden_hundredths() {
    // Facts must not change sides with a version of the program.
    let ids = ["", "a", "r17", "https://example.org/1", "ß", "a\0b"];
    assert_eq!(ids.map(|id| hundredth("crm", id)), [67, 63, 9, 10, 96, 77]);
    assert_ne!(hundredth("crm", "a"), hundredth("", "a"), "by source as well");
}

#[test]
fn flags_change_while_others_read() {
    let flags = FeatureFlags::all_off();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !flags.is_enabled("hnsw_indexing") {
                std::thread::yield_now();
            }
            flags.rollout(Feature::HnswIndexing)
        });
        flags.set(Feature::HnswIndexing, Rollout::On).expect("on");
        assert_eq!(reader.join().expect("it ends"), Rollout::On);
    });
}
