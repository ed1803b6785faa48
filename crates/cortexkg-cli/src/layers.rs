//! Options that set the layers, and what else sets them: the section `[scalability]` of the config file, and the environment.

use clap::builder::PossibleValuesParser;
use cortexkg_scalable::{ConfigSource, Origin, Profile, Resolved, Setting, SourceError};

use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::palette::Palette;
use crate::tables::{CELL_CHARS_MAX, listing, one_line};

/// Most characters of a reason.
const REASON_CHARS_MAX: usize = 256;

/// Options that set the layers: the index, the tiers, the distribution and the precision of vectors.
#[derive(Debug, Default, clap::Args)]
pub struct ScalabilityArgs {
    /// Set something of the layers, like hnsw_config.ef_search=128; may be given again.
    ///
    /// `cortexkg config show` lists all there is, with the values, and where each comes from. A setting here overrides one in the
    /// environment (CORTEXKG_HNSW_CONFIG__EF_SEARCH=128), which overrides one in the section "scalability" of the file for --config, which
    /// overrides the profile. A graph that is there already keeps its settings, but for those that are given, or all if a profile is:
    /// the change stands in its log.
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub set: Vec<String>,
    /// Settings to begin with [default: default].
    ///
    /// default: the index for large graphs, and the tiers; development: the tiers only; production: everything; plain: nothing.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Profile::ALL.map(Profile::name)))]
    pub profile: Option<String>,
    /// Most memory for vectors, like 512M or 1G; those of less important nodes are kept at fewer bits [default: no bound].
    ///
    /// The same as --set quantization_config.vector_budget=SIZE and --set enable_adaptive_quantization=true, which --set overrides.
    #[arg(long, value_name = "SIZE")]
    pub vector_budget: Option<String>,
}

impl ScalabilityArgs {
    /// What the layers are to be: by the profile, the file, the environment and these options, each overriding the one before.
    ///
    /// # Errors
    /// Names what cannot be, what it can be, and the line, the variable or the option that says so.
    pub(crate) fn resolve(
        &self,
        file: Option<&ConfigFile>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Resolved, Failure> {
        let unusable = |error: SourceError| Failure::Usage(error.to_string());
        let environment = ConfigSource::environment(environment).map_err(unusable)?;
        let options = self.source().map_err(unusable)?;
        let sources = file.map(ConfigFile::scalability).into_iter().chain([&environment, &options]);
        Resolved::of(sources).map_err(unusable)
    }

    fn source(&self) -> Result<ConfigSource, SourceError> {
        let mut source = ConfigSource::default();
        if let Some(name) = &self.profile {
            source.say("profile", name, Origin::Flag { text: format!("--profile {name}") })?;
        }
        if let Some(size) = &self.vector_budget {
            let origin = Origin::Flag { text: format!("--vector-budget {size}") };
            source.say("quantization_config.vector_budget", size, origin.clone())?;
            source.say("enable_adaptive_quantization", "true", origin)?;
        }
        self.set.iter().try_for_each(|assignment| source.assign(assignment))?;
        Ok(source)
    }
}

/// The environment of the process. What is no UTF-8 is no setting, and is told as one that cannot be.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
}

/// Why the layers of a graph are changed: because of those who say so.
pub(crate) fn reason(layers: &Resolved) -> String {
    let mut said: Vec<String> = layers.given().map(|setting| setting.origin.to_string()).collect();
    said.dedup();
    one_line(&format!("set by {}", said.join("; ")), REASON_CHARS_MAX)
}

/// Settings as a table, with where each comes from.
pub(crate) fn settings_table(settings: impl IntoIterator<Item = Setting>, palette: Palette) -> String {
    let rows = settings.into_iter().map(|Setting { field, value, origin }| {
        [field.to_owned(), value, one_line(&origin.to_string(), CELL_CHARS_MAX)]
    });
    listing(["setting", "value", "from"], rows, &[], palette)
}
