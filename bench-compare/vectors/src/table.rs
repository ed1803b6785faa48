//! The table, in Markdown, and what it says of our targets.

use crate::measure::{Figures, Run, TARGETS};
use crate::systems::BASELINE;

/// Makes the cell of a system beside the baseline.
type Cell = Box<dyn Fn(&Figures, Option<&Figures>) -> String>;

/// A head, and the cells under it.
type Column = (String, Cell);

/// One row for each system.
pub fn table(run: &Run) -> String {
    let columns = columns();
    let baseline = run.figures.iter().find(|figures| figures.name == BASELINE);
    let head = columns.iter().map(|(head, _)| head.clone()).collect();
    let rows =
        run.figures.iter().map(|figures| columns.iter().map(|(_, cell)| cell(figures, baseline)).collect());
    markdown(std::iter::once(head).chain(rows).collect())
}

fn columns() -> Vec<Column> {
    let mut columns: Vec<Column> = vec![
        ("system".into(), Box::new(|figures, _| figures.name.clone())),
        ("build/s".into(), Box::new(|figures, _| format!("{:.0}", figures.build_per_second))),
        ("×".into(), ratio(|figures| Some(figures.build_per_second))),
        ("allocate/s".into(), Box::new(|figures, _| format!("{:.0}", figures.allocate_per_second))),
        ("×".into(), ratio(|figures| Some(figures.allocate_per_second))),
        ("recall".into(), Box::new(|figures, _| format!("{:.3}", figures.allocate_recall))),
    ];
    for (position, target) in TARGETS.iter().enumerate() {
        let at = move |figures: &Figures| figures.searches.get(position).cloned().flatten();
        let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
        columns.push((
            format!("ef at {target}"),
            Box::new(move |figures, _| match at(figures) {
                None => format!("none, best {:.3}", figures.best_recall),
                Some(search) => match search.effort.rescored {
                    None => search.effort.ef.to_string(),
                    Some(rescored) => format!("{}, {rescored} again", search.effort.ef),
                },
            }),
        ));
        columns.push((
            "queries/s".into(),
            Box::new(move |figures, _| {
                or_dash(at(figures).map(|search| format!("{:.0}", search.per_second)))
            }),
        ));
        columns.push(("×".into(), ratio(move |figures| at(figures).map(|search| search.per_second))));
        columns.push((
            "p50 µs".into(),
            Box::new(move |figures, _| or_dash(at(figures).map(|search| format!("{:.0}", search.p50_us)))),
        ));
        columns.push((
            "p99 µs".into(),
            Box::new(move |figures, _| or_dash(at(figures).map(|search| format!("{:.0}", search.p99_us)))),
        ));
    }
    columns.push((
        "bytes/node".into(),
        Box::new(|figures, _| format!("{:.0}", figures.resident_bytes_per_node)),
    ));
    columns.push(("×".into(), ratio(|figures| Some(figures.resident_bytes_per_node))));
    columns.push((
        "its own figure".into(),
        Box::new(|figures, _| {
            figures.reported_bytes_per_node.map_or_else(|| "–".to_owned(), |bytes| format!("{bytes:.0}"))
        }),
    ));
    columns
}

fn ratio(of: impl Fn(&Figures) -> Option<f64> + 'static) -> Cell {
    Box::new(move |figures, baseline| {
        let both = of(figures).zip(baseline.and_then(&of));
        both.map_or_else(|| "–".to_owned(), |(ours, theirs)| format!("{:.2}", ours / theirs))
    })
}

fn markdown(rows: Vec<Vec<String>>) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let cell = if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
            text += &format!("| {cell} ");
        }
        text += "|\n";
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let rule = "-".repeat(if column == 0 { *width } else { width - 1 });
                text += &format!("| {rule}{}", if column == 0 { " " } else { ": " });
            }
            text += "|\n";
        }
    }
    text
}
