//! Every format, plain and compressed, from a file and from standard input, by name and by look.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;

use common::{cortexkg, ids, with_input};

const CSV: &[u8] = b"id,name\n7,Citrus\n8,\"Art's, Deli\"\n";
const TSV: &[u8] = b"id\tname\n7\tCitrus\n8\tArt's, Deli\n";
const JSONL: &[u8] = b"{\"id\": 7, \"name\": \"Citrus\"}\n{\"id\": 8, \"name\": \"Art's, Deli\"}\n";
const NTRIPLES: &[u8] =
    b"<http://x/a> <http://x/knows> <http://x/b> .\n# why\n<http://x/a> <http://x/name> \"A\"@en .\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    // Two members, as `cat a.gz b.gz` makes them.
    let (left, right) = text.split_at(text.len() / 2);
    let member = |part: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    [member(left), member(right)].concat()
}

#[test]
fn all_formats_however_they_come() {
    for (name, text, format, expected) in [
        ("in.csv", CSV, "csv", &["7", "8"]),
        ("in.tsv", TSV, "tsv", &["7", "8"]),
        ("in.jsonl", JSONL, "jsonl", &["7", "8"]),
        ("in.nt", NTRIPLES, "ntriples", &["1", "3"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let zstd = zstd::encode_all(text, 3).unwrap();
        for (suffix, data) in [("", text.to_vec()), (".gz", gzip(text)), (".zst", zstd)] {
            let path = folder.path().join(format!("{name}{suffix}"));
            std::fs::write(&path, &data).unwrap();
            let out = folder.path().join("out.csv");
            let out_name = out.to_str().unwrap();
            // By the name of the file, and without one.
            for said in [
                cortexkg(&["allocate", path.to_str().unwrap(), "--json", "--out", out_name]),
                with_input(&["allocate", "-", "--json", "--out", out_name], &data),
            ] {
                assert_eq!((said.code, said.counts()), (0, (2, 0)), "{name}{suffix} {}", said.err);
                assert_eq!(said.report()["format"], format);
                let mut found: Vec<_> =
                    ids(&out).iter().map(|id| id.split('#').next().unwrap().to_owned()).collect();
                found.dedup();
                assert_eq!(found, expected);
            }
        }
    }
}

#[test]
fn triples_have_two_mentions() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv");
    let said = with_input(&["allocate", "-", "--json", "--out", out.to_str().unwrap()], NTRIPLES);
    assert_eq!(said.code, 0);
    assert_eq!(said.report()["mentions"], 4);
    assert_eq!(ids(&out), ["1#s", "1#o", "3#s", "3#o"]);
}

#[test]
fn sources_and_identifiers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, "key,name\nk1,a\nk2,b\n").unwrap();
    let path = path.to_str().unwrap();
    let out = folder.path().join("out.csv");
    let said = cortexkg(&["allocate", path, "--json", "--id", "key", "--out", out.to_str().unwrap()]);
    assert_eq!(said.report()["source"], "people.csv");
    assert_eq!(ids(&out), ["k1", "k2"]);
    let said = cortexkg(&["allocate", path, "--json", "--source", "feed", "--out", out.to_str().unwrap()]);
    assert_eq!(said.report()["source"], "feed");
    assert_eq!(ids(&out), ["2", "3"], "without an identifier the line number serves");
    assert_eq!(with_input(&["allocate", "-", "--json"], CSV).report()["source"], "stdin");
}

#[test]
fn other_delimiters() {
    let said = with_input(&["allocate", "-", "--json", "--delimiter", ";"], b"id;name\n1;a,b\n");
    assert_eq!((said.code, said.counts()), (0, (1, 0)), "{}", said.err);
}

#[test]
fn threads_and_limits() {
    let rows: String = (0..1000).map(|n| format!("{n},name {}\n", n % 700)).collect();
    let input = format!("id,name\n{rows}");
    let one = with_input(&["allocate", "-", "--json", "--progress-every", "300"], input.as_bytes());
    let two = with_input(&["allocate", "-", "--json", "--threads", "2"], input.as_bytes());
    assert_eq!((one.code, two.code), (0, 0));
    assert_eq!(one.report()["state_hash"], two.report()["state_hash"]);
    assert_eq!(one.report()["decisions"], two.report()["decisions"]);
    assert_eq!(two.report()["latency_us"]["of"], "batch_mean");
    let rates: Vec<_> = one.report()["rates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["records"].as_u64().unwrap())
        .collect();
    assert_eq!(rates, [300, 600, 900]);
    let few = with_input(&["allocate", "-", "--json", "--limit", "10"], input.as_bytes());
    assert_eq!(few.counts(), (10, 0));
}
