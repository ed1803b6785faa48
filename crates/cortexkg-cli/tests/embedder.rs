//! `--embedder`: models from local files, and graphs that do without them afterwards.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../cortexkg-embed/tests/common/mod.rs"]
mod model;

use std::fs;
use std::path::Path;

use common::cortexkg;

/// A static model in which a kidney and what is renal are the same.
fn static_model(folder: &Path) {
    let table = [9.0, 9.0, 1.0, 0.1, 1.0, 0.1, -0.5, 2.0, 0.3, -1.0];
    let table = model::f32_tensor("embeddings", &[5, 2], &table);
    model::write_tensors(&folder.join("model.safetensors"), &[table]);
    let words = ["[UNK]", "kidney", "renal", "nose", "disease"];
    model::write_tokenizer(&folder.join("tokenizer.json"), &words, false);
}

#[test]
fn what_is_no_model_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.csv");
    fs::write(&input, "id,term\na,kidney\n").unwrap();
    let (input, nowhere) = (input.to_str().unwrap(), folder.path().join("nowhere"));
    for command in ["allocate", "evaluate"] {
        let said = cortexkg(&[command, input, "--embedder", nowhere.to_str().unwrap()]);
        assert_eq!(said.code, 2, "{}", said.err);
        said.tells(&["--embedder", "nowhere", "is no folder"]);
        let said = cortexkg(&[command, input, "--embedder", folder.path().to_str().unwrap()]);
        assert_eq!(said.code, 2, "{}", said.err);
        said.tells(&["there is no *.safetensors"]);
    }
}

#[cfg(not(any(feature = "static-embedder", feature = "minilm-embedder")))]
#[test]
fn a_program_without_models_says_how_to_build_one_with() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.csv");
    fs::write(&input, "id,term\na,kidney\n").unwrap();
    static_model(folder.path());
    let args = ["allocate", input.to_str().unwrap(), "--embedder", folder.path().to_str().unwrap()];
    let said = cortexkg(&args);
    assert_eq!(said.code, 2, "{}", said.err);
    said.tells(&["static model", "--features static-embedder"]);
    fs::write(folder.path().join("config.json"), r#"{"model_type": "bert"}"#).unwrap();
    let said = cortexkg(&args);
    assert_eq!(said.code, 2, "{}", said.err);
    said.tells(&["BERT model", "--features minilm-embedder"]);
}

#[cfg(feature = "static-embedder")]
#[test]
fn a_graph_keeps_what_its_model_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (first, second, graph, models) =
        (path("first.csv"), path("second.csv"), path("graph"), path("models"));
    fs::write(&first, "id,term\na,kidney disease\nb,nose disease\nc,renal disease\n").unwrap();
    fs::write(&second, "id,term\nd,kidney\n").unwrap();
    static_model(Path::new(&models));
    let hash = |said: &common::Said| said.report()["state_hash"].as_str().unwrap().to_owned();

    let memory = cortexkg(&["allocate", &first, "--json", "--embedder", &models]);
    let words = cortexkg(&["allocate", &first, "--json"]);
    let kept = cortexkg(&["allocate", &first, "--json", "--data", &graph, "--embedder", &models]);
    assert_eq!((memory.code, kept.code), (0, 0), "{} {}", memory.err, kept.err);
    assert_eq!(hash(&memory), hash(&kept));
    assert_ne!(hash(&memory), hash(&words));

    let card = cortexkg(&["evaluate", &first, "--json", "--embedder", &models]);
    assert_eq!(card.code, 0, "{}", card.err);

    // Without the model: it reads, searches, verifies, undoes; known records are known, new ones need it.
    let verified = cortexkg(&["verify", "--data", &graph]);
    assert_eq!(verified.code, 0, "{} {}", verified.out, verified.err);
    assert_eq!(cortexkg(&["search", "kidney", "--data", &graph]).code, 0);
    let again = cortexkg(&["allocate", &first, "--json", "--data", &graph]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(hash(&again), hash(&kept));
    let refused = cortexkg(&["allocate", &second, "--json", "--data", &graph]);
    assert_eq!((refused.code, refused.counts()), (3, (0, 1)), "{}", refused.err);
    refused.tells(&["record d", "--embedder PATH", "2 dimensions"]);
    assert_eq!(cortexkg(&["undo", "2", "--data", &graph]).code, 0);

    // Moved elsewhere it is the same model; changed it is another one.
    fs::rename(&models, path("moved")).unwrap();
    let later = cortexkg(&["allocate", &second, "--json", "--data", &graph, "--embedder", &path("moved")]);
    assert_eq!((later.code, later.counts()), (0, (1, 0)), "{}", later.err);
    let words = ["[UNK]", "renal", "kidney", "nose", "disease"];
    model::write_tokenizer(Path::new(&path("moved/tokenizer.json")), &words, false);
    let other = cortexkg(&["allocate", &second, "--data", &graph, "--embedder", &path("moved")]);
    assert_eq!(other.code, 2, "{}", other.err);
    other.tells(&["made with the embedder Model", "not with Model"]);
    assert_eq!(cortexkg(&["verify", "--data", &graph]).code, 0);
}
