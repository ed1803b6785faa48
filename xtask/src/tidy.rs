//! Tidiness of what is committed: short files, and no path of the machine it was written on.

use anyhow::{Result, bail};

use crate::step::{command, output, root};

/// Lines beyond which a source file is named: it probably holds two concepts.
const LINES_MAX: usize = 600;

/// Folders of somebody's machine, in two halves so that this file passes its own check.
const HOMES: [(&str, &str); 5] =
    [("/ho", "me/"), ("/Us", "ers/"), ("/ro", "ot/"), ("/wo", "rk/"), ("C:\\Us", "ers\\")];

/// Lists long files, fails on machine paths.
pub(crate) fn check() -> Result<()> {
    let listed = match output(command("git").args(["ls-files", "-z"])) {
        Ok(listed) => listed,
        Err(error) => {
            println!("no list of committed files, nothing checked: {error:#}");
            return Ok(());
        }
    };
    let mut found = Vec::new();
    for name in String::from_utf8_lossy(&listed).split_terminator('\0') {
        // Not text, or deleted but not yet committed.
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        let lines = text.lines().count();
        if name.ends_with(".rs") && lines > LINES_MAX {
            println!("warning: {name} has {lines} lines (more than {LINES_MAX})");
        }
        // Data is what the world wrote.
        if !name.ends_with(".csv") {
            found.extend(machine_paths(&text).map(|(line, path)| format!("{name}:{line}: {path}")));
        }
    }
    if !found.is_empty() {
        bail!("paths of one machine are committed; make them relative:\n{}", found.join("\n"));
    }
    Ok(())
}

/// The lines (from 1) that hold a machine path, with the path.
fn machine_paths(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, machine_path(line)?)))
}

fn machine_path(line: &str) -> Option<&str> {
    HOMES.iter().find_map(|(first, second)| {
        let home = format!("{first}{second}");
        line.match_indices(&home).find_map(|(at, _)| {
            let (before, path) = line.split_at(at);
            // Within a longer path or an address it is something else.
            let inside = before.ends_with(|c: char| c.is_alphanumeric() || "._-/*~}".contains(c));
            let name = path[home.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '.');
            let end = path.find(|c: char| c.is_whitespace() || "\"'`)".contains(c)).unwrap_or(path.len());
            (name && !inside).then(|| &path[..end])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_found() {
        let (first, second) = HOMES[0];
        let line = format!("see `{first}{second}ada/notes.md` there");
        assert_eq!(machine_path(&line), Some(format!("{first}{second}ada/notes.md").as_str()));
        assert_eq!(machine_paths(&format!("a\n{line}")).map(|(line, _)| line).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn addresses_and_relative_paths_pass() {
        let (first, second) = HOMES[3];
        for line in [
            format!("https://example.org{first}{second}x"),
            format!("./target{first}{second}x"),
            format!("the folder {first}{second} itself"),
            "data/cache/hpo".to_owned(),
        ] {
            assert_eq!(machine_path(&line), None, "{line}");
        }
    }
}
