//! Programs from outside that some steps need, and the packages of Debian that have them.
//!
//! A machine that tests everything (CI) gets what is missing from its own package system, if that asks nothing. Whoever sits at a machine is
//! told instead. Components of a Rust toolchain are never installed.

use std::path::Path;
use std::process::Command;

use crate::step::{self, command, succeeds};

/// Oldest Node that the bindings and the package are for.
const NODE_MIN: u32 = 20;
/// Where the browser for tests is, unless a variable says otherwise.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Something that a step needs.
#[derive(Clone, Copy)]
pub(crate) struct Needed {
    /// What it is called in messages.
    name: &'static str,
    /// Packages of Debian, with spaces between them.
    debian: &'static str,
    is_there: fn() -> bool,
}

pub(crate) const NODE: Needed = Needed {
    name: "Node 20 or newer",
    debian: "nodejs",
    is_there: || node().is_some_and(|major| major >= NODE_MIN),
};
pub(crate) const NPM: Needed =
    Needed { name: "npm", debian: "npm", is_there: || succeeds(command("npm").arg("--version")) };
pub(crate) const BROWSER: Needed =
    Needed { name: "a browser", debian: "chromium", is_there: || Path::new(&browser()).exists() };
/// A recent compiler, with the sources of the standard library, and a linker for WebAssembly.
pub(crate) const DEBIAN_COMPILER: &str = "rustc-web cargo-web rust-web-src rust-web-llvm lld-22";
/// A compiler for `wasm32-unknown-unknown`, unless rustup has the target.
const COMPILER: Needed = Needed {
    name: "a Rust compiler for WebAssembly (`rustup target add wasm32-unknown-unknown`)",
    debian: DEBIAN_COMPILER,
    is_there: || crate::levels::has_compiler("wasm32-unknown-unknown"),
};

/// What the package for JavaScript is built and tested with.
pub(crate) const ALL: [Needed; 4] = [NODE, NPM, COMPILER, BROWSER];

/// Where the browser for tests is.
pub(crate) fn browser() -> String {
    std::env::var("CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned())
}

/// Fails with what to do if something is not there.
pub(crate) fn check(needed: &[Needed]) -> Result<(), String> {
    let missing = missing(needed);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|needed| needed.name).collect();
    Err(format!("missing: {} (Debian: `apt-get install {}`)", names.join(", "), debian(&missing)))
}

/// Installs what is not there, and says so; what cannot be had is left to the steps, which skip themselves.
pub(crate) fn install(needed: &[Needed]) {
    let missing = missing(needed);
    if missing.is_empty() {
        println!("everything is there");
        return;
    }
    let packages = debian(&missing);
    let Some(mut update) = apt_get(&["update"]) else {
        println!(
            "no right to install anything here; some steps will be skipped without `apt-get install {packages}`"
        );
        return;
    };
    // An old list may name packages that are gone; a list that cannot be had is no reason not to try.
    let _listed = step::run(&mut update);
    // One by one, so that what one system does not have keeps nothing else away. Nothing may be removed: it may be what runs here.
    for needed in missing {
        let arguments = ["install", "--yes", "--no-install-recommends", "--no-remove"];
        let Some(mut install) = apt_get(&arguments) else { return };
        if let Err(error) = step::run(install.args(needed.debian.split(' '))) {
            println!("{} is not to be had here: {error:#}", needed.name);
        } else if !(needed.is_there)() {
            println!("the packages {} of this system do not have {}", needed.debian, needed.name);
        }
    }
}

fn missing(needed: &[Needed]) -> Vec<Needed> {
    needed.iter().filter(|needed| !(needed.is_there)()).copied().collect()
}

fn debian(needed: &[Needed]) -> String {
    needed.iter().map(|needed| needed.debian).collect::<Vec<_>>().join(" ")
}

/// The major version of Node.
fn node() -> Option<u32> {
    let version = command("node").arg("--version").output().ok()?.stdout;
    String::from_utf8_lossy(&version).trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// `apt-get`, if it may be called without being asked for a password.
fn apt_get(arguments: &[&str]) -> Option<Command> {
    let quiet = "DEBIAN_FRONTEND=noninteractive";
    let is_root = command("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut apt_get = if is_root {
        command("env")
    } else if succeeds(command("sudo").args(["-n", "true"])) {
        let mut sudo = command("sudo");
        sudo.args(["-n", "env"]);
        sudo
    } else {
        return None;
    };
    // Another installation may be going on.
    apt_get.args([quiet, "apt-get", "-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    succeeds(command("apt-get").arg("--version")).then_some(apt_get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_packages() {
        let there = Needed { name: "a stone", debian: "stones", is_there: || true };
        let missing = Needed { name: "a ghost", debian: "ghosts ghost-tools", is_there: || false };
        assert_eq!(check(&[there]), Ok(()));
        let said = "missing: a ghost (Debian: `apt-get install ghosts ghost-tools`)";
        assert_eq!(check(&[missing, there]), Err(said.to_owned()));
    }
}
