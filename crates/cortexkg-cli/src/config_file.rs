//! `--config FILE`: what a user says of a graph, as TOML: of fields, of when a decision is sure enough, and of the layers; a section of
//! its own for each thing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use cortexkg::inhibition::InhibitionConfig;
use cortexkg::{EngineConfig, FieldConfig, FieldConfigs, FieldModel, OperationError};
use cortexkg_interchange::{printable, steers_terminal};
use cortexkg_scalable::{ConfigSource, Resolved, line_of};
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::failure::Failure;
use crate::tables::one_line;

/// Most bytes of a config file.
const BYTES_MAX: u64 = 1 << 20;
/// Most characters of what the parser says.
const MESSAGE_CHARS_MAX: usize = 512;
/// The section that sets the layers.
const SCALABILITY: &str = "scalability";
/// Fields that are listed where one is not there.
const FIELDS_LISTED_MAX: usize = 32;

/// The option `--config` of commands that take facts in.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    /// TOML file that says of fields what else is found from their values: [fields.NAME] with kind, comparator or ignore.
    ///
    /// kind: identifier, date, number, category, name, long_text, list or key; comparator: exact, or another that reads the kind;
    /// ignore = true: kept and shown, but no evidence. A graph keeps what it was begun with and refuses anything else; later
    /// runs need not say it again.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Most links that may be wrong, as a share of all links, above 0 and at most 0.5 [default: 0.5].
    ///
    /// A record joins a node only where the probability of an error is at most this; what is likelier than not and less sure becomes
    /// `possible`, and consolidation asks as much more. In the config file: max_false_merge under [decisions]. A graph keeps the
    /// bound that it was begun with.
    #[arg(long, value_name = "SHARE", value_parser = bound)]
    pub max_false_merge: Option<f32>,
}

fn bound(text: &str) -> Result<f32, String> {
    let share = text.parse().map_err(|_| "a number above 0 and at most 0.5".to_owned())?;
    InhibitionConfig::default().with_max_false_merge(share).map(|_| share).map_err(|error| error.to_string())
}

impl ConfigArgs {
    /// The first of the options that is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let bound = self.max_false_merge.map(|_| "--max-false-merge");
        self.config.as_ref().map(|_| "--config").or(bound)
    }

    /// Reads the file, if one is named.
    ///
    /// # Errors
    /// Where it cannot be read, or says something that cannot be.
    pub(crate) fn read(&self) -> Result<ConfigFile, Failure> {
        let file = self.config.as_deref().map_or_else(|| Ok(ConfigFile::default()), ConfigFile::read)?;
        Ok(ConfigFile { max_false_merge: self.max_false_merge.or(file.max_false_merge), ..file })
    }
}

/// The sections of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    #[serde(default)]
    fields: BTreeMap<Spanned<String>, FieldConfig>,
    #[serde(default)]
    decisions: Decisions,
    /// Read by whoever knows what there is to set.
    #[serde(default, rename = "scalability")]
    _scalability: IgnoredAny,
}

/// When a decision is sure enough.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decisions {
    max_false_merge: Option<Spanned<f32>>,
}

/// A config file that was read. One that is not there says nothing.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    name: String,
    fields: FieldConfigs,
    max_false_merge: Option<f32>,
    scalability: ConfigSource,
    /// Where each field is spoken of.
    lines: BTreeMap<String, usize>,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, or says something that cannot be.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |what: String| Failure::Usage(format!("cannot read {name}: {what}"));
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|error| unreadable(format!("{error}; check the path and the permissions")))?;
        if bytes.len() as u64 > BYTES_MAX {
            return Err(unreadable(format!("it has more than {BYTES_MAX} bytes; is it a config file?")));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| unreadable("it is no UTF-8; save it as UTF-8".to_owned()))?;
        Self::parse(&name, &text).map_err(Failure::Usage)
    }

    /// Reads the text of a file; else what is wrong, and where.
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let sections: Sections = toml::from_str(text).map_err(|error| refused(name, text, &error))?;
        let mut file = Self { name: name.to_owned(), ..Self::default() };
        for (field, config) in sections.fields {
            let line = line_of(text, &field.span());
            let field = field.into_inner();
            let told = file.fields.insert(&*field, config);
            told.map_err(|error| format!("{name}, line {line}: [fields] {error}"))?;
            file.lines.insert(field, line);
        }
        if let Some(bound) = sections.decisions.max_false_merge {
            let line = line_of(text, &bound.span());
            let checked = InhibitionConfig::default().with_max_false_merge(*bound.get_ref());
            checked.map_err(|error| format!("{name}, line {line}: [decisions] {error}"))?;
            file.max_false_merge = Some(bound.into_inner());
        }
        file.scalability =
            ConfigSource::section(name, text, SCALABILITY).map_err(|error| error.to_string())?;
        Ok(file)
    }

    /// What it says of the layers.
    pub(crate) fn scalability(&self) -> &ConfigSource {
        &self.scalability
    }

    /// A configuration that says what the file says.
    pub(crate) fn over(&self, config: EngineConfig) -> EngineConfig {
        let inhibition = self.max_false_merge.map(|bound| config.inhibition.with_max_false_merge(bound));
        EngineConfig {
            fields: self.fields.clone(),
            // Checked where it was read.
            inhibition: inhibition.and_then(Result::ok).unwrap_or(config.inhibition),
            ..config
        }
    }

    /// Refuses a bound on false merges that is not the graph's. The engine refuses all but the usual one, which it takes for silence.
    ///
    /// # Errors
    /// Names both.
    pub(crate) fn check_bound(&self, of_graph: InhibitionConfig) -> Result<(), Failure> {
        let wanted = self.max_false_merge.and_then(|bound| of_graph.with_max_false_merge(bound).ok());
        match wanted {
            Some(wanted) if wanted != of_graph => Err(Failure::from(OperationError::FalseMerges {
                found: of_graph.max_false_merge(),
                wanted: wanted.max_false_merge(),
            })),
            _ => Ok(()),
        }
    }

    /// Refuses fields that an input of these columns, which is all there will ever be, does not have.
    ///
    /// # Errors
    /// Names the first such field, and those that are there.
    pub(crate) fn check_columns(&self, columns: &[String]) -> Result<(), Failure> {
        let known: Vec<&str> = columns.iter().map(String::as_str).collect();
        self.unknown(&known).into_iter().next().map_or(Ok(()), |what| Err(Failure::Usage(what)))
    }

    /// What is to be said of fields that no fact has had so far.
    pub(crate) fn notes(&self, model: &[FieldModel]) -> Vec<String> {
        let known: Vec<&str> =
            model.iter().map(|field| &*field.name).filter(|name| !name.starts_with('@')).collect();
        self.unknown(&known).into_iter().map(|what| format!("note: {what}")).collect()
    }

    /// What is to be said where a graph goes on with fields that the file is silent about.
    pub(crate) fn note_on_silence(&self, of_graph: &FieldConfigs) -> Option<String> {
        let is_silent = !self.name.is_empty() && self.fields.is_empty() && !of_graph.is_empty();
        let names: Vec<String> = of_graph.iter().map(|(field, _)| printable(field)).collect();
        is_silent.then(|| {
            format!(
                "note: {} says nothing of fields; what the graph was begun with holds, for {}",
                self.name,
                listed(&names)
            )
        })
    }

    fn unknown(&self, known: &[&str]) -> Vec<String> {
        let missing = self.lines.iter().filter(|(field, _)| !known.contains(&field.as_str()));
        let names: Vec<String> = known.iter().map(|name| printable(name)).collect();
        missing
            .map(|(field, line)| {
                format!(
                    "{}, line {line}: [fields] there is no field {field:?}; there are {}",
                    self.name,
                    listed(&names)
                )
            })
            .collect()
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names if names.len() <= FIELDS_LISTED_MAX => names.join(", "),
        names => format!(
            "{}, and {} more",
            names.iter().take(FIELDS_LISTED_MAX).cloned().collect::<Vec<_>>().join(", "),
            names.len() - FIELDS_LISTED_MAX
        ),
    }
}

/// Reads the bytes of a file for `--config` to the end, for the fuzz target `config` and whoever replays its corpus: what it sets the layers
/// to, or what is wrong.
///
/// # Errors
/// What the program would say.
///
/// # Panics
/// Where that is not one line that names the file, or a setting got past its range.
pub fn drain_config(data: &[u8]) -> Result<Resolved, String> {
    let read = || {
        let text = std::str::from_utf8(data).map_err(|_| "fuzz: no UTF-8".to_owned())?;
        let file = ConfigFile::parse("fuzz", text)?;
        Resolved::of([file.scalability()]).map_err(|error| error.to_string())
    };
    let read = read();
    match &read {
        Ok(resolved) => assert_eq!(resolved.config.check(), Ok(()), "what is read is in range"),
        Err(what) => {
            assert!(what.starts_with("fuzz"), "every refusal says where: {what}");
            assert!(!what.contains(steers_terminal), "no refusal steers a terminal: {what:?}");
        }
    }
    read
}

/// What the parser has to say, in one line.
fn refused(name: &str, text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    // It may quote the file.
    let message = one_line(&message, MESSAGE_CHARS_MAX);
    let Some(span) = error.span() else { return format!("{name}: {message}") };
    let line = line_of(text, &span);
    let written = text.lines().nth(line - 1).unwrap_or_default().trim();
    let is_nested = written.starts_with("[fields.") && message.starts_with("unknown field");
    let hint = if is_nested { "; a name with a dot in it stands in quotes: [fields.\"a.b\"]" } else { "" };
    format!("{name}, line {line}: `{}`: {message}{hint}", printable(written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cortexkg::{Comparator, FieldKind};

    #[test]
    fn a_bound_on_false_merges_is_read_and_checked() {
        let file = ConfigFile::parse("c.toml", "[decisions]\nmax_false_merge = 0.01\n").expect("good");
        let config = file.over(EngineConfig::default());
        assert_eq!(config.inhibition.existing_probability_min, 0.99);
        tells("\n[decisions]\nmax_false_merge = 0.6\n", &["c.toml, line 3", "0.6", "at most 0.5"]);
        tells("[decisions]\nmax_false_merges = 0.1\n", &["max_false_merges", "max_false_merge"]);
    }

    #[test]
    fn a_section_sets_the_layers() {
        let text = "[fields.a]\nkind = \"date\"\n[scalability]\nhnsw_config.ef_search = 5\n";
        let file = ConfigFile::parse("c.toml", text).expect("good");
        let resolved = cortexkg_scalable::Resolved::of([file.scalability()]).expect("good");
        assert_eq!(resolved.config.hnsw_config.ef_search, 5);
        tells("\n[scalability]\nef = 5\n", &["c.toml, line 3", "setting ef"]);
        tells("scalability = 5\n", &["c.toml, line 1", "[scalability]"]);
        tells(
            "[scalability.hnsw_config]\nef_search = 0\n",
            &["c.toml, line 2", "ef_search", "0", "1 to 65,536"],
        );
    }

    fn refusal(text: &str) -> String {
        match ConfigFile::parse("c.toml", text) {
            Ok(file) => panic!("taken: {file:?}"),
            Err(what) => what,
        }
    }

    #[track_caller]
    fn tells(text: &str, parts: &[&str]) {
        let told = refusal(text);
        assert!(parts.iter().all(|part| told.contains(part)), "{parts:?} not all in: {told}");
        assert!(!told.contains('\n'), "{told}");
    }

    #[test]
    fn what_is_said_is_understood() {
        let file = ConfigFile::parse(
            "c.toml",
            "# of people\n[fields.phone]\nkind = \"identifier\"\ncomparator = \"exact\"\n\n[fields.\"at.note\"]\nignore = true\n",
        )
        .unwrap();
        let phone = FieldConfig {
            kind: Some(FieldKind::Identifier),
            comparator: Some(Comparator::Exact),
            ignore: false,
        };
        let note = FieldConfig { ignore: true, ..FieldConfig::default() };
        assert_eq!(file.fields.iter().collect::<Vec<_>>(), [("at.note", note), ("phone", phone)]);
        assert_eq!(file.lines, BTreeMap::from([("at.note".to_owned(), 6), ("phone".to_owned(), 2)]));
        assert!(ConfigFile::parse("c.toml", "").unwrap().fields.is_empty());
        assert!(ConfigFile::parse("c.toml", "[fields]\n").unwrap().fields.is_empty());
    }

    #[test]
    fn what_cannot_be_is_told_with_its_line() {
        tells(
            "[fields.a]\nknd = \"date\"\n",
            &["c.toml, line 2", "knd", "date", "`kind`", "`comparator`", "`ignore`"],
        );
        tells("[fields.a]\n\nkind = \"phone\"\n", &["line 3", "kind = \"phone\"", "`identifier`", "`key`"]);
        tells("[fields.a]\nkind = 7\n", &["line 2", "kind = 7", "string"]);
        tells("[fields.a]\nkind = \"embedding\"\n", &["line 2", "embedding", "`identifier`"]);
        tells(
            "[fields.a]\nkind = \"date\"\ncomparator = \"soft\"\n",
            &["line 3", "soft", "`exact`", "`code`"],
        );
        tells("[fields.a]\nignore = \"yes\"\n", &["line 2", "ignore", "yes", "boolean"]);
        tells("\n[feilds.a]\nkind = \"date\"\n", &["line 2", "feilds", "`fields`"]);
        tells("[fields]\na = 3\n", &["line 2", "a = 3"]);
        tells("[fields.at.city]\nkind = \"name\"\n", &["line 1", "city", "in quotes"]);
        tells("[fields.a]\nkind = \"date\"\nkind = \"name\"\n", &["line 3", "duplicate"]);
        tells("[fields.a\n", &["line 1"]);
        tells("[fields.a]\n\"k\\u001b[1m\" = 1\n", &["line 2", "unknown field `k [1m`"]);
        // What only the engine knows.
        tells("[fields.a]\n", &["line 1", "\"a\"", "kind, comparator or ignore"]);
        tells(
            "[fields.b]\nignore = true\n[fields.a]\ncomparator = \"exact\"\n",
            &["line 3", "\"a\"", "exact", "kind"],
        );
        tells(
            "[fields.a]\nkind = \"date\"\ncomparator = \"size\"\n",
            &["line 1", "\"a\"", "size", "Date", "date, code, exact"],
        );
        tells("[fields.\"@iri\"]\nignore = true\n", &["line 1", "\"@iri\""]);
    }

    #[test]
    fn fields_that_nobody_has_are_told() {
        let file =
            ConfigFile::parse("c.toml", "[fields.name]\nkind = \"name\"\n[fields.phne]\nignore = true\n")
                .unwrap();
        let columns = ["name".to_owned(), "phone".to_owned()];
        let told = file.check_columns(&columns).unwrap_err().to_string();
        assert_eq!(told, "c.toml, line 3: [fields] there is no field \"phne\"; there are name, phone");
        assert!(ConfigFile::default().check_columns(&[]).is_ok());
    }
}
