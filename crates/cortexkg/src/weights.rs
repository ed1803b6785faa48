//! Match weights: what a level of agreement in a field is worth, in bits.
//!
//! For a field at level *l* the weight is `log2(m_l / u_l)`: `m_l` is the probability of the level among mentions of one
//! node, `u_l` among random pairs (Fellegi and Sunter 1969). Where the values are the same, `u` is the frequency of that very
//! value (Winkler's frequency-based matching, 1989), so that agreeing on a rare surname says more than on a common one.

use serde::{Deserialize, Serialize};

use crate::compare::{Comparison, Level, Names};
use crate::dictionary::{FieldId, usual_rarity};
use crate::evidence::Bits;
use crate::profile::FieldKind;

/// Strongest single vote for and against.
const VOTE_MAX: Bits = Bits::whole(24);
const VOTE_MIN: Bits = Bits::whole(-14);
/// How random pairs of mentions are spread over the levels of recency: its last 1/256, then up to 1/32, 1/8 and 1/2 of the stream.
const RECENCY_RANDOM: [f64; Level::COUNT] = [1.0 / 256.0, 7.0 / 256.0, 3.0 / 32.0, 3.0 / 8.0, 1.0 / 2.0];
/// Most that recency may say: it shifts the odds, it is no evidence of identity.
const RECENCY_MAX: Bits = Bits::whole(1);
/// Most that is said for two names that differ by a slip and are both met again and again.
const OWN_RIGHT_MAX: Bits = Bits::whole(-6);
/// Most that "different" says for two mentions in a category that matches do not repeat; elsewhere it never speaks for them.
const CATEGORY_DIFFERENT_MAX: Bits = Bits::whole(2);
/// What a difference in a field that holds identity itself says.
const KEY_EXACT: Bits = Bits::whole(40);
const KEY_DIFFERENT: Bits = Bits::whole(-60);

/// Probability of each level among mentions of one node and among random pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelProbabilities {
    /// Among mentions of one node.
    pub m: [f64; Level::COUNT],
    /// Among random pairs.
    pub u: [f64; Level::COUNT],
}

impl LevelProbabilities {
    /// What is believed of a kind of field before any value is seen.
    pub(crate) fn prior(kind: FieldKind) -> Self {
        let m = match kind {
            FieldKind::Embedding => [0.15, 0.25, 0.3, 0.2, 0.1],
            FieldKind::Recency => RECENCY_RANDOM,
            FieldKind::Key => [0.98, 0.005, 0.005, 0.005, 0.005],
            FieldKind::Identifier => [0.84, 0.08, 0.02, 0.01, 0.05],
            FieldKind::Date => [0.84, 0.07, 0.02, 0.02, 0.05],
            FieldKind::Number => [0.80, 0.07, 0.03, 0.03, 0.07],
            FieldKind::Category => [0.88, 0.03, 0.005, 0.005, 0.08],
            FieldKind::Name => [0.76, 0.10, 0.05, 0.03, 0.06],
            FieldKind::LongText => [0.40, 0.20, 0.15, 0.10, 0.15],
            FieldKind::List => [0.25, 0.15, 0.15, 0.25, 0.20],
        };
        let exact = 1.0 / usual_rarity(kind) as f64;
        let near = match kind {
            FieldKind::Embedding => [0.001, 0.01, 0.05, 0.2],
            FieldKind::Recency => {
                [RECENCY_RANDOM[0], RECENCY_RANDOM[1], RECENCY_RANDOM[2], RECENCY_RANDOM[3]]
            }
            FieldKind::Key | FieldKind::Identifier => [exact, 20.0 * exact, 1e-5, 1e-5],
            FieldKind::Date => [exact, 4e-4, 0.02, 0.08],
            FieldKind::Number => [exact, 0.03, 0.05, 0.01],
            FieldKind::Category => [exact, 0.01, 0.005, 0.005],
            FieldKind::Name => [exact, 0.002, 0.004, 0.03],
            FieldKind::LongText => [exact, 0.0005, 0.003, 0.05],
            FieldKind::List => [exact, 0.001, 0.002, 0.03],
        };
        let u = [near[0], near[1], near[2], near[3], 1.0 - near.iter().sum::<f64>()];
        Self { m, u }
    }
}

/// Weights of one field, ready for voting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldWeights {
    kind: FieldKind,
    /// `log2(m / u)`, with the average `u` of the level.
    weight: [Bits; Level::COUNT],
    /// `log2(m)`, for levels whose `u` is the frequency of what agrees.
    log_m: [Bits; Level::COUNT],
    /// How far a feature of this field can be relied on to come back, in 1/256: `m` of exact, of any agreement.
    pub(crate) reliability_exact: u16,
    pub(crate) reliability_any: u16,
    /// Whether it is known how near names that stand alone are by chance; stored with what was learned.
    #[serde(skip)]
    pub(crate) knows_names: bool,
}

impl FieldWeights {
    pub(crate) fn new(kind: FieldKind, probabilities: &LevelProbabilities) -> Self {
        let LevelProbabilities { m, u } = probabilities;
        let mut weight: [Bits; Level::COUNT] =
            std::array::from_fn(|level| Bits::from_ratio(m[level] / u[level]).clamp(VOTE_MIN, VOTE_MAX));
        let different = &mut weight[Level::Different as usize];
        *different = (*different).min(match kind {
            FieldKind::Recency => VOTE_MAX,
            FieldKind::Category => CATEGORY_DIFFERENT_MAX,
            _ => Bits::ZERO,
        });
        // More agreement is never less evidence, except that in a category "the same" may speak against (two sources
        // that never repeat themselves) and stays as learned.
        for level in (1..Level::COUNT - 1).rev() {
            weight[level] = weight[level].max(weight[level + 1]);
        }
        let share = |part: f64| libm::round(part * 256.0) as u16;
        Self {
            kind,
            weight,
            log_m: m.map(Bits::from_ratio),
            reliability_exact: share(m[0]),
            reliability_any: share(m[0] + m[1] + m[2]),
            knows_names: false,
        }
    }

    /// Whether members of one node agree on this field: no more than one pair in eight differs.
    pub(crate) fn is_functional(&self) -> bool {
        self.log_m[Level::Different as usize] <= Bits::whole(-3)
    }

    /// What "the same" says against two mentions being of one thing, at most zero: in a category that does not repeat itself, such as the
    /// source of records that names everything once.
    pub(crate) fn keeps_apart(&self, comparison: Comparison) -> Bits {
        match (self.kind, comparison.level) {
            (FieldKind::Category, Level::Exact) => self.vote(comparison).min(Bits::ZERO),
            _ => Bits::ZERO,
        }
    }

    /// What one comparison is worth.
    pub(crate) fn vote(&self, comparison: Comparison) -> Bits {
        let Comparison { level, information, names } = comparison;
        let at = level as usize;
        let different = self.weight[Level::Different as usize];
        let by_frequency = (self.log_m[at] + information).clamp(VOTE_MIN, VOTE_MAX);
        let limited = self.weight[at].min(by_frequency).max(different.min(Bits::ZERO));
        match (self.kind, level) {
            (FieldKind::Key, Level::Exact) => KEY_EXACT,
            (FieldKind::Key, _) => KEY_DIFFERENT,
            (FieldKind::Recency, _) => self.weight[at].clamp(-RECENCY_MAX, RECENCY_MAX),
            (_, Level::Different) => self.weight[at],
            (FieldKind::Embedding, _) => by_frequency.max(different),
            (_, Level::Exact) => by_frequency,
            (FieldKind::List, _) => by_frequency.max(different),
            (_, Level::Close) if self.knows_names => match names {
                Names::Beside => limited,
                // That it is often met must not count against it.
                Names::Slip(often) => (self.weight[at] + often).min(VOTE_MAX),
                Names::OwnRight => different.min(OWN_RIGHT_MAX),
            },
            _ => limited,
        }
    }
}

/// The learned tables: part of the state, versioned, the same for every vote until the next refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MatchWeights {
    pub(crate) version: u32,
    fields: Vec<FieldWeights>,
    /// `overlap[g][f]`, in 1/256: the part of the information in "f agrees" that "g agrees" has given already.
    overlap: Vec<Vec<u16>>,
}

impl MatchWeights {
    /// Tables for the fields that every engine has.
    pub(crate) fn new(kinds: impl IntoIterator<Item = FieldKind>) -> Self {
        let mut weights = Self { version: 0, fields: Vec::new(), overlap: Vec::new() };
        kinds.into_iter().for_each(|kind| weights.add_field(kind));
        weights
    }

    pub(crate) fn set(&mut self, fields: Vec<FieldWeights>, overlap: Vec<Vec<u16>>) {
        self.fields = fields;
        self.overlap = overlap;
    }

    /// Adds a field that has been seen for the first time, with the prior of its kind.
    pub(crate) fn add_field(&mut self, kind: FieldKind) {
        self.fields.push(FieldWeights::new(kind, &LevelProbabilities::prior(kind)));
        for row in &mut self.overlap {
            row.push(0);
        }
        self.overlap.push(vec![0; self.fields.len()]);
    }

    /// Forgets the newest fields.
    pub(crate) fn truncate(&mut self, fields: usize) {
        self.fields.truncate(fields);
        self.overlap.truncate(fields);
        self.overlap.iter_mut().for_each(|row| row.truncate(fields));
    }

    /// Notes of which fields it is known how near names are by chance.
    pub(crate) fn note_names(&mut self, known: impl Fn(FieldId) -> bool) {
        for (field, weights) in (0..).zip(&mut self.fields) {
            weights.knows_names = known(field);
        }
    }

    pub(crate) fn field_count(&self) -> usize {
        self.fields.len()
    }

    /// What a pair says of fields that have a table.
    pub(crate) fn known<'p>(
        &self,
        pair: &'p [(FieldId, Comparison)],
    ) -> impl Iterator<Item = &'p (FieldId, Comparison)> + Clone + use<'p> {
        let fields = self.field_count();
        pair.iter().filter(move |(field, _)| usize::from(*field) < fields)
    }

    pub(crate) fn field(&self, field: FieldId) -> &FieldWeights {
        &self.fields[usize::from(field)]
    }

    /// The part of the information in agreement on `field` that agreement on `given` has given already, in 1/256.
    pub(crate) fn overlap(&self, given: FieldId, field: FieldId) -> u16 {
        self.overlap[usize::from(given)][usize::from(field)]
    }

    /// The tables as text, for hashing: integers only.
    pub(crate) fn canonical(&self) -> String {
        format!("{} {:?} {:?}", self.version, self.fields, self.overlap)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.fields.len() * (size_of::<FieldWeights>() + 2 * self.fields.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priors_are_distributions() {
        for kind in [
            FieldKind::Embedding,
            FieldKind::Recency,
            FieldKind::Key,
            FieldKind::Identifier,
            FieldKind::Date,
            FieldKind::Number,
            FieldKind::Category,
            FieldKind::Name,
            FieldKind::LongText,
            FieldKind::List,
        ] {
            let LevelProbabilities { m, u } = LevelProbabilities::prior(kind);
            for part in [m, u] {
                assert!((part.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{kind:?}");
                assert!(part.iter().all(|&probability| probability > 0.0), "{kind:?}");
            }
        }
    }

    #[test]
    fn a_category_that_does_not_repeat_itself_keeps_apart() {
        let mut table = LevelProbabilities::prior(FieldKind::Category);
        let vote = |table: &LevelProbabilities, level| {
            let weights = FieldWeights::new(FieldKind::Category, table);
            weights.keeps_apart(Comparison::new(level, Bits::whole(1)))
        };
        assert_eq!(vote(&table, Level::Exact), Bits::ZERO, "matches agree");
        table.m = [1.0 / 64.0, 1e-9, 1e-9, 1e-9, 63.0 / 64.0];
        assert_eq!(vote(&table, Level::Exact), Bits::whole(-5), "one match in 64 agrees");
        assert_eq!(vote(&table, Level::Different), Bits::ZERO);
    }

    #[test]
    fn a_rare_agreement_outweighs_a_common_one() {
        let weights = FieldWeights::new(FieldKind::Name, &LevelProbabilities::prior(FieldKind::Name));
        let vote = |level, bits| weights.vote(Comparison::new(level, Bits::whole(bits)));
        assert!(vote(Level::Exact, 12) > vote(Level::Exact, 4));
        assert!(vote(Level::Exact, 8) > vote(Level::Close, 0));
        assert!(vote(Level::Different, 0) < Bits::ZERO);
    }

    #[test]
    fn a_slip_of_what_is_met_often_is_likelier_than_of_what_is_not() {
        let mut table = LevelProbabilities::prior(FieldKind::Name);
        let unknown = FieldWeights::new(FieldKind::Name, &table);
        let weights = FieldWeights { knows_names: true, ..unknown };
        let near = Comparison::new(Level::Close, Bits::whole(12));
        let vote = |names| weights.vote(Comparison { names, ..near });
        let plain = vote(Names::Beside);
        let slip = Comparison { names: Names::Slip(Bits::whole(5)), ..near };
        assert_eq!(unknown.vote(slip), plain, "before it is known how near names are by chance");
        assert_eq!(vote(Names::Slip(Bits::ZERO)), plain);
        assert_eq!(vote(Names::Slip(Bits::whole(5))), plain + Bits::whole(5));
        assert!(vote(Names::OwnRight) <= OWN_RIGHT_MAX, "a slip is not repeated");
        let far = Comparison {
            names: Names::Slip(Bits::whole(5)),
            ..Comparison::new(Level::Different, Bits::ZERO)
        };
        assert_eq!(weights.vote(far), weights.vote(Comparison { names: Names::Beside, ..far }));
        // A stream of near names alone, which never differ in full.
        table.u = [0.5, 0.5 - 3e-9, 1e-9, 1e-9, 1e-9];
        let weights = FieldWeights { knows_names: true, ..FieldWeights::new(FieldKind::Name, &table) };
        assert_eq!(weights.vote(Comparison::new(Level::Different, Bits::ZERO)), Bits::ZERO);
        assert_eq!(weights.vote(Comparison { names: Names::OwnRight, ..near }), OWN_RIGHT_MAX);
    }
}
