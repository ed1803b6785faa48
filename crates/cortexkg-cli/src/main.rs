//! The `cortexkg` program; everything is in the library.

use std::process::ExitCode;

use clap::Parser;
use cortexkg_cli::{Cli, Console, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(run(&cli, &mut Console::of_process()))
}
