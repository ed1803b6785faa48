//! Embeds the values of a CSV file and writes its records as JSONL with their vectors, as `cortexkg allocate` takes them in:
//! `cargo run --release -p cortexkg-embed --features minilm --example embed -- MODEL IN.csv > OUT.jsonl`. Tells the rate at the end.

#![allow(clippy::print_stdout, reason = "standard output is its product")]

use std::error::Error;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::Instant;

use cortexkg::normalise::normalise;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(model), Some(input)) = (args.next(), args.next()) else {
        return Err("usage: embed MODEL IN.csv".into());
    };
    let embedder = cortexkg_embed::load(&model)?;
    let mut reader = csv::Reader::from_path(input)?;
    let columns = reader.headers()?.clone();
    let mut out = std::io::BufWriter::new(stdout().lock());
    let (mut texts, mut words) = (0u64, 0);
    let started = Instant::now();
    for record in reader.records() {
        let record = record?;
        let values: Vec<_> = record.iter().skip(1).map(normalise).filter(|value| !value.is_empty()).collect();
        let text = values.join(" ");
        let mut vector = vec![0.0; embedder.dimension()];
        embedder.embed(&text, &mut vector)?;
        texts += 1;
        words += text.split(' ').count();
        let fields = columns.iter().zip(&record).filter(|(_, value)| !value.is_empty());
        let mut line: serde_json::Map<_, _> =
            fields.map(|(name, value)| (name.to_owned(), value.into())).collect();
        // Vectors without a direction are none.
        if vector.iter().any(|&value| value != 0.0) {
            line.insert("embedding".to_owned(), vector.into());
        }
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    let seconds = started.elapsed().as_secs_f64();
    eprintln!(
        "{}: {texts} texts, {words} words in {seconds:.1} s: {:.0} texts/s",
        embedder.identity(),
        texts as f64 / seconds
    );
    Ok(())
}
