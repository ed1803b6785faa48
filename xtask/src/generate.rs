//! `cargo xtask generate`: made-up facts with the truth about them.

use std::ffi::OsString;

use anyhow::Result;

use crate::bench::MadeUp;
use crate::step;

/// Options of `cargo xtask generate`: those of the program that does it, which tells them itself.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Passed on as they are; --help lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

/// Has the files written.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut generate = MadeUp::build()?.command("generate");
    // Files are named as the caller's folder has them, not that of the workspace.
    step::run(generate.args(&args.options).current_dir(std::env::current_dir()?))
}
