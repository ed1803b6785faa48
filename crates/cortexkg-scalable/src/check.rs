//! Whether a configuration can be.

use std::fmt;

use crate::fields::FIELDS;
use crate::{ScalabilityConfig, Thresholds};

/// Most characters of what is quoted.
const QUOTED_CHARS_MAX: usize = 64;
/// Where the thresholds stand, from the most bits to the fewest.
const THRESHOLDS: [&str; 4] = [
    "quantization_config.thresholds.full",
    "quantization_config.thresholds.half",
    "quantization_config.thresholds.eight",
    "quantization_config.thresholds.four",
];

/// A value that its field cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} cannot be {}; give {allowed}", Quoted(value))]
pub struct ConfigError {
    /// The field, with the tables that it stands in: `hnsw_config.ef_search`.
    pub field: &'static str,
    /// What was given, as it was written.
    pub value: String,
    /// What it can be: `1 to 65,536, a whole number`.
    pub allowed: String,
}

impl ScalabilityConfig {
    /// Whether every field is in its range, and no threshold is above that of more bits.
    ///
    /// # Errors
    /// Names the first field that is not, its value, and what it can be.
    pub fn check(&self) -> Result<(), ConfigError> {
        for field in &FIELDS {
            let value = field.get(self);
            if !field.range.holds(value) {
                return Err(field.refuse(value.to_string()));
            }
        }
        self.rise().map_or(Ok(()), |rise| Err(rise.refuse_lower()))
    }

    /// The first threshold that is above that of more bits.
    pub(crate) fn rise(&self) -> Option<Rise> {
        let Thresholds { full, half, eight, four } = self.quantization_config.thresholds;
        let [of_full, of_half, of_eight, of_four] = THRESHOLDS;
        let pairs = [
            (of_full, full, of_half, half),
            (of_half, half, of_eight, eight),
            (of_eight, eight, of_four, four),
        ];
        let rising = pairs.into_iter().find(|(_, upper, _, lower)| lower > upper);
        rising.map(|(upper, upper_value, lower, lower_value)| Rise {
            upper: (upper, upper_value),
            lower: (lower, lower_value),
        })
    }
}

/// Two thresholds in the wrong order: that of more bits and that of fewer, with their values.
pub(crate) struct Rise {
    pub(crate) upper: (&'static str, f64),
    pub(crate) lower: (&'static str, f64),
}

impl Rise {
    pub(crate) fn refuse_lower(&self) -> ConfigError {
        let ((upper, most), (field, value)) = (self.upper, self.lower);
        ConfigError { field, value: value.to_string(), allowed: format!("0 to {most}, which is {upper}") }
    }

    pub(crate) fn refuse_upper(&self) -> ConfigError {
        let ((field, value), (lower, least)) = (self.upper, self.lower);
        ConfigError { field, value: value.to_string(), allowed: format!("{least}, which is {lower}, to 1") }
    }
}

/// A text of others on one line, of bounded length: what would steer a terminal is escaped.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        if self.0.is_empty() {
            return f.write_str("empty");
        }
        for character in chars.by_ref().take(QUOTED_CHARS_MAX) {
            match character {
                '"' | '\'' => write!(f, "{character}")?,
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        if chars.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}
