//! How far agreement on one field is agreement on another already, without labels.
//!
//! A city and its state, a firm and its city, everything that stands on one patent: fields that agree together by nature are one
//! piece of evidence, not several. What counts is how often they agree together in mentions that mean *different* things, seen from
//! two sides:
//!
//! - *Random pairs* that agree on `g`: how often do they agree on `f`? Values that many share decide here. Pairs that the weights
//!   take for matches are left out.
//! - *Sharing pairs*, a mention and the last one before it with the same value of `g`: the only pairs that ever agree on a rare
//!   value, such as the number of a patent. Some of them are matches, and which ones must not be asked of the weights: a common
//!   patent looks like a match in every field that it determines. But matches agree on every field `f` with probability `m_f`, so the
//!   share π of matches among the pairs is bounded by the field that agrees least, `π ≤ (a_f − u_f) / (m_f − u_f)`; what a field agrees
//!   beyond that comes of dependence.

use serde::{Deserialize, Serialize};

use crate::compare::{Comparison, Level};
use crate::dictionary::{FieldId, RECENCY};
use crate::pair::ComparisonVector;
use crate::weights::LevelProbabilities;

/// Weight of the belief that two fields are independent, in pairs.
const INDEPENDENT_PAIRS: f64 = 12.0;
/// Standard deviations that are taken off a count by [`at_least`].
const DEVIATIONS: f64 = 1.0;
/// Sharing pairs of a field before they say anything of another, and the weight of the belief that they are matches.
const SHARING_PAIRS_MIN: u32 = 8;
const MATCHING_PAIRS: f64 = 4.0;
/// Matches that `m` of a field must have been learned from for the field to tell how many sharing pairs are matches: what is only
/// believed of it would pass for dependence of all others.
const MATCHES_MIN: f64 = 64.0;
/// Most that others may agree on a field whose `m` is only believed, for it to tell: of values that many share the belief is often wrong.
const BELIEVED_BASE_MAX: f64 = 0.05;
/// By how much matches and others must differ in a field for it to tell how many sharing pairs are matches.
const TELLING_MIN: f64 = 0.3;
/// Fields that can tell before the lowest of them is taken for noise.
const TELLING_FIELDS: usize = 4;
/// How much larger the share of matches may be than was found: times, plus.
const SHARE_SLACK: (f64, f64) = (1.2, 0.05);
/// How often matches are granted to agree, whatever `m` says: it may be too low, and the rest would pass for dependence.
const MATCHES_AGREE: f64 = 0.9;
/// Agreement among others at which dependence begins to count, and at which it counts in full.
const AGREEMENT_COUNTS: (f64, f64) = (0.2, 0.6);

/// Pairs that have a field; of these, those that agree on it.
type Agreement = (u32, u32);

/// Counts over pairs that agree on a field `[given]`, for every other `[field]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Dependence {
    random: Vec<Vec<Agreement>>,
    sharing: Vec<Vec<Agreement>>,
}

impl Dependence {
    /// What was counted over random pairs before pairs that share a value were looked at.
    pub(crate) fn of_random(random: Vec<Vec<Agreement>>) -> Self {
        let mut counts = Self { sharing: Vec::new(), random };
        counts.grow(counts.random.len());
        counts
    }

    pub(crate) fn grow(&mut self, fields: usize) {
        for table in [&mut self.random, &mut self.sharing] {
            table.resize_with(fields, Vec::new);
            table.iter_mut().for_each(|row| row.resize(fields, (0, 0)));
        }
    }

    /// Counts a random pair that is not taken for a match.
    pub(crate) fn observe_random(&mut self, pair: &ComparisonVector) {
        for &(given, _) in pair.iter().filter(|(_, comparison)| agrees(*comparison)) {
            count(&mut self.random[usize::from(given)], given, pair);
        }
    }

    /// Counts a pair that shares its value of `given`.
    pub(crate) fn observe_sharing(&mut self, given: FieldId, pair: &ComparisonVector) {
        count(&mut self.sharing[usize::from(given)], given, pair);
    }

    /// Forgets what was counted of a field.
    pub(crate) fn drop_field(&mut self, field: usize) {
        for table in [&mut self.random, &mut self.sharing] {
            table[field].fill((0, 0));
            table.iter_mut().for_each(|row| row[field] = (0, 0));
        }
    }

    /// Forgets everything.
    pub(crate) fn begin_anew(&mut self) {
        for table in [&mut self.random, &mut self.sharing] {
            table.iter_mut().for_each(|row| row.fill((0, 0)));
        }
    }

    /// `[given][field]`: how much of the information in "`field` agrees" is in "`given` agrees" already,
    /// `log2(u_f|g / u_f) / log2(1 / u_f)`, in 1/256.
    ///
    /// `matches`: how many each field's `m` was learned from.
    pub(crate) fn overlap(&self, tables: &[LevelProbabilities], matches: &[f64]) -> Vec<Vec<u16>> {
        let rows = self.random.iter().zip(&self.sharing);
        rows.map(|(random, sharing)| {
            let share = share_of_matches(sharing, tables, matches);
            let cells = random.iter().zip(sharing).zip(tables);
            cells
                .map(|((&(present, agree), &sharing), table)| {
                    let base = agreement(&table.u);
                    let random = gained(f64::from(present), f64::from(agree), base);
                    round(random.max(gained_by_sharing(sharing, share, table)))
                })
                .collect()
        })
        .collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        2 * size_of::<Agreement>() * self.random.len() * self.random.len()
    }
}

fn count(row: &mut [Agreement], given: FieldId, pair: &ComparisonVector) {
    for &(field, comparison) in pair.iter().filter(|(field, _)| *field != given) {
        let (present, agree) = &mut row[usize::from(field)];
        *present += 1;
        *agree += u32::from(agrees(comparison));
    }
}

fn agrees(comparison: Comparison) -> bool {
    comparison.level <= Level::Close
}

fn agreement(probabilities: &[f64; Level::COUNT]) -> f64 {
    probabilities[Level::Exact as usize] + probabilities[Level::Close as usize]
}

fn round(part: f64) -> u16 {
    libm::round(part.clamp(0.0, 1.0) * 256.0) as u16
}

/// A count without what chance may have added to it.
pub(crate) fn at_least(count: f64) -> f64 {
    (count - DEVIATIONS * libm::sqrt(count)).max(0.0)
}

/// The part of a field's information that agreement in `agree` of `present` others gives away.
fn gained(present: f64, agree: f64, base: f64) -> f64 {
    // A match or two among them, not known as such, must not pass for dependence of fields that hardly ever agree by chance.
    let given = (at_least(agree) + INDEPENDENT_PAIRS * base) / (present + INDEPENDENT_PAIRS);
    libm::log2(given / base) / libm::log2(1.0 / base)
}

/// At least how many of the pairs that share a value are matches: as many as the field that agrees least allows. Where no field's `m`
/// has been learned yet, that of its kind is believed.
fn share_of_matches(row: &[Agreement], tables: &[LevelProbabilities], matches: &[f64]) -> f64 {
    let learned = shares_of_matches(row, tables, matches, false);
    let shares = if learned.is_empty() { shares_of_matches(row, tables, matches, true) } else { learned };
    let at = usize::from(shares.len() >= TELLING_FIELDS);
    shares.get(at).map_or(1.0, |share| share.clamp(0.0, 1.0))
}

/// What the fields say that were learned from enough matches, ascending.
fn shares_of_matches(
    row: &[Agreement],
    tables: &[LevelProbabilities],
    matches: &[f64],
    believed: bool,
) -> Vec<f64> {
    let fields = row.iter().zip(tables).zip(matches).skip(usize::from(RECENCY) + 1);
    let mut shares: Vec<f64> = fields
        .filter_map(|((&(present, agree), table), &matches)| {
            let (m, u) = (agreement(&table.m), agreement(&table.u));
            let found = (f64::from(agree) + MATCHING_PAIRS * m) / (f64::from(present) + MATCHING_PAIRS);
            let is_known = matches >= MATCHES_MIN || believed && u < BELIEVED_BASE_MAX;
            let tells = m - u > TELLING_MIN && is_known;
            (present >= SHARING_PAIRS_MIN && tells).then(|| (found - u) / (m - u))
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    shares
}

fn gained_by_sharing((present, agree): Agreement, share: f64, table: &LevelProbabilities) -> f64 {
    if present < SHARING_PAIRS_MIN {
        return 0.0;
    }
    let (present, agree) = (f64::from(present), f64::from(agree));
    let (m, base) = (agreement(&table.m), agreement(&table.u));
    // As many matches as would explain the agreement, within what the other fields allow.
    let most = (share * SHARE_SLACK.0 + SHARE_SLACK.1).min(1.0);
    let matches = ((agree / present - base) / (m - base).max(0.01)).clamp(share, most);
    let others = present * (1.0 - matches);
    let agree = (agree - present * matches * m.max(MATCHES_AGREE)).clamp(0.0, others);
    let (low, high) = AGREEMENT_COUNTS;
    let counts = ((agree / (others + MATCHING_PAIRS) - low) / (high - low)).clamp(0.0, 1.0);
    gained(others, agree, base) * counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Bits;

    /// Fields 2 to 5: two names, a title, a number of the document.
    fn tables() -> Vec<LevelProbabilities> {
        let table = |m: f64, u: f64| LevelProbabilities {
            m: [m, 0.0, 0.0, 0.0, 1.0 - m],
            u: [u, 0.0, 0.0, 0.0, 1.0 - u],
        };
        vec![
            table(0.2, 0.1),
            table(0.2, 0.1),
            table(0.9, 0.01),
            table(0.9, 0.01),
            table(0.3, 1e-4),
            table(0.5, 1e-4),
        ]
    }

    fn pair(levels: [bool; 6]) -> ComparisonVector {
        let fields = levels.into_iter().zip(0..).skip(2);
        let level = |agrees| if agrees { Level::Exact } else { Level::Different };
        fields.map(|(agrees, field)| (field, Comparison::new(level(agrees), Bits::ZERO))).collect()
    }

    #[test]
    fn what_stands_on_one_document_is_one_fact() {
        let mut dependence = Dependence::default();
        dependence.grow(6);
        for _ in 0..100 {
            dependence.observe_sharing(5, &pair([false, false, false, false, true, true]));
        }
        let overlap = dependence.overlap(&tables(), &[100.0; 6]);
        assert!(overlap[5][4] > 220, "the number says all that the title says: {}", overlap[5][4]);
        assert_eq!(overlap[5][2], 0, "and nothing of the names");
    }

    #[test]
    fn what_matches_share_is_no_dependence() {
        let mut dependence = Dependence::default();
        dependence.grow(6);
        // The same person's number: everything agrees as often as in matches.
        for at in 0..100 {
            dependence.observe_sharing(5, &pair([false, false, at % 10 > 0, at % 9 > 0, at % 10 < 3, true]));
        }
        let overlap = dependence.overlap(&tables(), &[100.0; 6]);
        assert_eq!(overlap[5][2..5], [0, 0, 0]);
    }
}
