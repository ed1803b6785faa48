//! The nodes of the graph on the columns: each on one of its own, near those that it was weighed against.

use cortexkg::{Ballot, NodeId};
use cortexkg_columns::{ColumnAllocator, Request, Spread};

/// Nodes stand behind all concepts of callers, which are below 2³².
const NODES: u64 = 1 << 32;
/// Most relatives that a node is put near to: the strongest competitors of its ballot.
const RELATIVES_MAX: usize = 8;
/// What an edge weighs beside evidence, in 1/256 bit.
pub(crate) const EDGE_WEIGHT: u32 = 8 * 256;

/// A node with what it weighs, in 1/256 bit.
pub(crate) type Relative = (NodeId, u32);

/// Whose column it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A concept of the caller's.
    Concept(u64),
    /// A node.
    Node(NodeId),
}

impl Holder {
    pub(crate) fn of(concept: u64) -> Self {
        concept.checked_sub(NODES).map_or(Self::Concept(concept), |node| Self::Node(NodeId(node)))
    }
}

fn concept(node: NodeId) -> u64 {
    NODES.saturating_add(node.0)
}

/// What a mention shares with the nodes that it was weighed against: all that spoke for each, whatever spoke against it.
pub(crate) fn relatives(ballot: &Ballot) -> Vec<Relative> {
    let shared = ballot.competitors.iter().map(|competitor| {
        let said = competitor.votes.iter().map(|vote| i64::from(vote.bits.0.max(0))).sum::<i64>();
        (competitor.node, u32::try_from(said).unwrap_or(u32::MAX))
    });
    let mut relatives: Vec<Relative> = shared.collect();
    relatives.retain(|&(_, weight)| weight > 0);
    relatives.sort_by_key(|&(_, weight)| std::cmp::Reverse(weight));
    relatives.truncate(RELATIVES_MAX);
    relatives
}

/// The column of a node.
pub(crate) fn column_of(pool: &ColumnAllocator, node: NodeId) -> Option<u32> {
    pool.column_of(concept(node)).map(|column| column.0)
}

/// The columns, to put nodes on.
pub(crate) struct Map<'a> {
    pub(crate) pool: &'a mut ColumnAllocator,
    /// Milliseconds since 1970.
    pub(crate) time: u64,
    /// Columns that there may be.
    pub(crate) columns_max: u32,
}

impl Map<'_> {
    /// Lights up the column of a node; one that has none gets one beside its relatives, if any is free.
    pub(crate) fn light(&mut self, node: NodeId, relatives: &[Relative]) {
        if self.pool.activate(concept(node), 1.0).is_ok() {
            return;
        }
        let related: Vec<(u64, u32)> =
            relatives.iter().map(|&(other, weight)| (concept(other), weight)).collect();
        self.make_room();
        let request = Request { concept: concept(node), related: &related, time: self.time };
        // A full map is told by the absence of a column.
        let _ = self.pool.allocate_request(&request);
    }

    /// Whether a node that has no column would get one.
    pub(crate) fn has_room(&self) -> bool {
        self.pool.free_count() > 0 || self.pool.grid().column_count() < self.columns_max
    }

    /// A map of which less than a quarter is free grows fourfold, a square into the next larger one: columns keep their numbers and cells. What is unrelated is
    /// put where there is room, so that what comes later finds some beside its relatives.
    fn make_room(&mut self) {
        self.pool.set_spread(Spread::Roomy);
        let columns = self.pool.grid().column_count();
        if self.pool.free_count() <= columns / 4 && columns < self.columns_max {
            // Where it fails the map gets full, which is told by the absence of a column.
            let _ = self.pool.grow(columns.saturating_mul(4).min(self.columns_max));
        }
    }

    /// Frees the columns of nodes that are no more.
    pub(crate) fn keep_only(&mut self, is_alive: impl Fn(NodeId) -> bool) {
        let held: Vec<u64> = self.pool.states().map(|state| state.concept).collect();
        for concept in held {
            if let Holder::Node(node) = Holder::of(concept)
                && !is_alive(node)
            {
                self.pool.deallocate(concept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_concepts_of_the_same_number_are_two() {
        assert_eq!(Holder::of(7), Holder::Concept(7));
        assert_eq!(Holder::of(concept(NodeId(7))), Holder::Node(NodeId(7)));
        assert_eq!(Holder::of(concept(NodeId(0))), Holder::Node(NodeId(0)));
        assert_eq!(Holder::of(u64::from(u32::MAX)), Holder::Concept(u64::from(u32::MAX)));
    }

    #[test]
    fn a_full_map_grows_until_it_may_not() {
        let mut pool = ColumnAllocator::with_columns(16).unwrap();
        let mut map = Map { pool: &mut pool, time: 0, columns_max: 100 };
        (0..101).for_each(|node| map.light(NodeId(node), &[]));
        assert!(!map.has_room());
        assert_eq!(pool.grid().column_count(), 100);
        assert!((0..100).all(|node| column_of(&pool, NodeId(node)).is_some()));
        assert_eq!(column_of(&pool, NodeId(100)), None);
    }

    #[test]
    fn a_column_goes_with_its_node() {
        let mut pool = ColumnAllocator::with_columns(16).unwrap();
        pool.allocate(3, &[]).unwrap();
        pool.allocate(concept(NodeId(3)), &[]).unwrap();
        pool.allocate(concept(NodeId(4)), &[]).unwrap();
        Map { pool: &mut pool, time: 0, columns_max: 16 }.keep_only(|node| node == NodeId(4));
        assert_eq!(column_of(&pool, NodeId(3)), None);
        assert!(column_of(&pool, NodeId(4)).is_some());
        assert!(pool.column_of(3).is_some());
    }
}
