//! Settings under one name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ScalabilityConfig;

/// Settings to begin with, by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The index for large graphs, and the tiers: [`ScalabilityConfig::default`].
    #[default]
    Default,
    /// Only the tiers: [`ScalabilityConfig::development_defaults`].
    Development,
    /// Everything on: [`ScalabilityConfig::production_optimized`].
    Production,
    /// No layer at all: [`ScalabilityConfig::plain`].
    Plain,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::Default, Self::Development, Self::Production, Self::Plain];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Development => "development",
            Self::Production => "production",
            Self::Plain => "plain",
        }
    }

    /// What it stands for.
    #[must_use]
    pub fn config(self) -> ScalabilityConfig {
        match self {
            Self::Default => ScalabilityConfig::default(),
            Self::Development => ScalabilityConfig::development_defaults(),
            Self::Production => ScalabilityConfig::production_optimized(),
            Self::Plain => ScalabilityConfig::plain(),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let known = Self::ALL.into_iter().find(|profile| profile.name() == name);
        known.ok_or_else(|| UnknownProfile { name: name.to_owned() })
    }
}

/// No profile has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile {name:?}: use one of default, development, production, plain")]
pub struct UnknownProfile {
    name: String,
}
