//! The JSON schema of a configuration.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::bytes::{NONE, SIZE_PATTERN};
use crate::fields::{BYTES_MAX, FIELDS, Range, precisions};
use crate::source::PROFILE;
use crate::{Profile, ScalabilityConfig};

/// The JSON schema (2020-12) of a TOML or JSON file of settings: the fields of a [`ScalabilityConfig`], and the profile.
///
/// Descriptions are those of the code, ranges those that [`ScalabilityConfig::check`] holds them to. That thresholds do not rise is not in it.
#[must_use]
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<ScalabilityConfig>().to_value();
    for field in &FIELDS {
        let pointer = format!("/properties/{}", field.name.replace('.', "/properties/"));
        if let Some(leaf) = schema.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            restrict(leaf, field.range);
        }
    }
    if let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut) {
        let profile = json!({
            "description": "Settings to begin with; every field that is given overrides them.",
            "type": "string",
            "enum": Profile::ALL.map(Profile::name),
            "default": Profile::default().name(),
        });
        properties.insert(PROFILE.to_owned(), profile);
    }
    schema
}

/// Replaces what the type of a field says of its range by what the range says.
fn restrict(leaf: &mut Map<String, Value>, range: Range) {
    leaf.retain(|key, _| key == "description" || key == "default");
    let size = json!([
        {"type": "integer", "minimum": 0, "maximum": BYTES_MAX},
        {"type": "string", "pattern": SIZE_PATTERN},
    ]);
    let allowed = match range {
        Range::Switch => json!({"type": "boolean"}),
        Range::Whole { min, max, .. } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Range::Share { min, max } => json!({"type": "number", "minimum": min, "maximum": max}),
        Range::Bytes => json!({"anyOf": size}),
        Range::Budget => json!({"anyOf": [size[0], size[1], {"type": "null"}, {"const": NONE}]}),
        Range::Precision => json!({"type": "string", "enum": precisions()}),
    };
    if let Value::Object(allowed) = allowed {
        leaf.extend(allowed);
    }
}
