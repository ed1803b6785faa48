//! The shipped schema is the code's, and says of configurations what the code says of them.

use cortexkg_scalable::{ConfigSource, Profile, Resolved, ScalabilityConfig, json_schema};
use serde_json::{Value, json};

/// Whether a value is as a schema says; of the words that a schema can have, those that ours has.
fn is_valid(schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return schema == true };
    schema.iter().all(|(word, said)| match word.as_str() {
        "type" => match said.as_str().expect("one type") {
            "object" => value.is_object(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "null" => value.is_null(),
            other => panic!("type {other}"),
        },
        "properties" => value.as_object().is_none_or(|object| {
            object.iter().all(|(name, value)| said.get(name).is_none_or(|schema| is_valid(schema, value)))
        }),
        "additionalProperties" => {
            assert_eq!(*said, false);
            let known = schema["properties"].as_object().expect("properties");
            value.as_object().is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
        }
        "minimum" => value.as_f64().is_none_or(|number| number >= said.as_f64().expect("a number")),
        "maximum" => value.as_f64().is_none_or(|number| number <= said.as_f64().expect("a number")),
        "enum" => said.as_array().expect("a list").contains(value),
        "const" => said == value,
        "anyOf" => said.as_array().expect("a list").iter().any(|schema| is_valid(schema, value)),
        // There is one, for sizes.
        "pattern" => value.as_str().is_none_or(|text| cortexkg_scalable::bytes_of(text).is_some()),
        "$schema" | "title" | "description" | "default" => true,
        other => panic!("{other} is not looked at"),
    })
}

fn shipped() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scalability.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("it is shipped")).expect("it is JSON")
}

#[test]
fn the_shipped_schema_is_up_to_date() {
    // Printing both would hide what to do.
    let is_current = shipped() == json_schema();
    assert!(is_current, "write it anew: cargo run -- config schema > docs/scalability.schema.json");
}

#[test]
fn whatever_is_described_is_described_well() {
    fn walk(name: &str, schema: &Value) {
        let described = schema["description"].as_str().unwrap_or_default();
        assert!(!described.is_empty() && !described.contains("[`"), "{name}: {described:?}");
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], false, "{name}");
            properties.iter().for_each(|(inner, schema)| walk(&format!("{name}.{inner}"), schema));
        } else {
            assert!(schema.get("default").is_some(), "{name} has no default");
        }
    }
    walk("", &json_schema());
}

#[test]
fn profiles_are_valid() {
    let schema = json_schema();
    for profile in Profile::ALL {
        let mut value = serde_json::to_value(profile.config()).expect("a value");
        assert!(is_valid(&schema, &value), "{value}");
        value["profile"] = profile.name().into();
        assert!(is_valid(&schema, &value), "{value}");
    }
}

#[test]
fn schema_and_code_agree() {
    let schema = json_schema();
    for (field, value) in [
        ("hnsw_config.ef_search", json!(0)),
        ("hnsw_config.ef_search", json!(1)),
        ("hnsw_config.ef_search", json!(65_536)),
        ("hnsw_config.ef_search", json!(65_537)),
        ("hnsw_config.ef_search", json!(1.5)),
        ("hnsw_config.ef_search", json!("many")),
        ("hnsw_config.max_connections", json!(1)),
        ("hnsw_config.max_connections", json!(256)),
        ("hnsw_config.percent_of_facts", json!(100)),
        ("hnsw_config.percent_of_facts", json!(101)),
        ("hnsw_config.recall_target", json!(0.5)),
        ("hnsw_config.recall_target", json!(0.4999)),
        ("hnsw_config.recall_target", json!(0.9991)),
        ("quantization_config.thresholds.full", json!(1.01)),
        ("quantization_config.thresholds.full", json!(1)),
        ("quantization_config.finest", json!("q8")),
        ("quantization_config.finest", json!("q9")),
        ("quantization_config.vector_budget", json!("none")),
        ("quantization_config.vector_budget", json!("512M")),
        ("quantization_config.vector_budget", json!("512T")),
        ("quantization_config.vector_budget", json!(1u64 << 50)),
        ("quantization_config.vector_budget", json!((1u64 << 50) + 1)),
        ("cache_config.l1_size", json!("none")),
        ("cache_config.l1_size", json!(0)),
        ("enable_hnsw_indexing", json!("true")),
        ("enable_hnsw_indexing", json!(true)),
        ("profile", json!("plain")),
        ("profile", json!("plane")),
        ("hnsw_config.ef_serch", json!(1)),
        ("other", json!(1)),
    ] {
        let mut object = value.clone();
        for name in field.rsplit('.') {
            object = json!({ name: object });
        }
        // A value is written in TOML as in JSON.
        let read = ConfigSource::file("c.toml", &format!("{field} = {value}\n"));
        let is_taken = read.is_ok_and(|source| Resolved::of([&source]).is_ok());
        assert_eq!(is_valid(&schema, &object), is_taken, "{field} = {value}");
    }
}

#[test]
fn sizes_match_their_pattern() {
    let schema = json_schema();
    let size =
        schema.pointer("/properties/cache_config/properties/l1_size/anyOf/1/pattern").expect("a pattern");
    assert_eq!(size, "^[0-9]+([bB]|[kKmMgG]([iI]?[bB])?)?$");
    let text = serde_json::to_string(&ScalabilityConfig::default()).expect("json");
    assert_eq!(serde_json::from_str::<ScalabilityConfig>(&text).expect("read"), ScalabilityConfig::default());
}
