//! Records in groups: an allocation, or the truth.

use std::collections::HashMap;
use std::io::Read;

use super::error::ScoreError;

/// Groups of records, numbered in the order of their first record.
#[derive(Debug, Default, Clone)]
pub struct Grouping {
    group_of: HashMap<String, usize>,
    records: Vec<String>,
    groups: HashMap<String, usize>,
}

impl Grouping {
    /// Puts a record into a group; says whether the record is new.
    pub fn insert(&mut self, record: &str, group: &str) -> bool {
        if self.group_of.contains_key(record) {
            return false;
        }
        let next = self.groups.len();
        let group = *self.groups.entry(group.to_owned()).or_insert(next);
        self.group_of.insert(record.to_owned(), group);
        self.records.push(record.to_owned());
        true
    }

    /// Number of the group that a record is in.
    pub fn group(&self, record: &str) -> Option<usize> {
        self.group_of.get(record).copied()
    }

    /// The first record of a group, by the group's name.
    pub fn first_in(&self, group: &str) -> Option<&str> {
        let group = self.groups.get(group)?;
        self.records.iter().find(|record| self.group_of.get(*record) == Some(group)).map(String::as_str)
    }

    /// Number of groups.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The records, in the order in which they came.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &str> {
        self.records.iter().map(String::as_str)
    }

    /// Those of the records that `other` has, too, in their groups.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        let mut shared = Self::default();
        let names: HashMap<usize, &String> = self.groups.iter().map(|(name, &group)| (group, name)).collect();
        for record in self.records.iter().filter(|record| other.group_of.contains_key(*record)) {
            let name = self.group_of.get(record).and_then(|group| names.get(group));
            shared.insert(record, name.map_or("", |name| name.as_str()));
        }
        shared
    }

    /// Reads a CSV table with the columns `record_id` and `value`; others are ignored.
    ///
    /// # Errors
    /// Where it is no such table, names a record twice, or has a row without a record or a value.
    pub fn read(reader: impl Read, name: &str, value: &'static str) -> Result<Self, ScoreError> {
        let mut table = ::csv::Reader::from_reader(reader);
        let broken = |source| ScoreError::Table { name: name.to_owned(), source };
        let header = table.headers().map_err(broken)?.clone();
        let find = |column: &'static str| {
            header.iter().position(|found| found == column).ok_or_else(|| ScoreError::MissingColumn {
                name: name.to_owned(),
                column,
                columns: header.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let (record_column, value_column) = (find("record_id")?, find(value)?);
        let mut grouping = Self::default();
        let mut row = ::csv::StringRecord::new();
        while table.read_record(&mut row).map_err(broken)? {
            let line = row.position().map_or(0, ::csv::Position::line);
            let cell = |at: usize, column: &'static str| {
                let found = row.get(at).filter(|cell| !cell.trim().is_empty());
                found.ok_or_else(|| ScoreError::EmptyCell { name: name.to_owned(), line, column })
            };
            let record = cell(record_column, "record_id")?;
            if !grouping.insert(record, cell(value_column, value)?) {
                let (name, record) = (name.to_owned(), record.to_owned());
                return Err(ScoreError::RepeatedRecord { name, line, record });
            }
        }
        Ok(grouping)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{first, grouping};

    #[test]
    fn what_two_groupings_share_keeps_its_groups() {
        let shared = grouping(&[7, 8, 7, 9]).within(&first(&[1, 1, 1, 1], 3));
        assert_eq!(shared.records().collect::<Vec<_>>(), ["0", "1", "2"]);
        assert_eq!(shared.group_count(), 2);
        assert_eq!(shared.group("0"), shared.group("2"));
        assert_ne!(shared.group("0"), shared.group("1"));
    }
}
