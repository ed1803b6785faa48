//! What was learned, as graphs have it that were compacted by earlier versions.

use serde::Deserialize;

use crate::compare::{Comparison, Level};
use crate::dependence::Dependence;
use crate::dictionary::FieldId;
use crate::evidence::Bits;
use crate::graph::MentionIndex;
use crate::learn::{FieldCounts, Learner, Sample};
use crate::profile::FieldKind;
use crate::weights::LevelProbabilities;

/// Before anything was known of names that stand alone.
#[derive(Deserialize)]
pub(crate) struct OldLearner {
    fields: Vec<OldCounts>,
    samples: Vec<OldSample>,
    next_sample: usize,
    dependence: Dependence,
    matches: Vec<f64>,
}

/// Before pairs that share a value were counted.
#[derive(Deserialize)]
pub(crate) struct FirstLearner {
    fields: Vec<OldCounts>,
    samples: Vec<OldSample>,
    next_sample: usize,
    given: Vec<Vec<(u32, u32)>>,
}

#[derive(Deserialize)]
struct OldCounts {
    random: [f64; Level::COUNT],
    probabilities: Option<LevelProbabilities>,
    kind: Option<FieldKind>,
}

#[derive(Deserialize)]
struct OldSample {
    of: [MentionIndex; 2],
    pair: Vec<(FieldId, (Level, Bits))>,
}

impl From<OldCounts> for FieldCounts {
    fn from(OldCounts { random, probabilities, kind }: OldCounts) -> Self {
        Self { random, own_right: [0.0; Level::COUNT], knows_names: false, probabilities, kind }
    }
}

impl From<OldSample> for Sample {
    fn from(OldSample { of, pair }: OldSample) -> Self {
        let compared = |(field, (level, information))| (field, Comparison::new(level, information));
        Self { of, pair: pair.into_iter().map(compared).collect() }
    }
}

impl From<OldLearner> for Learner {
    fn from(old: OldLearner) -> Self {
        let OldLearner { fields, samples, next_sample, dependence, matches } = old;
        Self {
            fields: fields.into_iter().map(Into::into).collect(),
            samples: samples.into_iter().map(Into::into).collect(),
            next_sample,
            dependence,
            matches,
        }
    }
}

impl From<FirstLearner> for Learner {
    fn from(old: FirstLearner) -> Self {
        let FirstLearner { fields, samples, next_sample, given } = old;
        let (dependence, matches) = (Dependence::of_random(given), Vec::new());
        OldLearner { fields, samples, next_sample, dependence, matches }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_versions_learned_is_read() {
        type Counts = ([f64; Level::COUNT], Option<LevelProbabilities>, Option<FieldKind>);
        let table = LevelProbabilities::prior(FieldKind::Name);
        let fields: Vec<Counts> = vec![([1.0, 2.0, 3.0, 4.0, 5.0], Some(table), Some(FieldKind::Name))];
        let samples = vec![([3u32, 8u32], vec![(2u16, (Level::Close, Bits::whole(7)))])];
        let check = |learner: Learner, matches: &[f64]| {
            let counts = &learner.fields[0];
            assert_eq!((counts.random, counts.own_right), ([1.0, 2.0, 3.0, 4.0, 5.0], [0.0; Level::COUNT]));
            assert_eq!((counts.probabilities, counts.kind), (Some(table), Some(FieldKind::Name)));
            assert_eq!(learner.samples[0].of, [3, 8]);
            assert_eq!(learner.samples[0].pair, [(2, Comparison::new(Level::Close, Bits::whole(7)))]);
            assert_eq!((learner.next_sample, &*learner.matches), (5, matches));
        };
        let old = (&fields, &samples, 5usize, Dependence::default(), vec![6.0]);
        let old = postcard::to_allocvec(&old).expect("plain data has an encoding");
        check(postcard::from_bytes::<OldLearner>(&old).expect("it is read").into(), &[6.0]);
        let first = (&fields, &samples, 5usize, vec![vec![(1u32, 2u32)]]);
        let first = postcard::to_allocvec(&first).expect("plain data has an encoding");
        check(postcard::from_bytes::<FirstLearner>(&first).expect("it is read").into(), &[]);
    }
}
