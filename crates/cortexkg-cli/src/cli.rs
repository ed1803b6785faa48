//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    allocate, assignments, backup, cannot_link, compact, completions, config, consolidate, demo, evaluate,
    exceptions, export, facts, flags, forget, get, how, import, log, merge, model, must_link, neighbours,
    pin, restore, score, search, split, stats, top, undo, unmerge, verify, why, why_not,
};

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
    /// List where every mention belongs.
    Assignments(assignments::Args),
    /// Show a node: its fields, members and edges.
    Get(get::Args),
    /// List what was said of a node.
    Facts(facts::Args),
    /// List what a node is tied to.
    Neighbours(neighbours::Args),
    /// Find nodes by what they say.
    Search(search::Args),
    /// Explain why a mention went where it went.
    Why(why::Args),
    /// Explain why a mention does not belong to a node.
    WhyNot(why_not::Args),
    /// Tell how a node came to be what it is.
    How(how::Args),
    /// List contradictions that the graph keeps.
    Exceptions(exceptions::Args),
    /// Show what has been learned: what agreement in each field is worth.
    Model(model::Args),
    /// Count what is in the graph.
    Stats(stats::Args),
    /// Look on while facts stream in: rate, latencies, memory, alerts.
    Top(top::Args),
    /// List the operations on the graph.
    Log(log::Args),
    /// Take an operation back.
    Undo(undo::Args),
    /// Make two nodes one.
    Merge(merge::Args),
    /// Turn features on or off, also while facts stream in.
    Flags(flags::Args),
    /// Keep the vector of a node as exactly as can be.
    Pin(pin::Args),
    /// Take a merge back.
    Unmerge(unmerge::Args),
    /// Give some members of a node a node of their own.
    Split(split::Args),
    /// Say that two records mean the same thing: they are one node from then on.
    MustLink(must_link::Args),
    /// Say that two records do not mean the same thing: they are never one node from then on.
    CannotLink(cannot_link::Args),
    /// Forget a fact, a node or a source.
    Forget(forget::Args),
    /// Look again at early decisions and repair them.
    Consolidate(consolidate::Args),
    /// Remove what was forgotten for good.
    Compact(compact::Args),
    /// Check that the graph is whole.
    Verify(verify::Args),
    /// Copy the graph, also while facts stream in.
    Backup(backup::Args),
    /// Make a graph from a backup.
    Restore(restore::Args),
    /// Write the graph in a format that others read.
    Export(export::Args),
    /// Take a graph in from elsewhere.
    Import(import::Args),
    /// Score an allocation against known clusters: pairwise and B-cubed precision, recall and F1.
    Score(score::Args),
    /// Decide a file and score it: how right, how sure, what to review. Keeps nothing.
    Evaluate(Box<evaluate::Args>),
    /// See it work: 864 restaurants from two guides, decided, scored and explained.
    Demo(demo::Args),
    /// Show what the layers are set to, and where each value comes from.
    Config(config::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

const AFTER_HELP: &str = "\
Start here:
  cortexkg demo                                   see it work on data that comes with it
  cortexkg allocate people.csv --out nodes.csv    decide for each row which node it belongs to
  cortexkg allocate people.csv --data graph       the same, and keep the graph in the directory graph
  cortexkg search 'citrus grill' --data graph     ask it; get, facts, why and others take a node or record
  cortexkg evaluate people.csv --truth truth.csv  a scorecard; without truth: what to review
  cortexkg allocate --help                        formats, options and exit codes

Exit codes:
  0  done
  1  the run failed on the way (what was decided before is written), or a graph is damaged
  2  wrong usage, an input that cannot be used, or a graph that another process has open
  3  done, but some records were rejected

NO_COLOR=1 switches colours and the progress bar off; CLICOLOR_FORCE=1 keeps colours in a pipe.";
