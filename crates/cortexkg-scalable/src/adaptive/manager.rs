//! [`AdaptiveConfigManager`]: follows rules, and takes back what did not help.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::observed::Observed;
use super::rules::{AdaptationRule, Measure, Suggestion, default_rules};
use crate::config::ScalabilityConfig;
use crate::fields::Field;

/// Looks in a row that must propose the same before it is done.
const LOOKS_AGREEING: u32 = 2;
/// Looks that a value is the mean of, before a change and after it.
const LOOKS_MEASURED: usize = 3;
/// Looks that a rule is silent for after its change was taken back; twice as many each time, up to the second.
const SILENCE: u64 = 8;
const SILENCE_MAX: u64 = 1024;
/// Looks that a change may take to come into effect before it is judged as it is.
const LOOKS_WAITED_MAX: u32 = 4096;
/// Events that are kept.
const EVENTS_KEPT: usize = 256;

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdaptationOutcome {
    /// It was made.
    Applied,
    /// It has proved itself.
    Kept,
    /// It was taken back.
    RolledBack,
}

/// Something that the manager did, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdaptationEvent {
    /// Position in the log at the time.
    pub position: u64,
    /// The rule.
    pub rule: &'static str,
    /// The layer that it sets.
    pub layer: &'static str,
    /// What became of its change.
    pub outcome: AdaptationOutcome,
    /// Why, with what was measured.
    pub reason: String,
    /// What the change is judged by, before it and, once that is known, after it.
    pub measure: Measure,
    /// Its mean before.
    pub before: Option<f64>,
    /// Its mean since.
    pub after: Option<f64>,
}

/// A setting that is to take effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What the layers are to be set to.
    pub config: ScalabilityConfig,
    /// Why; for the log.
    pub reason: String,
}

/// A change that has yet to prove itself.
struct Trial {
    rule: usize,
    before_config: ScalabilityConfig,
    measure: Measure,
    gain_min: f64,
    before: Option<f64>,
    growing_share: f64,
    vectors: usize,
    since: Vec<f64>,
    looks: u32,
}

/// How a rule has fared.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    /// Looks in a row at which it proposed something.
    agreeing: u32,
    /// The look from which on it may speak again.
    silent_until: u64,
    /// How long it is silent next time.
    silence: u64,
}

/// Sets the layers of an engine by rules, one change at a time.
pub struct AdaptiveConfigManager {
    current_config: ScalabilityConfig,
    /// Fields that it leaves as they are.
    held: Vec<&'static Field>,
    adaptation_rules: Vec<Box<dyn AdaptationRule>>,
    standings: Vec<Standing>,
    trial: Option<Trial>,
    /// Values of each measure at the last looks.
    lately: BTreeMap<u8, VecDeque<f64>>,
    events: VecDeque<AdaptationEvent>,
    look: u64,
}

impl AdaptiveConfigManager {
    /// Begins with a configuration, the rules that come with the engine, and a bound of memory if there is one.
    #[must_use]
    pub fn new(config: ScalabilityConfig, memory_bytes_max: Option<u64>) -> Self {
        Self::with_rules(config, default_rules(memory_bytes_max))
    }

    /// The same with rules of one's own. Where several propose something at once, the first has its way.
    #[must_use]
    pub fn with_rules(config: ScalabilityConfig, rules: Vec<Box<dyn AdaptationRule>>) -> Self {
        Self {
            current_config: config,
            held: Vec::new(),
            standings: vec![Standing { silence: SILENCE, ..Standing::default() }; rules.len()],
            adaptation_rules: rules,
            trial: None,
            lately: BTreeMap::new(),
            events: VecDeque::new(),
            look: 0,
        }
    }

    /// Leaves these fields as they are from now on, as somebody has set them on purpose (`hnsw_config.ef_search`, …): what a rule proposes that would
    /// change one of them is no proposal. Names of no field are passed over.
    pub fn hold<'a>(&mut self, fields: impl IntoIterator<Item = &'a str>) {
        self.held.extend(fields.into_iter().filter_map(Field::named));
    }

    /// What the layers are set to.
    #[must_use]
    pub fn config(&self) -> &ScalabilityConfig {
        &self.current_config
    }

    /// Takes note that somebody else has set the layers. What was on trial is not judged any more.
    pub fn set_config(&mut self, config: ScalabilityConfig) {
        self.current_config = config;
        self.trial = None;
        self.lately.clear();
    }

    /// The last things it did, oldest first; at most 256.
    pub fn events(&self) -> impl Iterator<Item = &AdaptationEvent> {
        self.events.iter()
    }

    /// Looks at what was measured since the last look. A change that comes of it has to be made by the caller, at once.
    pub fn optimize_configuration(&mut self, observed: &Observed, position: u64) -> Option<Change> {
        self.look += 1;
        for measure in [Measure::DecisionsPerSecond, Measure::Recall, Measure::HitRate, Measure::Memory] {
            if let Some(value) = measure.of(observed) {
                let lately = self.lately.entry(measure as u8).or_default();
                lately.push_back(value);
                if lately.len() > LOOKS_MEASURED {
                    lately.pop_front();
                }
            }
        }
        match self.trial.take() {
            Some(trial) => self.judge(trial, observed, position),
            None => self.propose(observed, position),
        }
    }

    fn propose(&mut self, observed: &Observed, position: u64) -> Option<Change> {
        let mut chosen: Option<(usize, Suggestion)> = None;
        for (at, rule) in self.adaptation_rules.iter().enumerate() {
            let standing = &mut self.standings[at];
            let suggestion = rule.suggest_adaptation(observed, &self.current_config);
            // What is so already is no change, and would keep others from theirs.
            let suggestion = suggestion.filter(|suggestion| {
                let (now, then) = (&self.current_config, &suggestion.config);
                then != now && self.held.iter().all(|field| field.get(now) == field.get(then))
            });
            let Some(suggestion) = suggestion.filter(|_| self.look >= standing.silent_until) else {
                standing.agreeing = 0;
                continue;
            };
            standing.agreeing += 1;
            if standing.agreeing >= LOOKS_AGREEING && chosen.is_none() {
                chosen = Some((at, suggestion));
            }
        }
        let (at, suggestion) = chosen?;
        self.standings[at].agreeing = 0;
        let Suggestion { config, reason, measure, gain_min, growing_share } = suggestion;
        let before = self.mean(measure);
        self.note(at, position, AdaptationOutcome::Applied, reason.clone(), measure, before, None);
        let before_config = std::mem::replace(&mut self.current_config, config.clone());
        self.trial = Some(Trial {
            rule: at,
            before_config,
            measure,
            gain_min,
            before,
            growing_share,
            vectors: observed.vectors,
            since: Vec::new(),
            looks: 0,
        });
        Some(Change { config, reason })
    }

    fn judge(&mut self, mut trial: Trial, observed: &Observed, position: u64) -> Option<Change> {
        trial.looks += 1;
        let is_late = trial.looks >= LOOKS_WAITED_MAX;
        // What is growing is not in effect, and costs something beside.
        if let Some(value) = trial.measure.of(observed).filter(|_| !observed.is_growing || is_late) {
            trial.since.push(value);
        }
        if trial.since.len() < LOOKS_MEASURED && !is_late {
            self.trial = Some(trial);
            return None;
        }
        let after = mean(&trial.since);
        // What it would have become meanwhile: slower, or larger, which is counted below zero.
        let grown = observed.vectors as f64 / trial.vectors.max(1) as f64;
        let worse = 1.0 + trial.growing_share * (grown - 1.0).max(0.0);
        trial.before = trial.before.map(|before| if before < 0.0 { before * worse } else { before / worse });
        let gain = trial
            .before
            .zip(after)
            .map(|(before, after)| (after - before) / before.abs().max(f64::MIN_POSITIVE));
        let standing = &mut self.standings[trial.rule];
        if gain.is_none_or(|gain| gain >= trial.gain_min) {
            standing.silence = SILENCE;
            let reason = figures(gain);
            self.note(
                trial.rule,
                position,
                AdaptationOutcome::Kept,
                reason,
                trial.measure,
                trial.before,
                after,
            );
            return None;
        }
        standing.silent_until = self.look + standing.silence;
        standing.silence = (standing.silence * 2).min(SILENCE_MAX);
        let reason = format!("taken back: {}", figures(gain));
        self.note(
            trial.rule,
            position,
            AdaptationOutcome::RolledBack,
            reason.clone(),
            trial.measure,
            trial.before,
            after,
        );
        self.lately.clear();
        self.current_config = trial.before_config;
        let rule = self.adaptation_rules[trial.rule].name();
        Some(Change { config: self.current_config.clone(), reason: format!("{rule} {reason}") })
    }

    fn mean(&self, measure: Measure) -> Option<f64> {
        let lately = self.lately.get(&(measure as u8))?;
        mean(&lately.iter().copied().collect::<Vec<_>>())
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of an event")]
    fn note(
        &mut self,
        rule: usize,
        position: u64,
        outcome: AdaptationOutcome,
        reason: String,
        measure: Measure,
        before: Option<f64>,
        after: Option<f64>,
    ) {
        let rule = &self.adaptation_rules[rule];
        let (rule, layer) = (rule.name(), rule.layer());
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(AdaptationEvent {
            position,
            rule,
            layer,
            outcome,
            reason,
            measure,
            before,
            after,
        });
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn figures(gain: Option<f64>) -> String {
    match gain {
        Some(gain) if gain >= 0.0 => format!("{:.1} % better", gain * 100.0),
        Some(gain) => format!("{:.1} % worse", -gain * 100.0),
        None => "nothing was measured".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proposes to double the tiers, always.
    struct Double;

    impl AdaptationRule for Double {
        fn name(&self) -> &'static str {
            "double"
        }

        fn layer(&self) -> &'static str {
            "multi_tier_cache"
        }

        fn suggest_adaptation(&self, _: &Observed, config: &ScalabilityConfig) -> Option<Suggestion> {
            let mut to = config.clone();
            to.cache_config.l1_size *= 2;
            let (measure, gain_min) = (Measure::DecisionsPerSecond, -0.1);
            Some(Suggestion { config: to, reason: "more".to_owned(), measure, gain_min, growing_share: 0.0 })
        }
    }

    fn manager() -> AdaptiveConfigManager {
        AdaptiveConfigManager::with_rules(ScalabilityConfig::default(), vec![Box::new(Double)])
    }

    fn rate(decisions_per_s: f64) -> Observed {
        Observed { decisions_per_s: Some(decisions_per_s), ..Observed::default() }
    }

    fn outcomes(manager: &AdaptiveConfigManager) -> Vec<AdaptationOutcome> {
        manager.events().map(|event| event.outcome).collect()
    }

    #[test]
    fn what_does_no_harm_is_kept() {
        let mut manager = manager();
        let size = |manager: &AdaptiveConfigManager| manager.config().cache_config.l1_size;
        let first = size(&manager);
        assert_eq!(manager.optimize_configuration(&rate(100.0), 1), None, "once is not enough");
        let change = manager.optimize_configuration(&rate(100.0), 2).unwrap();
        assert_eq!((change.config.cache_config.l1_size, &*change.reason), (2 * first, "more"));
        for at in 3..6 {
            assert_eq!(manager.optimize_configuration(&rate(95.0), at), None);
        }
        assert_eq!(outcomes(&manager), [AdaptationOutcome::Applied, AdaptationOutcome::Kept]);
        let kept = manager.events().last().unwrap();
        assert_eq!((kept.before, kept.after, &*kept.reason), (Some(100.0), Some(95.0), "5.0 % worse"));
        assert_eq!(size(&manager), 2 * first);
    }

    #[test]
    fn what_makes_things_worse_is_taken_back_and_not_tried_again_soon() {
        let mut manager = manager();
        let first = manager.config().clone();
        let mut changes = Vec::new();
        for look in 0..200 {
            // Larger tiers halve the rate.
            let now = if *manager.config() == first { 100.0 } else { 50.0 };
            if manager.optimize_configuration(&rate(now), look).is_some() {
                changes.push(look);
            }
        }
        assert_eq!(*manager.config(), first);
        // To and fro, ever more rarely: 8, 16, 32, 64 looks apart.
        let tried: Vec<u64> = changes.iter().step_by(2).copied().collect();
        let apart: Vec<u64> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(apart.windows(2).all(|pair| pair[1] > pair[0] * 3 / 2), "{apart:?}");
        assert!(changes.len() <= 12, "{changes:?}");
        let last = manager.events().last().unwrap();
        assert_eq!(&*last.reason, "taken back: 50.0 % worse");
    }

    #[test]
    fn what_was_set_on_purpose_stays() {
        let mut manager = manager();
        manager.hold(["cache_config.l1_size", "no_such_field"]);
        for at in 1..10 {
            assert_eq!(manager.optimize_configuration(&rate(100.0), at), None);
        }
        assert_eq!(outcomes(&manager), []);
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        struct AsItIs;
        impl AdaptationRule for AsItIs {
            fn name(&self) -> &'static str {
                "as it is"
            }

            fn layer(&self) -> &'static str {
                "hnsw_indexing"
            }

            fn suggest_adaptation(&self, seen: &Observed, config: &ScalabilityConfig) -> Option<Suggestion> {
                let suggestion = Double.suggest_adaptation(seen, config)?;
                Some(Suggestion { config: config.clone(), ..suggestion })
            }
        }
        let rules: Vec<Box<dyn AdaptationRule>> = vec![Box::new(AsItIs), Box::new(Double)];
        let mut manager = AdaptiveConfigManager::with_rules(ScalabilityConfig::default(), rules);
        assert_eq!(manager.optimize_configuration(&rate(100.0), 0), None);
        let change = manager.optimize_configuration(&rate(100.0), 1).unwrap();
        assert_ne!(change.config, ScalabilityConfig::default());
        assert_eq!(manager.events().next().unwrap().rule, "double");
    }

    #[test]
    fn memory_that_is_saved_while_the_graph_grows_is_saved() {
        let memory = |memory_bytes, vectors, vector_bytes| Observed {
            memory_bytes,
            vectors,
            vector_bytes,
            index: Some(super::super::observed::IndexState { recall: 1.0, samples: 0 }),
            ..Observed::default()
        };
        let take_to = |after: Observed| {
            let mut manager = AdaptiveConfigManager::new(ScalabilityConfig::default(), Some(100_000_000));
            manager.optimize_configuration(&memory(95_000_000, 100_000, 50_000_000), 0);
            let change = manager.optimize_configuration(&memory(95_000_000, 100_000, 50_000_000), 1).unwrap();
            assert!(change.config.enable_adaptive_quantization, "{}", change.reason);
            for at in 2..6 {
                manager.optimize_configuration(&after, at);
            }
            outcomes(&manager)[..2].to_vec()
        };
        // A fifth more vectors would have taken 114 million.
        let saved = take_to(memory(96_000_000, 120_000, 34_000_000));
        assert_eq!(saved, [AdaptationOutcome::Applied, AdaptationOutcome::Kept]);
        let wasted = take_to(memory(125_000_000, 120_000, 60_000_000));
        assert_eq!(wasted, [AdaptationOutcome::Applied, AdaptationOutcome::RolledBack]);
    }

    #[test]
    fn what_grows_is_judged_when_it_has_grown() {
        let mut manager = manager();
        manager.optimize_configuration(&rate(100.0), 0);
        manager.optimize_configuration(&rate(100.0), 1).unwrap();
        for look in 2..500 {
            let growing = Observed { is_growing: true, ..rate(10.0) };
            assert_eq!(manager.optimize_configuration(&growing, look), None);
        }
        for look in 500..503 {
            assert_eq!(manager.optimize_configuration(&rate(300.0), look), None);
        }
        assert_eq!(outcomes(&manager), [AdaptationOutcome::Applied, AdaptationOutcome::Kept]);
        // Somebody else sets something: what is on trial is not judged.
        manager.optimize_configuration(&rate(100.0), 0);
        manager.optimize_configuration(&rate(100.0), 1).unwrap();
        manager.set_config(ScalabilityConfig::plain());
        manager.optimize_configuration(&rate(1.0), 2);
        assert_eq!(*manager.config(), ScalabilityConfig::plain());
    }
}
