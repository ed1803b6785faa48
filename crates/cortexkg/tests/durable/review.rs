//! Close calls are listed until somebody settles them.

use cortexkg::{CloseCall, DurableEngine};
use cortexkg_store::MemoryStore;

use crate::common::picture::{empty, take_in};
use crate::common::stream::facts;

#[test]
fn a_close_call_is_open_until_it_is_settled_and_again_after_that_is_undone() {
    let mut graph = empty();
    take_in(&mut graph, facts(11, 400));
    let open = |graph: &DurableEngine<MemoryStore>| graph.view(None).unwrap().open_calls().unwrap();
    let before = open(&graph);
    assert!(before.len() > 2, "{}", before.len());
    assert!(before.is_sorted_by(|a, b| a.probability >= b.probability));
    assert!(before[0].probability > 0.0);
    let names = |call: &CloseCall| {
        [&call.mention, &call.other_mention].map(|end| (end.source.clone(), end.record_id.clone()))
    };
    let settle = |graph: &mut DurableEngine<MemoryStore>, at: usize, is_same: bool| {
        let [left, right] = names(&before[at]);
        let ends = ((&*left.0, &*left.1), (&*right.0, &*right.1));
        let linked =
            if is_same { graph.must_link(ends.0, ends.1) } else { graph.cannot_link(ends.0, ends.1) };
        linked.unwrap().position
    };
    for is_same in [true, false] {
        let position = settle(&mut graph, 0, is_same);
        assert!(open(&graph).iter().all(|call| names(call) != names(&before[0])), "{is_same}");
        graph.undo(position).unwrap();
        assert_eq!(open(&graph), before, "{is_same}");
    }
}
