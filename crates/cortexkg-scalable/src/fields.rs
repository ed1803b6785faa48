//! The fields of a [`ScalabilityConfig`] one by one: what each is called, what it may be, and where it lies.

use cortexkg_index::Precision;

use crate::bytes::{NONE, text_of};
use crate::{ConfigError, ScalabilityConfig};

/// Most bytes of a tier or of all vectors.
pub(crate) const BYTES_MAX: u64 = 1 << 50;
const BYTES_TEXT: &str = "0 to 1,048,576G, like 512M, or a whole number of bytes";

const NODES: Range = Range::Whole { min: 0, max: u32::MAX, text: "0 to 4,294,967,295" };
const MENTIONS: Range = Range::Whole { min: 1, max: u32::MAX, text: "1 to 4,294,967,295" };
const HELD: Range = Range::Whole { min: 1, max: 65_536, text: "1 to 65,536" };
const CONNECTIONS: Range = Range::Whole { min: 2, max: 256, text: "2 to 256" };
const PERCENT: Range = Range::Whole { min: 0, max: 100, text: "0 to 100" };
const RECALL: Range = Range::Share { min: 0.5, max: 0.999 };
const IMPORTANCE: Range = Range::Share { min: 0.0, max: 1.0 };

/// All of them, in the order in which they are told.
pub(crate) static FIELDS: [Field; 21] = [
    Field::of("enable_hnsw_indexing", Range::Switch, |of| Place::Switch(&mut of.enable_hnsw_indexing)),
    Field::of("enable_multi_tier_cache", Range::Switch, |of| Place::Switch(&mut of.enable_multi_tier_cache)),
    Field::of("enable_distributed_processing", Range::Switch, |of| {
        Place::Switch(&mut of.enable_distributed_processing)
    }),
    Field::of("enable_adaptive_quantization", Range::Switch, |of| {
        Place::Switch(&mut of.enable_adaptive_quantization)
    }),
    Field::of("hnsw_config.above_nodes", NODES, |of| Place::Count(&mut of.hnsw_config.above_nodes)),
    Field::of("hnsw_config.percent_of_facts", PERCENT, |of| {
        Place::Percent(&mut of.hnsw_config.percent_of_facts)
    }),
    Field::of("hnsw_config.max_connections", CONNECTIONS, |of| {
        Place::Count(&mut of.hnsw_config.max_connections)
    }),
    Field::of("hnsw_config.ef_construction", HELD, |of| Place::Count(&mut of.hnsw_config.ef_construction)),
    Field::of("hnsw_config.ef_search", HELD, |of| Place::Count(&mut of.hnsw_config.ef_search)),
    Field::of("hnsw_config.recall_target", RECALL, |of| Place::Share(&mut of.hnsw_config.recall_target)),
    Field::of("cache_config.l1_size", Range::Bytes, |of| Place::Bytes(&mut of.cache_config.l1_size)),
    Field::of("cache_config.l2_size", Range::Bytes, |of| Place::Bytes(&mut of.cache_config.l2_size)),
    Field::of("distribution_config.above_nodes", NODES, |of| {
        Place::Count(&mut of.distribution_config.above_nodes)
    }),
    Field::of("distribution_config.percent_of_facts", PERCENT, |of| {
        Place::Percent(&mut of.distribution_config.percent_of_facts)
    }),
    Field::of("quantization_config.thresholds.full", IMPORTANCE, |of| {
        Place::Share(&mut of.quantization_config.thresholds.full)
    }),
    Field::of("quantization_config.thresholds.half", IMPORTANCE, |of| {
        Place::Share(&mut of.quantization_config.thresholds.half)
    }),
    Field::of("quantization_config.thresholds.eight", IMPORTANCE, |of| {
        Place::Share(&mut of.quantization_config.thresholds.eight)
    }),
    Field::of("quantization_config.thresholds.four", IMPORTANCE, |of| {
        Place::Share(&mut of.quantization_config.thresholds.four)
    }),
    Field::of("quantization_config.finest", Range::Precision, |of| {
        Place::Precision(&mut of.quantization_config.finest)
    }),
    Field::of("quantization_config.vector_budget", Range::Budget, |of| {
        Place::Budget(&mut of.quantization_config.vector_budget)
    }),
    Field::of("quantization_config.half_life_mentions", MENTIONS, |of| {
        Place::Count(&mut of.quantization_config.half_life_mentions)
    }),
];

/// One field.
pub(crate) struct Field {
    /// Its name, with those of the tables that it stands in, joined by dots.
    pub(crate) name: &'static str,
    pub(crate) range: Range,
    place: fn(&mut ScalabilityConfig) -> Place<'_>,
}

/// What a field may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Range {
    Switch,
    /// A whole number; the range in words.
    Whole {
        min: u32,
        max: u32,
        text: &'static str,
    },
    Share {
        min: f64,
        max: f64,
    },
    Bytes,
    /// Bytes or none.
    Budget,
    Precision,
}

/// Where the value of a field lies.
enum Place<'a> {
    Switch(&'a mut bool),
    Percent(&'a mut u8),
    Count(&'a mut u32),
    Share(&'a mut f64),
    Bytes(&'a mut u64),
    Budget(&'a mut Option<u64>),
    Precision(&'a mut Precision),
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Switch(bool),
    Whole(u64),
    Share(f64),
    Bytes(u64),
    NoBudget,
    Precision(Precision),
}

impl Field {
    const fn of(name: &'static str, range: Range, place: fn(&mut ScalabilityConfig) -> Place<'_>) -> Self {
        Self { name, range, place }
    }

    /// The field of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// Its name without those of the tables that it stands in.
    pub(crate) fn last_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    pub(crate) fn get(&self, config: &ScalabilityConfig) -> Value {
        // There is one way to a place, and it is for writing.
        match (self.place)(&mut config.clone()) {
            Place::Switch(at) => Value::Switch(*at),
            Place::Percent(at) => Value::Whole((*at).into()),
            Place::Count(at) => Value::Whole((*at).into()),
            Place::Share(at) => Value::Share(*at),
            Place::Bytes(at) => Value::Bytes(*at),
            Place::Budget(at) => at.map_or(Value::NoBudget, Value::Bytes),
            Place::Precision(at) => Value::Precision(*at),
        }
    }

    /// Sets it; whether it can have such a value.
    pub(crate) fn set(&self, config: &mut ScalabilityConfig, value: Value) -> bool {
        if !self.range.holds(value) {
            return false;
        }
        match ((self.place)(config), value) {
            (Place::Switch(at), Value::Switch(is_on)) => *at = is_on,
            (Place::Percent(at), Value::Whole(percent)) => *at = percent as u8,
            (Place::Count(at), Value::Whole(count)) => *at = count as u32,
            (Place::Share(at), Value::Share(share)) => *at = share,
            (Place::Bytes(at), Value::Bytes(bytes)) => *at = bytes,
            (Place::Budget(at), Value::Bytes(bytes)) => *at = Some(bytes),
            (Place::Budget(at), Value::NoBudget) => *at = None,
            (Place::Precision(at), Value::Precision(precision)) => *at = precision,
            _ => return false,
        }
        true
    }

    /// Refuses a value of it.
    pub(crate) fn refuse(&self, value: impl Into<String>) -> ConfigError {
        ConfigError { field: self.name, value: value.into(), allowed: self.range.allowed() }
    }
}

impl Range {
    /// Whether a value is of the right kind and within the range.
    pub(crate) fn holds(self, value: Value) -> bool {
        match (self, value) {
            (Self::Switch, Value::Switch(_))
            | (Self::Precision, Value::Precision(_))
            | (Self::Budget, Value::NoBudget) => true,
            (Self::Whole { min, max, .. }, Value::Whole(number)) => {
                (u64::from(min)..=u64::from(max)).contains(&number)
            }
            // NaN is in no range.
            (Self::Share { min, max }, Value::Share(share)) => (min..=max).contains(&share),
            (Self::Bytes | Self::Budget, Value::Bytes(bytes)) => bytes <= BYTES_MAX,
            _ => false,
        }
    }

    /// The range, in words.
    pub(crate) fn allowed(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Whole { text, .. } => format!("{text}, a whole number"),
            Self::Share { min, max } => format!("{min} to {max}"),
            Self::Bytes => BYTES_TEXT.to_owned(),
            Self::Budget => format!("{BYTES_TEXT}, or {NONE}"),
            Self::Precision => precisions().join(", "),
        }
    }
}

/// The names of all precisions.
pub(crate) fn precisions() -> [&'static str; 5] {
    Precision::ALL.map(Precision::name)
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Switch(is_on) => write!(f, "{is_on}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Share(share) => write!(f, "{share}"),
            Self::Bytes(bytes) => f.write_str(&text_of(*bytes)),
            Self::NoBudget => f.write_str(NONE),
            Self::Precision(precision) => write!(f, "{precision}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_is_one_for_every_leaf() {
        fn leaves(prefix: &str, value: &serde_json::Value, names: &mut BTreeSet<String>) {
            let Some(table) = value.as_object() else {
                names.insert(prefix.to_owned());
                return;
            };
            for (name, inner) in table {
                let dot = if prefix.is_empty() { "" } else { "." };
                leaves(&format!("{prefix}{dot}{name}"), inner, names);
            }
        }
        let mut names = BTreeSet::new();
        let config = serde_json::to_value(ScalabilityConfig::default()).expect("a value");
        leaves("", &config, &mut names);
        assert_eq!(names, FIELDS.iter().map(|field| field.name.to_owned()).collect());
    }

    #[test]
    fn each_is_at_its_own_place() {
        for field in &FIELDS {
            let mut config = ScalabilityConfig::default();
            let other = match field.get(&config) {
                Value::Switch(is_on) => Value::Switch(!is_on),
                Value::Whole(number) => Value::Whole(if number > 2 { number - 1 } else { number + 1 }),
                Value::Share(share) => Value::Share(share - 0.01),
                Value::Bytes(_) | Value::NoBudget => Value::Bytes(7),
                Value::Precision(_) => Value::Precision(Precision::Four),
            };
            assert!(field.set(&mut config, other), "{}", field.name);
            let json = serde_json::to_value(&config).expect("a value");
            let leaf = json.pointer(&format!("/{}", field.name.replace('.', "/"))).expect("a leaf");
            match other {
                Value::Switch(is_on) => assert_eq!(*leaf, is_on),
                Value::Whole(number) | Value::Bytes(number) => assert_eq!(*leaf, number),
                Value::Share(share) => assert_eq!(*leaf, share),
                Value::Precision(precision) => assert_eq!(*leaf, precision.name()),
                Value::NoBudget => unreachable!("none is not what was set"),
            }
            let usual = ScalabilityConfig::default();
            let changed = FIELDS.iter().filter(|field| field.get(&config) != field.get(&usual));
            assert_eq!(changed.map(|field| field.name).collect::<Vec<_>>(), [field.name]);
        }
    }

    #[test]
    fn ranges_in_words_are_the_ranges() {
        for range in [NODES, MENTIONS, HELD, CONNECTIONS, PERCENT] {
            let Range::Whole { min, max, text } = range else { unreachable!("whole numbers") };
            assert_eq!(text.replace(',', ""), format!("{min} to {max}"));
        }
        assert!(BYTES_TEXT.replace(',', "").contains(&text_of(BYTES_MAX)));
    }
}
