//! Reading everything, and comparing it with what must be there.

use std::path::Path;

use super::contain::damaged;
use super::handle::{View, open};
use super::options::CheckReport;
use super::tables::{Tallies, Tally};
use crate::change::Table;
use crate::error::StoreError;

/// Reads every row of a view. `known` is what the tables must hold; the file must say the same.
pub(super) fn check_rows(path: &Path, view: &View, known: &Tallies) -> Result<CheckReport, StoreError> {
    if view.tallies()? != *known {
        return Err(damaged(path, "another state than the one that was written last"));
    }
    let mut report = CheckReport::default();
    for (at, table) in Table::ALL.into_iter().enumerate() {
        let mut found = Tally::default();
        view.scan_stored(table, 0..=u64::MAX, &mut |key, stored| {
            let (_, check) = open(table, key, stored)?;
            found.add(stored.len(), check);
            Ok(())
        })?;
        let expected = known.of(table);
        if found != *expected {
            let what = match found.rows {
                rows if rows == expected.rows => "holds rows of another state".to_owned(),
                rows => format!("has {rows} rows, {} were written", expected.rows),
            };
            return Err(StoreError::damaged(format!("table {}", table.name()), what));
        }
        report.rows[at] = found.rows;
        report.bytes += found.bytes;
    }
    Ok(report)
}
