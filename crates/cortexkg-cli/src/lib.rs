//! The `cortexkg` program as a library, so that tests and fuzz targets reach its parts.
//!
//! - [`input`] turns bytes into facts: formats, compression, damage;
//! - [`allocation`] runs them through the engine and measures;
//! - [`durable`] streams them into a graph that stays;
//! - [`evaluation`] watches every decision and tells how well they were taken;
//! - [`report`], [`scoring`] and [`outputs`] tell what came out;
//! - [`monitoring`] watches over a run: metrics, alerts, the live view;
//! - [`commands`] has one file per subcommand.
//!
//! **Invariants**
//! - No input makes the program panic, hold more than one record of bounded size, or stop before its end, except one
//!   that cannot be read any further.
//! - Results go to standard output, everything else to standard error; the exit code tells how it went.

pub mod allocation;
mod cli;
mod clock;
pub mod commands;
mod config_file;
mod console;
pub mod durable;
mod embedder;
pub mod evaluation;
mod explained;
mod failure;
pub mod graph;
pub mod input;
pub mod interchange;
mod layers;
pub mod monitoring;
pub mod outputs;
pub mod palette;
pub mod picture;
mod process;
mod progress;
mod rejects;
pub mod report;
pub mod scoring;
mod sink;
mod stop;
mod tables;

pub use cli::{Cli, Command};
pub use config_file::drain_config;
pub use console::Console;
pub use failure::{Failure, Outcome};
pub use layers::ScalabilityArgs;
pub use palette::Palette;

/// Carries a command out and says with which code to exit.
pub fn run(cli: &Cli, console: &mut Console<'_>) -> u8 {
    // A misspelt level would otherwise be passed over, and whoever forces one wants to be sure of it.
    let level = cortexkg_simd::Level::from_env();
    let data = cli.data.as_deref();
    let outcome = match &cli.command {
        _ if level.is_err() => {
            let error = level.err().map_or_else(String::new, |error| error.to_string());
            Err(Failure::Usage(format!("{}: {error}", cortexkg_simd::LEVEL_VARIABLE)))
        }
        Command::Allocate(args) => commands::allocate::run(args, data, console),
        Command::Assignments(args) => commands::assignments::run(args, data, console),
        Command::Backup(args) => commands::backup::run(args, data, console),
        Command::CannotLink(args) => commands::cannot_link::run(args, data, console),
        Command::Compact(args) => commands::compact::run(args, data, console),
        Command::Consolidate(args) => commands::consolidate::run(args, data, console),
        Command::Exceptions(args) => commands::exceptions::run(args, data, console),
        Command::Export(args) => commands::export::run(args, data, console),
        Command::Facts(args) => commands::facts::run(args, data, console),
        Command::Forget(args) => commands::forget::run(args, data, console),
        Command::Get(args) => commands::get::run(args, data, console),
        Command::How(args) => commands::how::run(args, data, console),
        Command::Import(args) => commands::import::run(args, data, console),
        Command::Log(args) => commands::log::run(args, data, console),
        Command::Flags(args) => commands::flags::run(args, data, console),
        Command::Pin(args) => commands::pin::run(args, data, console),
        Command::Merge(args) => commands::merge::run(args, data, console),
        Command::Model(args) => commands::model::run(args, data, console),
        Command::MustLink(args) => commands::must_link::run(args, data, console),
        Command::Neighbours(args) => commands::neighbours::run(args, data, console),
        Command::Restore(args) => commands::restore::run(args, data, console),
        Command::Search(args) => commands::search::run(args, data, console),
        Command::Split(args) => commands::split::run(args, data, console),
        Command::Stats(args) => commands::stats::run(args, data, console),
        Command::Top(args) => commands::top::run(args, data, console),
        Command::Undo(args) => commands::undo::run(args, data, console),
        Command::Unmerge(args) => commands::unmerge::run(args, data, console),
        Command::Verify(args) => commands::verify::run(args, data, console),
        Command::Why(args) => commands::why::run(args, data, console),
        Command::WhyNot(args) => commands::why_not::run(args, data, console),
        Command::Score(_)
        | Command::Evaluate(_)
        | Command::Demo(_)
        | Command::Config(_)
        | Command::Completions(_)
            if data.is_some() =>
        {
            Err(Failure::Usage("this command works on no graph; leave --data out".to_owned()))
        }
        Command::Score(args) => commands::score::run(args, console),
        Command::Evaluate(args) => commands::evaluate::run(args, console),
        Command::Demo(args) => commands::demo::run(args, console),
        Command::Config(args) => commands::config::run(args, console),
        Command::Completions(args) => commands::completions::run(args, console),
    };
    // That nobody reads what is printed at the end does not change how the command went.
    let flushed = match console.flush() {
        Err(Failure::OutputClosed) => Ok(()),
        flushed => flushed,
    };
    match outcome.and_then(|outcome| flushed.map(|()| outcome)) {
        Ok(outcome) => outcome.code(),
        Err(failure) => {
            let failure = match (failure, data) {
                (Failure::Snapshot(what), Some(directory)) => {
                    Failure::Snapshot(format!("{what}: {}", graph::without_snapshot(directory)))
                }
                (failure, _) => failure,
            };
            if !matches!(failure, Failure::OutputClosed) {
                let error = console.err_palette.alarm("error:");
                console.tell(&format!("{error} {failure}"));
            }
            failure.code()
        }
    }
}
