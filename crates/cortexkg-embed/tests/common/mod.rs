//! Models of a few tokens, made by the tests.
#![allow(dead_code, missing_docs, unreachable_pub)]

use std::fs;
use std::path::Path;

/// One tensor of a safetensors file: name, type, shape, bytes.
pub type Tensor = (String, &'static str, Vec<usize>, Vec<u8>);

pub fn f32_tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
    (name.to_owned(), "F32", shape.to_vec(), values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// A safetensors file: the length of a JSON header, the header, the bytes.
pub fn write_tensors(path: &Path, tensors: &[Tensor]) {
    let mut header = serde_json::Map::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, dtype, shape, bytes) in tensors {
        let offsets = [data.len(), data.len() + bytes.len()];
        data.extend(bytes);
        header.insert(
            name.clone(),
            serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": offsets }),
        );
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, file).expect("a file");
}

/// A tokenizer of whole words; the first is what unknown words become. `padded` pads every text to 64 tokens and cuts it to 2, as
/// some files do.
pub fn write_tokenizer(path: &Path, words: &[&str], padded: bool) {
    let vocabulary: serde_json::Map<_, _> =
        words.iter().enumerate().map(|(at, word)| ((*word).to_owned(), at.into())).collect();
    let padding = serde_json::json!({
        "strategy": { "Fixed": 64 }, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 1, "pad_type_id": 0, "pad_token": words[1],
    });
    let truncation = serde_json::json!({
        "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0,
    });
    let tokenizer = serde_json::json!({
        "version": "1.0",
        "truncation": padded.then_some(truncation),
        "padding": padded.then_some(padding),
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": { "type": "Whitespace" },
        "post_processor": null,
        "decoder": null,
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": words[0] },
    });
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, tokenizer.to_string()).expect("a file");
}

/// What a model says of a text.
pub fn embedded(model: &dyn cortexkg::embed::Embedder, text: &str) -> Vec<f32> {
    let mut out = vec![0.0; model.dimension()];
    model.embed(text, &mut out).expect("a vector");
    out
}

pub fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}
