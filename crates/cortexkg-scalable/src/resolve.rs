//! Sources, each overriding the one before.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fields::{FIELDS, Field};
use crate::source::PROFILE;
use crate::{ConfigError, ConfigSource, Origin, Profile, ScalabilityConfig, SourceError};

/// A configuration that was put together of sources and checked, with the origin of each of its values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resolved {
    /// What was begun with.
    pub profile: Profile,
    /// What came out.
    pub config: ScalabilityConfig,
    /// Where each value came from.
    pub origins: Origins,
}

/// Where the profile and the value of each field came from, by the names of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Origins(BTreeMap<&'static str, Origin>);

/// A field with its value, and where that came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The field, with the tables that it stands in: `hnsw_config.ef_search`.
    pub field: &'static str,
    /// Its value, as it could be written.
    pub value: String,
    /// Where it came from.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Resolved {
    /// Puts sources together; each overrides those before it, field by field.
    ///
    /// The profile that the last of them names is what all begin with: a profile overrides no value that any source gives, whatever their
    /// order. What a profile leaves as it usually is has the origin [`Origin::Default`].
    ///
    /// # Errors
    /// Where thresholds rise; the origin in the error is that of the threshold that was said last.
    pub fn of<'a>(sources: impl IntoIterator<Item = &'a ConfigSource>) -> Result<Self, SourceError> {
        let sources: Vec<&ConfigSource> = sources.into_iter().collect();
        let chosen = sources.iter().rev().find_map(|source| source.profile.as_ref());
        let (profile, of_profile) = chosen.cloned().unwrap_or((Profile::Default, Origin::Default));
        let (mut config, usual) = (profile.config(), ScalabilityConfig::default());
        let mut origins = BTreeMap::from([(PROFILE, of_profile)]);
        for field in &FIELDS {
            let is_usual = field.get(&config) == field.get(&usual);
            let origin = if is_usual { Origin::Default } else { Origin::Profile { name: profile } };
            origins.insert(field.name, origin);
        }
        for source in sources {
            for (name, (value, origin)) in &source.values {
                // Its range was checked when it was said.
                if Field::named(name).is_some_and(|field| field.set(&mut config, *value)) {
                    origins.insert(name, origin.clone());
                }
            }
        }
        let resolved = Self { profile, config, origins: Origins(origins) };
        resolved.check_thresholds().map(|()| resolved)
    }

    fn check_thresholds(&self) -> Result<(), SourceError> {
        let Some(rise) = self.config.rise() else { return Ok(()) };
        let [upper, lower] = [rise.upper.0, rise.lower.0].map(|name| self.origins.get(name));
        // It is the one said last that made it so.
        let (origin, error) = if upper.map(Origin::rank) > lower.map(Origin::rank) {
            (upper, rise.refuse_upper())
        } else {
            (lower, rise.refuse_lower())
        };
        Err(SourceError::Value { origin: origin.cloned().unwrap_or(Origin::Default), error })
    }

    /// What is to be of a graph whose settings are there already: what the sources give, all of it if one of them names a profile, and else
    /// what is present.
    ///
    /// # Errors
    /// Where a threshold that is given and one that is present rise.
    pub fn over(&self, present: &ScalabilityConfig) -> Result<ScalabilityConfig, ConfigError> {
        if !matches!(self.origins.get(PROFILE), None | Some(Origin::Default)) {
            return Ok(self.config.clone());
        }
        let mut config = present.clone();
        for field in &FIELDS {
            if !matches!(self.origins.get(field.name), None | Some(Origin::Default)) {
                field.set(&mut config, field.get(&self.config));
            }
        }
        config.check().map(|()| config)
    }

    /// The profile and every field, with values and origins.
    pub fn settings(&self) -> impl Iterator<Item = Setting> {
        let origin = |name| self.origins.get(name).cloned().unwrap_or(Origin::Default);
        let profile = Setting { field: PROFILE, value: self.profile.to_string(), origin: origin(PROFILE) };
        let fields = FIELDS.iter().map(move |field| Setting {
            field: field.name,
            value: field.get(&self.config).to_string(),
            origin: origin(field.name),
        });
        [profile].into_iter().chain(fields)
    }

    /// Those of the [settings](Self::settings) that a source gives.
    pub fn given(&self) -> impl Iterator<Item = Setting> {
        self.settings().filter(|setting| !matches!(setting.origin, Origin::Default | Origin::Profile { .. }))
    }
}

impl Origins {
    /// Where the value of a field came from, or the profile for `profile`; none if there is no such field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Origin> {
        self.0.get(field)
    }
}
