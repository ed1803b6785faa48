//! Steps of a chore: named, timed, stopping at the first failure.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A command that runs in the root of the workspace.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// `cargo` with these arguments: the one that runs this program.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Whether a command starts and succeeds. Its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a command to its end; its output is shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("`{shown}` did not start"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a command to its end and returns its standard output; its errors are shown.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let shown = shown(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("`{shown}` did not start"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(output.stdout)
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
    let mut text = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            text.push_str(&format!("{}={} ", name.to_string_lossy(), value.to_string_lossy()));
        }
    }
    text.push_str(&program);
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// The steps run so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
    skipped: Vec<(String, String)>,
}

impl Steps {
    /// Runs a step. What fails names the step.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n=== {name}");
        let start = Instant::now();
        step().with_context(|| format!("step \"{name}\" failed after {}", seconds(start.elapsed())))?;
        let took = start.elapsed();
        println!("=== {name}: ok in {}", seconds(took));
        self.done.push((name.to_owned(), took));
        Ok(())
    }

    /// Runs a step that takes long to set up, if everything is to be run; else it is left out, for what it takes.
    pub(crate) fn run_if(
        &mut self,
        full: bool,
        name: &str,
        takes: &str,
        step: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if full {
            return self.run(name, step);
        }
        self.skip(name, &format!("it builds {takes}; `cargo xtask test --full` includes it"));
        Ok(())
    }

    /// Notes that a step is left out, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n=== {name}: skipped: {why}");
        self.skipped.push((name.to_owned(), why.to_owned()));
    }

    /// Prints the steps with their times.
    pub(crate) fn summarise(&self) {
        println!("\n=== every step passed");
        for (name, took) in &self.done {
            println!("{:>9}  {name}", seconds(*took));
        }
        for (name, why) in &self.skipped {
            println!("  skipped  {name}: {why}");
        }
        println!("{:>9}  in all", seconds(self.done.iter().map(|(_, took)| *took).sum()));
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_names_itself() {
        let error = Steps::default().run("boil", || bail!("no water")).unwrap_err();
        assert!(format!("{error:#}").starts_with("step \"boil\" failed after"), "{error:#}");
        assert!(format!("{error:#}").ends_with("no water"), "{error:#}");
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = cargo(["fmt", "--all"]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(shown(&command), "RUSTDOCFLAGS=-D warnings cargo fmt --all");
    }
}
