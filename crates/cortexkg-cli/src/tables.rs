//! Lists and facts as aligned text.

use cortexkg_interchange::steers_terminal;

use crate::palette::Palette;
use crate::report::{plain, right_align};

/// Most characters in a cell that quotes data.
pub(crate) const CELL_CHARS_MAX: usize = 72;

/// Rows under a header; the columns named in `right` are aligned to the right.
pub(crate) fn listing<Header: IntoIterator<Item: ToString>, Row: IntoIterator<Item = String>>(
    header: Header,
    rows: impl IntoIterator<Item = Row>,
    right: &[usize],
    palette: Palette,
) -> String {
    let mut table = plain();
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    right.iter().for_each(|&column| right_align(&mut table, column));
    let text = table.trim_fmt();
    // The table is laid out by now: a line that is painted keeps its place.
    let (header, rows) = text.split_once('\n').unwrap_or((&text, ""));
    let end = if rows.is_empty() { "" } else { "\n" };
    format!("{}\n{rows}{end}", palette.heading(header))
}

/// Names with their values, one pair a line; the values aligned to the right.
pub(crate) fn pairs(rows: impl IntoIterator<Item = (String, String)>) -> String {
    let mut table = plain();
    for (name, value) in rows {
        table.add_row([name, value]);
    }
    right_align(&mut table, 1);
    format!("{}\n", table.trim_fmt())
}

/// A text on one line, cut to a number of characters. What would steer a terminal becomes a space.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let visible = |c: char| if steers_terminal(c) { ' ' } else { c };
    let mut chars = text.chars().map(visible);
    let mut line: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_and_cannot_steer_a_terminal() {
        assert_eq!(one_line("abc", 3), "abc");
        assert_eq!(one_line("abcd", 3), "ab…");
        assert_eq!(one_line("a\n\u{1b}[1m", 9), "a  [1m");
        assert_eq!(one_line("a\u{202e}b\u{2066}c", 9), "a b c");
    }

    #[test]
    fn a_list_without_rows_is_its_header() {
        let empty = listing(["a", "b"], Vec::<[String; 2]>::new(), &[1], Palette::PLAIN);
        assert_eq!(empty.split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(empty.lines().count(), 1);
        let rows = [["x".to_owned(), "10".to_owned()], ["yy".to_owned(), "2".to_owned()]];
        assert_eq!(listing(["a", "b"], rows, &[1], Palette::PLAIN), " a    b\n x   10\n yy   2\n", "aligned");
    }
}
