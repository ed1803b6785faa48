//! The links that stand.

use std::collections::BTreeMap;

use cortexkg_store::StoreError;

use super::{Link, LinkKind, Note};
use crate::image::{ImageReader, ImageWriter};
use crate::journal::MentionRef;

/// Links in one record of a snapshot.
const LINKS_AT_ONCE: usize = 1024;

/// The links that stand, by origin and by fact.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    standing: BTreeMap<u64, Link>,
    by_fact: BTreeMap<u64, Vec<u64>>,
}

impl Links {
    pub(crate) fn of(links: impl IntoIterator<Item = (u64, Link)>) -> Self {
        let mut all = Self::default();
        links.into_iter().for_each(|(origin, link)| all.set(origin, link));
        all
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.standing.len()
    }

    /// All of them with their origins, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, Link)> + '_ {
        self.standing.iter().map(|(&origin, &link)| (origin, link))
    }

    pub(crate) fn get(&self, origin: u64) -> Option<Link> {
        self.standing.get(&origin).copied()
    }

    /// Those that speak of a mention of a fact, oldest first.
    pub(crate) fn of_fact(&self, fact: u64) -> impl Iterator<Item = (u64, Link)> + '_ {
        let origins = self.by_fact.get(&fact).into_iter().flatten();
        origins.filter_map(|&origin| Some((origin, self.get(origin)?)))
    }

    /// The mentions at the other ends of a mention's links of one kind, each with the link's origin.
    pub(crate) fn others(
        &self,
        of: MentionRef,
        kind: LinkKind,
    ) -> impl Iterator<Item = (u64, MentionRef)> + '_ {
        self.of_fact(of.fact).filter(move |(_, link)| link.kind == kind).filter_map(move |(origin, link)| {
            match link {
                Link { left, right, .. } if left == of => Some((origin, right)),
                Link { left, right, .. } if right == of => Some((origin, left)),
                _ => None,
            }
        })
    }

    pub(crate) fn apply(&mut self, note: &Note) {
        self.withdraw(note.origin);
        if note.stands {
            self.set(note.origin, note.link);
        }
    }

    fn set(&mut self, origin: u64, link: Link) {
        self.standing.insert(origin, link);
        for fact in ends(link) {
            let origins = self.by_fact.entry(fact).or_default();
            if let Err(at) = origins.binary_search(&origin) {
                origins.insert(at, origin);
            }
        }
    }

    fn withdraw(&mut self, origin: u64) {
        let Some(link) = self.standing.remove(&origin) else { return };
        for fact in ends(link) {
            if let Some(origins) = self.by_fact.get_mut(&fact) {
                origins.retain(|&known| known != origin);
                if origins.is_empty() {
                    self.by_fact.remove(&fact);
                }
            }
        }
    }

    /// Lets what is said of one fact be said of another, which bears its name now.
    pub(crate) fn hand_on(&mut self, from: u64, to: u64) {
        for origin in self.by_fact.get(&from).cloned().unwrap_or_default() {
            let Some(mut link) = self.get(origin) else { continue };
            self.withdraw(origin);
            for end in [&mut link.left, &mut link.right].into_iter().filter(|end| end.fact == from) {
                end.fact = to;
            }
            self.set(origin, link);
        }
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        let all: Vec<(u64, Link)> = self.iter().collect();
        to.section("links", all.chunks(LINKS_AT_ONCE))
    }

    pub(crate) fn load(from: &ImageReader<'_>) -> Result<Self, StoreError> {
        Ok(Self::of(from.chunks("links")?.iter().copied()))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.standing.len() * 4 * size_of::<(u64, Link)>()
    }
}

/// The facts that a link speaks of, each once.
fn ends(link: Link) -> impl Iterator<Item = u64> {
    let second = (link.right.fact != link.left.fact).then_some(link.right.fact);
    [link.left.fact].into_iter().chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(kind: LinkKind, left: u64, right: u64) -> Link {
        let [left, right] = [left, right].map(|fact| MentionRef { fact, role: 0 });
        Link { kind, left, right }
    }

    #[test]
    fn links_come_go_and_are_handed_on() {
        let must = link(LinkKind::Must, 1, 2);
        let note = Note { origin: 7, link: must, stands: true };
        let mut links = Links::of([(5, link(LinkKind::Cannot, 1, 3))]);
        links.apply(&note);
        let others = |links: &Links, fact, kind| {
            links
                .others(MentionRef { fact, role: 0 }, kind)
                .map(|(origin, other)| (origin, other.fact))
                .collect::<Vec<_>>()
        };
        assert_eq!(others(&links, 1, LinkKind::Must), [(7, 2)]);
        assert_eq!(others(&links, 3, LinkKind::Cannot), [(5, 1)]);
        links.hand_on(1, 9);
        assert_eq!(others(&links, 1, LinkKind::Must), []);
        assert_eq!(others(&links, 2, LinkKind::Must), [(7, 9)]);
        assert_eq!(others(&links, 9, LinkKind::Cannot), [(5, 3)]);
        links.apply(&note.turned());
        assert_eq!((links.len(), others(&links, 2, LinkKind::Must)), (1, vec![]));
    }

    #[test]
    fn a_triple_may_be_linked_with_itself() {
        let [left, right] = [1, 2].map(|role| MentionRef { fact: 4, role });
        let mut links = Links::of([(5, Link { kind: LinkKind::Cannot, left, right })]);
        assert_eq!(links.of_fact(4).count(), 1);
        links.hand_on(4, 6);
        assert_eq!(
            links.others(MentionRef { fact: 6, role: 2 }, LinkKind::Cannot).collect::<Vec<_>>(),
            [(5, MentionRef { fact: 6, role: 1 })]
        );
    }
}
