//! BERT encoders: a tiny one with made-up weights.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{Tensor, cosine, embedded, f32_tensor, write_tensors, write_tokenizer};
use cortexkg_embed::{ModelFiles, ModelKind, load};

const WORDS: [&str; 4] = ["[UNK]", "kidney", "renal", "nose"];
const HIDDEN: usize = 8;
const INNER: usize = 16;
const POSITIONS: usize = 12;

/// Numbers that look random and are always the same, between -0.5 and 0.5.
fn made_up(name: &str, count: usize) -> Vec<f32> {
    let mut state =
        name.bytes().fold(7u32, |state, byte| state.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

fn tensors() -> Vec<Tensor> {
    let mut tensors = Vec::new();
    let mut tensor = |name: &str, shape: &[usize]| {
        tensors.push(f32_tensor(name, shape, &made_up(name, shape.iter().product())));
    };
    tensor("embeddings.word_embeddings.weight", &[WORDS.len(), HIDDEN]);
    tensor("embeddings.position_embeddings.weight", &[POSITIONS, HIDDEN]);
    tensor("embeddings.token_type_embeddings.weight", &[2, HIDDEN]);
    for norm in ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"] {
        tensor(&format!("{norm}.LayerNorm.weight"), &[HIDDEN]);
        tensor(&format!("{norm}.LayerNorm.bias"), &[HIDDEN]);
    }
    for (linear, out, within) in [
        ("attention.self.query", HIDDEN, HIDDEN),
        ("attention.self.key", HIDDEN, HIDDEN),
        ("attention.self.value", HIDDEN, HIDDEN),
        ("attention.output.dense", HIDDEN, HIDDEN),
        ("intermediate.dense", INNER, HIDDEN),
        ("output.dense", HIDDEN, INNER),
    ] {
        tensor(&format!("encoder.layer.0.{linear}.weight"), &[out, within]);
        tensor(&format!("encoder.layer.0.{linear}.bias"), &[out]);
    }
    tensors
}

fn config() -> serde_json::Value {
    serde_json::json!({
        "model_type": "bert", "architectures": ["BertModel"], "vocab_size": WORDS.len(), "hidden_size": HIDDEN,
        "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": INNER, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "max_position_embeddings": POSITIONS, "type_vocab_size": 2,
        "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
        "position_embedding_type": "absolute", "use_cache": true, "classifier_dropout": null,
    })
}

fn model(folder: &Path, padded: bool) {
    write_tensors(&folder.join("model.safetensors"), &tensors());
    write_tokenizer(&folder.join("tokenizer.json"), &WORDS, padded);
    fs::write(folder.join("config.json"), config().to_string()).unwrap();
}

#[track_caller]
fn refused(folder: &Path, parts: &[&str]) {
    let error = load(folder).expect_err("no model").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{parts:?} not all in: {error}");
}

#[test]
fn a_text_is_the_mean_of_its_tokens_in_their_places() {
    let [plain, padded] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    model(plain.path(), false);
    model(padded.path(), true);
    assert_eq!(ModelFiles::find(plain.path()).unwrap().kind(), ModelKind::MiniLm);
    let [plain, padded] = [plain, padded].map(|folder| load(folder.path()).unwrap());
    assert_eq!((plain.dimension(), plain.is_lexical()), (HIDDEN, false));
    for text in ["kidney", "renal nose kidney", "something kidney"] {
        // Neither padded nor cut, whatever the tokenizer's file says.
        assert_eq!(embedded(&*plain, text), embedded(&*padded, text), "{text}");
        assert_eq!(embedded(&*plain, text), embedded(&*plain, text), "{text}");
    }
    // The same words in another order are another text to it.
    let there_and_back = ["kidney nose renal", "renal nose kidney"].map(|text| embedded(&*plain, text));
    let [one, two] = &there_and_back;
    assert!(cosine(one, two) > 0.5 && one != two);
    assert_eq!(embedded(&*plain, " "), [0.0; HIDDEN]);
    assert_ne!(plain.identity(), padded.identity());
}

#[test]
fn a_text_longer_than_the_positions_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path(), false);
    let model = load(folder.path()).unwrap();
    assert_eq!(embedded(&*model, &"nose ".repeat(POSITIONS)), embedded(&*model, &"nose ".repeat(100_000)));
}

#[test]
fn files_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    model(path, false);
    let with = |key: &str, value: serde_json::Value| {
        let mut config = config();
        config[key] = value;
        fs::write(path.join("config.json"), config.to_string()).unwrap();
    };
    with("hidden_size", 0.into());
    refused(path, &["config.json", "hidden_size is 0"]);
    with("num_attention_heads", 3.into());
    refused(path, &["config.json", "3 heads"]);
    with("max_position_embeddings", 1.into());
    refused(path, &["max_position_embeddings is 1"]);
    with("num_hidden_layers", 2.into());
    refused(path, &["model.safetensors", "does not hold the encoder"]);
    with("hidden_act", "quelu".into());
    refused(path, &["config.json", "does not describe"]);
    with("hidden_act", "gelu".into());
    fs::create_dir(path.join("1_Pooling")).unwrap();
    fs::write(path.join("1_Pooling/config.json"), r#"{"pooling_mode_mean_tokens": false}"#).unwrap();
    refused(path, &["1_Pooling", "without mean pooling"]);
    fs::write(path.join("1_Pooling/config.json"), r#"{"pooling_mode_mean_tokens": true}"#).unwrap();
    load(path).unwrap();
    fs::remove_file(path.join("config.json")).unwrap();
    refused(path, &["matrices", "config.json"]);
}
