//! Reading everything, and comparing it with what must be there.

use std::path::Path;

use super::contain::{contain, damaged, failed};
use super::handle::{Contained, View, open};
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

/// Has redb verify its pages and its account of free space. Says whether the latter had to be put right.
pub(super) fn check_pages(path: &Path, database: &mut Contained) -> Result<bool, StoreError> {
    contain(path, || {
        let clean = database.database_mut().check_integrity().map_err(|error| failed(path, error))?;
        Ok(!clean)
    })
}
