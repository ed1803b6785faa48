//! What a thing has from its classes: defaults, and the exceptions to them.
//!
//! Where triples say that a penguin *is a* bird and that a bird flies, a penguin flies, unless something nearer says otherwise.
//! A class's statements are defaults for all that is tied to it by `is_a`, `rdf:type` or `rdfs:subClassOf`, over any number of
//! steps up to [`DEPTH_MAX`]. What a thing states itself overrides what it inherits; a nearer class overrides a farther one. A
//! statement that contradicts a default is an exception and is kept with its reason.
//!
//! Nothing of this is stored: it follows from the edges that stand, so that whatever moves edges (a merge, a split, forgetting,
//! taking back) moves it, too, and no second truth can disagree with the first.
//!
//! Two objects contradict each other only where a predicate is *functional as far as the graph shows*: no more than one subject in
//! sixteen has several objects. Otherwise (`eats`, `knows`) a default adds to what is stated.
//!
//! The words for "is a" are the one vocabulary that the engine knows: they stand for the relation, not for any data.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::graph::{NodeId, POSSIBLY_SAME};
use crate::perceive::local_name;

/// Most steps between a thing and a class whose defaults it has.
pub(crate) const DEPTH_MAX: u32 = 16;
/// Most classes of one thing that are looked at, the nearest first.
const CLASSES_MAX: usize = 256;
/// A predicate is functional while no more than one subject in so many has several objects.
const SEVERAL_MAX: u64 = 16;

const RDF_TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
/// What vocabularies say of names and of themselves: a label of a class is not that of its members.
const ABOUT_NAMES: [&str; 8] = [
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/2004/02/skos/core#",
    "rdf:",
    "rdfs:",
    "owl:",
    "skos:",
];

/// Whether a predicate ties a thing to its class, or a class to a wider one.
pub(crate) fn is_class_relation(predicate: &str) -> bool {
    if predicate == RDF_TYPE || predicate.eq_ignore_ascii_case("rdf:type") {
        return true;
    }
    let letters = local_name(predicate).chars().filter(|character| character.is_alphanumeric());
    let word: String = letters.flat_map(char::to_lowercase).collect();
    matches!(word.as_str(), "isa" | "subclassof" | "instanceof")
}

/// Whether what a class states with this predicate is a default for its members.
fn is_inheritable(predicate: &str) -> bool {
    predicate != POSSIBLY_SAME
        && !is_class_relation(predicate)
        && !ABOUT_NAMES.iter().any(|vocabulary| predicate.starts_with(vocabulary))
}

/// One edge that leaves a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Statement {
    pub(crate) predicate: String,
    pub(crate) object: NodeId,
    /// The first fact that said so; none for an edge that was loaded.
    pub(crate) record_id: Option<String>,
}

/// What inheritance is drawn from.
pub(crate) trait Statements {
    /// What a node states, in order.
    fn of(&self, node: NodeId) -> Vec<Statement>;
    /// Whether subjects of this predicate have one object each, as far as the graph shows.
    fn is_functional(&self, predicate: &str) -> bool;
}

/// How many subjects a predicate has, and how many of these have several objects.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subjects {
    pub(crate) all: u64,
    pub(crate) several: u64,
}

impl Subjects {
    pub(crate) fn have_one_object(self) -> bool {
        self.several * SEVERAL_MAX <= self.all
    }
}

/// All statements of a graph.
#[derive(Debug, Default)]
pub(crate) struct StatementTable {
    of: BTreeMap<NodeId, BTreeMap<(String, NodeId), Option<String>>>,
}

impl StatementTable {
    /// Adds an edge; one that is there already keeps the fact that said it first.
    pub(crate) fn add(&mut self, from: NodeId, predicate: String, to: NodeId, record_id: Option<String>) {
        self.of.entry(from).or_default().entry((predicate, to)).or_insert(record_id);
    }

    /// The nodes that have a class, in their order.
    pub(crate) fn members_of_classes(&self) -> Vec<NodeId> {
        let has_class = |stated: &BTreeMap<(String, NodeId), _>| {
            stated.keys().any(|(predicate, _)| is_class_relation(predicate))
        };
        self.of.iter().filter(|(_, stated)| has_class(stated)).map(|(&node, _)| node).collect()
    }

    /// Counts the subjects of every predicate; what [`Counted`] answers from.
    pub(crate) fn counted(self) -> Counted {
        let mut subjects: BTreeMap<String, Subjects> = BTreeMap::new();
        for stated in self.of.values() {
            let predicates: Vec<&str> = stated.keys().map(|(predicate, _)| predicate.as_str()).collect();
            for same in predicates.chunk_by(|a, b| a == b) {
                let Some(&predicate) = same.first() else { continue };
                let counts = subjects.entry(predicate.to_owned()).or_default();
                counts.all += 1;
                counts.several += u64::from(same.len() > 1);
            }
        }
        Counted { table: self, subjects }
    }
}

/// All statements of a graph with their predicates counted.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) table: StatementTable,
    subjects: BTreeMap<String, Subjects>,
}

impl Statements for Counted {
    fn of(&self, node: NodeId) -> Vec<Statement> {
        let stated = self.table.of.get(&node).into_iter().flatten();
        let statement = |((predicate, object), record_id): (&(String, NodeId), &Option<String>)| Statement {
            predicate: predicate.clone(),
            object: *object,
            record_id: record_id.clone(),
        };
        stated.map(statement).collect()
    }

    fn is_functional(&self, predicate: &str) -> bool {
        self.subjects.get(predicate).copied().unwrap_or_default().have_one_object()
    }
}

/// A class of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) node: NodeId,
    /// How far away it is: 1 above the farthest class that lies below it. A thing that states all of its classes has the narrow one
    /// nearest all the same.
    pub(crate) distance: u32,
    /// The classes on the shortest way there.
    pub(crate) by_way_of: Vec<NodeId>,
}

/// The classes of a node, nearest first, then in the order of their identifiers.
fn classes(statements: &impl Statements, node: NodeId) -> Vec<Class> {
    let mut found: BTreeMap<NodeId, Class> = BTreeMap::new();
    let mut wider: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    let mut waiting = VecDeque::from([(node, 0)]);
    while let Some((at, steps)) = waiting.pop_front() {
        let ties = statements.of(at).into_iter().filter(|tie| is_class_relation(&tie.predicate));
        for tie in ties.take_while(|_| steps < DEPTH_MAX) {
            let class = tie.object;
            if class == node || (!found.contains_key(&class) && found.len() >= CLASSES_MAX) {
                continue;
            }
            wider.entry(at).or_default().push(class);
            if found.contains_key(&class) {
                continue;
            }
            let below = found.get(&at).map(|below| below.by_way_of.iter().copied().chain([at]).collect());
            let by_way_of = below.unwrap_or_default();
            found.insert(class, Class { node: class, distance: steps + 1, by_way_of });
            waiting.push_back((class, steps + 1));
        }
    }
    settle_distances(node, &mut found, &wider);
    let mut classes: Vec<_> = found.into_values().collect();
    classes.sort_by_key(|class| (class.distance, class.node));
    classes
}

/// Sets each class's distance to that of the longest way there. In a circle, which has none, the class that is fewest steps away
/// counts as the nearest.
fn settle_distances(
    node: NodeId,
    found: &mut BTreeMap<NodeId, Class>,
    wider: &BTreeMap<NodeId, Vec<NodeId>>,
) {
    let mut open: BTreeSet<NodeId> = found.keys().copied().collect();
    let mut distances: BTreeMap<NodeId, u32> =
        wider.get(&node).into_iter().flatten().map(|&at| (at, 1)).collect();
    while !open.is_empty() {
        let above: BTreeSet<NodeId> =
            open.iter().flat_map(|at| wider.get(at).into_iter().flatten()).copied().collect();
        let free = open.iter().find(|at| !above.contains(*at));
        let fewest = || open.iter().min_by_key(|at| found.get(*at).map_or(0, |class| class.distance));
        let Some(next) = free.or_else(fewest).copied() else { break };
        open.remove(&next);
        let distance = distances.get(&next).copied().unwrap_or(1);
        if let Some(class) = found.get_mut(&next) {
            class.distance = distance;
        }
        for above in wider.get(&next).into_iter().flatten() {
            let known = distances.entry(*above).or_default();
            *known = (*known).max(distance + 1);
        }
    }
}

/// Something a class states, as a default for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassDefault {
    pub(crate) predicate: String,
    pub(crate) object: NodeId,
    pub(crate) class: Class,
    /// Whether another class as near says otherwise.
    pub(crate) is_contested: bool,
}

/// What a node states against a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) stated: Statement,
    pub(crate) default: ClassDefault,
}

/// What a node has from its classes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inheritance {
    /// What holds for it without being stated of it.
    pub(crate) defaults: Vec<ClassDefault>,
    /// What it states otherwise.
    pub(crate) contradictions: Vec<Contradiction>,
}

/// What a node has from its classes, and what it states against them.
pub(crate) fn inheritance(statements: &impl Statements, node: NodeId) -> Inheritance {
    let classes = classes(statements, node);
    let mut inherited = Inheritance { defaults: Vec::new(), contradictions: Vec::new() };
    if classes.is_empty() {
        return inherited;
    }
    let own = statements.of(node);
    // The distance of the nearest class that speaks with a predicate: farther ones do not contradict it.
    let mut nearest: BTreeMap<String, u32> = BTreeMap::new();
    for class in classes {
        for stated in statements.of(class.node) {
            let Statement { predicate, object, .. } = stated;
            if !is_inheritable(&predicate) {
                continue;
            }
            let near = *nearest.entry(predicate.clone()).or_insert(class.distance);
            let mine: Vec<&Statement> = own.iter().filter(|own| own.predicate == predicate).collect();
            let known: Vec<&ClassDefault> =
                inherited.defaults.iter().filter(|known| known.predicate == predicate).collect();
            if mine.iter().any(|own| own.object == object) || known.iter().any(|one| one.object == object) {
                continue;
            }
            let is_contested = !(mine.is_empty() && known.is_empty()) && statements.is_functional(&predicate);
            if is_contested && near < class.distance {
                continue;
            }
            let default = ClassDefault { predicate, object, class: class.clone(), is_contested };
            match mine.first() {
                Some(&stated) if is_contested => {
                    inherited.contradictions.push(Contradiction { stated: stated.clone(), default });
                }
                _ => inherited.defaults.push(default),
            }
        }
    }
    // The first of several that contest each other came before it was known.
    let contested: BTreeSet<String> =
        inherited.defaults.iter().filter(|one| one.is_contested).map(|one| one.predicate.clone()).collect();
    for default in &mut inherited.defaults {
        default.is_contested = contested.contains(&default.predicate);
    }
    inherited.defaults.sort_by(|a, b| {
        (&a.predicate, a.class.distance, a.object).cmp(&(&b.predicate, b.class.distance, b.object))
    });
    inherited
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes are numbered in the order in which they are first named.
    struct Said {
        names: Vec<&'static str>,
        statements: Counted,
    }

    fn said(triples: &[(&'static str, &str, &'static str)]) -> Said {
        let mut names: Vec<&'static str> = Vec::new();
        let mut number = |name| {
            let at = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            NodeId(at as u64)
        };
        let mut table = StatementTable::default();
        for (from, predicate, to) in triples {
            let (from, to) = (number(from), number(to));
            table.add(from, (*predicate).to_owned(), to, None);
        }
        Said { names, statements: table.counted() }
    }

    impl Said {
        fn inheritance(&self, name: &str) -> Inheritance {
            let node = self.names.iter().position(|known| *known == name).expect("it is named");
            inheritance(&self.statements, NodeId(node as u64))
        }

        /// Predicate, object and class of every default.
        fn defaults(&self, name: &str) -> Vec<(String, &'static str, &'static str)> {
            let name_of = |node: NodeId| self.names[node.0 as usize];
            let defaults = self.inheritance(name).defaults.into_iter();
            defaults.map(|one| (one.predicate, name_of(one.object), name_of(one.class.node))).collect()
        }

        /// Predicate, object stated, object held and class of every contradiction.
        fn contradictions(&self, name: &str) -> Vec<(String, &'static str, &'static str, &'static str)> {
            let name_of = |node: NodeId| self.names[node.0 as usize];
            let found = self.inheritance(name).contradictions.into_iter();
            found
                .map(|one| {
                    let Contradiction { stated, default } = one;
                    let class = name_of(default.class.node);
                    (stated.predicate, name_of(stated.object), name_of(default.object), class)
                })
                .collect()
        }
    }

    const BIRDS: [(&str, &str, &str); 8] = [
        ("bird", "flies", "yes"),
        ("bird", "covered in", "feathers"),
        ("animal", "flies", "no"),
        ("animal", "breathes", "air"),
        ("bird", "is_a", "animal"),
        ("penguin", "is_a", "bird"),
        ("penguin", "flies", "no"),
        ("pingu", "is_a", "penguin"),
    ];

    #[test]
    fn own_statements_override_and_are_kept_as_exceptions() {
        let said = said(&BIRDS);
        assert_eq!(said.contradictions("penguin"), [("flies".to_owned(), "no", "yes", "bird")]);
        assert_eq!(said.contradictions("bird"), [("flies".to_owned(), "yes", "no", "animal")]);
        let from_above = [("breathes", "air", "animal"), ("covered in", "feathers", "bird")];
        assert_eq!(said.defaults("penguin"), from_above.map(|(p, o, c)| (p.to_owned(), o, c)));
    }

    #[test]
    fn nearer_classes_override_farther_ones() {
        let said = said(&BIRDS);
        assert!(said.contradictions("pingu").is_empty(), "it says nothing itself");
        assert!(said.defaults("pingu").contains(&("flies".to_owned(), "no", "penguin")));
        assert_eq!(said.defaults("pingu").iter().filter(|one| one.0 == "flies").count(), 1);
    }

    #[test]
    fn the_narrow_class_is_nearer_though_all_are_stated() {
        let mut triples = BIRDS.to_vec();
        triples.extend([
            ("tux", RDF_TYPE, "animal"),
            ("tux", RDF_TYPE, "bird"),
            ("tux", RDF_TYPE, "penguin"),
        ]);
        let said = said(&triples);
        let flies: Vec<_> = said.defaults("tux").into_iter().filter(|one| one.0 == "flies").collect();
        assert_eq!(flies, [("flies".to_owned(), "no", "penguin")]);
    }

    #[test]
    fn what_things_have_several_of_adds_up() {
        let said = said(&[
            ("penguin", "is_a", "bird"),
            ("bird", "eats", "seeds"),
            ("bird", "eats", "worms"),
            ("penguin", "eats", "fish"),
        ]);
        assert!(said.contradictions("penguin").is_empty());
        assert_eq!(said.defaults("penguin").len(), 2);
    }

    #[test]
    fn classes_as_near_may_disagree_and_it_is_said() {
        let said = said(&[
            ("nixon", "is_a", "quaker"),
            ("nixon", "is_a", "republican"),
            ("quaker", "pacifist", "yes"),
            ("republican", "pacifist", "no"),
        ]);
        let defaults = said.inheritance("nixon").defaults;
        assert_eq!((defaults.len(), defaults.iter().all(|one| one.is_contested)), (2, true));
        assert!(said.inheritance("nixon").contradictions.is_empty());
    }

    #[test]
    fn circles_and_long_ways_end() {
        let circle = said(&[
            ("a", "is_a", "b"),
            ("b", "is_a", "c"),
            ("c", "is_a", "a"),
            ("c", "size", "big"),
            ("a", "is_a", "a"),
        ]);
        assert_eq!(circle.defaults("a"), [("size".to_owned(), "big", "c")]);
        assert_eq!(circle.defaults("b"), [("size".to_owned(), "big", "c")]);
        assert!(circle.defaults("c").is_empty());
        let mut table = StatementTable::default();
        for at in 0..40 {
            table.add(NodeId(at), "is_a".to_owned(), NodeId(at + 1), None);
            table.add(NodeId(at), format!("p{at}"), NodeId(100 + at), None);
        }
        let defaults = inheritance(&table.counted(), NodeId(0)).defaults;
        assert_eq!(defaults.len(), DEPTH_MAX as usize);
    }

    #[test]
    fn the_words_for_is_a_are_few_and_labels_are_not_inherited() {
        for word in ["is_a", "is a", "isA", RDF_TYPE, "rdf:type", "rdfs:subClassOf", "http://x/subclass_of"] {
            assert!(is_class_relation(word), "{word}");
        }
        for word in ["type", "http://x/type", "a", "is", "visa", "is_about"] {
            assert!(!is_class_relation(word), "{word}");
        }
        let labelled = said(&[
            ("penguin", "is_a", "bird"),
            ("bird", "rdfs:label", "Vogel"),
            ("bird", POSSIBLY_SAME, "fowl"),
            ("penguin", "rdfs:label", "Pinguin"),
        ]);
        assert_eq!(labelled.inheritance("penguin"), Inheritance::default());
    }
}
