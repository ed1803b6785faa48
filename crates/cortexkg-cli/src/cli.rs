//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{allocate, completions, demo, score};

/// Decides where knowledge belongs: which node of a graph each fact goes to, or that it needs a new one.
#[derive(Debug, Parser)]
#[command(name = "cortexkg", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// Directory of the graph. Commands that work on a graph need it; `allocate` without it keeps nothing.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands, one file each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide for each record of a file which node it belongs to.
    Allocate(Box<allocate::Args>),
    /// Score an allocation against known clusters: pairwise and B-cubed precision, recall and F1.
    Score(score::Args),
    /// See it work: 864 restaurants from two guides, decided, scored and explained.
    Demo(demo::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

const AFTER_HELP: &str = "\
Start here:
  cortexkg demo                                   see it work on data that comes with it
  cortexkg allocate people.csv --out nodes.csv    decide for each row which node it belongs to
  cortexkg allocate --help                        formats, options and exit codes

Exit codes:
  0  done
  1  the run failed on the way; what was decided before is written
  2  wrong usage, or an input that cannot be used
  3  done, but some records were rejected

NO_COLOR=1 switches colours and the progress bar off; CLICOLOR_FORCE=1 keeps colours in a pipe.";
