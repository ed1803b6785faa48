//! A stream as files: facts that `cortexkg allocate` reads, and the truth that `cortexkg score` reads.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use cortexkg::{Fact, FactContent, FieldValue};
use cortexkg_bench::{Mentions, Recipe};
use serde_json::{Map, Value};

use crate::progress::Progress;

/// Options of `generate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes: people that are spoken of.
    #[arg(long, value_name = "N")]
    nodes: u64,
    /// Mentions of them, at least as many [default: 13 for every 10 nodes].
    #[arg(long, value_name = "M")]
    mentions: Option<u64>,
    /// Values of the vector of each mention; 0 for none.
    #[arg(long, value_name = "D", default_value_t = 0)]
    dimension: usize,
    /// Another seed makes others.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where the facts go, as JSONL; packed if the name ends in .zst. The truth goes beside it: NAME.truth.csv.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes both files.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mentions = args.mentions.unwrap_or(args.nodes.saturating_mul(13).div_ceil(10));
    let recipe = Recipe { things: args.nodes, mentions, dimension: args.dimension, seed: args.seed };
    let stream = Mentions::new(recipe)?;
    let truth = truth_path(&args.out)?;
    let at = |path: &Path| path.display().to_string();
    write(stream, &args.out, &truth).with_context(|| format!("{} and {}", at(&args.out), at(&truth)))?;
    eprintln!("{mentions} mentions in {}, whom they speak of in {}", at(&args.out), at(&truth));
    Ok(())
}

/// `people.jsonl.zst` → `people.truth.csv`.
fn truth_path(out: &Path) -> Result<PathBuf> {
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bare = name.strip_suffix(".zst").unwrap_or(&name);
    match bare.strip_suffix(".jsonl") {
        Some(stem) if !stem.is_empty() => Ok(out.with_file_name(format!("{stem}.truth.csv"))),
        _ => bail!("{}: the name must end in .jsonl or .jsonl.zst", out.display()),
    }
}

fn write(stream: Mentions, out: &Path, truth: &Path) -> Result<()> {
    let file = BufWriter::new(File::create(out)?);
    if out.extension().is_some_and(|extension| extension == "zst") {
        let mut packed = zstd::Encoder::new(file, 0)?;
        write_to(stream, &mut packed, truth)?;
        packed.finish()?.flush()?;
    } else {
        let mut file = file;
        write_to(stream, &mut file, truth)?;
        file.flush()?;
    }
    Ok(())
}

fn write_to(stream: Mentions, facts: &mut impl Write, truth: &Path) -> Result<()> {
    let mut progress = Progress::new("generating", 0, stream.recipe().mentions);
    let mut truth = BufWriter::new(File::create(truth)?);
    writeln!(truth, "record_id,cluster_id")?;
    for (number, mention) in stream.enumerate() {
        serde_json::to_writer(&mut *facts, &line(&mention.fact))?;
        facts.write_all(b"\n")?;
        writeln!(truth, "{},{}", mention.fact.record_id.as_deref().unwrap_or_default(), mention.thing)?;
        progress.at(number as u64);
    }
    truth.flush()?;
    Ok(())
}

fn line(fact: &Fact) -> Value {
    let mut members = Map::new();
    members.insert("id".to_owned(), fact.record_id.clone().into());
    if let FactContent::Record(fields) = &fact.content {
        for field in fields {
            if let FieldValue::Text(text) = &field.value {
                members.insert(field.name.clone(), text.clone().into());
            }
        }
    }
    if let Some(embedding) = &fact.embedding {
        members.insert("embedding".to_owned(), embedding.clone().into());
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_lies_beside_the_facts() {
        let path = |out: &str| truth_path(Path::new(out)).map(|path| path.display().to_string());
        assert_eq!(path("a/people.jsonl").unwrap(), "a/people.truth.csv");
        assert_eq!(path("people.jsonl.zst").unwrap(), "people.truth.csv");
        for wrong in ["people.csv", "people.zst", ".jsonl", "people.truth.csv"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }
}
