//! `cortexkg completions`: scripts that let a shell complete the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::console::Console;
use crate::failure::{Failure, Outcome};

/// Options of `cortexkg completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cortexkg completions bash > ~/.local/share/bash-completion/completions/cortexkg
  cortexkg completions zsh > ~/.zfunc/_cortexkg
  cortexkg completions fish > ~/.config/fish/completions/cortexkg.fish")]
pub struct Args {
    /// The shell.
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(args: &Args, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cortexkg", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Complete)
}
