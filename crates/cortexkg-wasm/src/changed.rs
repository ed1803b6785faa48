//! Which rows have changed.

use std::collections::BTreeMap;

use cortexkg_store::Table;

/// Rows that were put or removed. Those that follow each other, as most do, take the room of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// First rows, with the last one that follows.
    runs: BTreeMap<(Table, u64), u64>,
}

impl Changed {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn insert(&mut self, table: Table, key: u64) {
        self.insert_run(table, key, key);
    }

    /// All rows of another, too.
    pub(crate) fn extend(&mut self, other: Self) {
        for ((table, first), last) in other.runs {
            self.insert_run(table, first, last);
        }
    }

    fn insert_run(&mut self, table: Table, mut first: u64, mut last: u64) {
        // One that begins before and touches it, or goes on behind it.
        if let Some((&(_, before), end)) = self.runs.range_mut((table, 0)..=(table, first)).next_back()
            && first <= end.saturating_add(1)
        {
            if last <= *end {
                return;
            }
            first = before;
        }
        // Those that begin within it or right behind it.
        while let Some((&next, &end)) =
            self.runs.range((table, first)..=(table, last.saturating_add(1))).next_back()
        {
            self.runs.remove(&next);
            last = last.max(end);
        }
        self.runs.insert((table, first), last);
    }

    /// Every row, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Table, u64)> + '_ {
        self.runs.iter().flat_map(|(&(table, first), &last)| (first..=last).map(move |key| (table, key)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn runs_are_the_rows_that_were_put_in() {
        let mut state = 3_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for round in 0..300 {
            let (mut runs, mut rows, mut other) = (Changed::default(), BTreeSet::new(), Changed::default());
            for _ in 0..draw(60) {
                let (table, key) = (Table::ALL[draw(2) as usize], draw(40));
                if draw(3) == 0 { &mut other } else { &mut runs }.insert(table, key);
                rows.insert((table, key));
            }
            runs.extend(other);
            assert!(runs.iter().eq(rows.iter().copied()), "round {round}");
            let mut before = None;
            for (&(table, first), &last) in &runs.runs {
                assert!(first <= last);
                assert!(
                    before.is_none_or(|(of, end)| of != table || end + 1 < first),
                    "round {round}: they touch"
                );
                before = Some((table, last));
            }
        }
        let mut ends = Changed::default();
        for key in [u64::MAX, 0, u64::MAX - 1] {
            ends.insert(Table::Facts, key);
        }
        assert_eq!(ends.iter().count(), 3);
    }
}
