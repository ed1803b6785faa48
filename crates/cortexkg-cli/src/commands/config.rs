//! `cortexkg config`: what the layers are set to, and what they can be set to.

use std::path::PathBuf;

use clap::Subcommand;
use cortexkg_scalable::json_schema;

use crate::config_file::ConfigFile;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::layers::{ScalabilityArgs, environment, settings_table};

/// Options of `cortexkg config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to tell.
    #[command(subcommand)]
    pub what: What,
}

/// What there is to tell of settings.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Show what the layers are set to, and where each value comes from.
    Show(ShowArgs),
    /// Print the JSON schema of the settings.
    Schema,
}

/// Options of `cortexkg config show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where settings come from; each overrides the one before:
  profile        default, development, production or plain; any of the others can name it
  file           [scalability]
                 profile = \"development\"
                 hnsw_config.ef_search = 96
  environment    CORTEXKG_PROFILE=development, CORTEXKG_HNSW_CONFIG__EF_SEARCH=128
  options        --profile development, --set hnsw_config.ef_search=128
Of several profiles that are named the last is begun with; it overrides no other setting.

Examples:
  cortexkg config show --config my.toml
  cortexkg config show --profile production --json | jq .config
  cortexkg config schema > scalability.schema.json")]
pub struct ShowArgs {
    /// TOML file whose section "scalability" to read; the others are checked.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How the layers are set.
    #[command(flatten)]
    pub layers: ScalabilityArgs,
    /// Print one JSON object: profile, config and origins.
    #[arg(long)]
    pub json: bool,
}

/// Prints the settings or their schema.
///
/// # Errors
/// Where a setting cannot be, or standard output cannot be written.
pub fn run(args: &Args, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    match &args.what {
        What::Show(args) => show(args, console)?,
        What::Schema => {
            let schema = serde_json::to_string_pretty(&json_schema());
            console.print(&format!("{}\n", schema.map_err(|error| Failure::Run(error.to_string()))?))?;
        }
    }
    Ok(Outcome::Complete)
}

fn show(args: &ShowArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?;
    let resolved = args.layers.resolve(file.as_ref(), environment())?;
    if args.json {
        return console.print_json(&resolved);
    }
    console.print(&settings_table(resolved.settings(), console.out_palette))
}
