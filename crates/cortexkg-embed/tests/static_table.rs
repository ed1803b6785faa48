//! Static models: files in either layout, what a text becomes, and what is said of files that are wrong.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{cosine, embedded, f32_tensor, write_tensors, write_tokenizer};
use cortexkg_embed::{ModelFiles, ModelKind, load};

const WORDS: [&str; 4] = ["[UNK]", "kidney", "renal", "nose"];
const TABLE: [f32; 8] = [9.0, 9.0, 1.0, 0.125, 1.0, 0.25, -0.5, 2.0];

/// A whole model in the layout of model2vec.
fn model(folder: &Path) {
    write_tensors(&folder.join("model.safetensors"), &[f32_tensor("embeddings", &[4, 2], &TABLE)]);
    write_tokenizer(&folder.join("tokenizer.json"), &WORDS, true);
    fs::write(folder.join("config.json"), r#"{"model_type": "model2vec", "normalize": true}"#).unwrap();
}

#[track_caller]
fn refused(folder: &Path, parts: &[&str]) {
    let error = load(folder).expect_err("no model").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{parts:?} not all in: {error}");
}

#[test]
fn a_text_is_the_sum_of_its_known_tokens() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path());
    assert_eq!(ModelFiles::find(folder.path()).unwrap().kind(), ModelKind::Static);
    let model = load(folder.path()).unwrap();
    assert_eq!((model.dimension(), model.is_lexical()), (2, false));
    // Neither cut to two tokens nor padded with kidneys, whatever the file says.
    assert_eq!(embedded(&*model, "kidney strange nose nose"), [0.0, 4.125]);
    assert_eq!(embedded(&*model, ""), [0.0, 0.0]);
    assert_eq!(embedded(&*model, "strange"), [0.0, 0.0]);
    let near = cosine(&embedded(&*model, "kidney"), &embedded(&*model, "renal"));
    assert!(near > 0.98 && near > cosine(&embedded(&*model, "kidney"), &embedded(&*model, "nose")));
}

#[test]
fn a_long_text_costs_no_more_than_its_first_tokens() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path());
    let model = load(folder.path()).unwrap();
    assert_eq!(embedded(&*model, &"nose ".repeat(100_000)), [-256.0, 1024.0]);
    // Cut within a character.
    embedded(&*model, &format!("x{}", "ñ".repeat(10_000)));
}

#[test]
fn a_model_is_known_by_its_contents_not_by_its_place() {
    let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    model(one.path());
    // The same files in the layout of WordLlama, without a configuration.
    write_tensors(&two.path().join("weights/l2.safetensors"), &[f32_tensor("embeddings", &[4, 2], &TABLE)]);
    write_tokenizer(&two.path().join("tokenizers/l2_config.json"), &WORDS, true);
    let [first, second] = [&one, &two].map(|folder| load(folder.path()).unwrap());
    assert_eq!(first.identity(), second.identity());
    assert!(first.identity().contains("static") && first.identity().contains("dimension: 2"));
    assert_eq!(embedded(&*first, "nose"), embedded(&*second, "nose"));
    // The only matrix is the table, whatever its name; but another file is another model.
    write_tensors(
        &two.path().join("weights/l2.safetensors"),
        &[f32_tensor("embedding.weight", &[4, 2], &TABLE)],
    );
    let renamed = load(two.path()).unwrap();
    assert_eq!(embedded(&*renamed, "nose kidney"), embedded(&*first, "nose kidney"));
    assert_ne!(renamed.identity(), first.identity());
}

#[test]
fn tables_may_be_weighted_mapped_and_narrow() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path());
    let half: Vec<u8> = [0x3c00u16, 0xc000].into_iter().flat_map(u16::to_le_bytes).collect();
    let mapping: Vec<u8> = [0i64, 0, 0, 0].into_iter().flat_map(i64::to_le_bytes).collect();
    write_tensors(
        &folder.path().join("model.safetensors"),
        &[
            ("embeddings".into(), "F16", vec![1, 2], half),
            f32_tensor("weights", &[4], &[1.0, 1.0, 0.5, 2.0]),
            ("mapping".into(), "I64", vec![4], mapping),
        ],
    );
    let model = load(folder.path()).unwrap();
    assert_eq!(embedded(&*model, "renal nose"), [2.5, -5.0]);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    refused(&path.join("nowhere"), &["nowhere", "is no folder"]);
    refused(path, &["*.safetensors", "whole model"]);
    model(path);
    let whole = fs::read(path.join("model.safetensors")).unwrap();

    fs::remove_file(path.join("tokenizer.json")).unwrap();
    refused(path, &["no tokenizer.json"]);
    fs::write(path.join("tokenizer.json"), "{}").unwrap();
    refused(path, &["tokenizer.json", "is no tokenizer", "get the model's files again"]);
    write_tokenizer(&path.join("tokenizer.json"), &WORDS, false);

    fs::write(path.join("other.safetensors"), &whole).unwrap();
    refused(path, &["several files .safetensors"]);
    fs::remove_file(path.join("other.safetensors")).unwrap();

    fs::write(path.join("model.safetensors"), &whole[..whole.len() - 3]).unwrap();
    refused(path, &["model.safetensors", "is no safetensors file"]);
    let write = |tensors: &[common::Tensor]| write_tensors(&path.join("model.safetensors"), tensors);
    write(&[f32_tensor("a", &[1, 2], &[1.0; 2]), f32_tensor("b", &[1, 2], &[1.0; 2])]);
    refused(path, &["2 matrices", "embeddings"]);
    write(&[f32_tensor("a", &[2], &[1.0; 2])]);
    refused(path, &["no matrix"]);
    write(&[f32_tensor("embeddings", &[2, 2], &[1.0, 2.0, f32::NAN, 0.0])]);
    refused(path, &["row 1", "not finite"]);
    write(&[("embeddings".into(), "U8", vec![1, 2], vec![1, 2])]);
    refused(path, &["U8"]);
    let mapping = 7i64.to_le_bytes().to_vec();
    write(&[f32_tensor("embeddings", &[2, 1], &[1.0; 2]), ("mapping".into(), "I64", vec![1], mapping)]);
    refused(path, &["mapping", "not among 2"]);

    fs::write(path.join("config.json"), r#"{"model_type": "roberta"}"#).unwrap();
    refused(path, &["config.json", "roberta", "all-MiniLM-L6-v2"]);
    fs::write(path.join("config.json"), "{").unwrap();
    refused(path, &["config.json", "is no JSON"]);
}

/// A table that is smaller than the vocabulary: what has no row says nothing.
#[test]
fn tokens_without_a_row_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path());
    write_tensors(
        &folder.path().join("model.safetensors"),
        &[f32_tensor("embeddings", &[2, 2], &TABLE[..4])],
    );
    let model = load(folder.path()).unwrap();
    assert_eq!(embedded(&*model, "nose kidney"), [1.0, 0.125]);
}
