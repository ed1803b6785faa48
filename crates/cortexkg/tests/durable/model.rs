//! Graphs whose embedder is a model: what it says is asked for once, stored, and never needed again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cortexkg::embed::{EmbedError, Embedder};
use cortexkg::{
    AllocationEngine, Depth, DurableEngine, EngineConfig, Fact, FactError, Forget, OperationError,
};
use cortexkg_store::{MemoryStore, Sync};

use crate::common::picture::{Picture, check_roads, empty, open, take_in};
use crate::common::stream::facts;

/// Counts what it is asked for. Texts of like lengths are alike to it; `turn` makes it another model.
#[derive(Debug, Default)]
struct Counting {
    calls: AtomicUsize,
    turn: u8,
}

impl Embedder for Counting {
    fn dimension(&self) -> usize {
        3
    }

    fn embed(&self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if text.starts_with("unspeakable") {
            return Err(EmbedError("the model chokes on it".into()));
        }
        // A third of all texts has no direction.
        if !text.len().is_multiple_of(3) {
            out[0] = 1.0 + f32::from(self.turn);
            out[1] = text.len() as f32;
            out[2] = -0.3;
        }
        Ok(())
    }

    fn identity(&self) -> String {
        format!("Counting {}", self.turn)
    }
}

fn with(model: &Arc<Counting>) -> EngineConfig {
    EngineConfig { embedder: model.clone(), ..EngineConfig::default() }
}

/// A graph made with a model, of `count` facts in batches.
fn modelled(model: &Arc<Counting>, seed: u64, count: usize) -> DurableEngine<MemoryStore> {
    let mut graph = DurableEngine::open(MemoryStore::default(), with(model)).unwrap();
    for part in facts(seed, count).chunks(17) {
        take_in(&mut graph, part.to_vec());
    }
    graph
}

fn mentions(facts: &[Fact]) -> usize {
    let engine = AllocationEngine::new(EngineConfig::default());
    facts.iter().map(|fact| engine.perceive(fact.clone()).unwrap().mention_count()).sum()
}

#[test]
fn a_model_is_asked_once_for_each_mention() {
    let model = Arc::new(Counting::default());
    let facts = facts(31, 200);
    let mut long = AllocationEngine::new(with(&model));
    facts.iter().for_each(|fact| drop(long.allocate_fact(fact.clone()).unwrap()));
    assert_eq!(model.calls.swap(0, Ordering::Relaxed), mentions(&facts));

    let mut graph = modelled(&model, 31, 200);
    assert_eq!(model.calls.swap(0, Ordering::Relaxed), mentions(&facts));
    assert_eq!(graph.state_hash().unwrap(), long.state_hash());

    // Facts that are known, on one thread and on two.
    let known: Vec<_> = facts.iter().filter(|fact| fact.record_id.is_some()).cloned().collect();
    assert!(take_in(&mut graph, known.clone()).iter().all(|result| result.repeated));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    graph.allocate_batch_in(&pool, known, Sync::Lazy).unwrap();
    // From the log, from a snapshot, and by whatever else reads facts again.
    let graph = DurableEngine::open(graph.close().unwrap(), with(&model)).unwrap();
    assert_eq!((graph.opening().is_rebuilt, graph.opening().repeated), (true, 200));
    assert_eq!(graph.state_hash().unwrap(), long.state_hash());
    let mut graph = graph;
    graph.checkpoint().unwrap();
    let mut graph = DurableEngine::open(graph.close().unwrap(), with(&model)).unwrap();
    assert_eq!((graph.opening().is_rebuilt, graph.opening().repeated), (false, 0));
    assert_eq!(graph.state_hash().unwrap(), long.state_hash());
    assert!(graph.verify(Depth::Rebuild, &mut |_| ()).unwrap().is_clean());
    graph.undo(150).unwrap();
    let (forget, _) = graph.forget(&Forget::Source("census")).unwrap();
    graph.undo(forget).unwrap();
    let (_, _) = graph.forget(&Forget::Source("letters")).unwrap();
    graph.compact().unwrap();
    assert!(graph.verify(Depth::Rebuild, &mut |_| ()).unwrap().is_clean());
    assert_eq!(model.calls.load(Ordering::Relaxed), 0);
}

/// Every road below opens the graph without its model.
#[test]
fn a_graph_is_whole_without_its_model() {
    let model = Arc::new(Counting::default());
    let graph = modelled(&model, 32, 150);
    let made = Picture::of(&graph);
    let calls = model.calls.load(Ordering::Relaxed);
    check_roads(&graph, "a model");
    let mut without = open(graph.close().unwrap());
    assert_eq!(Picture::of(&without), made);
    assert!(without.verify(Depth::Rebuild, &mut |_| ()).unwrap().is_clean());
    let ids: Vec<_> = without.engine().node_ids().collect();
    let merge = without.merge(ids[0], ids[1]).unwrap();
    without.undo(merge).unwrap();
    without.undo(140).unwrap();
    without.forget(&Forget::Source("letters")).unwrap();
    check_roads(&without, "without the model");
    without.compact().unwrap();
    check_roads(&without, "compacted without the model");

    let before = without.state_hash().unwrap();
    let error = without.allocate_fact(Fact::text("Konrad Zuse").with_id("z")).unwrap_err();
    let OperationError::Fact(FactError::NotEmbedded { record, .. }) = &error else { panic!("{error}") };
    assert_eq!(record, "z");
    let text = error.to_string();
    assert!(
        text.contains("Counting 0") && text.contains("--embedder") && text.contains("3 dimensions"),
        "{text}"
    );
    assert_eq!(without.state_hash().unwrap(), before);
    // What brings a vector needs no model, and a record that is known neither.
    let brings = Fact::text("Konrad Zuse").with_id("z").with_embedding(vec![0.5, 0.1, 0.0]);
    assert!(!take_in(&mut without, vec![brings.clone()])[0].repeated);
    assert!(take_in(&mut without, vec![Fact::text("Konrad Zuse").with_id("z")])[0].repeated);
    assert_eq!(model.calls.load(Ordering::Relaxed), calls);

    // With the model again it goes on as if it had never been away.
    let mut again = DurableEngine::open(without.close().unwrap(), with(&model)).unwrap();
    take_in(&mut again, vec![Fact::text("Alan Turing").with_id("t")]);
    assert_eq!(model.calls.load(Ordering::Relaxed), calls + 1);
    check_roads(&again, "with the model again");
}

#[test]
fn another_model_is_refused() {
    let model = Arc::new(Counting::default());
    let other = Arc::new(Counting { turn: 1, ..Counting::default() });
    let store = modelled(&model, 33, 20).close().unwrap();
    let Err(error) = DurableEngine::open(store.clone(), with(&other)) else { panic!("opened") };
    assert!(matches!(error, OperationError::Embedder { .. }), "{error}");
    assert!(error.to_string().contains("Counting 0") && error.to_string().contains("Counting 1"), "{error}");
    // Nor is a model taken where the words did before.
    let mut words = empty();
    take_in(&mut words, facts(33, 20));
    let Err(error) = DurableEngine::open(words.close().unwrap(), with(&model)) else { panic!("opened") };
    assert!(matches!(error, OperationError::Embedder { .. }), "{error}");
    // Other rules are other rules, whatever the embedder.
    let rules = EngineConfig { prior_bits: 5, ..EngineConfig::default() };
    assert!(matches!(DurableEngine::open(store, rules), Err(OperationError::Config { .. })));
}

#[test]
fn what_the_model_refuses_changes_nothing() {
    let model = Arc::new(Counting::default());
    let mut graph = modelled(&model, 34, 30);
    let before = graph.state_hash().unwrap();
    let error = graph.allocate_fact(Fact::text("unspeakable").with_id("u")).unwrap_err();
    assert!(error.to_string().contains("record u") && error.to_string().contains("chokes"), "{error}");
    assert_eq!(graph.state_hash().unwrap(), before);
    take_in(&mut graph, vec![Fact::text("speakable").with_id("u")]);
}
