//! Whatever comes in: an error or a counted rejection that names line and field, the rest goes through, the exit
//! code tells.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;

use common::{Said, allocate, cortexkg, ids, with_input, with_writer};

/// Runs `input` through a file, so that what went through can be looked at.
fn ids_of(format: &str, input: &[u8]) -> (Said, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv");
    let said =
        with_input(&["allocate", "-", "--format", format, "--json", "--out", out.to_str().unwrap()], input);
    let ids = ids(&out);
    (said, ids)
}

#[test]
fn empty_file() {
    let said = allocate("csv", b"");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    said.tells(&["error: stdin is empty", "not even a header"]);
    let said = allocate("csv", b"\n\r\n");
    assert_eq!(said.code, 2);
    said.tells(&["stdin is empty"]);
}

#[test]
fn header_only() {
    let said = allocate("csv", b"record_id,name\n");
    assert_eq!((said.code, said.counts()), (0, (0, 0)));
    said.tells(&["note: the input has no records"]);
}

#[test]
fn missing_id_column() {
    let said = with_input(&["allocate", "-", "--id", "key"], b"name,city\na,b\n");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    said.tells(&["no column key", "the columns are: name, city", "--id"]);
    let said = with_input(
        &["allocate", "-", "--id", "key", "--json"],
        b"{\"key\": 1, \"a\": \"b\"}\n{\"a\": \"b\"}\n{\"key\": 3, \"a\": \"b\"}\n",
    );
    assert_eq!((said.code, said.counts()), (3, (2, 1)));
    said.tells(&["line 2, field key: ", "its keys are: a"]);
    let said = with_input(&["allocate", "-", "--id", "key"], b"<a:a> <a:b> <a:c> .\n");
    assert_eq!(said.code, 2);
    said.tells(&["N-Triples have no columns"]);
}

#[test]
fn duplicate_ids() {
    let (said, ids) = ids_of("csv", b"id,name\n1,a\n2,b\n1,c\n3,d\n");
    assert_eq!((said.code, said.counts()), (3, (3, 1)));
    said.tells(&["line 4, record 1, field record_id: ", "stands earlier in this input"]);
    assert_eq!(ids, ["1", "2", "3"]);
}

#[test]
fn empty_ids() {
    let (said, ids) = ids_of("csv", b"id,name\n1,a\n ,b\n3,d\n");
    assert_eq!((said.code, said.counts()), (3, (2, 1)));
    said.tells(&["line 3, field id: the identifier is empty"]);
    assert_eq!(ids, ["1", "3"]);
}

#[test]
fn ragged_rows() {
    let (said, ids) = ids_of("csv", b"id,name,city\n1,a\n2,b,c\n3,d,e,f\n4,g,h\n");
    assert_eq!((said.code, said.counts()), (3, (2, 2)));
    said.tells(&["line 2, record 1: the row has 2 columns, the header has 3"]);
    said.tells(&["line 4, record 3: the row has 4 columns, the header has 3"]);
    assert_eq!(ids, ["2", "4"]);
}

#[test]
fn quotes_that_nobody_closes() {
    let (said, ids) = ids_of("csv", b"id,name,city\n1,a,\"b\n2,c,d\n3,e,\"f\"\n4,g,\"h\n5,i,j\n");
    assert_eq!((said.code, said.counts()), (3, (3, 2)));
    said.tells(&["line 2: a quote opened here"]);
    said.tells(&["line 5: a quote opened here is never closed"]);
    assert_eq!(ids, ["2", "3", "5"]);
}

#[test]
fn bad_headers() {
    for (header, told) in [
        (&b"a,b,a\n1,2,3\n"[..], "columns 1 and 3 are both named a"),
        (b"a,,b\n1,2,3\n", "column 2: has no name"),
        (b"a;b\n1;2\n", "--delimiter ';'"),
        (b"a,\xff\n1,2\n", "line 1, column 2: the name is not valid UTF-8"),
        (b"\xff\xfea\0,\0b\0\n\0", "UTF-16"),
    ] {
        let said = allocate("csv", header);
        assert_eq!(said.code, 2, "{}", said.err);
        said.tells(&["error: ", told]);
    }
}

#[test]
fn invalid_utf8() {
    let (said, ids) = ids_of("csv", b"id,name\n1,a\n2,b\xff\n3,c\n");
    assert_eq!((said.code, said.counts()), (3, (2, 1)));
    said.tells(&["line 3, record 2, field name: not valid UTF-8 at byte 1", "iconv"]);
    assert_eq!(ids, ["1", "3"]);
    let said = allocate("jsonl", b"{\"a\": \"x\"}\n{\"a\": \"x\", \"b\": \"\xff\"}\n");
    assert_eq!((said.code, said.counts()), (3, (1, 1)));
    said.tells(&["line 2, field b: not valid UTF-8"]);
    let said = allocate("ntriples", b"<a:a> <a:b> \"\xff\" .\n<a:a> <a:b> <a:c> .\n");
    assert_eq!((said.code, said.counts()), (3, (1, 1)));
    said.tells(&["line 1, field object: not valid UTF-8"]);
}

/// 100 MB between two records, in each place where it can stand. The program holds a bounded part of it.
#[test]
fn a_field_of_100_mb() {
    const MEMORY_BYTES_MAX: u64 = 64 * 1024 * 1024;
    for (format, before, chunk, after) in [
        ("csv", &b"id,name,city\n1,a,b\n2,\""[..], &b"x"[..], &b"\",c\n3,d,e\n"[..]),
        ("csv", b"id,name,city\n1,a,b\n2,\"", b"line\nx,y\n", b"\",c\n3,d,e\n"),
        ("csv", b"id,name,city\n1,a,b\n2,", b"x", b",c\n3,d,e\n"),
        (
            "jsonl",
            b"{\"id\": 1, \"a\": \"b\"}\n{\"id\": 2, \"a\": \"",
            b"x",
            b"\"}\n{\"id\": 3, \"a\": \"b\"}\n",
        ),
        ("ntriples", b"<a:a> <a:b> <a:c> .\n<a:a> <a:b> \"", b"x", b"\" .\n<a:a> <a:b> <a:c> .\n"),
    ] {
        let said = with_writer(&["allocate", "-", "--format", format, "--json"], |stdin| {
            let block = chunk.repeat(1_000_000 / chunk.len());
            stdin.write_all(before).unwrap();
            (0..100).for_each(|_| stdin.write_all(&block).unwrap());
            stdin.write_all(after).unwrap();
        });
        assert_eq!((said.code, said.counts()), (3, (2, 1)), "{format} {}", said.err);
        let line = said.err.lines().find(|line| line.starts_with("rejected: line ")).unwrap();
        assert!(line.contains("at most 1048576 are taken") && line.contains("--record-bytes-max"), "{line}");
        if let Some(bytes) = said.report()["memory_peak_bytes"].as_u64() {
            assert!(bytes < MEMORY_BYTES_MAX, "{format}: {bytes} bytes");
        }
    }
}

#[test]
fn nul_bytes() {
    let (said, ids) = ids_of("csv", b"id,name\n1,a\n2,b\0c\n3,d\n");
    assert_eq!((said.code, said.counts()), (3, (2, 1)));
    said.tells(&["line 3, record 2, field name: NUL character at byte 1"]);
    assert_eq!(ids, ["1", "3"]);
    let said = allocate("jsonl", b"{\"a\": \"\\u0000\"}\n{\"a\": \"b\"}\n");
    assert_eq!((said.code, said.counts()), (3, (1, 1)));
    said.tells(&["line 1, record 1, field a: NUL character"]);
}

#[test]
fn bad_embeddings() {
    let long = vec!["0.5"; 5000].join(",");
    let input = format!(
        "{}\n{}\n{}\n{}\n{}\n{}\n{{\"a\": \"b\", \"embedding\": [{long}]}}\n{}\n",
        r#"{"a": "b", "embedding": [0.5, 0.5]}"#,
        r#"{"a": "b", "embedding": [NaN, 0.5]}"#,
        r#"{"a": "b", "embedding": [0.5, "x"]}"#,
        r#"{"a": "b", "embedding": 0.5}"#,
        r#"{"a": "b", "embedding": [1e39, 0.5]}"#,
        r#"{"a": "b", "embedding": [0, 0]}"#,
        r#"{"a": "c", "embedding": [0.25, 0.5]}"#,
    );
    let said = allocate("jsonl", input.as_bytes());
    assert_eq!((said.code, said.counts()), (3, (2, 6)), "{}", said.err);
    said.tells(&["line 2, field embedding: NaN is no JSON and no usable number"]);
    said.tells(&["line 3, record 3, field embedding: value 1 is \"x\""]);
    said.tells(&["line 4, record 4, field embedding: must be an array of numbers"]);
    said.tells(&["line 5, record 5, field embedding: value 0 is inf"]);
    said.tells(&["line 6, record 6, field embedding: all values are 0"]);
    said.tells(&["line 7, record 7, field embedding: 5000 dimensions"]);
}

#[test]
fn embeddings_of_another_length() {
    let said = allocate(
        "jsonl",
        b"{\"a\": \"b\", \"embedding\": [0.5, 0.5]}\n{\"a\": \"b\", \"embedding\": [1, 2, 3]}\n{\"a\": \"c\", \"embedding\": [1, 2]}\n",
    );
    assert_eq!((said.code, said.counts()), (3, (2, 1)), "{}", said.err);
    said.tells(&["line 2, record 2, field embedding: 3 dimensions, expected 2"]);
}

#[test]
fn lines_that_are_no_object() {
    let (said, ids) = ids_of("jsonl", b"{\"a\": \"b\"}\n[1, 2]\n7\n{\"a\": }\n\n{\"a\": \"c\"}\n");
    assert_eq!((said.code, said.counts()), (3, (2, 3)));
    said.tells(&["line 2: the line is no JSON object", "jq"]);
    said.tells(&["line 3: the line is no JSON object"]);
    said.tells(&["line 4, field a: the line is no valid JSON", "column 7"]);
    assert_eq!(ids, ["1", "6"]);
}

#[test]
fn bad_triples() {
    let said = allocate(
        "ntriples",
        b"<a:a> <a:b> <a:c> .\n<a:a> <no iri> <a:c> .\n<a:a> <a:b>\n<a:a> <a:b> <a:d> .\n",
    );
    assert_eq!((said.code, said.counts()), (3, (2, 2)));
    said.tells(&["line 2, field predicate: no valid N-Triples"]);
    said.tells(&["line 3, field "]);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const ROWS: u32 = 4_000;

/// Rows with many empty cells: enough bytes for several blocks of compression, little work for the engine.
fn many_rows() -> Vec<u8> {
    let names: String = (0..60).map(|column| format!(",c{column}")).collect();
    let empty = ",".repeat(60);
    let rows = (0..ROWS).map(|n| format!("{n},name {}{empty}\n", n.wrapping_mul(2_654_435_761)));
    [format!("id,name{names}\n")].into_iter().chain(rows).collect::<String>().into_bytes()
}

#[test]
fn broken_compression_keeps_what_came_before() {
    let text = many_rows();
    let whole = gzip(&text);
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    let frames = zstd::encode_all(&text[..], 1).unwrap();
    for (data, kept_all, told) in [
        (&whole[..whole.len() / 2], false, "the gzip data is broken or cut off"),
        (&wrong_sum, true, "the gzip data is broken or cut off"),
        (&frames[..frames.len() * 3 / 4], false, "the zstd data is broken or cut off"),
    ] {
        let (said, ids) = ids_of("csv", data);
        assert_eq!(said.code, 1);
        said.tells(&["error: reading stopped at line ", "after ", told]);
        let (records, rejected) = said.counts();
        assert_eq!(rejected, 0);
        assert_eq!(records == u64::from(ROWS), kept_all, "{records}");
        assert!(records > 100, "{records}");
        let expected: Vec<_> = (0..records).map(|n| n.to_string()).collect();
        assert_eq!(ids, expected, "whole records only, in order");
        assert!(said.report()["error"].as_str().unwrap().contains(&format!("after {records} records")));
    }
    let said = allocate("csv", &whole[..5]);
    assert_eq!(said.code, 1);
    said.tells(&["the gzip data is broken"]);
}

#[test]
fn files_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let said = cortexkg(&["allocate", "/no/such/file.csv"]);
    assert_eq!(said.code, 2);
    said.tells(&["cannot open /no/such/file.csv", "check the path"]);
    let said = cortexkg(&["allocate", path]);
    assert_eq!(said.code, 2);
    said.tells(&["is a directory"]);
    let input = folder.path().join("in.csv");
    std::fs::write(&input, "a\n1\n").unwrap();
    let input = input.to_str().unwrap();
    let said = cortexkg(&["allocate", input, "--out", input]);
    assert_eq!(said.code, 2);
    said.tells(&["--out and INPUT are the same file"]);
    let said = cortexkg(&["allocate", input, "--out", "/no/such/folder/out.csv"]);
    assert_eq!(said.code, 2);
    said.tells(&["cannot write /no/such/folder/out.csv"]);
    let said = cortexkg(&["allocate", input, "--out", "-", "--json"]);
    assert_eq!(said.code, 2);
    said.tells(&["only one of"]);
}

#[test]
fn many_rejections_are_counted_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects.jsonl");
    let mut input = b"id,name\n".to_vec();
    (0..25).for_each(|_| input.extend(b"x\n"));
    input.extend(b"1,a\n");
    let said = with_input(&["allocate", "-", "--json", "--rejects", rejects.to_str().unwrap()], &input);
    assert_eq!((said.code, said.counts()), (3, (1, 25)));
    assert_eq!(said.err.lines().filter(|line| line.starts_with("rejected: line ")).count(), 10);
    said.tells(&["rejected: 15 more", "rejects.jsonl"]);
    let written = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(written.lines().count(), 25);
    let first: serde_json::Value = serde_json::from_str(written.lines().next().unwrap()).unwrap();
    assert_eq!(first["line"], 2);
    assert!(first["message"].as_str().unwrap().contains("1 columns, the header has 2"));
}
