//! The `cortexkg` program; everything is in the library.

use std::panic;
use std::process::ExitCode;

use clap::Parser;
use cortexkg_cli::{Cli, Console, run};

fn main() -> ExitCode {
    pass_over_contained_panics();
    let cli = Cli::parse();
    ExitCode::from(run(&cli, &mut Console::of_process()))
}

/// Over a damaged file redb may panic. The store catches that and reports the damage, which is all that anybody need see.
fn pass_over_contained_panics() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_contained = info.location().is_some_and(|place| place.file().contains("redb-"));
        if !is_contained {
            hook(info);
        }
    }));
}
