//! Features that are on, off, or on for some of the facts, and may change while an engine runs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

use cortexkg::hundredth;
use serde::{Deserialize, Serialize};

use crate::ScalabilityConfig;
use crate::check::Quoted;

/// A layer that can be on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// `hnsw_indexing`: near vectors are found by an index.
    HnswIndexing,
    /// `multi_tier_cache`: nodes that are read often are kept decoded.
    MultiTierCache,
    /// `distributed_processing`: other partitions are asked.
    DistributedProcessing,
    /// `adaptive_quantization`: each vector is kept as exactly as its node is important.
    AdaptiveQuantization,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 4] =
        [Self::HnswIndexing, Self::MultiTierCache, Self::DistributedProcessing, Self::AdaptiveQuantization];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HnswIndexing => "hnsw_indexing",
            Self::MultiTierCache => "multi_tier_cache",
            Self::DistributedProcessing => "distributed_processing",
            Self::AdaptiveQuantization => "adaptive_quantization",
        }
    }

    /// Whether it can serve some facts and not others: the index and the distribution can. Tiers and precisions are of nodes, which
    /// all facts share.
    #[must_use]
    pub const fn takes_percent(self) -> bool {
        matches!(self, Self::HnswIndexing | Self::DistributedProcessing)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Feature {
    type Err = FlagError;

    fn from_str(name: &str) -> Result<Self, FlagError> {
        let known = Self::ALL.into_iter().find(|feature| feature.name() == name);
        known.ok_or_else(|| FlagError::Unknown { name: name.to_owned() })
    }
}

/// For which facts a feature is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rollout {
    /// For none: `off`.
    Off,
    /// For all: `on`.
    On,
    /// For so many in a hundred, by the [`hundredth`] that each is in: `30%`. 0 is off, 100 is on.
    Percent(u8),
}

impl Rollout {
    /// The share in percent, which may be more than 100.
    const fn percent(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::On => 100,
            Self::Percent(percent) => percent,
        }
    }

    /// The simplest that is on for such a share.
    const fn of(percent: u8) -> Self {
        match percent {
            0 => Self::Off,
            1..=99 => Self::Percent(percent),
            _ => Self::On,
        }
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.pad("off"),
            Self::On => f.pad("on"),
            Self::Percent(percent) => f.pad(&format!("{percent}%")),
        }
    }
}

impl FromStr for Rollout {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let percent = match text {
            "off" => Some(0),
            "on" => Some(100),
            other => other.strip_suffix('%').and_then(|digits| digits.parse().ok()),
        };
        let known = percent.filter(|percent| *percent <= 100).map(Self::of);
        known.ok_or_else(|| FlagError::Rollout { text: text.to_owned() })
    }
}

impl TryFrom<String> for Rollout {
    type Error = FlagError;

    fn try_from(text: String) -> Result<Self, FlagError> {
        text.parse()
    }
}

impl From<Rollout> for String {
    fn from(rollout: Rollout) -> Self {
        rollout.to_string()
    }
}

/// Flags that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagError {
    /// No feature has this name.
    #[error(
        "there is no feature {}; there are hnsw_indexing, multi_tier_cache, distributed_processing, adaptive_quantization",
        Quoted(name)
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// No share of the facts.
    #[error("a feature cannot be {}; give on, off or a share of the facts from 0% to 100%", Quoted(text))]
    Rollout {
        /// What was given.
        text: String,
    },
    /// A share where there can be none.
    #[error("{feature} cannot be on for {percent}% of the facts, which share all nodes; give on or off")]
    NoPercent {
        /// The feature.
        feature: Feature,
        /// The share.
        percent: u8,
    },
    /// Not of the form `feature=rollout`.
    #[error("{} is no flag; write flags like hnsw_indexing=30%,adaptive_quantization=off", Quoted(text))]
    Form {
        /// What was given.
        text: String,
    },
}

/// Which features are on, and for which facts.
///
/// One set of flags can be shared by any number of threads: it is [changed](Self::set) while they [read](Self::is_enabled), and each
/// reads what was set last.
///
/// ```
/// use cortexkg_scalable::{Feature, FeatureFlags, Rollout, ScalabilityConfig};
///
/// let flags: FeatureFlags = "hnsw_indexing=30%,adaptive_quantization=on".parse()?;
/// assert!(flags.is_enabled("hnsw_indexing") && !flags.is_enabled("telepathy"));
/// flags.set(Feature::AdaptiveQuantization, Rollout::Off)?;
/// let config = ScalabilityConfig::of_flags(&flags);
/// assert_eq!((config.enable_hnsw_indexing, config.hnsw_config.percent_of_facts), (true, 30));
/// assert!(!config.enable_adaptive_quantization);
/// # Ok::<(), cortexkg_scalable::FlagError>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Feature, Rollout>", into = "BTreeMap<Feature, Rollout>")]
pub struct FeatureFlags {
    /// Percent of the facts, by the place of the feature among [`Feature::ALL`].
    percents: [AtomicU8; Feature::ALL.len()],
}

impl FeatureFlags {
    /// What is on by default: the index and the tiers.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&ScalabilityConfig::default())
    }

    /// Nothing.
    #[must_use]
    pub fn all_off() -> Self {
        Self { percents: Default::default() }
    }

    /// Everything, for all facts.
    #[must_use]
    pub fn all_on() -> Self {
        Self { percents: [100; Feature::ALL.len()].map(AtomicU8::new) }
    }

    /// What is on in a configuration.
    #[must_use]
    pub fn of(config: &ScalabilityConfig) -> Self {
        let ScalabilityConfig { hnsw_config, distribution_config, .. } = config;
        let percents = Feature::ALL.map(|feature| match feature {
            Feature::HnswIndexing if config.enable_hnsw_indexing => hnsw_config.percent_of_facts.min(100),
            Feature::MultiTierCache if config.enable_multi_tier_cache => 100,
            Feature::DistributedProcessing if config.enable_distributed_processing => {
                distribution_config.percent_of_facts.min(100)
            }
            Feature::AdaptiveQuantization if config.enable_adaptive_quantization => 100,
            _ => 0,
        });
        Self { percents: percents.map(AtomicU8::new) }
    }

    /// Whether a feature is on for any fact; false where there is no feature of that name.
    #[must_use]
    pub fn is_enabled(&self, name: &str) -> bool {
        name.parse().is_ok_and(|feature| self.rollout(feature) != Rollout::Off)
    }

    /// Whether a feature is on for the fact of this source (empty if it has none) and identifier. It stays on for it when the share
    /// rises: the facts of a share of p percent are those in the first p [hundredths](hundredth).
    #[must_use]
    pub fn serves(&self, feature: Feature, source: &str, record_id: &str) -> bool {
        match self.percent(feature) {
            0 => false,
            100.. => true,
            percent => hundredth(source, record_id) < percent,
        }
    }

    /// For which facts a feature is on.
    #[must_use]
    pub fn rollout(&self, feature: Feature) -> Rollout {
        Rollout::of(self.percent(feature))
    }

    /// Turns a feature on or off, or on for some of the facts. Takes effect at once for whoever reads it after.
    ///
    /// # Errors
    /// [`FlagError::NoPercent`] for a share from 1 to 99 where [none can be](Feature::takes_percent), [`FlagError::Rollout`] for one
    /// above 100.
    pub fn set(&self, feature: Feature, rollout: Rollout) -> Result<(), FlagError> {
        match rollout.percent() {
            101.. => return Err(FlagError::Rollout { text: rollout.to_string() }),
            percent @ 1..=99 if !feature.takes_percent() => {
                return Err(FlagError::NoPercent { feature, percent });
            }
            // Each flag stands for itself: no reader concludes anything from one about another.
            percent => self.at(feature).store(percent, Ordering::Relaxed),
        }
        Ok(())
    }

    /// Sets the features that a text like `hnsw_indexing=30%,adaptive_quantization=off` names, in its order, and gives them; the others
    /// stay as they are.
    ///
    /// # Errors
    /// As [`set`](Self::set) and [`FromStr`]; then those before the wrong one are set.
    pub fn set_named(&self, text: &str) -> Result<Vec<Feature>, FlagError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let set = parts.map(|part| {
            let form = || FlagError::Form { text: part.to_owned() };
            let (name, rollout) = part.split_once('=').ok_or_else(form)?;
            let feature = name.trim().parse()?;
            self.set(feature, rollout.trim().parse()?)?;
            Ok(feature)
        });
        set.collect()
    }

    /// A configuration with these features, for these shares of the facts, and as the given one in everything else.
    #[must_use]
    pub fn apply(&self, config: &ScalabilityConfig) -> ScalabilityConfig {
        let [hnsw, cache, distributed, quantization] = Feature::ALL.map(|feature| self.percent(feature));
        let mut config = ScalabilityConfig {
            enable_hnsw_indexing: hnsw > 0,
            enable_multi_tier_cache: cache > 0,
            enable_distributed_processing: distributed > 0,
            enable_adaptive_quantization: quantization > 0,
            ..config.clone()
        };
        // What is off keeps its share for when it is turned on by hand.
        if hnsw > 0 {
            config.hnsw_config.percent_of_facts = hnsw;
        }
        if distributed > 0 {
            config.distribution_config.percent_of_facts = distributed;
        }
        config
    }

    fn percent(&self, feature: Feature) -> u8 {
        self.at(feature).load(Ordering::Relaxed)
    }

    fn at(&self, feature: Feature) -> &AtomicU8 {
        let [hnsw, cache, distributed, quantization] = &self.percents;
        match feature {
            Feature::HnswIndexing => hnsw,
            Feature::MultiTierCache => cache,
            Feature::DistributedProcessing => distributed,
            Feature::AdaptiveQuantization => quantization,
        }
    }

    fn all(&self) -> impl Iterator<Item = (Feature, Rollout)> {
        Feature::ALL.into_iter().map(|feature| (feature, self.rollout(feature)))
    }
}

impl ScalabilityConfig {
    /// [`production_optimized`](Self::production_optimized) with those features only that flags turn on.
    #[must_use]
    pub fn of_flags(flags: &FeatureFlags) -> Self {
        flags.apply(&Self::production_optimized())
    }
}

impl Default for FeatureFlags {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for FeatureFlags {
    fn clone(&self) -> Self {
        Self { percents: Feature::ALL.map(|feature| AtomicU8::new(self.percent(feature))) }
    }
}

impl PartialEq for FeatureFlags {
    fn eq(&self, other: &Self) -> bool {
        self.all().eq(other.all())
    }
}

impl Eq for FeatureFlags {}

impl fmt::Debug for FeatureFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.all()).finish()
    }
}

/// As [`FromStr`] reads it, with every feature.
impl fmt::Display for FeatureFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (feature, rollout)) in self.all().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{feature}={rollout}")?;
        }
        Ok(())
    }
}

/// Reads `hnsw_indexing=30%,adaptive_quantization=off`. Features that are not named are as [by default](FeatureFlags::new); of two
/// settings of one, the later counts; an empty text names none.
impl FromStr for FeatureFlags {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let flags = Self::new();
        flags.set_named(text)?;
        Ok(flags)
    }
}

/// Features that are not named are as [by default](FeatureFlags::new).
impl TryFrom<BTreeMap<Feature, Rollout>> for FeatureFlags {
    type Error = FlagError;

    fn try_from(rollouts: BTreeMap<Feature, Rollout>) -> Result<Self, FlagError> {
        let flags = Self::new();
        for (feature, rollout) in rollouts {
            flags.set(feature, rollout)?;
        }
        Ok(flags)
    }
}

impl From<FeatureFlags> for BTreeMap<Feature, Rollout> {
    fn from(flags: FeatureFlags) -> Self {
        flags.all().collect()
    }
}

#[cfg(test)]
mod tests;
