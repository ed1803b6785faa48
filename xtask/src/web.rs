//! `cargo xtask web`: the package for JavaScript, built around the modules of `cargo xtask wasm`, and the page on it; tested in Node and in a browser.
//!
//! What is missing is named, and the step left out, as in `levels.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::packages::{self, BROWSER, NODE, NPM};
use crate::step::{self, Steps, root, succeeds, target};
use crate::wasm;

/// The modules, each in a folder of its own.
const MODULES: [&str; 2] = ["simd128", "scalar"];
/// What a test may take, so that one that waits for ever is named.
const TEST_MAX_MS: u32 = 180_000;

/// Where there is no network, npm would try for minutes.
const NO_RETRIES: &str = "--fetch-retries=1";

/// Options of `cargo xtask web`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Take the modules as they were built last.
    #[arg(long)]
    built: bool,
    /// Install what is missing from the packages of the system first.
    #[arg(long)]
    install: bool,
}

/// Runs all, as a chore of its own.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::default();
    if args.install {
        packages::install(&packages::ALL);
    }
    if !args.built {
        wasm::bindings(&mut steps, true)?;
    }
    package(&mut steps, true)?;
    steps.summarise();
    Ok(())
}

/// Builds and tests the package. Without `full` nothing is run, since the modules may be missing or old.
pub(crate) fn package(steps: &mut Steps, full: bool) -> Result<()> {
    const BUILD: &str = "package for JavaScript";
    if !full {
        steps.skip(BUILD, "it needs the modules of `cargo xtask wasm`; `cargo xtask web` runs it");
        return Ok(());
    }
    if let Err(missing) = packages::check(&[NODE, NPM]) {
        steps.skip(BUILD, &missing);
        return Ok(());
    }
    if let Some(missing) = MODULES.into_iter().map(module).find(|module| !module.is_dir()) {
        steps.skip(
            BUILD,
            &format!("no module in {}; `cargo xtask wasm` says what it needs", missing.display()),
        );
        return Ok(());
    }
    if let Err(error) = installed(&web()).and_then(|()| installed(&page())) {
        if succeeds(&mut npm(["view", "typescript", "version", NO_RETRIES])) {
            return Err(error);
        }
        steps.skip(
            BUILD,
            "no registry of npm answers, for what the lock files of web and web/app name; try again with a network",
        );
        return Ok(());
    }
    steps.run(BUILD, build)?;
    steps.run("page", || step::run(npm(["run", "--silent", "build"]).current_dir(page())))?;
    steps.run("package in Node", || tests("node"))?;
    match packages::check(&[BROWSER]) {
        Err(missing) => steps.skip("package and page in a browser", &missing),
        Ok(()) => steps.run("package and page in a browser", || tests("browser"))?,
    }
    Ok(())
}

/// The folder of the package.
fn web() -> PathBuf {
    root().join("web")
}

/// The folder of the page, which is built on it.
fn page() -> PathBuf {
    web().join("app")
}

/// Installs what a folder is built with, unless it is there.
fn installed(folder: &Path) -> Result<()> {
    if is_older(&folder.join("node_modules").join(".package-lock.json"), &folder.join("package-lock.json")) {
        let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", NO_RETRIES];
        step::run(npm(ci).current_dir(folder))?;
    }
    Ok(())
}

/// Takes the modules in, compiles, and checks the types of tests.
fn build() -> Result<()> {
    let web = web();
    for name in MODULES {
        copied(&module(name), &web.join("wasm").join(name))?;
    }
    // So that what was renamed or removed is not tested.
    emptied(&web.join("dist"))?;
    step::run(npm(["run", "--silent", "build"]).current_dir(&web))?;
    step::run(npm(["run", "--silent", "check"]).current_dir(&web))
}

/// Runs the tests of a folder, one file after the other: each has a browser of its own, and some measure.
fn tests(folder: &str) -> Result<()> {
    let web = web();
    let mut files: Vec<PathBuf> = web
        .join("test")
        .join(folder)
        .read_dir()?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    let mut node = step::command("node");
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    node.arg(format!("--test-timeout={TEST_MAX_MS}")).args(files).current_dir(&web);
    node.env("CHROMIUM", packages::browser()).env("CORTEXKG_WEB_ARTEFACTS", target().join("web-artefacts"));
    step::run(&mut node)
}

/// Where `cargo xtask wasm` puts a module.
fn module(name: &str) -> PathBuf {
    target().join("wasm").join(name)
}

fn npm<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut npm = step::command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(arguments);
    npm
}

/// Whether a file is missing, or older than another one.
fn is_older(file: &Path, than: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    changed(file).is_none_or(|file| changed(than).is_some_and(|than| file < than))
}

fn emptied(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    emptied(to)?;
    for entry in from.read_dir().with_context(|| format!("reading {}", from.display()))? {
        let file = entry?.path();
        if let Some(name) = file.file_name().filter(|_| file.is_file()) {
            std::fs::copy(&file, to.join(name)).with_context(|| format!("copying {}", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read(folder: &Path, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
    }

    #[test]
    fn the_lock_files_are_for_every_registry() {
        for folder in [web(), page()] {
            let lock = read(&folder, "package-lock.json");
            assert_eq!(lock["lockfileVersion"], 3);
            for (name, package) in lock["packages"].as_object().unwrap() {
                let resolved = package["resolved"].as_str().unwrap_or("https://registry.npmjs.org/");
                assert!(resolved.starts_with("https://registry.npmjs.org/"), "{name}: {resolved}");
                assert!(name.is_empty() || package["integrity"].is_string(), "{name} has no hash");
            }
        }
    }

    #[test]
    fn tools_are_pinned() {
        let (package, page) = (read(&web(), "package.json"), read(&page(), "package.json"));
        assert!(package.get("dependencies").is_none(), "the package stands alone");
        for pinned in [&package["devDependencies"], &page["devDependencies"], &page["dependencies"]] {
            for (name, version) in pinned.as_object().unwrap() {
                let version = version.as_str().unwrap();
                assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{name}: {version}");
            }
        }
    }
}
